"""`tunesmith trials`: every trial of a study."""

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from tunesmith.cli.output import fits, format_option, show_rows, study_argument

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
    from tunesmith.limits import all_judged

    with open_record(study) as record:
        rounds = record.rounds()
        trials = all_judged(record.trials(round), rounds[-1].limits if rounds else ())
    trials = [trial for trial in trials if state is None or trial.state == state]
    if sort and rounds:
        trials = _best_first(trials, rounds[-1].goals)
    show_trials(trials[:limit], format)


def show_trials(trials: Iterable["Trial"], format: str) -> None:
    """Print trials: everything for programs, for people what the screen is wide enough for."""
    rows = [_row(trial) for trial in trials]
    if format == "table":
        spread = _without_idle(_spread(rows))
        # an error is as long as it likes: it takes the room that is left
        wide = not rows or fits([row | {"error": "some words"} for row in spread])
        rows = spread if wide else _without_idle(_narrow(rows))
    show_rows(rows, format)


def _row(trial: "Trial") -> dict[str, Any]:
    steps = [
        {"metric": step.metric, "step": step.step, "value": step.value} for step in trial.steps
    ]
    return {
        "trial": trial.number,
        "round": trial.round,
        "state": str(trial.state),
        "metrics": trial.metrics,
        "violation": trial.violation,
        "params": trial.params,
        "seconds": trial.seconds,
        "error": trial.error,
        "steps": steps,
        "seed": trial.seed,
        "origin": str(trial.origin),
        "started": trial.started,
        "finished": trial.finished,
    }


_PLAIN = ("trial", "round", "origin", "state", "violation")


def _spread(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with a column for each metric and each parameter."""
    columns = {
        (kind, name): name for kind in ("metrics", "params") for row in rows for name in row[kind]
    }
    taken = Counter([*columns.values(), *_PLAIN, "seconds", "error"])
    labels = {key: name if taken[name] == 1 else ".".join(key) for key, name in columns.items()}
    return [
        {key: row[key] for key in _PLAIN}
        | {label: row[kind].get(name) for (kind, name), label in labels.items()}
        | {key: row[key] for key in ("seconds", "error")}
        for row in rows
    ]


def _narrow(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with a line in their cells for each metric and each parameter."""
    return [
        {key: row[key] for key in _PLAIN}
        | {"result": row["error"] or row["metrics"], "params": row["params"]}
        | {"seconds": row["seconds"]}
        for row in rows
    ]


def _without_idle(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows without the columns that say nothing: one round, no error, no limit broken."""
    idle = {"round"} if len({row["round"] for row in rows}) == 1 else set()
    idle |= {"origin"} if all(row["origin"] != "exploration" for row in rows) else set()
    idle |= {"violation"} if not any(row["violation"] for row in rows) else set()
    idle |= {"error"} if all(row.get("error") is None for row in rows) else set()
    return [{key: value for key, value in row.items() if key not in idle} for row in rows]


def _best_first(trials: list["Trial"], goals: tuple["Goal", ...]) -> list["Trial"]:
    from tunesmith.trial import is_scored

    scored = [trial for trial in trials if is_scored(trial, goals)]
    rest = [trial for trial in trials if not is_scored(trial, goals)]
    by = sorted(scored, key=lambda trial: (trial.violation, goals[0].loss(trial.metrics)))
    return by + rest
