"""What earlier proposals were worth, and whether they should be taken back."""

import math
from dataclasses import replace

import pytest
from trials import LOSS, MADE, advised, edits, explored, ids, noisy, sampled

from tunesmith.edits import apply, prepared
from tunesmith.history import History, Reviewed
from tunesmith.parameters import Float
from tunesmith.policy import check
from tunesmith.proposals import (
    AddConstraint,
    Decision,
    Fix,
    Narrow,
    Proposal,
    SetScale,
    Tier,
    Verdict,
    Widen,
)
from tunesmith.space import SearchSpace
from tunesmith.trial import Round
from tunesmith_agent.statistical import Statistical
from tunesmith_agent.statistics.worth import on_course

SPACE = SearchSpace({"x": Float(0.01, 1), "y": Float(0, 1)})


def best_at(place):
    return lambda params: (params["x"] - place) ** 2 * 4 + 0.2 * (params["y"] - 0.5) ** 2


def proposed(made, space=SPACE):
    return Proposal(
        study="known",
        number=1,
        advisor="statistical",
        advisor_version="0",
        space_version=1,
        space=space.fingerprint,
        snapshot="ab" * 32,
        seed=0,
        made=MADE,
        edits=prepared(space, made),
    )


def decided(proposal, **options):
    """The proposal with every edit approved."""
    decisions = tuple(
        Decision(edit=edit.id, verdict=Verdict.APPROVE, author="somebody", at=MADE)
        for edit in proposal.edits
    )
    return Reviewed(proposal, decisions, version=2, round=1, **options)


def two_rounds(made, loss, arm=20, seed=0, present=None, exploring=None):
    """A round, the approved edits, and a round under them with an exploration arm."""
    proposal = proposed(made)
    after = apply(SPACE, [edit for edit in made if edit.tier is Tier.RECOMMENDED])
    first = sampled(SPACE, loss, 40, seed, crowd=False)
    second = sampled(after, loss, 40, seed + 1, crowd=False)
    wide = sampled(exploring or SPACE, loss, 200, seed + 2, crowd=False)
    outside = [explored(trial) for trial in wide if not after.contains(trial.params)][:arm]
    later = [
        replace(trial, number=40 + number, round=2)
        for number, trial in enumerate([*second, *outside])
    ]
    rounds = [
        Round(1, 1, SPACE, {"use": "tpe"}, {}, LOSS, 0, {}, trials=first),
        Round(2, 2, after, {"use": "tpe"}, {}, LOSS, 0, {}, trials=later, proposal=1),
    ]
    return History(
        "known", present or after, 2, SPACE, LOSS, rounds=rounds, proposals=[decided(proposal)]
    )


CUT = Narrow(parameter="x", high=0.5)


@pytest.mark.parametrize(
    "made",
    [[CUT], [AddConstraint(forbid="x > 0.5")], [CUT, Widen(parameter="y", high=1.5)]],
    ids=["narrow", "constraint", "beside another"],
)
@pytest.mark.parametrize("seed", range(3))
def test_takes_back_what_cut_off_the_better_trials(made, seed):
    given = two_rounds(made, noisy(best_at(0.9), 0.02, seed), seed=seed)
    draft = advised(given)
    first = draft.edits[0]
    inverse = given.proposals[0].proposal.edits[0].inverse
    assert (first.action, first.tier) == (inverse.action, Tier.RECOMMENDED)
    assert apply(given.space, [first]).fingerprint == apply(given.space, [inverse]).fingerprint
    assert check(given, [first], ids(draft)) == []
    (evidence,) = [each for each in draft.evidence if each.id in first.evidence]
    assert evidence.kind == "revert"


def test_a_rank_test_is_enough_where_the_best_trial_of_all_lies_inside():
    given = two_rounds([CUT], noisy(best_at(0.9), 0.02))
    given.rounds[1].trials[0].metrics["loss"] = -1.0
    (edit,) = edits(advised(given), "restore")
    assert edit.options == {"high": 1.0}
    assert edit.stability > 0.8
    evidence = next(each for each in advised(given).evidence if each.kind == "revert")
    assert evidence.numbers["p_value"] < 0.1


def test_a_fixed_parameter_is_tuned_again_where_other_values_were_better():
    given = two_rounds([Fix(parameter="x", value=0.1)], noisy(best_at(0.9), 0.02))
    (edit,) = edits(advised(given), "restore", "x")
    assert apply(given.space, [edit]).parameters["x"].high == 1


@pytest.mark.parametrize("seed", range(3))
def test_keeps_an_edit_whose_arm_is_no_better(seed):
    given = two_rounds([CUT], noisy(best_at(0.2), 0.02, seed), seed=seed)
    assert edits(advised(given), "restore") == []


def test_fourteen_explored_trials_are_too_few():
    given = two_rounds([CUT], noisy(best_at(0.9), 0.02), arm=14)
    given.rounds[1].trials[0].metrics["loss"] = -1.0
    assert edits(advised(given), "restore") == []


def test_an_edit_that_was_only_worth_testing_has_nothing_to_take_back():
    made = [CUT.model_copy(update={"tier": Tier.WORTH_TESTING})]
    assert edits(advised(two_rounds(made, best_at(0.9))), "restore") == []


def test_what_a_hand_has_changed_since_is_not_taken_back():
    by_hand = SearchSpace({**SPACE.parameters, "x": Float(0.01, 0.3)})
    given = two_rounds([CUT], best_at(0.9), present=by_hand)
    assert edits(advised(given), "restore") == []


def test_what_is_taken_back_already_is_not_taken_back_again():
    given = two_rounds([CUT], best_at(0.9), present=SPACE)
    assert edits(advised(given), "restore") == []


def test_of_two_edits_of_one_parameter_the_one_that_cut_is_taken_back():
    made = [CUT, SetScale(parameter="x", log=True)]
    given = two_rounds(made, noisy(best_at(0.9), 0.02))
    (edit,) = edits(advised(given), "restore", "x")
    back = apply(given.space, [edit]).parameters["x"]
    assert (back.high, back.log) == (1.0, True)


def test_a_changed_edit_is_taken_back_as_it_was_changed():
    given = two_rounds([Narrow(parameter="x", high=0.5)], best_at(0.9))
    (reviewed,) = given.proposals
    proposal = proposed([Narrow(parameter="x", high=0.7)])
    changed = reviewed.proposal.edits[0]
    decision = replace_decision(reviewed.decisions[0], changed)
    given = replace(given, proposals=[replace(reviewed, proposal=proposal, decisions=(decision,))])
    (edit,) = edits(advised(given), "restore", "x")
    assert edit.options == {"high": 1.0}


def replace_decision(decision, changed):
    return decision.model_copy(update={"verdict": Verdict.EDIT, "changed": changed})


def test_tells_what_a_proposal_was_worth_against_the_course_before():
    better = two_rounds([Widen(parameter="x", high=3.0)], best_at(2), exploring=SPACE)
    (record,) = [each for each in advised(better).evidence if each.kind == "record"]
    assert record.numbers["gain"] > 0
    assert record.numbers["since"] < record.numbers["before"]
    assert "(better)" in record.sentence
    assert Statistical().worth(better) == [record]


def test_tells_that_a_proposal_was_worth_nothing():
    worse = two_rounds([CUT], best_at(0.9), arm=0)
    (record,) = [each for each in advised(worse).evidence if each.kind == "record"]
    assert record.numbers["gain"] <= 0
    assert "(better)" not in record.sentence


def test_a_first_round_has_no_record():
    given = two_rounds([CUT], best_at(0.9))
    first = replace(given, rounds=given.rounds[:1], proposals=())
    assert Statistical().worth(first) == []


@pytest.mark.parametrize("scale", [1.7e308, 1e300, 1e-300, 5e-324])
def test_what_huge_and_tiny_scores_were_worth_is_a_number_or_not_told(scale):
    given = two_rounds([Widen(parameter="x", high=3.0)], best_at(2), exploring=SPACE)
    first, second = (each.trials for each in given.rounds)
    for number, trial in enumerate(first):
        trial.metrics["loss"] = scale * (1 - number / 40)
    for trial in second:
        trial.metrics["loss"] *= -scale
    for record in Statistical().worth(given):
        assert math.isfinite(record.numbers["gain"])
    assert math.isfinite(on_course([scale, -scale, scale / 2, -scale], 10)) or scale > 1e308
