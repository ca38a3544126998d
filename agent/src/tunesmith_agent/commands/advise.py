"""`tunesmith advise`: what the trials say about the space, and what to change."""

from pathlib import Path
from typing import Any

import click

from tunesmith.cli.output import format_option, study_argument


@click.command("advise", short_help="Propose changes to a study's search space.")
@study_argument
@click.option("--experiment", help="Advise on what anybody logged under this name, not on STUDY.")
@click.option("--tracker", default="mlflow", show_default=True, help="Where the experiment is.")
@click.option("--metric", help="The experiment's metric.")
@click.option(
    "--goal", type=click.Choice(["minimize", "maximize"]), help="What is better; else inferred."
)
@click.option("--advisor", help="Another one than the study's: its name, or '{use: llm, …}'.")
@click.option("--output", type=click.Path(), help="Study file to write; else study.yaml.")
@click.option("--html", type=click.Path(), help="A page to write, for sending around.")
@click.option("--ask", is_flag=True, help="Decide here and now, edit by edit.")
@click.option("--as", "author", help="Who decides; else who is logged in.")
@format_option
def command(study: str, html: str | None, ask: bool, author: str | None, **options: Any) -> None:
    """Propose changes to the search space of STUDY from the trials there are, with the evidence.

    With --experiment for runs that tunesmith never made: nothing is recorded, but a study file
    with the recommended changes is written. The exit code is 9 where --ask leaves it pending.
    """
    from tunesmith.errors import PENDING
    from tunesmith.rounds import user
    from tunesmith_agent import desk

    format = options.pop("format")
    page = Path(html) if html else None
    if options["experiment"] is not None:
        if options["metric"] is None:
            raise click.UsageError("name the experiment's --metric")
        from tunesmith_agent.elsewhere import Source, advise

        output, advisor = options.pop("output"), options.pop("advisor")
        advise(Source(**options), advisor, output, page, format)
        return
    for name in ("metric", "goal", "output"):
        if options[name] is not None:
            raise click.UsageError(f"--{name} is for --experiment only")
    decider = (author or user()) if ask else None
    pending = desk.advise(study, page, format, decider, options["advisor"])
    if ask and pending:
        raise click.exceptions.Exit(PENDING)
