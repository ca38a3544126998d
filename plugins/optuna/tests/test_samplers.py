"""What these samplers do beyond the contract."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from random import Random
from typing import Any

import optuna
import pytest

import tunesmith_optuna
from tunesmith.components import Sampler
from tunesmith.errors import PluginError
from tunesmith.limits import all_judged
from tunesmith.parameters import Categorical, Float, Int
from tunesmith.space import Params, SearchSpace
from tunesmith.trial import Direction, Goal, Step, Trial, TrialState, best_trial
from tunesmith_optuna import CmaEs, Gp, Nsga2, Qmc, Tpe
from tunesmith_optuna._study import distribution, nearest

LOSS = (Goal("loss", Direction.MINIMIZE),)
TWO = (*LOSS, Goal("size", Direction.MAXIMIZE))
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


def complete(number: int, params: Params, loss: float, size: float = 0.0) -> Trial:
    return Trial(number, 1, params, TrialState.COMPLETE, {"loss": loss, "size": size})


def play(
    sampler: Sampler, space: SearchSpace, loss: Callable[[Params], float], count: int, seed: int = 0
) -> list[float]:
    sampler.start(space, LOSS, seed)
    losses = []
    for number in range(count):
        (params,) = sampler.ask([number]) or []
        losses.append(loss(params))
        sampler.tell([complete(number, params, losses[-1])])
    return losses


@pytest.mark.parametrize(
    ("sampler", "space", "goals", "message"),
    [
        (CmaEs(), PLANE, TWO, "sampler 'cmaes' has one goal, not 2; use 'nsga2' or 'tpe'"),
        (CmaEs(), LETTERS, LOSS, "sampler 'cmaes' needs a number in the space; use 'tpe'"),
        (CmaEs(population=1), PLANE, LOSS, "population 1 is no generation; take 2 or more"),
        (CmaEs(extra={"with_margin": True}), PLANE, LOSS, "'with_margin' cannot learn from"),
        (Tpe(candidates=0), PLANE, LOSS, "candidates 0 leaves none to choose"),
        (Tpe(extra={"gama": 1}), PLANE, LOSS, "Optuna's TPESampler refuses its options: .*'gama'"),
        (Tpe(extra={"seed": 1}), PLANE, LOSS, "extra 'seed' is an option with a name of its own"),
        (Tpe(extra={"n_startup_trials": 1}), PLANE, LOSS, "extra 'n_startup_trials' is an option"),
        (Nsga2(population=1), PLANE, LOSS, "Optuna's NSGAIISampler refuses its options"),
        (Nsga2(mutation_probability=0.1, extra={"mut": 1}), PLANE, LOSS, "'mut'"),
        (Nsga2(population=2, crossover="spx"), PLANE, LOSS, "population size should be greater"),
        (Qmc(extra={"bit": 3}), PLANE, LOSS, "scipy's sobol refuses its options: .*'bit'"),
        (Qmc(sequence="halton", extra={"bits": 3}), PLANE, LOSS, "scipy's halton refuses"),
    ],
)
def test_what_a_sampler_cannot_do_is_refused(
    sampler: Sampler, space: SearchSpace, goals: Sequence[Goal], message: str
) -> None:
    with pytest.raises(PluginError, match=message):
        sampler.start(space, goals, 0)


def test_gp_without_torch_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        tunesmith_optuna, "find_spec", lambda name: None if name == "torch" else find_spec(name)
    )
    with pytest.raises(PluginError, match=r"install 'tunesmith-optuna\[gp\]'"):
        Gp().start(PLANE, LOSS, 0)


@pytest.mark.parametrize(
    "sampler",
    [
        Tpe(startup_trials=2, candidates=5, multivariate=False, constant_liar=False),
        CmaEs(population=4, separable=True, extra={"n_startup_trials": 2}),
        CmaEs(learning_rate_adaptation=True),
        *(
            Nsga2(population=4, crossover=kind, crossover_probability=0.5, mutation_probability=0.1)
            for kind in ("uniform", "blxalpha", "sbx", "vsbx", "spx", "undx")
        ),
        Nsga2(population=4, extra={"swapping_prob": 0.1}),
        Qmc(sequence="halton", scramble=False),
        Qmc(extra={"bits": 20}),
    ],
    ids=repr,
)
def test_options_reach_the_sampler_without_a_warning(sampler: Sampler) -> None:
    assert len(play(sampler, PLANE, lambda params: params["x"], 12)) == 12


@pytest.mark.parametrize("sampler", [Tpe(), CmaEs(), Nsga2(), Qmc()], ids=repr)
def test_optuna_says_nothing_and_is_left_as_it_was(
    sampler: Sampler, capfd: pytest.CaptureFixture[str]
) -> None:
    optuna.logging.set_verbosity(logging.INFO)  # another test may have made it quiet
    play(sampler, TREE, lambda params: params["z"], 25)
    assert optuna.logging.get_verbosity() == logging.INFO
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("sampler", [Tpe(), CmaEs(), Nsga2(population=10)], ids=repr)
def test_learns_parameters_that_do_not_always_apply(sampler: Sampler) -> None:
    def loss(params: Params) -> float:
        child = params["x"] if "x" in params else params["y"]
        return abs(child - 0.9) + abs(params["z"] - 0.1)

    drawn = [loss(TREE.sample(Random(number))) for number in range(1000)]
    last = [value for seed in range(4) for value in play(sampler, TREE, loss, 80, seed)[-20:]]
    assert sum(last) / len(last) < 0.75 * sum(drawn) / len(drawn)


@pytest.mark.parametrize("sampler", [Tpe(), CmaEs(), Nsga2(population=10)], ids=repr)
def test_learns_where_most_of_the_space_is_forbidden(sampler: Sampler) -> None:
    space = SearchSpace({"x": Float(0, 1), "y": Float(0, 1)}, constraints=["x + y <= 0.3"])

    def loss(params: Params) -> float:
        return (params["x"] - 0.25) ** 2 + (params["y"] - 0.2) ** 2

    drawn = [loss(space.sample(Random(number))) for number in range(300)]
    last = [value for seed in range(3) for value in play(sampler, space, loss, 120, seed)[-20:]]
    assert sum(last) / len(last) < 0.65 * sum(drawn) / len(drawn)


@pytest.mark.parametrize("sampler", [Tpe(), Nsga2(population=10)], ids=repr)
def test_two_goals_draw_it_to_the_front(sampler: Sampler) -> None:
    """Both goals want a small y and disagree about x."""
    sampler.start(PLANE, TWO, 0)
    heights = []
    for number in range(80):
        (params,) = sampler.ask([number]) or []
        heights.append(params["y"])
        loss, size = params["x"] + params["y"], params["x"] - params["y"]
        sampler.tell([complete(number, params, loss, size)])
    assert sum(heights[-20:]) / 20 < 0.3


@pytest.mark.parametrize("sampler", [CmaEs(), Nsga2(population=10)], ids=repr)
def test_trials_played_again_are_not_run_again(sampler: Sampler) -> None:
    told = [
        complete(number, params, params["x"])
        for number in range(30)
        if (params := PLANE.sample(Random(number)))
    ]
    sampler.start(PLANE, LOSS, 0)
    sampler.tell(told)
    known = [trial.params for trial in told]
    assert all(params not in known for params in sampler.ask(range(30, 36)) or [])


def test_a_full_generation_of_told_trials_has_children() -> None:
    told = [
        complete(number, params, params["x"])
        for number in range(10)
        if (params := PLANE.sample(Random(number)))
    ]
    sampler = Nsga2(population=10, mutation_probability=0.0)
    sampler.start(PLANE, LOSS, 0)
    sampler.tell(told)
    genes = {name: {trial.params[name] for trial in told} for name in ("x", "y")}
    for params in sampler.ask(range(10, 20)) or []:
        assert params["x"] in genes["x"]
        assert params["y"] in genes["y"]


def test_tpe_learns_from_the_course_of_pruned_trials() -> None:
    """All trials are pruned; where the last reported loss is low is all there is to learn."""
    sampler = Tpe()
    sampler.start(PLANE, LOSS, 0)
    places = []
    for number in range(60):
        (params,) = sampler.ask([number]) or []
        places.append(params["x"])
        steps = [Step("loss", 3, abs(params["x"] - 0.9)), Step("other", 4, 0.0)]
        sampler.tell([Trial(number, 1, params, TrialState.PRUNED, steps=steps)])
    assert sum(abs(place - 0.9) for place in places[-20:]) / 20 < 0.15


def test_params_changed_by_hand_count_as_they_were_run() -> None:
    sampler = Tpe(startup_trials=1)
    sampler.start(PLANE, LOSS, 0)
    for number in range(20):
        sampler.ask([number])
        params: Params = {"x": number / 20, "y": 0.5}
        sampler.tell([complete(number, params, abs(params["x"] - 0.9))])
    asked = sampler.ask(range(20, 30)) or []
    assert sum(params["x"] for params in asked) / 10 > 0.7


@pytest.mark.filterwarnings("ignore:QMCSampler is experimental")
def test_qmc_gives_the_points_of_optuna() -> None:
    space = {"x": optuna.distributions.FloatDistribution(-1, 3)} | {
        "y": optuna.distributions.FloatDistribution(1e-3, 1, log=True),
        "z": optuna.distributions.CategoricalDistribution(["a", "b", "c"]),
    }
    sampler = optuna.samplers.QMCSampler(scramble=False, seed=5)
    study = optuna.create_study(sampler=sampler)
    theirs = [
        sampler.sample_relative(study, study.ask()._get_latest_trial(), space) for _ in "abcd"
    ]
    ours = Qmc(scramble=False)
    ours.start(
        SearchSpace(
            {
                "x": Float(-1, 3),
                "y": Float(1e-3, 1, log=True),
                "z": Categorical(["a", "b", "c"]),
            }
        ),
        LOSS,
        5,
    )
    for mine, other in zip(ours.ask(range(4)) or [], theirs, strict=True):
        assert mine["z"] == other["z"]
        assert [mine["x"], mine["y"]] == pytest.approx([other["x"], other["y"]])


def test_qmc_points_belong_to_their_numbers() -> None:
    one, other = Qmc(), Qmc()
    one.start(TREE, LOSS, 1)
    other.start(TREE, LOSS, 1)
    points = one.ask(range(200)) or []
    assert other.ask([150, 3]) == [points[150], points[3]]


def test_qmc_stays_even_under_constraints() -> None:
    space = SearchSpace({"x": Float(0, 1), "y": Float(0, 1)}, constraints=["x < 0.5"])
    sampler = Qmc()
    sampler.start(space, LOSS, 0)
    asked = sampler.ask(range(64)) or []
    for cell in range(8):
        low, high = cell / 8, (cell + 1) / 8
        assert 6 <= sum(low <= params["y"] < high for params in asked) <= 10


@pytest.mark.parametrize("sampler", [Tpe(), CmaEs(), Nsga2(population=4), Qmc()], ids=repr)
def test_answers_where_hardly_anything_is_allowed(sampler: Sampler) -> None:
    space = SearchSpace({"x": Float(0, 1), "y": Float(0, 1)}, constraints=["x + y < 0.05"])
    assert len(play(sampler, space, lambda params: params["x"], 8)) == 8


@pytest.mark.parametrize(
    ("parameter", "kind"),
    [
        (Categorical([True, 1, None]), optuna.distributions.CategoricalDistribution((0, 1, 2))),
        (Categorical(["s", "m", "l"], ordered=True), optuna.distributions.IntDistribution(0, 2)),
        (Int(3, 20, step=4), optuna.distributions.IntDistribution(0, 4)),
        (Float(0.1, 0.75, step=0.1), optuna.distributions.IntDistribution(0, 6)),
        (Int(1, 99, log=True), optuna.distributions.IntDistribution(1, 99, log=True)),
        (Float(1e-3, 1, log=True), optuna.distributions.FloatDistribution(1e-3, 1, log=True)),
    ],
    ids=repr,
)
def test_each_parameter_has_its_form_in_optuna(parameter: Any, kind: object) -> None:
    assert distribution(parameter) == kind


LIMITS = ("ms <= 20",)
FAR = Trial(9, 1, {"x": 1.0, "y": 0.0}, TrialState.COMPLETE, {"loss": 0.0}, violation=0.5)


def measured(params: Params) -> dict[str, float]:
    """The loss falls towards (1, 0), beyond the limit; the best place that keeps it is (0.4, 0)."""
    x, y = float(params["x"]), float(params["y"])
    return {"loss": (1 - x) + y, "ms": 50 * x, "size": -y}


@pytest.mark.parametrize(
    ("sampler", "goals", "count"),
    [
        (Tpe(), LOSS, 80),
        (Tpe(multivariate=False), LOSS, 80),
        (Tpe(), TWO, 100),
        (Nsga2(population=10, crossover="blxalpha"), LOSS, 150),
        (Nsga2(population=10, crossover="blxalpha"), TWO, 300),
        (CmaEs(population=6), LOSS, 120),
        (CmaEs(population=6), (Goal("loss", Direction.MAXIMIZE),), 120),
        (Gp(), LOSS, 25),
    ],
    ids=repr,
)
def test_a_limit_is_kept_and_approached(
    sampler: Sampler, goals: tuple[Goal, ...], count: int
) -> None:
    if isinstance(sampler, Gp):
        pytest.importorskip("torch")
    sign = -1 if goals[0].direction is Direction.MAXIMIZE else 1
    for seed in range(2):
        sampler.start(PLANE, goals, seed)
        trials: list[Trial] = []
        for number in range(count):
            (params,) = sampler.ask([number]) or []
            found = {**measured(params), "loss": sign * measured(params)["loss"]}
            trial = Trial(number, 1, params, TrialState.COMPLETE, found)
            trials += all_judged([trial], LIMITS)
            sampler.tell(trials[-1:])
        kept = [not trial.violation for trial in trials]
        assert sum(kept[count // 2 :]) > 0.5 * len(kept[count // 2 :])
        best = best_trial(trials, goals)
        assert best and 0.6 <= sign * best.metrics["loss"] < 0.7
        assert min(sign * trial.metrics["loss"] for trial in trials) < 0.6


@pytest.mark.parametrize(
    "sampler", [Tpe(startup_trials=1), Nsga2(population=5), CmaEs(population=5)], ids=repr
)
def test_trials_told_count_by_their_violation(sampler: Sampler) -> None:
    def mean(violation: float) -> float:
        """The mean x that it asks for after a lesson whose better half may break limits."""
        xs: list[float] = []
        for seed in range(3):
            sampler.start(PLANE, LOSS, seed)
            drawn = [PLANE.sample(Random(number)) for number in range(60)]
            for number, params in enumerate(drawn):
                x = float(params["x"])
                trial = complete(number, params, 1 - x)
                sampler.tell([replace(trial, violation=violation * (x > 0.5))])
            for number in range(1000, 1010):
                (params,) = sampler.ask([number]) or []
                xs.append(float(params["x"]))
        return sum(xs) / len(xs)

    assert mean(0.5) < mean(0.0) - 0.2


def test_a_constraint_is_on_all_trials_from_the_first_that_breaks_a_limit() -> None:
    sampler = Tpe()
    sampler.start(PLANE, LOSS, 0)
    sampler.tell([complete(0, {"x": 0.1, "y": 0.2}, 1.0)])
    (params,) = sampler.ask([1]) or []
    sampler.tell([complete(1, params, 1.0)])
    assert [trial.constraints for trial in sampler._study._study.trials] == [{}, {}]
    sampler.tell([FAR])
    (params,) = sampler.ask([2]) or []
    sampler.tell([complete(2, params, 1.0)])
    found = [trial.constraints["limits"] for trial in sampler._study._study.trials]
    assert found == [0, 0, 0.5, 0]


def test_nearest_keeps_the_choice_and_moves_the_number() -> None:
    space = SearchSpace(
        {"kind": Categorical(["a", "b"]), "x": Float(0, 1)}, constraints=["x <= 0.5"]
    )
    found = nearest(space, {"kind": "b", "x": 0.9}, Random(0))
    assert found["kind"] == "b"
    assert 0.45 < found["x"] <= 0.5
