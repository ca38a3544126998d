"""`tunesmith run`: a round from its start, or on from where it was, to its end."""

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import click

from tunesmith.cli.output import format_option, show_data, study_argument
from tunesmith.errors import GatesError, PluginError


@click.command("run", short_help="Run a round of a study, or go on with one.")
@study_argument
@click.option("--trials", type=click.IntRange(1), help="Budget of trials, instead of the file's.")
@click.option("--new-round", is_flag=True, help="Begin a new round although the last one fits.")
@click.option("--advise", is_flag=True, help="Then propose changes to the space, and ask.")
@click.option("--advisor", help="With --advise: another advisor than the study's.")
@click.option("--rounds", type=click.IntRange(1), help="With --advise: go on for so many rounds.")
@format_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    study: str,
    advise: bool,
    advisor: str | None,
    rounds: int | None,
    format: str,
    **options: Any,
) -> None:
    """Tune: run a round of STUDY, or go on with one that was interrupted.

    Ctrl-C lets running trials finish, a second one ends them; the same command goes on later. With
    --advise the exit code is 9 where nobody decides on the proposal. JSON and YAML are then several
    documents: each round, and each proposal. The exit code is 11 where the best model does not meet
    the study's gates.
    """
    if rounds and not advise:
        raise click.UsageError("--rounds needs --advise: equal rounds would only be a longer one")
    if advisor and not advise:
        raise click.UsageError("--advisor needs --advise")
    propose, unmet = _advise_command(ctx) if advise else None, ""
    for index in range(rounds or 1):
        if index and format == "yaml":
            click.echo("---")
        unmet = _round(study, options["trials"], options["new_round"] or index > 0, format)
        if propose:
            if format == "yaml":
                click.echo("---")
            ctx.invoke(propose, study=study, ask=True, advisor=advisor, format=format)
    if unmet:
        raise GatesError(f"the best model is not promoted: {unmet}")


def _advise_command(ctx: click.Context) -> click.Command:
    group = ctx.find_root().command
    found = group.get_command(ctx, "advise") if isinstance(group, click.Group) else None
    if found is None:
        raise PluginError("--advise needs the package tunesmith-agent; install it")
    return found


def _round(study: str, trials: int | None, new_round: bool, format: str) -> str:
    """Run a round and print what it came to; returns the gates that do not hold.

    Raises Exit where it was interrupted.
    """
    from tunesmith.cli.progress import Progress
    from tunesmith.cli.records import advisor_record
    from tunesmith.cli.summary import print_summary, print_warnings, summary_data
    from tunesmith.gates import failing
    from tunesmith.loop import run
    from tunesmith.revision import load_settled

    loaded = load_settled(Path(study))
    if trials is not None:
        budget = loaded.budget.model_copy(update={"trials": trials})
        loaded = loaded.model_copy(update={"budget": budget})
    # what an objective prints in this process is no result of ours
    with redirect_stdout(sys.stderr), Progress() as progress:
        result = run(loaded, listeners=[progress], new_round=new_round)
    worth = advisor_record(result)
    if format == "table":
        print_summary(result, study, worth)
    else:
        show_data(summary_data(result, worth), format)
    print_warnings(result, study)
    if result.reason is None:
        click.echo(f"interrupted; go on with 'tunesmith run {study}'", err=True)
        raise click.exceptions.Exit(130)
    return failing(result.gates)
