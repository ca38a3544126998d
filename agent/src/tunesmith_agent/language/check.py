"""What of an answer holds: names and evidence that exist, numbers that are known, policy kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from tunesmith.errors import SpaceError
from tunesmith.history import History
from tunesmith.policy import check
from tunesmith.proposals import Draft, Source, Tier, Widen
from tunesmith_agent.language.answer import ASIDES, COMMENTS, IDEAS, Answer, Comment, Idea
from tunesmith_agent.language.citations import Citations
from tunesmith_agent.language.errors import WrongAnswerError
from tunesmith_agent.language.names import Names, clean
from tunesmith_agent.language.reach import within_reach

_LONG = 600


@dataclass(slots=True)
class Checked:
    """The parts of one answer that hold, with real names. `problems` says what did not."""

    summary: str = ""
    comments: dict[str, Comment] = field(default_factory=dict)
    ideas: list[Widen] = field(default_factory=list)
    left_alone: dict[str, str] = field(default_factory=dict)
    question: str = ""
    problems: list[str] = field(default_factory=list)


class Checker:
    """Judges answers about one draft. `known` is the text that numbers may be copied from."""

    def __init__(self, history: History, draft: Draft, names: Names, known: str) -> None:
        self.history, self.draft, self.names = history, draft, names
        self.citations = Citations([row.id for row in draft.evidence], known)

    def read(self, data: dict[str, Any]) -> Checked:
        """The answer's parts that hold. Raises WrongAnswerError where it has no summary."""
        try:
            answer = Answer.model_validate(data)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise WrongAnswerError(f"its answer has a wrong '{place}': {first['msg']}") from None
        found = Checked()
        found.summary = self._words(answer.summary, "the summary", found)
        found.question = self._words(answer.question, "the question", found)
        for comment in answer.comments[:COMMENTS]:
            self._comment(comment, found)
        for idea in answer.ideas[:IDEAS]:
            self._idea(idea, found)
        for aside in answer.left_alone[:ASIDES]:
            name = self.names.known(aside.parameter)
            if name is None:
                found.problems.append(f"there is no parameter {_quoted(aside.parameter)}")
            elif words := self._words(aside.why, f"the remark on {name}", found):
                found.left_alone[name] = words
        return found

    def _comment(self, comment: Comment, found: Checked) -> None:
        if comment.edit not in {f"e{number}" for number in range(1, len(self.draft.edits) + 1)}:
            found.problems.append(f"there is no edit {_quoted(comment.edit)} in the draft")
            return
        words = self._words(comment.why, f"the comment on {comment.edit}", found)
        found.comments[comment.edit] = comment.model_copy(update={"why": words})

    def _idea(self, idea: Idea, found: Checked) -> None:
        name = self.names.known(idea.parameter)
        if name is None:
            found.problems.append(f"there is no parameter {_quoted(idea.parameter)}")
            return
        try:
            edit = self._widen(name, idea)
        except SpaceError as error:
            found.problems.append(f"the idea on {name}: {error}")
            return
        objections = [item.sentence for item in check(self.history, [edit])]
        if objections:
            found.problems.append(f"the idea on {name}: {objections[0]}")
            return
        own = [str(value) for value in (idea.low, idea.high) if value is not None]
        words = self._words(idea.why, f"the idea on {name}", found, " ".join(own))
        found.ideas.append(edit.model_copy(update={"words": words}))

    def _widen(self, name: str, idea: Idea) -> Widen:
        """The idea as an edit that a few trials test. Raises SpaceError where it goes too far."""
        low, high = idea.low, idea.high
        parameter = within_reach(self.history.space.parameters[name], low, high)
        return Widen(
            parameter=name,
            low=None if low == parameter.low else low,
            high=None if high == parameter.high else high,
            tier=Tier.WORTH_TESTING,
            source=Source.LLM,
            why="a language model's prior knowledge, no data",
        )

    def _words(self, text: str, what: str, found: Checked, own: str = "") -> str:
        """The model's words with real names; none where they cite what is not there."""
        text = " ".join(clean(text).split())[:_LONG]
        text = "".join(sign for sign in text if sign.isprintable())
        strange = self.citations.strange(text, own)
        if strange:
            found.problems.append(f"{what} cites {strange}, which is not in the tables")
            return ""
        return self.names.reveal(text)


def _quoted(text: str) -> str:
    return repr(clean(text)[:40])
