"""How far an idea of a language model's may go: it only widens, and a few trials test it."""

from __future__ import annotations

from tunesmith.errors import SpaceError
from tunesmith.parameters import Categorical, Float, Int, Parameter
from tunesmith_agent.statistics.edges import beyond

_STEPS = 2
"""As far as the statistics go at least: a decade on a log scale, the width on a linear one."""


def within_reach(parameter: Parameter, low: float | None, high: float | None) -> Float | Int:
    """The parameter, whose bounds may be moved so.

    Raises SpaceError where one is too far out to be tested, or there is none to move.
    """
    if isinstance(parameter, Categorical):
        raise SpaceError("it has choices, not bounds")
    if parameter.locked:
        raise SpaceError("it is locked")
    if low is not None and low < (least := beyond(parameter, "low", _STEPS)):
        raise SpaceError(f"a low of {low:g} goes too far for a test; at least {least:g}")
    if high is not None and high > (most := beyond(parameter, "high", _STEPS)):
        raise SpaceError(f"a high of {high:g} goes too far for a test; at most {most:g}")
    return parameter
