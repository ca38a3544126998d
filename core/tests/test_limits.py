"""Limits on metrics: a trial that breaks one is never the best."""

import math
from contextlib import closing
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tuning import Listening, parabola, play, registry_of, study_of, tuner_of

from tunesmith import Float, tune
from tunesmith.carryover import Fate
from tunesmith.errors import ConfigError
from tunesmith.evaluation import Outcome
from tunesmith.history import comparable
from tunesmith.limits import all_judged, judged, nearest, violation
from tunesmith.revision import gather
from tunesmith.store import Store
from tunesmith.study import store_url
from tunesmith.testing.rounds import AWKWARD, limited
from tunesmith.trial import (
    Direction,
    Goal,
    Trial,
    TrialState,
    best_trial,
    is_scored,
    pareto_front,
    ranking,
)

LOSS = (Goal("loss", Direction.MINIMIZE),)
TWO = (*LOSS, Goal("size", Direction.MAXIMIZE))
BAD = [
    "x",
    "1 <= 2",
    "x == 3",
    "x != 3",
    "0 < x < 3",
    "x < 3 and y < 2",
    "not x < 3",
    "x in [1, 2]",
    "x < 'a'",
    "x < true",
    "(x < 1) < 2",
    "x < null",
]


def metrics_of(params):
    """The loss falls with x, the time rises with it."""
    x = float(params["x"])
    return {"loss": (x - 2) ** 2, "ms": 10 * abs(x)}


def score(values):
    """An objective that returns these losses and times, one after the other."""
    left = iter(values)
    return lambda params: dict(zip(("loss", "ms"), next(left), strict=True))


def trial_of(number, violation=0.0, **metrics):
    return Trial(number, 1, {}, TrialState.COMPLETE, metrics, violation=violation)


def opened(study):
    return closing(Store(store_url(study)))


@pytest.mark.parametrize("text", BAD)
def test_a_limit_is_one_comparison_of_metrics(tmp_path, text):
    with pytest.raises(ConfigError, match=r"limits\.0: the limit .* is not one comparison"):
        study_of(tmp_path, limits=[text])


def test_all_mistakes_in_limits_are_told_at_once(tmp_path):
    with pytest.raises(ConfigError) as caught:
        study_of(tmp_path, limits=["a <= 1", "b ==", "c.d() < 2", "e + 1"])
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0] for line in lines] == ["limits.1", "limits.2", "limits.3"]


@pytest.mark.parametrize(
    ("limit", "found"),
    [
        ("ms <= 20", 0.0),
        ("ms < 20.5", 0.0),
        ("ms <= 16", 0.25),
        ("ms >= 25", 0.2),
        ("20 >= ms * 2", 0.5),
        ("ms / size <= 2", 1.5),
        ("loss >= 0", 3.0),
        ("-ms > loss", 17 / 3),
        ("ms - 4 * size <= 0", 4.0),
    ],
)
def test_a_violation_is_the_excess_as_a_share_of_the_right_side(limit, found):
    assert violation([limit], {"ms": 20.0, "size": 4.0, "loss": -3.0}) == pytest.approx(found)


def test_violations_of_several_limits_add_up():
    limits = ["ms <= 10", "ms >= 0", "size <= 2"]
    assert violation(limits, {"ms": 20, "size": 4}) == pytest.approx(2)


def test_a_limit_that_is_met_exactly_is_broken_where_it_is_strict():
    assert violation(["ms <= 20"], {"ms": 20.0}) == 0
    assert 0 < violation(["ms < 20"], {"ms": 20.0}) < 1e-300


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["<", "<=", ">", ">="]),
)
def test_a_violation_is_0_where_the_limit_holds_and_else_positive_and_finite(a, b, sign):
    holds = {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[sign]
    found = violation([f"a {sign} b", f"a {sign} b"], {"a": a, "b": b})
    assert (found == 0) is holds
    assert 0 <= found < math.inf


@pytest.mark.parametrize(
    ("limit", "metrics", "message"),
    [
        ("latncy <= 2", {"latency": 1.0}, "'latncy <= 2' has no metric 'latncy'.* 'latency'?"),
        ("a <= 2", {"a": math.nan}, "'a <= 2' cannot be judged by a = nan"),
        ("1 / a <= 2", {"a": math.inf}, "cannot be judged by a = inf"),
        ("a / b <= 2", {"a": 1.0, "b": 0.0}, "cannot be judged by a = 1, b = 0"),
        ("a * a <= 2", {"a": 1e200}, r"cannot be judged by a = 1e\+200"),
        ("a <= 1e999", {"a": 1.0}, "cannot be judged by a = 1"),
        (f"a <= 1{'0' * 400}", {"a": 1.0}, "cannot be judged by a = 1"),
    ],
)
def test_a_limit_that_cannot_be_judged_says_why(limit, metrics, message):
    with pytest.raises(ConfigError, match=message):
        violation([limit], metrics)


def test_only_complete_trials_are_judged():
    failed = Trial(0, 1, {}, TrialState.FAILED, {"loss": 1.0})
    assert judged(failed, ["ms <= 1"]) == (failed, None)
    assert judged(trial_of(0, 2.0, loss=1.0), [])[0].violation == 0


@given(st.data(), st.sampled_from([LOSS, TWO]))
def test_what_breaks_limits_is_never_the_best_and_comes_last(data, goals):
    value = st.sampled_from([0.0, 1.0, 2.0, math.nan])
    trials = [
        trial_of(number, data.draw(st.sampled_from([0.0, 0.0, 0.5, math.inf])), loss=a, size=b)
        for number, (a, b) in enumerate(data.draw(st.lists(st.tuples(value, value), max_size=8)))
    ]
    ranked = ranking(trials, goals)
    kept = [trial for trial in ranked if not trial.violation]
    assert sorted(trial.number for trial in ranked) == [
        trial.number for trial in trials if is_scored(trial, goals)
    ]
    assert ranked[: len(kept)] == kept == ranking(kept, goals)
    assert [trial.violation for trial in ranked] == sorted(trial.violation for trial in ranked)
    front = pareto_front(trials, goals)
    assert front == kept[: len(front)]
    assert bool(front) is bool(kept)
    assert best_trial(trials, goals) == (kept[0] if kept else None)


def test_several_goals_are_ranked_front_by_front():
    scores = {0: (1.0, 0.0), 1: (2.0, 5.0), 2: (3.0, 4.0), 3: (4.0, 3.0), 4: (9.0, -1.0)}
    trials = [trial_of(number, loss=a, size=b) for number, (a, b) in scores.items()]
    trials += [Trial(5, 1, {}, TrialState.FAILED), trial_of(6, 2.0, loss=0, size=9)]
    trials.append(trial_of(7, 1.0, loss=8, size=0))
    assert [trial.number for trial in ranking(trials, TWO)] == [0, 1, 2, 3, 4, 7, 6]


def test_a_trial_is_judged_when_it_is_told_and_stays_so_in_the_record(tmp_path):
    study = study_of(tmp_path, limits=["ms <= 5"], budget={"trials": 12})
    tuner, trials = play(study, score=metrics_of)
    assert tuner.round.limits == ("ms <= 5",)
    assert {trial.violation > 0 for trial in trials} == {True, False}
    for trial in trials:
        assert trial.violation == pytest.approx(max(trial.metrics["ms"] / 5 - 1, 0))
    with opened(study) as store:
        record = store.record(study.name)
        assert record.trials() == trials
        assert record.rounds()[0].limits == ("ms <= 5",)
    best = best_trial(trials, LOSS)
    assert best and best.metrics["ms"] <= 5 < max(trial.metrics["ms"] for trial in trials)


def test_a_record_from_before_limits_reads_as_without(tmp_path):
    study = study_of(tmp_path)
    play(study)
    with opened(study) as store:
        with store.begin() as connection:
            connection.exec_driver_sql("UPDATE trials SET violation = NULL")
            connection.exec_driver_sql("UPDATE rounds SET limits = NULL")
        record = store.record(study.name)
        assert {trial.violation for trial in record.trials()} == {0.0}
        assert record.rounds()[0].limits == ()
    tuner, trials = play(study, score=parabola)
    assert (tuner.round.number, trials) == (1, [])


def test_a_trial_that_cannot_be_judged_fails_and_keeps_its_metrics(tmp_path):
    tuner = tuner_of(study_of(tmp_path, limits=["mss <= 5"], budget={"trials": 2}))
    with tuner:
        told = tuner.tell(tuner.ask(), {"loss": 1.0, "ms": 2.0})
        pruned = tuner.tell(tuner.ask(), Outcome(TrialState.PRUNED))
    assert (told.state, told.metrics) == (TrialState.FAILED, {"loss": 1.0, "ms": 2.0})
    assert told.error == "the limit 'mss <= 5' has no metric 'mss' to look at; did you mean 'ms'?"
    assert pruned.state is TrialState.PRUNED


def test_a_round_goes_on_under_the_same_limits_and_a_new_one_begins_under_others(tmp_path):
    def study(trials, *limits):
        return study_of(tmp_path, limits=limits, budget={"trials": trials})

    play(study(3, "ms<=5"), score=metrics_of)
    again, _ = play(study(5, "ms <= 5.0"), score=metrics_of)
    same, _ = play(study(6, " ms  <= 5.0"), score=metrics_of)
    other, _ = play(study(3, "ms <= 6"), score=metrics_of)
    assert [tuner.round.number for tuner in (again, same, other)] == [2, 2, 3]


def test_earlier_trials_are_judged_by_the_present_limits(tmp_path):
    def study(trials, *limits):
        listening = registry_of(Listening)
        return study_of(
            tmp_path, listening, sampler="listening", limits=limits, budget={"trials": trials}
        )

    play(study(3), Listening, score=metrics_of)
    play(study(2, "ms <= 30"), Listening, score=lambda params: {"loss": 1.0, "ms": 15.0})
    with tuner_of(study(1, "ms <= 12"), Listening) as tuner:
        told = tuner._sampler.told
        assert {item.fate for item in tuner.carried} == {Fate.KEPT}
        assert [trial.violation for trial in told] == [0, 0, 0, 0.25, 0.25]
    with tuner_of(study(1, "kb <= 12"), Listening) as tuner:
        assert tuner._sampler.told == []
        assert {(item.fate, item.reason) for item in tuner.carried} == {
            (Fate.DROPPED, "the limit 'kb <= 12' has no metric 'kb' to look at (known: loss, ms)")
        }


def test_the_advisor_sees_earlier_trials_by_the_latest_limits(tmp_path):
    def study(*limits):
        return study_of(tmp_path, limits=limits, budget={"trials": 4})

    def history():
        with opened(study()) as store:
            return gather(study(), store.record("parabola"))

    play(study(), score=lambda params: {"loss": 0.0, "ms": 9.0})
    alone = history().snapshot
    play(study("ms <= 5", "kb <= 1"), score=lambda params: {"loss": 1.0, "ms": 1.0, "kb": 1.0})
    found = history()
    assert {trial.round for trial in found.trials} == {2}
    assert found.excluded == ["4 trials of round 1 cannot be judged by the limits"]
    play(study("ms <= 5"), score=lambda params: {"loss": 2.0, "ms": 4.0})
    found = history()
    assert found.excluded == []
    assert found.incumbent.metrics["loss"] == 1.0
    assert [trial.round for trial in found.ranked[-4:]] == [1] * 4
    assert found.snapshot != alone


def test_other_limits_are_other_evidence():
    round = limited("seconds <= 16")
    same, _ = comparable([replace(round, limits=()), replace(round, number=2, limits=())])
    assert all(trial.violation == 0 for each in same for trial in each.trials)


def test_a_target_counts_only_where_the_limits_are_kept(tmp_path):
    values = [(0.0, 9.0), (3.0, 1.0), (0.5, 1.0), (0.0, 1.0)]
    study = study_of(tmp_path, limits=["ms <= 5"], budget={"trials": None, "target": 1})
    tuner, trials = play(study, score=score(values))
    assert (len(trials), tuner.reason) == (3, "the target loss = 1 is reached")


def test_patience_waits_for_trials_that_keep_the_limits_or_come_nearer(tmp_path):
    nearer = [(0.0, 9.0), (0.0, 8.0), (0.0, 7.0), (0.0, 8.0), (0.0, 8.0)]
    kept = [(3.0, 1.0), (0.0, 9.0), (2.0, 1.0), (0.0, 9.0), (0.0, 8.0)]
    for name, values in (("nearer", nearer), ("kept", kept)):
        study = study_of(
            tmp_path, name=name, limits=["ms <= 5"], budget={"trials": None, "patience": 2}
        )
        tuner, trials = play(study, score=score(values))
        assert (len(trials), tuner.reason) == (5, "no better trial in the last 2")


def test_where_no_trial_keeps_the_limits_nothing_is_fitted_and_nothing_breaks(tmp_path):
    tuner, trials = play(study_of(tmp_path, limits=["ms <= -1"]), score=metrics_of)
    assert tuner.reason == "all 5 trials are done"
    assert tuner.made.fitted is None and tuner.made.notes == []
    assert best_trial(trials, tuner.round.goals) is None


def test_the_trial_that_came_nearest_is_told_with_what_it_breaks():
    trials = [trial_of(3, loss=1.0, ms=24.6, kb=2.0), trial_of(4, loss=0.0, ms=22.04, kb=1.0)]
    limits = ("ms <= 20", "kb < 2")
    assert nearest(all_judged(trials, limits), LOSS, limits) == (
        "no trial keeps all limits; trial 4 comes nearest, but breaks 'ms <= 20' with ms = 22.04"
    )
    assert nearest([], LOSS, limits) is None
    assert nearest(all_judged(trials, ["ms <= 23"]), LOSS, ["ms <= 23"]) is None
    lost = all_judged(trials, ["s <= 2"])
    assert "the limit 's <= 2' has no metric 's'" in str(nearest(lost, LOSS, ["s <= 2"]))


def test_limits_can_be_given_in_python(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = tune(metrics_of, {"x": Float(0, 2)}, limits=["ms <= 5"], trials=20)
    assert result.best and result.best.metrics["ms"] <= 5
    assert any(trial.violation for trial in result.trials)
    assert all(trial.violation == 0 for trial in result.front)


@pytest.mark.parametrize("name", [name for name in AWKWARD if "limit" in name])
def test_awkward_rounds_break_the_limits_that_they_say(name):
    assert any(trial.violation for trial in AWKWARD[name]().trials)
