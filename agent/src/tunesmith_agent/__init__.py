"""tunesmith's advisor: evidence from earlier trials, and proposals that a human decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith.components import Advisor
from tunesmith.hookspecs import hookimpl
from tunesmith_agent.llm import Llm
from tunesmith_agent.statistical import Statistical

if TYPE_CHECKING:
    import click

    from tunesmith.hookspecs import Register


@hookimpl
def register_advisors(register: Register[Advisor]) -> None:
    register("statistical", Statistical)
    register("llm", Llm)


@hookimpl
def register_commands(cli: click.Group) -> None:
    from tunesmith_agent.commands import advise, chat, mcp, proposals

    for command in (advise.command, chat.command, mcp.command, proposals.command):
        cli.add_command(command)
