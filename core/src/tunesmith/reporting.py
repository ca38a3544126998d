"""Has a round's reporters write, beside each other, and a page that links what they wrote."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, as_completed
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import cast

from tunesmith.components import Executor, Reporter
from tunesmith.errors import told_of
from tunesmith.executors import Inline, Processes
from tunesmith.finished import Finished, Report
from tunesmith.gates import COMPARISON
from tunesmith.index_page import write_index
from tunesmith.plugins import Registry
from tunesmith.study import Study
from tunesmith.trial import Round
from tunesmith.workers import UnsentError, WorkerDiedError

AT_ONCE = 2
"""Reporters that work beside each other: each holds the data and a plotting library in memory."""

Told = Callable[..., object]
"""The hook `report_made`."""


def write_reports(study: Study, finished: Finished, registry: Registry, told: Told) -> None:
    """Have the study's reporters write, and the page that links what they wrote.

    Their metrics become final ones of the round. One that fails is told in the notes.
    """
    built = cast(list[Reporter], study.build("reporter", registry))
    reporters = dict(zip(names_of(study), built, strict=True))
    made: dict[str, Report] = {}
    for name, report, wrong in _reported(study, finished, reporters, registry):
        made[name] = report
        told(study=study, name=name, wrong=wrong)
        if wrong:
            finished.notes.append(f"reporter '{name}' failed: {wrong}")
    # in the order of the study file, whoever was done first
    finished.reports = {name: made[name] for name in reporters}
    _take_metrics(finished)
    if reporters:
        try:
            finished.index = write_index(study, finished, report_folder(study, finished.round))
        except OSError as error:
            finished.notes.append(f"the page of the reports was not written: {error}")


def names_of(study: Study) -> list[str]:
    """The study's reporters by name, a second one of a kind as `NAME 2`."""
    uses = [table.use for table in study.reporters]
    same = [uses[:place].count(use) for place, use in enumerate(uses)]
    return [f"{use} {count + 1}" if count else use for use, count in zip(uses, same, strict=True)]


def _take_metrics(finished: Finished) -> None:
    """Make the reports' numbers final metrics; none takes another's name."""
    own = finished.fitted.numbers if finished.fitted else {}
    owner = dict.fromkeys(own, "the model") | dict.fromkeys(COMPARISON, "the comparison")
    for name, report in finished.reports.items():
        for metric, value in report.metrics.items():
            whose = owner.setdefault(metric, f"reporter '{name}'")
            if whose == f"reporter '{name}'":
                finished.round.final[metric] = value
            else:
                finished.notes.append(
                    f"'{metric}' of reporter '{name}' is left out: {whose} has one of that name"
                )


def _reported(
    study: Study, finished: Finished, reporters: dict[str, Reporter], registry: Registry
) -> Iterator[tuple[str, Report, str | None]]:
    """Each reporter's report as it comes, and what went wrong."""
    given = Finished(finished.round, finished.fitted, finished.earlier)
    with _workers(study, registry, len(reporters)) as (executor, scratch):
        jobs: dict[Future[Report], str] = {}
        here: dict[str, Callable[[], Report]] = {}
        for name, reporter in reporters.items():
            folder = report_folder(study, finished.round) / name
            here[name] = partial(_report, reporter, study, given, folder)
            there = partial(_in_time, here[name], reporter.seconds, scratch)
            jobs[executor.submit(there if executor.can_cancel else here[name])] = name
        for future in as_completed(jobs):
            name, error = jobs[future], future.exception()
            if isinstance(error, UnsentError):  # such as a model that holds a lock
                future = Inline().submit(here[name])
                error = future.exception()
            if isinstance(error, WorkerDiedError) and "SIGALRM" in str(error):
                yield name, Report(), f"it took longer than {reporters[name].seconds:g} s"
            else:
                report = Report() if error else future.result()
                yield name, report, told_of(error) if error else None


@contextmanager
def _workers(study: Study, registry: Registry, count: int) -> Iterator[tuple[Executor, str]]:
    """Processes, or this one where the study's trials, too, run in what cannot be ended.

    With a folder for temporary files: a reporter that is ended leaves rows of the data in them.
    """
    own = cast(Executor, study.build("executor", registry)[0])
    here = not own.can_cancel or not count
    executor = Inline() if here else Processes(workers=min(AT_ONCE, count))
    with tempfile.TemporaryDirectory(prefix="tunesmith-", ignore_cleanup_errors=True) as scratch:
        executor.start()
        try:
            yield executor, scratch
        finally:
            executor.stop()


def _report(reporter: Reporter, study: Study, finished: Finished, folder: Path) -> Report:
    folder.mkdir(parents=True, exist_ok=True)
    return reporter.report(study, finished, folder)


def _in_time(job: Callable[[], Report], seconds: float, scratch: str) -> Report:
    """In a process of its own, which SIGALRM ends when the time is over, whatever it does then."""
    tempfile.tempdir = scratch
    # 0 would be no limit at all
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3))
    try:
        return job()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def report_folder(study: Study, round: Round) -> Path:
    """Where a round's reports are, a folder each: `reports/STUDY/round-N` beside the study file."""
    return study.folder / "reports" / study.name / f"round-{round.number}"
