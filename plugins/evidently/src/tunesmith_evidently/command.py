"""`tunesmith monitor`: whether the best model still fits the data of today."""

from pathlib import Path

import click

from tunesmith.cli.output import format_option, study_argument


@click.command("monitor", short_help="Compare new data with what the best model was fitted on.")
@study_argument
@click.option(
    "--current",
    required=True,
    type=click.Path(path_type=Path),
    help="New data: a CSV or Parquet file with the columns of the training data.",
)
@click.option("--round", "number", type=int, help="The model of this round, not of the latest.")
@click.option(
    "--allow-drift",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="Share of the columns that may drift before it counts.",
)
@format_option
def command(study: str, current: Path, number: int | None, allow_drift: float, format: str) -> None:
    """Tell whether data has drifted since STUDY chose its model, and whether the model got worse.

    Quality is judged where the file has the target. The report is kept with the round's, and in the
    study's trackers. The exit code is 12 where data drifted or quality degraded, and 1 where
    neither did, but a tracker did not take the report.
    """
    from tunesmith.study import load_study
    from tunesmith_evidently import DRIFTED
    from tunesmith_evidently._monitor import monitor
    from tunesmith_evidently._shown import show

    found = monitor(load_study(Path(study)), current, number, allow_drift)
    show(found, study, format)
    for note in found.notes:
        click.echo(f"warning: {note}", err=True)
    if found.advised:
        raise click.exceptions.Exit(DRIFTED)
    if found.notes:
        raise click.exceptions.Exit(1)
