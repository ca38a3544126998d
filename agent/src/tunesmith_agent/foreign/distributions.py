"""Optuna's distributions as its MLflow callback writes them into tags: read, never evaluated."""

import re
from collections.abc import Iterable

from tunesmith.errors import SpaceError
from tunesmith.expressions import Value
from tunesmith.parameters import Categorical, Float, Int, Parameter
from tunesmith_agent.foreign.texts import distinct, is_number, value_of

_NUMERIC = re.compile(
    r"(?P<kind>Float|Int)Distribution\(high=(?P<high>[^,]+), log=(?P<log>True|False), "
    r"low=(?P<low>[^,]+), step=(?P<step>[^,]+)\)"
)
_CHOICES = re.compile(r"CategoricalDistribution\(choices=\((?P<choices>.*)\)\)", re.DOTALL)
_CHOICE = re.compile(r"'(?P<one>[^'\\]*)'|\"(?P<two>[^\"\\]*)\"|(?P<bare>[^\s,'\"]+)")
_BETWEEN = re.compile(r",?\s*")


def parameter_of(texts: Iterable[str]) -> Parameter | None:
    """The parameter that tags of several trials describe: all of their ranges or choices together.

    None where a text is no distribution, or they are of different kinds.
    """
    found = [_read(text) for text in dict.fromkeys(texts)]
    kinds = {type(each) for each in found}
    if not found or len(kinds) > 1 or None in found:
        return None
    try:
        return _together([each for each in found if each is not None])
    except SpaceError:  # ranges on different steps, say: the values have to tell
        return None


def _read(text: str) -> Parameter | None:
    try:
        if match := _NUMERIC.fullmatch(text):
            return _numeric(match)
        if match := _CHOICES.fullmatch(text):
            choices = _choices(match["choices"])
            return None if choices is None else Categorical(choices)
    except SpaceError:
        return None
    return None


def _numeric(match: re.Match[str]) -> Parameter | None:
    low, high, step = (value_of(match[name]) for name in ("low", "high", "step"))
    log = match["log"] == "True"
    if not is_number(low) or not is_number(high) or not (step is None or is_number(step)):
        return None
    if match["kind"] == "Float":
        return Float(low, high, log=log, step=step)  # type: ignore[arg-type]
    return Int(low, high, log=log, step=None if log else step)  # type: ignore[arg-type]


def _choices(text: str) -> list[Value] | None:
    """The items of a tuple of texts, numbers, true, false and null; None for anything else."""
    found: list[Value] = []
    position = 0
    while position < len(text):
        match = _CHOICE.match(text, position)
        if match is None:
            return None
        bare = match["bare"]
        value = (match["one"] or match["two"] or "") if bare is None else value_of(bare)
        if bare is not None and isinstance(value, str):
            return None
        found.append(value)
        between = _BETWEEN.match(text, match.end())
        position = between.end() if between else len(text)
    return found or None


def _together(found: list[Parameter]) -> Parameter:
    first = found[-1]
    if isinstance(first, Categorical):
        return Categorical(distinct([c for each in found for c in each.choices]))  # type: ignore[union-attr]
    low, high = min(each.low for each in found), max(each.high for each in found)  # type: ignore[union-attr]
    if isinstance(first, Int):
        return Int(int(low), int(high), log=first.log, step=first.step)
    return Float(low, high, log=first.log, step=first.step)
