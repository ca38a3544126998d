"""What becomes of earlier trials in a changed space, trial by trial."""

from dataclasses import replace

import pytest

from tunesmith.carryover import CarryOver, Fate, carry_all, carry_over, summary
from tunesmith.history import Reviewed
from tunesmith.parameters import Categorical, Float, Int
from tunesmith.proposals import Decision, Fix, Proposal, Told, Verdict
from tunesmith.space import SearchSpace
from tunesmith.testing.rounds import make_round
from tunesmith.trial import INTERRUPTED, Direction, Goal, Trial, TrialState

OLD = {
    "rate": Float(0.01, 1),
    "depth": Int(1, 9, default=3),
    "kind": Categorical(["tree", "line"]),
    "leaves": Int(2, 64, when={"kind": "tree"}, default=31),
}
PARAMS = {"rate": 0.5, "depth": 3, "kind": "tree", "leaves": 31}


def fate(changes, params=PARAMS, state=TrialState.COMPLETE, **rules):
    """What becomes of a trial with `params` when parameters change; None takes one away."""
    before = make_round(0, space=SearchSpace(OLD))
    changed = {**OLD, **changes}
    space = SearchSpace({k: v for k, v in changed.items() if v is not None}, **rules)
    trial = Trial(0, 1, dict(params), state, {"accuracy": 0.5})
    return carry_over(trial, before, replace(before, space=space))


KEPT = [
    {},
    {"rate": Float(0.4, 0.6)},
    {"rate": Float(0.001, 10)},
    {"kind": Categorical(["line", "tree", "forest"])},
    {"depth": Int(1, 9, default=5)},
    {"depth": Int(1, 9, step=2, default=3)},
]


@pytest.mark.parametrize("changes", KEPT, ids=str)
def test_a_trial_inside_the_new_space_is_kept_as_it_is(changes):
    item = fate(changes)
    assert (item.fate, item.reason, item.trial.params) == (Fate.KEPT, "", PARAMS)


REEXPRESSED = [
    ({"rate": Float(0.01, 1, log=True)}, {}, "'rate' on another scale"),
    ({"depth": Float(1, 9)}, {"depth": 3.0}, "'depth' on another scale"),
    ({"new": Float(0, 1, default=0.25)}, {"new": 0.25}, "'new' = 0.25 filled in"),
    ({"depth": None}, {"depth": None}, "'depth' left out"),
    (
        {"leaves": Int(2, 64, when={"kind": "line"}, default=31)},
        {"leaves": None},
        "'leaves' left out",
    ),
]


@pytest.mark.parametrize(("changes", "params", "reason"), REEXPRESSED, ids=str)
def test_a_trial_is_re_expressed_where_nothing_is_lost(changes, params, reason):
    item = fate(changes)
    expected = {key: value for key, value in (PARAMS | params).items() if value is not None}
    assert (item.fate, item.reason, item.trial.params) == (Fate.REEXPRESSED, reason, expected)
    assert type(item.trial.params.get("depth")) is type(expected.get("depth"))


DROPPED = [
    ({"rate": Float(0.01, 0.4)}, PARAMS, "rate = 0.5 is outside"),
    ({"depth": Int(1, 9, step=4, default=5)}, PARAMS, "depth = 3 is outside"),
    ({"kind": Categorical(["line", "forest"]), "leaves": None}, PARAMS, "kind = 'tree' is outside"),
    ({"depth": None}, PARAMS | {"depth": 4}, "'depth' = 4 is no longer tuned"),
    ({"rate": None}, PARAMS, "'rate' = 0.5 is no longer tuned"),
    ({"new": Float(0, 1)}, PARAMS, "'new' was added since and has no default"),
    ({"leaves": Int(2, 64, when={"kind": "line"})}, PARAMS | {"leaves": 9}, "does not apply"),
]


@pytest.mark.parametrize(("changes", "params", "reason"), DROPPED, ids=str)
def test_a_trial_outside_the_new_space_is_dropped_and_says_why(changes, params, reason):
    item = fate(changes, params)
    assert item.fate is Fate.DROPPED
    assert reason in item.reason
    assert item.trial.params == params


def test_a_float_becomes_an_integer_only_where_it_is_one():
    before = SearchSpace({"x": Float(0, 9)})
    now = SearchSpace({"x": Int(0, 9)})
    round = make_round(0, space=before)
    whole, broken = (
        carry_over(Trial(0, 1, {"x": x}, TrialState.COMPLETE), round, replace(round, space=now))
        for x in (3.0, 3.5)
    )
    assert (whole.fate, repr(whole.trial.params["x"])) == (Fate.REEXPRESSED, "3")
    assert broken.fate is Fate.DROPPED


def test_a_constraint_that_came_later_drops_what_breaks_it():
    assert fate({}, constraints=["depth * 2 <= leaves"]).fate is Fate.KEPT
    item = fate({}, forbid=[{"kind": "tree", "depth": 3}])
    assert item.fate is Fate.DROPPED
    assert "is forbidden" in item.reason


@pytest.mark.parametrize(
    "change",
    [
        {"objective": {"use": "python", "function": "other:train"}},
        {"dataset": "another fingerprint"},
        {"goals": (Goal("accuracy", Direction.MINIMIZE),)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_scores_that_do_not_compare_are_dropped(change):
    before = make_round(1)
    item = carry_over(before.trials[0], before, replace(before, **change))
    assert item.fate is Fate.DROPPED
    assert item.reason == f"the {next(iter(change))} changed: scores do not compare"


def test_what_did_not_finish_is_dropped_and_what_failed_is_kept():
    before = make_round(1)
    trial = before.trials[0]
    interrupted = replace(trial, state=TrialState.FAILED, error=INTERRUPTED)
    running = replace(trial, state=TrialState.RUNNING)
    failed = replace(trial, state=TrialState.FAILED, error="ValueError: too deep")
    fates = [carry_over(each, before, before).fate for each in (interrupted, running, failed)]
    assert fates == [Fate.DROPPED, Fate.DROPPED, Fate.KEPT]


def test_the_summary_counts_each_fate():
    trial = make_round(1).trials[0]
    carried = [CarryOver(trial, fate) for fate in (Fate.KEPT, Fate.DROPPED, Fate.KEPT)]
    assert summary(carried) == "2 kept, 1 dropped"
    assert summary([]) == ""


def test_what_is_withheld_says_why_and_is_counted():
    round = make_round(10, unscored=lambda number: number == 3)
    proposal = a_proposal(told=Told(share=0.2))
    items = carry_all(
        round.trials, [round], replace(round, number=2), [Reviewed(proposal, (), 2, 1)]
    )
    assert summary(items) == "2 kept, 8 withheld"
    withheld = next(item for item in items if item.fate is Fate.WITHHELD)
    assert withheld.reason == "proposal 3 has only the best 20% of the earlier trials told"
    assert not items[3].told  # it failed


@pytest.mark.parametrize(
    ("evidence", "of_round", "found"),
    [
        (("E001",), 1, "re-expressed"),  # where the value makes no difference, none is lost
        ((), 1, "dropped"),
        (("E001",), 2, "dropped"),  # what explores the space before is outside of the new one
    ],
)
def test_what_was_fixed_on_evidence_costs_no_earlier_trial(evidence, of_round, found):
    before = replace(make_round(0, space=SearchSpace(OLD)), number=of_round)
    now = replace(before, number=3, space=SearchSpace({**OLD, "depth": Int(4, 4)}))
    trial = Trial(0, of_round, dict(PARAMS), TrialState.COMPLETE, {"accuracy": 0.5})
    proposal = a_proposal(edits=(Fix(id="e1", parameter="depth", value=4, evidence=evidence),))
    decision = Decision(edit="e1", verdict=Verdict.APPROVE, author="ada", at=1.0)
    (item,) = carry_all([trial], [before], now, [Reviewed(proposal, (decision,), 2, 1)])
    assert item.fate == found
    if item.told:
        assert item.trial.params == PARAMS | {"depth": 4}
        assert "'depth' = 4, where it is fixed" in item.reason


def test_each_proposal_on_the_way_has_its_say():
    first, second = (
        make_round(10, unscored=lambda _: False),
        make_round(10, unscored=lambda _: False),
    )
    second.number = 2
    second.trials = [replace(trial, number=trial.number + 10, round=2) for trial in second.trials]
    now = replace(first, number=3)
    fresh = Reviewed(a_proposal(told=Told(share=0)), (), 2, 1)
    rejected = Reviewed(a_proposal(told=Told(share=0)), (), None, 2)
    items = carry_all(first.trials + second.trials, [first, second], now, [fresh, rejected])
    assert [item.told for item in items] == [False] * 10 + [True] * 10
    half = Reviewed(a_proposal(told=Told(share=0.5)), (), 3, 2)
    items = carry_all(first.trials + second.trials, [first, second], now, [fresh, half])
    assert not any(item.told for item in items[:10])
    assert 0 < sum(item.told for item in items[10:]) < 10


def a_proposal(**rest):
    plain = {"study": "s", "number": 3, "advisor": "a", "advisor_version": "1", "space": "f"}
    return Proposal(**plain, space_version=1, snapshot="h", seed=0, made=0.0, **rest)
