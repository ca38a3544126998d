"""What follows a round's last trial.

The best model is fitted for keeps, reporters write their files beside each other, and a page links
them.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from tunesmith.components import Dataset, Executor, Objective, Reporter, Tracker
from tunesmith.errors import PluginError, TunesmithError
from tunesmith.executors import Inline, Processes
from tunesmith.finished import Finished, Fitted, Report
from tunesmith.gates import BEATS_CHAMPION, CHAMPION, GAIN
from tunesmith.index_page import write_index
from tunesmith.plugins import Registry
from tunesmith.study import Study
from tunesmith.trial import Round, best_trial
from tunesmith.workers import WorkerDiedError

AT_ONCE = 2
"""Reporters that work beside each other: each holds the data and a plotting library in memory."""

Told = Callable[..., object]
"""The hook `report_made`."""


def wrap_up(
    study: Study,
    finished: Finished,
    objective: Objective,
    registry: Registry,
    told: Told,
) -> None:
    """Fit the best configuration again, score it on held-out data, and have the reports written.

    Sets `final` of the round. A model or a report that fails is told in the notes: the round's
    trials are worth keeping.
    """
    round = finished.round
    best = best_trial(round.trials, round.goals)
    if best:
        try:
            finished.fitted = objective.refit(best.params, best.seed)
        except (Exception, SystemExit) as error:  # user code may raise anything
            finished.notes.append(f"the best model could not be fitted again: {_told(error)}")
    round.final = finished.fitted.numbers if finished.fitted else {}
    try:
        compare(study, finished, objective, registry)
    except (Exception, SystemExit) as error:  # a tracker, or an old model, may raise anything
        finished.notes.append(f"not compared with the champion: {_told(error)}")
    write_reports(study, finished, registry, told)


def compare(study: Study, finished: Finished, objective: Objective, registry: Registry) -> None:
    """Where a gate asks for it, compare the model with the champion; sets final metrics.

    Raises TrackerError where the champion cannot be had, PluginError where the objective does not
    compare models, and whatever the champion raises on rows that it does not know.
    """
    if BEATS_CHAMPION not in study.gates or finished.fitted is None:
        return
    for tracker in cast(list[Tracker], study.build("tracker", registry)):
        try:
            if tracker.keeps_models:
                found = tracker.champion(study)
                finished.round.final |= _gain(finished.fitted, found, objective, study)
        finally:
            tracker.close()


def _gain(
    fitted: Fitted, champion: tuple[int, Any] | None, objective: Objective, study: Study
) -> dict[str, float]:
    if champion is None:
        return {CHAMPION: 0.0}
    version, model = champion
    gain = objective.gain(fitted, model, study.goal_list[0])
    if gain is None:
        raise PluginError(f"the objective '{study.objective.use}' cannot compare two models")
    return {
        CHAMPION: float(version),
        GAIN: gain.mean,
        f"{GAIN}_low": gain.low,
        f"{GAIN}_high": gain.high,
    }


def write_reports(study: Study, finished: Finished, registry: Registry, told: Told) -> None:
    """Have the study's reporters write, and the page that links what they wrote.

    Their metrics become final ones of the round. One that fails is told in the notes.
    """
    reporters: dict[str, Reporter] = {}
    for table, component in zip(study.reporters, study.build("reporter", registry), strict=True):
        same = sum(name.partition(" ")[0] == table.use for name in reporters)
        name = f"{table.use} {same + 1}" if same else table.use
        reporters[name] = cast(Reporter, component)
    own = finished.fitted.numbers if finished.fitted else {}
    for name, report, wrong in _reported(study, finished, reporters, registry):
        finished.reports[name] = report
        told(study=study, name=name, wrong=wrong)
        if wrong:
            finished.notes.append(f"reporter '{name}' failed: {wrong}")
        finished.notes += [
            f"'{metric}' of reporter '{name}' is left out: the model's own has that name"
            for metric in report.metrics.keys() & own.keys()
        ]
        finished.round.final |= {**report.metrics, **own}
    # in the order of the study file, whoever was done first
    finished.reports = {name: finished.reports[name] for name in reporters}
    if reporters:
        try:
            finished.index = write_index(study, finished, report_folder(study, finished.round))
        except OSError as error:
            finished.notes.append(f"the page of the reports was not written: {error}")


def _reported(
    study: Study, finished: Finished, reporters: dict[str, Reporter], registry: Registry
) -> Iterator[tuple[str, Report, str | None]]:
    """Each reporter's report as it comes, and what went wrong."""
    given = Finished(finished.round, finished.fitted, finished.earlier)
    with _workers(study, registry, len(reporters)) as executor:
        running: dict[Future[Report], str] = {}
        for name, reporter in reporters.items():
            folder = report_folder(study, finished.round) / name
            function = _report_in_time if executor.can_cancel else _report
            running[executor.submit(function, reporter, study, given, folder)] = name
        for future in as_completed(running):
            name, error = running[future], future.exception()
            if isinstance(error, WorkerDiedError) and "SIGALRM" in str(error):
                yield name, Report(), f"it took longer than {reporters[name].seconds:g} s"
            else:
                report = Report() if error else future.result()
                yield name, report, _told(error) if error else None


@contextmanager
def _workers(study: Study, registry: Registry, count: int) -> Iterator[Executor]:
    """Processes, or this one where the study's trials, too, run in what cannot be ended."""
    own = cast(Executor, study.build("executor", registry)[0])
    here = not own.can_cancel or not count
    executor = Inline() if here else Processes(workers=min(AT_ONCE, count))
    executor.start()
    try:
        yield executor
    finally:
        executor.stop()


def _report(reporter: Reporter, study: Study, finished: Finished, folder: Path) -> Report:
    folder.mkdir(parents=True, exist_ok=True)
    return reporter.report(study, finished, folder)


def _report_in_time(reporter: Reporter, study: Study, finished: Finished, folder: Path) -> Report:
    """In a process of its own, which SIGALRM ends when the time is over, whatever it does then."""
    # 0 would be no limit at all
    signal.setitimer(signal.ITIMER_REAL, max(reporter.seconds, 1e-3))
    try:
        return _report(reporter, study, finished, folder)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def prepared(study: Study, registry: Registry, objective: Objective | None = None) -> Objective:
    """The study's objective, ready to run. Raises what `prepare` raises."""
    objective = objective or cast(Objective, study.build("objective", registry)[0])
    datasets = cast(list[Dataset], study.build("dataset", registry))
    objective.prepare(study, datasets[0] if datasets else None)
    return objective


def recall(study: Study, round: Round, objective: Objective) -> Finished:
    """A round that was wrapped up before, with its files, and the model fitted once more.

    A model of an objective that the study no longer has stays unmade. Raises what `refit` raises.
    """
    root = report_folder(study, round)
    files = sorted(path for path in root.rglob("*") if path.is_file())
    best = best_trial(round.trials, round.goals)
    same = round.objective == study.objective.model_dump(mode="json")
    fitted = objective.refit(best.params, best.seed) if best and same else None
    return Finished(round, fitted, reports={"": Report(files)} if files else {})


def report_folder(study: Study, round: Round) -> Path:
    """Where a round's reports are, a folder each: `reports/STUDY/round-N` beside the study file."""
    return study.folder / "reports" / study.name / f"round-{round.number}"


def _told(error: BaseException) -> str:
    return str(error) if isinstance(error, TunesmithError) else f"{type(error).__name__}: {error}"
