"""What becomes of earlier trials in a new round, one by one: kept, dropped, and so on."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from tunesmith.errors import SpaceError
from tunesmith.expressions import Value
from tunesmith.history import IDENTITY, Reviewed
from tunesmith.limits import all_judged, judged
from tunesmith.parameters import Parameter
from tunesmith.proposals import Fix, Tier
from tunesmith.space import Params, SearchSpace
from tunesmith.trial import INTERRUPTED, Round, Trial, TrialState, ranking


class Fate(StrEnum):
    """What becomes of an earlier trial."""

    KEPT = "kept"
    REEXPRESSED = "re-expressed"
    DROPPED = "dropped"
    WITHHELD = "withheld"


@dataclass(frozen=True, slots=True)
class CarryOver:
    """An earlier trial in the present space.

    `trial` has the re-expressed params; `reason` says what changed.
    """

    trial: Trial
    fate: Fate
    reason: str = ""

    @property
    def told(self) -> bool:
        """Whether the sampler hears of it."""
        return self.fate in (Fate.KEPT, Fate.REEXPRESSED)


def carry_all(
    trials: Sequence[Trial], rounds: Sequence[Round], now: Round, proposals: Sequence[Reviewed] = ()
) -> list[CarryOver]:
    """What becomes of the trials of earlier rounds in round `now`.

    Applied `proposals` may have only the best of what was there before them told; a trial is told
    if it was among the best for each one that was applied since.
    """
    before = {round.number: round for round in rounds}
    items = [
        carry_over(trial, before[trial.round], now, fixed_since(trial, now.space, proposals))
        for trial in trials
    ]
    for reviewed in proposals:
        share = reviewed.proposal.told.share
        if reviewed.version is None or reviewed.round is None or share == 1:
            continue
        at_hand = [trial for trial in trials if trial.round <= reviewed.round]
        same = [trial for trial in at_hand if not _changed(before[trial.round], now)]
        ranked = ranking(all_judged(same, now.limits), now.goals)
        best = {trial.number for trial in ranked[: math.ceil(share * len(ranked) - 1e-9)]}
        only = f"only the best {share:.0%}" if share else "none"
        why = f"proposal {reviewed.proposal.number} has {only} of the earlier trials told"
        kept_back = {trial.number for trial in at_hand} - best
        items = [
            replace(item, fate=Fate.WITHHELD, reason=why)
            if item.told and item.trial.number in kept_back
            else item
            for item in items
        ]
    return items


def fixed_since(trial: Trial, space: SearchSpace, proposals: Sequence[Reviewed]) -> Params:
    """The values that an approved edit has fixed since, on evidence that they make no difference.

    By parameter of the trial, as far as the space still has them fixed.
    """
    fixes = [
        edit
        for reviewed in proposals
        if reviewed.version is not None and trial.round <= (reviewed.round or 0)
        for edit in reviewed.approved
        if isinstance(edit, Fix) and edit.evidence and edit.tier is Tier.RECOMMENDED
    ]
    return {
        edit.parameter: space.parameters[edit.parameter].at(0.5)
        for edit in fixes
        if edit.parameter in trial.params
        and edit.parameter in space.parameters
        and space.parameters[edit.parameter].levels == 1
    }


def carry_over(
    trial: Trial, before: Round, now: Round, fixed: Mapping[str, Value] = MappingProxyType({})
) -> CarryOver:
    """What becomes of a trial of round `before` in round `now`.

    `fixed` are values that it might as well have had; it is judged by the limits of `now`. Dropped
    trials are not told to the sampler; they stay in the record.
    """
    if trial.state is TrialState.RUNNING or trial.error == INTERRUPTED:
        return CarryOver(trial, Fate.DROPPED, "it did not finish")
    changed = _changed(before, now)
    if changed:
        return CarryOver(trial, Fate.DROPPED, f"the {changed} changed: scores do not compare")
    trial, wrong = judged(trial, now.limits)
    if wrong:
        return CarryOver(trial, Fate.DROPPED, wrong)
    if before.space.fingerprint == now.space.fingerprint:
        return CarryOver(trial, Fate.KEPT)
    try:
        params, changes = into({**trial.params, **fixed}, before.space, now.space)
    except SpaceError as error:
        return CarryOver(trial, Fate.DROPPED, str(error))
    changes += [
        f"'{name}' = {value!r}, where it is fixed"
        for name, value in fixed.items()
        if trial.params[name] != value
    ]
    if not changes:
        return CarryOver(trial, Fate.KEPT)
    return CarryOver(replace(trial, params=params), Fate.REEXPRESSED, ", ".join(changes))


def _changed(before: Round, now: Round) -> str | None:
    """What is not the same in two rounds, so that their scores do not compare."""
    differs = (what for what in IDENTITY if getattr(before, what) != getattr(now, what))
    return next(differs, None)


def into(values: Params, old: SearchSpace, new: SearchSpace) -> tuple[Params, list[str]]:
    """Params of one space as those of another, and what had to change about them.

    Raises SpaceError where they do not fit.
    """
    params: Params = {}
    changes = []
    for name in new.conditions:
        if not new.is_active(name, params):
            continue
        parameter = new.parameters[name]
        if name in values:
            params[name] = _as_type(values[name], parameter)
            if _scale(old.parameters.get(name)) != _scale(parameter):
                changes.append(f"'{name}' on another scale")
        elif parameter.default is None:
            raise SpaceError(f"'{name}' was added since and has no default")
        else:
            params[name] = parameter.default
            changes.append(f"'{name}' = {parameter.default!r} filled in")
        if not parameter.contains(params[name]):
            # before a condition looks at it
            raise SpaceError(f"{name} = {params[name]!r} is outside")
    for name in [name for name in values if name not in params]:
        default = old.parameters[name].default if name in old.parameters else None
        if default is None or values[name] != default:
            gone = "does not apply" if name in new.parameters else "is no longer tuned"
            raise SpaceError(f"'{name}' = {values[name]!r} {gone}")
        changes.append(f"'{name}' left out")
    broken = new.violation(params)
    if broken:
        raise SpaceError(broken)
    return params, changes


def _scale(parameter: Parameter | None) -> tuple[object, ...] | None:
    return (parameter.type, getattr(parameter, "log", None)) if parameter else None


def _as_type(value: Value, parameter: Parameter) -> Value:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if parameter.type == "float":
        return float(value)
    return int(value) if parameter.type == "int" and value == int(value) else value


def summary(carried: Iterable[CarryOver]) -> str:
    """How many trials had which fate: `12 kept, 3 dropped`.

    Empty where there were none.
    """
    counts = Counter(item.fate for item in carried)
    return ", ".join(f"{counts[fate]} {fate}" for fate in Fate if counts[fate])
