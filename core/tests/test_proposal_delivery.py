"""Trackers get every proposal and what was decided on it, also after they were away."""

from typing import ClassVar

import pytest
from revising import DOWN, UP, Scripted, adopted, approve, opened, propose, reject, say, tuned
from tuning import parabola, registry_of, study_of

from tunesmith.components import Tracker
from tunesmith.delivery import deliver_proposals
from tunesmith.errors import TrackerError
from tunesmith.objectives import Function
from tunesmith.proposals import Draft
from tunesmith.sync import sync


class Board(Tracker):
    """Remembers in what state it got which proposal."""

    name: str = "board"
    """Which one."""
    got: ClassVar[dict[str, list[tuple[int | None, int, int, int | None]]]] = {}
    down: ClassVar[dict[str, Exception]] = {}

    def destination(self, study):
        return f"memory:{self.name}"

    def write(self, study, round, trials):
        self.call()

    def finish(self, study, finished):
        self.call()

    def history(self, study):
        raise NotImplementedError

    def write_proposal(self, study, round, reviewed):
        self.call()
        state = (
            round and round.number,
            reviewed.proposal.number,
            len(reviewed.decisions),
            reviewed.version,
        )
        self.got.setdefault(self.name, []).append(state)

    def call(self):
        if self.name in self.down:
            raise self.down[self.name]


REGISTRY = registry_of(Scripted, Board)


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.setattr(Scripted, "draft", Draft(edits=(UP, DOWN)))
    monkeypatch.setattr(Board, "got", {})
    monkeypatch.setattr(Board, "down", {})
    boards = [{"use": "board", "name": name} for name in ("one", "two")]
    study = study_of(tmp_path, REGISTRY, advisor="scripted", trackers=boards)
    tuned(study, Board)
    return study


def delivered(study):
    with opened(study) as record:
        found = deliver_proposals(study, record, REGISTRY)
    return [(item.destination, item.missing, item.error) for item in found]


ALL = [("memory:one", 0, None), ("memory:two", 0, None)]


def test_each_tracker_gets_a_proposal_when_made_and_after_each_decision(study):
    assert delivered(study) == ALL
    propose(study)
    assert delivered(study) == ALL
    assert delivered(study) == ALL
    approve(study, 1, "e1")
    delivered(study)
    approve(study, 1, "e2")
    delivered(study)
    assert Board.got["one"] == [(1, 1, 0, None), (1, 1, 1, None), (1, 1, 2, 2)]
    assert Board.got["two"] == Board.got["one"]


def test_a_tracker_that_is_away_fails_no_command_and_gets_it_with_the_next_run(study):
    propose(study)
    Board.down["one"] = TrackerError("the system 'one' does not answer")
    away = ("memory:one", 1, "the system 'one' does not answer")
    assert delivered(study) == [away, ("memory:two", 0, None)]
    approve(study, 1, "e1", "e2")
    Board.down["one"] = KeyError("runs")
    assert delivered(study)[0] == ("memory:one", 1, "KeyError: 'runs'")
    Board.down.clear()
    tuned(adopted(study), Board)
    assert Board.got["one"] == [(1, 1, 2, 2)]
    assert Board.got["two"] == [(1, 1, 0, None), (1, 1, 2, 2)]


def test_sync_brings_what_is_missing_and_again_brings_everything(study):
    propose(study)
    reject(study, 1, "e1", "e2")
    say(UP)
    propose(study)

    def synced(**options):
        return [
            done.count for done in sync(study, Function(function=parabola), REGISTRY, **options)
        ]

    assert synced() == [0, 0]
    assert synced() == [0, 0]
    assert Board.got["one"] == [(1, 1, 2, None), (1, 2, 0, None)]
    assert synced(again=True) == [5, 5]
    assert Board.got["one"] == [(1, 1, 2, None), (1, 2, 0, None)] * 2


def test_the_round_of_a_proposal_is_the_latest_one_when_it_was_made(study):
    propose(study)
    approve(study, 1, "e1", "e2")
    tuned(adopted(study), Board)
    say(UP.model_copy(update={"high": 6}))
    propose(adopted(study))
    delivered(adopted(study))
    assert Board.got["two"] == [(1, 1, 2, 2), (2, 2, 0, None)]
