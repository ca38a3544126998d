"""Corners in which trials fail."""

import pytest
from trials import advised, edits, history, noisy, said, sampled, tuned

from tunesmith.expressions import parse
from tunesmith.parameters import Categorical, Float, Int
from tunesmith.space import SearchSpace
from tunesmith.trial import TrialState

SPACE = SearchSpace(
    {
        "layers": Int(1, 12),
        "width": Float(8, 1024, log=True),
        "kind": Categorical(["a", "b", "c"]),
    }
)
SEEDS = range(3)


def loss(params):
    return abs(params["layers"] - 5) / 10 + abs(params["width"] - 100) / 1000


def corner(params):
    return params["layers"] > 7 and params["width"] > 200


@pytest.mark.parametrize("seed", SEEDS)
def test_forbids_a_corner_in_which_everything_fails(seed):
    given = tuned(SPACE, noisy(loss, 0.05, seed), 150, seed, fails=corner, crowd=False)
    (edit,) = edits(advised(given), "add_constraint")
    rule = parse(edit.forbid)
    assert rule.names == {"layers", "width"}
    assert edit.stability > 0.8
    for trial in given.trials:
        assert not (rule(trial.params) and trial.state is TrialState.COMPLETE)


@pytest.mark.parametrize("seed", SEEDS)
def test_forbids_a_choice_that_always_fails(seed):
    given = tuned(SPACE, loss, 100, seed, fails=lambda params: params["kind"] == "b", crowd=False)
    (edit,) = edits(advised(given), "add_constraint")
    assert parse(edit.forbid)({"kind": "b"})
    assert not parse(edit.forbid)({"kind": "a"})


def test_says_where_failures_lie_nowhere_in_particular():
    trials = sampled(SPACE, loss, 120, fails=lambda params: hash(params["width"]) % 4 == 0)
    draft = advised(history(SPACE, trials))
    assert edits(draft, "add_constraint") == []
    assert "not in a corner that one rule of two comparisons describes" in said(draft)


def test_fourteen_failures_are_too_few():
    found = sampled(SPACE, loss, 200, fails=corner, crowd=False)
    failed = [trial for trial in found if trial.state is TrialState.FAILED]
    fine = [trial for trial in found if trial.state is TrialState.COMPLETE]
    assert edits(advised(history(SPACE, fine + failed[:14])), "add_constraint") == []
    assert edits(advised(history(SPACE, fine + failed)), "add_constraint") != []


def test_a_corner_with_a_good_trial_in_it_stays_allowed():
    trials = sampled(SPACE, loss, 150, fails=corner, crowd=False)
    lucky = next(trial for trial in trials if corner(trial.params) and trial.params["layers"] > 10)
    place = trials.index(lucky)
    trials[place] = type(lucky)(
        lucky.number, 1, {**lucky.params, "width": 1000.0}, TrialState.COMPLETE, {"loss": -1.0}
    )
    for edit in edits(advised(history(SPACE, trials)), "add_constraint"):
        assert not parse(edit.forbid)(trials[place].params)


def test_a_conditional_parameter_may_be_what_fails():
    searched = SearchSpace(
        {
            "kind": Categorical(["a", "b"]),
            "momentum": Float(0, 1, when={"kind": "b"}),
            "x": Float(0, 1),
        }
    )
    given = tuned(
        searched,
        lambda params: params["x"],
        200,
        fails=lambda params: params.get("momentum", 0) > 0.6,
        crowd=False,
    )
    (edit,) = edits(advised(given), "add_constraint")
    assert "momentum" in parse(edit.forbid).names


def test_failures_alone_forbid_nothing():
    draft = advised(tuned(SPACE, loss, 60, fails=lambda params: True))
    assert draft.edits == ()
    assert "0 scored trials (60 failed) lie in the space" in said(draft)
