"""`tunesmith best`: the best trial of a study, or its Pareto front."""

import click

from tunesmith.cli.output import format_option, study_argument


@click.command("best", short_help="Show the best trial of a study, or its Pareto front.")
@study_argument
@format_option
def command(study: str, format: str) -> None:
    """Show the best trial of STUDY; with several goals all trials of the Pareto front."""
    from tunesmith.cli.records import comparable, open_record
    from tunesmith.cli.trials import show_trials
    from tunesmith.errors import ConfigError
    from tunesmith.limits import nearest
    from tunesmith.trial import pareto_front

    with open_record(study) as record:
        latest, trials = comparable(record)
    front = pareto_front(trials, latest.goals)
    if not front:
        far = nearest(trials, latest.goals, latest.limits)
        what = f"no best trial: {far}" if far else "no complete trial yet"
        raise ConfigError(f"study '{record.name}' has {what}; see 'tunesmith trials'")
    shown = front if len(latest.goals) > 1 else front[:1]
    show_trials(shown, format)
