"""Conditions that a round's best model must meet before it is promoted."""

from collections.abc import Mapping, Sequence

from tunesmith.expressions import parse


def check_gates(gates: Sequence[str], metrics: Mapping[str, float]) -> list[tuple[str, str]]:
    """Each gate with `passed`, or why it did not: `failed` or the metric that it misses."""
    return [(gate, _verdict(gate, metrics)) for gate in gates]


def _verdict(gate: str, metrics: Mapping[str, float]) -> str:
    formula = parse(gate)
    missing = sorted(formula.names - metrics.keys())
    if missing:
        return f"not met: there is no metric '{missing[0]}'"
    return "passed" if formula(metrics) else "not met"


def promotes(gates: Sequence[str], metrics: Mapping[str, float]) -> bool:
    """Whether there are gates, and every one is passed."""
    verdicts = [verdict for _, verdict in check_gates(gates, metrics)]
    return bool(verdicts) and all(verdict == "passed" for verdict in verdicts)
