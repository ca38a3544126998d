"""The statistics' draft with what a language model says about it.

Whatever the model says, no recommended edit is taken away, changed or added: its own edits are
tested by a few trials at most, and its doubts are notes. Behind a model that is wrong every time
the next round's space is the one that the statistics alone would have led to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tunesmith.edits import phrase
from tunesmith.history import History
from tunesmith.policy import admissible
from tunesmith.proposals import Draft, Edit, Note, Widen
from tunesmith_agent.language.check import Checked

Key = tuple[str, bool, bool]
VIEW = "a language model's view"


def merged(history: History, draft: Draft, answers: Sequence[Checked], asked: int) -> Draft:
    """The draft with words, doubts and ideas; an idea needs most of the answers asked for.

    Where the statistics propose nothing, the share of exploration is left to the caller.
    """
    first = max(answers, key=lambda answer: (bool(answer.summary), -len(answer.problems)))
    edits = tuple(_commented(draft, answers))
    ideas = _voted(draft, answers, max(asked, len(answers)))
    notes = (*draft.notes, *_doubts(history, draft, answers), *_asides(first), *_withheld(answers))
    changes = {
        "edits": (*edits, *ideas),
        "notes": notes,
        "words": first.summary,
        "question": first.question,
    }
    return admissible(history, draft.model_copy(update=changes))


def _commented(draft: Draft, answers: Sequence[Checked]) -> Iterator[Edit]:
    for number, edit in enumerate(draft.edits, 1):
        said = [
            answer.comments[id] for answer in answers if (id := f"e{number}") in answer.comments
        ]
        words = next((comment.why for comment in said if comment.agree and comment.why), "")
        yield edit.model_copy(update={"words": words})


def _doubts(history: History, draft: Draft, answers: Sequence[Checked]) -> Iterator[Note]:
    for number, edit in enumerate(draft.edits, 1):
        said = [
            answer.comments[id] for answer in answers if (id := f"e{number}") in answer.comments
        ]
        against = [comment for comment in said if not comment.agree]
        if len(against) * 2 > len(answers):
            why = next((f": {comment.why}" for comment in against if comment.why), "")
            sentence = f"it would leave out '{phrase(history.space, edit)}'{why}"
            yield Note(kind=VIEW, sentence=sentence, evidence=edit.evidence)


def _asides(answer: Checked) -> Iterator[Note]:
    for name, words in answer.left_alone.items():
        yield Note(kind=VIEW, sentence=f"{name} is better left alone: {words}")


def _voted(draft: Draft, answers: Sequence[Checked], asked: int) -> list[Widen]:
    """The ideas that most answers have; of their bounds those in the middle."""
    there = {_key(edit) for edit in draft.edits if isinstance(edit, Widen)}
    ideas: dict[Key, list[Widen]] = {}
    for answer in answers:
        for key, idea in {_key(idea): idea for idea in answer.ideas}.items():
            ideas.setdefault(key, []).append(idea)
    return [
        sorted(same, key=lambda idea: (idea.low or 0.0, idea.high or 0.0))[(len(same) - 1) // 2]
        for key, same in ideas.items()
        if len(same) * 2 > asked and key not in there
    ]


def _key(edit: Widen) -> Key:
    """What two widenings have in common that are the same idea."""
    return edit.parameter, edit.low is not None, edit.high is not None


def _withheld(answers: Sequence[Checked]) -> Iterator[Note]:
    count = sum(len(answer.problems) for answer in answers)
    if count:
        parts = "part" if count == 1 else "parts"
        sentence = f"{count} {parts} of the language model's answers, which did not pass the checks"
        yield Note(kind="left out", sentence=sentence)
