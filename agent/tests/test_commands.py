"""`tunesmith advise` and `tunesmith proposals`, as somebody or a script types them."""

import json
import re
import warnings
from io import StringIO

import pytest
from deciding import DRAFT, Written, call, from_json
from ruamel.yaml import YAML

from tunesmith.proposals import Draft


@pytest.fixture
def advised(folder):
    assert call("advise").code == 0
    return folder


def space_of(folder):
    return YAML(typ="safe").load(folder / "study.yaml")["space"]["parameters"]


def test_advise_shows_the_proposal_and_says_how_to_decide_it(folder):
    found = call("advise")
    assert found.code == 0, found.err
    assert "proposal 1 for demo, against space v1" in found.out
    assert "e1 x: high 2 -> 4 [recommended]" in found.out
    assert "tunesmith proposals approve study.yaml 1 e1 e2 e3" in found.err
    assert space_of(folder)["x"]["high"] == 2


def test_advise_on_the_same_trials_is_the_same_proposal(advised):
    first, again = from_json("advise"), from_json("advise")
    assert again == first
    assert len(from_json("proposals", "list")) == 1


def test_advise_that_is_to_ask_but_has_no_terminal_ends_with_9(folder):
    found = call("advise", "--ask")
    assert found.code == 9
    assert "tunesmith proposals approve study.yaml 1 e1 e2 e3" in found.err


def test_advise_without_trials_says_how_to_get_some(folder):
    (folder / "tunesmith.db").unlink()
    found = call("advise")
    assert found.code == 2
    assert "study 'demo' has no trials yet; start it with 'tunesmith run study.yaml'" in found.err


def test_a_proposal_without_edits_is_nothing_to_decide(folder, monkeypatch):
    monkeypatch.setattr(Written, "draft", Draft(notes=DRAFT.notes))
    found = call("advise", "--ask")
    assert found.code == 0
    assert "No edit is proposed." in found.out
    assert "nothing to decide; next: tunesmith run study.yaml --new-round" in found.err


def test_options_for_an_experiment_are_refused_without_one(folder):
    found = call("advise", "--metric", "loss")
    assert found.code == 2
    assert "--metric is for --experiment only" in found.err


def test_approving_everything_writes_the_space_into_the_study_file(advised):
    found = call("proposals", "approve", "--as", "ada", "--reason", "looks right")
    assert found.code == 0, found.err
    assert "space v2 is written to study.yaml; next: tunesmith run study.yaml" in found.out
    assert (space_of(advised)["x"]["high"], space_of(advised)["depth"]["high"]) == (4, 12)
    assert space_of(advised)["x"]["low"] == -2  # only tested
    assert "# the only one that matters" in (advised / "study.yaml").read_text()
    (row,) = from_json("proposals", "list")
    assert (row["state"], row["led to"], row["decided by"]) == ("applied", "v2", "ada")


def test_some_edits_can_be_decided_now_and_the_rest_later(advised):
    found = call("proposals", "approve", "study.yaml", 1, "e1")
    assert found.code == 0, found.err
    assert "proposal 1 is pending: e2 e3" in found.out
    assert space_of(advised)["x"]["high"] == 2
    assert call("proposals", "reject", "e2", "--reason", "deep is slow").code == 0
    assert call("proposals", "approve", "1", "e3").code == 0
    assert space_of(advised)["x"]["high"] == 4
    assert space_of(advised)["depth"]["high"] == 8
    data = from_json("proposals", "show")
    assert [item["verdict"] for item in data["decisions"]] == ["approve", "reject", "approve"]
    assert data["decisions"][1]["reason"] == "deep is slow"


def test_rejecting_everything_leaves_the_space(advised):
    found = call("proposals", "reject")
    assert "every edit is rejected: the space stays v1" in found.out
    assert space_of(advised)["x"]["high"] == 2


def test_approving_only_tests_leaves_the_space_and_says_so(advised):
    call("proposals", "reject", "e1", "e2")
    found = call("proposals", "approve", "e3")
    assert "the space stays v1; next, with the tests: tunesmith run study.yaml" in found.out
    assert from_json("proposals", "list")[0]["state"] == "to be tested"


def test_an_edit_is_approved_with_other_values(advised):
    found = call("proposals", "edit", "e1", "--high", "3.5", "--as", "bo")
    assert found.code == 0, found.err
    call("proposals", "approve")
    assert space_of(advised)["x"]["high"] == 3.5
    (first, *_) = from_json("proposals", "show", 1)["decisions"]
    assert (first["verdict"], first["author"]) == ("edit", "bo")
    assert first["changed"]["source"] == "human"


def test_an_edit_is_replaced_by_another_one_in_json(advised):
    change = json.dumps({"action": "add_choice", "parameter": "kind", "choices": ["d"]})
    found = call("proposals", "edit", "e1", "--json", "-", typed=change)
    assert found.code == 0, found.err
    call("proposals", "approve")
    assert space_of(advised)["kind"]["choices"] == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["e1"], "nothing to change: give --low"),
        (["e1", "--high", "2"], "both bounds stay"),
        (["e1", "--low", "-1"], "one bound goes out and the other in"),
        (["e1", "--high", "much"], "--high 'much' is not a number"),
        (["e1", "--high", "[1"], "--high '[1' is not a plain value"),
        (["e1", "--choices", "a"], "'widen' has no 'choices' to change (known: high, low)"),
        (["e1", "--json", "{}"], "this is no edit"),
        (["e1", "--json", '{"action": "explode"}'], "this is no edit"),
        (["e1", "--json", "{"], "--json is not JSON"),
        (["e1", "--json", '{"action": "widen", "parameter": "x", "high": NaN}'], "is no number"),
        (["e1", "--json", '{"action": "widen", "parameter": "y", "high": 3}'], "'y'"),
        (["e1", "--json", '{"action": "widen", "parameter": "x", "high": 1}'], "narrow"),
        (["e9", "--high", "3"], "e9"),
        (["--high", "3"], "name one edit to change"),
        (["e1", "e2", "--high", "3"], "name one edit to change"),
    ],
)
def test_an_edit_that_cannot_be_is_refused_and_nothing_is_decided(advised, arguments, reason):
    found = call("proposals", "edit", "study.yaml", 1, *arguments)
    assert found.code == 2, found.err
    assert reason in found.err
    assert from_json("proposals", "show")["decisions"] == []


def test_a_decision_of_a_script_may_come_as_json(advised):
    decisions = [
        {"edit": "e1", "reason": "by the rules"},
        {"edit": "e2", "verdict": "reject"},
        {
            "edit": "e3",
            "verdict": "edit",
            "changed": {"action": "widen", "parameter": "x", "low": -3, "tier": "worth testing"},
        },
    ]
    data = from_json("proposals", "approve", "--json", "-", typed=json.dumps(decisions))
    assert data["version"] == 2
    assert [item["verdict"] for item in data["decisions"]] == ["approve", "reject", "edit"]
    assert data["decisions"][0]["reason"] == "by the rules"


@pytest.mark.parametrize(
    ("decisions", "reason"),
    [
        ({"edit": "e1"}, "--json is a list of decisions here"),
        (["e1"], "'e1' is no decision"),
        ([{"edit": "e1", "at": 0}], "'at' is taken from the clock"),
        ([{"edit": "e1", "verdict": "maybe"}], "this is no decision: verdict"),
        ([{"edit": "e1", "colour": "red"}], "this is no decision: colour"),
        ([{"edit": "e1", "override": True}], "an override needs a reason"),
        ([{"edit": "e1", "verdict": "edit"}], "e1"),
        ([{"edit": "e1"}, {"edit": "e1"}], "e1"),
        ([{"verdict": "approve"}], "this is no decision: edit"),
    ],
)
def test_a_forged_decision_is_refused_as_a_whole(advised, decisions, reason):
    text = json.dumps(decisions)
    found = call("proposals", "approve", "--json", "-", typed=text)
    assert found.code == 2, found.err
    assert reason in found.err
    assert from_json("proposals", "show")["decisions"] == []


def test_a_soft_rule_is_overridden_with_a_reason_only(advised):
    change = ["e1", "--json", '{"action": "narrow", "parameter": "x", "low": 0.45}']
    refused = call("proposals", "edit", *change)
    assert refused.code == 2, refused.out
    assert "at least 50% stay in a round" in refused.err
    assert "an override needs a reason" in call("proposals", "edit", *change, "--override").err
    assert from_json("proposals", "show")["decisions"] == []
    call("proposals", "reject", "e3")
    found = call("proposals", "edit", *change, "--override", "--reason", "we know this corner")
    assert found.code == 0, found.err
    assert call("proposals", "approve").code == 0
    assert space_of(advised)["x"]["low"] == 0.45


def test_a_hard_rule_is_not_overridden(advised):
    change = ["e1", "--json", '{"action": "narrow", "parameter": "x", "high": 1.5}']
    found = call("proposals", "edit", *change, "--override", "--reason", "I insist")
    assert found.code == 2
    assert "nobody may override" in found.err
    assert from_json("proposals", "show")["decisions"] == []


def test_proposals_are_shown_as_json_yaml_and_html(advised):
    data = from_json("proposals", "show")
    assert [edit["id"] for edit in data["edits"]] == ["e1", "e2", "e3"]
    assert data["pending"] is True
    shown = call("proposals", "show", "-f", "yaml", "--html", "page.html")
    assert YAML(typ="safe").load(StringIO(shown.out))["hash"] == data["hash"]
    assert "wrote page.html" in shown.err
    assert "x: high 2 -&gt; 4" in (advised / "page.html").read_text()


def test_all_evidence_and_parameters_are_shown_on_request(advised):
    assert "kind: where the best" not in call("proposals", "show").out
    assert "kind: where the best" in call("proposals", "show", "--all").out


def test_words_that_are_no_proposal_are_refused(advised):
    assert "is not the id of an edit" in call("proposals", "approve", "1", "first").err
    assert "no proposal 7" in call("proposals", "show", 7).err
    assert "there is no study file 'other'" in call("proposals", "show", "other").err
    assert call("proposals", "show", "1", "e1").code == 2


def test_a_study_without_proposals_says_how_to_get_one(folder):
    found = call("proposals", "show")
    assert found.code == 2
    assert "make one with 'tunesmith advise study.yaml'" in found.err
    assert call("proposals", "list").err == "nothing to show\n"


def test_a_proposal_is_out_of_date_once_trials_were_run(advised):
    assert call("run", "--trials", 14).code == 0
    assert from_json("proposals", "list")[0]["state"] == "out of date"
    assert (
        "proposal 1 can no longer be decided: trials were run since"
        in call("proposals", "show").err
    )
    found = call("proposals", "approve")
    assert found.code == 2
    assert "run 'tunesmith advise' again" in found.err


def test_an_old_proposal_is_still_shown_after_its_space_is_gone(advised):
    call("proposals", "approve")
    assert call("run").code == 0
    found = call("proposals", "show", 1)
    assert found.code == 0, found.err
    assert "e1 x: high 2 -> 4" in found.out
    assert re.search(r"approved by \w+ on", found.out)


def test_run_tells_what_the_edits_of_its_proposal_were_worth(advised):
    assert from_json("run")["advisor_record"] == []
    call("proposals", "approve")
    found = call("run")
    assert "advisor record" in found.out
    assert "p1 was worth it" in found.out
    (row,) = from_json("run")["advisor_record"]
    assert row["sentence"] == "p1 was worth it"


def test_an_advisor_that_fails_at_its_record_costs_a_warning(advised, monkeypatch):
    call("proposals", "approve")
    monkeypatch.setattr(Written, "worth", lambda *_: 1 / 0)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        found = call("run")
    assert found.code == 0
    assert "warning: no advisor record: ZeroDivisionError: division by zero" in found.err


def test_run_advise_ends_with_9_where_nobody_can_be_asked(folder):
    found = call("run", "--advise")
    assert found.code == 9
    assert "demo: round 1" in found.out
    assert "proposal 1 for demo" in found.out
    assert "tunesmith proposals approve study.yaml 1 e1 e2 e3" in found.err


def test_rounds_stop_at_a_proposal_that_stays_pending(folder):
    found = call("run", "--advise", "--rounds", 3)
    assert found.code == 9
    assert "round 2" not in found.out


def test_rounds_go_on_where_nothing_is_proposed(folder, monkeypatch):
    monkeypatch.setattr(Written, "draft", Draft(notes=DRAFT.notes))
    found = call("run", "--advise", "--rounds", 3)
    assert found.code == 0, found.err
    assert "demo: round 3, space v1, 12 trials" in found.out
    assert "round 4" not in found.out


def test_rounds_without_advice_are_refused(folder):
    found = call("run", "--rounds", 2)
    assert found.code == 2
    assert "--rounds needs --advise" in found.err


def test_the_lineage_tells_who_approved_on_what_evidence_and_what_came_of_it(advised):
    call("proposals", "approve", "e1", "--as", "ada")
    call("proposals", "approve", "--as", "bo")
    assert call("run").code == 0
    first, second = from_json("space", "history")
    assert first["proposal"] is None
    assert second["proposal"] == 1
    assert {item["author"] for item in second["approved by"]} == {"ada", "bo"}
    assert second["evidence"] == {"E001": "The best trials lie at the upper edge of x."}
    assert second["trials"] == 12
    assert second["best"] < first["best"]
    table = call("space", "history").out
    assert "ada, bo" in table
    assert "E001" in table


def test_a_lineage_without_proposals_has_no_empty_columns(folder):
    assert "evidence" not in call("space", "history").out


def test_status_names_the_pending_proposal(advised):
    assert "proposal 1 is pending: 'tunesmith proposals show study.yaml'" in call("status").err
    call("proposals", "approve")
    assert "pending" not in call("status").err
