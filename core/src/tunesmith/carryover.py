"""What becomes of earlier trials in a new round: kept, re-expressed or dropped, one by one."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from tunesmith.expressions import Value
from tunesmith.parameters import Parameter
from tunesmith.space import Params, SearchSpace
from tunesmith.trial import INTERRUPTED, Round, Trial, TrialState


class Fate(StrEnum):
    """What becomes of an earlier trial."""

    KEPT = "kept"
    REEXPRESSED = "re-expressed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class CarryOver:
    """An earlier trial in the present space.

    `trial` has the re-expressed params; `reason` says what changed.
    """

    trial: Trial
    fate: Fate
    reason: str = ""


def carry_over(trial: Trial, before: Round, now: Round) -> CarryOver:
    """What becomes of a trial of round `before` in round `now`.

    Dropped trials are not told to the sampler; they stay in the record.
    """
    if trial.state is TrialState.RUNNING or trial.error == INTERRUPTED:
        return CarryOver(trial, Fate.DROPPED, "it did not finish")
    for what in ("objective", "dataset", "goals"):
        if getattr(before, what) != getattr(now, what):
            return CarryOver(trial, Fate.DROPPED, f"the {what} changed: scores do not compare")
    if before.space.fingerprint == now.space.fingerprint:
        return CarryOver(trial, Fate.KEPT)
    return _into_space(trial, before.space, now.space)


def _into_space(trial: Trial, old: SearchSpace, new: SearchSpace) -> CarryOver:
    params: Params = {}
    changes = []
    for name in new.conditions:
        if not new.is_active(name, params):
            continue
        parameter = new.parameters[name]
        if name in trial.params:
            params[name] = _as_type(trial.params[name], parameter)
            if _scale(old.parameters.get(name)) != _scale(parameter):
                changes.append(f"'{name}' on another scale")
        elif parameter.default is None:
            return CarryOver(trial, Fate.DROPPED, f"'{name}' was added since and has no default")
        else:
            params[name] = parameter.default
            changes.append(f"'{name}' = {parameter.default!r} filled in")
    for name in [name for name in trial.params if name not in params]:
        default = old.parameters[name].default
        if default is None or trial.params[name] != default:
            gone = "does not apply" if name in new.parameters else "is no longer tuned"
            return CarryOver(trial, Fate.DROPPED, f"'{name}' = {trial.params[name]!r} {gone}")
        changes.append(f"'{name}' left out")
    reason = new.why_not(params)
    if reason:
        return CarryOver(trial, Fate.DROPPED, reason)
    fate = Fate.REEXPRESSED if changes else Fate.KEPT
    return CarryOver(replace(trial, params=params), fate, ", ".join(changes))


def _scale(parameter: Parameter | None) -> tuple[object, ...] | None:
    return (parameter.type, getattr(parameter, "log", None)) if parameter else None


def _as_type(value: Value, parameter: Parameter) -> Value:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if parameter.type == "float":
        return float(value)
    return int(value) if parameter.type == "int" and value == int(value) else value


def summary(carried: Iterable[CarryOver]) -> str:
    """How many trials were kept, re-expressed and dropped: `12 kept, 3 dropped`.

    Empty where there were none.
    """
    counts = Counter(item.fate for item in carried)
    return ", ".join(f"{counts[fate]} {fate}" for fate in Fate if counts[fate])
