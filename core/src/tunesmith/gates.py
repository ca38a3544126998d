"""Conditions that a round's best model must meet before it is promoted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tunesmith.errors import SpaceError, did_you_mean
from tunesmith.expressions import parse


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate's formula, and why it does not hold; None where it does."""

    formula: str
    obstacle: str | None


def check_gates(gates: Sequence[str], metrics: Mapping[str, float]) -> list[Gate]:
    """Each gate against these metrics. One that names no metric of them does not hold."""
    return [Gate(gate, _obstacle(gate, metrics)) for gate in gates]


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
