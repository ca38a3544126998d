"""The live display of a round: a bar on a terminal, a line for each better trial elsewhere.

On stderr.
"""

from __future__ import annotations

from collections import Counter
from types import TracebackType
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from tunesmith.cli.output import cell, console
from tunesmith.hookspecs import hookimpl
from tunesmith.trial import TrialState, best_trial

if TYPE_CHECKING:
    from tunesmith.study import Study
    from tunesmith.trial import Round, Trial


class Progress:
    """Listens to a round and draws it; use it in a `with` block."""

    def __init__(self) -> None:
        self._console = console(stderr=True)
        self._best: Trial | None = None
        self._flaws: Counter[str] = Counter()
        self._made = 0
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=self._console,
            disable=not self._console.is_terminal,
        )

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    @hookimpl
    def round_started(self, study: Study, round: Round) -> None:
        done = sum(trial.counts for trial in round.trials)
        again = f", {done} trials done before" if done else ""
        self._console.print(
            f"{study.name}: round {round.number}, space v{round.space_version}, "
            f"sampler {study.sampler.use}{again}",
            markup=False,
        )
        self._goals = round.goals
        self._best = best_trial(round.trials, round.goals)
        self._flaws.update(map(_flaw, round.trials))
        self._task = self._bar.add_task(
            "tuning", total=study.budget.trials, completed=done, note=self._note()
        )

    @hookimpl
    def trial_finished(self, study: Study, trial: Trial) -> None:
        better = best_trial([*([self._best] if self._best else []), trial], self._goals)
        news = better is not self._best
        self._best = better
        self._flaws[_flaw(trial)] += 1
        self._bar.update(self._task, advance=int(trial.counts), note=self._note())
        if news and not self._console.is_terminal:
            self._console.print(f"trial {trial.number}: {self._note()}", markup=False)

    @hookimpl
    def report_made(self, study: Study, name: str, wrong: str | None) -> None:
        self._made += 1
        count = f"{self._made} of {len(study.reporters)}"
        self._console.print(
            f"report {name}: {'failed' if wrong else 'made'} ({count})", markup=False
        )

    def _note(self) -> str:
        parts = []
        if self._best:
            metrics = self._best.metrics
            parts += [f"{goal.metric} {cell(metrics[goal.metric])}" for goal in self._goals]
            parts[0] = f"best {parts[0]}"
        parts += [f"{count} {flaw}" for flaw, count in self._flaws.items() if flaw]
        return ", ".join(parts)


def _flaw(trial: Trial) -> str:
    """What a trial is counted under; nothing where it is fine."""
    if trial.violation:
        return "beyond a limit"
    return "failed" if trial.state is TrialState.FAILED and trial.counts else ""
