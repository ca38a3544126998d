"""Revert: what an earlier edit cut off turns out to hold the better trials."""

from __future__ import annotations

import numpy as np
from scipy import stats

from tunesmith.edits import apply
from tunesmith.errors import SpaceError
from tunesmith.expressions import parse
from tunesmith.history import History, Reviewed
from tunesmith.proposals import AddConstraint, DropConstraint, Edit, Tier
from tunesmith.space import SearchSpace
from tunesmith.trial import Origin, Trial
from tunesmith_agent.statistics.findings import DRAWS, Findings

BEATEN, LEAST = 0.1, 15


def revert(history: History, findings: Findings) -> list[Edit]:
    """Edits that take earlier ones back, where the exploration arm beats the revised space.

    It does where its trials rank better (Mann & Whitney 1947, one-sided, p < 0.1 with 15 trials)
    or where the best trial of all lies outside the space because of an edit.
    """
    edits: list[Edit] = []
    for reviewed in reversed(history.proposals):
        if reviewed.version is None:
            continue
        for edit in reviewed.approved:
            found = _take_back(history, reviewed, edit, findings)
            if found:
                edits.append(found)
    return edits


def _take_back(history: History, reviewed: Reviewed, edit: Edit, findings: Findings) -> Edit | None:
    back = _without(history.space, edit)
    if edit.inverse is None or back is None:
        return None
    tag = f"what {edit.id} of proposal {reviewed.proposal.number} cut off"
    found = _evidence(history, reviewed.round or 0, back, tag, _names(edit), findings)
    if found is None:
        return None
    update = {
        "why": f"proposal {reviewed.proposal.number} cut off what turns out to be better",
        "evidence": found[:1],
        "stability": found[1],
        "effect": "the better trials lie inside again",
    }
    return edit.inverse.model_copy(update=update)


def _evidence(
    history: History,
    round: int,
    back: SearchSpace,
    tag: str,
    names: list[str],
    findings: Findings,
) -> tuple[str, float] | None:
    """The evidence for going back to a space, and its stability; None where there is none."""
    later = [trial for trial in history.scored if trial.round > round]
    inside = [trial for trial in later if history.space.contains(trial.params)]
    numbers = {trial.number for trial in inside}
    outside = [trial for trial in later if trial.number not in numbers]
    opened = [trial for trial in outside if back.contains(trial.params)]
    best = history.incumbent
    if best is not None and best in opened:
        sentence = f"the best trial of all, {best.number}, lies in {tag}"
        return findings.add("revert", sentence, len(opened), names), 1.0
    arm = [trial for trial in opened if trial.origin is Origin.EXPLORATION]
    p, stability = _beaten(history, arm, inside, findings)
    if p >= BEATEN:
        return None
    sentence = (
        f"{len(arm)} exploration trials in {tag} rank better than the {len(inside)} since inside "
        f"(p = {p:.2g})"
    )
    return findings.add("revert", sentence, len(arm) + len(inside), names, p_value=p), stability


def _without(space: SearchSpace, edit: Edit) -> SearchSpace | None:
    """The space before the edit; None where it is not the edit that makes the difference.

    A later edit, or a hand, may have changed the same thing.
    """
    if edit.inverse is None or edit.tier is not Tier.RECOMMENDED:
        return None
    try:
        back = apply(space, [edit.inverse])
        again = apply(back, [edit])
    except SpaceError:
        return None
    return back if again.fingerprint == space.fingerprint else None


def _beaten(
    history: History, arm: list[Trial], inside: list[Trial], findings: Findings
) -> tuple[float, float]:
    """p-value of the arm ranking no better, and the share of bootstraps that agree that it does."""
    if min(len(arm), len(inside)) < LEAST:
        return 1.0, 0.0
    place = {trial.number: rank for rank, trial in enumerate(history.ranked)}
    a, b = (np.array([place[trial.number] for trial in each]) for each in (arm, inside))
    rng = findings.rng("revert")
    drawn = [rng.choice(each, size=(DRAWS, len(each))) for each in (a, b)]
    again = stats.mannwhitneyu(*drawn, alternative="less", axis=1).pvalue
    p = float(stats.mannwhitneyu(a, b, alternative="less").pvalue)
    return p, round(float(np.mean(again < BEATEN)), 3)


def _names(edit: Edit) -> list[str]:
    if isinstance(edit, AddConstraint | DropConstraint):
        return sorted(parse(edit.forbid).names)
    return [edit.parameter]
