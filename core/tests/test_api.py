"""Tuning from Python: `tune` and `open_study`."""

import pytest

from tunesmith import Categorical, Float, Int, Pruned, SearchSpace, TunesmithError, tune
from tunesmith.api import open_study
from tunesmith.errors import ConfigError, RoundFailedError
from tunesmith.trial import TrialState

SPACE = {"x": Float(-2, 2), "n": Int(1, 3), "kind": Categorical(["a", "b"])}


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNESMITH_STORE", raising=False)


def loss(params):
    return params["x"] ** 2 + params["n"]


def test_tunes_a_function():
    result = tune(loss, SPACE, trials=20)
    assert len(result.trials) == 20
    assert result.best.metrics["loss"] == min(trial.metrics["loss"] for trial in result.trials)
    assert set(result.best.params) == {"x", "n", "kind"}


def test_takes_a_space_with_rules_and_a_function_that_wants_the_trial():
    def report(params, trial):
        for step in range(3):
            trial.report(step, params["x"] + step)
        return params["x"]

    space = SearchSpace({"x": Float(-2, 2)}, constraints=["x > 0"])
    result = tune(report, space, trials=3, goals={"x": "maximize"})
    assert all(trial.params["x"] > 0 for trial in result.trials)
    steps = result.trials[0].steps
    assert [(step.metric, step.step) for step in steps] == [("x", 0), ("x", 1), ("x", 2)]


def test_an_unnamed_study_is_always_new_and_a_named_one_goes_on():
    assert tune(loss, SPACE, trials=3).new_trials == 3
    assert tune(loss, SPACE, trials=3).new_trials == 3
    assert tune(loss, SPACE, trials=3, name="mine").new_trials == 3
    again = tune(loss, SPACE, trials=5, name="mine")
    assert (again.new_trials, len(again.trials)) == (2, 5)


def test_takes_the_options_of_a_study_file():
    result = tune(
        loss,
        SPACE,
        trials=None,
        sampler={"use": "grid", "points": 3},
        executor={"use": "threads", "workers": 2},
        budget={"patience": 100},
        seed=3,
    )
    assert result.reason == "sampler 'grid' has nothing left to try"
    assert len(result.trials) == 3 * 3 * 2


def test_a_mistake_in_the_options_is_told_with_its_path():
    with pytest.raises(ConfigError, match="did you mean 'random'"):
        tune(loss, SPACE, sampler="randm")
    with pytest.raises(ConfigError, match="budgett"):
        tune(loss, SPACE, budgett={"trials": 3})


def test_a_function_that_never_works_ends_the_round_with_its_reason():
    def broken(params):
        raise OSError("no such file")

    with pytest.raises(RoundFailedError, match=r"10 trials in a row failed.*OSError: no such file"):
        tune(broken, SPACE)


def test_a_trial_can_be_pruned():
    def prune(params):
        raise Pruned("not worth it")

    result = tune(prune, SPACE, trials=2)
    facts = {(trial.state, trial.error) for trial in result.trials}
    assert facts == {(TrialState.PRUNED, "not worth it")}
    assert result.best is None


def test_ask_and_tell_in_a_loop_of_your_own():
    with open_study("mine", SPACE, trials=4) as study:
        while trial := study.ask():
            study.tell(trial, loss(trial.params))
    assert study.reason == "all 4 trials are done"
    with open_study("mine", SPACE, trials=6) as study:
        assert study.ask().number == 4


def test_a_loop_of_your_own_reports_and_ends_trials_early():
    with open_study("pruned", SPACE, trials=30, pruner="asha") as study:
        while trial := study.ask():
            for epoch in range(1, 10):
                hopeless = study.report(trial, epoch, loss(trial.params) + 1 / epoch)
                if hopeless:
                    break
            study.tell(trial, loss(trial.params), pruned=hopeless)
    pruned = [trial for trial in study.round.trials if trial.state is TrialState.PRUNED]
    complete = [trial for trial in study.round.trials if trial.state is TrialState.COMPLETE]
    assert len(pruned) >= 10 and len(pruned) + len(complete) == 30
    assert all("the best 1/3" in trial.error and not trial.metrics for trial in pruned)
    assert all(len(trial.steps) in (1, 3, 9) for trial in pruned)
    assert all(len(trial.steps) == 9 for trial in complete)
    with open_study("pruned", SPACE, trials=31, pruner="asha") as study:
        assert study.report(study.ask(), 1, 1e9), "trials from before are not known"


def test_reports_need_no_pruner_and_belong_to_their_own_trial():
    with open_study("two at once", SPACE, trials=3) as study:
        first, second, third = study.ask_many(3)
        assert study.report(first, 1, 0.5) is None
        assert study.report(second, 1, 0.25) is None
        assert study.report(second, 2, 7, metric="seconds") is None
        told = study.tell(second, 1.0)
        assert [(s.metric, s.step, s.value) for s in told.steps] == [
            ("loss", 1, 0.25),
            ("seconds", 2, 7.0),
        ]
        failed = study.tell(first, None, error="no such luck")
        assert [step.value for step in failed.steps] == [0.5]
        ended = study.tell(third, None, pruned="it diverges")
        assert (ended.state, ended.error) == (TrialState.PRUNED, "it diverges")
        with pytest.raises(ConfigError, match=f"trial {third.number} is not running here"):
            study.report(third, 1, 0.5)


def test_every_error_is_a_tunesmith_error():
    with pytest.raises(TunesmithError):
        tune(loss, {})


def test_any_callable_will_do():
    class Model:
        def __call__(self, params):
            return params["x"]

    assert tune(Model(), SPACE, trials=1).best
    assert tune(lambda params: 1.0, SPACE, trials=1).best
