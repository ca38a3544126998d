"""Histories that say nothing, or say it oddly: plain words, and never a traceback."""

import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from trials import advised, history, noisy, said, sampled, tuned

from tunesmith.parameters import Categorical, Float, Int
from tunesmith.space import SearchSpace
from tunesmith.trial import Direction, Goal, TrialState
from tunesmith_agent.statistical import Statistical

MIXED = SearchSpace(
    {
        "lr": Float(1e-4, 1e-2, log=True, default=1e-3),
        "momentum": Float(0, 0.99, when={"optimizer": "sgd"}),
        "depth": Int(1, 12),
        "batch": Int(16, 256, log=True),
        "dropout": Float(0, 0.5, step=0.1),
        "optimizer": Categorical(["adam", "sgd"]),
        "size": Categorical(["s", "m", "l"], ordered=True),
    }
)


def loss(params):
    return -math.log10(params["lr"]) + 0.1 * abs(params["depth"] - 6)


@pytest.mark.parametrize("count", [0, 1, 2, 11])
def test_few_trials_say_nothing_and_how_many_would(count):
    draft = advised(tuned(MIXED, loss, count))
    assert draft.edits == ()
    assert f"{count} scored trials lie in the space" in said(draft)
    assert [note.trials for note in draft.notes] == [12 - count]
    assert draft.exploration == 0


@pytest.mark.parametrize("count", [12, 13, 20])
def test_the_first_trials_that_may_say_something_raise_nothing(count):
    advised(tuned(MIXED, loss, count))


def test_equal_scores_say_nothing():
    draft = advised(tuned(MIXED, lambda params: 1.0, 60))
    assert draft.edits == ()
    assert "all 60 trials score the same: nothing to learn from" in said(draft)


def test_two_different_scores_do_no_harm():
    advised(tuned(MIXED, lambda params: float(params["depth"] > 6), 60))


def test_parameters_with_one_value_are_left_alone():
    searched = SearchSpace(
        {"a": Float(1, 1), "b": Int(3, 3), "c": Categorical(["only"]), "x": Float(0, 1)}
    )
    draft = advised(tuned(searched, lambda params: (params["x"] - 0.4) ** 2, 80, crowd=False))
    assert {getattr(edit, "parameter", None) for edit in draft.edits} <= {"x"}


def test_nothing_to_tune_is_no_error():
    searched = SearchSpace({"a": Float(1, 1), "b": Categorical(["only"])})
    assert advised(tuned(searched, noisy(lambda params: 0, 1), 40)).edits == ()


@pytest.mark.parametrize(
    "scale", [1e300, -1e300, 1e-300, 5e-324, 1e15], ids=lambda value: f"{value:g}"
)
def test_huge_and_tiny_scores_are_ranks_like_any_other(scale):
    advised(tuned(MIXED, lambda params: loss(params) * scale, 60))


def test_huge_and_tiny_ranges_are_ranges_like_any_other():
    searched = SearchSpace(
        {
            "huge": Float(1e290, 1e306, log=True),
            "tiny": Float(1e-307, 1e-290, log=True),
            "wide": Float(-4e306, 4e306),
            "whole": Int(1, 10**300),
            "near": Float(1.0, math.nextafter(1.0, 2)),
        }
    )
    advised(tuned(searched, lambda params: math.log10(params["huge"]), 60))


def test_a_spread_that_is_logged_with_the_metric_is_noise():
    trials = sampled(MIXED, loss, 60)
    for trial in trials:
        trial.metrics["loss_std"] = 1e300 if trial.number % 7 == 0 else 0.1
    advised(history(MIXED, trials))


def test_metrics_that_are_no_number_or_not_there_are_left_out():
    trials = sampled(MIXED, loss, 60)
    for trial in trials[::3]:
        trial.metrics["loss"] = [math.nan, math.inf, -math.inf][trial.number % 9 // 3]
    trials[1].metrics.clear()
    draft = advised(history(MIXED, trials))
    assert draft.evidence[0].trials == 39


def test_pruned_trials_are_neither_scored_nor_failed():
    trials = sampled(MIXED, loss, 60)
    trials = [
        replace(trial, state=TrialState.PRUNED) if trial.number % 2 else trial for trial in trials
    ]
    assert advised(history(MIXED, trials)).evidence[0].trials == 30


def test_what_was_left_out_is_told():
    why = "round 1 with 40 trials: not the same dataset"
    draft = advised(history(MIXED, sampled(MIXED, loss, 40), excluded=[why]))
    assert f"left out: {why}" in said(draft)


def test_several_goals_are_ranked_by_front():
    goals = (Goal("loss", Direction.MINIMIZE), Goal("size", Direction.MAXIMIZE))
    trials = sampled(MIXED, loss, 80)
    for trial in trials:
        trial.metrics["size"] = float(trial.params["depth"])
        trial.metrics["size_std"] = 0.1
    advised(history(MIXED, trials, goals=goals))


@pytest.mark.parametrize("share", [0.02, 0.1])
def test_a_parameter_that_is_mostly_absent_does_no_harm(share):
    searched = SearchSpace(
        {
            "x": Float(0, 1),
            "switch": Float(0, 1),
            "rare": Float(1e-3, 1, log=True, when=f"switch < {share}"),
            "rarer": Categorical(["a", "b"], when="rare > 0.1"),
        }
    )
    draft = advised(tuned(searched, lambda params: params["x"] + params["switch"], 80, crowd=False))
    touched = [edit for edit in draft.edits if edit.parameter in ("rare", "rarer")]
    assert all(edit.action == "widen" for edit in touched)


@pytest.mark.parametrize("parameter", list(MIXED.parameters))
def test_one_parameter_is_a_space(parameter):
    searched = SearchSpace({parameter: replace(MIXED.parameters[parameter], when=None)})
    only = searched.parameters[parameter]
    advised(tuned(searched, lambda params: only.position(params[parameter]), 50))


def test_twenty_parameters_are_a_space_too():
    searched = SearchSpace(
        {f"p{index}": Float(0, 1) for index in range(15)}
        | {f"c{index}": Categorical(["a", "b", "c"]) for index in range(5)}
    )
    draft = advised(tuned(searched, lambda params: abs(params["p3"] - 0.5), 100))
    assert not [edit for edit in draft.edits if edit.action == "fix"]


def test_trials_of_other_spaces_than_the_present_one_do_not_count():
    other = SearchSpace({**MIXED.parameters, "lr": Float(1.0, 10.0, log=True)})
    draft = advised(history(MIXED, sampled(other, loss, 40), original=MIXED))
    assert "0 scored trials lie in the space" in said(draft)


def dealt(seed):
    """Random spaces and sizes, and scores that have nothing to do with any parameter."""
    random = Random(seed)
    count = random.choice([25, 40, 60, 90])
    trials = sampled(MIXED, loss, count, seed, crowd=seed % 2 == 0)
    scores = [trial.metrics["loss"] for trial in trials]
    random.shuffle(scores)
    for trial, score in zip(trials, scores, strict=True):
        trial.metrics["loss"] = score
    return history(MIXED, trials, seed=seed)


@pytest.mark.slow
def test_permuted_scores_lead_to_edits_in_at_most_one_of_twenty_histories():
    found = [seed for seed in range(60) if Statistical().advise(dealt(seed)).edits]
    assert len(found) <= 3, found


def test_the_same_history_and_seed_give_the_same_draft_in_any_process():
    script = (
        "import json; from test_statistics_abstains import dealt_not; "
        "from tunesmith_agent.statistical import Statistical; "
        "print(Statistical().advise(dealt_not()).model_dump_json())"
    )
    here = Statistical().advise(dealt_not()).model_dump_json()
    again = Statistical().advise(dealt_not()).model_dump_json()
    run = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parent,
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert here == again
    assert json.loads(run.stdout) == json.loads(here)
    assert json.loads(here)["edits"]


def dealt_not():
    def fails(params):
        return params["batch"] > 180 and params["depth"] > 8

    return tuned(MIXED, noisy(loss, 0.1), 120, fails=fails)


def test_the_draft_does_not_depend_on_what_was_asked_before():
    first = Statistical().advise(dealt_not())
    Statistical().advise(dealt(1))
    assert Statistical().advise(dealt_not()) == first
