"""Optima beyond an end of a range, and ends that only look like one."""

import math

import pytest
from trials import advised, edits, noisy, said, tuned

from tunesmith.parameters import Categorical, Float, Int
from tunesmith.proposals import Tier
from tunesmith.space import SearchSpace

OTHERS = {"depth": Int(1, 12), "kind": Categorical(["a", "b"])}
SEEDS = range(3)


def recommended(draft, action):
    """The edits of x that are not merely worth testing."""
    return [each for each in edits(draft, action, "x") if each.tier is Tier.RECOMMENDED]


def space(**options):
    return SearchSpace(OTHERS | options)


def rest(params):
    """What the other parameters cost: their best values lie well inside."""
    return 0.02 * (params["depth"] - 6) ** 2 + 0.1 * (params["kind"] == "b")


def towards(target):
    """A loss that falls until x reaches the target, in decades or as it is."""
    log = isinstance(target, float)

    def loss(params):
        x = math.log10(params["x"]) if log else params["x"]
        return abs(x - (math.log10(target) if log else target)) + rest(params)

    return loss


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("parameter", "target", "side"),
    [
        (Float(1e-4, 1e-2, log=True), 0.3, "high"),
        (Float(1e-2, 1.0, log=True), 1e-4, "low"),
        (Float(0, 10), 25, "high"),
        (Float(10, 20), -15, "low"),
        (Int(10, 20), 40, "high"),
        (Int(10, 20), -10, "low"),
        (Int(64, 512, log=True), 4000.0, "high"),
        (Float(0, 10, step=0.5), 25, "high"),
    ],
    ids=str,
)
def test_widens_on_the_side_where_the_optimum_lies(parameter, target, side, seed):
    draft = advised(tuned(space(x=parameter), noisy(towards(target), 0.05, seed), 50, seed))
    edit = max(recommended(draft, "widen"), key=lambda edit: edit.stability)
    assert getattr(edit, "low" if side == "high" else "high") is None
    bound, old = getattr(edit, side), getattr(parameter, side)
    assert bound > old if side == "high" else bound < old
    assert edit.stability >= 0.8


@pytest.mark.parametrize("seed", SEEDS)
def test_leaves_a_range_alone_whose_optimum_lies_inside(seed):
    searched = space(x=Float(-10, 10))
    draft = advised(tuned(searched, noisy(towards(1), 0.2, seed), 60, seed))
    assert recommended(draft, "widen") == []


@pytest.mark.parametrize("seed", SEEDS)
def test_is_not_led_by_a_crowd_of_trials_at_an_edge_that_scores_no_better(seed):
    def loss(params):
        return 0.3 * (params["y"] - 0.5) ** 2 + rest(params)

    searched = space(x=Float(0, 10), y=Float(0, 1))
    history = tuned(searched, noisy(loss, 0.01, seed), 60, seed)
    for trial in history.trials[20:]:
        trial.params["x"] = 9.0 + (trial.number % 10) / 10
    assert recommended(advised(history), "widen") == []


def test_a_hard_bound_is_told_and_not_crossed():
    searched = space(x=Float(1e-4, 1e-2, log=True, hard_high=1e-2))
    draft = advised(tuned(searched, towards(0.3), 50))
    assert recommended(draft, "widen") == []
    assert "left alone: x: the good trials lean on 0.01, which is a hard bound" in said(draft)


def test_stops_at_a_hard_bound_further_out():
    searched = space(x=Float(1e-4, 1e-2, log=True, hard_high=2e-2))
    (edit,) = recommended(advised(tuned(searched, towards(0.3), 50)), "widen")
    assert edit.high == 2e-2


@pytest.mark.parametrize("side", ["low", "high"])
@pytest.mark.parametrize("seed", SEEDS)
def test_leaves_an_edge_alone_at_which_trials_fail(side, seed):
    def fails(params):
        near = math.log10(params["x"]) + 4
        return (near > 1.6 if side == "high" else near < 0.4) and hash(params["x"]) % 4 > 0

    searched = space(x=Float(1e-4, 1e-2, log=True))
    target = 0.3 if side == "high" else 1e-6
    draft = advised(tuned(searched, towards(target), 100, seed, fails=fails, crowd=False))
    assert recommended(draft, "widen") == []
    assert "trials fail more often there than elsewhere" in said(draft)


def test_a_share_is_not_widened_beyond_one():
    draft = advised(tuned(space(x=Float(0.5, 1)), towards(2), 50))
    assert recommended(draft, "widen") == []
    assert "x: the good trials lean on 1, which looks like a natural limit" in said(draft)


def test_a_locked_parameter_is_left_as_it_is():
    draft = advised(tuned(space(x=Float(0, 10, locked=True)), towards(25), 50))
    assert all(getattr(edit, "parameter", None) != "x" for edit in draft.edits)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_default_is_no_obstacle_to_widening(seed):
    searched = space(x=Float(1e-4, 1e-2, log=True, default=1e-3))
    draft = advised(tuned(searched, towards(0.3), 50, seed))
    (edit,) = recommended(draft, "widen")
    assert edit.high > 1e-2
