"""`tunesmith run`: a round from its start, or on from where it was, to its end."""

import sys
from contextlib import redirect_stdout
from pathlib import Path

import click

from tunesmith.cli.output import format_option, show_data, study_argument


@click.command("run", short_help="Run a round of a study, or go on with one.")
@study_argument
@click.option("--trials", type=click.IntRange(1), help="Budget of trials, instead of the file's.")
@click.option("--new-round", is_flag=True, help="Begin a new round although the last one fits.")
@format_option
def command(study: str, trials: int | None, new_round: bool, format: str) -> None:
    """Tune: run a round of STUDY, or go on with one that was interrupted.

    Ctrl-C lets running trials finish, a second one ends them; the same command goes on later.
    """
    from tunesmith.cli.progress import Progress
    from tunesmith.cli.summary import print_summary, print_warnings, summary_data
    from tunesmith.loop import run
    from tunesmith.study import load_study

    loaded = load_study(Path(study))
    if trials is not None:
        budget = loaded.budget.model_copy(update={"trials": trials})
        loaded = loaded.model_copy(update={"budget": budget})
    # what an objective prints in this process is no result of ours
    with redirect_stdout(sys.stderr), Progress() as progress:
        result = run(loaded, listeners=[progress], new_round=new_round)
    if format == "table":
        print_summary(result, study)
    else:
        show_data(summary_data(result), format)
    print_warnings(result, study)
    if result.reason is None:
        click.echo(f"interrupted; go on with 'tunesmith run {study}'", err=True)
        raise click.exceptions.Exit(130)
