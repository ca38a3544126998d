"""Whole rounds on each executor."""

import os
import signal
import threading
import time
from datetime import date

import pytest
from tuning import Listening, parabola, registry_of, slow_parabola, study_of

from tunesmith.components import Objective
from tunesmith.errors import ConfigError, PluginError, RoundFailedError
from tunesmith.executors import Threads
from tunesmith.hookspecs import hookimpl
from tunesmith.loop import run
from tunesmith.objectives import Function
from tunesmith.study import load_study
from tunesmith.trial import INTERRUPTED, TrialState

THREADS = {"use": "threads", "workers": 3}
PROCESSES = {"use": "processes", "workers": 2}


def run_it(study, function=parabola, *components, **options):
    return run(study, Function(function=function), registry_of(*components), **options)


@pytest.mark.parametrize("executor", ["inline", THREADS, PROCESSES], ids=str)
def test_params_and_seeds_are_the_same_whatever_the_parallelism(tmp_path, executor):
    result = run_it(study_of(tmp_path, executor=executor, budget={"trials": 8}), slow_parabola)
    here = run_it(study_of(tmp_path, name="here", budget={"trials": 8}))
    for trials in (result.trials, here.trials):
        trials.sort(key=lambda trial: trial.number)
    facts = [(trial.number, trial.params, trial.seed, trial.metrics) for trial in result.trials]
    assert facts == [(t.number, t.params, t.seed, t.metrics) for t in here.trials]
    assert result.reason == "all 8 trials are done"
    assert result.new_trials == 8
    assert result.best.metrics["loss"] == min(trial.metrics["loss"] for trial in here.trials)


def test_all_workers_are_kept_busy(tmp_path):
    together = threading.Barrier(3)

    def meet(params):
        together.wait(timeout=60)
        return 1.0

    result = run_it(study_of(tmp_path, executor=THREADS, budget={"trials": 6}), meet)
    assert {trial.state for trial in result.trials} == {TrialState.COMPLETE}


def test_several_goals_end_in_a_front(tmp_path):
    goals = {"loss": "minimize", "x": "maximize"}

    def both(params):
        return {"loss": params["x"] ** 2, "x": params["x"]}

    result = run_it(study_of(tmp_path, goals=goals, budget={"trials": 30}), both)
    xs = [trial.params["x"] for trial in result.front]
    assert xs == sorted(xs, key=abs)
    assert max(trial.params["x"] for trial in result.trials) in xs
    assert all(x >= 0 or x == xs[0] for x in xs)


def test_trial_seconds_need_an_executor_that_can_end_a_trial(tmp_path):
    study = study_of(tmp_path, executor=THREADS, budget={"trial_seconds": 1})
    with pytest.raises(ConfigError, match=r"'threads' cannot end a trial .* use executor 'proc"):
        run_it(study)


@pytest.mark.parametrize("workers", [0, -1])
def test_at_least_one_has_to_work(tmp_path, workers):
    study = study_of(tmp_path, executor={"use": "threads", "workers": workers})
    with pytest.raises(ConfigError, match=f"executor.workers is {workers}"):
        run_it(study)


def test_a_function_that_cannot_be_sent_to_a_worker_says_the_way_out(tmp_path):
    study = study_of(tmp_path, executor=PROCESSES, budget={"max_failures": 2})
    with pytest.raises(RoundFailedError, match="cannot be sent to a worker process"):
        run_it(study, lambda params: 1.0)


def test_an_executor_that_cannot_start_leaves_the_study_free(tmp_path):
    class Unplugged(Threads):
        def start(self):
            raise PluginError("executor 'unplugged' finds no cluster")

    study = study_of(tmp_path, registry_of(Unplugged), executor="unplugged")
    with pytest.raises(PluginError, match="no cluster"):
        run_it(study, parabola, Unplugged)
    assert run_it(study_of(tmp_path)).reason


def test_a_sampler_that_breaks_leaves_what_ran_recorded(tmp_path):
    class Fragile(Listening):
        def tell(self, trials):
            super().tell(trials)
            if len(self.told) == 3:
                raise ValueError("no more")

    study = study_of(tmp_path, registry_of(Fragile), sampler="fragile", executor=THREADS)
    with pytest.raises(ValueError, match="no more"):
        run_it(study, parabola, Fragile)
    result = run_it(study_of(tmp_path, sampler="random"))
    carried = [item.trial for item in result.carried]
    assert sum(trial.state is TrialState.COMPLETE for trial in carried) == 3


class Signals:
    """Sends signals to this process as trials finish."""

    def __init__(self, *when):
        self.when = dict(when)
        self.finished = 0

    @hookimpl
    def trial_finished(self, study, trial):
        self.finished += 1
        for number in self.when.get(self.finished, ()):
            os.kill(os.getpid(), number)
            time.sleep(0.01)


def test_one_ctrl_c_lets_running_trials_finish(tmp_path, capsys):
    study = study_of(tmp_path, executor=THREADS, budget={"trials": 20})
    result = run_it(study, slow_parabola, listeners=[Signals((4, [signal.SIGINT]))])
    assert result.reason is None
    assert {trial.state for trial in result.trials} == {TrialState.COMPLETE}
    assert 4 <= len(result.trials) <= 7
    assert "waiting for what runs; Ctrl-C again ends it" in capsys.readouterr().err
    result = run_it(study)
    assert (result.round.number, len(result.trials)) == (1, 20)


@pytest.mark.parametrize("signals", [[signal.SIGINT] * 2, [signal.SIGTERM]], ids=len)
def test_two_ctrl_c_or_sigterm_end_trials_at_once(tmp_path, signals):
    def wait_for_ever(params):
        return parabola(params) if params["x"] == 0.5 else release.wait(60) and 1.0

    release = threading.Event()
    space = {"parameters": {"x": {"type": "float", "low": -2, "high": 2, "default": 0.5}}}
    study = study_of(tmp_path, executor=THREADS, space=space)
    result = run_it(study, wait_for_ever, listeners=[Signals((1, signals))])
    release.set()
    assert result.reason is None
    assert [trial.error for trial in result.trials] == [None, *[INTERRUPTED] * 2]
    assert result.new_trials == 1
    assert run_it(study).new_trials == 4


def test_signals_are_as_before_after_a_round(tmp_path):
    before = signal.getsignal(signal.SIGINT)
    run_it(study_of(tmp_path))
    assert signal.getsignal(signal.SIGINT) is before


def test_runs_on_a_thread_too(tmp_path):
    results = []
    thread = threading.Thread(target=lambda: results.append(run_it(study_of(tmp_path))))
    thread.start()
    thread.join(60)
    assert results[0].reason == "all 5 trials are done"


def test_options_that_only_yaml_knows_are_recorded_and_recognised(tmp_path):
    class Timed(Objective):
        since: date
        """Only rows since then."""

        def evaluate(self, params, trial):
            return params["x"]

    path = tmp_path / "study.yaml"
    path.write_text(
        "name: dated\ngoals: {loss: minimize}\nexecutor: inline\nbudget: {trials: 2}\n"
        "space: {parameters: {x: {type: float, low: 0, high: 1}}}\n"
        "objective: {use: timed, since: 2026-01-02}\n"
    )
    registry = registry_of(Timed)
    first = run(load_study(path, registry), registry=registry)
    again = run(load_study(path, registry), registry=registry)
    assert (first.round.number, again.round.number, again.new_trials) == (1, 1, 0)
