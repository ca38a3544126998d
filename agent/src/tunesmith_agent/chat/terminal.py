"""Reads lines and prints what they come to; on a terminal with history and completion."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from tunesmith.cli.output import escaped, printable
from tunesmith.errors import TunesmithError, did_you_mean
from tunesmith_agent.chat.grammar import COMMANDS, LeftError, understand, words
from tunesmith_agent.chat.memory import memory_file, recall
from tunesmith_agent.chat.session import Session, summary
from tunesmith_agent.desk import on_terminal, open_desk
from tunesmith_agent.view import show

Answer = Callable[[Session, str], Iterator[str]]
"""What a line comes to that is no command."""


def chat(study: str, author: str) -> None:
    """Hold a session about a study until the person leaves."""
    with open_desk(study) as desk:
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
                _say(session, line.strip(), _unknown)
            except LeftError:
                break


def _say(session: Session, line: str, answer: Answer) -> None:
    if not line:
        return
    try:
        found = understand(session, line)
        show(answer(session, line) if found is None else found)
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
