"""What every advisor promises, as tests: subclass `AdvisorContract` in a test file."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import pytest

from tunesmith.components import Advisor
from tunesmith.edits import prepared
from tunesmith.history import History
from tunesmith.parameters import Float, Int
from tunesmith.policy import admissible
from tunesmith.proposals import Draft, Source
from tunesmith.space import Params, SearchSpace
from tunesmith.testing.rounds import AWKWARD, LOSS, make_round
from tunesmith.trial import Round


def _leaning() -> Round:
    """A round whose best trials lie at the high end of `rate`."""

    def off(number: int, params: Params) -> dict[str, float]:
        rate, depth = params["rate"], params["depth"]
        assert isinstance(rate, float) and isinstance(depth, int)
        return {"loss": abs(math.log10(rate)) + 0.01 * abs(depth - 6)}

    space = SearchSpace({"rate": Float(1e-5, 1e-2, log=True), "depth": Int(2, 12)})
    return make_round(60, space, (LOSS,), off)


ROUNDS: dict[str, Callable[[], Round]] = {**AWKWARD, "the optimum outside": _leaning}


class AdvisorContract:
    """Tests that any advisor passes:

        class TestMine(AdvisorContract):
            def make(self):
                return Mine()

    Each round in `tunesmith.testing.rounds.AWKWARD` is a test; its name says what is awkward.
    """

    repeats = True
    """Equal histories give equal drafts; those of a language model may differ."""

    def make(self) -> Advisor:
        """A new advisor."""
        raise NotImplementedError("return the advisor to test")

    @pytest.mark.parametrize("name", ROUNDS)
    def test_copes_with_the_round(self, name: str) -> None:
        history = _history(ROUNDS[name]())
        draft = self._advise(history)
        prepared(history.space, admissible(history, draft).edits)
        said = [*draft.edits, *draft.notes, *draft.evidence]
        assert said, "the draft is empty; a note should say why nothing is proposed"
        _assert_evidence(draft)

    def test_gives_the_same_draft_for_the_same_history(self) -> None:
        if not self.repeats:
            pytest.skip("this advisor need not repeat itself")
        first, second = (self._advise(_history(_leaning())) for _ in range(2))
        assert first == second, "the same history and seed led to another draft"

    def test_leaves_the_history_as_it_was(self) -> None:
        round = _leaning()
        before = copy.deepcopy(round)
        self._advise(_history(round))
        assert round == before, "the advisor changed the trials"

    def test_says_what_edits_were_worth_or_nothing(self) -> None:
        rows = self.make().worth(_history(_leaning()))
        assert not rows, f"no edit was made, and still it was worth something: {rows[0].sentence}"

    def test_prints_nothing_to_stdout(self, capfd: pytest.CaptureFixture[str]) -> None:
        self._advise(_history(_leaning()))
        assert capfd.readouterr().out == "", "stdout belongs to the command's results"

    def _advise(self, history: History) -> Draft:
        draft = self.make().advise(history)
        assert isinstance(draft, Draft), f"advise returned {draft!r}, which is no draft"
        return draft


def _assert_evidence(draft: Draft) -> None:
    ids = [row.id for row in draft.evidence]
    assert len(set(ids)) == len(ids), f"two pieces of evidence have one id: {ids}"
    for part in (*draft.edits, *draft.notes):
        missing = set(part.evidence) - set(ids)
        assert not missing, f"{sorted(missing)} is cited, but not there: {part}"
    for edit in draft.edits:
        # what a model knows beforehand is marked as its own
        assert edit.evidence or edit.source is Source.LLM, f"rests on no evidence: {edit}"


def _history(round: Round) -> History:
    space = round.space
    return History("demo", space, 1, space, round.goals, seed=7, rounds=[round])
