"""`tunesmith proposals`: what was proposed for a study's space, and what people decide about it."""

from collections.abc import Callable
from typing import Any

import click

from tunesmith.cli.output import F, format_option, study_argument

_WORDS = "[STUDY] [NUMBER] [EDITS]..."


@click.group("proposals")
def command() -> None:
    """List, show and decide the proposals for a study's search space.

    NUMBER is the latest pending proposal unless you name another.
    """


@command.command("list")
@study_argument
@format_option
def list_(study: str, format: str) -> None:
    """List the proposals of STUDY: what they are against, and how they stand."""
    from tunesmith.cli.output import show_rows
    from tunesmith_agent.decide import rows

    show_rows(rows(study), format)


@command.command()
@click.argument("words", nargs=-1, metavar="[STUDY] [NUMBER]")
@click.option("--all", "everything", is_flag=True, help="All evidence and every parameter.")
@click.option("--html", type=click.Path(), help="A page to write, for sending around.")
@format_option
def show(words: tuple[str, ...], everything: bool, html: str | None, format: str) -> None:
    """Show a proposal: evidence, edits with pictures, and what was decided."""
    from tunesmith_agent.decide import show

    show(words, everything, html, format)


def _decision(function: F) -> F:
    """What the commands that decide have in common."""
    options: list[Callable[[Any], Any]] = [
        click.argument("words", nargs=-1, metavar=_WORDS),
        click.option("--as", "author", help="Who decides; else who is logged in."),
        click.option("--reason", default="", help="Why; it is recorded and remembered."),
        click.option("--json", "data", metavar="JSON", help="Decisions as a list; - for stdin."),
        format_option,
    ]
    for option in reversed(options):
        function = option(function)
    return function


_override = click.option(
    "--override", is_flag=True, help="Against soft rules of the policy; needs --reason."
)


@command.command()
@_decision
@_override
def approve(**options: Any) -> None:
    """Approve EDITS such as e1 e3, else all that are undecided."""
    _run("approve", options)


@command.command()
@_decision
def reject(**options: Any) -> None:
    """Reject EDITS such as e1 e3, else all that are undecided."""
    _run("reject", options)


@command.command()
@_decision
@_override
@click.option("--low", help="The new low bound.")
@click.option("--high", help="The new high bound.")
@click.option("--choices", help="The choices to drop or to add, with commas between them.")
@click.option("--value", help="The value to fix the parameter at.")
def edit(**options: Any) -> None:
    """Approve an edit with other values; the policy looks at it as at any other.

    --json may also be the whole edit that takes its place, such as
    '{"action": "widen", "parameter": "x", "high": 2}'.
    """
    _run("edit", options)


def _run(verdict: str, options: dict[str, Any]) -> None:
    from tunesmith_agent.decide import run

    run(verdict, **options)
