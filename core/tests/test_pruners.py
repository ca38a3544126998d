"""Which trials are ended early, and that it works wherever they run."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tuning import learning, study_of

from tunesmith.errors import ConfigError, PluginError
from tunesmith.loop import run
from tunesmith.objectives import Function
from tunesmith.plugins import installed
from tunesmith.pruners import Asha, Hyperband, Median, Patient, Threshold
from tunesmith.trial import Direction, Goal, Step, Trial, TrialState

GOAL = Goal("loss", Direction.MINIMIZE)


def curve(*losses, metric="loss"):
    return [Step(metric, number, loss) for number, loss in enumerate(losses, 1)]


def finished(number, *losses, state=TrialState.COMPLETE):
    return Trial(number, 1, {}, state, {"loss": losses[-1]}, curve(*losses))


def begun(pruner, *trials, goal=GOAL):
    pruner.start(goal, 0)
    pruner.tell(trials)
    return pruner


def test_asha_lets_the_best_third_of_each_rung_go_on():
    told = [finished(number, *[float(number)] * 9) for number in range(6)]
    rule = begun(Asha(), *told).rule(6)
    assert rule(curve(1.0)) is None and rule(curve(1.5))
    assert rule(curve(1.0, 9.0)) is None, "between rungs nothing is judged"
    assert rule(curve(1.0, 9.0, 1.0)) is None
    assert rule(curve(1.0, 9.0, 1.2)) == ("loss 1.2 at step 3; the best 1/3 had 1 or better")


def test_asha_waits_until_a_rung_has_enough_trials():
    rule = begun(Asha(), finished(0, 1.0), finished(1, 1.0)).rule(2)
    assert rule(curve(99.0)) is None


def test_a_trial_that_skips_a_rung_is_judged_where_it_gets_past_it():
    told = [finished(number, *[float(number)] * 9) for number in range(6)]
    rule = begun(Asha(min_step=2), *told).rule(6)
    assert rule([Step("loss", 5, 4.0)]) and rule([Step("loss", 5, 0.5)]) is None


def test_what_is_maximised_is_pruned_when_it_is_low():
    goal = Goal("loss", Direction.MAXIMIZE)
    told = [finished(number, *[float(number)] * 3) for number in range(6)]
    rule = begun(Asha(), *told, goal=goal).rule(6)
    assert rule(curve(4.0)) is None
    assert rule(curve(3.0)) == "loss 3 at step 1; the best 1/3 had 4 or better"


def test_hyperband_gives_some_trials_more_time():
    pruner = Hyperband(max_step=9)
    pruner.start(GOAL, 0)
    brackets = [pruner._bracket(number) for number in range(300)]
    assert set(brackets) == {0, 1, 2}
    assert brackets.count(0) > brackets.count(1) > brackets.count(2)
    pruner.tell([finished(number, *[1.0] * 9) for number in range(300)])
    late = brackets.index(2)
    assert pruner.rule(brackets.index(0))(curve(2.0))
    assert pruner.rule(late)(curve(*[2.0] * 8)) is None and pruner.rule(late)(curve(*[2.0] * 9))


def test_median_compares_the_best_so_far_after_enough_trials():
    told = [finished(number, 5.0, float(number)) for number in range(5)]
    rule = begun(Median(), *told).rule(5)
    assert rule(curve(5.0, 2.0)) is None and rule(curve(1.0, 9.0)) is None
    assert rule(curve(5.0, 3.0)) == "loss 3 at step 2; half of the other trials had 2 or better"
    assert begun(Median(), *told[:4]).rule(5)(curve(9.0, 9.0)) is None
    assert begun(Median(warmup=2), *told).rule(5)(curve(9.0)) is None


def test_patient_ends_what_has_stopped_getting_better():
    rule = begun(Patient(patience=2)).rule(0)
    assert rule(curve(3.0, 2.0, 1.0)) is None and rule(curve(1.0, 2.0)) is None
    assert rule(curve(1.0, 2.0, 1.0)) == "no better loss in 2 reports"
    assert begun(Patient(patience=1, min_delta=0.5)).rule(0)(curve(1.0, 0.6))


def test_threshold_ends_what_diverges():
    rule = begun(Threshold(high=10.0, warmup=2)).rule(0)
    assert rule(curve(99.0)) is None and rule(curve(1.0, 10.0)) is None
    assert rule(curve(1.0, 11.0)) == "loss 11 at step 2 is outside -inf to 10"
    assert rule(curve(1.0, math.nan))


def test_other_metrics_and_failed_trials_say_nothing():
    told = [finished(number, 0.0, state=TrialState.FAILED) for number in range(9)]
    for pruner in (Asha(), Median()):
        rule = begun(pruner, *told).rule(9)
        assert rule(curve(99.0)) is None
    rule = begun(Asha(), *[finished(number, 0.0) for number in range(9)]).rule(9)
    assert rule(curve(99.0, metric="seconds")) is None


@given(st.lists(st.floats(0, 10), min_size=9, max_size=30))
def test_the_best_trial_so_far_is_never_ended_by_comparison(losses):
    best = min(losses)
    trials = [finished(number, loss, loss, loss) for number, loss in enumerate(losses)]
    for pruner in (Asha(), Hyperband(max_step=3), Median()):
        rule = begun(pruner, *trials).rule(99)
        assert all(rule(curve(*[best] * length)) is None for length in (1, 2, 3))


@pytest.mark.parametrize(
    ("pruner", "wrong"),
    [
        (Asha(min_step=0), "min_step 0 is below 1"),
        (Asha(factor=1), "factor 1 keeps all trials"),
        (Hyperband(max_step=1), "max_step 1 is below min_step"),
        (Median(startup_trials=0), "startup_trials 0 is below 1"),
        (Patient(patience=0), "patience 0 is below 1"),
        (Threshold(low=1.0, high=0.0), "low 1.0 is not below high 0.0"),
    ],
)
def test_wrong_options_are_told(pruner, wrong):
    with pytest.raises(PluginError, match=wrong):
        pruner.start(GOAL, 0)


@pytest.mark.parametrize("use", ["inline", "threads", "processes"])
def test_pruned_trials_keep_their_curves_and_save_steps_on_every_executor(tmp_path, use):
    executor = {"use": use, "workers": 1 if use == "inline" else 2}
    study = study_of(tmp_path, executor=executor, pruner="asha", budget={"trials": 40})
    result = run(study, Function(function=learning))
    states = [trial.state for trial in result.trials]
    assert states.count(TrialState.PRUNED) >= 15 and states.count(TrialState.COMPLETE) >= 5
    for trial in result.trials:
        assert len(trial.steps) == 27 if trial.state is TrialState.COMPLETE else trial.steps
    pruned = [trial for trial in result.trials if trial.state is TrialState.PRUNED]
    assert all("the best 1/3" in trial.error and not trial.metrics for trial in pruned)
    assert sum(len(trial.steps) for trial in result.trials) < 0.7 * 40 * 27
    assert result.best.metrics["loss"] < 1


def test_a_resumed_round_judges_by_what_was_reported_before(tmp_path):
    study = study_of(tmp_path, executor="inline", pruner="asha", budget={"trials": 12})
    run(study, Function(function=learning))
    more = study_of(tmp_path, executor="inline", pruner="asha", budget={"trials": 14})
    result = run(more, Function(function=lambda params, trial: trial.report(1, 1e9) or 1e9))
    assert [trial.state for trial in result.trials[-2:]] == [TrialState.PRUNED] * 2


def test_a_pruner_has_one_goal(tmp_path):
    goals = {"loss": "minimize", "size": "maximize"}
    with pytest.raises(ConfigError, match="a pruner has one goal, not 2"):
        run(study_of(tmp_path, goals=goals, pruner="asha"), Function(function=learning))


def test_what_is_no_pruner_is_told():
    with pytest.raises(ConfigError, match="did you mean 'asha'"):
        installed().build("pruner", {"use": "ahsa"})
