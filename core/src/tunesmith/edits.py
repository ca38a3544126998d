"""Edits put into effect: what a space becomes, how an edit is taken back, how it reads in a line.

Nothing here asks whether an edit is wise or allowed: `policy.py` does.
"""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from tunesmith.changes import changed, short
from tunesmith.errors import SpaceError, did_you_mean
from tunesmith.expressions import parse
from tunesmith.parameters import Parameter
from tunesmith.proposals import (
    AddChoice,
    AddConstraint,
    AnyEdit,
    DropChoice,
    DropConstraint,
    Edit,
    Fix,
    Narrow,
    Restore,
    SetCondition,
    SetScale,
    Tier,
    Widen,
)
from tunesmith.space import SearchSpace


def apply(space: SearchSpace, edits: Sequence[Edit]) -> SearchSpace:
    """The space after these edits, one after the other, whatever their tier.

    Raises SpaceError, with the edit quoted, where one does not do what its action says, or leads
    to a space that contradicts itself.
    """
    for edit in edits:
        try:
            space = _applied(space, edit)
        except SpaceError as error:
            raise SpaceError(f"cannot apply '{_quoted(edit)}': {error}") from None
    return space


def inverse(space: SearchSpace, edit: Edit) -> Edit:
    """The edit that takes `edit` back once it was applied to `space`.

    Raises SpaceError where it cannot be applied.
    """
    after = apply(space, [edit])
    if isinstance(edit, AddConstraint):
        return DropConstraint(forbid=parse(edit.forbid).text)
    if isinstance(edit, DropConstraint):
        return AddConstraint(forbid=parse(edit.forbid).text)
    old, new = space.parameters[edit.parameter], after.parameters[edit.parameter]
    options = {
        field.name: getattr(old, field.name)
        for field in fields(old)
        if repr(getattr(old, field.name)) != repr(getattr(new, field.name))
    }
    return Restore(parameter=edit.parameter, options=options)


def prepared(space: SearchSpace, edits: Sequence[Edit]) -> tuple[Edit, ...]:
    """The edits with ids `e1`, `e2` … and their inverses.

    A recommended edit is taken against the space after the recommended ones before it, one that is
    worth testing against the space as it stands. Raises SpaceError where one cannot be applied.
    """
    found: list[Edit] = []
    now = space
    for number, edit in enumerate(edits, 1):
        recommended = edit.tier != Tier.WORTH_TESTING
        taken_back = inverse(now if recommended else space, edit)
        found.append(edit.model_copy(update={"id": f"e{number}", "inverse": taken_back}))
        if recommended:
            now = apply(now, [edit])
    return tuple(found)


def plain(edit: Edit) -> dict[str, Any]:
    """The change that an edit makes, without its reasons."""
    data = edit.model_dump(mode="json", exclude=set(AnyEdit.model_fields))
    return {key: value for key, value in data.items() if value is not None or key == "when"}


def phrase(space: SearchSpace, edit: Edit) -> str:
    """The change in one short line, also for an edit that cannot be applied.

    `learning_rate: high 0.01 -> 0.1`, `optimizer: without 'sgd'`, `fix momentum = 0.9`.
    """
    if isinstance(edit, AddConstraint | DropConstraint):
        verb = "never" if isinstance(edit, AddConstraint) else "allow again"
        return f"{verb} {_formula(edit.forbid)}"
    name = edit.parameter if edit.parameter in space.parameters else repr(edit.parameter)
    if isinstance(edit, Fix):
        return f"fix {name} = {short(edit.value)}"
    return f"{name}: {_change(space.parameters.get(edit.parameter), edit)}"


def _change(
    parameter: Parameter | None,
    edit: Widen | Narrow | SetScale | DropChoice | AddChoice | SetCondition | Restore,
) -> str:
    match edit:
        case Widen() | Narrow():
            return ", ".join(
                f"{side} {short(getattr(parameter, side, None))} -> {short(bound)}"
                for side, bound in (("low", edit.low), ("high", edit.high))
                if bound is not None
            )
        case SetScale():
            old = short(getattr(parameter, "low", None))
            floor = "" if edit.low is None else f", low {old} -> {short(edit.low)}"
            return ("log scale" if edit.log else "linear scale") + floor
        case DropChoice() | AddChoice():
            verb = "without" if isinstance(edit, DropChoice) else "also"
            return f"{verb} {', '.join(map(short, edit.choices))}"
        case SetCondition():
            return "always" if edit.when is None else f"only where {_formula(edit.when)}"
        case Restore():
            return "back to " + ", ".join(
                f"{option} {short(value)}" for option, value in edit.options.items()
            )


def _formula(text: str) -> str:
    try:
        return parse(text).text
    except SpaceError:
        return repr(text)


def _quoted(edit: Edit) -> str:
    data = plain(edit)
    parts = [f"{data.pop('action')} {data.pop('parameter', '')}".strip()]
    return " ".join(parts + [f"{key}={value!r}" for key, value in data.items()])


def _applied(space: SearchSpace, edit: Edit) -> SearchSpace:
    if isinstance(edit, AddConstraint | DropConstraint):
        return _with_constraint(space, edit)
    if edit.parameter not in space.parameters:
        hint = did_you_mean(edit.parameter, space.parameters)
        raise SpaceError(f"there is no parameter {edit.parameter!r}{hint}")
    parameter = space.parameters[edit.parameter]
    after = changed(edit, parameter)
    if isinstance(edit, Fix) and space.default() is None:
        # no default configuration comes up by it: its middle may break a constraint
        after = replace(after, default=None)
    found = replace(space, parameters=space.parameters | {edit.parameter: after})
    if found.fingerprint == space.fingerprint:
        raise SpaceError(f"'{edit.parameter}' is like that already; leave the edit out")
    return found


def _with_constraint(space: SearchSpace, edit: AddConstraint | DropConstraint) -> SearchSpace:
    formula = parse(edit.forbid)
    there = formula.text in space.forbid
    if isinstance(edit, DropConstraint):
        if not there:
            hint = did_you_mean(formula.text, map(str, space.forbid))
            raise SpaceError(f"'{formula.text}' is not forbidden{hint}")
        return replace(space, forbid=[text for text in space.forbid if text != formula.text])
    if there:
        raise SpaceError(f"'{formula.text}' is forbidden already")
    if not formula.names:
        raise SpaceError(f"'{formula.text}' names no parameter")
    return replace(space, forbid=[*space.forbid, formula.text])
