"""The advisor record: what approved edits were worth, against the course of the space before."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tunesmith.history import History, Reviewed
from tunesmith.trial import Goal, Origin, Round
from tunesmith_agent.statistics.findings import Findings, shown


def worth(history: History, findings: Findings) -> None:
    """Evidence of kind `record` for each applied proposal that a round has run under.

    The best trial since, against what the rounds before were on course for after as many trials.
    """
    if len(history.goals) != 1:
        return
    goal = history.goals[0]
    for reviewed in history.proposals:
        after = [each for each in history.rounds if each.proposal == reviewed.proposal.number]
        first = min((each.number for each in after), default=None)
        before = [each for each in history.rounds if first is not None and each.number < first]
        if after and before:
            _one(reviewed, before, after, goal, findings)


def _one(
    reviewed: Reviewed,
    before: Sequence[Round],
    after: Sequence[Round],
    goal: Goal,
    findings: Findings,
) -> None:
    old, new = _losses(before, goal), _losses(after, goal)
    if len(old) < 4 or not new:
        return
    course = on_course(old, len(new))
    best, sign = min(new), goal.loss({goal.metric: 1.0})
    gain = course - min(best, min(old))
    if not math.isfinite(gain):  # scores so far apart that no number holds the difference
        return
    arm = sum(
        trial.origin is Origin.EXPLORATION
        for each in after
        for trial in each.trials
        if trial.counts
    )
    verdict = "better" if gain > 0 else "worse" if gain < 0 else "no different"
    findings.add(
        "record",
        f"proposal {reviewed.proposal.number}: best {goal.metric} {shown(sign * min(old))} before, "
        f"{shown(sign * best)} in the {len(new)} trials since; the space before was on course for "
        f"{shown(sign * course)}, so the edits were worth {shown(abs(gain))} ({verdict})"
        + (f"; {arm} of the trials explored" if arm else ""),
        len(new),
        before=sign * min(old),
        since=sign * best,
        course=sign * course,
        gain=gain,
    )


def on_course(losses: Sequence[float], more: int) -> float:
    """The best loss to expect after `more` trials like the ones before.

    The running best against the logarithm of the number of trials is a straight line where scores
    have an exponential tail (Gumbel 1958, Statistics of Extremes); fitted to the later half.
    """
    unit = max(map(abs, losses)) or 1.0  # so that squares of huge ones stay finite
    running = np.minimum.accumulate(np.array([loss / unit for loss in losses]))
    numbers = np.log(np.arange(1, len(running) + 1))
    half = len(running) // 2
    slope = float(np.polyfit(numbers[half:], running[half:], 1)[0]) if np.ptp(running[half:]) else 0
    return float(running[-1] + min(slope, 0.0) * math.log(1 + more / len(running))) * unit


def _losses(rounds: Sequence[Round], goal: Goal) -> list[float]:
    """Of the trials that keep the limits."""
    trials = [trial for each in rounds for trial in each.trials if trial.counts]
    values = [
        goal.loss(trial.metrics)
        for trial in trials
        if goal.metric in trial.metrics and not trial.violation
    ]
    return [value for value in values if math.isfinite(value)]
