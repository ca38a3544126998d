"""`tunesmith sync`: hands trackers what they have not got."""

from pathlib import Path

import click

from tunesmith.cli.output import study_argument


@click.command("sync")
@study_argument
@click.option("--again", is_flag=True, help="From the start: for a tracker whose data was deleted.")
def command(study: str, again: bool) -> None:
    """Deliver the trials of STUDY that its trackers have not got.

    Also to a tracker named only now.
    """
    from tunesmith.study import load_study
    from tunesmith.sync import sync

    for delivered in sync(load_study(Path(study)), again=again):
        click.echo(f"{delivered.destination}: {delivered.count} trials delivered")
        for note in delivered.notes:
            click.echo(f"warning: {note}", err=True)
