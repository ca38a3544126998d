"""What the policy remembers: original widths, decisions, and what a round already took."""

from dataclasses import replace
from typing import Any

import pytest
from edit_strategies import history_of
from judged import (
    BEST,
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

from tunesmith.edits import apply, prepared
from tunesmith.history import History, Reviewed
from tunesmith.parameters import Categorical, Float, Int, Parameter
from tunesmith.policy import Risk, Rule, admissible, check, risk
from tunesmith.proposals import (
    AddChoice,
    AddConstraint,
    Decision,
    Edit,
    Proposal,
    Tier,
    Verdict,
    WhatIf,
    Widen,
)
from tunesmith.space import SearchSpace


def of(original: Parameter, now: Parameter, **more: Any) -> History:
    """A history of one parameter that was once another."""
    space = SearchSpace({"x": now, "y": Float(0, 1)}, **more)
    return history_of(space, original=SearchSpace({"x": original, "y": Float(0, 1)}))


@pytest.mark.parametrize(
    ("history", "ok", "too_far"),
    [
        (of(Float(0, 10), Float(0, 1.5)), narrow("x", high=1), narrow("x", high=0.99)),
        (of(Float(0, 10), Float(0, 1.5)), narrow("x", low=0.5), restore("x", low=0.501)),
        (of(Int(1, 100), Int(1, 15)), narrow("x", high=10), narrow("x", high=9)),
        (
            of(Categorical(list(range(20))), Categorical([0, 1, 2])),
            {"action": "drop_choice", "parameter": "x", "choices": [2]},
            {"action": "fix", "parameter": "y", "value": 3.0},
        ),
        # wherever the range has moved to
        (of(Float(0, 10), Float(20, 21.5)), narrow("x", high=21), narrow("x", high=20.9)),
        # on the scale of now: a hundredth of the linear range, half of the decades
        (
            of(Float(1e-4, 1), Float(1e-4, 1, log=True)),
            narrow("x", high=0.01),
            narrow("x", high=1e-3, low=2e-4),
        ),
        # from 0: as many decades as were ever looked at
        (
            of(Float(0, 1), Float(1e-10, 1e-8, log=True)),
            narrow("x", low=1e-9),
            narrow("x", low=2e-9),
        ),
    ],
)
def test_a_tenth_of_the_original_width_always_stays(
    history: History, ok: Table, too_far: Table
) -> None:
    assert check(history, drafted([ok]).edits) == []
    objections = check(history, drafted([too_far]).edits)
    assert objections
    assert_stopped(history, drafted([too_far]))
    if too_far["action"] != "fix":
        assert rules(objections) <= {Rule.ORIGINAL_WIDTH, Rule.WIDTH}
        assert not any(item.hard for item in objections)


def reviewed(
    history: History, edit: Edit, verdict: Verdict, version: int | None = None, at: float = 10.0
) -> History:
    """The history after a proposal of this one edit was decided."""
    edits = prepared(history.space, [edit])
    proposal = Proposal(
        study="study",
        number=1,
        advisor="statistical",
        advisor_version="1",
        space_version=1,
        space=history.space.fingerprint,
        snapshot=history.snapshot,
        seed=0,
        made=at - 1,
        edits=edits,
    )
    decision = Decision(edit="e1", verdict=verdict, author="ada", reason="no need", at=at)
    space = apply(history.space, edits) if version else history.space
    proposals = [*history.proposals, Reviewed(proposal, (decision,), version)]
    return replace(history, space=space, proposals=proposals)


@pytest.mark.parametrize(
    ("rejected", "again"),
    [
        (Widen(parameter="x", high=2), {"action": "widen", "parameter": "x", "high": 2.0}),
        (Widen(parameter="x", high=2), restore("x", high=2)),
        (
            Widen(parameter="x", high=2, tier=Tier.WORTH_TESTING),
            {"action": "widen", "parameter": "x", "high": 2, "tier": "recommended"},
        ),
        (
            AddChoice(parameter="kind", choices=("e", "f")),
            {"action": "add_choice", "parameter": "kind", "choices": ["f", "e"]},
        ),
        (AddConstraint(forbid="x > 0.9"), forbid("x>0.9")),
    ],
)
def test_what_was_rejected_comes_again_only_with_new_evidence(rejected: Edit, again: Table) -> None:
    trials = [(BEST, number / 7) for number in range(12)]
    history = reviewed(history_of(SPACE, trials), rejected, Verdict.REJECT, at=11.0)
    draft = drafted([again])
    objections = check(history, draft.edits)
    assert rules(objections) == {Rule.REJECTED}
    assert not objections[0].hard
    assert objections[0].sentence == (
        "ada rejected it in proposal 1: no need; scored trials since then: 1 of the 3 that it takes"
    )
    assert_stopped(history, draft)
    more = reviewed(history_of(SPACE, trials), rejected, Verdict.REJECT, at=9.5)
    assert check(more, draft.edits) == []
    other = drafted([{"action": "widen", "parameter": "x", "high": 2.1}])
    assert check(history, other.edits) == []


def wide(names: int = 4) -> History:
    """A history in which `names` parameters were widened, one proposal after the other."""
    space = SearchSpace({f"p{number}": Float(0, 1) for number in range(names)})
    history = history_of(space, [({name: 0.5 for name in space.parameters}, 1.0)])
    for number in range(names):
        edit = Widen(parameter=f"p{number}", high=4)
        history = reviewed(history, edit, Verdict.APPROVE, version=2 + number)
    rounds = [*history.rounds, replace(history.rounds[0], number=2, space_version=9, trials=[])]
    rounds[-1].space = history.space
    return replace(history, rounds=rounds, version=9)


def test_taking_back_what_was_approved_is_no_destructive_edit() -> None:
    history = wide()
    reverts = drafted([restore(f"p{number}", high=1) for number in range(4)])
    assert check(history, reverts.edits) == []
    assert all(risk(history.space, edit) is Risk.DESTRUCTIVE for edit in reverts.edits)


def test_what_only_looks_like_taking_back_counts() -> None:
    never_approved = replace(wide(), proposals=())
    reverts = drafted([restore(f"p{number}", high=1) for number in range(4)])
    found = {Rule.WIDTH, Rule.VOLUME, Rule.DESTRUCTIVE_EDITS}
    assert rules(check(never_approved, reverts.edits)) == found
    further = drafted([restore("p0", high=0.9)])
    assert rules(check(wide(), further.edits)) == {Rule.WIDTH}
    # nor does what was overtaken since
    wider = apply(wide().space, [Widen(parameter="p0", high=8)])
    stale = drafted([restore("p0", high=1)])
    assert Rule.WIDTH in rules(check(replace(wide(), space=wider), stale.edits))
    # and nothing hides behind it
    both = drafted([restore("p0", high=1), narrow("p0", low=0.4)])
    assert Rule.WIDTH in rules(check(wide(), both.edits))


def test_taking_back_still_keeps_the_best_trial() -> None:
    history = wide()
    best = replace(history.rounds[0].trials[0], number=2, params={f"p{n}": 3.0 for n in range(4)})
    history.rounds[0].trials.append(replace(best, metrics={"loss": 0.1}))
    objections = check(replace(history), drafted([restore("p0", high=1)]).edits)
    assert rules(objections) == {Rule.INCUMBENT}


def test_the_least_certain_edits_are_left_out_where_all_go_too_far() -> None:
    tables = [
        narrow(f"p{number}", high=0.9) | {"stability": stability}
        for number, stability in enumerate([0.9, 0.8, 0.95, None, 0.85])
    ]
    whole = WhatIf(best_kept=1, best_of=1, volume=0.5)
    draft = drafted([*tables, {"action": "widen", "parameter": "p7", "high": 2}])
    found = admissible(RULE_FREE, draft.model_copy(update={"what_if": whole}))
    kept = [getattr(edit, "parameter", None) for edit in found.edits]
    assert kept == ["p0", "p2", "p4", "p7"]
    assert found.what_if is None
    assert [note.sentence.split(":")[0] for note in found.notes] == ["p3", "p1"]
    assert "5 edits that take something away; at most 3 do in a round" in found.notes[0].sentence
    assert found.notes[0].evidence == ("E001",)


def test_edits_that_contradict_one_another_are_not_proposed_together() -> None:
    twice = drafted([narrow("x", low=0.1), narrow("x", low=0.1)])
    objections = check(NOTHING, twice.edits)
    assert [(item.edit, item.rule) for item in objections] == [(None, Rule.VALID)]
    assert admissible(NOTHING, twice).edits == twice.edits[:1]


@pytest.mark.parametrize(
    ("tables", "found"),
    [
        (
            [narrow("p0", high=0.3), narrow("p1", high=0.5), narrow("p2", high=0.6)],
            [("e1", Rule.WIDTH), (None, Rule.VOLUME)],
        ),
        (
            [narrow("p0", high=0.3), narrow("p1", high=0.7), narrow("p1", low=0.3)],
            [("e1", Rule.WIDTH), (None, Rule.WIDTH), (None, Rule.VOLUME)],
        ),
        (
            [forbid("p0 + p1 > 0.45"), narrow("p2", high=0.5)],
            [("e1", Rule.VOLUME), ("e1", Rule.VOLUME), (None, Rule.VOLUME)],
        ),
    ],
)
def test_an_overridden_edit_does_not_hide_what_all_do_together(
    tables: list[Table], found: list[tuple[str | None, Rule]]
) -> None:
    objections = check(RULE_FREE, drafted(tables).edits)
    assert [(item.edit, item.rule) for item in objections] == found
