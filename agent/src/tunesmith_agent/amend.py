"""A person's own edit in place of a proposed one, from the few values that somebody types."""

import json
from collections.abc import Mapping
from typing import Any

from tunesmith.edits import plain
from tunesmith.errors import ConfigError
from tunesmith.parameters import Float, Int
from tunesmith.proposals import (
    AddChoice,
    DropChoice,
    Edit,
    Fix,
    Narrow,
    SetScale,
    Source,
    Widen,
    read_edit,
)
from tunesmith.space import SearchSpace

Values = Mapping[str, str | None]
"""What was typed, by name: `low`, `high`, `choices`, `value`, `forbid`, `when`; YAML each."""


def amended(space: SearchSpace, edit: Edit, typed: Values) -> Edit:
    """The edit with other values; bounds may turn a widening into a narrowing and back.

    Raises ConfigError for values that do not fit the edit.
    """
    given = {name: _value(name, text) for name, text in typed.items() if text is not None}
    if not given:
        raise ConfigError("nothing to change: give --low, --high, --choices, --value or --json")
    if given.keys() == {"value"} and hasattr(edit, "parameter"):
        return own(edit, {"action": "fix", "parameter": edit.parameter, **given})
    if isinstance(edit, Widen | Narrow) and given.keys() <= {"low", "high"}:
        return own(edit, _moved(space, edit, given))
    wrong = sorted(given.keys() - fitting(edit))
    if wrong:
        raise ConfigError(
            f"'{edit.action}' has no '{wrong[0]}' to change (known: "
            f"{', '.join(sorted(fitting(edit))) or 'nothing'}); another edit goes in as --json"
        )
    return own(edit, plain(edit) | given)


def fitting(edit: Edit) -> set[str]:
    """The values of an edit that somebody may type anew."""
    if isinstance(edit, Widen | Narrow):
        return {"low", "high"}
    if isinstance(edit, SetScale):
        return {"low"}
    if isinstance(edit, DropChoice | AddChoice):
        return {"choices"}
    return {"value"} if isinstance(edit, Fix) else {"forbid", "when"} & set(type(edit).model_fields)


def own(edit: Edit, change: Mapping[str, Any]) -> Edit:
    """A person's change in place of `edit`, resting on the same evidence.

    Raises ConfigError where it is no edit.
    """
    from pydantic import ValidationError

    kept = {"id": edit.id, "evidence": edit.evidence, "tier": edit.tier, "source": Source.HUMAN}
    try:
        found = read_edit({"tier": edit.tier, **change})
        return read_edit(plain(found) | kept | {"tier": found.tier, "why": found.why})
    except ValidationError as error:
        raise ConfigError(f"this is no edit: {told(error)}") from None


def told(error: Any) -> str:
    """The first mistake that pydantic found, with its place."""
    first = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place + ': ' if place else ''}{first['msg']}, not {first['input']!r}"


def _moved(space: SearchSpace, edit: Widen | Narrow, given: Mapping[str, Any]) -> dict[str, Any]:
    parameter = space.parameters[edit.parameter]
    if not isinstance(parameter, Float | Int):
        raise ConfigError(f"'{edit.parameter}' has choices, not bounds; use --choices or --json")
    asked = {"low": edit.low, "high": edit.high, **given}
    moved: dict[str, Any] = {}
    outward = set()
    for side, sign in (("low", -1), ("high", 1)):
        bound, now = asked[side], getattr(parameter, side)
        if bound is None or bound == now:
            continue
        if isinstance(bound, bool) or not isinstance(bound, int | float):
            raise ConfigError(f"--{side} {bound!r} is not a number")
        moved[side] = bound
        outward.add((bound - now) * sign > 0)
    if len(outward) != 1:
        reason = "both bounds stay" if not outward else "one bound goes out and the other in"
        raise ConfigError(
            f"{reason}: low {parameter.low:g}, high {parameter.high:g} are those of "
            f"'{edit.parameter}' now; move one of them, or both the same way"
        )
    action = "widen" if outward.pop() else "narrow"
    return {"action": action, "parameter": edit.parameter, **moved}


def _value(name: str, text: str) -> Any:
    """What was typed, read as YAML; a list without brackets where choices are meant."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    if name in ("forbid", "when"):
        return text
    try:
        found = YAML(typ="safe", pure=True).load(f"[{text}]" if name == "choices" else text)
        json.dumps(found, allow_nan=False)
    except (YAMLError, TypeError, ValueError, RecursionError):
        raise ConfigError(
            f"--{name} '{text}' is not a plain value; put quotes around text"
        ) from None
    return found
