"""The tables of the durable record, and how rounds and trials map onto rows."""

import json
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    bindparam,
    func,
    select,
    update,
)

from tunesmith.space import SearchSpace
from tunesmith.trial import Direction, Goal, Origin, Round, Step, Trial, TrialState

metadata = MetaData()


class Words(TypeDecorator[str]):
    """Text from anywhere: what databases refuse, NUL and lone surrogates, is written as `\\x00`."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: object) -> str | None:
        """The text as it is stored."""
        return value and value.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


studies = Table(
    "studies",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
    Column("created", Float, nullable=False),
    # who runs the study now (see lease.py); null when nobody does
    Column("owner", String(300)),
    Column("heartbeat", Float),
)

space_versions = Table(
    "space_versions",
    metadata,
    Column("study", ForeignKey("studies.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("fingerprint", String(64), nullable=False),
    Column("space", Text, nullable=False),
    Column("parent", Integer),
    Column("author", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("created", Float, nullable=False),
    # columns that came later can be null: records made before get them without values
    Column("proposal", Integer),
)

rounds = Table(
    "rounds",
    metadata,
    Column("study", ForeignKey("studies.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("space_version", Integer, nullable=False),
    Column("sampler", Text, nullable=False),
    Column("objective", Text, nullable=False),
    Column("goals", Text, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("budget", Text, nullable=False),
    Column("dataset", Text),
    Column("commit", Text),
    Column("started", Float, nullable=False),
    Column("finished", Float),
    Column("reason", Words),
    Column("final", Text, nullable=False),
    Column("proposal", Integer),
    Column("limits", Text),
    Column("dataset_version", Text),
    ForeignKeyConstraint(
        ["study", "space_version"], ["space_versions.study", "space_versions.number"]
    ),
)

trials = Table(
    "trials",
    metadata,
    Column("study", Integer, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("round", Integer, nullable=False),
    Column("params", Text, nullable=False),
    Column("state", String(10), nullable=False),
    Column("metrics", Text, nullable=False),
    Column("steps", Text, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("error", Words),
    Column("origin", String(20), nullable=False),
    Column("started", Float),
    Column("finished", Float),
    # order in which trials finished; trackers keep a cursor into it
    Column("sequence", Integer),
    Column("violation", Float),
    ForeignKeyConstraint(["study", "round"], ["rounds.study", "rounds.number"]),
    Index("trials_by_sequence", "study", "sequence"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("study", ForeignKey("studies.id"), primary_key=True),
    Column("destination", Text, primary_key=True),
    Column("sequence", Integer, nullable=False),
    Column("rounds", Text, nullable=False),
    Column("proposals", Text),
)

proposals = Table(
    "proposals",
    metadata,
    Column("study", ForeignKey("studies.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("hash", String(64), nullable=False),
    Column("space_version", Integer, nullable=False),
    # the latest round at the time
    Column("round", Integer),
    Column("made", Float, nullable=False),
    Column("advisor", Text, nullable=False),
    Column("content", Text, nullable=False),
    ForeignKeyConstraint(
        ["study", "space_version"], ["space_versions.study", "space_versions.number"]
    ),
    UniqueConstraint("study", "hash"),
)

# only ever added to: its key is what lets an edit be decided once
decisions = Table(
    "decisions",
    metadata,
    Column("study", Integer, primary_key=True),
    Column("proposal", Integer, primary_key=True, autoincrement=False),
    Column("edit", String(20), primary_key=True),
    Column("verdict", String(10), nullable=False),
    Column("author", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("at", Float, nullable=False),
    Column("content", Text, nullable=False),
    ForeignKeyConstraint(["study", "proposal"], ["proposals.study", "proposals.number"]),
)

# proposals that were approved, whole or in part
revisions = Table(
    "revisions",
    metadata,
    Column("study", Integer, primary_key=True),
    Column("proposal", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("made", Float, nullable=False),
    # when the study file got the space
    Column("written", Float),
    ForeignKeyConstraint(["study", "proposal"], ["proposals.study", "proposals.number"]),
    ForeignKeyConstraint(["study", "version"], ["space_versions.study", "space_versions.number"]),
)


# how a running trial ends; built once, because that takes longer than running it
finish = (
    update(trials)
    .where(
        trials.c.study == bindparam("its_study"),
        trials.c.number == bindparam("its_number"),
        trials.c.state == TrialState.RUNNING.value,
    )
    .values(
        sequence=select(func.coalesce(func.max(trials.c.sequence), 0) + 1)
        .where(trials.c.study == bindparam("its_study"))
        .scalar_subquery()
    )
)


def read_round(row: Row[Any], space: SearchSpace) -> Round:
    """The round in a row of `rounds`, without its trials."""
    return Round(
        number=row.number,
        space_version=row.space_version,
        space=space,
        sampler=json.loads(row.sampler),
        objective=json.loads(row.objective),
        goals=tuple(
            Goal(metric, Direction(direction)) for metric, direction in json.loads(row.goals)
        ),
        seed=row.seed,
        budget=json.loads(row.budget),
        dataset=row.dataset,
        commit=row.commit,
        started=row.started,
        finished=row.finished,
        reason=row.reason,
        final=json.loads(row.final),
        proposal=row.proposal,
        limits=tuple(json.loads(row.limits or "[]")),
        dataset_version=json.loads(row.dataset_version or "{}"),
    )


def round_values(round: Round) -> dict[str, Any]:
    """A round as column values, but for its key."""
    times = ("started", "finished")
    plain = ("space_version", "seed", "dataset", "commit", *times, "reason", "proposal")
    coded = ("sampler", "objective", "budget", "final", "limits", "dataset_version")
    return (
        {field: getattr(round, field) for field in plain}
        | {field: json.dumps(getattr(round, field)) for field in coded}
        | {"goals": json.dumps([[goal.metric, goal.direction] for goal in round.goals])}
    )


def read_trial(row: Row[Any]) -> Trial:
    """The trial in a row of `trials`."""
    return Trial(
        number=row.number,
        round=row.round,
        params=json.loads(row.params),
        state=TrialState(row.state),
        metrics=json.loads(row.metrics),
        steps=tuple(Step(*step) for step in json.loads(row.steps)),
        seed=row.seed,
        error=row.error,
        origin=Origin(row.origin),
        started=row.started,
        finished=row.finished,
        violation=row.violation or 0.0,
    )


def trial_values(trial: Trial) -> dict[str, Any]:
    """A trial as column values, but for its key."""
    return {
        "params": json.dumps(trial.params),
        "state": trial.state.value,
        "metrics": json.dumps(trial.metrics),
        "steps": json.dumps([[step.metric, step.step, step.value] for step in trial.steps]),
        "seed": trial.seed,
        "error": trial.error,
        "origin": trial.origin.value,
        "started": trial.started,
        "finished": trial.finished,
        "violation": trial.violation,
    }
