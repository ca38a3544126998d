"""A language model that answers what is no command; where it fails, the commands work on."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterator
from queue import SimpleQueue

from tunesmith.cli.output import printable
from tunesmith_agent.chat.session import Session
from tunesmith_agent.llm import Llm
from tunesmith_agent.view import item, screen_of

_LOOKS = 2
"""Questions that a turn leaves room for beside the first one."""


class Colleague:
    """The model of an advisor `llm`, in a session."""

    def __init__(self, llm: Llm) -> None:
        self._llm = llm
        self._tools = True

    def answer(self, session: Session, line: str) -> Iterator[str]:
        """What the model says to a line, as it says it."""
        from tunesmith_agent.chat.turn import Turn
        from tunesmith_agent.language.errors import ModelError

        session.offer("", ())
        yield printable(f"language model {self._llm.model}:")
        said: SimpleQueue[str | None] = SimpleQueue()
        turn = Turn(session, line, self._llm.endpoint(answers=_LOOKS), said.put)
        turn.tools = self._tools
        screen = screen_of(sys.stdout)
        try:
            for sentence in _streamed(turn.run, said):
                yield from item(sentence, screen, hang=2)
        except ModelError as error:
            yield from item(f"· no answer: {error}. Commands work without it: 'help'", screen)
            return
        finally:
            self._tools = turn.tools
        session.remember_said(line, " ".join(filter(None, turn.shown)))
        session.offer(self._llm.model, turn.offered)
        for command in turn.offered:
            yield f"suggested: {command}"
        if turn.offered:
            yield "'yes' does it" if len(turn.offered) == 1 else "'yes' does all of it"


def _streamed(run: Callable[[], Awaitable[None]], said: SimpleQueue[str | None]) -> Iterator[str]:
    """What a coroutine says, as it says it. Leaving in the middle cancels it."""
    from anyio.from_thread import start_blocking_portal

    with start_blocking_portal() as portal:
        future = portal.start_task_soon(run)
        future.add_done_callback(lambda _: said.put(None))
        try:
            yield from iter(said.get, None)
        finally:
            future.cancel()
        future.result()
