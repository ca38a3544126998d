"""Floats, ints and categories: values and positions, and what is said about mistakes."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.errors import SpaceError
from tunesmith.parameters import Categorical, Float, Int, Parameter
from tunesmith.testing.strategies import parameters

hypothesis = settings(derandomize=True, database=None, deadline=None, max_examples=300)
positions = st.floats(0, 1)


@hypothesis
@given(parameters, positions)
def test_every_position_holds_a_value(parameter: Parameter, position: float) -> None:
    assert parameter.contains(parameter.at(position))


@hypothesis
@given(parameters, positions)
def test_a_value_lies_where_it_was_taken_from(parameter: Parameter, position: float) -> None:
    value = parameter.at(position)
    there = parameter.position(value)
    assert 0 <= there <= 1
    again = parameter.at(there)
    if parameter.levels is None:
        assert again == pytest.approx(value, rel=1e-9, abs=1e-9 * (parameter.high - parameter.low))
    else:
        assert (again, type(again)) == (value, type(value))


@hypothesis
@given(parameters, positions, positions)
def test_higher_positions_hold_no_lower_values(
    parameter: Parameter, one: float, other: float
) -> None:
    if not isinstance(parameter, Categorical):
        assert parameter.at(min(one, other)) <= parameter.at(max(one, other))


@hypothesis
@given(parameters, st.integers(1, 9))
def test_a_grid_holds_different_values_and_both_ends(parameter: Parameter, points: int) -> None:
    grid = parameter.grid(points)
    assert 1 <= len(grid) <= points
    assert all(parameter.contains(value) for value in grid)
    assert len({(type(value), value) for value in grid}) == len(grid)
    if points > 1:
        assert grid[0] == parameter.at(0)
        assert grid[-1] == parameter.at(1)


@hypothesis
@given(parameters)
def test_a_grid_of_all_levels_holds_every_value(parameter: Parameter) -> None:
    if parameter.levels is not None and parameter.levels <= 30:
        values = {parameter.at(index / 1000) for index in range(1001)}
        assert len(values) <= parameter.levels
        if not isinstance(parameter, Categorical):
            assert values == set(parameter.grid(parameter.levels))


@hypothesis
@given(
    st.floats(-1e6, 1e6),
    st.floats(1e-3, 1e6),
    st.integers(0, 1000),
    positions,
)
def test_steps_of_any_size_hold_their_values(
    low: float, step: float, count: int, position: float
) -> None:
    parameter = Float(low, low + count * step, step=step)
    value = parameter.at(position)
    assert parameter.contains(value)
    assert parameter.at(parameter.position(value)) == value


def test_steps_are_short_numbers() -> None:
    assert Float(0.1, 0.75, step=0.1).grid(9) == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]


def test_a_uniform_position_gives_every_step_and_choice_the_same_share() -> None:
    at = [(index + 0.5) / 1200 for index in range(1200)]
    for parameter in (
        Int(1, 6),
        Int(0, 10, step=2),
        Float(0, 2.6, step=0.5),
        Categorical(list("abcdef")),
    ):
        drawn = [parameter.at(position) for position in at]
        assert {drawn.count(value) for value in drawn} == {200}


@pytest.mark.parametrize("parameter", [Float(1e-6, 1e6, log=True), Int(1, 10**9, log=True)])
def test_a_log_scale_gives_every_factor_of_ten_the_same_share(parameter: Parameter) -> None:
    drawn = [math.log10(float(parameter.at((i + 0.5) / 1200))) for i in range(1200)]
    middle = (math.log10(parameter.low) + math.log10(parameter.high)) / 2
    assert sum(value < middle for value in drawn) == pytest.approx(600, abs=25)


def test_widest_log_scale_is_sampled_everywhere() -> None:
    parameter = Float(1e-300, 1e300, log=True)
    assert [parameter.at(position) for position in (0, 1)] == pytest.approx([1e-300, 1e300])
    assert parameter.at(0.5) == pytest.approx(1)
    assert parameter.position(1.0) == pytest.approx(0.5)


def test_true_and_one_are_two_choices() -> None:
    parameter = Categorical([True, 1, "1", None])
    assert [parameter.position(value) for value in (True, 1, "1", None)] == [
        0.125,
        0.375,
        0.625,
        0.875,
    ]
    assert parameter.at(0) is True
    assert not Categorical([1, 2]).contains(True)
    assert not Int(0, 1).contains(True)
    assert not Float(0, 1).contains(True)


def test_a_whole_number_is_a_float_but_a_float_is_no_int() -> None:
    assert Float(0, 2).contains(1)
    assert not Int(0, 2).contains(1.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Float(2, 1), "low 2.0 is greater than high 1.0; swap them"),
        (lambda: Int(2, 1), "low 2 is greater than high 1; swap them"),
        (lambda: Float(0, 1, log=True), "a log scale needs low > 0, not low 0.0"),
        (lambda: Int(-1, 5, log=True), "a log scale needs low > 0, not low -1"),
        (lambda: Float(1, 2, step=0), "step 0.0 is not greater than 0"),
        (lambda: Int(1, 2, step=-1), "step -1 is not greater than 0"),
        (lambda: Float(1, 2, log=True, step=0.1), "a log scale and step 0.1 exclude each other"),
        (lambda: Float(math.nan, 1), "low nan is not a finite number"),
        (lambda: Float(0, math.inf), "high inf is not a finite number"),
        (lambda: Float(True, 2), "low True is not a finite number"),
        (lambda: Float("1", 2), "low '1' is not a finite number"),
        (lambda: Float(-1e308, 1e308), "-1e+308 to 1e+308 is too wide"),
        (lambda: Int(0, 10**400), "is too wide a range"),
        (lambda: Int(1.5, 2), "low 1.5 is not a whole number"),
        (lambda: Int(1, math.inf), "high inf is not a whole number"),
        (lambda: Int(1, math.nan), "high nan is not a whole number"),
        (lambda: Float(0, 1, default=2), "default 2.0 is not one of the values from 0.0 to 1.0"),
        (lambda: Float(0, 1, hard_low=0.5), "low 0.0 is below hard_low 0.5"),
        (lambda: Int(0, 9, hard_high=5), "high 9 is above hard_high 5"),
        (lambda: Categorical([]), "choices is empty"),
        (lambda: Categorical(["a", "b", "a"]), "choice 'a' stands twice"),
        (lambda: Categorical([1, 1.0]), "choice 1.0 stands twice"),
        (lambda: Categorical([math.inf]), "choice inf is not a finite number"),
        (lambda: Categorical([["a"]]), "choice ['a'] is not text, a number, true/false or null"),
        (lambda: Categorical(["a"], default="b"), "default 'b' is not one of the choices ['a']"),
        (lambda: Float(0, 1, when="x >"), "cannot read the formula 'x >'"),
    ],
)
def test_a_mistake_is_quoted(make: Callable[[], Parameter], message: str) -> None:
    with pytest.raises(SpaceError) as caught:
        make()
    assert message in str(caught.value)


def test_a_text_is_no_list_of_choices():
    with pytest.raises(SpaceError, match="choices is the text 'abc'; write a list of choices"):
        Categorical("abc")
