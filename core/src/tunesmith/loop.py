"""Runs a study's trials on its executor until something says stop."""

import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import cast

from tunesmith.carryover import CarryOver
from tunesmith.components import Executor, Objective
from tunesmith.delivery import Delivered
from tunesmith.errors import ConfigError, ExecutorError, RoundFailedError
from tunesmith.evaluation import Outcome, evaluate
from tunesmith.finished import Finished
from tunesmith.gates import Gate, gates_of
from tunesmith.plugins import Registry, installed
from tunesmith.study import Study
from tunesmith.trial import INTERRUPTED, Round, Trial, TrialState, best_trial, pareto_front
from tunesmith.tuner import Tuner
from tunesmith.workers import WorkerLostError

_TICK = 0.2
"""Seconds between looks at deadlines and interrupts while nothing finishes."""
_LOSSES = 3
"""How often a trial runs again because a cluster lost its worker, before it is to blame itself."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one run came to. `reason` is None when it was interrupted and the round can go on."""

    study: Study
    round: Round
    reason: str | None
    new_trials: int
    carried: list[CarryOver]
    made: Finished
    delivered: list[Delivered]

    @property
    def trials(self) -> list[Trial]:
        """The round's finished trials."""
        return self.round.trials

    @property
    def best(self) -> Trial | None:
        """The best trial; with several goals the first of the front."""
        return best_trial(self.trials, self.round.goals)

    @property
    def gates(self) -> list[Gate]:
        """What the study asks of its best model; nothing before the round is over."""
        over = self.round.finished is not None  # the final metrics are not there before
        return gates_of(self.study, self.round) if over else []

    @property
    def front(self) -> list[Trial]:
        """The Pareto front, by the first goal."""
        return pareto_front(self.trials, self.round.goals)


class Interrupts:
    """Counts SIGINT.

    The first lets running trials finish, the second raises KeyboardInterrupt, as SIGTERM does.
    """

    def __init__(self) -> None:
        self.count = 0

    def _handle(self, number: int, _: FrameType | None) -> None:
        self.count += 1
        if self.count > 1 or number == signal.SIGTERM:
            raise KeyboardInterrupt
        with suppress(RuntimeError):  # the signal came in the middle of another line
            print("waiting for what runs; Ctrl-C again ends it", file=sys.stderr)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Take the signals while the block runs; in the main thread, which alone gets them."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {
            number: signal.signal(number, self._handle)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def run(
    study: Study,
    objective: Objective | None = None,
    registry: Registry | None = None,
    listeners: Sequence[object] = (),
    new_round: bool = False,
) -> Result:
    """Run the study's round to its end, or on from where it was.

    Raises RoundFailedError when too many trials in a row fail, and whatever `Tuner` raises. An
    interrupted run returns
    a result without a reason.
    """
    executor = cast(Executor, study.build("executor", registry or installed())[0])
    if executor.workers < 1:
        raise ConfigError(f"executor.workers is {executor.workers}; at least one has to work")
    if study.budget.trial_seconds is not None and not executor.can_cancel:
        raise ConfigError(
            f"executor '{study.executor.use}' cannot end a trial after budget.trial_seconds "
            f"{study.budget.trial_seconds:g}; use executor 'processes'"
        )
    interrupts = Interrupts()
    with interrupts.installed(), Tuner(study, objective, registry, listeners, new_round) as tuner:
        before = sum(trial.counts for trial in tuner.round.trials)
        executor.start()
        try:
            _Loop(tuner, executor, interrupts).run()
        except KeyboardInterrupt:
            tuner.reason = None
        finally:
            executor.stop()
    if tuner.failed:
        raise RoundFailedError(
            f"{tuner.reason}. Mend the objective and run again; what was recorded is kept, and "
            "'tunesmith trials --state failed' shows it"
        )
    new = sum(trial.counts for trial in tuner.round.trials) - before
    return Result(study, tuner.round, tuner.reason, new, tuner.carried, tuner.made, tuner.delivered)


@dataclass(slots=True)
class _Flight:
    """A trial that an executor has.

    `began` is when it was first seen running, in monotonic seconds; `losses` counts the workers
    that were lost under it.
    """

    trial: Trial
    losses: int = 0
    began: float | None = None
    overdue: bool = False


class _Loop:
    """Keeps the executor busy."""

    def __init__(self, tuner: Tuner, executor: Executor, interrupts: Interrupts) -> None:
        self._tuner, self._executor, self._interrupts = tuner, executor, interrupts
        self._running: dict[Future[Outcome], _Flight] = {}
        self._limit = tuner.study.budget.trial_seconds
        self._gone: ExecutorError | None = None

    def run(self) -> None:
        while True:
            if not self._interrupts.count:
                self._fill()
            if not self._running:
                return
            done, _ = wait(self._running, timeout=_TICK, return_when=FIRST_COMPLETED)
            for future in done:
                self._settle(future, self._running.pop(future))
            if self._gone:
                raise ExecutorError(f"{self._gone}. What was recorded is kept; run again to go on")
            if self._limit is not None:
                self._end_overdue(self._limit)

    def _fill(self) -> None:
        for trial in self._tuner.ask_many(self._executor.workers - len(self._running)):
            self._submit(trial)

    def _submit(self, trial: Trial, losses: int = 0) -> None:
        tuner = self._tuner
        given = (tuner.objective, trial.params, trial.number, trial.seed, tuner.round.goals)
        future = self._executor.submit(evaluate, *given, tuner.rule(trial))
        self._running[future] = _Flight(trial, losses)

    def _settle(self, future: Future[Outcome], flight: _Flight) -> None:
        """Tell what came of a trial, or have it run again where its worker was lost."""
        error = None if future.cancelled() else future.exception()
        if isinstance(error, ExecutorError):
            self._gone = error  # the trial is left as running, and becomes an interrupted one
        elif isinstance(error, WorkerLostError) and self._again(flight):
            self._submit(flight.trial, flight.losses + 1)
        else:
            self._tuner.tell(flight.trial, self._outcome(future, flight))

    def _again(self, flight: _Flight) -> bool:
        return flight.losses < _LOSSES and not flight.overdue and not self._interrupts.count

    def _outcome(self, future: Future[Outcome], flight: _Flight) -> Outcome:
        if flight.overdue:
            return Outcome(TrialState.FAILED, error=f"it took longer than {self._limit:g} s")
        error = None if future.cancelled() else future.exception()
        if future.cancelled() or (isinstance(error, WorkerLostError) and self._interrupts.count):
            return Outcome(TrialState.FAILED, error=INTERRUPTED)
        if error is None:
            return future.result()
        # the worker died, or could not read what it was sent
        return Outcome(
            TrialState.FAILED, error=f"{type(error).__name__}: {error}".removesuffix(": ")
        )

    def _end_overdue(self, limit: float) -> None:
        now = time.monotonic()
        for future, flight in self._running.items():
            # the clock of a trial starts when its worker is there
            if flight.began is None and future.running():
                flight.began = now
            if flight.began is not None and not flight.overdue and now - flight.began > limit:
                flight.overdue = True
                self._executor.cancel(future)
