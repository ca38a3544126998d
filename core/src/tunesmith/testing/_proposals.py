"""What every tracker promises about proposals: a part of `TrackerContract`."""

from __future__ import annotations

import copy
from pathlib import Path

from tunesmith.components import Tracker
from tunesmith.history import Reviewed
from tunesmith.proposals import AddConstraint, Decision, Evidence, Proposal, Verdict, Widen
from tunesmith.testing._written import START, a_round, a_study, some_trials
from tunesmith.trial import Trial

ODD = "ä 'quoted' \"twice\"\n<b>日本語</b> 🙂 ${x} %s end "


def a_proposal() -> Reviewed:
    """A proposal made after round 1 that nobody has decided on yet."""
    proposal = Proposal(
        evidence=(Evidence(id="E001", kind="edge", trials=12, sentence=ODD),),
        edits=(
            Widen(id="e1", parameter="learning_rate", high=3, why=ODD, evidence=("E001",)),
            AddConstraint(id="e2", forbid="max_depth > 9 and criterion == 'gini'"),
        ),
        study="a study",
        number=1,
        advisor="statistical",
        advisor_version="1.0",
        space_version=1,
        space="f" * 64,
        snapshot="0" * 64,
        seed=0,
        made=START + 200,
    )
    return Reviewed(proposal, round=1)


def decided(edits: int) -> Reviewed:
    """The same proposal with so many edits decided."""
    made = (
        Decision(edit="e1", verdict=Verdict.APPROVE, author="Zoë", reason=ODD, at=START + 300),
        Decision(edit="e2", verdict=Verdict.REJECT, author="bob", at=START + 400),
    )
    version = 2 if edits == len(made) else None
    return Reviewed(a_proposal().proposal, made[:edits], version, round=1)


class ProposalTests:
    """Needs `make` and `assert_keeps` of `TrackerContract`."""

    def make(self, folder: Path) -> Tracker:
        raise NotImplementedError

    def assert_keeps(self, folder: Path, written: list[Trial], tracker: Tracker) -> None:
        raise NotImplementedError

    def test_proposals_are_written_after_each_decision_and_again(self, tmp_path: Path) -> None:
        tracker, trials = self.make(tmp_path), some_trials(6)
        tracker.write(a_study(), a_round(), trials)
        for reviewed in (a_proposal(), a_proposal(), decided(1), decided(2), decided(2)):
            tracker.write_proposal(a_study(), a_round(), reviewed)
        self.make(tmp_path).write_proposal(a_study(), a_round(), decided(2))
        self.assert_keeps(tmp_path, trials, tracker)
        tracker.close()

    def test_a_proposal_may_come_before_its_trials(self, tmp_path: Path) -> None:
        tracker, trials = self.make(tmp_path), some_trials(6)
        tracker.write_proposal(a_study(), a_round(), a_proposal())
        tracker.write_proposal(a_study(), None, decided(2))
        tracker.write(a_study(), a_round(), trials)
        self.assert_keeps(tmp_path, trials, tracker)
        tracker.close()

    def test_a_proposal_that_it_is_given_stays_as_it_is(self, tmp_path: Path) -> None:
        tracker, study, round, reviewed = self.make(tmp_path), a_study(), a_round(), decided(2)
        before = copy.deepcopy((study, repr(round), reviewed))
        tracker.write_proposal(study, round, reviewed)
        assert (study, repr(round), reviewed) == before
        tracker.close()
