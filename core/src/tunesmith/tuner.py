"""An open study: asks for params, takes results.

It writes everything down before anyone hears of it.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import cast

import pluggy

from tunesmith.carryover import CarryOver, Fate, carry_all
from tunesmith.choosing import Chooser
from tunesmith.components import Objective, Pruner, Sampler, Tracker
from tunesmith.delivery import Delivered, Delivery
from tunesmith.errors import ConfigError, PluginError
from tunesmith.evaluation import Outcome
from tunesmith.finished import Finished
from tunesmith.hookspecs import Events
from tunesmith.lease import Lease
from tunesmith.limits import judged
from tunesmith.plugins import Registry, installed
from tunesmith.pruning import Pruning
from tunesmith.rounds import data_of, dataset_of, open_round
from tunesmith.space import Params
from tunesmith.stopping import BudgetRule
from tunesmith.store import Store
from tunesmith.study import Study, store_url
from tunesmith.trial import Origin, Round, Rule, Trial, TrialState, trial_seed
from tunesmith.wrapup import keeper, recall, wrap_up


class Tuner:
    """A study whose round is open in this process; use it in a `with` block.

    `ask` hands out trials and `tell` takes their results. `round` is the round, `carried` says what
    became of earlier rounds' trials, `reason` why no more trials are handed out. Leaving the block
    before there is a reason keeps the round open, and the next tuner goes on with it; after it,
    `made` holds the reports and the best model, and `delivered` what trackers have got.
    """

    def __init__(
        self,
        study: Study,
        objective: Objective | None = None,
        registry: Registry | None = None,
        listeners: Sequence[object] = (),
        new_round: bool = False,
    ) -> None:
        self.study = study
        self.registry = registry or installed()
        self._new_round = new_round
        self.objective = objective or cast(Objective, study.build("objective", self.registry)[0])
        self._sampler = cast(Sampler, study.build("sampler", self.registry)[0])
        pruners = cast(list[Pruner], study.build("pruner", self.registry))
        self._pruning = Pruning(pruners[0] if pruners else None, study.goal_list)
        self._trackers = cast(list[Tracker], study.build("tracker", self.registry))
        self._dataset = dataset_of(study, self.registry)
        keeper(study, self.registry)  # a gate that could never hold is told before any trial
        self._rule = BudgetRule()
        self._events = pluggy.PluginManager("tunesmith")
        self._events.add_hookspecs(Events)
        for listener in (self._rule, self.objective, self._sampler, *self._trackers, *listeners):
            self._events.register(listener)
        try:
            self._events.check_pending()
        except pluggy.PluginValidationError as error:
            raise PluginError(
                f"a component of study '{study.name}' does not fit: {error}"
            ) from None
        self.reason: str | None = None
        self.carried: list[CarryOver] = []
        self._wrapped_up = False
        self.delivered: list[Delivered] = []
        self._in_flight: dict[int, Trial] = {}
        self._deliveries: list[Delivery] = []
        self._chooser = Chooser(study, self._sampler)

    @property
    def failed(self) -> bool:
        """Whether the round ended because too many trials in a row failed."""
        return self._rule.failed

    def __enter__(self) -> "Tuner":
        study = self.study
        self.objective.prepare(study, self._dataset)
        data = data_of(study, self._dataset)
        self._sampler.start(study.space, study.goal_list, study.seed)
        self._pruning.start(study.seed)
        self._store = Store(store_url(study))
        try:
            self.record = self._store.record(study.name)
            self._lease = Lease(self.record)
        except BaseException:
            self._store.close()
            raise
        try:
            self.record.interrupt_running()
            self.round = open_round(study, self.record, data, self._new_round)
            self.made = Finished(self.round)
            self._recall()
            self._events.hook.round_started(study=study, round=self.round)
        except BaseException:
            self._let_go()
            raise
        self._deliveries = [Delivery(study, self.record, tracker) for tracker in self._trackers]
        return self

    def _recall(self) -> None:
        """Tell the sampler what is known, and line up the trials that do not come from it."""
        rounds, proposals = self.record.rounds(), self.record.proposals()
        trials = self.record.trials()
        self._next_number = trials[-1].number + 1 if trials else 0
        own = self.round.trials
        own += [trial for trial in trials if trial.round == self.round.number]
        earlier = [trial for trial in trials if trial.round != self.round.number]
        self.carried = carry_all(earlier, rounds, self.round, proposals)
        known = [trial for trial in own if trial.counts]
        told = [item.trial for item in self.carried if item.told] + known
        if told:
            self._sampler.tell(told)
        self._pruning.tell(own)
        known += [item.trial for item in self.carried if item.fate is not Fate.DROPPED]
        self._chooser.line_up(own, [trial.params for trial in known])
        for reviewed in proposals:
            if reviewed.proposal.number == self.round.proposal:
                self._chooser.explore(self.round, reviewed, self.record.versions())

    def ask(self, params: Params | None = None) -> Trial | None:
        """The next trial to run.

        None when the round is over (`reason` says why) or a result must come first.

        With `params`, a trial of your own choosing. Raises ConfigError where they are not
        in the space.
        """
        if params is not None:
            wrong = self.study.space.why_not(params)
            if wrong:
                raise ConfigError(f"these params are not in the space: {wrong}")
            trials = self._start([(dict(params), Origin.USER)] if self._room() > 0 else [])
        else:
            trials = self.ask_many(1)
        return trials[0] if trials else None

    def ask_many(self, count: int) -> list[Trial]:
        """Up to `count` trials to run, recorded as running. Fewer: see `ask`."""
        count = min(count, self._room())
        if count <= 0:
            return []
        chosen = self._chooser.choose(
            count, self._next_number, self._rule.counted, len(self._in_flight)
        )
        self.reason = self._chooser.exhausted
        return self._start(chosen)

    def _start(self, chosen: Sequence[tuple[Params, Origin]]) -> list[Trial]:
        trials = [
            Trial(
                number=self._next_number + index,
                round=self.round.number,
                params=params,
                state=TrialState.RUNNING,
                seed=trial_seed(self.study.seed, self._next_number + index),
                origin=origin,
                started=time.time(),
            )
            for index, (params, origin) in enumerate(chosen)
        ]
        if trials:
            self._reopen()
            self.record.start_trials(trials)
            self._next_number += len(trials)
            self._in_flight |= {trial.number: trial for trial in trials}
        return trials

    def rule(self, trial: Trial) -> Rule | None:
        """What the study's pruner judges a trial by that begins now; None without a pruner."""
        return self._pruning.rule(trial.number)

    def report(
        self, trial: Trial, step: int, value: float, metric: str | None = None
    ) -> str | None:
        """Record a metric in the middle of a trial: `report(trial, epoch, loss)`.

        Returns None, or why the study's pruner finds the trial not worth finishing: stop it then,
        and `tell` that as `pruned`. Raises as `tell` does.
        """
        return self._pruning.report(self._running(trial), step, value, metric)

    def _room(self) -> int:
        """How many more trials may start now; sets `reason` when none ever will."""
        self._lease.check()
        if self.reason is None:
            self.reason = self._events.hook.should_stop(study=self.study, round=self.round)
        limit = self.study.budget.trials
        if self.reason or limit is None:
            return 0 if self.reason else 1 << 30
        return limit - self._rule.counted - len(self._in_flight)

    def _reopen(self) -> None:
        if self.round.finished is not None:
            self.round.finished = self.round.reason = None
            self.record.save_round(self.round)

    def tell(
        self,
        trial: Trial,
        result: float | Mapping[str, float] | Outcome | None,
        error: str | None = None,
        pruned: str | None = None,
    ) -> Trial:
        """Take a trial's result, and return the finished trial.

        The result is its metric, or several by name; an `error` makes it a failed trial, and why it
        was ended early a `pruned` one. Raises ConfigError for a trial that is not running in this
        tuner.
        """
        running, outcome = self._running(trial), result
        if not isinstance(outcome, Outcome):
            outcome = self._pruning.outcome(running, outcome, error, pruned)
        ended = replace(
            running,
            state=outcome.state,
            metrics=outcome.metrics,
            steps=outcome.steps,
            error=outcome.error,
            started=outcome.started or running.started,
            finished=outcome.finished or time.time(),
        )
        finished, wrong = judged(ended, self.round.limits)
        if wrong:
            finished = replace(ended, state=TrialState.FAILED, error=wrong)
        self._lease.check()
        self.record.finish_trial(finished)
        del self._in_flight[trial.number]
        self.round.trials.append(finished)
        self._sampler.tell([finished])
        self._pruning.tell([finished])
        self._events.hook.trial_finished(study=self.study, trial=finished)
        for delivery in self._deliveries:
            delivery.notify()
        return finished

    def _running(self, trial: Trial) -> Trial:
        running = self._in_flight.get(trial.number)
        if running is None:
            raise ConfigError(
                f"trial {trial.number} is not running here; it was told before, or never asked for"
            )
        return running

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if not self._lease.lost:
                self._interrupt()
            if kind is None and self.reason and not self.failed and self.round.finished is None:
                self._finish()
            attach = self._attach if kind is None else None
            self.delivered = [delivery.finish(attach) for delivery in self._deliveries]
        finally:
            self._let_go()

    def _interrupt(self) -> None:
        # what the record says is running, not what this tuner remembers: Ctrl-C may have come
        # between the two
        for trial in self.record.interrupt_running():
            self.round.trials.append(trial)
            self._events.hook.trial_finished(study=self.study, trial=trial)

    def _finish(self) -> None:
        self.round.finished, self.round.reason = time.time(), self.reason
        self.made = Finished(self.round, earlier=self.record.rounds()[:-1])
        told = self._events.hook.report_made
        wrap_up(self.study, self.made, self.objective, self.registry, told)
        self._wrapped_up = True
        self.record.save_round(self.round)
        self._events.hook.round_finished(study=self.study, round=self.round)

    def _attach(self, round: Round) -> Finished:
        if self._wrapped_up and round.number == self.round.number:
            return self.made
        recalled = recall(self.study, round, self.objective, self.registry)
        recalled.notes = self.made.notes = self.made.notes + recalled.notes
        return recalled

    def _let_go(self) -> None:
        for delivery in self._deliveries:
            delivery.stop()
        try:
            self._lease.release()
        finally:
            self._store.close()
