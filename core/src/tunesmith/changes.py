"""What each kind of edit makes of one parameter, and how the values in it are written."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import singledispatch
from typing import Any

from tunesmith.errors import SpaceError, did_you_mean
from tunesmith.expressions import Value
from tunesmith.parameters import Categorical, Float, Int, Parameter
from tunesmith.proposals import (
    AddChoice,
    DropChoice,
    Fix,
    Narrow,
    Restore,
    SetCondition,
    SetScale,
    Widen,
)

_Numeric = Float | Int
_NUMBER, _TEXT = (int, float), (str, type(None))
_NUMERIC_OPTIONS: dict[str, tuple[type, ...]] = {
    "low": _NUMBER,
    "high": _NUMBER,
    "log": (bool,),
    "step": (*_NUMBER, type(None)),
    "default": (*_NUMBER, type(None)),
    "when": _TEXT,
}
_CHOICE_OPTIONS: dict[str, tuple[type, ...]] = {
    "choices": (tuple,),
    "default": (*_NUMBER, *_TEXT),
    "when": _TEXT,
}


def short(value: Value | tuple[Value, ...]) -> str:
    """A value as it stands in a sentence: six digits of a number, text in quotes."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(short, value))}]"
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    return f"{value:.6g}" if isinstance(value, float) else repr(value)


@singledispatch
def changed(edit: Any, parameter: Parameter) -> Parameter:
    """The parameter after the edit. Raises SpaceError."""
    raise NotImplementedError(type(edit))


@changed.register
def _(edit: Widen | Narrow, parameter: Parameter) -> Parameter:
    numeric = _numeric(parameter)
    bounds = _bounds(numeric, edit)
    for side, bound in bounds.items():
        now = getattr(numeric, side)
        outwards = bound < now if side == "low" else bound > now
        if bound != now and outwards != isinstance(edit, Widen):
            does = "extend; widen does that" if outwards else "cut off; narrow does that"
            asked = short(getattr(edit, side))
            raise SpaceError(f"{side} {asked} where it is {short(now)} would {does}")
    low, high = bounds.get("low", numeric.low), bounds.get("high", numeric.high)
    if low > high:
        raise SpaceError(f"no value would be left: low {short(low)}, high {short(high)}")
    moved = replace(numeric, **bounds)
    if moved.levels == 1 and numeric.levels != 1:
        raise SpaceError(f"only {short(moved.low)} would be left; fix does that")
    return moved


@changed.register
def _(edit: SetScale, parameter: Parameter) -> Parameter:
    numeric = _numeric(parameter)
    scale = "log" if edit.log else "linear"
    if edit.log == numeric.log:
        raise SpaceError(f"its scale is {scale} already")
    if edit.low is None:
        return replace(numeric, log=edit.log)
    if not edit.log or numeric.low > 0:
        raise SpaceError(
            f"low {short(edit.low)} is only for a log scale where the present low is 0 or less, "
            f"not for a {scale} scale and low {short(numeric.low)}; widen or narrow moves a bound"
        )
    floor: dict[str, Any] = {"low": edit.low}
    return replace(numeric, log=True, **floor)


@changed.register
def _(edit: Fix, parameter: Parameter) -> Parameter:
    if parameter.levels == 1:
        raise SpaceError(f"it has only {short(parameter.at(0.5))} already")
    value = edit.value
    if isinstance(parameter, Int) and isinstance(value, float) and value % 1 == 0:
        value = int(value)
    if not parameter.contains(value):
        raise SpaceError(f"{value!r} is not one of its values")
    if isinstance(parameter, Categorical):
        value = parameter.at(parameter.position(value))
        return replace(parameter, choices=[value], default=value)
    options: dict[str, Any] = {"low": value, "high": value, "default": value}
    return replace(parameter, step=None, **options)


@changed.register
def _(edit: DropChoice, parameter: Parameter) -> Parameter:
    categorical, gone = _categorical(parameter), Categorical(edit.choices)
    _all(gone.choices, categorical, there=True)
    left = [choice for choice in categorical.choices if not gone.contains(choice)]
    if not left:
        raise SpaceError(f"no choice would be left of {short(tuple(categorical.choices))}")
    if len(left) == 1:
        raise SpaceError(f"only {short(left[0])} would be left; fix does that")
    return replace(categorical, choices=left)


@changed.register
def _(edit: AddChoice, parameter: Parameter) -> Parameter:
    categorical = _categorical(parameter)
    _all(edit.choices, categorical, there=False)
    return replace(categorical, choices=[*categorical.choices, *edit.choices])


@changed.register
def _(edit: SetCondition, parameter: Parameter) -> Parameter:
    return replace(parameter, when=edit.when)


@changed.register
def _(edit: Restore, parameter: Parameter) -> Parameter:
    known = _CHOICE_OPTIONS if isinstance(parameter, Categorical) else _NUMERIC_OPTIONS
    for option, value in edit.options.items():
        if option not in known:
            raise SpaceError(f"a revision does not set {option!r}{did_you_mean(option, known)}")
        if not isinstance(value, known[option]):
            raise SpaceError(f"{option} cannot be {value!r}")
    options: dict[str, Any] = dict(edit.options)
    return replace(parameter, **options)


def _bounds(parameter: _Numeric, edit: Widen | Narrow) -> dict[str, Any]:
    """The bounds that the edit names, on the parameter's steps."""
    # + 0.0, for -0.0 is another text than 0.0
    asked = {"low": edit.low, "high": edit.high}
    bounds: dict[str, Any] = {side: to + 0.0 for side, to in asked.items() if to is not None}
    if not bounds:
        raise SpaceError("it names no bound; give low, high or both")
    if parameter.step is None:
        return bounds
    snapped = {side: _snapped(parameter, side, to) for side, to in bounds.items()}
    if all(to == getattr(parameter, side) for side, to in snapped.items()):
        low, step = short(parameter.low), short(parameter.step)
        raise SpaceError(f"it moves no bound by a whole step; values are {low} and steps of {step}")
    return snapped


def _snapped(parameter: _Numeric, side: str, bound: float) -> float:
    """The bound on the steps, inwards: nothing is tried that was not asked for."""
    assert parameter.step is not None
    steps = (bound - parameter.low) / parameter.step
    if not math.isfinite(steps) or (isinstance(parameter, Int) and bound % 1 != 0):
        return bound  # which is refused
    if abs(steps - round(steps)) < 1e-8:
        return bound
    count = math.ceil(steps) if side == "low" else math.floor(steps)
    value = parameter.low + count * parameter.step
    near = float(f"{value:.12g}")
    return near if abs((near - parameter.low) / parameter.step - count) < 1e-9 else value


def _all(choices: Sequence[Value], parameter: Categorical, there: bool) -> None:
    for choice in choices:
        if parameter.contains(choice) != there:
            state = "is not among" if there else "is already among"
            known = short(tuple(parameter.choices))
            raise SpaceError(f"{short(choice)} {state} the choices {known}")


def _numeric(parameter: Parameter) -> _Numeric:
    if isinstance(parameter, Categorical):
        raise SpaceError("it has choices, not bounds; use drop_choice, add_choice or fix")
    return parameter


def _categorical(parameter: Parameter) -> Categorical:
    if not isinstance(parameter, Categorical):
        raise SpaceError("it has bounds, not choices; use narrow, widen or fix")
    return parameter
