"""Every budget ends a round, with the reason."""

import pytest
from tuning import parabola, play, study_of

from tunesmith import stopping
from tunesmith.errors import ConfigError

SCORES = [5.0, 4.0, 6.0, 3.0, 9.0, 9.0, 9.0, 9.0, 1.0, 1.0]


def scores(values):
    left = iter(values)
    return lambda params: next(left)


def budget(**limits):
    return {"trials": None, **limits}


@pytest.mark.parametrize(
    ("limits", "values", "count", "reason"),
    [
        ({"trials": 3}, SCORES, 3, "all 3 trials are done"),
        ({"target": 4}, SCORES, 2, "the target loss = 4 is reached"),
        ({"target": 3.5}, SCORES, 4, "the target loss = 3.5 is reached"),
        ({"patience": 1}, SCORES, 3, "no better trial in the last 1"),
        ({"patience": 3}, SCORES, 7, "no better trial in the last 3"),
        ({"patience": 3, "trials": 5}, SCORES, 5, "all 5 trials are done"),
        ({"patience": 2}, [1.0, 1.0, 1.0], 3, "no better trial in the last 2"),
        ({"patience": 2}, [None, None, 2.0, None, 2.0], 5, "no better trial in the last 2"),
    ],
    ids=str,
)
def test_a_budget_ends_the_round(tmp_path, limits, values, count, reason):
    tuner, trials = play(study_of(tmp_path, budget=budget(**limits)), score=scores(values))
    assert (len(trials), tuner.reason) == (count, reason)
    assert tuner.round.reason == reason


def test_a_target_of_something_to_maximise_is_reached_from_below(tmp_path):
    study = study_of(tmp_path, goals={"loss": "maximize"}, budget=budget(target=5.5))
    tuner, trials = play(study, score=scores(SCORES))
    assert (len(trials), tuner.reason) == (3, "the target loss = 5.5 is reached")


def test_time_ends_the_round(tmp_path, monkeypatch):
    class Clock:
        now = 100.0

        @classmethod
        def monotonic(cls):
            cls.now += 1
            return cls.now

    monkeypatch.setattr(stopping, "time", Clock)
    tuner, trials = play(study_of(tmp_path, budget=budget(seconds=4.5)))
    assert (len(trials), tuner.reason) == (4, "the budget of 4.5 s is used up")


def test_too_many_failures_in_a_row_end_the_round_and_leave_it_open(tmp_path):
    study = study_of(tmp_path, budget={"trials": 20, "max_failures": 3})
    tuner, trials = play(study, score=scores([None, None, 1.0, None, None, "bad"]))
    assert tuner.failed
    assert len(trials) == 6
    assert tuner.reason == (
        "3 trials in a row failed, the last one, 5, with: "
        "the objective returned 'bad' for 'loss', which is not a number"
    )
    assert tuner.round.finished is None


def test_failures_count_from_the_start_of_each_run(tmp_path):
    study = study_of(tmp_path, budget={"trials": 20, "max_failures": 3})
    for first in (0, 3):
        tuner, trials = play(study, score=lambda params: None)
        assert [trial.number for trial in trials] == [first, first + 1, first + 2]
    tuner, _ = play(study, score=parabola)
    assert tuner.reason == "all 20 trials are done"


def test_patience_and_target_see_the_trials_of_an_earlier_run(tmp_path):
    play(study_of(tmp_path, budget={"trials": 3}), score=scores([1.0, 2.0, 3.0]))
    tuner, trials = play(study_of(tmp_path, budget=budget(patience=4)), score=scores(SCORES))
    assert (len(trials), tuner.reason) == (2, "no better trial in the last 4")
    tuner, trials = play(study_of(tmp_path, budget=budget(target=1.0)))
    assert (trials, tuner.reason) == ([], "the target loss = 1 is reached")


def test_a_budget_that_ends_nothing_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="nothing ends the round; set trials, seconds, target"):
        study_of(tmp_path, budget=budget(max_failures=3))
