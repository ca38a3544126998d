"""`tunesmith rollback`: makes the previous champion the champion again."""

from pathlib import Path

import click

from tunesmith.cli.output import study_argument


@click.command("rollback", short_help="Make the previous champion the champion again.")
@study_argument
def command(study: str) -> None:
    """Make the model that was STUDY's champion before the present one champion again."""
    from tunesmith.afterwards import rollback
    from tunesmith.study import load_study

    click.echo(rollback(load_study(Path(study))))
