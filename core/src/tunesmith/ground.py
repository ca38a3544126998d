"""What edits are judged against: the trials to keep, and the space that the round began with."""

import math
from collections.abc import Mapping
from functools import cached_property

from tunesmith.changes import short
from tunesmith.expressions import Value
from tunesmith.history import History
from tunesmith.parameters import Float, Int, Parameter
from tunesmith.shares import points
from tunesmith.space import Params, SearchSpace
from tunesmith.trial import Trial

_TOP = 0.1


class Ground:
    """What edits are judged against, worked out once."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.space = history.space

    @cached_property
    def began(self) -> SearchSpace:
        """The space that the round began with.

        The last one that was searched, where proposals were applied since: two of them before the
        next round share what one may do.
        """
        if not self.applied_since:
            return self.space
        began = self.history.rounds[-1].space
        same = {name: item.type for name, item in began.parameters.items()} == {
            name: item.type for name, item in self.space.parameters.items()
        }
        return began if same else self.space

    @cached_property
    def applied_since(self) -> bool:
        """Whether proposals were applied since the last round began."""
        rounds = self.history.rounds
        latest = rounds[-1].space_version if rounds else math.inf
        versions = (reviewed.version for reviewed in self.history.proposals)
        return any(version is not None and version > latest for version in versions)

    @cached_property
    def points(self) -> list[Params]:
        """Configurations all over the space that the round began with."""
        return points(self.began)

    @cached_property
    def best(self) -> list[tuple[Trial, Params]]:
        """The best trials that lie in the present space, with their params in it.

        Those among the best tenth, and in any case one where there is one.
        """
        ranked = self.history.ranked
        top = math.ceil(len(ranked) * _TOP)
        found: list[tuple[Trial, Params]] = []
        for index, trial in enumerate(ranked):
            if index >= top and found:
                break
            params, reason = carried(trial.params, self.space, {})
            if reason is None:
                found.append((trial, params))
        return found

    def original(self, name: str) -> Parameter:
        """The parameter's first form; its present one where it was of another type."""
        now = self.space.parameters[name]
        first = self.history.original.parameters.get(name, now)
        return first if first.type == now.type else now

    def lows(self, name: str) -> list[float]:
        """The lower ends that a numeric parameter had so far."""
        spaces = [self.space] + [round.space for round in self.history.rounds]
        forms = [space.parameters.get(name) for space in spaces]
        return [form.low for form in forms if isinstance(form, Float | Int)]


def carried(
    params: Params, space: SearchSpace, fixed: Mapping[str, Value]
) -> tuple[Params, str | None]:
    """The params in this space, as a trial is carried over into it, and why they do not fit.

    A fixed parameter has its value, whatever the trial's was.
    """
    found: Params = {}
    for name in space.conditions:
        if not space.is_active(name, found):
            continue
        parameter = space.parameters[name]
        value = fixed.get(name, params.get(name, parameter.default))
        if name in params or name in fixed or value is not None:
            whole = isinstance(value, float) and isinstance(parameter, Int) and value % 1 == 0
            found[name] = int(value) if whole and isinstance(value, float) else value
            if not parameter.contains(found[name]):
                return found, f"{name} = {short(value)} is outside"
    for name in params.keys() - found.keys():
        known = space.parameters.get(name)
        if known is None or known.default is None or known.default != params[name]:
            return found, f"{name} = {short(params[name])} does not apply"
    return found, space.why_not(found)
