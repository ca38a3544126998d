"""The life of a proposal: made from a study's history, decided, put into effect, written down."""

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import cast

from pydantic import ValidationError

from tunesmith.carryover import fixed_since
from tunesmith.components import Advisor
from tunesmith.discovery import GROUP
from tunesmith.edits import inverse, prepared
from tunesmith.errors import ConfigError, SpaceError, StudyBusyError
from tunesmith.history import History, Reviewed, comparable, original_of
from tunesmith.lease import holder
from tunesmith.ledger import check_open, revised
from tunesmith.lineage import SpaceVersion
from tunesmith.plugins import Registry, installed
from tunesmith.policy import Objection, admissible, check
from tunesmith.problems import problems_of, raise_problems
from tunesmith.proposals import Decision, Draft, Proposal, Source, Tier, Verdict, approved
from tunesmith.rounds import present_version
from tunesmith.space import SearchSpace
from tunesmith.store import Record, Store
from tunesmith.study import Study, load_study, store_url
from tunesmith.yaml_file import read_table, write_space


def gather(study: Study, record: Record) -> History:
    """What an advisor looks at; a space that was edited by hand becomes a version.

    Raises ConfigError where no trial is finished.
    """
    if not any(trial.counts for trial in record.trials()):
        raise ConfigError(
            f"study '{study.name}' has no finished trial, and so nothing to learn from; "
            "start it with 'tunesmith run'"
        )
    return _history(study, record, present_version(study, record))


def _history(study: Study, record: Record, version: SpaceVersion) -> History:
    rounds, proposals = record.rounds(), record.proposals()
    for round in rounds:
        round.trials = [
            replace(trial, params=trial.params | fixed_since(trial, version.space, proposals))
            for trial in record.trials(round.number)
        ]
    tried = [round for round in rounds if any(trial.counts for trial in round.trials)]
    same, others = comparable(tried)
    return History(
        study=study.name,
        space=version.space,
        version=version.number,
        original=original_of([known.space for known in record.versions()]),
        goals=same[-1].goals,
        seed=study.seed,
        description=study.description,
        rounds=same,
        excluded=others,
        proposals=proposals,
    )


def propose(study: Study, record: Record, registry: Registry | None = None) -> Reviewed:
    """Ask the study's advisor, else `statistical`, and keep what it says, edits or none.

    The same answer again is the proposal that is there. Raises ConfigError where no trial is
    finished, no advisor is installed, or no round was run since a proposal was approved.
    """
    registry = registry or installed()
    history = gather(study, record)
    table = study.advisor.model_dump() if study.advisor else {"use": "statistical"}
    if not registry.names("advisor"):
        raise ConfigError("no advisor is installed; install the package 'tunesmith-agent'")
    advisor = cast(Advisor, registry.build("advisor", table))
    plugin = registry.find("advisor", table["use"]).plugin
    found = [entry.dist for entry in entry_points(group=GROUP, name=plugin) if entry.dist]
    version = found[0].version if found else "unknown"
    return submit(record, history, advisor.advise(history), table["use"], version)


def submit(
    record: Record, history: History, draft: Draft, advisor: str, advisor_version: str
) -> Reviewed:
    """Make a draft a proposal: without what the policy forbids, with ids and inverses, and kept.

    The same again is the proposal that is there. Raises ConfigError where no round was run since a
    proposal was approved.
    """
    untried = _applied_after(record, max(round.number for round in record.rounds()))
    if untried:
        raise ConfigError(
            f"proposal {untried[-1].proposal.number} was approved, and no round was run with it "
            "yet; run one with 'tunesmith run' before the next proposal"
        )
    draft = admissible(history, draft)
    content = dict(draft) | {"edits": prepared(history.space, draft.edits)}
    proposal = Proposal(
        **content,
        study=history.study,
        number=0,
        advisor=advisor,
        advisor_version=advisor_version,
        space_version=history.version,
        space=history.space.fingerprint,
        snapshot=history.snapshot,
        seed=history.seed,
        made=time.time(),
    )
    return record.save_proposal(proposal)


def _applied_after(record: Record, round: int) -> list[Reviewed]:
    """The proposals that were approved with that round as the latest one."""
    return [
        reviewed
        for reviewed in record.proposals()
        if reviewed.version is not None and (reviewed.round or 0) >= round
    ]


def stale(study: Study, record: Record, reviewed: Reviewed) -> str | None:
    """Why a proposal can no longer be approved; None where it can.

    The space, the trials or another proposal have gone on since.
    """
    proposal, latest = reviewed.proposal, record.versions()[-1]
    others = _applied_after(record, reviewed.round or 0)
    other = next((item for item in others if item.proposal.number != proposal.number), None)
    if other:
        return f"proposal {other.proposal.number} was approved since"
    if latest.number != proposal.space_version:
        return (
            f"it is against space version {proposal.space_version}, and version {latest.number} "
            f"by {latest.author} is the present one"
        )
    if study.space.fingerprint != latest.space.fingerprint:
        return "the study's space was edited by hand since"
    if _history(study, record, latest).snapshot != proposal.snapshot:
        return "trials were run since"
    return None


def decide(study: Study, record: Record, number: int, decisions: Sequence[Decision]) -> Reviewed:
    """Record what somebody decided; with the last edit's decision the proposal takes effect, once.

    All or none are taken. Raises ConfigError for a decision that is incomplete, was made before,
    approves what is stale or what the policy objects to; StudyBusyError while a round runs.
    """
    with record.alone() as connection:
        running = holder(record)
        if running:
            raise StudyBusyError(
                f"study '{study.name}' is being run by {running}; decide when the round is over"
            )
        reviewed = record.proposal(number)
        check_open(reviewed, decisions)
        for decision in decisions:
            _check_complete(decision)
        reason = stale(study, record, reviewed)
        if reason and any(decision.verdict is not Verdict.REJECT for decision in decisions):
            raise ConfigError(
                f"proposal {number} is stale: {reason}; run 'tunesmith advise' again for a new one"
            )
        if not reason:
            history = _history(study, record, record.versions()[-1])
            decisions = _as_human(history.space, reviewed, decisions)
            _check_policy(history, reviewed.proposal, (*reviewed.decisions, *decisions))
        return record.save_decisions(connection, number, decisions, applies=not reason)


def _check_complete(decision: Decision) -> None:
    edit, changes = decision.edit, decision.verdict is Verdict.EDIT
    if changes and decision.changed is None:
        raise ConfigError(f"the decision on '{edit}' is 'edit', but says not what to apply instead")
    if decision.changed is not None and not changes:
        raise ConfigError(
            f"the decision on '{edit}' is '{decision.verdict}', but has an edit to apply instead; "
            "say 'edit'"
        )
    if decision.override and not decision.reason.strip():
        raise ConfigError(f"the decision on '{edit}' overrides the policy; give a reason for it")


def _as_human(
    space: SearchSpace, reviewed: Reviewed, decisions: Sequence[Decision]
) -> list[Decision]:
    """The decisions with changed edits as their author's own, with id and inverse."""
    found: list[Decision] = []
    for decision in decisions:
        if decision.changed:
            place = [edit.id for edit in reviewed.proposal.edits].index(decision.edit)
            before = approved(reviewed.proposal.edits[:place], (*reviewed.decisions, *decisions))
            recommended = decision.changed.tier is Tier.RECOMMENDED
            now = revised(space, before)[0] if recommended else space
            try:
                back = inverse(now, decision.changed)
            except SpaceError as error:
                raise ConfigError(f"{decision.edit}: {error}") from None
            changes = {"id": decision.edit, "source": Source.HUMAN, "inverse": back}
            changed = decision.changed.model_copy(update=changes)
            decision = decision.model_copy(update={"changed": changed})
        found.append(decision)
    return found


def _check_policy(history: History, proposal: Proposal, decisions: Sequence[Decision]) -> None:
    edits = approved(proposal.edits, decisions)
    overrides = {decision.edit for decision in decisions if decision.override}
    overrides &= {edit.id for edit in edits}

    def stands(objection: Objection) -> bool:
        mine = overrides if objection.edit is None else overrides & {objection.edit}
        return objection.hard or not mine

    found = check(history, edits, [evidence.id for evidence in proposal.evidence])
    lines = [
        f"{objection.edit or 'all together'}: {objection.sentence}; "
        + ("nobody may override that" if objection.hard else "override it with a reason")
        for objection in found
        if stands(objection)
    ]
    if lines:
        raise ConfigError(
            f"proposal {proposal.number} cannot be approved like that; reject or change an edit\n"
            + "\n".join(lines)
        )


def settle(path: Path, study: Study, record: Record) -> bool:
    """Write the space of an approved proposal into the study file, where it is not there yet.

    Returns whether the file changed. Raises ConfigError, and leaves the file, where its space is
    another one by now or it cannot be written with all else as it is.
    """
    waiting = record.unwritten()
    if waiting is None or waiting.version is None:
        return False
    spaces = {version.number: version.space for version in record.versions()}
    old, new = spaces[waiting.proposal.space_version], spaces[waiting.version]
    now = _space_in(path).fingerprint
    if now not in (old.fingerprint, new.fingerprint):
        raise ConfigError(
            f"the space in '{path}' was edited after proposal {waiting.proposal.number} of study "
            f"'{study.name}' was made, which is approved: put back the space of version "
            f"{waiting.proposal.space_version} or of version {waiting.version} ('tunesmith space "
            "show --version' prints it), run again, and edit it after that"
        )
    if now != new.fingerprint:
        write_space(path, old, new)
    record.mark_written()
    return now != new.fingerprint


def _space_in(path: Path) -> SearchSpace:
    data, lines = read_table(path)
    try:
        return SearchSpace.from_dict(data.get("space", {}))
    except ValidationError as error:
        raise_problems(problems_of(error, SearchSpace, ("space",)), str(path), lines)
        raise


def load_settled(path: Path, registry: Registry | None = None) -> Study:
    """The study in a file, after what was approved is written into it: see `settle`."""
    study = load_study(path, registry)
    with closing(Store(store_url(study))) as store:
        record = store.find(study.name)
        changed = record is not None and settle(path, study, record)
    return load_study(path, registry) if changed else study
