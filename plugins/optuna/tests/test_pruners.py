"""The rules made of Optuna's pruners say what Optuna would say, and travel."""

import logging
import pickle
from random import Random

import optuna
import pytest

from tunesmith.errors import PluginError
from tunesmith.loop import run
from tunesmith.plugins import installed
from tunesmith.study import check_study
from tunesmith.trial import Direction, Goal, Step, Trial, TrialState
from tunesmith_optuna import Percentile, Wilcoxon
from tunesmith_optuna._study import quiet

MADE = [
    (Percentile(), optuna.pruners.PercentilePruner(25.0)),
    (
        Percentile(percentile=70.0, startup_trials=2, warmup=2, interval=3),
        optuna.pruners.PercentilePruner(70.0, 2, 2, 3),
    ),
    (Wilcoxon(), None),
    (Wilcoxon(p_threshold=0.3, startup_steps=5), None),
]


def native(pruner):
    """Optuna's own, made late: it warns that it is experimental."""
    return optuna.pruners.WilcoxonPruner(
        p_threshold=pruner.p_threshold, n_startup_steps=pruner.startup_steps
    )


def curves(seed):
    drawn = Random(seed)
    for _ in range(30):
        level = drawn.uniform(0, 1)
        yield [level + drawn.gauss(0, 0.3) for _ in range(12)]


@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize(("ours", "theirs"), MADE)
def test_verdicts_are_those_of_optuna(ours, theirs, direction):
    goal = Goal("loss", direction)
    with quiet():
        study = optuna.create_study(direction=direction.value, pruner=theirs or native(ours))
    ours.start(goal, 0)
    ended = 0
    for number, values in enumerate(curves(5)):
        trial, rule, steps = study.ask(), ours.rule(number), []
        state = TrialState.COMPLETE
        for step, value in enumerate(values):
            trial.report(value, step)
            steps.append(Step("loss", step, value))
            reason = rule(steps)
            assert bool(reason) == trial.should_prune()
            if reason:
                state, ended = TrialState.PRUNED, ended + 1
                break
        metrics = {"loss": sum(values) / len(values)} if state is TrialState.COMPLETE else {}
        study.tell(trial, metrics.get("loss"), None if metrics else optuna.trial.TrialState.PRUNED)
        ours.tell([Trial(number, 1, {}, state, metrics, steps)])
    assert ended >= 3


def test_a_rule_carries_plain_data_also_after_it_has_judged():
    pruner = Wilcoxon()
    pruner.start(Goal("loss", Direction.MINIMIZE), 0)
    for number, values in enumerate(curves(1)):
        steps = [Step("loss", step, value) for step, value in enumerate(values)]
        pruner.tell([Trial(number, 1, {}, TrialState.COMPLETE, {"loss": sum(values)}, steps)])
    rule = pruner.rule(99)
    before = pickle.dumps(rule)
    assert b"optuna.study" not in before and len(before) < 2000
    assert rule([Step("loss", step, 9.0) for step in range(12)])
    assert pickle.dumps(rule) == before


def test_reasons_say_who_was_better():
    told = [
        Trial(n, 1, {}, TrialState.COMPLETE, {"loss": n}, [Step("loss", s, n) for s in range(9)])
        for n in range(8)
    ]
    bad = [Step("loss", step, 50.0) for step in range(9)]
    found = []
    for pruner in (Percentile(percentile=40), Wilcoxon(p_threshold=0.05)):
        pruner.start(Goal("loss", Direction.MINIMIZE), 0)
        pruner.tell(told)
        found.append(pruner.rule(9)(bad))
    assert found == [
        "loss 50 at step 8; not among the best 40 % of complete trials there",
        "loss 50 at step 8; worse than the best trial by Wilcoxon's test, p below 0.05",
    ]


@pytest.mark.parametrize(
    ("pruner", "wrong"),
    [
        (Percentile(percentile=101), "PercentilePruner refuses its options: Percentile must be"),
        (Percentile(interval=0), "refuses its options: Pruning interval steps must be at least 1"),
        (Wilcoxon(p_threshold=2), "WilcoxonPruner refuses its options: p_threshold must be"),
    ],
)
def test_wrong_options_are_told(pruner, wrong):
    with pytest.raises(PluginError, match=wrong):
        pruner.start(Goal("loss", Direction.MINIMIZE), 0)


TASKS = """
from random import Random

def score(params, trial):
    values = [task / 5 + abs(params["x"]) * (1 + task % 3) for task in range(20)]
    for task in Random(trial.seed).sample(range(20), 20):
        trial.report(task, values[task])
    return sum(values) / 20
"""


@pytest.mark.parametrize("executor", ["inline", {"use": "processes", "workers": 2}], ids=str)
@pytest.mark.parametrize("use", ["percentile", "wilcoxon"])
def test_they_end_trials_on_every_executor(tmp_path, use, executor, caplog):
    (tmp_path / "tasks.py").write_text(TASKS)
    data = {
        "name": "tasks",
        "goals": {"loss": "minimize"},
        "space": {"parameters": {"x": {"type": "float", "low": -2, "high": 2}}},
        "objective": {"use": "python", "function": "tasks:score"},
        "executor": executor,
        "pruner": use,
        "budget": {"trials": 20},
    }
    with caplog.at_level(logging.INFO):
        result = run(check_study(data, tmp_path, installed()))
    states = [trial.state for trial in result.trials]
    assert states.count(TrialState.PRUNED) >= 5 and states.count(TrialState.FAILED) == 0
    assert not caplog.records
