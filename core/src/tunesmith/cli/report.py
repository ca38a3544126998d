"""`tunesmith report`: makes the reports of a finished round again."""

from pathlib import Path

import click

from tunesmith.cli.output import study_argument


@click.command("report", short_help="Make the reports of a round again.")
@study_argument
@click.option("--round", "number", type=int, help="Of this round, instead of the latest.")
def command(study: str, number: int | None) -> None:
    """Have the reporters of STUDY write about a round once more.

    They are those that the study file names now. Prints the page that links what they wrote, and
    which gates hold now; 'tunesmith promote' acts on them. A reporter that fails costs its own
    report; with that, as with any other warning, the exit code is 1.
    """
    from tunesmith.afterwards import report
    from tunesmith.gates import gates_of
    from tunesmith.study import load_study

    def told(study: object, name: str, wrong: str | None) -> None:
        click.echo(f"report {name}: {'failed' if wrong else 'made'}", err=True)

    loaded = load_study(Path(study))
    finished = report(loaded, number, told=told)
    if finished.index:
        click.echo(finished.index)
    for gate in gates_of(loaded, finished.round):
        click.echo(f"gate {gate.formula}: {gate.obstacle or 'passed'}", err=True)
    for note in finished.notes:
        click.echo(f"warning: {note}", err=True)
    if finished.notes:
        raise click.exceptions.Exit(1)
