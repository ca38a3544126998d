"""Revert: what an earlier edit cut off turns out to hold the better trials."""

from __future__ import annotations

import numpy as np
from scipy import stats

from tunesmith.edits import apply
from tunesmith.errors import SpaceError
from tunesmith.history import History, Reviewed
from tunesmith.proposals import Edit, Tier
from tunesmith.space import SearchSpace
from tunesmith.trial import Origin, Trial
from tunesmith_agent.statistics.findings import Findings

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
    inverse = edit.inverse
    if inverse is None or edit.tier is not Tier.RECOMMENDED:
        return None
    try:
        back = apply(history.space, [inverse])
    except SpaceError:  # a later edit or a hand has changed the same thing
        return None
    opened = [
        trial
        for trial in history.scored
        if back.contains(trial.params) and not history.space.contains(trial.params)
    ]
    evidence = _evidence(history, reviewed, edit, opened, back, findings)
    if evidence is None:
        return None
    update = {
        "why": f"proposal {reviewed.proposal.number} cut off what turns out to be better",
        "evidence": (evidence,),
        "stability": 1.0,
        "effect": "the better trials lie inside again",
    }
    return inverse.model_copy(update=update)


def _evidence(
    history: History,
    reviewed: Reviewed,
    edit: Edit,
    opened: list[Trial],
    back: SearchSpace,
    findings: Findings,
) -> str | None:
    names = [edit.parameter] if hasattr(edit, "parameter") else []
    tag = f"what {edit.id} of proposal {reviewed.proposal.number} cut off"
    best = history.incumbent
    later = [trial for trial in opened if trial.round > (reviewed.round or 0)]
    if best in later:
        assert best is not None
        return findings.add(
            "revert",
            f"the best trial of all, {best.number}, lies in {tag}",
            len(later),
            names,
        )
    arm = [trial for trial in later if trial.origin is Origin.EXPLORATION]
    rest = [
        trial
        for trial in history.scored
        if trial.round > (reviewed.round or 0) and trial not in opened
    ]
    if len(arm) < LEAST or len(rest) < LEAST:
        return None
    place = {trial.number: rank for rank, trial in enumerate(history.ranked)}
    p = float(
        stats.mannwhitneyu(
            np.array([place[trial.number] for trial in arm]),
            np.array([place[trial.number] for trial in rest]),
            alternative="less",
        ).pvalue
    )
    if p >= BEATEN:
        return None
    return findings.add(
        "revert",
        f"{len(arm)} exploration trials in {tag} rank better than the trials since inside "
        f"(p = {p:.2g})",
        len(arm) + len(rest),
        names,
        p_value=p,
    )
