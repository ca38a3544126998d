"""The life of a proposal: made, decided once by somebody, put into effect once, written down."""

from dataclasses import replace

import pytest
from revising import (
    DOWN,
    TEST,
    UP,
    Scripted,
    a_study,
    adopted,
    approve,
    decide,
    decision,
    opened,
    proposals,
    propose,
    reject,
    say,
    trials_of,
    tuned,
    versions,
    why_stale,
    with_a_round,
    x_of,
)
from tuning import registry_of

from tunesmith import revision
from tunesmith.errors import ConfigError, SpaceError, StudyBusyError
from tunesmith.lease import Lease
from tunesmith.parameters import Float
from tunesmith.proposals import Evidence, Fix, Narrow, Note, Source, Verdict, Widen
from tunesmith.revision import gather
from tunesmith.space import SearchSpace
from tunesmith.trial import Origin


@pytest.fixture
def study(tmp_path, url, monkeypatch):
    return with_a_round(tmp_path, url, monkeypatch)


# made


def test_a_proposal_is_kept_with_ids_inverses_and_what_it_is_against(study):
    (reviewed,) = [propose(study)]
    proposal = reviewed.proposal
    assert proposals(study) == [reviewed]
    assert (reviewed.decisions, reviewed.version, reviewed.round) == ((), None, 1)
    assert reviewed.pending
    assert [edit.id for edit in proposal.edits] == ["e1", "e2"]
    assert [edit.inverse.options for edit in proposal.edits] == [{"high": 2.0}, {"low": -2.0}]
    assert (proposal.study, proposal.number, proposal.advisor) == ("parabola", 1, "scripted")
    assert (proposal.space_version, proposal.space) == (1, study.space.fingerprint)


def test_the_same_proposal_again_is_the_one_that_is_there(study):
    first = propose(study)
    approve(study, 1, "e1")
    assert propose(study).proposal == first.proposal
    say(UP)
    assert propose(study).proposal.number == 2
    assert len(proposals(study)) == 2


def test_a_proposal_without_edits_is_kept_and_waits_for_nobody(study):
    note = Note(kind="not enough evidence", sentence="too few trials", trials=25)
    say(notes=(note,))
    reviewed = propose(study)
    assert reviewed.proposal.notes == (note,)
    assert not reviewed.pending
    assert proposals(study) == [reviewed]


def test_edits_that_the_policy_forbids_are_left_out_with_a_note(study):
    say(UP, Fix(parameter="x", value=1.9))
    proposal = propose(study).proposal
    assert [edit.action for edit in proposal.edits] == ["widen"]
    assert [note.kind for note in proposal.notes] == ["left out"]


def test_nothing_is_proposed_before_a_trial_is_finished(tmp_path):
    with pytest.raises(ConfigError, match="study 'parabola' has no finished trial"):
        propose(a_study(tmp_path))


def test_without_an_advisor_the_package_to_install_is_named(study):
    with opened(study) as record, pytest.raises(ConfigError, match="'tunesmith-agent'"):
        revision.propose(study, record, registry_of())


def test_a_study_that_names_no_advisor_asks_the_statistical_one(study):
    plain = study.model_copy(update={"advisor": None})
    with opened(study) as record, pytest.raises(ConfigError, match="no advisor named 'statis"):
        revision.propose(plain, record, registry_of(Scripted))


def test_the_history_has_comparable_trials_only_and_says_what_it_left_out(study):
    tuned(study.model_copy(update={"goals": {"loss": "maximize"}}))
    tuned(study)
    with opened(study) as record:
        history = gather(study, record)
    assert [round.number for round in history.rounds] == [1, 3]
    assert len(history.trials) == 10
    assert history.excluded == [
        "round 2 with 5 trials: not the same goals, so its scores do not compare with the "
        "latest ones"
    ]


def test_trials_from_before_a_fix_on_evidence_are_evidence_still(study):
    row = Evidence(id="E001", kind="importance", trials=5, sentence="x makes no difference")
    say(Fix(parameter="x", value=0.0, evidence=("E001",)), evidence=(row,))
    propose(study)
    approve(study, 1, "e1")
    later = adopted(study)
    tuner, trials = tuned(later)
    assert [item.trial.params for item in tuner.carried if item.told] == [{"x": 0.0}] * 5
    explored = {trial.params["x"] for trial in trials if trial.origin is Origin.EXPLORATION}
    assert {0.0} | explored == tried(later) != {0.0}
    loose = later.model_copy(update={"space": study.space})
    assert len(tried(loose)) > 4


def tried(study):
    """The values of x that an advisor sees."""
    with opened(study) as record:
        return {trial.params["x"] for trial in gather(study, record).trials}


def test_a_space_edited_by_hand_becomes_a_version_before_it_is_judged(study):
    wider = study.model_copy(update={"space": SearchSpace({"x": Float(-3, 2)})})
    assert propose(wider).proposal.space_version == 2
    assert [version.reason for version in versions(study)] == ["first version", "edited by hand"]


# decided


def test_the_last_decision_puts_the_proposal_into_effect(study):
    propose(study)
    first = approve(study, 1, "e1")
    assert (first.pending, first.version, len(versions(study))) == (True, None, 1)
    second = decide(study, 1, decision("e2", author="bob", reason="why not"))
    assert (second.pending, second.version) == (False, 2)
    assert proposals(study) == [second]
    old, new = versions(study)
    assert (x_of(old.space), x_of(new.space)) == ((-2, 2), (-4, 4))
    assert (new.parent, new.author, new.proposal, old.proposal) == (1, "bob", 1, None)
    assert new.reason == "proposal 1: x: high 2 -> 4; x: low -2 -> -4"
    assert second.decisions[1].reason == "why not"


def test_rejected_edits_are_not_applied(study):
    propose(study)
    decide(study, 1, decision("e1", Verdict.REJECT), decision("e2"))
    assert x_of(versions(study)[-1].space) == (-4, 2)


def test_a_proposal_of_which_nothing_is_approved_changes_nothing(study):
    propose(study)
    reviewed = reject(study, 1, "e1", "e2")
    assert (reviewed.pending, reviewed.version) == (False, None)
    assert len(versions(study)) == 1
    assert tuned(study)[0].round.number == 1


def test_an_edit_may_be_changed_and_the_change_is_its_authors(study):
    propose(study)
    changed = Widen(parameter="x", low=-3, source=Source.STATISTICAL)
    made = decide(
        study,
        1,
        decision("e1"),
        decision("e2", Verdict.EDIT, changed=changed, reason="-4 is a lot"),
    )
    assert x_of(versions(study)[-1].space) == (-3, 4)
    (_, second) = made.decisions
    assert (second.changed.id, second.changed.source) == ("e2", Source.HUMAN)
    assert second.changed.inverse.options == {"low": -2.0}


def test_only_tests_being_approved_the_space_stays_and_a_new_round_explores(study):
    say(TEST)
    propose(study)
    reviewed = approve(study, 1, "e1")
    assert (reviewed.version, len(versions(study))) == (1, 1)
    tuner, trials = tuned(study)
    assert (tuner.round.number, tuner.round.proposal) == (2, 1)
    assert Origin.EXPLORATION in {trial.origin for trial in trials}


WRONG = {
    "of no edit": ([decision("e3")], "proposal 1 has no edit 'e3'"),
    "twice": (
        [decision("e1"), decision("e1", Verdict.REJECT)],
        "decided already: 'approve' by ada",
    ),
    "changed to nothing": ([decision("e1", Verdict.EDIT)], "says not what to apply instead"),
    "approved and changed": ([decision("e1", changed=UP)], "has an edit to apply .*; say 'edit'"),
    "overriding for no reason": ([decision("e1", override=True)], "give a reason for it"),
    "changed to what cannot be": (
        [decision("e1", Verdict.EDIT, changed=Widen(parameter="y", low=0))],
        "no parameter 'y'",
    ),
}


@pytest.mark.parametrize(("made", "reason"), WRONG.values(), ids=list(WRONG))
def test_a_decision_that_makes_no_sense_is_refused_with_all_beside_it(study, made, reason):
    propose(study)
    with pytest.raises((ConfigError, SpaceError), match=reason):
        decide(study, 1, *made, decision("e2"))
    assert proposals(study)[0].decisions == ()


def test_a_proposal_that_is_not_there_cannot_be_decided(study):
    with pytest.raises(ConfigError, match="study 'parabola' has no proposal 7"):
        approve(study, 7, "e1")


def test_a_decision_stands(study):
    propose(study)
    reject(study, 1, "e1")
    with pytest.raises(ConfigError, match=r"decided already: 'reject' by ada at 20\d\d-.* UTC"):
        approve(study, 1, "e1", author="bob")
    approve(study, 1, "e2")
    with pytest.raises(ConfigError, match=r"decided already: 'approve' by ada at"):
        approve(study, 1, "e2", author="bob")


def test_what_the_policy_objects_to_is_refused_however_it_comes_in(study):
    propose(study)
    best = min(abs(trial.params["x"]) for trial in trials_of(study))
    worse = Narrow(parameter="x", low=best + 0.2, source=Source.HUMAN)
    made = {"verdict": Verdict.EDIT, "changed": worse, "override": True, "reason": "I know"}
    with pytest.raises(ConfigError, match=r"e1: .*\n?.*nobody may override that"):
        decide(study, 1, decision("e1", **made))
    assert proposals(study)[0].decisions == ()


def test_a_soft_rule_may_be_overridden_with_a_reason(study):
    say(UP)
    propose(study)
    reject(study, 1, "e1")
    say(UP, DOWN)
    revised = replace(propose(study))
    assert [edit.action for edit in revised.proposal.edits] == ["widen"]  # UP was rejected before
    wish = {"verdict": Verdict.EDIT, "changed": UP}
    with pytest.raises(ConfigError, match=r"e1: .*; override it with a reason"):
        decide(study, 2, decision("e1", **wish))
    decide(study, 2, decision("e1", **wish, override=True, reason="the paper says so"))
    assert x_of(versions(study)[-1].space) == (-2, 4)


def test_nothing_is_decided_while_a_round_runs(study):
    propose(study)
    with opened(study) as record:
        lease = Lease(record)
        try:
            with pytest.raises(StudyBusyError, match=r"is being run by process .* decide when"):
                approve(study, 1, "e1")
        finally:
            lease.release()
    approve(study, 1, "e1")


# stale


def test_after_more_trials_a_proposal_can_only_be_rejected(study):
    propose(study)
    approve(study, 1, "e1")
    assert why_stale(study, 1) is None
    tuned(study.model_copy(update={"budget": study.budget.model_copy(update={"trials": 6})}))
    assert why_stale(study, 1) == "trials were run since"
    with pytest.raises(ConfigError, match="stale: trials were run since; run 'tunesmith advise'"):
        approve(study, 1, "e2")
    made = reject(study, 1, "e2")
    assert (made.pending, made.version, len(versions(study))) == (False, None, 1)


def test_after_an_edit_by_hand_a_proposal_is_stale(study):
    propose(study)
    edited = study.model_copy(update={"space": SearchSpace({"x": Float(-3, 2)})})
    with pytest.raises(ConfigError, match="stale: the study's space was edited by hand since"):
        approve(edited, 1, "e1")
    with opened(study) as record:
        record.version_of(edited.space, "bob")
    with pytest.raises(ConfigError, match="against space version 1, and version 2 by bob is"):
        approve(edited, 1, "e1")


def test_of_two_proposals_of_one_round_only_one_is_approved(study):
    propose(study)
    say(DOWN)
    propose(study)
    approve(study, 2, "e1")
    with pytest.raises(ConfigError, match="stale: proposal 2 was approved since"):
        approve(adopted(study), 1, "e1")


def test_there_is_no_second_proposal_before_a_round_has_tried_the_first(study):
    say(UP)
    propose(study)
    approve(study, 1, "e1")
    say(DOWN)
    with pytest.raises(ConfigError, match="proposal 1 was approved, and no round was run with it"):
        propose(adopted(study))
    tuned(adopted(study))
    assert propose(adopted(study)).proposal.space_version == 2
