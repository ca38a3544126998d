"""One dimension of a search space: Float, Int, Categorical.

Each maps its values onto the unit interval and back (`position`, `at`), on its own scale.
"""

import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, Literal

from tunesmith.errors import SpaceError
from tunesmith.expressions import Value, from_clause, parse

When = str | dict[str, Value | list[Value]] | None


def _is_finite(value: float) -> bool:
    # also not a whole number too large for a float
    return abs(value) <= sys.float_info.max


class Dimension(ABC):
    """What samplers and pictures need of any parameter."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {
        "extra": "forbid",
        "use_attribute_docstrings": True,
    }
    when: When
    default: Value
    locked: bool

    @abstractmethod
    def contains(self, value: Value) -> bool:
        """Whether the value is one of this parameter's: type, bounds and step."""

    @abstractmethod
    def at(self, position: float) -> Value:
        """The value at a position in [0, 1] on its scale; uniform positions sample it fairly."""

    @abstractmethod
    def position(self, value: Value) -> float:
        """Where a value lies, from 0 to 1; integers, steps and choices in the middle of a cell."""

    @property
    @abstractmethod
    def levels(self) -> int | None:
        """How many different values there are; None where they are continuous."""

    def grid(self, points: int) -> list[Value]:
        """At most `points` values spread over the scale, both ends included.

        All of them where there are fewer.
        """
        count = min(points, self.levels or points)
        middle, steps = (0.5, count) if count == self.levels else (0, max(count - 1, 1))
        values = [self.at((index + middle) / steps) for index in range(count)]
        return list({(isinstance(value, bool), value): value for value in values}.values())

    def _parse_when(self) -> None:
        if self.when is not None:
            clause = from_clause(self.when) if isinstance(self.when, Mapping) else self.when
            object.__setattr__(self, "when", parse(clause).text)


@dataclass(frozen=True)
class _Numeric(Dimension):
    """What Float and Int share: bounds, a scale, and checks that quote the value that is wrong."""

    low: float
    """Smallest value, included."""
    high: float
    """Largest value, included."""
    _: KW_ONLY
    log: bool = False
    """Search on a logarithmic scale: every factor of ten gets the same attention."""
    step: float | None = None
    """Only low, low + step, low + 2 step … are values."""
    default: float | None = None
    """Value of the default configuration, which is tried first."""
    when: When = None
    """Condition under which this parameter exists: `{booster: dart}` or `layers >= 2`."""
    hard_low: float | None = None
    """Bound that no revision of the space may go below."""
    hard_high: float | None = None
    """Bound that no revision of the space may go above."""
    locked: bool = False
    """No revision of the space may change this parameter."""

    def __post_init__(self) -> None:
        for name in ("low", "high", "step", "default", "hard_low", "hard_high"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, self._number(name, value))
        self._parse_when()
        self._check_range()
        if self.step is not None and self.step <= 0:
            raise SpaceError(f"step {self.step} is not greater than 0")
        if self.log and self.step is not None:
            raise SpaceError(
                f"a log scale and step {self.step} exclude each other; drop one of them"
            )
        if self.hard_low is not None and self.low < self.hard_low:
            raise SpaceError(f"low {self.low} is below hard_low {self.hard_low}")
        if self.hard_high is not None and self.high > self.hard_high:
            raise SpaceError(f"high {self.high} is above hard_high {self.hard_high}")
        if self.default is not None and not self.contains(self.default):
            raise SpaceError(
                f"default {self.default} is not one of the values from {self.low} to {self.high}"
            )

    def _check_range(self) -> None:
        if self.low > self.high:
            raise SpaceError(f"low {self.low} is greater than high {self.high}; swap them")
        if max(self.high - self.low, abs(self.low), abs(self.high)) > 1e307:
            raise SpaceError(f"{self.low} to {self.high} is too wide a range")
        if self.log and self.low <= 0:
            raise SpaceError(
                f"a log scale needs low > 0, not low {self.low}; raise low or drop log"
            )

    @staticmethod
    def _number(name: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
            raise SpaceError(f"{name} {value!r} is not a finite number")
        return float(value)

    def _on_step(self, value: float) -> bool:
        if self.step is None:
            return True
        steps = (value - self.low) / self.step
        rounding = 1e-8 + 1e-15 * max(abs(self.low), abs(self.high)) / self.step
        return abs(steps - round(steps)) < rounding

    def _step_at(self, position: float, count: int) -> float:
        index = min(int(position * count), count - 1)
        return self.low + index * (self.step or 1)


@dataclass(frozen=True)
class Float(_Numeric):
    """A real number from low to high."""

    type: Literal["float"] = "float"

    @property
    def levels(self) -> int | None:
        if self.low == self.high:
            return 1
        return None if self.step is None else int((self.high - self.low) / self.step + 1e-8) + 1

    def contains(self, value: Value) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return self.low <= value <= self.high and self._on_step(value)

    def at(self, position: float) -> float:
        if self.levels is not None:
            value = min(self._step_at(position, self.levels), self.high)
            # the shortest number that means this step: 0.3, not 0.30000000000000004
            short = float(f"{value:.12g}")
            return short if self.contains(short) else value
        if self.log:
            low, high = math.log(self.low), math.log(self.high)
            value = math.exp(low + position * (high - low))
        else:
            value = self.low + position * (self.high - self.low)
        return min(max(value, self.low), self.high)

    def position(self, value: Value) -> float:
        assert isinstance(value, int | float)
        if self.levels is not None:
            index = 0 if self.step is None else round((value - self.low) / self.step)
            return (index + 0.5) / self.levels
        if self.log:
            low, high = math.log(self.low), math.log(self.high)
            # neighbours may have the same logarithm
            return (math.log(value) - low) / (high - low or 1)
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class Int(_Numeric):
    """A whole number from low to high."""

    low: int
    """Smallest value, included."""
    high: int
    """Largest value, included."""
    _: KW_ONLY
    step: int | None = None
    """Only low, low + step, low + 2 step … are values."""
    default: int | None = None
    """Value of the default configuration, which is tried first."""
    hard_low: int | None = None
    """Bound that no revision of the space may go below."""
    hard_high: int | None = None
    """Bound that no revision of the space may go above."""
    type: Literal["int"] = "int"

    def __post_init__(self) -> None:
        if self.step == 1:
            object.__setattr__(self, "step", None)
        super().__post_init__()

    @staticmethod
    def _number(name: str, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float) or value % 1 != 0:
            raise SpaceError(f"{name} {value!r} is not a whole number")
        return int(value)

    @property
    def levels(self) -> int:
        return (self.high - self.low) // (self.step or 1) + 1

    def contains(self, value: Value) -> bool:
        if isinstance(value, bool) or not isinstance(value, int):
            return False
        return self.low <= value <= self.high and self._on_step(value)

    def at(self, position: float) -> int:
        if self.log:
            low, high = math.log(self.low - 0.5), math.log(self.high + 0.5)
            return min(max(round(math.exp(low + position * (high - low))), self.low), self.high)
        return int(self._step_at(position, self.levels))

    def grid(self, points: int) -> list[Value]:
        if self.log and self.levels <= points:
            return list(range(self.low, self.high + 1))
        return super().grid(points)

    def position(self, value: Value) -> float:
        assert isinstance(value, int | float)
        if self.log:
            low, high = math.log(self.low - 0.5), math.log(self.high + 0.5)
            return (math.log(value) - low) / (high - low)
        return ((value - self.low) / (self.step or 1) + 0.5) / self.levels


@dataclass(frozen=True)
class Categorical(Dimension):
    """One of several choices: text, numbers, true/false or null."""

    choices: Sequence[Value]
    """The values; at least one, no two alike."""
    _: KW_ONLY
    ordered: bool = False
    """The choices have an order that means something (small, medium, large)."""
    default: Value = None
    """Value of the default configuration, which is tried first."""
    when: When = None
    """Condition under which this parameter exists: `{booster: dart}` or `layers >= 2`."""
    locked: bool = False
    """No revision of the space may change this parameter."""
    type: Literal["categorical"] = "categorical"

    def __post_init__(self) -> None:
        if isinstance(self.choices, str):
            raise SpaceError(f"choices is the text {self.choices!r}; write a list of choices")
        object.__setattr__(self, "choices", tuple(self.choices))
        self._parse_when()
        if not self.choices:
            raise SpaceError("choices is empty; a categorical parameter needs at least one")
        for index, choice in enumerate(self.choices):
            if not isinstance(choice, str | int | float | bool | None):
                raise SpaceError(f"choice {choice!r} is not text, a number, true/false or null")
            if isinstance(choice, float) and not math.isfinite(choice):
                raise SpaceError(f"choice {choice!r} is not a finite number")
            if self._index(choice) != index:
                raise SpaceError(f"choice {choice!r} stands twice in choices")
        if self.default is not None and not self.contains(self.default):
            raise SpaceError(
                f"default {self.default!r} is not one of the choices {list(self.choices)}"
            )

    def _index(self, value: Value) -> int | None:
        # True == 1 in Python, but they are two choices
        sort = isinstance(value, bool)
        same = (choice == value and isinstance(choice, bool) == sort for choice in self.choices)
        return next((index for index, found in enumerate(same) if found), None)

    @property
    def levels(self) -> int:
        return len(self.choices)

    def contains(self, value: Value) -> bool:
        return self._index(value) is not None

    def at(self, position: float) -> Value:
        return self.choices[min(int(position * self.levels), self.levels - 1)]

    def position(self, value: Value) -> float:
        if (index := self._index(value)) is None:
            raise SpaceError(f"{value!r} is not one of the choices {list(self.choices)}")
        return (index + 0.5) / self.levels


Parameter = Float | Int | Categorical
