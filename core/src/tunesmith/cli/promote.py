"""`tunesmith promote`: makes a round's model the champion, if its gates hold."""

from pathlib import Path

import click

from tunesmith.cli.output import study_argument


@click.command("promote", short_help="Make a round's model the champion.")
@study_argument
@click.option("--round", "number", type=int, help="Of this round, instead of the latest.")
def command(study: str, number: int | None) -> None:
    """Make the best model of STUDY's round the champion, if all gates hold now.

    A run does so by itself; this finishes what a tracker that was away left undone, and takes an
    older round. The former champion is kept as the previous one. The exit code is 11 where a gate
    does not hold.
    """
    from tunesmith.afterwards import promote
    from tunesmith.study import load_study

    click.echo(promote(load_study(Path(study)), number))
