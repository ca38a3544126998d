"""The contract for advisors lets a plain advisor pass, and can fail in every test."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tunesmith.components import Advisor
from tunesmith.history import History
from tunesmith.proposals import Draft, Evidence, Note, Source, Tier, Widen
from tunesmith.testing.advisors import AdvisorContract

NOTHING = Draft(notes=(Note(kind="left alone", sentence="nothing to say"),))


class Silent(Advisor):
    """Finds nothing."""

    def advise(self, history: History) -> Draft:
        return NOTHING


class TestSilent(AdvisorContract):
    def make(self) -> Advisor:
        return Silent()


def widen(**rest: Any) -> Draft:
    return Draft(edits=(Widen(parameter="rate", high=1, **rest),))


class TestKnowing(AdvisorContract):
    """A model that says what it knows without trials, marked as its own."""

    def make(self) -> Advisor:
        return saying(lambda history: widen(source=Source.LLM, tier=Tier.WORTH_TESTING))()


def saying(words: Callable[[History], Any]) -> type[Advisor]:
    class Saying(Silent):
        """Says something else."""

        def advise(self, history: History) -> Draft:
            found: Draft = words(history)
            return found

    return Saying


def forgetful(history: History) -> Draft:
    history.rounds[0].trials.pop()
    return NOTHING


def talkative(history: History) -> Draft:
    print("thinking")
    return NOTHING


def moody(history: History) -> Draft:
    moody.count += 1  # type: ignore[attr-defined]
    return Draft(notes=(Note(kind="left alone", sentence=f"said {moody.count} times"),))  # type: ignore[attr-defined]


moody.count = 0  # type: ignore[attr-defined]
ROW = Evidence(id="E001", kind="edge", trials=1, sentence="a row")
ROUND = "test_copes_with_the_round"


@pytest.mark.parametrize(
    ("test", "words", "message"),
    [
        (ROUND, lambda history: Draft(), "the draft is empty"),
        (ROUND, lambda history: None, "which is no draft"),
        (ROUND, lambda history: Draft(evidence=(ROW, ROW)), "have one id"),
        (ROUND, lambda history: widen(evidence=("E007",)), "['E007'] is cited, but not there"),
        (ROUND, lambda history: widen(), "rests on no evidence"),
        ("test_gives_the_same_draft_for_the_same_history", moody, "led to another draft"),
        ("test_leaves_the_history_as_it_was", forgetful, "changed the trials"),
        ("test_prints_nothing_to_stdout", talkative, "stdout belongs to"),
    ],
)
def test_a_broken_advisor_fails(
    test: str,
    words: Callable[[History], Any],
    message: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(AssertionError) as failed:
        run(saying(words), test, capfd)
    assert message in str(failed.value)


def test_a_record_without_edits_fails(capfd: pytest.CaptureFixture[str]) -> None:
    class Boastful(Silent):
        """Praises itself."""

        def worth(self, history: History) -> Sequence[Evidence]:
            return [ROW]

    with pytest.raises(AssertionError, match="still it was worth something: a row"):
        run(Boastful, "test_says_what_edits_were_worth_or_nothing", capfd)


def run(advisor: type[Advisor], test: str, capfd: pytest.CaptureFixture[str]) -> None:
    class Contract(AdvisorContract):
        def make(self) -> Advisor:
            return advisor()

    method = getattr(Contract(), test)
    given = {"name": "the optimum outside", "capfd": capfd}
    method(**{key: given[key] for key in inspect.signature(method).parameters})
