"""What a run prints at its end: the best trial, what it is worth, and where to look next."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from tunesmith.carryover import summary as carry_over_summary
from tunesmith.cli.output import cell, console, print_trimmed, printable
from tunesmith.limits import nearest
from tunesmith.loop import Result
from tunesmith.proposals import Evidence


def summary_data(result: Result, worth: Sequence[Evidence]) -> dict[str, Any]:
    """The result and the advisor's record as plain data."""
    return {
        "study": result.study.name,
        "round": result.round.number,
        "space_version": result.round.space_version,
        "reason": result.reason,
        "trials": sum(trial.counts for trial in result.trials),
        "new_trials": result.new_trials,
        "best": [
            {"trial": trial.number, "metrics": trial.metrics, "params": trial.params}
            for trial in result.front
        ],
        "final": result.round.final,
        "gates": [{"gate": gate.formula, "obstacle": gate.obstacle} for gate in result.gates],
        "model": result.made.model,
        "files": [str(path) for path in result.made.files],
        "delivered": [
            {"destination": item.destination, "missing": item.missing, "error": item.error}
            for item in result.delivered
        ],
        "advisor_record": [row.model_dump(mode="json") for row in worth],
    }


def print_summary(result: Result, study: str, worth: Sequence[Evidence]) -> None:
    """Print the result on stdout, and what earlier edits were worth.

    `study` is how the user named the study file.
    """
    out = console()
    round = result.round
    title = f"{result.study.name}: round {round.number}, space v{round.space_version}"
    out.print(Text(f"{title}, {_states(result)}", "bold"))
    lines = Table(box=None, pad_edge=False, show_header=False)
    for label, value in [*_ending(result), *_best(result, study), *_next(result, study)]:
        lines.add_row(Text(label), Text(value))
    print_trimmed(lines)
    if worth:
        out.print(Text("advisor record", "bold"))
    for row in worth:
        out.print(Text(f"  {printable(row.sentence)}"))


def print_warnings(result: Result, study: str) -> None:
    """Print on stderr what a tracker has not got, and what could not be made."""
    for item in result.delivered:
        if item.missing or item.error:
            what = (
                f"{item.missing} trials are" if item.missing else "the round's end or a proposal is"
            )
            click.echo(
                f"warning: {what} not delivered to {item.destination}: "
                f"{item.error}; do it with 'tunesmith sync {study}'",
                err=True,
            )
    for note in result.made.notes:
        click.echo(f"warning: {note}", err=True)


def _states(result: Result) -> str:
    states = [str(trial.state) for trial in result.trials if trial.counts]
    bad = [f"{states.count(state)} {state}" for state in ("pruned", "failed") if state in states]
    broken = sum(trial.violation > 0 for trial in result.trials)
    bad += [f"{broken} beyond a limit"] if broken else []
    return ", ".join([f"{len(states)} trials", *bad])


def _ending(result: Result) -> list[tuple[str, str]]:
    lines = []
    if result.carried:
        lines.append(("carried over", carry_over_summary(result.carried)))
    if result.reason:
        hint = "; raise budget.trials, change the space, or use --new-round"
        lines.append(("ended", result.reason + ("" if result.new_trials else hint)))
    return lines


def _best(result: Result, study: str) -> list[tuple[str, str]]:
    best, round = result.best, result.round
    if best is None:
        reason = nearest(result.trials, round.goals, round.limits)
        return [("best trial", f"none: {reason or 'no trial is complete'}")]
    others = len(result.front) - 1
    more = f", one of {others + 1} on the Pareto front: tunesmith best {study}"
    lines = [("best trial", f"{best.number}{more if others and len(round.goals) > 1 else ''}")]
    for goal in round.goals:
        spread = best.metrics.get(f"{goal.metric}_std")
        error = "" if spread is None else f" ± {cell(spread)}"
        lines.append((f"  {goal.metric}", cell(best.metrics[goal.metric]) + error))
    for metric, value in round.final.items():
        held_out = " (held out: the search never saw it)" if metric.startswith("test_") else ""
        lines.append((f"  {metric}", f"{cell(value)}{held_out}"))
    lines += [("params", "")]
    lines += [(f"  {name}", cell(value)) for name, value in best.params.items()]
    lines += [("gate", f"{gate.formula}: {gate.obstacle or 'passed'}") for gate in result.gates]
    return lines + ([("model", result.made.model)] if result.made.model else [])


def _next(result: Result, study: str) -> list[tuple[str, str]]:
    lines = [("all trials", f"tunesmith trials {study} --sort")]
    lines += [("report", _short(result.made.index))] if result.made.index else []
    return lines + [("tracked in", item.look) for item in result.delivered]


def _short(path: Path) -> str:
    """The path from the working directory, where that is shorter."""
    return min(str(path), os.path.relpath(path), key=len)
