"""Other people's runs as a study: which of them count, which way is better, and the study file."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tunesmith.components import Tracker
from tunesmith.errors import ConfigError, TrackerError, TunesmithError
from tunesmith.finished import Finished
from tunesmith.plugins import installed
from tunesmith.space import SearchSpace
from tunesmith.study import Study, check_study
from tunesmith.trial import Direction, Goal, LoggedRun, Round, Trial, TrialState
from tunesmith_agent.foreign import Foreign, read, study_file


class Shelf(Tracker):
    """A tracker that has runs and takes none."""

    runs: Sequence[LoggedRun] = ()

    def destination(self, study: Study) -> str:
        return "shelf"

    def write(self, study: Study, round: Round, trials: Sequence[Trial]) -> None:
        raise TrackerError("takes none")

    def finish(self, study: Study, finished: Finished) -> None:
        raise TrackerError("takes none")

    def history(self, study: str) -> list[Trial]:
        raise TrackerError("has none")

    def logged(self, experiment: str) -> list[LoggedRun]:
        return list(self.runs)


def a_run(index: int, **changes: Any) -> LoggedRun:
    run = LoggedRun(
        id=f"run-{index:03}",
        params={"lr": str(0.1 + index), "kind": "ab"[index % 2]},
        metrics={"val_loss": 1 / (1 + index)},
        state=TrialState.COMPLETE,
        started=1000.0 + index,
        finished=1001.0 + index,
    )
    return replace(run, **changes)


def some_runs(count: int, first: int = 0, **changes: Any) -> list[LoggedRun]:
    return [a_run(index, **changes) for index in range(first, first + count)]


def reading(
    runs: Sequence[LoggedRun], metric: str = "val_loss", direction: Direction | None = None
) -> Foreign:
    return read(Shelf(runs=runs), "theirs", metric, direction)


def told(foreign: Foreign) -> str:
    return "\n".join(foreign.assumptions)


def test_runs_become_the_trials_of_one_round_in_the_order_of_their_start() -> None:
    runs = some_runs(8)
    foreign = reading(runs[::-1])
    trials = foreign.round.trials
    assert [trial.number for trial in trials] == list(range(8))
    assert [trial.params["lr"] for trial in trials] == [0.1 + index for index in range(8)]
    assert trials[3].metrics == {"val_loss": 0.25}
    assert (trials[3].started, trials[3].finished, trials[3].round) == (1003.0, 1004.0, 1)
    assert (foreign.round.started, foreign.round.finished) == (1000.0, 1008.0)
    assert foreign.goal == Goal("val_loss", Direction.MINIMIZE)
    history = foreign.history()
    assert history.trials == trials
    assert history.incumbent == trials[7]
    assert history.space == foreign.space == history.original


def test_the_order_in_which_a_tracker_gives_runs_changes_nothing() -> None:
    runs = some_runs(9)
    assert reading(runs) == reading(runs[::-1])


@pytest.mark.parametrize(
    ("metric", "direction"),
    [
        ("loss", "minimize"),
        ("val/log_loss", "minimize"),
        ("RMSE", "minimize"),
        ("testError", "minimize"),
        ("mean_fit_time", "minimize"),
        ("neg_mean_squared_error", "maximize"),
        ("acc", "maximize"),
        ("val_auc", "maximize"),
        ("f1-macro", "maximize"),
        ("r2", "maximize"),
        ("mean_test_score", "maximize"),
        ("best_cv_score", "maximize"),
        ("training_precision", "maximize"),
        ("value", None),
        ("rank_test_score", None),
        ("std_test_score", None),
        ("error_score", None),
        ("closs", None),
    ],
)
def test_the_direction_follows_from_obvious_names_only(metric: str, direction: str | None) -> None:
    runs = [a_run(index, metrics={metric: index / 7}) for index in range(6)]
    if direction is None:
        with pytest.raises(ConfigError, match=rf"is '{metric}' better when .* '--goal maximize'"):
            reading(runs, metric)
        assert reading(runs, metric, Direction.MAXIMIZE).goal.direction == "maximize"
    else:
        foreign = reading(runs, metric)
        assert foreign.goal.direction == direction
        assert f"'{metric}' is {direction}d: so says its name" in told(foreign)


def test_a_direction_that_is_given_is_no_assumption() -> None:
    foreign = reading(some_runs(5), direction=Direction.MAXIMIZE)
    assert foreign.goal.direction is Direction.MAXIMIZE
    assert "so says" not in told(foreign)


def test_optunas_tags_tell_the_direction_of_a_metric_whose_name_does_not() -> None:
    runs = [
        a_run(index, metrics={"value": 1.0, "score": 1.0}, tags={"direction": "MINIMIZE"})
        for index in range(4)
    ]
    assert reading(runs, "value").goal.direction is Direction.MINIMIZE
    with pytest.raises(ConfigError, match="its name and its tags by Optuna disagree"):
        reading(runs, "score")


def test_a_number_that_is_none_and_a_broken_run_are_failed_trials() -> None:
    runs = [
        *some_runs(5),
        a_run(5, metrics={"val_loss": math.nan}),
        a_run(6, metrics={"val_loss": -math.inf, "other": 1.0}),
        a_run(7, metrics={}, state=TrialState.FAILED, error="out of memory"),
        a_run(8, state=TrialState.FAILED, error="killed"),
        a_run(9, metrics={}, tags={"state": "FAIL"}),
        a_run(10, tags={"state": "PRUNED"}),
    ]
    foreign = reading(runs)
    errors = [trial.error for trial in foreign.round.trials if trial.state is TrialState.FAILED]
    assert errors == [
        "the metric 'val_loss' is nan",
        "the metric 'val_loss' is -inf",
        "out of memory",
        "killed",
        "failed",
    ]
    assert foreign.round.trials[6].metrics == {"other": 1.0}
    assert foreign.round.trials[10].state is TrialState.PRUNED
    assert len(foreign.history().scored) == 5
    assert "5 runs failed, or gave no number, 3 of them although they logged" in told(foreign)
    assert "1 run ended early: pruned" in told(foreign)


def test_runs_that_say_nothing_are_left_aside_and_counted() -> None:
    runs = [
        *some_runs(5),
        *some_runs(2, 5, metrics={}),
        a_run(7, params={}),
        *some_runs(3, 8, state=TrialState.RUNNING),
        a_run(11, metrics={}, state=TrialState.FAILED, params={"kind": "a"}),
    ]
    foreign = reading(runs)
    assert len(foreign.round.trials) == 5
    assert foreign.excluded == (
        "left aside: 2 runs without the metric 'val_loss'",
        "left aside: 1 run without params",
        "left aside: 3 runs not finished",
        "left aside: 1 run without a value for every param",
    )
    assert set(foreign.excluded) <= set(foreign.assumptions)
    assert foreign.history().excluded == foreign.excluded


def test_a_run_that_others_with_the_metric_are_part_of_is_left_aside() -> None:
    parent = a_run(99, params={"best_lr": "0.1"})
    foreign = reading([parent, *some_runs(5, parent=parent.id)])
    assert len(foreign.round.trials) == 5
    assert "left aside: 1 run that others with the metric are part of" in told(foreign)


def test_a_run_whose_parts_have_no_params_of_their_own_is_a_trial() -> None:
    settings_ = some_runs(4)
    folds = [
        a_run(10 * index + fold, params={}, parent=run.id)
        for index, run in enumerate(settings_, 1)
        for fold in range(3)
    ]
    assert len(reading([*settings_, *folds]).round.trials) == 4


def test_runs_on_different_data_are_never_pooled() -> None:
    runs = [*some_runs(6, dataset="one"), *some_runs(4, 6, dataset="two"), *some_runs(3, 10)]
    foreign = reading(runs)
    assert len(foreign.round.trials) == 6
    assert foreign.round.dataset == "one"
    assert "left aside: 7 runs on other data" in told(foreign)
    assert "6 runs with dataset 'one' are used" in told(foreign)


def test_of_two_datasets_with_equally_many_runs_the_latest_is_used() -> None:
    runs = [*some_runs(4, 4, dataset="new"), *some_runs(4, dataset="old")]
    assert reading(runs).round.dataset == "new"


def test_a_search_that_logged_only_its_best_is_told() -> None:
    parent = a_run(99, params={"n_iter": "30"}, metrics={"best_cv_score": 1.0})
    foreign = reading([parent, *some_runs(5, parent=parent.id)])
    assert "of 30 settings that searches tried only 5 were logged" in told(foreign)
    assert "max_tuning_runs=None" in told(foreign)
    grid = replace(parent, params={"param_grid": "{'lr': [1, 2]}"})
    foreign = reading([grid, *some_runs(5, parent=parent.id)])
    assert "logged exactly 5 settings, so perhaps only the best ones" in told(foreign)
    whole = replace(parent, params={"n_iter": "5"})
    assert "settings" not in told(reading([whole, *some_runs(5, parent=parent.id)]))


def test_an_unknown_metric_is_an_error_that_knows_the_others() -> None:
    with pytest.raises(ConfigError, match=r"has the metric 'val_los'; did you mean 'val_loss'\?"):
        reading(some_runs(3), "val_los")
    with pytest.raises(ConfigError, match=r"has the metric 'zz' \(known: val_loss\)"):
        reading(some_runs(3), "zz")


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ([], "experiment 'theirs' has no runs"),
        (some_runs(3, metrics={}), "no run of experiment 'theirs' has a metric"),
        (some_runs(1), "only one run of experiment 'theirs' finished with a number"),
        (
            some_runs(4, metrics={"val_loss": math.nan}),
            r"no run of experiment 'theirs' finished with a number .*4 runs failed",
        ),
        (some_runs(4, state=TrialState.FAILED), "no run of experiment 'theirs' finished"),
        (some_runs(4, params={}), r"no run of .*left aside: 4 runs without params"),
        (
            some_runs(4, params={"lr": "1"}),
            r"nothing varies over 4 runs .*left out, constant: lr = 1",
        ),
        ([a_run(i, dataset=str(i)) for i in range(4)], r"only one run .*3 runs on other data"),
        ([a_run(i, params={"seed": str(i)}) for i in range(4)], r"nothing varies.*seed is a seed"),
    ],
)
def test_what_is_no_evidence_is_an_error_in_plain_words(
    runs: list[LoggedRun], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        reading(runs)


def as_study(text: str, folder: Path) -> Study:
    return check_study(YAML(typ="safe", pure=True).load(text), folder, installed())


def test_the_study_file_is_ready_but_for_the_objective(tmp_path: Path) -> None:
    runs = [a_run(i, params={**a_run(i).params, "l-r": str(i), "gone": "1"}) for i in range(9)]
    foreign = reading(runs)
    text = study_file(foreign, foreign.space)
    study = as_study(text, tmp_path)
    assert study.name == "theirs"
    assert study.space == foreign.space
    assert study.goal_list == (foreign.goal,)
    assert study.objective.use == "python"
    assert "# TO DO: write this function" in text
    for line in ("'l-r' is called l_r", "left out, constant: gone = 1", "so says its name"):
        assert f"# - {line}" in text.replace("\n#   ", " ").replace("'val_loss' is minimized: ", "")


def test_the_study_file_takes_a_revised_space(tmp_path: Path) -> None:
    foreign = reading(some_runs(6))
    revised = SearchSpace.from_dict(
        {"parameters": {"kind": {"type": "categorical", "choices": ["a", None, "no", "1", 1]}}}
    )
    assert as_study(study_file(foreign, revised), tmp_path).space == revised


@pytest.mark.parametrize(
    ("experiment", "name"),
    [
        ("/Shared/churn model", "Shared-churn model"),
        ("a@b.c: d", "a-b.c- d"),
        ("...", "study"),
        ("x" * 150, "x" * 100),
        ("_größe", "_größe"),
    ],
)
def test_the_studys_name_is_the_experiments_as_far_as_it_can_be(
    experiment: str, name: str, tmp_path: Path
) -> None:
    foreign = replace(reading(some_runs(4)), experiment=experiment)
    assert as_study(study_file(foreign, foreign.space), tmp_path).name == name


TEXTS = st.one_of(
    st.sampled_from(["1", "2", "1.0", "1e-5", "True", "None", "nan", "", "adam", "a\nb", "1e308"]),
    st.integers().map(str),
    st.floats().map(str),
    st.text(max_size=12),
)
NAMES = ["l-r", "l r", "lambda", "1x", "a.b", "größe", "seed", "", "."]
RUNS = st.lists(
    st.builds(
        LoggedRun,
        id=st.uuids().map(str),
        params=st.fixed_dictionaries({"lr": TEXTS}, optional=dict.fromkeys(NAMES, TEXTS))
        | st.dictionaries(st.text(max_size=5), TEXTS, max_size=5),
        metrics=st.fixed_dictionaries({"loss": st.floats(0, 1) | st.floats()})
        | st.dictionaries(st.text(max_size=5), st.floats(), max_size=2),
        state=st.just(TrialState.COMPLETE) | st.sampled_from(TrialState),
        error=st.none() | st.text(max_size=5),
        started=st.none() | st.floats(0, 1e10),
        finished=st.none() | st.floats(0, 1e10),
        dataset=st.none() | st.sampled_from([None, "d"]),
        tags=st.dictionaries(
            st.sampled_from(["lr_distribution", "state", "direction"]),
            st.sampled_from(["FAIL", "MINIMIZE"])
            | st.sampled_from(["Int", "Float"]).map(
                lambda kind: f"{kind}Distribution(high=2, log=False, low=1, step=1)"
            )
            | st.text(max_size=20),
            max_size=2,
        ),
    ),
    max_size=20,
)


@given(RUNS, st.text(min_size=1, max_size=30))
@settings(
    max_examples=300, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
def test_whatever_was_logged_gives_a_study_or_an_error_in_words(
    runs: list[LoggedRun], experiment: str
) -> None:
    try:
        foreign = read(Shelf(runs=runs), experiment, "loss")
    except TunesmithError as error:
        assert str(error)
        return
    assert all(foreign.space.contains(trial.params) for trial in foreign.round.trials)
    assert len(foreign.history().scored) >= 1
    assert len(foreign.history().snapshot) == 64
    study = as_study(study_file(foreign, foreign.space), Path())
    assert study.space.fingerprint == foreign.space.fingerprint
    assert len(foreign.round.trials) <= len(runs)
    assert all(line.isprintable() for line in foreign.assumptions)


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=2, max_size=30))
@settings(max_examples=300, derandomize=True, deadline=None)
def test_whatever_texts_are_there_the_trials_are_in_the_space(
    texts: list[tuple[str, str]],
) -> None:
    runs = [a_run(index, params={"x": one, "y": two}) for index, (one, two) in enumerate(texts)]
    try:
        foreign = reading(runs)
    except TunesmithError:
        return
    assert foreign.round.trials
    assert all(foreign.space.contains(trial.params) for trial in foreign.round.trials)


@pytest.mark.parametrize(
    "odd", ["\x85", "a\x85b", "\u2028", "\ufeff", "\t", "größe", "a: b", "- #"]
)
def test_unusual_choices_are_read_back_from_the_study_file(odd: str) -> None:
    runs = [a_run(index, params={"x": ["plain", odd][index % 2]}) for index in range(40)]
    foreign = reading(runs)
    study = as_study(study_file(foreign, foreign.space), Path())
    assert study.space.parameters["x"].contains(odd)
    assert study.space.fingerprint == foreign.space.fingerprint


def test_a_tracker_that_cannot_read_others_says_so() -> None:
    class Deaf(Shelf):
        def logged(self, experiment: str) -> list[LoggedRun]:
            return Tracker.logged(self, experiment)

    with pytest.raises(TrackerError, match="'Deaf' cannot read experiment 'theirs'"):
        read(Deaf(), "theirs", "loss")
