"""Conditions that a round's best model must meet before it is promoted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunesmith.errors import SpaceError, did_you_mean
from tunesmith.expressions import parse
from tunesmith.trial import best_trial

if TYPE_CHECKING:
    from tunesmith.study import Study
    from tunesmith.trial import Round

BEATS_CHAMPION = "beats: champion"
"""The gate that the model is better than the champion, beyond chance."""
CHAMPION, GAIN, GAIN_LOW, GAIN_HIGH = COMPARISON = (
    "champion_version",
    "champion_gain",
    "champion_gain_low",
    "champion_gain_high",
)
"""Final metrics: the champion's version when it was compared, 0 for none, and how much better the
model is, with its 95% interval.
"""


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate's formula, and why it does not hold; None where it does."""

    formula: str
    obstacle: str | None


def gates_of(study: Study, round: Round) -> list[Gate]:
    """The study's gates against the round's best trial and its final metrics."""
    best = best_trial(round.trials, round.goals)
    if best is None:
        return [Gate(gate, "there is no best trial") for gate in study.gates]
    return check_gates(study.gates, best.metrics | round.final)


def check_gates(gates: Sequence[str], metrics: Mapping[str, float]) -> list[Gate]:
    """Each gate against these metrics. One that names no metric of them does not hold."""
    return [
        Gate(gate, _not_better(metrics) if gate == BEATS_CHAMPION else _obstacle(gate, metrics))
        for gate in gates
    ]


def failing(gates: Sequence[Gate]) -> str:
    """The gates that do not hold, and why, in one line; empty where all do."""
    return "; ".join(f"{gate.formula}: {gate.obstacle}" for gate in gates if gate.obstacle)


def checked(gate: str) -> str:
    """The gate, if it is one. Raises SpaceError."""
    if gate != BEATS_CHAMPION:
        parse(gate)
    return gate


def _not_better(metrics: Mapping[str, float]) -> str | None:
    champion = metrics.get(CHAMPION)
    if champion is None:
        return "it was not compared with a champion; 'tunesmith promote' does that"
    if champion == 0 or metrics[GAIN_LOW] > 0:
        return None
    return (
        f"against version {champion:.0f} the score gains {metrics[GAIN]:+.4g}, with a 95% interval "
        f"from {metrics[GAIN_LOW]:+.4g} to {metrics[GAIN_HIGH]:+.4g}"
    )


def _obstacle(gate: str, metrics: Mapping[str, float]) -> str | None:
    formula = parse(gate)
    missing = sorted(formula.names - metrics.keys())
    if missing:
        return f"there is no metric '{missing[0]}'{did_you_mean(missing[0], metrics)}"
    try:
        holds = formula(metrics)
    except SpaceError as error:
        return str(error)
    values = ", ".join(f"{name} = {metrics[name]:.4g}" for name in sorted(formula.names))
    return None if holds else f"it does not hold with {values}"
