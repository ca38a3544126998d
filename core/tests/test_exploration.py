"""The round after a proposal: what it explores, and what its sampler is told."""

from dataclasses import replace
from itertools import islice
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from revising import (
    DOWN,
    TEST,
    UP,
    adopted,
    approve,
    opened,
    propose,
    say,
    tuned,
    versions,
    with_a_round,
    x_of,
)
from tuning import Listening, parabola, tuner_of

from tunesmith.carryover import Fate
from tunesmith.errors import ConfigError
from tunesmith.exploration import points, spaces_of
from tunesmith.parameters import Categorical, Float, Int
from tunesmith.proposals import Told
from tunesmith.space import SearchSpace
from tunesmith.trial import INTERRUPTED, Origin


@pytest.fixture
def study(tmp_path, url, monkeypatch):
    return with_a_round(tmp_path, url, monkeypatch)


# rounds


def test_the_next_round_says_which_proposal_led_to_it(study):
    propose(study)
    approve(study, 1, "e1", "e2")
    study = adopted(study)
    first, _ = tuned(study)
    again, trials = tuned(study)
    assert (first.round.number, first.round.space_version, first.round.proposal) == (2, 2, 1)
    assert (again.round.number, trials) == (2, [])
    with opened(study) as record:
        assert [round.proposal for round in record.rounds()] == [None, 1]


def test_a_study_without_the_approved_space_does_not_run(study):
    propose(study)
    approve(study, 1, "e1", "e2")
    with pytest.raises(ConfigError, match="proposal 1 was approved and led to space version 2"):
        tuned(study)
    with pytest.raises(ConfigError, match="proposal 1 was approved and led to space version 2"):
        propose(study)
    assert len(versions(study)) == 2


def test_going_back_by_hand_is_a_version_without_a_proposal(study):
    propose(study)
    approve(study, 1, "e1", "e2")
    tuned(adopted(study))
    back, _ = tuned(study)
    assert (back.round.number, back.round.space_version, back.round.proposal) == (3, 3, None)


def drawn(count, *spaces, seed=0):
    return list(islice(points(spaces, seed), count))


# points


def test_points_fill_the_union_evenly():
    new, old = SearchSpace({"x": Float(0, 1)}), SearchSpace({"x": Float(0, 10)})
    for spaces in ((new, old), (old, new)):
        tenths = [int(params["x"]) for params in drawn(100, *spaces)]
        assert all(8 <= tenths.count(tenth) <= 12 for tenth in range(10))


def test_points_lie_in_one_of_the_spaces_and_reach_each():
    spaces = [SearchSpace({"x": Float(0, 1)}), SearchSpace({"x": Float(5, 6)})]
    found = drawn(40, *spaces)
    assert all(any(space.contains(params) for space in spaces) for params in found)
    assert 15 <= sum(spaces[0].contains(params) for params in found) <= 25


def test_no_two_points_lie_as_close_as_random_ones_do():
    space = SearchSpace({name: Float(0, 1) for name in "ab"})

    def closest(points):
        return min(
            (p["a"] - q["a"]) ** 2 + (p["b"] - q["b"]) ** 2
            for index, p in enumerate(points)
            for q in points[:index]
        )

    random = Random(0)
    assert closest(drawn(50, space)) > 5 * closest([space.sample(random) for _ in range(50)])


def test_the_same_seed_gives_the_same_points():
    space = SearchSpace({name: Float(0, 1) for name in "abcdefghijklmnopqrst"})
    assert drawn(20, space) == drawn(20, space)
    assert drawn(20, space, seed=1) != drawn(20, space)


def test_a_range_that_became_logarithmic_is_drawn_logarithmically():
    old, new = SearchSpace({"x": Float(0, 1)}), SearchSpace({"x": Float(1e-4, 1, log=True)})
    below = sum(params["x"] < 0.01 for params in drawn(100, new, old))
    assert 45 <= below <= 55


CHANGES = {
    "choices": (Categorical(["a", "b"]), Categorical(["b", "c"]), {"a", "b", "c"}),
    "steps": (Int(0, 4, step=2), Int(0, 3, step=3), {0, 2, 3, 4}),
    "aligned steps": (Int(2, 4, step=2), Int(0, 6, step=2), {0, 2, 4, 6}),
    "fixed": (Int(3, 3), Int(1, 4), {1, 2, 3, 4}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_value_of_either_form_is_tried(name):
    one, other, values = CHANGES[name]
    found = drawn(60, SearchSpace({"x": one}), SearchSpace({"x": other}))
    assert {params["x"] for params in found} == values


def test_conditions_and_rules_of_either_space_hold():
    kind, depth = Categorical(["tree", "line"]), Int(1, 9)
    old = SearchSpace({"kind": kind, "depth": replace(depth, when="kind == 'tree'")})
    new = SearchSpace({"kind": kind, "depth": depth}, forbid=["depth > 5"])
    found = drawn(100, new, old)
    assert all(new.contains(params) or old.contains(params) for params in found)
    assert {"kind": "line"} in found
    assert any(params.get("depth", 0) > 5 for params in found)
    assert any(params["kind"] == "line" and "depth" in params for params in found)


def test_where_hardly_a_point_is_allowed_the_first_space_is_sampled(monkeypatch):
    monkeypatch.setattr("tunesmith.exploration._MISSES", 3)
    narrow = SearchSpace({"x": Float(0, 1), "y": Float(0, 1)}, constraints=["x + y <= 0.02"])
    assert all(narrow.contains(params) for params in drawn(5, narrow))


_floats = st.tuples(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3), st.booleans()).map(
    lambda each: Float(min(each[:2]), max(each[:2]), log=each[2])
)
_ints = st.tuples(st.integers(1, 50), st.integers(1, 50), st.booleans()).map(
    lambda each: Int(min(each[:2]), max(each[:2]), log=each[2])
)
_choices = st.lists(st.sampled_from("abcd"), min_size=1, unique=True).map(Categorical)
_spaces = st.fixed_dictionaries({"x": _floats, "n": _ints, "c": _choices}).map(SearchSpace)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(_spaces, min_size=1, max_size=4))
def test_of_any_spaces_points_are_drawn_that_one_of_them_contains(spaces):
    for params in drawn(5, *spaces):
        assert any(space.contains(params) for space in spaces)


def test_tests_that_were_approved_are_explored_beside_both_spaces(study):
    say(UP, TEST)
    propose(study)
    reviewed = approve(study, 1, "e1", "e2")
    spaces = {version.number: version.space for version in versions(study)}
    assert [x_of(space) for space in spaces_of(reviewed, spaces)] == [(-2, 4), (-2, 2), (-2, 8)]


# trials


def explored(trials):
    return [trial.params for trial in trials if trial.origin is Origin.EXPLORATION]


def approved_study(study, *edits, trials=20, **rest):
    """The study after a proposal of these edits was approved, with another budget."""
    say(*edits, **rest)
    ids = [edit.id for edit in propose(study).proposal.edits]
    approve(study, 1, *ids)
    budget = study.budget.model_copy(update={"trials": trials})
    return adopted(study).model_copy(update={"budget": budget})


def exploring(trials):
    """Which of the trials explore, by their place."""
    return [index for index, trial in enumerate(trials) if trial.origin is Origin.EXPLORATION]


def test_the_first_trials_of_a_round_explore(study):
    _, trials = tuned(approved_study(study, UP, exploration=0.3))
    assert len(trials) == 20
    assert exploring(trials) == [0, 1, 2, 3, 4, 5]


def test_where_nobody_knows_the_number_of_trials_a_running_share_explores(study):
    study = approved_study(study, UP, exploration=0.3)
    budget = study.budget.model_copy(update={"trials": None, "patience": 1000})
    with tuner_of(study.model_copy(update={"budget": budget})) as tuner:
        trials = [tuner.tell(trial := tuner.ask(), parabola(trial.params)) for _ in range(20)]
    assert exploring(trials) == [3, 6, 9, 13, 16, 19]


def test_another_round_over_the_same_space_explores_elsewhere(study):
    study = approved_study(study, DOWN, exploration=0.5, trials=6)
    _, once = tuned(study)
    _, again = tuned(study, new_round=True)
    assert len(explored(once)) == len(explored(again)) == 3
    assert not any(params in explored(once) for params in explored(again))


def test_a_share_of_nothing_explores_nothing(study):
    _, trials = tuned(approved_study(study, UP, exploration=0))
    assert explored(trials) == []


def test_exploration_goes_on_after_an_interruption_where_it_was(study, tmp_path, monkeypatch):
    study = approved_study(study, TEST, exploration=0.5)
    (tmp_path / "other").mkdir()
    other = with_a_round(tmp_path / "other", None, monkeypatch)
    (_, at_once) = tuned(approved_study(other, TEST, exploration=0.5))
    trials = []
    for stop in (3, 4, 9, 20):
        with tuner_of(study) as tuner:
            while len(trials) < stop:
                trials.append(tuner.tell(trial := tuner.ask(), parabola(trial.params)))
    assert explored(trials) == explored(at_once)
    assert len(explored(trials)) == 10


def test_an_interrupted_trial_of_the_arm_runs_again_as_one(study):
    study = approved_study(study, TEST, exploration=0.5, trials=4)
    with tuner_of(study) as tuner:
        tuner.tell(tuner.ask(), 1.0)
        left = tuner.ask()
    assert left.origin is Origin.EXPLORATION
    tuner, trials = tuned(study)
    assert trials[0].params == left.params
    assert [trial.origin for trial in trials].count(Origin.EXPLORATION) == 1
    assert len(explored(trials)) == len({str(params) for params in explored(trials)})
    assert [trial.error for trial in tuner.round.trials].count(INTERRUPTED) == 1


def test_a_point_outside_the_space_of_the_round_is_tried(study):
    study = approved_study(study, TEST, exploration=0.5)
    _, trials = tuned(study)
    outside = [trial for trial in trials if trial.params["x"] > 2]
    assert outside
    assert {trial.origin for trial in outside} == {Origin.EXPLORATION}


def test_a_batch_gets_its_share_too(study):
    study = approved_study(study, TEST, exploration=0.25, trials=8)
    with tuner_of(study) as tuner:
        trials = tuner.ask_many(100)
        for trial in trials:
            tuner.tell(trial, parabola(trial.params))
    assert len(trials) == 8
    assert len(explored(trials)) == 2


# what is told


@pytest.mark.parametrize(("share", "told"), [(1, 5), (0.9, 5), (0.4, 2), (0.2, 1), (0, 0)])
def test_the_sampler_is_told_the_best_share_only(study, share, told):
    best = sorted(trials_of_round(study), key=lambda trial: trial.metrics["loss"])
    study = approved_study(study, UP, told=Told(share=share), exploration=0, trials=1)
    again = study.model_copy(
        update={"sampler": study.sampler.model_copy(update={"use": "listening"})}
    )
    tuner, _ = tuned(again, Listening)
    kept = [item.trial.number for item in tuner.carried if item.told]
    assert sorted(kept) == sorted(trial.number for trial in best[:told])
    assert [trial.number for trial in tuner._sampler.told][:told] == kept


def trials_of_round(study):
    with opened(study) as record:
        return record.trials(1)


def test_withheld_defaults_are_not_tried_again(study):
    study = approved_study(study, UP, told=Told(share=0), exploration=0, trials=2)
    _, trials = tuned(study)
    assert {trial.origin for trial in trials} == {Origin.SAMPLER}


def test_trials_of_the_arm_are_carried_over_like_others(study):
    study = approved_study(study, DOWN, exploration=0.5, trials=6)
    _, trials = tuned(study)
    tuner, _ = tuned(study, new_round=True)
    fates = {item.trial.number: item.fate for item in tuner.carried}
    assert explored(trials)
    assert all(fates[trial.number] is Fate.KEPT for trial in trials)
