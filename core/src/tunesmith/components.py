"""The kinds of component that a plugin can add.

A component's annotated fields are its configuration: subclass a kind, annotate the options with
defaults, put a docstring under each, and register the class under a name (`hookspecs.py`). Study
files are checked against the annotations, and `tunesmith plugins show NAME` prints them. Import
heavy libraries inside methods: a component is imported long before a study chooses it.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, dataclass_transform

from tunesmith.errors import TrackerError

if TYPE_CHECKING:
    from tunesmith.evaluation import TrialContext
    from tunesmith.finished import Finished, Fitted, Gain, Report, Table
    from tunesmith.history import History, Reviewed
    from tunesmith.proposals import Draft, Evidence
    from tunesmith.space import Params, SearchSpace
    from tunesmith.study import Study
    from tunesmith.trial import Goal, LoggedRun, Round, Rule, Trial

T = TypeVar("T")


@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(field,))
class Component(ABC):  # noqa: B024 - the kinds below have the abstract methods
    """Base of all kinds.

    It turns every subclass into a keyword-only dataclass whose fields are its options.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {
        "extra": "forbid",
        "use_attribute_docstrings": True,
    }

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        dataclasses.dataclass(kw_only=True, eq=False)(cls)


class Sampler(Component):
    """Chooses the next params and learns from results."""

    @abstractmethod
    def start(self, space: SearchSpace, goals: Sequence[Goal], seed: int) -> None:
        """Begin a round; called once, before anything else.

        Equal seeds and tells give equal asks, in any process.

        Raises PluginError for a space or goals that this sampler cannot handle.
        """

    @abstractmethod
    def ask(self, numbers: Sequence[int]) -> list[Params] | None:
        """Params for these trial numbers, each in the space.

        Fewer: wait for results first. None: nothing is left.
        """

    @abstractmethod
    def tell(self, trials: Sequence[Trial]) -> None:
        """Learn from finished trials, pruned and failed ones and those it never asked for included.

        Trials whose params lie outside the space that `start` was given change nothing.
        """


class Pruner(Component):
    """Ends trials that are not worth finishing, by what they report on the way."""

    @abstractmethod
    def start(self, goal: Goal, seed: int) -> None:
        """Begin a round; called once, before anything else.

        Raises PluginError for wrong options.
        """

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learn from finished trials of the round, pruned ones included."""

    @abstractmethod
    def rule(self, number: int) -> Rule:
        """What the trial of this number, which begins now, is judged by.

        It is pickled and travels with the trial, so that no worker has to ask back.
        """


class Executor(Component):
    """Runs functions somewhere and hands out futures of `concurrent.futures`."""

    workers: int = 1
    """How many trials run at the same time."""

    can_cancel: ClassVar[bool] = False
    """Whether `cancel` ends a function that is already running; needed for
    `budget.trial_seconds`.
    """

    def start(self) -> None:
        """Bring up the workers. Raises ExecutorError where that fails."""

    @abstractmethod
    def submit(self, function: Callable[..., T], /, *args: Any) -> Future[T]:
        """Run `function(*args)` on a worker; `future.running()` is true from when it has begun.

        A worker that dies sets an exception on the future, and a new one takes its place:
        `tunesmith.workers.WorkerLostError` where the function is not to blame and should run again,
        ExecutorError where no worker is left to run anything.
        """

    def cancel(self, future: Future[Any]) -> None:
        """End that one function, also when it is running already, where the executor can."""
        future.cancel()

    def stop(self) -> None:
        """End whatever still runs and leave no process behind. Safe to call twice."""


class Dataset(Component):
    """Where the data comes from. Relative paths start at the study's folder."""

    @abstractmethod
    def load(self, folder: Path) -> Table:
        """Read the data. Raises ConfigError where it is not there or not what the options say."""

    @abstractmethod
    def fingerprint(self, folder: Path) -> str:
        """A hash of the content and of the options that matter.

        The same data, the same fingerprint.
        """

    def version(self, folder: Path) -> dict[str, str]:
        """Where the data comes from, for the record: names to plain text, without secrets.

        Whatever the dataset knows, such as `path`, `md5`, `revision` and `remote`; nothing where
        nobody keeps versions. Rounds compare by their fingerprints, not by this.
        """
        return {}


class Objective(Component):
    """What a trial runs.

    Instances are pickled to worker processes with every trial, so keep data out of them.
    """

    def prepare(self, study: Study, dataset: Dataset | None) -> None:
        """Check everything that can be checked before the first trial, in the tuner's process.

        Raises ConfigError for a mistake in the options, and for a parameter of the space
        that means nothing here.
        """

    @abstractmethod
    def evaluate(self, params: Params, trial: TrialContext) -> float | Mapping[str, float]:
        """Run one trial; its metric, or several by name. Any exception is a failed trial."""

    def refit(self, params: Params, seed: int) -> Fitted | None:
        """Fit the best configuration for keeps and score it on held-out data; None without such.

        Deterministic for equal params and seed, so that it can be done again later.
        """
        return None

    def gain(self, fitted: Fitted, other: Any, goal: Goal) -> Gain | None:
        """How much better the model is than another one on its `test` rows, by the goal's metric.

        Positive is better, whichever direction the goal has. None where they cannot be compared.
        """
        return None


class Tracker(Component):
    """Copies rounds and trials to a tracking system and reads them back.

    Every method may be called again with what it was given before (after a crash, a time-out, on
    another day): the second call must change nothing. Raise TrackerError where the system does not
    answer; the call is repeated later.
    """

    @abstractmethod
    def destination(self, study: Study) -> str:
        """Where this study's trials go, without secrets; what was delivered is remembered by it."""

    def look(self, study: Study) -> str:
        """Where people look at the trials: a command or an address."""
        return self.destination(study)

    @abstractmethod
    def write(self, study: Study, round: Round, trials: Sequence[Trial]) -> None:
        """Write finished trials of one round, and the round itself where it is not there yet."""

    @abstractmethod
    def finish(self, study: Study, finished: Finished) -> None:
        """Mark the round as finished and keep its reports and its model.

        `final` and `reason` of the round are set. What cannot be kept goes into its notes.
        """

    @property
    def keeps_models(self) -> bool:
        """Whether `promote`, `rollback` and `champion` have a registry of models to work on."""
        return False

    def champion(self, study: Study, rival: Fitted) -> tuple[int, Any] | None:
        """Version and model of the champion that `rival` is compared with; None without one."""
        return None

    def is_champion(self, study: Study, round: Round) -> bool:
        """Whether the present champion is this round's model."""
        return False

    def promote(self, study: Study, finished: Finished) -> str:
        """Make the round's model the champion, the present one the previous; say what it is."""
        raise TrackerError(f"'{type(self).__name__}' keeps no models")

    def rollback(self, study: Study) -> str:
        """Make the previous champion the champion again. Raises ConfigError without one."""
        raise TrackerError(f"'{type(self).__name__}' keeps no models")

    def write_proposal(self, study: Study, round: Round | None, reviewed: Reviewed) -> None:
        """Keep a proposal and what was decided on it so far, where the system has room for it.

        `round` is the latest one at the time that it was made. Called again after decisions.
        """

    @abstractmethod
    def history(self, study: str) -> list[Trial]:
        """All trials of the study by that name, as they were written.

        Raises TrackerError where there is none.
        """

    def logged(self, experiment: str) -> list[LoggedRun]:
        """Whatever was logged in an experiment of the tracking system, by whomever, in any order.

        Raises TrackerError where there is none by that name, or no way to read it.
        """
        raise TrackerError(
            f"'{type(self).__name__}' cannot read experiment '{experiment}': it reads only what "
            "tunesmith wrote; use a tracker that reads other runs, such as 'mlflow'"
        )

    def close(self) -> None:
        """Let go of connections."""


class Reporter(Component):
    """Turns a finished round into files that people look at."""

    seconds: float = 900
    """How long it may take in a process of its own before it is ended."""

    @abstractmethod
    def report(self, study: Study, finished: Finished, folder: Path) -> Report:
        """Write files below `folder`, which exists, and tell which, and what they say.

        `finished.round` has all of its trials; `finished.fitted` is None where the objective keeps
        no model. It must change neither. Raises PluginError where there is nothing to report on.
        """


class Advisor(Component):
    """Drafts edits to a space from the evidence in earlier trials."""

    @abstractmethod
    def advise(self, history: History) -> Draft:
        """Evidence, and edits that rest on it; where it is not enough, a note that says so.

        The same history and seed give the same draft. Edits that the policy forbids are left out of
        the proposal.
        """

    def worth(self, history: History) -> Sequence[Evidence]:
        """What the approved edits of earlier proposals were worth, as far as the trials tell."""
        return ()


KINDS: dict[str, type[Component]] = {
    "sampler": Sampler,
    "pruner": Pruner,
    "executor": Executor,
    "tracker": Tracker,
    "reporter": Reporter,
    "objective": Objective,
    "dataset": Dataset,
    "advisor": Advisor,
}
