"""`tunesmith status`: a study's rounds, and whether anyone runs it."""

from typing import Any

import click

from tunesmith.cli.output import format_option, show_rows, study_argument


@click.command("status", short_help="Show the rounds of a study.")
@study_argument
@format_option
def command(study: str, format: str) -> None:
    """Show the rounds of STUDY: space, sampler, trials, best score and how each ended."""
    from tunesmith.cli.records import open_record
    from tunesmith.lease import holder
    from tunesmith.trial import best_trial

    rows: list[dict[str, Any]] = []
    with open_record(study) as record:
        runner = holder(record)
        rounds = record.rounds()
        pending = [item.proposal.number for item in record.proposals() if item.pending]
        for round in rounds:
            trials = record.trials(round.number)
            best = best_trial(trials, round.goals)
            metric = round.goals[0].metric
            states = [str(trial.state) for trial in trials if trial.counts]
            running = runner is not None and round is rounds[-1]
            rows.append(
                {
                    "round": round.number,
                    "space": f"v{round.space_version}",
                    "sampler": round.sampler["use"],
                    "complete": states.count("complete"),
                    "pruned": states.count("pruned"),
                    "failed": states.count("failed"),
                    "metric": metric,
                    "best": best.metrics[metric] if best else None,
                    "state": f"running: {runner}" if running else round.reason or "open",
                }
            )
    show_rows(rows, format)
    if pending:
        click.echo(
            f"proposal {pending[-1]} is pending: 'tunesmith proposals show {study}' shows it",
            err=True,
        )
