"""Proposals in the run of the round whose trials they rest on: a file, and tags that sum it up."""

from __future__ import annotations

import json
from collections.abc import Iterator

from mlflow.entities import Run, RunTag

from tunesmith.history import Reviewed
from tunesmith.proposals import Evidence, Verdict
from tunesmith_mlflow._client import MlflowClient
from tunesmith_mlflow._rows import PROPOSAL, Fitting


def keep_proposal(client: MlflowClient, parent: Run, reviewed: Reviewed) -> None:
    """Keep the proposal as it stands; the tags come last, so that they never tell of no file."""
    run_id, fitting = parent.info.run_id, Fitting()
    number = reviewed.proposal.number
    client.log_text(run_id, _text(reviewed), f"proposals/proposal-{number}.json")
    tags = {key: fitting.tag(key, text) for key, text in _tags(reviewed)}
    client.log_batch(run_id, tags=[RunTag(key, text) for key, text in tags.items()])


def _text(reviewed: Reviewed) -> str:
    """All of it as JSON, the same text for the same content."""
    data = {
        "proposal": reviewed.proposal.model_dump(mode="json"),
        "hash": reviewed.proposal.hash,
        "decisions": [decision.model_dump(mode="json") for decision in reviewed.decisions],
        "space_version": reviewed.version,
    }
    return json.dumps(data, sort_keys=True, indent=2) + "\n"


def _tags(reviewed: Reviewed) -> Iterator[tuple[str, str]]:
    proposal = reviewed.proposal
    tag = f"{PROPOSAL}.{proposal.number}"
    yield tag, _state(reviewed)
    authors = dict.fromkeys(
        decision.author for decision in reviewed.decisions if decision.verdict is not Verdict.REJECT
    )
    if authors:
        yield f"{tag}.approved_by", ", ".join(authors)
    edits = reviewed.approved or proposal.edits
    named = {id for edit in edits for id in edit.evidence}
    rests_on = [each for each in proposal.evidence if each.id in named]
    if rests_on:
        yield f"{tag}.evidence", "; ".join(map(_line, rests_on))


def _state(reviewed: Reviewed) -> str:
    edits, decisions = reviewed.proposal.edits, reviewed.decisions
    if not edits:
        return "no edits"
    if not decisions:
        return f"pending: {len(edits)} edits"
    authors = ", ".join(dict.fromkeys(decision.author for decision in decisions))
    state = "pending, " if reviewed.pending else ""
    state += f"{len(reviewed.approved)} of {len(edits)} edits approved, decided by {authors}"
    return f"{state}: space version {reviewed.version}" if reviewed.version else state


def _line(evidence: Evidence) -> str:
    return f"{evidence.id}: {evidence.sentence}"
