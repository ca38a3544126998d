"""What these samplers do beyond the contract."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

import pytest

from tunesmith.components import Sampler
from tunesmith.errors import PluginError
from tunesmith.limits import all_judged
from tunesmith.parameters import Categorical, Float, Int
from tunesmith.space import Params, SearchSpace
from tunesmith.trial import Direction, Goal, Trial, TrialState, best_trial, pareto_front
from tunesmith_deap import Cma, De, DeapNsga2, Ga, Nsga3

LOSS = (Goal("loss", Direction.MINIMIZE),)
TWO = (*LOSS, Goal("size", Direction.MAXIMIZE))
THREE = (*TWO, Goal("cost", Direction.MINIMIZE))
PLANE = SearchSpace({"x": Float(0, 1), "y": Float(0, 1)})
LETTERS = SearchSpace({"kind": Categorical(["a", "b"])})
TREE = SearchSpace(
    {
        "kind": Categorical(["a", "b"]),
        "x": Float(0, 1, when={"kind": "a"}),
        "y": Float(0, 1, when={"kind": "b"}),
        "z": Float(0, 1),
    }
)
LARGE = SearchSpace({f"x{index}": Float(0, 1) for index in range(8)} | {"n": Int(1, 9)})
ALL = [Ga(), Ga(crossover="sbx", mutation="polynomial"), Ga(crossover="one_point"), De(), Cma()]


def complete(number: int, params: Params, **metrics: float) -> Trial:
    return Trial(number, 1, params, TrialState.COMPLETE, metrics)


def play(
    sampler: Sampler, space: SearchSpace, loss: Callable[[Params], float], count: int, seed: int = 0
) -> list[float]:
    sampler.start(space, LOSS, seed)
    losses = []
    for number in range(count):
        (params,) = sampler.ask([number]) or []
        losses.append(loss(params))
        sampler.tell([complete(number, params, loss=losses[-1])])
    return losses


@pytest.mark.parametrize(
    ("sampler", "space", "goals", "message"),
    [
        (Ga(), PLANE, TWO, "sampler 'ga' has one goal, not 2; use 'deap_nsga2' or 'nsga3'"),
        (De(), PLANE, TWO, "sampler 'de' has one goal"),
        (Cma(), PLANE, TWO, "sampler 'cma' has one goal"),
        (Cma(), LETTERS, LOSS, "sampler 'cma' needs a number in the space; use 'ga'"),
        (Cma(population=2), PLANE, LOSS, "population 2 is too small; take 4 or more"),
        (Cma(sigma=0.0), PLANE, LOSS, "sigma 0.0 is no share of a scale"),
        (Ga(population=3), PLANE, LOSS, "population 3 is too small; take 4 or more"),
        (Ga(tournament=0), PLANE, LOSS, "tournament 0 chooses nobody"),
        (Ga(mutation_probability=2.0), PLANE, LOSS, "mutation_probability 2.0 is no share"),
        (De(crossover_probability=-1.0), PLANE, LOSS, "crossover_probability -1.0 is no share"),
    ],
)
def test_what_a_sampler_cannot_do_is_refused(
    sampler: Sampler, space: SearchSpace, goals: Sequence[Goal], message: str
) -> None:
    with pytest.raises(PluginError, match=message):
        sampler.start(space, goals, 0)


@pytest.mark.parametrize("sampler", ALL, ids=repr)
def test_finds_the_bottom_of_a_bowl_of_nine_numbers(sampler: Sampler) -> None:
    def loss(params: Params) -> float:
        return sum((LARGE.parameters[name].position(x) - 0.7) ** 2 for name, x in params.items())

    drawn = sorted(loss(LARGE.sample(Random(number))) for number in range(1000))
    found = [min(play(sampler, LARGE, loss, 200, seed)) for seed in range(3)]
    assert sum(found) / 3 < drawn[2]


@pytest.mark.parametrize("sampler", ALL, ids=repr)
def test_learns_parameters_that_do_not_always_apply(sampler: Sampler) -> None:
    def loss(params: Params) -> float:
        child = params["x"] if "x" in params else params["y"]
        return abs(child - 0.9) + abs(params["z"] - 0.1)

    drawn = [loss(TREE.sample(Random(number))) for number in range(1000)]
    last = [value for seed in range(4) for value in play(sampler, TREE, loss, 80, seed)[-20:]]
    assert sum(last) / len(last) < 0.75 * sum(drawn) / len(drawn)


@pytest.mark.parametrize("sampler", ALL, ids=repr)
def test_learns_where_most_of_the_space_is_forbidden(sampler: Sampler) -> None:
    space = SearchSpace({"x": Float(0, 1), "y": Float(0, 1)}, constraints=["x + y <= 0.3"])

    def loss(params: Params) -> float:
        return (params["x"] - 0.25) ** 2 + (params["y"] - 0.2) ** 2

    drawn = [loss(space.sample(Random(number))) for number in range(300)]
    last = [value for seed in range(3) for value in play(sampler, space, loss, 150, seed)[-20:]]
    assert sum(last) / len(last) < 0.65 * sum(drawn) / len(drawn)


@pytest.mark.parametrize("sampler", [*ALL, DeapNsga2(), Nsga3()], ids=repr)
def test_no_worker_waits_for_a_generation(sampler: Sampler) -> None:
    """Fifty trials are in flight and only one ever ends at a time."""
    sampler.start(PLANE, LOSS, 0)
    flying = dict(enumerate(sampler.ask(range(50)) or []))
    assert len(flying) == 50
    for number in range(50, 120):
        done = number - 50 if number % 2 else max(flying)
        params = flying.pop(done, None) or flying.pop(min(flying))
        sampler.tell([complete(done, params, loss=float(params["x"]))])
        asked = sampler.ask([number])
        assert asked is not None and len(asked) == 1
        flying[number] = asked[0]
    latest = [float(flying[number]["x"]) for number in range(100, 120) if number in flying]
    assert sum(latest) / len(latest) < 0.45


@pytest.mark.parametrize("sampler", [Ga(), De(), DeapNsga2(), Cma()], ids=repr)
def test_a_told_history_is_the_first_population(sampler: Sampler) -> None:
    """Nothing is drawn at random any more: all of the first trials lie near the best ones told."""
    sampler.start(PLANE, LOSS, 0)
    told = [
        complete(number, params, loss=abs(params["x"] - 0.3) + abs(params["y"] - 0.6))
        for number, params in enumerate(PLANE.sample(Random(number)) for number in range(400))
    ]
    sampler.tell(told)
    asked = sampler.ask(range(400, 420)) or []
    near = [abs(params["x"] - 0.3) + abs(params["y"] - 0.6) < 0.35 for params in asked]
    assert sum(near) >= 15


@pytest.mark.parametrize(
    ("sampler", "goals"), [(DeapNsga2(), TWO), (Nsga3(), TWO), (Nsga3(), THREE)], ids=repr
)
def test_several_goals_draw_it_to_a_wide_front(sampler: Sampler, goals: tuple[Goal, ...]) -> None:
    """All goals want a small y and disagree about x."""
    sampler.start(PLANE, goals, 0)
    trials = []
    for number in range(160):
        (params,) = sampler.ask([number]) or []
        x, y = float(params["x"]), float(params["y"])
        metrics = {"loss": x + y, "size": x - y, "cost": (x - 0.5) ** 2 + y}
        trials.append(complete(number, params, **metrics))
        sampler.tell(trials[-1:])
    heights = [float(trial.params["y"]) for trial in trials[-40:]]
    assert sum(heights) / 40 < 0.2
    front = pareto_front(trials, goals)
    places = sorted(float(trial.params["x"]) for trial in front)
    assert len(front) >= 10 and places[0] < 0.25 and places[-1] > 0.75


@pytest.mark.parametrize(
    ("sampler", "goals"),
    [
        *((sampler, LOSS) for sampler in (Ga(), De(), Cma(), DeapNsga2(), Nsga3())),
        *((DeapNsga2(population=20), TWO), (Nsga3(population=20), THREE)),
    ],
    ids=repr,
)
def test_a_limit_is_kept_and_approached(sampler: Sampler, goals: tuple[Goal, ...]) -> None:
    """The loss falls towards (1, 0), beyond the limit; the best place that keeps it is (0.4, 0)."""
    for seed in range(2):
        sampler.start(PLANE, goals, seed)
        trials: list[Trial] = []
        for number in range(250):
            (params,) = sampler.ask([number]) or []
            x, y = float(params["x"]), float(params["y"])
            found = complete(number, params, loss=1 - x + y, ms=50 * x, size=-y, cost=y * y)
            trials += all_judged([found], ["ms <= 20"])
            sampler.tell(trials[-1:])
        assert sum(not trial.violation for trial in trials[-100:]) > 50
        best = best_trial(trials, goals)
        assert best and 0.6 <= best.metrics["loss"] < 0.7
        assert min(trial.metrics["loss"] for trial in trials) < 0.6


@pytest.mark.parametrize("sampler", [Ga(), De(), Cma(), DeapNsga2(), Nsga3()], ids=repr)
def test_what_breaks_limits_leads_the_way_where_nothing_keeps_them(sampler: Sampler) -> None:
    """The violation falls with x, and so does it in the trials told."""
    sampler.start(PLANE, LOSS, 0)
    drawn = [PLANE.sample(Random(number)) for number in range(100)]
    sampler.tell(
        [
            replace(complete(number, params, loss=1 - params["x"]), violation=0.1 + params["x"])
            for number, params in enumerate(drawn)
        ]
    )
    asked = sampler.ask(range(200, 220)) or []
    assert sum(float(params["x"]) for params in asked) / 20 < 0.35


def test_choices_are_learned_beside_the_numbers_of_cma() -> None:
    space = SearchSpace({"x": Float(0, 1), "kind": Categorical(list("abcdefgh"))})

    def loss(params: Params) -> float:
        return abs(float(params["x"]) - 0.3) + (params["kind"] != "c")

    last = play(Cma(), space, loss, 100)[-30:]
    assert sum(value < 1 for value in last) > 15


def test_cma_begins_anew_when_nothing_is_left_to_find() -> None:
    space = SearchSpace({"n": Int(1, 4), "x": Float(0, 1)})
    assert len(play(Cma(), space, lambda params: float(params["n"] != 2), 400)) == 400
