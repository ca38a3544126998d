"""From a history to a draft: the tests in order, each on the space as those before leave it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tunesmith.edits import apply
from tunesmith.errors import SpaceError
from tunesmith.history import History
from tunesmith.policy import admissible
from tunesmith.proposals import Draft, Edit, Tier, Widen
from tunesmith_agent.statistics import choices, edges, failures, importance, narrowing, scales
from tunesmith_agent.statistics.findings import Findings
from tunesmith_agent.statistics.forecast import told, what_if
from tunesmith_agent.statistics.reverts import revert
from tunesmith_agent.statistics.snapshot import ENOUGH, Snapshot
from tunesmith_agent.statistics.surrogate import DEPENDS, Surrogate, dependence
from tunesmith_agent.statistics.worth import worth

Test = Callable[[Snapshot, Findings], Sequence[Edit]]
TESTS: tuple[Test, ...] = (
    failures.forbid,
    scales.set_scale,
    edges.widen,
    choices.drop_choice,
    narrowing.narrow,
)


def draft(history: History, exploration: float) -> Draft:
    """Evidence and edits for the space of a history; the same history and seed, the same draft."""
    findings = Findings(history.seed)
    for reason in history.excluded:
        findings.note("left out", reason)
    worth(history, findings)
    edits = _allowed(history, findings, [], revert(history, findings))
    snapshot = _under(history, edits)
    _look(snapshot, findings)
    for test in TESTS:
        found = test(snapshot, findings)
        if found:
            edits = _allowed(history, findings, edits, found)
            snapshot = _under(history, edits)
            if findings.surrogate is not None:
                findings.surrogate = Surrogate.fit(snapshot)
    widened = [edit for edit in edits if isinstance(edit, Widen)]
    fixed = importance.fix(snapshot, findings, widened)
    edits = _allowed(history, findings, edits, fixed)
    importance.couplings(snapshot, findings)
    return _finished(history, findings, edits, exploration)


def _allowed(
    history: History, findings: Findings, edits: Sequence[Edit], more: Sequence[Edit]
) -> list[Edit]:
    """The edits and those of `more` that the policy lets pass beside them; notes on the others."""
    together = Draft(evidence=tuple(findings.evidence), edits=(*edits, *more))
    passed = admissible(history, together) if more else together
    findings.notes += passed.notes
    return list(passed.edits)


def _under(history: History, edits: list[Edit]) -> Snapshot:
    recommended = [edit for edit in edits if edit.tier is Tier.RECOMMENDED]
    return Snapshot.of(history, apply(history.space, recommended))


def _look(snapshot: Snapshot, findings: Findings) -> None:
    """Whether there is anything to learn from the scores, and in plain words why not."""
    count = snapshot.count
    if count < ENOUGH:
        failed = f" ({len(snapshot.failures)} failed)" if snapshot.failures else ""
        findings.note(
            "not enough evidence",
            f"only {count} scored trials{failed} lie in the space, too few to say anything",
            trials=ENOUGH - count,
        )
        return
    if np.ptp(snapshot.z) < 1e-12:
        findings.note("left alone", f"all {count} trials score the same: nothing to learn from")
        return
    p = dependence(snapshot, findings.rng("dependence"))
    findings.depends = p <= DEPENDS
    findings.surrogate = Surrogate.fit(snapshot)
    rho = findings.surrogate.rho
    sentence = (
        f"scores depend on the parameters (permutation test, p = {p:.2g}); left-out trials are "
        f"predicted with a rank correlation of {rho:.2f}"
        if findings.depends
        else f"so far nothing says that the scores depend on the parameters (p = {p:.2g})"
    )
    evidence = findings.add("dependence", sentence, count, p_value=p, rho=rho)
    if not findings.depends:
        findings.note(
            "not enough evidence",
            f"{sentence}, and so no edit is drawn from them",
            evidence,
            trials=count,
        )


def _finished(history: History, findings: Findings, edits: list[Edit], exploration: float) -> Draft:
    """The draft with what the policy leaves of the edits, each replayed, and the advice on it."""
    made = Draft(evidence=tuple(findings.evidence), edits=tuple(edits), notes=tuple(findings.notes))
    made = admissible(history, made)
    snapshot = Snapshot.of(history)
    if findings.surrogate is not None:
        findings.surrogate = Surrogate.fit(snapshot)
    recommended = [edit for edit in edits if edit.tier is Tier.RECOMMENDED]
    together = what_if(snapshot, recommended, findings) if recommended and snapshot.count else None
    return Draft(
        evidence=tuple(findings.evidence),
        edits=tuple(_replayed(snapshot, edit, findings) for edit in edits),
        notes=tuple(findings.notes),
        told=told(snapshot, edits),
        exploration=exploration if edits else 0.0,
        what_if=together,
    )


def _replayed(snapshot: Snapshot, edit: Edit, findings: Findings) -> Edit:
    if not snapshot.count:
        return edit
    try:
        apply(snapshot.space, [edit])
    except SpaceError:  # it needs an edit before it
        return edit
    return edit.model_copy(update={"what_if": what_if(snapshot, [edit], findings)})
