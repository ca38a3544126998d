"""Each rule of the policy, and how somebody might try to get round it."""

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest
from edit_strategies import EVIDENCE, drafts, histories, history_of
from hypothesis import given, settings
from hypothesis import strategies as st
from judged import (
    BEST,
    HISTORY,
    NOTHING,
    RULE_FREE,
    SPACE,
    Table,
    assert_stopped,
    drafted,
    forbid,
    narrow,
    restore,
    rules,
)

from tunesmith.carryover import Fate, carry_over
from tunesmith.edits import apply, prepared
from tunesmith.history import History
from tunesmith.parameters import Categorical, Float
from tunesmith.policy import Risk, Rule, admissible, check, destructive, risk
from tunesmith.proposals import (
    AddChoice,
    AddConstraint,
    Draft,
    DropChoice,
    DropConstraint,
    Edit,
    Fix,
    Narrow,
    Proposal,
    Restore,
    SetCondition,
    SetScale,
    Tier,
    Widen,
    read_edit,
)
from tunesmith.space import SearchSpace
from tunesmith.trial import Direction, Goal, TrialState

hypothesis = settings(derandomize=True, database=None, deadline=None, max_examples=120)

# the rule, the history, and edits that offend against it under whatever name
OFFENCES: list[tuple[Rule, History, list[Table]]] = [
    (Rule.VALID, NOTHING, [{"action": "widen", "parameter": "x", "high": 0.5}]),
    (Rule.VALID, NOTHING, [{"action": "fix", "parameter": "x", "value": 7}]),
    (Rule.VALID, NOTHING, [restore("x", low=2, high=1)]),
    (Rule.VALID, NOTHING, [restore("x", high=10**400)]),
    (Rule.VALID, NOTHING, [forbid("depth <= 20")]),
    (Rule.VALID, NOTHING, [forbid("kind == 'a'")]),
    (Rule.VALID, NOTHING, [forbid("depth > 18 and kind > 2")]),
    (Rule.VALID, NOTHING, [{"action": "set_condition", "parameter": "kind", "when": "drop > 0"}]),
    (Rule.LOCKED, NOTHING, [{"action": "widen", "parameter": "batch", "high": 512}]),
    (Rule.VALID, NOTHING, [narrow("batch", high=1)]),
    (Rule.LOCKED, NOTHING, [narrow("batch", low=64)]),
    (Rule.LOCKED, NOTHING, [{"action": "fix", "parameter": "batch", "value": 64}]),
    (Rule.LOCKED, NOTHING, [{"action": "set_scale", "parameter": "batch", "log": True}]),
    (Rule.VALID, NOTHING, [restore("batch", locked=False)]),
    (Rule.LOCKED, NOTHING, [restore("batch", default=64)]),
    (Rule.LOCKED, NOTHING, [restore("drop", when=None)]),
    (Rule.LOCKED, NOTHING, [forbid("batch < 64")]),
    (Rule.LOCKED, NOTHING, [{"action": "drop_constraint", "forbid": str(SPACE.forbid[0])}]),
    (Rule.LOCKED, NOTHING, [{"action": "fix", "parameter": "kind", "value": "a"}]),
    (Rule.LOCKED, NOTHING, [forbid("kind in ['b', 'c', 'd']")]),
    (Rule.LOCKED, NOTHING, [restore("kind", choices=["a"])]),
    (Rule.VALID, NOTHING, [{"action": "widen", "parameter": "share", "high": 0.95}]),
    (Rule.VALID, NOTHING, [{"action": "widen", "parameter": "share", "low": 0}]),
    (Rule.VALID, NOTHING, [restore("share", high=0.91)]),
    (Rule.VALID, NOTHING, [restore("share", hard_high=None)]),
    (Rule.VALID, NOTHING, [restore("share", hard_low=-1, low=-1)]),
    (Rule.DEFAULT, NOTHING, [restore("rate", default=0.5)]),
    (Rule.DEFAULT, NOTHING, [restore("rate", default=None)]),
    (Rule.DEFAULT, NOTHING, [restore("x", default=0.1)]),
    (Rule.DEFAULT, NOTHING, [restore("rate", default=0.5, low=0.1)]),
    (Rule.VALID, NOTHING, [narrow("rate", low=0.05)]),
    (Rule.VALID, NOTHING, [{"action": "drop_choice", "parameter": "kind", "choices": ["a"]}]),
    (Rule.INCUMBENT, HISTORY, [narrow("x", low=0.305)]),
    (Rule.INCUMBENT, HISTORY, [narrow("rate", high=0.2)]),
    (Rule.INCUMBENT, HISTORY, [restore("x", low=0.305)]),
    (Rule.INCUMBENT, HISTORY, [restore("x", step=0.25)]),
    (Rule.INCUMBENT, HISTORY, [forbid("x < 0.305")]),
    (Rule.INCUMBENT, HISTORY, [forbid("depth == 10 and rate >= 0.2")]),
    (Rule.INCUMBENT, HISTORY, [restore("kind", choices=["b", "c", "d"], default="b")]),
    (
        Rule.INCUMBENT,
        HISTORY,
        [{"action": "set_condition", "parameter": "x", "when": "kind == 'b'"}],
    ),
    (Rule.BEST_TRIALS, HISTORY, [narrow("x", high=0.305)]),
    (Rule.BEST_TRIALS, HISTORY, [forbid("x > 0.305 and x < 0.312")]),
    (Rule.EVIDENCE, NOTHING, [narrow("x", high=0.9) | {"evidence": ["E777"]}]),
    (
        Rule.EVIDENCE,
        NOTHING,
        [{"action": "widen", "parameter": "x", "high": 2, "evidence": ["E777"]}],
    ),
    (Rule.DESTRUCTIVE_EDITS, RULE_FREE, [narrow(f"p{number}", high=0.9) for number in range(4)]),
    (Rule.DESTRUCTIVE_EDITS, RULE_FREE, [restore(f"p{number}", high=0.9) for number in range(4)]),
    (
        Rule.DESTRUCTIVE_EDITS,
        RULE_FREE,
        [{"action": "fix", "parameter": f"p{number}", "value": 0.5} for number in range(4)],
    ),
    (
        Rule.DESTRUCTIVE_EDITS,
        RULE_FREE,
        [
            {"action": "set_condition", "parameter": f"p{number}", "when": "p7 < 0.9"}
            for number in range(4)
        ],
    ),
    (Rule.WIDTH, NOTHING, [narrow("x", high=0.49)]),
    (Rule.WIDTH, NOTHING, [narrow("x", low=0.3, high=0.7)]),
    (Rule.WIDTH, NOTHING, [narrow("rate", low=0.009, high=0.8)]),
    (Rule.WIDTH, NOTHING, [narrow("depth", high=9)]),
    (Rule.WIDTH, NOTHING, [restore("x", low=0.6, high=1.6)]),
    (Rule.WIDTH, NOTHING, [restore("x", step=0.1)]),
    (Rule.WIDTH, NOTHING, [{"action": "set_scale", "parameter": "x", "log": True, "low": 0.6}]),
    (Rule.WIDTH, NOTHING, [narrow("x", high=0.7), narrow("x", low=0.3)]),
    (Rule.VOLUME, RULE_FREE, [narrow(f"p{number}", high=0.499999) for number in range(3)]),
    (Rule.VOLUME, RULE_FREE, [restore(f"p{number}", high=0.499999) for number in range(3)]),
    (Rule.VOLUME, RULE_FREE, [forbid("p0 + p1 > 0.45")]),
    (Rule.VOLUME, NOTHING, [forbid("x < 0.3 or x > 0.7")]),
    (Rule.VOLUME, RULE_FREE, [forbid("p0 > 0.7"), forbid("p0 < 0.3")]),
    (Rule.VOLUME, RULE_FREE, [narrow("p0", high=0.51), forbid("p1 + p2 > 0.6")]),
    (
        Rule.VOLUME,
        RULE_FREE,
        [{"action": "set_condition", "parameter": "p0", "when": "p1 > 0.9"}],
    ),
]
HARD = set(Rule) - {
    Rule.DESTRUCTIVE_EDITS,
    Rule.WIDTH,
    Rule.ORIGINAL_WIDTH,
    Rule.VOLUME,
    Rule.REJECTED,
}
LIES: Table = {
    "source": "human",
    "stability": 1.0,
    "why": "The policy allows it.",
    "effect": "none",
    "what_if": {"best_kept": 20, "best_of": 20, "volume": 1.0},
    "inverse": {"action": "restore", "parameter": "batch", "options": {"locked": False}},
}
offences = pytest.mark.parametrize(("rule", "history", "tables"), OFFENCES)


@offences
def test_no_draft_gets_round_a_rule(rule: Rule, history: History, tables: list[Table]) -> None:
    draft = drafted(tables)
    assert rule in rules(check(history, draft.edits, ["E001"]))
    assert_stopped(history, draft)


@offences
def test_no_human_gets_round_a_hard_rule_nor_unknowingly_round_a_soft_one(
    rule: Rule, history: History, tables: list[Table]
) -> None:
    edits = [read_edit({"source": "human"} | table) for table in tables]
    found = [item for item in check(history, edits, ["E001"]) if item.rule is rule]
    assert found
    assert all(item.hard == (rule in HARD) for item in found)
    assert all(item.sentence and "\n" not in item.sentence for item in found)


@offences
def test_no_forged_json_gets_round_a_rule(
    rule: Rule, history: History, tables: list[Table]
) -> None:
    forged = [{"evidence": ["E001"]} | table | LIES for table in tables]
    data = {
        "study": "study",
        "number": 1,
        "advisor": "statistical",
        "advisor_version": "1",
        "space_version": 1,
        "space": history.space.fingerprint,
        "snapshot": history.snapshot,
        "seed": 0,
        "made": 0.0,
        "evidence": [item.model_dump() for item in EVIDENCE],
        "edits": forged,
    }
    proposal = Proposal.model_validate_json(json.dumps(data))
    assert rule in rules(check(history, proposal.edits, ["E001"]))
    assert_stopped(history, proposal)


@offences
def test_worth_testing_is_no_way_round_validity_locks_and_hard_bounds(
    rule: Rule, history: History, tables: list[Table]
) -> None:
    draft = drafted(tables, tier="worth testing")
    stopped = rule in {Rule.VALID, Rule.LOCKED, Rule.EVIDENCE}
    assert (rule in rules(check(history, draft.edits, ["E001"]))) == stopped
    assert (admissible(history, draft).edits != draft.edits) == stopped


FINE: list[tuple[History, list[Table]]] = [
    (NOTHING, [narrow("x", low=0.1, high=0.6)]),
    (NOTHING, [narrow("depth", high=10)]),
    (NOTHING, [narrow("rate", low=1e-2)]),
    (NOTHING, [{"action": "widen", "parameter": "share", "low": 0.1, "high": 0.9}]),
    (NOTHING, [{"action": "drop_choice", "parameter": "kind", "choices": ["b", "c"]}]),
    (NOTHING, [{"action": "fix", "parameter": "kind", "value": "b"}]),
    (NOTHING, [forbid("x > 0.5")]),
    (HISTORY, [narrow("x", low=0.3)]),
    (HISTORY, [{"action": "fix", "parameter": "x", "value": 0.9}]),
    (HISTORY, [restore("x", low=-1, high=3)]),
    (HISTORY, [{"action": "set_scale", "parameter": "depth", "log": True}]),
    (RULE_FREE, [narrow(f"p{number}", high=0.5) for number in range(3)]),
    (RULE_FREE, [forbid(f"p{number} > 0.9") for number in range(4)]),
    (
        RULE_FREE,
        [
            {"action": "set_scale", "parameter": f"p{number}", "log": True, "low": 0.001}
            for number in range(4)
        ],
    ),
    (RULE_FREE, [{"action": "widen", "parameter": f"p{number}", "high": 9} for number in range(8)]),
]


@pytest.mark.parametrize(("history", "tables"), FINE)
def test_what_offends_against_nothing_is_admitted_as_it_is(
    history: History, tables: list[Table]
) -> None:
    draft = drafted(tables)
    assert check(history, draft.edits, ["E001"]) == []
    assert admissible(history, draft) == draft


def test_what_takes_something_away_needs_evidence_unless_a_human_decides_it() -> None:
    for table in (narrow("x", high=0.9), restore("x", high=0.9), forbid("x > 0.9")):
        model = read_edit(table | {"source": "llm"})
        assert rules(check(NOTHING, [model])) == {Rule.EVIDENCE}
        human = read_edit(table | {"source": "human"})
        assert check(NOTHING, [human]) == []
        # a draft is nobody's decision, whatever it says
        assert admissible(NOTHING, Draft(evidence=EVIDENCE, edits=(human,))).edits == ()
    widen = Widen(parameter="x", high=2)
    assert check(NOTHING, [widen]) == []


def test_a_constraint_on_what_is_known_to_fail_may_take_more_than_half() -> None:
    space = SearchSpace({"x": Float(0, 1), "y": Float(0, 1)})
    history = history_of(space, [({"x": 0.05, "y": 0.5}, 1.0)])
    best = history.rounds[0].trials[0]
    failed = [
        replace(best, number=n, params={"x": 0.4 + n / 50, "y": 0.5}, state=TrialState.FAILED)
        for n in range(2, 22)
    ]
    for bound, count, found in ((0.3, 20, set()), (0.3, 14, {"volume"}), (0.1, 20, {"volume"})):
        rounds = [replace(history.rounds[0], trials=[best, *failed[:count]])]
        edit = read_edit(forbid(f"x > {bound}") | {"evidence": ["E001"]})
        assert rules(check(replace(history, rounds=rounds), [edit])) == found


def test_objections_quote_the_trial_and_the_values() -> None:
    edits = [
        read_edit({"evidence": ["E001"]} | table)
        for table in (
            narrow("rate", high=0.2),
            narrow("x", high=0.305),
            {"action": "widen", "parameter": "batch", "high": 512},
            restore("rate", default=0.5),
        )
    ]
    found = [(item.edit, item.rule, item.sentence) for item in check(HISTORY, edits)]
    assert found == [
        ("e1", "incumbent", "it would cut off trial 1, the best one (rate = 0.3 is outside)"),
        (
            "e1",
            "best trials",
            "it would cut off 1 of the 2 best trials, such as trial 2 (rate = 0.3 is outside)",
        ),
        (
            "e2",
            "best trials",
            "it would cut off 1 of the 2 best trials, such as trial 2 (x = 0.31 is outside)",
        ),
        (
            "e2",
            "width",
            "it would leave 'x' 30.5% of its width; at least 50% stay in a round",
        ),
        ("e3", "locked", "it would change 'batch', which is locked"),
        ("e4", "default", "it would change the default of 'rate' from 0.01 to 0.5"),
    ]


def test_the_best_tenth_is_rounded_up_and_only_what_lies_inside_counts() -> None:
    trials = [(BEST | {"x": 0.3 + number / 100}, number) for number in range(21)]
    third = read_edit(narrow("x", high=0.315) | {"evidence": ["E001"]})
    assert "1 of the 3 best trials" in str(check(history_of(SPACE, trials), [third]))
    outside = [(BEST | {"x": 7.0}, -1), (BEST | {"x": "text"}, -2), ({"y": 1}, -3)]
    history = history_of(SPACE, [*outside, (BEST | {"x": 0.9}, 0)])
    # the best trial that lies inside, though it is not among the best tenth
    assert Rule.INCUMBENT in rules(check(history, [Narrow(parameter="x", high=0.8)]))
    assert check(history, [Narrow(parameter="x", low=0.4, evidence=("E001",))]) == []


def test_with_several_goals_the_whole_front_stays_inside() -> None:
    goals = (Goal("loss", Direction.MINIMIZE), Goal("score", Direction.MAXIMIZE))
    history = history_of(SPACE, [(BEST | {"x": 0.2}, 1.0), (BEST | {"x": 0.9}, 2.0)])
    rounds = [replace(history.rounds[0], goals=goals)]
    rounds[0].trials = [
        replace(trial, metrics=trial.metrics | {"score": trial.metrics["loss"]})
        for trial in rounds[0].trials * 10
    ]
    history = replace(history, goals=goals, rounds=rounds)
    objections = check(history, [Narrow(parameter="x", high=0.8, evidence=("E001",))])
    assert rules(objections) <= {Rule.BEST_TRIALS}


def test_a_fixed_parameter_is_judged_by_all_others() -> None:
    assert check(HISTORY, [Fix(parameter="x", value=0.9, evidence=("E001",))]) == []
    with_rule = replace(SPACE, forbid=[*SPACE.forbid, "x > 0.8 and rate > 0.2"])
    history = history_of(with_rule, [(BEST, 1.0)])
    objections = check(history, [Fix(parameter="x", value=0.9, evidence=("E001",))])
    assert rules(objections) == {Rule.INCUMBENT}
    # and one that the best trial's branch hangs on cannot be fixed to another
    branch = SearchSpace({"kind": Categorical(["a", "b"]), "x": Float(0, 1, when="kind == 'a'")})
    history = history_of(branch, [({"kind": "a", "x": 0.5}, 1.0)])
    objections = check(history, [Fix(parameter="kind", value="b", evidence=("E001",))])
    assert [item.rule for item in objections] == [Rule.INCUMBENT]
    assert "'x' = 0.5 does not apply" in objections[0].sentence


@pytest.mark.parametrize("log", [False, True])
def test_bounds_that_are_neighbours_are_judged_like_any(log: bool) -> None:
    space = SearchSpace({"x": Float(0.125, 0.12500000000000003, log=log)})
    history = history_of(space, [({"x": 0.12500000000000003}, 1.0)])
    edits = [read_edit(forbid("x < 0.12500000000000003")), Widen(parameter="x", high=2)]
    assert check(history, [edit.model_copy(update={"source": "human"}) for edit in edits]) == []


@pytest.mark.parametrize(
    ("edit", "takes"),
    [
        (Narrow(parameter="x", high=0.9), True),
        (Restore(parameter="x", options={"high": 0.9}), True),
        (Restore(parameter="x", options={"step": 0.1}), True),
        (Restore(parameter="x", options={"high": 3}), False),
        (SetScale(parameter="x", log=True, low=1e-6), False),
        (SetScale(parameter="depth", log=True), False),
        (Widen(parameter="x", high=3), False),
        (Fix(parameter="x", value=0.5), True),
        (DropChoice(parameter="kind", choices=("b",)), True),
        (AddChoice(parameter="kind", choices=("e",)), False),
        (AddConstraint(forbid="x > 2"), False),
        (DropConstraint(forbid="batch > 200 and depth > 19"), False),
        (SetCondition(parameter="x", when="kind == 'b'"), True),
        (SetCondition(parameter="drop", when=None), False),
    ],
)
def test_risk_is_the_room_that_parameters_lose(edit: Edit, takes: bool) -> None:
    assert risk(SPACE, edit) is (Risk.DESTRUCTIVE if takes else Risk.LOW)
    assert destructive(SPACE, apply(SPACE, [edit])) == takes


def told_of(history: History, space: SearchSpace) -> None:
    """The best trial that lay in the present space lies in this one, but for fixed parameters."""
    inside = [trial for trial in history.ranked if history.space.contains(trial.params)]
    if not inside:
        return
    old = history.space.parameters
    fixed = {
        name: item.at(0.5)
        for name, item in space.parameters.items()
        if item.levels == 1 and old[name].levels != 1
    }
    params = {name: fixed.get(name, value) for name, value in inside[0].params.items()}
    before = replace(history.rounds[0], space=space)
    now = replace(history.rounds[0], space=space, number=2)
    carried = carry_over(
        replace(inside[0], params=params), replace(before, space=history.space), now
    )
    assert carried.fate is not Fate.DROPPED, carried.reason


def assert_safe(history: History, edits: Sequence[Edit]) -> None:
    """What the policy stands for, in words of its own."""
    after = apply(history.space, [edit for edit in edits if edit.tier is Tier.RECOMMENDED])
    assert after.contains(after.sample(Random(1)))
    assert SearchSpace.from_dict(after.to_dict()).fingerprint == after.fingerprint
    told_of(history, after)
    for name, old in history.space.parameters.items():
        new = after.parameters[name]
        assert not old.locked or new == old
        assert new.locked == old.locked
        if not isinstance(old, Categorical) and not isinstance(new, Categorical):
            assert (new.hard_low, new.hard_high) == (old.hard_low, old.hard_high)
            assert old.hard_low is None or new.low >= old.hard_low
            assert old.hard_high is None or new.high <= old.hard_high
        if old.default is not None and new.levels != 1 and old.levels != 1:
            assert new.default == old.default
            assert new.contains(old.default)


@hypothesis
@given(histories().flatmap(lambda history: st.tuples(st.just(history), drafts(history.space))))
def test_whatever_is_drafted_what_is_admitted_is_safe(case: tuple[History, Draft]) -> None:
    history, draft = case
    found = admissible(history, draft)
    assert_safe(history, found.edits)
    assert len(found.edits) + len(found.notes) == len(draft.edits)
    assert check(history, found.edits, [item.id for item in EVIDENCE]) == []
    assert admissible(history, found) == found
    for edit in prepared(history.space, found.edits):
        assert edit.inverse


@hypothesis
@given(histories().flatmap(lambda history: st.tuples(st.just(history), drafts(history.space))))
def test_whatever_a_human_overrides_what_is_applied_is_safe(case: tuple[History, Draft]) -> None:
    history, draft = case
    edits = [edit.model_copy(update={"source": "human"}) for edit in draft.edits]
    while any(hard := [item for item in check(history, edits) if item.hard]):
        named = {item.edit for item in hard} - {None}
        kept = [edit for number, edit in enumerate(edits, 1) if f"e{number}" not in named]
        edits = kept if named else edits[:-1]
    assert_safe(history, edits)


def test_two_thousand_trials_of_twenty_parameters_are_judged_in_a_moment() -> None:
    floats = {f"x{number}": Float(1e-5, 1, log=True, default=0.5) for number in range(12)}
    kinds = {f"c{number}": Categorical(list("abcd")) for number in range(8)}
    space = SearchSpace(floats | kinds, forbid=["x1 > 0.9 and x2 > 0.9"])
    random = Random(1)
    history = history_of(space, [(space.sample(random), random.random()) for _ in range(2000)])
    tables = [narrow(f"x{number}", low=2e-5) for number in range(10)]
    tables += [{"action": "fix", "parameter": f"c{number}", "value": "a"} for number in range(8)]
    started = time.process_time()
    assert check(history, drafted(tables).edits)
    assert time.process_time() - started < 2  # 0.2 on an idle machine
