"""An experiment read as if it were a study with one round."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tunesmith.components import Tracker
from tunesmith.errors import ConfigError
from tunesmith.history import History, original_of
from tunesmith.space import SearchSpace
from tunesmith.trial import Direction, Goal, LoggedRun, Round, Trial, TrialState
from tunesmith_agent.foreign.goals import direction_of
from tunesmith_agent.foreign.inference import Inferred, infer
from tunesmith_agent.foreign.names import study_name
from tunesmith_agent.foreign.runs import Chosen, check_metric, choose
from tunesmith_agent.foreign.texts import counted, shown


@dataclass(frozen=True)
class Foreign:
    """What an experiment says about a search: everything that is not in it was assumed.

    `assumptions` and `excluded` tell in plain words what was assumed, and which runs were left
    aside. `names` are the params' own names by those in the space.
    """

    experiment: str
    space: SearchSpace
    goal: Goal
    round: Round
    assumptions: tuple[str, ...]
    excluded: tuple[str, ...]
    names: Mapping[str, str]

    @property
    def study(self) -> str:
        """Name of a study that goes on with the experiment."""
        return study_name(self.experiment)

    def history(self) -> History:
        """What an advisor looks at."""
        return History(
            study=self.study,
            space=self.space,
            version=1,
            original=original_of([self.space]),
            goals=(self.goal,),
            rounds=(self.round,),
            excluded=self.excluded,
        )


def read(
    tracker: Tracker, experiment: str, metric: str, direction: Direction | None = None
) -> Foreign:
    """The experiment's runs as trials of the space that they seem to have come from.

    Raises ConfigError where they are no evidence on the metric, TrackerError where the tracker
    cannot read them.
    """
    runs = tracker.logged(experiment)
    check_metric(runs, experiment, metric)
    chosen = choose(runs, metric)
    scored = chosen.scored
    _check_enough(chosen, experiment, metric)
    told = []
    if direction is None:
        direction, why = direction_of(metric, scored)
        told.append(f"'{shown(metric)}' is {direction}d: so says its {why}")
    goal = Goal(metric, direction)
    others = [run for run in chosen.runs if run.state is not TrialState.COMPLETE]
    inferred = infer(scored, others)
    round, aside = _round(chosen.runs, inferred, goal)
    excluded = (*chosen.aside, *aside)
    return Foreign(
        experiment,
        inferred.space,
        goal,
        round,
        (*told, *inferred.told, *chosen.told, *excluded),
        excluded,
        {alias: column.name for alias, column in inferred.columns.items()},
    )


def _check_enough(chosen: Chosen, experiment: str, metric: str) -> None:
    count = len(chosen.scored)
    if count < 2:
        what = "no run" if count == 0 else "only one run"
        aside = "; ".join([*chosen.told, *chosen.aside])
        raise ConfigError(
            f"{what} of experiment '{experiment}' finished with a number for '{metric}'; at least "
            f"two with different params are needed{f' ({aside})' if aside else ''}"
        )


def _round(runs: Sequence[LoggedRun], inferred: Inferred, goal: Goal) -> tuple[Round, list[str]]:
    """The runs of the space as one round, numbered by their start, and what became of the rest."""
    whole = [(run, params) for run in runs if (params := inferred.params_of(run)) is not None]
    trials = [
        Trial(
            number=number,
            round=1,
            params=params,
            state=run.state,
            metrics={k: v for k, v in run.metrics.items() if math.isfinite(v)},
            error=run.error if run.state is TrialState.FAILED else None,
            started=run.started,
            finished=run.finished,
        )
        for number, (run, params) in enumerate(whole)
    ]
    lost = len(runs) - len(trials)
    aside = [f"left aside: {counted(lost, 'run')} without a value for every param"] if lost else []
    round = Round(
        number=1,
        space_version=1,
        space=inferred.space,
        sampler={"use": "unknown"},
        objective={"use": "unknown"},
        goals=(goal,),
        seed=0,
        budget={},
        dataset=runs[0].dataset,
        started=min((trial.started for trial in trials if trial.started), default=None),
        finished=max((trial.finished for trial in trials if trial.finished), default=None),
        reason="its runs were logged before",
        trials=trials,
    )
    return round, aside
