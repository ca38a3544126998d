"""Proposals in MLflow: from any trial to the space, to who approved it, and on what evidence."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from tunesmith.errors import TrackerError
from tunesmith.history import Reviewed
from tunesmith.model_use import Call, ModelUse
from tunesmith.proposals import Decision, Evidence, Proposal, Verdict, Widen
from tunesmith.testing._written import a_round, a_study, assert_same, some_trials
from tunesmith_mlflow import Mlflow

STATE = "tunesmith.proposal.3"


@pytest.fixture(params=[True, False], ids=["tables", "client"])
def tracker(
    request: pytest.FixtureRequest, database: Callable[[Path], str], tmp_path: Path
) -> Mlflow:
    return Mlflow(uri=database(tmp_path), bulk=request.param)


def a_proposal() -> Proposal:
    return Proposal(
        study="a study",
        number=3,
        advisor="statistical",
        advisor_version="1",
        space_version=1,
        space="5f" * 32,
        snapshot="6a" * 32,
        seed=0,
        made=1_790_000_500.0,
        evidence=(
            Evidence(id="E001", kind="edge", trials=40, sentence="the best lie at the edge 🙂"),
            Evidence(id="E002", kind="edge", trials=40, sentence="deep trees win"),
            Evidence(id="E003", kind="importance", trials=40, sentence="nothing to see"),
        ),
        edits=(
            Widen(id="e1", parameter="learning_rate", high=3, evidence=("E001",)),
            Widen(id="e2", parameter="max_depth", high=20, evidence=("E002",)),
        ),
    )


def decision(edit: str, verdict: Verdict, author: str = "anna") -> Decision:
    return Decision(edit=edit, verdict=verdict, author=author, reason="because", at=1.79e9)


def approved() -> Reviewed:
    decisions = (decision("e1", Verdict.APPROVE), decision("e2", Verdict.REJECT, "bob"))
    return Reviewed(a_proposal(), decisions, version=2, round=1)


class Seen:
    """What MLflow shows of the study."""

    def __init__(self, tracker: Mlflow) -> None:
        from mlflow import MlflowClient

        self.client = MlflowClient(tracker.uri)
        found = self.client.get_experiment_by_name("a study")
        assert found
        self.experiment = found.experiment_id

    def search(self, query: str) -> list[Any]:
        return list(self.client.search_runs([self.experiment], query))

    def run(self, name: str) -> Any:
        (run,) = self.search(f"attributes.run_name = '{name}'")
        return run

    def file(self, run: Any, number: int = 3) -> Any:
        path = f"proposals/proposal-{number}.json"
        return json.loads(Path(self.client.download_artifacts(run.info.run_id, path)).read_text())


def test_a_proposal_is_kept_whole_in_the_run_of_its_round(tracker: Mlflow) -> None:
    tracker.write(a_study(), a_round(), some_trials(3))
    tracker.write_proposal(a_study(), a_round(), approved())
    seen = Seen(tracker)
    run = seen.run("round-1")
    data = seen.file(run)
    assert Proposal.model_validate(data["proposal"]) == a_proposal()
    assert [Decision.model_validate(each) for each in data["decisions"]] == [*approved().decisions]
    assert (data["hash"], data["space_version"]) == (a_proposal().hash, 2)
    tags = run.data.tags
    assert tags[STATE] == "1 of 2 edits approved, decided by anna, bob: space version 2"
    assert tags[f"{STATE}.approved_by"] == "anna"
    assert tags[f"{STATE}.evidence"] == "E001: the best lie at the edge 🙂"


@pytest.mark.parametrize(
    ("reviewed", "state"),
    [
        (Reviewed(a_proposal()), "pending: 2 edits"),
        (
            Reviewed(a_proposal(), (decision("e2", Verdict.APPROVE),)),
            "pending, 1 of 2 edits approved, decided by anna",
        ),
        (
            Reviewed(
                a_proposal(), (decision("e1", Verdict.REJECT), decision("e2", Verdict.REJECT))
            ),
            "0 of 2 edits approved, decided by anna",
        ),
        (Reviewed(a_proposal().model_copy(update={"edits": ()})), "no edits"),
    ],
)
def test_a_tag_tells_how_a_proposal_stands(tracker: Mlflow, reviewed: Reviewed, state: str) -> None:
    tracker.write_proposal(a_study(), a_round(), reviewed)
    assert Seen(tracker).run("round-1").data.tags[STATE] == state


def test_what_was_decided_since_takes_the_place_of_what_was_there(tracker: Mlflow) -> None:
    for reviewed in (Reviewed(a_proposal(), round=1), approved(), approved()):
        tracker.write_proposal(a_study(), a_round(), reviewed)
    seen = Seen(tracker)
    run = seen.run("round-1")
    assert "space version 2" in run.data.tags[STATE]
    assert len(seen.file(run)["decisions"]) == 2
    files = seen.client.list_artifacts(run.info.run_id, "proposals")
    assert [file.path for file in files] == ["proposals/proposal-3.json"]


def test_writing_again_changes_nothing_to_the_byte(tracker: Mlflow, tmp_path: Path) -> None:
    tracker.write_proposal(a_study(), a_round(), approved())
    (path,) = tmp_path.rglob("proposal-3.json")
    before = path.read_bytes(), Seen(tracker).run("round-1").data.tags
    tracker.write_proposal(a_study(), a_round(), approved())
    assert (path.read_bytes(), Seen(tracker).run("round-1").data.tags) == before


def test_several_proposals_of_a_round_stand_side_by_side(tracker: Mlflow) -> None:
    other = Reviewed(a_proposal().model_copy(update={"number": 4}))
    for reviewed in (approved(), other):
        tracker.write_proposal(a_study(), a_round(), reviewed)
    seen = Seen(tracker)
    run = seen.run("round-1")
    assert run.data.tags["tunesmith.proposal.4"] == "pending: 2 edits"
    assert "approved" in run.data.tags[STATE]
    assert seen.file(run, 4)["proposal"]["number"] == 4


def test_any_trial_answers_which_space_who_approved_and_on_what_evidence(tracker: Mlflow) -> None:
    tracker.write(a_study(), a_round(), some_trials(3))
    tracker.write_proposal(a_study(), a_round(), approved())
    second = replace(a_round(2), space_version=2, proposal=3)
    tracker.write(a_study(), second, some_trials(3, first=3, round=2))
    seen = Seen(tracker)
    trial = seen.run("trial-4").data.tags
    assert trial["tunesmith.space_version"] == "2"
    number = trial["tunesmith.proposal"]
    (origin,) = seen.search(
        f"tags.`tunesmith.study` = '{trial['tunesmith.study']}' "
        f"AND tags.`tunesmith.proposal.{number}` LIKE '%'"
    )
    assert origin.info.run_name == "round-1"
    assert origin.data.tags[f"tunesmith.proposal.{number}.approved_by"] == "anna"
    assert origin.data.tags[f"tunesmith.proposal.{number}.evidence"].startswith("E001: ")
    assert seen.file(origin, int(number))["decisions"][0]["reason"] == "because"
    assert seen.run("round-2").data.tags["tunesmith.proposal"] == "3"
    made_before = seen.run("trial-1").data.tags
    assert made_before["tunesmith.space_version"] == "1"
    assert "tunesmith.proposal" not in made_before | seen.run("round-1").data.tags


def test_tags_of_a_proposal_leave_the_history_as_it_was(tracker: Mlflow) -> None:
    round = replace(a_round(), proposal=1)
    tracker.write(a_study(), round, some_trials(5))
    tracker.write_proposal(a_study(), round, approved())
    assert_same(tracker.history("a study"), some_trials(5))


def test_long_evidence_is_cut_in_the_tag_and_whole_in_the_file(tracker: Mlflow) -> None:
    long = Evidence(id="E001", kind="edge", trials=1, sentence="long " * 4000)
    reviewed = Reviewed(a_proposal().model_copy(update={"evidence": (long,)}))
    tracker.write_proposal(a_study(), a_round(), reviewed)
    seen = Seen(tracker)
    run = seen.run("round-1")
    assert len(run.data.tags[f"{STATE}.evidence"]) == 8000
    assert seen.file(run)["proposal"]["evidence"][0]["sentence"] == long.sentence


@pytest.mark.parametrize("call", ["log_text", "log_batch"])
def test_a_fault_leaves_no_tag_without_its_file_and_is_made_good(
    tracker: Mlflow, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    from mlflow import MlflowClient

    tracker.write(a_study(), a_round(), some_trials(1))

    def fail(*args: object, **kwargs: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, call, fail)
        with pytest.raises(TrackerError, match="disk full"):
            tracker.write_proposal(a_study(), a_round(), approved())
    assert STATE not in Seen(tracker).run("round-1").data.tags
    tracker.write_proposal(a_study(), a_round(), approved())
    assert len(Seen(tracker).search("")) == 2
    assert STATE in Seen(tracker).run("round-1").data.tags


def test_a_proposal_that_rests_on_no_round_has_no_place(tracker: Mlflow) -> None:
    tracker.write(a_study(), a_round(), some_trials(1))
    tracker.write_proposal(a_study(), None, approved())
    assert STATE not in Seen(tracker).run("round-1").data.tags


def test_a_server_that_is_away_is_an_error_that_is_repeated_later() -> None:
    with pytest.raises(TrackerError, match="'tunesmith sync' delivers it later"):
        Mlflow(uri="http://127.0.0.1:9").write_proposal(a_study(), a_round(), approved())


def with_a_model(kept: bool) -> Reviewed:
    asked = '[{"role": "user", "content": "what now?"}]'
    words = {"prompt": asked, "answer": "widen it"} if kept else {}
    good = Call(started=1.79e9, seconds=2.5, input_tokens=900, output_tokens=120, **words)
    bad = Call(started=1.79e9 + 3, seconds=1, input_tokens=900, output_tokens=0, outcome="dropped")
    use = ModelUse(model="tiny", host="127.0.0.1", calls=(good, bad), seconds=4)
    return replace(approved(), proposal=a_proposal().model_copy(update={"model": use}))


def assert_one_trace(tracker: Mlflow, kept: bool) -> None:
    client = MlflowClient(tracker.uri)
    experiment = client.get_experiment_by_name("a study")
    filter = "tag.`tunesmith.proposal` = '3'"
    (trace,) = client.search_traces([experiment.experiment_id], filter_string=filter)
    assert trace.info.trace_metadata["mlflow.sourceRun"] == Seen(tracker).run("round-1").info.run_id
    assert trace.info.token_usage["total_tokens"] == 1920
    good, bad, root = sorted(trace.data.spans, key=lambda span: span.name)
    assert root.name == "proposal 3" and good.parent_id == bad.parent_id == root.span_id
    assert (good.status.status_code, bad.status.status_code) == ("OK", "ERROR")
    assert (good.inputs is not None, good.outputs) == (kept, "widen it" if kept else None)


@pytest.mark.parametrize("kept", [True, False])
def test_calls_to_a_language_model_are_one_trace_with_words_only_where_kept(
    tracker: Mlflow, kept: bool
) -> None:
    tracker.write(a_study(), a_round(), some_trials(1))
    for _ in range(2):
        tracker.write_proposal(a_study(), a_round(), with_a_model(kept))
    assert_one_trace(tracker, kept)


@pytest.mark.slow
@pytest.mark.xdist_group("mlflow server")
def test_a_server_keeps_proposals_too(mlflow_server: str) -> None:
    tracker = Mlflow(uri=mlflow_server)
    for _ in range(2):
        tracker.write_proposal(a_study(), a_round(), with_a_model(kept=True))
    seen = Seen(tracker)
    assert seen.file(seen.run("round-1"))["proposal"]["number"] == 3
    assert_one_trace(tracker, kept=True)
