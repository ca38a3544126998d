"""Asks a language model about a draft: brief, ask several times, check, repair, merge.

The steps are a graph of langgraph. Limits of time, tokens and calls end it wherever it is; what was
answered by then still counts.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, TypedDict

import anyio
from langgraph.graph import END, START, StateGraph
from langsmith import tracing_context

from tunesmith.history import History
from tunesmith.proposals import Draft
from tunesmith_agent.language.answer import schema
from tunesmith_agent.language.briefing import Briefing
from tunesmith_agent.language.budget import tokens
from tunesmith_agent.language.check import Checked, Checker
from tunesmith_agent.language.endpoint import Endpoint
from tunesmith_agent.language.errors import ModelError, WrongAnswerError
from tunesmith_agent.language.ladder import Ladder
from tunesmith_agent.language.merge import merged
from tunesmith_agent.language.names import Names
from tunesmith_agent.language.usage import used

REPAIRS = 2


class Round(TypedDict):
    """What the graph knows."""

    repairs: int


class Consultation:
    """One draft in front of one model."""

    def __init__(self, history: History, draft: Draft, endpoint: Endpoint) -> None:
        self.history, self.draft, self.endpoint = history, draft, endpoint
        names = Names(history.space)
        self.names = names
        form = schema(history.space, draft, names)
        self.ladder = Ladder(endpoint, form)
        room = endpoint.budget.per_prompt - tokens(json.dumps(form))
        self.briefing = Briefing(history, draft, names, room)
        self.checker = Checker(history, draft, names, self.briefing.text)
        self.answers: list[Checked] = []
        self.errors: list[ModelError] = []

    async def run(self, exploration: float) -> Draft:
        """The draft with the model's part in it, or the draft as it is with the reason why."""
        started = time.monotonic()
        graph = _graph(self)
        with (
            anyio.move_on_after(self.endpoint.budget.seconds) as limit,
            tracing_context(enabled=False),
        ):
            try:
                async with self.endpoint:
                    await graph.ainvoke({"repairs": 0})
            except ModelError as error:
                self.errors.append(error)
        if limit.cancelled_caught:
            seconds = self.endpoint.budget.seconds
            self.errors.append(ModelError(f"it was not done after {seconds:g} seconds"))
        failure = "" if self.answers else "; ".join(dict.fromkeys(map(str, self.errors)))
        use = used(self.endpoint, time.monotonic() - started, failure)
        if not self.answers:
            return self.draft.model_copy(update={"model": use})
        found = merged(self.history, self.draft, self.answers, self.endpoint.budget.answers)
        share = exploration if found.edits else 0.0
        return found.model_copy(update={"model": use, "exploration": share})

    async def ask(self, state: Round) -> Mapping[str, Any]:
        """As many answers as the budget shares its tokens among, the first one by itself."""
        await self._answer()
        if not self.answers:
            return {}
        async with anyio.create_task_group() as group:
            for _ in range(self.endpoint.budget.answers - 1):
                group.start_soon(self._answer)
        return {}

    async def repair(self, state: Round) -> Mapping[str, Any]:
        """One more answer, by a model that is told what was wrong with an earlier one."""
        problems = [problem for answer in self.answers for problem in answer.problems]
        problems = problems or [str(error) for error in self.errors]
        told = "\n".join(f"- {self.names.hide(problem)}" for problem in dict.fromkeys(problems[:5]))
        await self._answer(
            {
                "role": "user",
                "content": f"An earlier answer of yours was wrong:\n{told}\nAnswer anew.",
            }
        )
        return {"repairs": state["repairs"] + 1}

    def next(self, state: Round) -> str:
        """Whether another answer is worth its cost."""
        sound = any(not answer.problems for answer in self.answers)
        done = sound or state["repairs"] >= REPAIRS or not self._worth_asking()
        return END if done else "repair"

    def _worth_asking(self) -> bool:
        """Whether the endpoint answers at all."""
        return not self.errors or isinstance(self.errors[-1], WrongAnswerError)

    async def _answer(self, *more: dict[str, str]) -> None:
        try:
            data = await self.ladder.ask([*self.briefing.messages(), *more])
            self.answers.append(self.checker.read(data))
        except ModelError as error:
            self.errors.append(error)


def _graph(consultation: Consultation) -> Any:
    graph = StateGraph(Round)
    graph.add_node("ask", consultation.ask)
    graph.add_node("repair", consultation.repair)
    graph.add_edge(START, "ask")
    graph.add_conditional_edges("ask", consultation.next, ["repair", END])
    graph.add_conditional_edges("repair", consultation.next, ["repair", END])
    return graph.compile()
