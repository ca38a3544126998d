"""Mistakes in a study file, told all at once.

Each with its dotted path, its line where known, and a way out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from tunesmith.errors import ConfigError, did_you_mean

Path = tuple[str | int, ...]
_TAGS = {"float", "int", "categorical"}
_KEY = "[key]"
"""What pydantic puts into the path of a key that is wrong itself."""
_TABLES = ("model_type", "model_attributes_type", "dataclass_type", "dict_type")
_LISTS = ("tuple_type", "list_type", "sequence_str")
_WORDS = {
    **dict.fromkeys(_TABLES, "needs a table of options"),
    **dict.fromkeys(_LISTS, "needs a list"),
    "too_short": "needs at least one entry",
    "string_too_short": "needs some text",
    "invalid_key": "needs text for a name",
}
_UNKNOWN = {"extra_forbidden", "unexpected_keyword_argument"}


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where, and what."""

    path: Path
    message: str


def problems_of(error: ValidationError, model: type[Any], prefix: Path = ()) -> list[Problem]:
    """Pydantic's errors in our words.

    `model` is what was validated: its fields are the names to suggest.
    """
    return [
        Problem(prefix + _place(detail["loc"]), _message(detail, model))
        for detail in error.errors(include_url=False)
    ]


def _place(loc: Path) -> Path:
    # pydantic puts the tag of a discriminated union into the path: parameters.depth.int.low
    tag = loc.index("parameters") + 2 if "parameters" in loc else None
    return tuple(
        part
        for index, part in enumerate(loc)
        if part != _KEY and not (index == tag and part in _TAGS)
    )


def _message(detail: Mapping[str, Any], model: type[Any]) -> str:
    kind = detail["type"]
    if kind in _UNKNOWN:
        return (
            f"unknown option{did_you_mean(str(detail['loc'][-1]), _options(model, detail['loc']))}"
        )
    if kind in ("missing", "missing_argument"):
        return "is missing"
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    if kind == "union_tag_invalid":
        tag = str(detail["ctx"]["tag"])
        return f"no parameter type '{tag}'{did_you_mean(tag, _TAGS)}"
    if kind == "union_tag_not_found":
        return f"needs a type: one of {', '.join(sorted(_TAGS))}"
    return _words(detail) + _seen(detail["input"])


def _words(detail: Mapping[str, Any]) -> str:
    kind = "invalid_key" if detail["loc"][-1:] == (_KEY,) else detail["type"]
    if detail.get("ctx", {}).get("class_name") == "ComponentTable":
        return "needs a name or a table of options"
    return _WORDS.get(kind) or detail["msg"][0].lower() + detail["msg"][1:]


def _seen(value: object) -> str:
    if value is None:
        return ", not null"
    return f", not {value!r}" if isinstance(value, str | int | float | bool) else ""


def _options(model: type[Any], loc: Sequence[str | int]) -> list[str]:
    """The options that could stand where `loc` points, below `model`."""
    from tunesmith.parameters import Categorical, Float, Int

    tags = {"float": Float, "int": Int, "categorical": Categorical}
    for part in loc[:-1]:
        inner = tags.get(str(part)) if "parameters" in loc else None
        annotation = inner or (
            model.model_fields[part].annotation if _has_field(model, part) else None
        )
        if isinstance(annotation, type) and (
            is_dataclass(annotation) or issubclass(annotation, BaseModel)
        ):
            model = annotation
    if issubclass(model, BaseModel):
        return [name for name, option in model.model_fields.items() if not option.exclude]
    return [field.name for field in fields(model)]


def _has_field(model: type[Any], part: str | int) -> bool:
    return issubclass(model, BaseModel) and part in model.model_fields


def raise_problems(
    problems: Iterable[Problem], source: str | None = None, lines: Mapping[Path, int] | None = None
) -> None:
    """Raise one ConfigError that lists all problems in the order of the file.

    Nothing where there are none.
    """
    found = [(_line(problem, lines or {}), problem) for problem in problems]
    texts = [
        _text(problem, source, line) for line, problem in sorted(found, key=lambda each: each[0])
    ]
    if texts:
        raise ConfigError("\n".join(texts))


def _line(problem: Problem, lines: Mapping[Path, int]) -> int:
    # the closest enclosing key that the file has: a missing option is shown at its table
    places = (lines.get(problem.path[:end]) for end in range(len(problem.path), 0, -1))
    return next((place for place in places if place is not None), 0)


def _text(problem: Problem, source: str | None, line: int) -> str:
    where = f"{source}:{line}: " if source and line else f"{source}: " if source else ""
    path = ".".join(map(str, problem.path))
    return f"{where}{path}: {problem.message}" if path else f"{where}{problem.message}"
