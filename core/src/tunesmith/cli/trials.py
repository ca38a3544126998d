"""`tunesmith trials`: every trial of a study."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from tunesmith.cli.output import fits, format_option, show_rows, study_argument

_NESTED = ("metrics", "params")

if TYPE_CHECKING:
    from tunesmith.trial import Goal, Trial


@click.command("trials")
@study_argument
@click.option("--round", type=int, help="Only this round.")
@click.option(
    "--state",
    type=click.Choice(["running", "complete", "pruned", "failed"]),
    help="Only this state.",
)
@click.option("--sort", is_flag=True, help="Best first, instead of by number.")
@click.option("--limit", type=click.IntRange(1), help="At most so many.")
@format_option
def command(
    study: str, round: int | None, state: str | None, sort: bool, limit: int | None, format: str
) -> None:
    """List the trials of STUDY."""
    from tunesmith.cli.records import open_record

    with open_record(study) as record:
        rounds = record.rounds()
        trials = [trial for trial in record.trials(round) if state is None or trial.state == state]
    if sort and rounds:
        trials = _best_first(trials, rounds[-1].goals)
    show_trials(trials[:limit], format)


def show_trials(trials: Iterable["Trial"], format: str) -> None:
    """Print trials: everything for programs, for people a column a metric and a parameter where
    the screen is wide enough.
    """
    rows = trial_rows(trials, format)
    if format == "table" and rows:
        spread = _spread(rows)
        # an error is as long as it likes: it takes the room that is left
        rows = spread if fits([row | {"error": "some words"} for row in spread]) else rows
    show_rows(rows, format)


def _spread(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with a column for each metric and each parameter, and none that says nothing."""
    columns = {key: dict.fromkeys(name for row in rows for name in row[key]) for key in _NESTED}
    flat = [
        {key: value for key, value in row.items() if key in ("trial", "round", "state")}
        | {name: row[key].get(name) for key in _NESTED for name in columns[key]}
        | {key: row[key] for key in ("seconds", "error")}
        for row in rows
    ]
    idle = [key for key in ("error",) if all(row[key] is None for row in flat)]
    idle += ["round"] if len({row["round"] for row in flat}) == 1 else []
    return [{key: value for key, value in row.items() if key not in idle} for row in flat]


def trial_rows(trials: Iterable["Trial"], format: str) -> list[dict[str, Any]]:
    """A row a trial, with what its format is for."""
    rows = []
    for trial in trials:
        row: dict[str, Any] = {
            "trial": trial.number,
            "round": trial.round,
            "state": str(trial.state),
            "metrics": trial.metrics,
            "params": trial.params,
            "seconds": trial.seconds,
            "error": trial.error,
        }
        if format != "table":
            steps = [
                {"metric": step.metric, "step": step.step, "value": step.value}
                for step in trial.steps
            ]
            row |= {"steps": steps, "seed": trial.seed, "origin": str(trial.origin)}
            row |= {"started": trial.started, "finished": trial.finished}
        rows.append(row)
    return rows


def _best_first(trials: list["Trial"], goals: tuple["Goal", ...]) -> list["Trial"]:
    from tunesmith.trial import is_scored

    scored = [trial for trial in trials if is_scored(trial, goals)]
    rest = [trial for trial in trials if not is_scored(trial, goals)]
    return sorted(scored, key=lambda trial: goals[0].loss(trial.metrics)) + rest
