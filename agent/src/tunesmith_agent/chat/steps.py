"""What somebody changed about a draft, step by step; played over the statistics' draft each time.

So a step can be taken back, and all of them hold for a draft from later trials as well, where they
still can.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from tunesmith.edits import apply
from tunesmith.errors import SpaceError
from tunesmith.ground import destructive
from tunesmith.parameters import Float, Int
from tunesmith.proposals import AddConstraint, Draft, DropConstraint, Edit, Tier, Widen
from tunesmith.space import SearchSpace

_BOUNDS = ("widen", "narrow", "restore")


class _Step(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Put(_Step):
    """An edit of a person's, in place of what the draft says about the same."""

    step: Literal["put"] = "put"
    edit: Edit


class LeaveOut(_Step):
    """No edit of this kind on this parameter; every kind where it is empty."""

    step: Literal["leave out"] = "leave out"
    topic: str
    action: str = ""


class Conservative(_Step):
    """Widenings go half as far, and nothing is taken away."""

    step: Literal["conservative"] = "conservative"


Step = Annotated[Put | LeaveOut | Conservative, Field(discriminator="step")]


def played(space: SearchSpace, draft: Draft, steps: Sequence[Step]) -> list[Edit]:
    """The draft's edits after the steps."""
    edits = list(draft.edits)
    for step in steps:
        if isinstance(step, Put):
            edits = [edit for edit in edits if not _same(edit, step.edit)] + [step.edit]
        elif isinstance(step, LeaveOut):
            edits = [edit for edit in edits if not _is_meant(edit, step)]
        else:
            edits = list(_milder(space, edits))
    return edits


def topic(edit: Edit) -> str:
    """What an edit is about: a parameter, or a formula."""
    return edit.forbid if isinstance(edit, AddConstraint | DropConstraint) else edit.parameter


def _same(one: Edit, other: Edit) -> bool:
    kinds = [
        "bounds" if edit.action in _BOUNDS else edit.action.partition("_")[2] or edit.action
        for edit in (one, other)
    ]
    return topic(one) == topic(other) and kinds[0] == kinds[1]


def _is_meant(edit: Edit, step: LeaveOut) -> bool:
    return topic(edit) == step.topic and step.action in ("", edit.action)


def _milder(space: SearchSpace, edits: Sequence[Edit]) -> Iterator[Edit]:
    now = space
    for edit in edits:
        try:
            after = apply(now, [edit])
            if destructive(now, after):
                continue
            if isinstance(edit, Widen):
                edit = _half(now, edit)
                after = apply(now, [edit])
        except SpaceError:  # it rested on one that is left out, or half of it is nothing
            continue
        yield edit
        if edit.tier is Tier.RECOMMENDED:
            now = after


def _half(space: SearchSpace, edit: Widen) -> Widen:
    """The widening to half the way on the parameter's scale, rounded like its bounds."""
    parameter = space.parameters[edit.parameter]
    if not isinstance(parameter, Float | Int):
        return edit
    moved: dict[str, float] = {}
    for side in ("low", "high"):
        bound, now = getattr(edit, side), getattr(parameter, side)
        if bound is not None:
            middle = (bound * now) ** 0.5 if parameter.log else (bound + now) / 2
            moved[side] = round(middle) if isinstance(parameter, Int) else float(f"{middle:.3g}")
    return edit.model_copy(update={**moved, "what_if": None})
