"""Scales that are wrong, and those that only look so."""

import math

import pytest
from trials import advised, edits, history, noisy, sampled, tuned

from tunesmith.parameters import Categorical, Float, Int
from tunesmith.space import SearchSpace
from tunesmith.trial import TrialState

OTHERS = {"depth": Int(1, 12), "kind": Categorical(["a", "b"])}
SEEDS = range(3)


def rest(params):
    return 0.02 * (params["depth"] - 6) ** 2 + 0.1 * (params["kind"] == "b")


def decades(params):
    """Best at 0.01, and a decade away as bad on either side."""
    return abs(math.log10(params["x"] or 1e-9) + 2) + rest(params)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("crowd", [False, True])
def test_a_range_over_decades_gets_a_logarithmic_scale(seed, crowd):
    searched = SearchSpace(OTHERS | {"x": Float(0.0001, 1)})
    draft = advised(tuned(searched, noisy(decades, 0.1, seed), 80, seed, crowd=crowd))
    (edit,) = edits(draft, "set_scale", "x")
    assert edit.log
    assert edit.low is None
    assert edit.stability > 0.8


def test_the_scale_is_repaired_before_anything_is_cut():
    searched = SearchSpace(OTHERS | {"x": Float(0.0001, 10)})
    draft = advised(tuned(searched, decades, 100, crowd=False))
    order = [edit.action for edit in draft.edits if getattr(edit, "parameter", None) == "x"]
    assert order[0] == "set_scale"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_logarithmic_scale_stays_where_the_score_follows_the_logarithm(seed):
    searched = SearchSpace(OTHERS | {"x": Float(0.0001, 1, log=True)})
    draft = advised(tuned(searched, noisy(decades, 0.1, seed), 80, seed))
    assert edits(draft, "set_scale") == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_linear_scale_stays_where_the_score_follows_the_value(seed):
    searched = SearchSpace(OTHERS | {"x": Float(1, 20)})
    loss = noisy(lambda params: (params["x"] - 14) ** 2 / 50 + rest(params), 0.05, seed)
    assert edits(advised(tuned(searched, loss, 80, seed)), "set_scale") == []


def test_a_range_from_zero_gets_a_floor_only_on_strong_evidence():
    def sharp(params):
        return abs(math.log10(params["x"] or 1e-9) + 2)

    searched = SearchSpace({"x": Float(0, 1)})
    weak = history(searched, sampled(searched, noisy(sharp, 1.0), 40, crowd=False))
    assert edits(advised(weak), "set_scale") == []
    strong = tuned(searched, sharp, 300, crowd=True)
    found = edits(advised(strong), "set_scale", "x")
    for edit in found:
        least = min(trial.params["x"] for trial in strong.trials if trial.params["x"] > 0)
        assert 0 < edit.low < least
    assert found
    assert draft_says(strong, "standard_errors") > 4


def draft_says(given, number):
    (found,) = [each for each in advised(given).evidence if each.kind == "scale"]
    return found.numbers[number]


def test_zero_stays_where_a_good_trial_has_it():
    searched = SearchSpace({"x": Float(0, 1), "y": Float(0, 1)})
    trials = sampled(
        searched, lambda params: math.log10(params["x"] + 1e-3) + params["y"], 100, crowd=False
    )
    for trial in trials[::10]:
        trial.params["x"] = 0.0
        trial.metrics["loss"] = -3 + trial.params["y"]
    assert edits(advised(history(searched, trials)), "set_scale", "x") == []


def test_a_step_stays_on_its_linear_scale():
    searched = SearchSpace(OTHERS | {"x": Float(0.001, 1.001, step=0.01)})
    assert edits(advised(tuned(searched, decades, 80)), "set_scale", "x") == []


@pytest.mark.parametrize("smallest", [5e-324, 1e-300])
def test_the_smallest_numbers_there_are_do_no_harm(smallest):
    searched = SearchSpace({"x": Float(0, 1)})
    trials = sampled(searched, lambda params: params["x"], 60, crowd=False)
    trials[7].params["x"] = smallest
    assert all(trial.state is TrialState.COMPLETE for trial in trials)
    advised(history(searched, trials))


@pytest.mark.parametrize("seed", range(6))
def test_a_parameter_without_effect_keeps_its_scale(seed):
    searched = SearchSpace(OTHERS | {"x": Float(0, 1), "y": Float(1, 50), "z": Int(0, 40)})
    draft = advised(tuned(searched, noisy(rest, 0.02, seed), 200, seed, crowd=False))
    assert edits(draft, "set_scale") == []
