"""Edits put into effect, taken back and put in words."""

from dataclasses import replace
from typing import Any

import pytest
from edit_strategies import edits, limited_spaces
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tunesmith.edits import apply, inverse, phrase, prepared
from tunesmith.errors import SpaceError
from tunesmith.parameters import Categorical, Float, Int
from tunesmith.proposals import (
    AddChoice,
    AddConstraint,
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
    read_edit,
)
from tunesmith.space import SearchSpace, describe

hypothesis = settings(derandomize=True, database=None, deadline=None, max_examples=150)

SPACE = SearchSpace(
    {
        "rate": Float(0.001, 0.1, log=True),
        "momentum": Float(0, 1, when="kind == 'sgd'"),
        "depth": Int(10, 30, step=5),
        "units": Int(16, 64),
        "kind": Categorical(["sgd", "adam", "lion"], default="adam"),
        "warm": Categorical([True, False, 1, None]),
        "share": Float(0.5, 1, hard_low=0, hard_high=1),
    },
    forbid=["depth > 20 and units > 60"],
)


def after(*some: Edit) -> dict[str, str]:
    """What became of the parameters that these edits changed."""
    changed = apply(SPACE, some)
    return {
        name: describe(item)
        for name, item in changed.parameters.items()
        if repr(item) != repr(SPACE.parameters[name])
    }


@pytest.mark.parametrize(
    ("edit", "name", "becomes"),
    [
        (Widen(parameter="rate", high=1), "rate", "float 0.001 to 1, log"),
        (Widen(parameter="rate", low=1e-3, high=1), "rate", "float 0.001 to 1, log"),
        (Widen(parameter="units", high=128.0), "units", "int 16 to 128"),
        (Widen(parameter="depth", low=4, high=37), "depth", "int 5 to 35, step 5"),
        (Narrow(parameter="depth", low=11, high=29), "depth", "int 15 to 25, step 5"),
        (Narrow(parameter="rate", high=0.01), "rate", "float 0.001 to 0.01, log"),
        (SetScale(parameter="rate", log=False), "rate", "float 0.001 to 0.1"),
        (SetScale(parameter="units", log=True), "units", "int 16 to 64, log"),
        (
            SetScale(parameter="momentum", log=True, low=0.01),
            "momentum",
            "float 0.01 to 1, log, when kind == 'sgd'",
        ),
        (Fix(parameter="rate", value=0.01), "rate", "float 0.01 to 0.01, log, default 0.01"),
        (Fix(parameter="depth", value=20.0), "depth", "int 20 to 20, default 20"),
        (Fix(parameter="kind", value="sgd"), "kind", "categorical sgd, default sgd"),
        (Fix(parameter="warm", value=True), "warm", "categorical True, default"),
        (DropChoice(parameter="kind", choices=("sgd",)), "kind", "categorical adam, lion, de"),
        (DropChoice(parameter="warm", choices=(1,)), "warm", "categorical True, False, None"),
        (AddChoice(parameter="kind", choices=("a",)), "kind", "categorical sgd, adam, lion, a"),
        (SetCondition(parameter="momentum", when=None), "momentum", "float 0 to 1"),
        (SetCondition(parameter="rate", when="kind=='sgd'"), "rate", "float 0.001 to 0.1, log, w"),
        (
            Restore(parameter="rate", options={"high": 3, "log": False, "default": 2}),
            "rate",
            "float 0.001 to 3, default 2",
        ),
        (Restore(parameter="depth", options={"step": None}), "depth", "int 10 to 30"),
    ],
)
def test_an_edit_changes_its_parameter_and_no_other(edit: Edit, name: str, becomes: str) -> None:
    changes = after(edit)
    assert list(changes) == [name]
    assert changes[name].startswith(becomes)


def test_a_constraint_is_added_and_dropped_however_it_is_spelled() -> None:
    more = apply(SPACE, [AddConstraint(forbid="units>32  and kind=='lion'")])
    assert more.forbid == ("depth > 20 and units > 60", "units > 32 and kind == 'lion'")
    fewer = apply(more, [DropConstraint(forbid="depth>20 and units>60")])
    assert fewer.forbid == ("units > 32 and kind == 'lion'",)


def test_steps_of_floats_stay_on_their_grid() -> None:
    space = SearchSpace({"x": Float(0.3, 0.9, step=0.1, default=0.7)})
    widened = apply(space, [Widen(parameter="x", low=0.05, high=1.27)])
    assert widened.parameters["x"].grid(99) == pytest.approx([n / 10 for n in range(1, 13)])
    assert repr(widened.parameters["x"].low) == "0.1"


def test_a_fixed_parameter_gets_no_default_where_the_space_declares_none() -> None:
    # its middle, (0.5, 0.2), is forbidden: a default configuration would be no configuration
    space = SearchSpace({"x": Float(0, 1), "y": Float(0, 1)}, forbid=["x > 0.4 and y < 0.4"])
    fixed = apply(space, [Fix(parameter="y", value=0.2)])
    assert fixed.default() is None
    assert fixed.parameters["y"] == Float(0.2, 0.2)


def test_a_fixed_parameter_can_be_widened_again() -> None:
    fix, widen = Fix(parameter="rate", value=0.01), Widen(parameter="rate", low=0.001, high=0.1)
    assert after(fix, widen) == {"rate": "float 0.001 to 0.1, log, default 0.01"}


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (Widen(parameter="rat", high=1), "no parameter 'rat'; did you mean 'rate'?"),
        (Widen(parameter="rate"), "names no bound"),
        (Widen(parameter="rate", high=0.05), "high 0.05 where it is 0.1 would cut off"),
        (Widen(parameter="rate", low=0.01, high=1), "low 0.01 where it is 0.001 would cut off"),
        (Widen(parameter="rate", high=0.1), "'rate' is like that already"),
        (Widen(parameter="rate", low=0), "log scale needs low > 0, not low 0.0"),
        (Widen(parameter="share", high=2), "high 2.0 is above hard_high 1.0"),
        (Widen(parameter="units", high=128.5), "high 128.5 is not a whole number"),
        (Widen(parameter="depth", high=33), "values are 10 and steps of 5"),
        (Widen(parameter="depth", high=33.5), "high 33.5 is not a whole number"),
        (Widen(parameter="rate", high=1e308), "too wide a range"),
        (Widen(parameter="depth", high=1e308), "too wide a range"),
        (Widen(parameter="kind", high=3), "it has choices, not bounds"),
        (Narrow(parameter="rate", high=1), "high 1 where it is 0.1 would extend"),
        (Narrow(parameter="rate", low=0.2), "no value would be left: low 0.2, high 0.1"),
        (Narrow(parameter="rate", low=0.1), "only 0.1 would be left; fix does that"),
        (Narrow(parameter="depth", low=27), "only 30 would be left"),
        (Narrow(parameter="depth", low=11, high=14), "no value would be left: low 15, high 10"),
        (Narrow(parameter="kind", low=1), "it has choices"),
        (SetScale(parameter="rate", log=True), "its scale is log already"),
        (SetScale(parameter="units", log=False), "its scale is linear already"),
        (SetScale(parameter="depth", log=True), "a log scale and step 5 exclude each other"),
        (SetScale(parameter="momentum", log=True), "needs low > 0, not low 0.0"),
        (SetScale(parameter="momentum", log=True, low=2), "low 2.0 is greater than high 1.0"),
        (SetScale(parameter="share", log=True, low=0.6), "low 0.6 is only for a log scale"),
        (SetScale(parameter="rate", log=False, low=0.01), "low 0.01 is only for a log scale"),
        (Fix(parameter="rate", value=3.0), "3.0 is not one of its values"),
        (Fix(parameter="rate", value="low"), "'low' is not one of its values"),
        (Fix(parameter="units", value=20.5), "20.5 is not one of its values"),
        (Fix(parameter="units", value=True), "True is not one of its values"),
        (Fix(parameter="depth", value=12), "12 is not one of its values"),
        (Fix(parameter="rate", value=10**400), "is not one of its values"),
        (DropChoice(parameter="kind", choices=("sdg",)), "'sdg' is not among the choices"),
        (DropChoice(parameter="kind", choices=("sgd", "sgd")), "stands twice"),
        (
            DropChoice(parameter="kind", choices=("sgd", "adam", "lion")),
            "no choice would be left of ['sgd', 'adam', 'lion']",
        ),
        (DropChoice(parameter="kind", choices=("sgd", "lion")), "only 'adam' would be left; fix"),
        (DropChoice(parameter="kind", choices=("adam",)), "default 'adam' is not one of"),
        (DropChoice(parameter="rate", choices=(0.1,)), "it has bounds, not choices"),
        (AddChoice(parameter="kind", choices=("sgd",)), "'sgd' is already among the choices"),
        (AddChoice(parameter="kind", choices=("a", "a")), "'a' stands twice"),
        (AddChoice(parameter="rate", choices=("a",)), "it has bounds, not choices"),
        (SetCondition(parameter="momentum", when="kind == 'sgd'"), "is like that already"),
        (SetCondition(parameter="kind", when="momentum > 0"), "form a cycle"),
        (SetCondition(parameter="rate", when="kin == 'sgd'"), "did you mean 'kind'"),
        (SetCondition(parameter="rate", when="kind > 3"), "does not work on"),
        (SetCondition(parameter="rate", when="__import__('os')"), "cannot|only comparisons"),
        (AddConstraint(forbid="depth > 20 and units>60"), "is forbidden already"),
        (AddConstraint(forbid="1 == 2"), "names no parameter"),
        (AddConstraint(forbid="unit > 3"), "did you mean 'units'"),
        (AddConstraint(forbid="units > 3"), "exclude everything"),
        (AddConstraint(forbid="units >"), "cannot read the formula"),
        (AddConstraint(forbid="kind == 'adam'"), "the default configuration"),
        (DropConstraint(forbid="units > 60"), "is not forbidden"),
        (Restore(parameter="rate", options={}), "is like that already"),
        (Restore(parameter="share", options={"hard_high": 2}), "does not set 'hard_high'"),
        (Restore(parameter="share", options={"locked": False}), "does not set 'locked'"),
        (Restore(parameter="share", options={"choices": ("a",)}), "does not set 'choices'"),
        (Restore(parameter="kind", options={"low": 1}), "does not set 'low'"),
        (Restore(parameter="kind", options={"choices": "sgd"}), "choices cannot be 'sgd'"),
        (Restore(parameter="rate", options={"low": None}), "low cannot be None"),
        (Restore(parameter="rate", options={"log": "yes"}), "log cannot be 'yes'"),
        (Restore(parameter="rate", options={"low": True}), "low True is not a finite number"),
        (Restore(parameter="rate", options={"high": 10**400}), "is not a finite number"),
        (Restore(parameter="units", options={"high": 10**400}), "too wide a range"),
        (Restore(parameter="rate", options={"when": 3}), "when cannot be 3"),
        (Restore(parameter="rate", options={"default": 7}), "default 7.0 is not one of"),
    ],
)
def test_an_edit_that_does_not_do_what_it_says_is_refused(edit: Edit, message: str) -> None:
    with pytest.raises(SpaceError, match=r"^cannot apply '.*") as raised:
        apply(SPACE, [edit])
    assert edit.action in str(raised.value)
    found = [part in str(raised.value) for part in message.split("|")]
    assert any(found), raised.value


@pytest.mark.parametrize(
    "table",
    [
        {"action": "widen", "parameter": "rate", "high": float("nan")},
        {"action": "widen", "parameter": "rate", "high": float("inf")},
        {"action": "widen", "parameter": "rate", "high": 1, "risk": "low"},
        {"action": "widen", "parameter": "rate", "high": 1, "tier": "certain"},
        {"action": "explode", "parameter": "rate"},
        {"action": "drop_choice", "parameter": "kind", "choices": []},
        {"action": "restore", "parameter": "rate", "options": {"high": float("inf")}},
        {"action": "fix", "parameter": "rate", "value": float("nan")},
        {"action": "fix", "parameter": "rate", "value": {"a": 1}},
    ],
)
def test_forged_tables_that_no_edit_is_like_are_not_read(table: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read_edit(table)


def test_edits_apply_in_their_order() -> None:
    scale, floor = SetScale(parameter="momentum", log=True, low=0.1), 0.01
    widen = Widen(parameter="momentum", low=floor)
    assert "0.01 to 1, log" in after(scale, widen)["momentum"]
    with pytest.raises(SpaceError, match="would cut off"):
        apply(SPACE, [widen, scale])


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (Widen(parameter="rate", high=1), Restore(parameter="rate", options={"high": 0.1})),
        (
            Fix(parameter="depth", value=20),
            Restore(parameter="depth", options={"low": 10, "high": 30, "step": 5, "default": None}),
        ),
        (
            DropChoice(parameter="kind", choices=("sgd",)),
            Restore(parameter="kind", options={"choices": ("sgd", "adam", "lion")}),
        ),
        (
            SetCondition(parameter="momentum", when=None),
            Restore(parameter="momentum", options={"when": "kind == 'sgd'"}),
        ),
        (AddConstraint(forbid="units<20"), DropConstraint(forbid="units < 20")),
        (
            DropConstraint(forbid="depth>20 and units>60"),
            AddConstraint(forbid="depth > 20 and units > 60"),
        ),
    ],
)
def test_an_inverse_restores_exactly_what_was_changed(edit: Edit, expected: Edit) -> None:
    assert inverse(SPACE, edit) == expected


def test_prepared_edits_have_ids_and_inverses_against_the_space_before_them() -> None:
    first = Widen(parameter="rate", high=1, id="e7", inverse=DropConstraint(forbid="x"))
    tested = Widen(parameter="rate", high=10, tier=Tier.WORTH_TESTING)
    last = Widen(parameter="rate", high=2)
    ready = prepared(SPACE, [first, tested, last])
    assert [edit.id for edit in ready] == ["e1", "e2", "e3"]
    back = [edit.inverse.options for edit in ready if isinstance(edit.inverse, Restore)]
    assert back == [{"high": 0.1}, {"high": 0.1}, {"high": 1.0}]
    assert read_edit(ready[0].model_dump(mode="json")) == ready[0]
    with pytest.raises(SpaceError, match="would cut off"):
        prepared(SPACE, [last, first])


@hypothesis
@given(limited_spaces().flatmap(lambda space: st.tuples(st.just(space), st.lists(edits(space)))))
def test_to_apply_and_then_invert_gives_back_the_space(
    case: tuple[SearchSpace, list[Edit]],
) -> None:
    space, some = case
    done: list[Edit] = []
    now = space
    for edit in some:
        try:
            now = apply(now, [edit])
        except SpaceError:
            continue
        done.append(edit.model_copy(update={"tier": Tier.RECOMMENDED}))
    assume(done)
    back = [
        read_edit(edit.inverse.model_dump(mode="json"))
        for edit in reversed(prepared(space, done))
        if edit.inverse
    ]
    assert len(back) == len(done)
    assert apply(now, back).fingerprint == space.fingerprint
    assert apply(space, done).fingerprint == now.fingerprint


@hypothesis
@given(limited_spaces().flatmap(lambda space: st.tuples(st.just(space), edits(space))))
def test_an_edit_gives_a_valid_space_or_a_plain_error(case: tuple[SearchSpace, Edit]) -> None:
    space, edit = case
    assert "\n" not in phrase(space, edit)
    try:
        changed = apply(space, [edit])
    except SpaceError as error:
        assert str(error).startswith(f"cannot apply '{edit.action}")
        return
    assert SearchSpace.from_dict(changed.to_dict()).fingerprint == changed.fingerprint
    assert changed.fingerprint != space.fingerprint
    for name, old in space.parameters.items():
        new = changed.parameters[name]
        kept = ("type", "locked", "hard_low", "hard_high", "ordered")
        assert all(getattr(old, key, None) == getattr(new, key, None) for key in kept)


@pytest.mark.parametrize(
    ("edit", "line"),
    [
        (Widen(parameter="rate", high=1), "rate: high 0.1 -> 1"),
        (Narrow(parameter="units", low=20, high=40), "units: low 16 -> 20, high 64 -> 40"),
        (SetScale(parameter="units", log=True), "units: log scale"),
        (SetScale(parameter="rate", log=False), "rate: linear scale"),
        (SetScale(parameter="momentum", log=True, low=0.01), "momentum: log scale, low 0 -> 0.01"),
        (Fix(parameter="rate", value=0.01), "fix rate = 0.01"),
        (Fix(parameter="kind", value="sgd"), "fix kind = 'sgd'"),
        (DropChoice(parameter="kind", choices=("sgd",)), "kind: without 'sgd'"),
        (AddChoice(parameter="warm", choices=(0, "a")), "warm: also 0, 'a'"),
        (SetCondition(parameter="rate", when="kind=='sgd'"), "rate: only where kind == 'sgd'"),
        (SetCondition(parameter="momentum", when=None), "momentum: always"),
        (AddConstraint(forbid="units>20 and depth>2"), "never units > 20 and depth > 2"),
        (DropConstraint(forbid="units>20"), "allow again units > 20"),
        (
            Restore(parameter="rate", options={"high": 1, "log": True, "default": None}),
            "rate: back to high 1, log true, default none",
        ),
        (
            Restore(parameter="kind", options={"choices": ("a", 1)}),
            "kind: back to choices ['a', 1]",
        ),
        # whatever was forged: one line, nothing that steers a terminal
        (Widen(parameter="\x1b[2J\n", high=1), r"'\x1b[2J\n': high none -> 1"),
        (AddConstraint(forbid="a >\n\x1b[2J"), r"never 'a >\n\x1b[2J'"),
        (Fix(parameter="kind", value="\x1b[2J\n"), r"fix kind = '\x1b[2J\n'"),
    ],
)
def test_an_edit_reads_as_one_line(edit: Edit, line: str) -> None:
    assert phrase(SPACE, edit) == line


def test_a_locked_parameter_is_described_as_such_and_keeps_its_lock() -> None:
    space = SearchSpace({"x": replace(Int(1, 9), locked=True), "y": Int(1, 9)})
    assert describe(space.parameters["x"]) == "int 1 to 9, locked"
    assert SearchSpace.from_dict(space.to_dict()).parameters["x"].locked
    assert space.to_dict()["parameters"]["y"] == {"type": "int", "low": 1, "high": 9}
