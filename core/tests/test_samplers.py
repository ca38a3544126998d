"""The samplers of the core."""

from collections.abc import Sequence

import pytest

from tunesmith.errors import PluginError
from tunesmith.parameters import Categorical, Float, Int
from tunesmith.samplers import Grid, Random
from tunesmith.space import Params, SearchSpace
from tunesmith.testing import SamplerContract
from tunesmith.trial import Direction, Goal, Trial, TrialState

LOSS = (Goal("loss", Direction.MINIMIZE),)


class TestRandom(SamplerContract):
    make = staticmethod(lambda: Random())
    learns = False


class TestGrid(SamplerContract):
    make = staticmethod(lambda: Grid(points=3))
    learns = False
    random = False
    exhausts = True


def grid(space: SearchSpace, told: Sequence[Params] = (), points: int = 3) -> list[Params]:
    sampler = Grid(points=points)
    sampler.start(space, LOSS, 0)
    sampler.tell([Trial(n, 1, params, TrialState.COMPLETE) for n, params in enumerate(told)])
    return sampler.ask(range(100)) or []


def test_grid_has_both_ends_the_middle_and_every_choice() -> None:
    space = SearchSpace({"x": Float(1, 100, log=True), "flag": Categorical([True, 1, None, "1"])})
    asked = grid(space)
    assert len(asked) == 12
    assert [params["x"] for params in asked[::4]] == pytest.approx([1, 10, 100])
    assert [params["flag"] for params in asked[:4]] == [True, 1, None, "1"]


def test_grid_has_inactive_parameters_once() -> None:
    space = SearchSpace(
        {"kind": Categorical(["a", "b"]), "x": Int(1, 3, when={"kind": "a"})},
        forbid=[{"x": 2}],
    )
    assert grid(space) == [{"kind": "a", "x": 1}, {"kind": "a", "x": 3}, {"kind": "b"}]


def test_grid_leaves_out_what_it_was_told_however_it_was_written() -> None:
    space = SearchSpace({"x": Float(0, 2), "flag": Categorical([True, 1])})
    told: list[Params] = [{"flag": True, "x": 0}, {"flag": 1, "x": 2.0}]
    assert grid(space, told) == [
        {"x": 0.0, "flag": 1},
        {"x": 1.0, "flag": True},
        {"x": 1.0, "flag": 1},
        {"x": 2.0, "flag": True},
    ]


def test_grid_of_no_points_is_refused() -> None:
    with pytest.raises(PluginError, match="points 0 gives no grid; take 2 or more"):
        grid(SearchSpace({"x": Float(0, 1)}), points=0)


def test_random_params_depend_on_seed_and_number_alone() -> None:
    space = SearchSpace({"x": Float(0, 1)})
    one, other = Random(), Random()
    one.start(space, LOSS, 5)
    other.start(space, LOSS, 5)
    together = one.ask([3, 4, 5])
    assert [params for n in (5, 3, 4) for params in other.ask([n]) or []] == [
        together[2],
        together[0],
        together[1],
    ]
