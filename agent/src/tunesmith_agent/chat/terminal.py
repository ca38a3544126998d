"""Reads lines and prints what they come to; on a terminal with history and completion."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from tunesmith.cli.output import escaped, printable
from tunesmith.errors import ConfigError, TunesmithError, did_you_mean
from tunesmith.plugins import installed
from tunesmith.study import Study
from tunesmith_agent.advisors import with_advisor
from tunesmith_agent.chat.colleague import Colleague
from tunesmith_agent.chat.grammar import COMMANDS, LeftError, understand, words
from tunesmith_agent.chat.meaning import StrangeError
from tunesmith_agent.chat.memory import memory_file, recall
from tunesmith_agent.chat.session import Session, summary
from tunesmith_agent.desk import on_terminal, open_desk
from tunesmith_agent.llm import Llm
from tunesmith_agent.view import show

Answer = Callable[[Session, str], Iterator[str]]
"""What a line comes to that is no command."""


def chat(study: str, author: str, advisor: str | None = None) -> None:
    """Hold a session about a study until the person leaves.

    A line that is no command goes to the language model of the study's advisor, or of `advisor`.
    """
    with open_desk(study) as desk:
        answer = _answerer(desk.study, advisor)
        file = memory_file(Path(study), desk.study.name)
        memory, wrong = recall(file)
        if wrong:
            click.echo(f"warning: {wrong}", err=True)
        session = Session(desk, author, memory, file)
        show(iter([*session.news, *summary(session)]))
        if on_terminal():
            click.echo("type 'help' for what can be said, 'quit' to leave", err=True)
        for line in _typed(session) if on_terminal() else sys.stdin:
            try:
                _say(session, line.strip(), answer)
            except LeftError:
                break
            except KeyboardInterrupt:
                if not on_terminal():
                    raise
                click.echo("· stopped")


def _answerer(study: Study, advisor: str | None) -> Answer:
    """Who answers a line that is no command. Raises ConfigError where `advisor` cannot."""
    named = with_advisor(study, advisor) if advisor else study
    built = installed().build("advisor", named.advisor.model_dump()) if named.advisor else None
    if isinstance(built, Llm):
        return Colleague(built).answer
    if advisor:
        raise ConfigError(f"advisor '{advisor}' has no language model to talk with; 'llm' has one")
    return _unknown


def _say(session: Session, line: str, answer: Answer) -> None:
    if not line:
        return
    try:
        found = understand(session, line)
        show(answer(session, line) if found is None else found)
    except StrangeError as error:
        show(answer(session, line) if answer is not _unknown else iter([escaped(str(error))]))
    except TunesmithError as error:
        click.echo(escaped(str(error)))


def _unknown(session: Session, line: str) -> Iterator[str]:
    verbs = {command.usage.split(" ", 1)[0] for command in COMMANDS}
    hint = did_you_mean(line.split()[0].lower(), verbs)
    known = hint.removeprefix("; ").capitalize() + " " if hint.startswith(";") else ""
    yield printable(f"'{line}' is not understood. {known}Type 'help' for what is.")


def _typed(session: Session) -> Iterator[str]:
    """Lines from the terminal; Ctrl-C clears one, Ctrl-D leaves."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import WordCompleter

    prompt: PromptSession[str] = PromptSession()
    while True:
        try:
            yield prompt.prompt("> ", completer=WordCompleter(words(session)))
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
