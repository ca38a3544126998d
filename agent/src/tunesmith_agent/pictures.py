"""What the picture of a parameter shows: its range then and now, and where the good trials lie."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tunesmith.expressions import Value
from tunesmith.history import History
from tunesmith.parameters import Categorical, Float, Int, Parameter
from tunesmith.trial import Trial

BINS = 10
VALUES = 25
"""Up to so many whole numbers get a column each."""

Span = tuple[float, float]
Numeric = Float | Int


@dataclass(frozen=True, slots=True)
class RangePicture:
    """A number's range. Spans and ticks are places on an axis from 0 to 1.

    `good` and `tried` count trials in equal parts of the axis, `outside` good trials beside it.
    """

    parameter: str
    scale: Literal["log", "linear"]
    ticks: tuple[tuple[float, str], ...]
    was: Span
    was_text: str
    new: Span | None
    new_text: str
    label: str
    """What `new` is: `new`, or `test` where only the exploration arm goes there."""
    good: tuple[int, ...]
    tried: tuple[int, ...]
    outside: int
    best_of: tuple[int, int]
    """How many good trials there are, and of how many."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice, what becomes of it, and its share of the trials."""

    label: str
    fate: Literal["kept", "dropped", "added"]
    good: int
    tried: int


@dataclass(frozen=True, slots=True)
class ChoicesPicture:
    """The choices of a categorical parameter, those that are added last."""

    parameter: str
    rows: tuple[Choice, ...]
    best_of: tuple[int, int]


Picture = RangePicture | ChoicesPicture


def good_trials(history: History) -> list[Trial]:
    """The best trials, as many as the statistics look at."""
    from tunesmith_agent.statistics.snapshot import GOOD_LEAST, GOOD_SHARE

    ranked = history.ranked
    return ranked[: max(GOOD_LEAST, math.ceil(GOOD_SHARE * len(ranked)))]


def draw(history: History, name: str, after: Parameter | None, label: str = "new") -> Picture:
    """The picture of a parameter that turns into `after`; None where nothing changes."""
    before = history.space.parameters[name]
    good = [trial.params[name] for trial in good_trials(history) if name in trial.params]
    tried = [trial.params[name] for trial in history.trials if name in trial.params]
    best_of = (len(good_trials(history)), len(history.scored))
    if isinstance(before, Categorical):
        choices = after if isinstance(after, Categorical) else before
        return ChoicesPicture(name, _choices(before, choices, good, tried), best_of)
    number = after if isinstance(after, Float | Int) else None
    axis = _axis(before, number or before)
    bins = axis.cells if axis.cells and axis.cells <= VALUES else BINS
    rescaled = number is not None and number.log != before.log
    places = [axis.place(value) for value in good]
    return RangePicture(
        parameter=name,
        scale="log" if axis.log else "linear",
        ticks=axis.ticks(),
        was=axis.span(before),
        was_text=_ends(before, rescaled),
        new=axis.span(number) if number else None,
        new_text=_ends(number, rescaled) if number else "",
        label=label,
        good=_counts(places, bins),
        tried=_counts([axis.place(value) for value in tried], bins),
        outside=sum(place is None for place in places),
        best_of=best_of,
    )


@dataclass(frozen=True, slots=True)
class _Axis:
    """From `low` to `high`, which for whole numbers lie half a step outside."""

    low: float
    high: float
    log: bool
    cells: int | None

    def at(self, value: float) -> float:
        if self.log:
            if value <= self.low:  # also 0, where a logarithmic range takes its place
                return 0.0
            low, high = math.log(self.low), math.log(self.high)
            share = (math.log(value) - low) / (high - low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return min(max(share, 0.0), 1.0)

    def place(self, value: Value) -> float | None:
        """Where a trial's value lies; None beside the axis."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return self.at(value) if self.low <= value <= self.high else None

    def span(self, parameter: Numeric) -> Span:
        half = 0.5 if self.cells else 0.0
        return self.at(parameter.low - half), self.at(parameter.high + half)

    def ticks(self) -> tuple[tuple[float, str], ...]:
        values = self._decades() if self.log else []
        if len(values) < 2:
            values = self._round_numbers()
        shown = [int(value) if self.cells else value for value in values]
        return tuple((self.at(value), number(value)) for value in shown)

    def _decades(self) -> list[float]:
        first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
        first = max(first, 0) if self.cells else first
        return [10.0**power for power in range(first, last + 1, (last - first) // 6 + 1)]

    def _round_numbers(self) -> list[float]:
        rough = (self.high - self.low) / 5
        if rough < 1e-300:  # its decimals cannot be told apart
            return [self.low, self.high]
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
        step = max(step, 1.0) if self.cells else step
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [float(f"{index * step:.12g}") for index in range(first, last + 1)]


def _axis(before: Numeric, after: Numeric) -> _Axis:
    low, high = min(before.low, after.low), max(before.high, after.high)
    whole = isinstance(before, Int) and isinstance(after, Int)
    log = (before.log or after.log) and low > 0
    if after.log and low <= 0:  # off or on a logarithmic range: draw the range
        low, log = after.low, True
    if whole:
        return _Axis(low - 0.5, high + 0.5, log, int(high - low) + 1)
    if low == high:
        low, high = (low / 2, high * 2) if log else (low - 0.5, high + 0.5)
    return _Axis(low, high, log, None)


def _counts(places: Sequence[float | None], bins: int) -> tuple[int, ...]:
    found = Counter(min(int(place * bins), bins - 1) for place in places if place is not None)
    return tuple(found[index] for index in range(bins))


def _choices(
    before: Categorical, after: Categorical, good: Sequence[Value], tried: Sequence[Value]
) -> tuple[Choice, ...]:
    rows = []
    for choice in [*before.choices, *(c for c in after.choices if not before.contains(c))]:
        only = Categorical([choice])
        fate: Literal["kept", "dropped", "added"] = "kept" if before.contains(choice) else "added"
        rows.append(
            Choice(
                str(choice),
                fate if after.contains(choice) else "dropped",
                sum(only.contains(value) for value in good),
                sum(only.contains(value) for value in tried),
            )
        )
    return tuple(rows)


def _ends(parameter: Numeric, scale: bool) -> str:
    """The bounds in words, with the scale where it changes."""
    if parameter.low == parameter.high:
        return number(parameter.low)
    ends = f"{number(parameter.low)} to {number(parameter.high)}"
    return f"{ends}, {'log' if parameter.log else 'linear'}" if scale else ends


def number(value: float) -> str:
    """A number as people write it: 20000, 0.1, 1e-05."""
    return str(value) if isinstance(value, int) else f"{value:.4g}"
