"""A trial as an MLflow run: what people see of it, and a tag from which it is read back exactly."""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import NamedTuple

from tunesmith.expressions import Value
from tunesmith.trial import Origin, Round, Step, Trial, TrialState

NAME_LIMIT = 250
PARAM_LIMIT = 6000
TAG_LIMIT = 8000

RECORD = "tunesmith.record"
"""Tag with the whole trial as JSON; what does not fit goes on in `tunesmith.record.1` and so on."""
STUDY = "tunesmith.study"
ROUND = "tunesmith.round"
TRIAL = "tunesmith.trial"
SPACE = "tunesmith.space_version"
PROPOSAL = "tunesmith.proposal"
"""On the runs of a round: the proposal that its space, or its exploration, comes from. With
`.1` and so on, on the run of the round that it was made from: how that proposal stands.
"""
PARENT = "mlflow.parentRunId"

STATUS = {
    TrialState.COMPLETE: "FINISHED",
    TrialState.PRUNED: "KILLED",
    TrialState.FAILED: "FAILED",
}
TERMINATED = frozenset(STATUS.values())

_LEGAL = re.compile(r"[/\w.\- :]+")
_INT64 = 2**63
_FIELDS = tuple(item.name for item in fields(Trial))


class Point(NamedTuple):
    """One value of a metric; `timestamp` is in milliseconds."""

    key: str
    value: float
    timestamp: int
    step: int


@dataclass(slots=True)
class Row:
    """A trial as MLflow keeps it; times in milliseconds."""

    number: int
    name: str
    status: str
    started: int
    finished: int
    params: dict[str, str]
    points: list[Point]
    tags: dict[str, str]


@dataclass(slots=True)
class Fitting:
    """Makes names and values fit MLflow's limits and remembers what it had to change."""

    changes: list[str] = field(default_factory=list)

    def name(self, name: str) -> str:
        if _is_legal(name):
            return name
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        short = re.sub(r"[^\w.\- :]", "_", name)[: NAME_LIMIT - 9].strip("./ ")
        fitted = f"{short}-{digest}"
        self.changes.append(f"name {name!r:.300} is {fitted!r:.300}")
        return fitted

    def text(self, what: str, text: str, limit: int) -> str:
        clean = text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
        if len(clean) > limit:
            self.changes.append(f"{what} of {len(clean)} characters is cut to {limit}")
        elif clean != text:
            self.changes.append(f"{what} has characters that cannot be stored")
        return clean[:limit]

    def tag(self, key: str, value: str) -> str:
        return self.text(f"tag {key}", value, TAG_LIMIT)


def _is_legal(name: str) -> bool:
    return (
        len(name) <= NAME_LIMIT
        and _LEGAL.fullmatch(name) is not None
        and posixpath.normpath(name) == name
        and not name.startswith(("/", ".."))
        and name != "."
    )


def to_row(study: str, round: Round, trial: Trial, parent: str) -> Row:
    """The trial as a child of its round's run."""
    fitting = Fitting()
    started = _milliseconds(trial.started or trial.finished or round.started or 0.0)
    finished = _milliseconds(trial.finished or 0.0) or started
    row = Row(
        number=trial.number,
        name=f"trial-{trial.number}",
        status=STATUS[trial.state],
        started=started,
        finished=finished,
        params={
            fitting.name(name): fitting.text(f"param {name!r:.300}", _shown(value), PARAM_LIMIT)
            for name, value in trial.params.items()
        },
        points=list(_points(trial, started, finished, fitting)),
        tags={
            PARENT: parent,
            STUDY: study,
            ROUND: str(round.number),
            TRIAL: str(trial.number),
            "tunesmith.state": trial.state.value,
            "tunesmith.seed": str(trial.seed),
            "tunesmith.origin": trial.origin.value,
            SPACE: str(round.space_version),
        },
    )
    if round.proposal is not None:
        row.tags[PROPOSAL] = str(round.proposal)
    if trial.error is not None:
        row.tags["tunesmith.error"] = fitting.tag("tunesmith.error", trial.error)
    if trial.violation:
        row.tags["tunesmith.violation"] = repr(trial.violation)
    row.tags |= _record(trial)
    if fitting.changes:
        row.tags["tunesmith.fitted"] = "; ".join([*fitting.changes, f"as it was: {RECORD}"])[
            :TAG_LIMIT
        ]
    return row


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _shown(value: Value) -> str:
    return value if isinstance(value, str) else str(value)


def _points(trial: Trial, started: int, finished: int, fitting: Fitting) -> Iterator[Point]:
    """Steps a millisecond apart, so that none hides another; then each metric at its last step.

    MLflow calls the value with the highest step, then time, a metric's latest.
    """
    names = {name: fitting.name(name) for name in _metric_names(trial)}
    last: dict[str, int] = {}
    for index, step in enumerate(trial.steps):
        position = max(min(step.step, _INT64 - 1), -_INT64)
        if position != step.step:
            fitting.changes.append(f"step {step.step} is {position}")
        last[step.metric] = max(position, last.get(step.metric, position))
        yield Point(names[step.metric], float(step.value), started + index, position)
    end = max(finished, started + len(trial.steps))
    for name, value in trial.metrics.items():
        yield Point(names[name], float(value), end, last.get(name, 0))


def _metric_names(trial: Trial) -> dict[str, None]:
    return dict.fromkeys([*(step.metric for step in trial.steps), *trial.metrics])


def _record(trial: Trial) -> dict[str, str]:
    table = {name: getattr(trial, name) for name in _FIELDS}
    table["steps"] = [[step.metric, step.step, step.value] for step in trial.steps]
    text = json.dumps(table, separators=(",", ":"))
    parts = [text[start : start + TAG_LIMIT] for start in range(0, len(text), TAG_LIMIT)]
    return {f"{RECORD}.{index}" if index else RECORD: part for index, part in enumerate(parts)}


def from_tags(tags: Mapping[str, str]) -> Trial | None:
    """The trial that a run's tags hold; None for a run that tunesmith did not make."""
    if RECORD not in tags:
        return None
    return from_parts((key, value) for key, value in tags.items() if key.startswith(RECORD))


def from_parts(parts: Iterable[tuple[str, str]]) -> Trial:
    """The trial that its record tags hold, in whatever order they come."""
    ordered = sorted(parts, key=lambda part: int(part[0].removeprefix(RECORD).strip(".") or 0))
    table = json.loads("".join(value for _, value in ordered))
    table["state"] = TrialState(table["state"])
    table["origin"] = Origin(table["origin"])
    table["steps"] = tuple(Step(*step) for step in table["steps"])
    return Trial(**table)
