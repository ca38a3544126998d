"""What takes something away: narrow, drop_choice and fix, and when they must not."""

import math

import numpy as np
import pytest
from trials import advised, edits, history, noisy, said, sampled, tuned

from tunesmith.parameters import Categorical, Float, Int
from tunesmith.proposals import Tier
from tunesmith.space import SearchSpace

SEEDS = range(3)


def destructive(draft, parameter=None):
    """What would leave the space smaller."""
    found = [
        *edits(draft, "narrow", parameter),
        *edits(draft, "drop_choice", parameter),
        *edits(draft, "fix", parameter),
    ]
    return [edit for edit in found if edit.tier is Tier.RECOMMENDED]


def bowl(params):
    return (params["x"] - 0.25) ** 2 * 10 + (params["y"] - 0.5) ** 2


BOWL = SearchSpace({"x": Float(0, 1), "y": Float(0, 1)})


@pytest.mark.parametrize("seed", SEEDS)
def test_narrows_past_what_was_tried_evenly_and_held_nothing_good(seed):
    draft = advised(tuned(BOWL, noisy(bowl, 0.05, seed), 200, seed, crowd=False))
    (edit,) = [each for each in edits(draft, "narrow", "x") if each.tier is Tier.RECOMMENDED]
    assert edit.low is None
    assert 0.5 <= edit.high < 0.9
    assert edit.stability >= 0.8
    assert edit.what_if.best_kept == edit.what_if.best_of


@pytest.mark.parametrize("seed", SEEDS)
def test_does_not_narrow_what_a_sampler_merely_left_out(seed):
    def loss(params):
        # better still beyond 0.6, where nobody looks
        return min(bowl(params), 3 * (params["x"] - 0.8) ** 2 - 0.5)

    random = np.random.default_rng(seed)
    trials = sampled(BOWL, bowl, 80, seed, crowd=False)
    for trial in trials:
        trial.params["x"] = float(random.uniform(0, 0.6))
        trial.metrics["loss"] = loss(trial.params)
    assert [edit.high for edit in destructive(advised(history(BOWL, trials)), "x")] in ([], [None])


def test_says_how_many_trials_more_a_cut_takes():
    trials = sampled(BOWL, bowl, 60, crowd=False)
    for trial in trials:
        if trial.params["x"] > 0.6 and trial.number % 4:
            trial.params["x"] *= 0.5
            trial.metrics["loss"] = bowl(trial.params)
    draft = advised(history(BOWL, trials))
    assert destructive(draft, "x") == []
    (note,) = [each for each in draft.notes if each.sentence.startswith("x above")]
    assert note.kind == "not enough evidence"
    assert 0 < note.trials < 14


@pytest.mark.parametrize("seed", SEEDS)
def test_keeps_both_of_two_good_regions(seed):
    def loss(params):
        return min((params["x"] - 0.1) ** 2, (params["x"] - 0.9) ** 2 + 0.005) * 10 + params["y"]

    draft = advised(tuned(BOWL, noisy(loss, 0.05, seed), 150, seed))
    assert destructive(draft, "x") == []


@pytest.mark.parametrize("seed", SEEDS)
def test_never_cuts_off_the_default_or_the_best(seed):
    searched = SearchSpace({"x": Float(0, 1, default=0.95), "y": Float(0, 1)})
    draft = advised(tuned(searched, noisy(bowl, 0.05, seed), 150, seed))
    assert all((edit.high or 1) >= 0.95 for edit in edits(draft, "narrow", "x"))


@pytest.mark.parametrize("seed", SEEDS)
def test_coupled_parameters_are_told_and_not_cut_across_the_valley(seed):
    def valley(params):
        return 20 * (params["x"] + params["y"] - 1) ** 2

    draft = advised(tuned(BOWL, noisy(valley, 0.05, seed), 120, seed, crowd=False))
    assert destructive(draft) == []
    assert "x and y depend on one another" in said(draft)


@pytest.mark.parametrize("seed", SEEDS)
def test_separate_parameters_are_not_called_coupled(seed):
    draft = advised(tuned(BOWL, noisy(bowl, 0.05, seed), 120, seed, crowd=False))
    assert "depend on one another" not in said(draft)


OPTIMIZERS = Categorical(["adam", "sgd", "lion", "rprop"])


def bad_sgd(params):
    return (params["x"] - 0.4) ** 2 + {"sgd": 1.0, "rprop": 0.1}.get(params["optimizer"], 0)


@pytest.mark.parametrize("seed", SEEDS)
def test_drops_a_choice_that_was_tried_often_and_never_good(seed):
    searched = SearchSpace({"x": Float(0, 1), "optimizer": OPTIMIZERS})
    draft = advised(tuned(searched, noisy(bad_sgd, 0.05, seed), 120, seed, crowd=False))
    (edit,) = edits(draft, "drop_choice")
    assert edit.choices == ("sgd",)
    assert (edit.tier is Tier.RECOMMENDED) == (edit.stability >= 0.8)


@pytest.mark.parametrize("seed", SEEDS)
def test_keeps_a_bad_choice_that_is_the_default_or_was_tried_seldom(seed):
    default = SearchSpace(
        {"x": Float(0, 1), "optimizer": Categorical(list(OPTIMIZERS.choices), default="sgd")}
    )
    draft = advised(tuned(default, noisy(bad_sgd, 0.05, seed), 120, seed, crowd=False))
    assert all("sgd" not in edit.choices for edit in edits(draft, "drop_choice"))

    seldom = SearchSpace({"x": Float(0, 1), "optimizer": OPTIMIZERS})
    trials = sampled(seldom, bad_sgd, 60, seed, crowd=False)
    for trial in trials[5:]:
        if trial.params["optimizer"] == "sgd":
            trial.params["optimizer"] = "adam"
            trial.metrics["loss"] = bad_sgd(trial.params)
    dropped = edits(advised(history(seldom, trials)), "drop_choice")
    assert all("sgd" not in edit.choices for edit in dropped)


@pytest.mark.parametrize("seed", SEEDS)
def test_keeps_a_choice_whose_mean_is_bad_and_whose_best_is_good(seed):
    def fickle(params):
        sgd = params["optimizer"] == "sgd"
        return (params["x"] - 0.4) ** 2 * (30 if sgd else 1) - 0.01 * sgd

    searched = SearchSpace({"x": Float(0, 1), "optimizer": OPTIMIZERS})
    draft = advised(tuned(searched, fickle, 150, seed, crowd=False))
    assert all("sgd" not in edit.choices for edit in edits(draft, "drop_choice"))


def test_two_choices_stay_at_least():
    def only_a(params):
        return params["x"] + (params["kind"] != "a")

    searched = SearchSpace({"x": Float(0, 1), "kind": Categorical(["a", "b"])})
    assert edits(advised(tuned(searched, only_a, 150, crowd=False)), "drop_choice") == []


SEVERAL = SearchSpace(
    {
        "lr": Float(1e-4, 1, log=True),
        "depth": Int(1, 12),
        "dead": Float(0, 1),
        "lr_schedule": Categorical(["flat", "cosine", "steps"]),
    }
)


def several(params):
    schedule = {"flat": 0, "cosine": 0.5, "steps": 1}[params["lr_schedule"]]
    return (math.log10(params["lr"]) + 2) ** 2 + 0.1 * (params["depth"] - 6) ** 2 + schedule


@pytest.mark.parametrize("count", [50, 120])
@pytest.mark.parametrize("sigma", [0, 0.5])
@pytest.mark.parametrize("seed", SEEDS)
def test_never_fixes_what_matters(seed, sigma, count):
    draft = advised(tuned(SEVERAL, noisy(several, sigma, seed), count, seed))
    assert {edit.parameter for edit in edits(draft, "fix")} <= {"dead"}


@pytest.mark.parametrize("seed", SEEDS)
def test_fixes_what_makes_no_difference_once_there_are_trials_enough(seed):
    draft = advised(tuned(SEVERAL, noisy(several, 0.1, seed), 1200, seed, crowd=False))
    (edit,) = edits(draft, "fix")
    assert edit.parameter == "dead"
    assert 0.9 <= edit.stability <= 1
    (evidence,) = [each for each in draft.evidence if each.id in edit.evidence]
    assert evidence.numbers["difference_high"] < evidence.numbers["rope"]
    assert evidence.numbers["importance_high"] < 0.02


@pytest.mark.parametrize("seed", SEEDS)
def test_does_not_fix_what_matters_only_together_with_another(seed):
    def crossed(params):
        return (params["x"] - 0.5) * (params["dead"] - 0.5) * 4 + params["y"]

    searched = SearchSpace({"x": Float(0, 1), "y": Float(0, 1), "dead": Float(0, 1)})
    draft = advised(tuned(searched, noisy(crossed, 0.02, seed), 300, seed, crowd=False))
    assert edits(draft, "fix") == []


def test_does_not_fix_what_was_hardly_varied():
    trials = sampled(SEVERAL, several, 400, crowd=False)
    for trial in trials:
        trial.params["dead"] = 0.5 + trial.params["dead"] / 10
    assert edits(advised(history(SEVERAL, trials)), "fix") == []


def test_what_matters_under_one_choice_only_is_told():
    def branched(params):
        return (params["x"] - 0.3) ** 2 * 4 * (params["kind"] == "a") + 0.2 * params["y"]

    searched = SearchSpace({"kind": Categorical(["a", "b"]), "x": Float(0, 1), "y": Float(0, 1)})
    draft = advised(tuned(searched, noisy(branched, 0.02), 300, crowd=False))
    assert "x matters where kind = 'a' and hardly where kind = 'b'" in said(draft)
    assert "y matters where" not in said(draft)
