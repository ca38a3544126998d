"""What a language model is to answer: the schema for one draft, and the answer as it is read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tunesmith.parameters import Categorical
from tunesmith.proposals import Draft
from tunesmith.space import SearchSpace
from tunesmith_agent.language.names import Names

IDEAS, ASIDES, COMMENTS = 2, 2, 6
_SUMMARY, _REMARK = 360, 140
"""Characters, so that an answer of full length stays within its share of the tokens."""


class _Part(BaseModel):
    # an endpoint that knows no schema may add fields; what is asked for has to be there
    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)


class Comment(_Part):
    """What the model says about one edit of the draft."""

    edit: str
    agree: bool
    why: str = ""


class Idea(_Part):
    """A range that the model would widen, from experience."""

    parameter: str
    low: float | None = None
    high: float | None = None
    why: str = ""


class Aside(_Part):
    """A parameter that is better left alone, and why."""

    parameter: str
    why: str = ""


class Answer(_Part):
    """A whole answer."""

    summary: str
    comments: list[Comment] = Field(default_factory=list)
    ideas: list[Idea] = Field(default_factory=list)
    left_alone: list[Aside] = Field(default_factory=list)
    question: str = ""


def schema(space: SearchSpace, draft: Draft, names: Names) -> dict[str, Any]:
    """The JSON Schema of an answer: names from lists, every text and list bounded in length."""
    tuned = {
        name: found
        for name, found in space.parameters.items()
        if found.levels != 1 and not found.locked
    }
    parts: dict[str, Any] = {"summary": _text(_SUMMARY)}
    if draft.edits:
        ids = [f"e{number}" for number in range(1, len(draft.edits) + 1)]
        comment = {"edit": _one(ids), "agree": {"type": "boolean"}, "why": _text(_REMARK)}
        parts["comments"] = _list(_object(comment), min(len(ids), COMMENTS))
    ranges = [name for name, found in tuned.items() if not isinstance(found, Categorical)]
    if ranges:
        bound = {"type": ["number", "null"]}
        idea = {"parameter": _names(ranges, names), "low": bound, "high": bound}
        parts["ideas"] = _list(_object(idea | {"why": _text(_REMARK)}), IDEAS)
    if tuned:
        aside = {"parameter": _names(tuned, names), "why": _text(_REMARK)}
        parts["left_alone"] = _list(_object(aside), ASIDES)
    return _object(parts | {"question": _text(_REMARK)})


def _names(real: Iterable[str], names: Names) -> dict[str, Any]:
    return _one([names.name(name) for name in real])


def _object(parts: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": parts,
        "required": list(parts),
        "additionalProperties": False,
    }


def _list(items: dict[str, Any], most: int) -> dict[str, Any]:
    return {"type": "array", "items": items, "maxItems": most}


def _text(most: int) -> dict[str, Any]:
    return {"type": "string", "maxLength": most}


def _one(values: Sequence[Any]) -> dict[str, Any]:
    return {"enum": list(values)}
