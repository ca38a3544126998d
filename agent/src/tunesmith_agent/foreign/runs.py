"""Which of an experiment's runs are evidence: those of one dataset that tried something."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tunesmith.errors import ConfigError, did_you_mean
from tunesmith.trial import LoggedRun, TrialState
from tunesmith_agent.foreign.texts import counted, shown, value_of

_OPTUNA = {"FAIL": TrialState.FAILED, "PRUNED": TrialState.PRUNED}
_KEPT_BY_AUTOLOG = 5


@dataclass(frozen=True, slots=True)
class Chosen:
    """Runs of one dataset in the order of their start, and what became of the others.

    A run is complete exactly if the metric has a value in it.
    """

    runs: tuple[LoggedRun, ...]
    told: tuple[str, ...]
    aside: tuple[str, ...]

    @property
    def scored(self) -> list[LoggedRun]:
        """The complete ones."""
        return [run for run in self.runs if run.state is TrialState.COMPLETE]


def check_metric(runs: Sequence[LoggedRun], experiment: str, metric: str) -> None:
    """Raise ConfigError where no run has the metric; it names those that there are."""
    if not runs:
        raise ConfigError(f"experiment '{experiment}' has no runs; log some trainings first")
    known = {name for run in runs for name in run.metrics}
    if not known:
        raise ConfigError(f"no run of experiment '{experiment}' has a metric; log one in each run")
    if metric not in known:
        raise ConfigError(
            f"no run of experiment '{experiment}' has the metric '{metric}'"
            f"{did_you_mean(metric, known)}"
        )


def choose(runs: Sequence[LoggedRun], metric: str) -> Chosen:
    """The runs that are evidence on the metric, and in plain words what became of the others."""
    # the folds of one setting have a parent too, but no params: then the parent is the setting
    parents = {run.parent for run in runs if metric in run.metrics and run.params}
    tried: list[LoggedRun] = []
    aside: Counter[str] = Counter()
    for run in sorted(runs, key=lambda run: (run.started or 0.0, run.id)):
        seen = _seen(run, metric)
        reason = _why_not(seen, metric, parents)
        if reason:
            aside[reason] += 1
        else:
            tried.append(seen)
    kept, others = _of_one_dataset(tried)
    reasons = [f"left aside: {counted(count, 'run')} {why}" for why, count in aside.items()]
    return Chosen(tuple(kept), tuple(_told(kept, runs, metric)), (*reasons, *others))


def _seen(run: LoggedRun, metric: str) -> LoggedRun:
    """The run with its state as a trial's."""
    state = run.state
    if state is TrialState.COMPLETE:
        state = _OPTUNA.get(run.tags.get("state", ""), state)
    value = run.metrics.get(metric)
    if state is TrialState.COMPLETE and value is not None and not math.isfinite(value):
        return replace(run, state=TrialState.FAILED, error=f"the metric '{metric}' is {value}")
    if state is TrialState.FAILED and run.error is None:
        return replace(run, state=state, error="failed")
    return replace(run, state=state)


def _why_not(run: LoggedRun, metric: str, parents: set[str | None]) -> str | None:
    if run.id in parents:
        return "that others with the metric are part of"
    if run.state is TrialState.RUNNING:
        return "not finished"
    if not run.params:
        return "without params"
    if run.state is TrialState.COMPLETE and metric not in run.metrics:
        return f"without the metric '{metric}'"
    return None


def _of_one_dataset(runs: list[LoggedRun]) -> tuple[list[LoggedRun], list[str]]:
    """The runs on the dataset that has most scores: they do not compare across datasets."""
    groups: dict[str | None, list[LoggedRun]] = {}
    for run in runs:
        groups.setdefault(run.dataset, []).append(run)
    if len(groups) < 2:
        return runs, []

    def size(dataset: str | None) -> tuple[int, float]:
        scored = [run for run in groups[dataset] if run.state is TrialState.COMPLETE]
        return len(scored), max((run.started or 0.0 for run in scored), default=0.0)

    used = max(groups, key=size)
    others = len(runs) - len(groups[used])
    where = f"dataset '{shown(used)}'" if used else "no logged dataset"
    return groups[used], [
        f"left aside: {counted(others, 'run')} on other data, for scores compare on the same data "
        f"only; {counted(len(groups[used]), 'run')} with {where} are used"
    ]


def _told(kept: Sequence[LoggedRun], runs: Sequence[LoggedRun], metric: str) -> list[str]:
    told = []
    if failed := sum(run.state is TrialState.FAILED for run in kept):
        late = sum(run.state is TrialState.FAILED and metric in run.metrics for run in kept)
        but = f", {late} of them although they logged '{metric}'" if late else ""
        told.append(f"{counted(failed, 'run')} failed, or gave no number{but}")
    if pruned := sum(run.state is TrialState.PRUNED for run in kept):
        told.append(f"{counted(pruned, 'run')} ended early: pruned")
    return told + _cut_short(kept, runs)


def _cut_short(kept: Sequence[LoggedRun], runs: Sequence[LoggedRun]) -> list[str]:
    """Whether a search of scikit-learn's tried more than its autolog kept."""
    children = Counter(run.parent for run in kept if run.parent)
    tried = logged = perhaps = 0
    for parent in (run for run in runs if run.id in children):
        there = children[parent.id]
        asked = value_of(parent.params.get("n_iter", ""))
        if isinstance(asked, int) and asked > there:
            tried, logged = tried + asked, logged + there
        elif "param_grid" in parent.params and there == _KEPT_BY_AUTOLOG:
            perhaps += 1
    cure = "mlflow.sklearn.autolog(max_tuning_runs=None) keeps all"
    told = []
    if tried:
        told.append(
            f"of {tried} settings that searches tried only {logged} were logged, the best ones by "
            f"their rank, so the poor ones are missing and the picture is one-sided; {cure}"
        )
    if perhaps:
        told.append(
            f"{counted(perhaps, 'grid search')} logged exactly {_KEPT_BY_AUTOLOG} settings, so "
            f"perhaps only the best ones; {cure}"
        )
    return told
