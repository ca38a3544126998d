"""Search spaces: what is in them, how they are written down, and what is said about mistakes."""

import json
import os
import pickle
import subprocess
import sys
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tunesmith.errors import SpaceError
from tunesmith.parameters import Categorical, Float, Int
from tunesmith.space import SearchSpace, describe, diff
from tunesmith.testing.strategies import search_spaces

hypothesis = settings(derandomize=True, database=None, deadline=None, max_examples=150)


def shuffled(space: SearchSpace, random: Random) -> dict[str, Any]:
    """The space as plain data, keys in another order."""
    data = space.to_dict()
    tables = list(data["parameters"].items())
    random.shuffle(tables)
    data["parameters"] = {name: dict(reversed(table.items())) for name, table in tables}
    return dict(reversed(data.items()))


@hypothesis
@given(search_spaces(), st.integers(0, 10**6))
def test_a_space_contains_what_it_samples(space: SearchSpace, seed: int) -> None:
    params = space.sample(Random(seed))
    assert space.why_not(params) is None
    assert space.sample(Random(seed)) == params


@hypothesis
@given(search_spaces(), st.integers(0, 10**6))
def test_params_survive_positions(space: SearchSpace, seed: int) -> None:
    params = space.sample(Random(seed))
    positions = {name: 0.5 for name in space.parameters} | {
        name: space.parameters[name].position(value) for name, value in params.items()
    }
    for name, value in space.at(positions).items():
        if isinstance(space.parameters[name], Float):
            assert value == pytest.approx(params.get(name, value), rel=1e-9, abs=1e-6)
        else:
            assert value == params.get(name, value)


@hypothesis
@given(search_spaces(), st.integers(0, 10**6))
def test_params_with_one_too_many_or_too_few_are_outside(space: SearchSpace, seed: int) -> None:
    params = space.sample(Random(seed))
    name = Random(seed).choice(list(params))
    fewer = {other: value for other, value in params.items() if other != name}
    assert not space.contains(fewer)
    assert not space.contains(params | {"no.such": 1})
    assert not space.contains(params | {name: "outside ☂"})


@hypothesis
@given(search_spaces())
def test_a_space_survives_being_written_down(space: SearchSpace) -> None:
    again = SearchSpace.from_dict(json.loads(json.dumps(space.to_dict())))
    assert again == space
    assert again.to_dict() == space.to_dict()
    assert again.fingerprint == space.fingerprint
    assert diff(space, again) == []


@hypothesis
@given(search_spaces(), st.randoms(use_true_random=False))
def test_fingerprint_does_not_depend_on_the_order_of_keys(
    space: SearchSpace, random: Random
) -> None:
    again = SearchSpace.from_dict(shuffled(space, random))
    assert again.fingerprint == space.fingerprint


@hypothesis
@given(search_spaces())
def test_a_space_can_be_sent_to_another_process(space: SearchSpace) -> None:
    space.sample(Random(0))
    again = pickle.loads(pickle.dumps(space))  # noqa: S301 - our own bytes
    assert again.sample(Random(1)) == space.sample(Random(1))


SPACE = {"parameters": {"x": {"type": "float", "low": 0, "high": 1}}}


@pytest.mark.parametrize(
    "change",
    [
        {"parameters": {"x": {"type": "float", "low": 0, "high": 2}}},
        {"parameters": {"x": {"type": "float", "low": 0, "high": 1, "step": 0.1}}},
        {"parameters": {"x": {"type": "float", "low": 0, "high": 1, "default": 0}}},
        {"parameters": {"x": {"type": "float", "low": 0, "high": 1, "hard_high": 1}}},
        {"parameters": {"x": {"type": "int", "low": 0, "high": 1}}},
        {"parameters": {"y": {"type": "float", "low": 0, "high": 1}}},
        {**SPACE, "constraints": ["x < 1"]},
        {**SPACE, "forbid": ["x < 0.1"]},
    ],
)
def test_fingerprint_changes_with_anything_that_matters(change: dict[str, Any]) -> None:
    before, after = SearchSpace.from_dict(SPACE), SearchSpace.from_dict(change)
    assert before.fingerprint != after.fingerprint
    assert diff(before, after)


def test_order_of_choices_matters_where_it_means_something() -> None:
    def fingerprint(choices: list[str], ordered: bool) -> str:
        return SearchSpace({"c": Categorical(choices, ordered=ordered)}).fingerprint

    assert fingerprint(["a", "b"], ordered=False) == fingerprint(["b", "a"], ordered=False)
    assert fingerprint(["a", "b"], ordered=True) != fingerprint(["b", "a"], ordered=True)


def test_order_of_names_in_a_forbidden_combination_does_not_matter() -> None:
    parameters = {"a": Int(0, 3), "b": Int(0, 3)}
    one = SearchSpace(parameters, forbid=[{"a": 1, "b": 2}])
    other = SearchSpace(parameters, forbid=[{"b": 2, "a": 1}])
    assert one.fingerprint == other.fingerprint


NESTED = SearchSpace(
    {
        "depth": Int(1, 9, when="kind == 'tree'"),
        "leaf": Int(1, 9, when="depth > 4"),
        "kind": Categorical(["tree", "line"]),
    },
    constraints=["leaf < depth"],
    forbid=[{"kind": "tree", "depth": 1}],
)


def test_parents_come_before_children() -> None:
    assert list(NESTED.conditions) == ["kind", "depth", "leaf"]


def test_order_of_parameters_is_the_same_in_every_process() -> None:
    code = (
        "from tunesmith import Float, Int, SearchSpace\n"
        "names = 'pqrstuvw'\n"
        "when = ' and '.join(f'{name} > 0' for name in names)\n"
        "space = {'child': Float(0, 1, when=when)} | {name: Int(0, 1) for name in names}\n"
        "print(*SearchSpace(space).conditions)"
    )
    orders = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": str(seed)},
        ).stdout
        for seed in (1, 2)
    }
    assert len(orders) == 1


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"kind": "line"}, None),
        ({"kind": "tree", "depth": 3}, None),
        ({"kind": "tree", "depth": 5, "leaf": 4}, None),
        ({"kind": "tree"}, "'depth' has no value"),
        ({"kind": "line", "depth": 3}, "'depth' does not apply"),
        ({"kind": "tree", "depth": 3, "leaf": 1}, "'leaf' does not apply"),
        ({"kind": "tree", "depth": 10, "leaf": 1}, "depth = 10 is outside"),
        ({"kind": "bush"}, "kind = 'bush' is outside"),
        ({"kind": "line", "size": 1}, "'size' is no parameter"),
        ({"kind": "tree", "depth": 5, "leaf": 5}, "'leaf < depth' does not hold"),
        ({"kind": "tree", "depth": 1}, "'depth == 1 and kind == 'tree'' is forbidden"),
    ],
)
def test_why_params_are_outside(params: dict[str, Any], reason: str | None) -> None:
    assert NESTED.why_not(params) == reason
    assert NESTED.contains(params) is (reason is None)


def test_a_rule_about_an_inactive_parameter_does_not_apply() -> None:
    space = SearchSpace(
        {"kind": Categorical(["a", "b"]), "x": Int(0, 9, when={"kind": "a"})},
        constraints=["x > 5"],
        forbid=["not x > 7"],
    )
    assert space.contains({"kind": "b"})
    assert not space.contains({"kind": "a", "x": 6})
    assert space.contains({"kind": "a", "x": 8})


def test_default_configuration_fills_what_is_not_declared() -> None:
    space = SearchSpace(
        {
            "kind": Categorical(["a", "b"], default="b"),
            "x": Int(0, 9, when={"kind": "a"}, default=1),
            "y": Float(0, 1),
        }
    )
    assert space.default() == {"kind": "b", "y": 0.5}
    assert SearchSpace({"y": Float(0, 1)}).default() is None


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"parameters": {}}, "the space has no parameters; add at least one"),
        ({"parameters": {"1x": Int(0, 1)}}, "'1x' is not a parameter name"),
        ({"parameters": {"a b": Int(0, 1)}}, "'a b' is not a parameter name"),
        ({"parameters": {"a.": Int(0, 1)}}, "'a.' is not a parameter name"),
        (
            {"parameters": {"depth": Int(0, 1), "x": Int(0, 1, when="dept > 0")}},
            "the condition of 'x' 'dept > 0' names 'dept', which is no parameter; "
            "did you mean 'depth'?",
        ),
        (
            {"parameters": {"x": Int(0, 1)}, "constraints": ["x < y"]},
            "the constraint 'x < y' names 'y', which is no parameter",
        ),
        (
            {"parameters": {"x": Int(0, 1)}, "forbid": [{"zzz": 1}]},
            "the forbidden combination 'zzz == 1' names 'zzz', which is no parameter (known: x)",
        ),
        (
            {"parameters": {"x": Int(0, 1, when="y > 0"), "y": Int(0, 1, when="x > 0")}},
            "the conditions form a cycle: ",
        ),
        ({"parameters": {"x": Int(0, 1, when="x > 0")}}, "the conditions form a cycle: x -> x"),
        (
            {"parameters": {"x": Float(0, 1)}, "constraints": ["x > 2"]},
            "the constraints exclude everything: of 10000 configurations none passed, "
            "the last because 'x > 2' does not hold",
        ),
        (
            {"parameters": {"x": Int(0, 1)}, "forbid": [{"x": [0, 1]}]},
            "the constraints exclude everything",
        ),
        ({"parameters": {"x": Int(0, 1)}, "constraints": ["x <"]}, "cannot read the formula 'x <'"),
        (
            {"parameters": {"x": Int(0, 1)}, "forbid": ["__import__('os')"]},
            "uses '__import__('os')'; only comparisons",
        ),
        (
            {"parameters": {"x": Categorical(["a", "b"])}, "constraints": ["x < 3"]},
            "the formula 'x < 3' does not work on {'x': ",
        ),
        (
            {"parameters": {"x": Int(0, 9, default=4)}, "forbid": [{"x": 4}]},
            "the default configuration {'x': 4} is not allowed: 'x == 4' is forbidden",
        ),
    ],
)
def test_a_mistake_is_quoted(data: dict[str, Any], message: str) -> None:
    with pytest.raises(SpaceError) as caught:
        SearchSpace(**data)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("table", "place", "message"),
    [
        ({"type": "float", "low": 2, "high": 1}, ("x", "float"), "low 2.0 is greater than high"),
        ({"type": "float", "low": 0, "high": 1, "log": True}, ("x", "float"), "needs low > 0"),
        ({"type": "float", "low": 0}, ("x", "float", "high"), "required"),
        ({"type": "int", "low": 0, "high": 1, "lg": 1}, ("x", "int", "lg"), "Unexpected"),
        ({"type": "flaot", "low": 0, "high": 1}, ("x",), "flaot"),
    ],
)
def test_a_mistake_in_plain_data_has_its_place(
    table: dict[str, Any], place: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        SearchSpace.from_dict({"parameters": {"x": table}})
    (error,) = caught.value.errors()
    assert error["loc"] == ("parameters", *place)
    assert message in error["msg"]


def test_diff_tells_each_change_in_a_line() -> None:
    old = SearchSpace({"x": Float(0, 1), "gone": Int(1, 2)}, constraints=["x < 0.9"])
    new = SearchSpace(
        {"x": Float(0, 2, default=1), "kind": Categorical(["a", "b"])}, forbid=[{"kind": "a"}]
    )
    assert diff(old, new) == [
        "~ x: float 0 to 1 -> float 0 to 2, default 1.0",
        "- gone: int 1 to 2",
        "+ kind: categorical a, b",
        "- constraints: x < 0.9",
        "+ forbid: kind == 'a'",
    ]
    assert describe(None) == "none"
