"""An Optuna study in memory that asks and is told in tunesmith's terms."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from random import Random

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, CmaEsSampler
from optuna.trial import FrozenTrial, create_trial
from optuna.trial import TrialState as OptunaState

from tunesmith.expressions import Value
from tunesmith.parameters import Categorical, Float, Parameter
from tunesmith.space import Params, SearchSpace
from tunesmith.trial import Direction, Goal, Trial, TrialState, is_scored, ranking

_DRAWS = 300
_LIMITS = "limits"
"""Name of the constraint that a trial's violation is."""
_FAR = 1e307
"""A loss worse than any that an objective returns; for a sampler that looks at ranks only."""

Build = Callable[[int], BaseSampler]


def distribution(parameter: Parameter) -> BaseDistribution:
    """Optuna's form of a parameter.

    Choices and steps go by their index: True, 1 and 1.0 stay apart, no step is lost to rounding,
    and ordered choices keep their order.
    """
    if isinstance(parameter, Categorical) and not parameter.ordered:
        return CategoricalDistribution(range(parameter.levels))
    if _by_index(parameter):
        return IntDistribution(0, (parameter.levels or 1) - 1)
    assert not isinstance(parameter, Categorical)
    if isinstance(parameter, Float):
        return FloatDistribution(parameter.low, parameter.high, log=parameter.log)
    return IntDistribution(parameter.low, parameter.high, log=parameter.log)


def _by_index(parameter: Parameter) -> bool:
    return isinstance(parameter, Categorical) or parameter.step is not None


def _encode(parameter: Parameter, value: Value) -> Value:
    if not _by_index(parameter):
        return value
    assert parameter.levels is not None
    return round(parameter.position(value) * parameter.levels - 0.5)


def _decode(parameter: Parameter, value: float) -> Value:
    if not _by_index(parameter):
        return value
    assert parameter.levels is not None
    return parameter.at((value + 0.5) / parameter.levels)


class OptunaStudy:
    """One round's study. `build` makes its sampler from a seed below 2**32.

    With `joint`, Optuna chooses every parameter every time and those that do not apply are left
    out; else it is asked for the active ones only. With `population`, its sampler does not look at
    trials that it is given: that many of the best are played again to it, results and all. So many
    `attempts` has it to keep the constraints.
    """

    def __init__(
        self,
        space: SearchSpace,
        goals: Sequence[Goal],
        seed: int,
        build: Build,
        *,
        joint: bool,
        population: int | None,
        attempts: int,
    ) -> None:
        self._space, self._goals, self._seed, self._build = space, goals, seed, build
        self._joint, self._population, self._attempts = joint, population, attempts
        self._limited = False
        self._distributions = {
            name: distribution(space.parameters[name]) for name in space.conditions
        }
        with quiet():
            sampler = build(0)
            self._study = optuna.create_study(
                directions=[goal.direction.value for goal in goals], sampler=sampler
            )
        # it knows no limits: trials that break one have the worst losses
        self._ranks = isinstance(sampler, CmaEsSampler)
        self._seeded = False
        self._asked: dict[int, tuple[optuna.Trial, Params]] = {}
        self._unasked: list[Trial] = []

    def ask(self, number: int) -> Params:
        """Params for a trial, inside the space."""
        if not self._seeded:
            # also from the number: else a resumed round would start with the draws it began with
            with quiet():
                self._study.sampler = self._build(Random(f"{self._seed}/{number}").getrandbits(32))
            self._seeded = True
        self._learn()
        trial, params = self._allowed(number)
        self._asked[number] = trial, params
        return params

    def tell(self, trials: Sequence[Trial]) -> None:
        """Take results; those of trials never asked for are learned from before the next ask."""
        for trial in trials:
            asked = self._asked.pop(trial.number, None)
            if asked and asked[1] == trial.params:
                self._finish(asked[0], trial)
                continue
            if asked:
                self._study.tell(asked[0], state=OptunaState.FAIL)
            self._unasked.append(trial)

    def _allowed(self, number: int) -> tuple[optuna.Trial, Params]:
        """A suggestion that keeps the constraints, else a configuration near the last one.

        What was rejected is told as pruned without a value: TPE then keeps away from it, which
        takes a tenth of the attempts that it needs where it is told as failed; the others do not
        look at it.
        """
        for _ in range(self._attempts):
            trial, params = self._suggest()
            if self._space.contains(params):
                return trial, params
            self._study.tell(trial, state=OptunaState.PRUNED)
        params = nearest(self._space, params, Random(f"{self._seed}/{number}"))
        return self._place(params), params

    def _suggest(self) -> tuple[optuna.Trial, Params]:
        trial = self._study.ask()
        params: Params = {}
        for name in self._distributions:
            active = self._space.is_active(name, params)
            if active or self._joint:
                value = _suggest(trial, name, self._distributions[name])
                if active:
                    params[name] = _decode(self._space.parameters[name], value)
        return trial, params

    def _place(self, params: Params) -> optuna.Trial:
        """A running trial with these params, as though the sampler had chosen them."""
        self._study.enqueue_trial(self._encoded(params))
        trial, _ = self._suggest()
        # Optuna calls the sampler, which notes the generation, only once somebody looks at this
        _ = trial.relative_params
        return trial

    def _encoded(self, params: Params) -> dict[str, Value]:
        encoded = {}
        for name in self._distributions:
            parameter = self._space.parameters[name]
            if name in params:
                encoded[name] = _encode(parameter, params[name])
            elif self._joint:
                middle = parameter.at(0.5) if parameter.default is None else parameter.default
                encoded[name] = _encode(parameter, middle)
        return encoded

    def _finish(self, running: optuna.Trial, trial: Trial) -> None:
        if is_scored(trial, self._goals):
            for name, value in self._constraints(trial).items():
                running.set_constraint(name, value)
            self._study.tell(running, self._values(trial))
        elif trial.state is TrialState.PRUNED:
            for step, value in self._steps(trial).items():
                running.report(value, step)
            self._study.tell(running, state=OptunaState.PRUNED)
        else:
            self._study.tell(running, state=OptunaState.FAIL)

    def _values(self, trial: Trial) -> list[float]:
        if trial.violation and self._ranks:
            loss = _FAR * (1 + trial.violation / (1 + trial.violation))
            return [-loss if self._goals[0].direction is Direction.MAXIMIZE else loss]
        return [trial.metrics[goal.metric] for goal in self._goals]

    def _constraints(self, trial: Trial) -> dict[str, float]:
        """How far it is beyond the limits, from the first trial on that is.

        A Gaussian process wants that of all trials or of none.
        """
        if self._ranks or not (self._limited or trial.violation):
            return {}
        if not self._limited:
            self._limited = True
            for earlier in self._study.get_trials(False, (OptunaState.COMPLETE,)):
                earlier.set_constraint(_LIMITS, 0.0)
        return {_LIMITS: trial.violation}

    def _steps(self, trial: Trial) -> dict[int, float]:
        """The course of the goal's metric; Optuna has no such thing for several goals."""
        if len(self._goals) > 1:
            return {}
        metric = self._goals[0].metric
        return {step.step: step.value for step in trial.steps if step.metric == metric}

    def _learn(self) -> None:
        told = sorted(
            (trial for trial in self._unasked if self._space.contains(trial.params)),
            key=lambda trial: trial.number,
        )
        self._unasked = []
        if self._population is None:
            self._study.add_trials(
                self._frozen(trial)
                for trial in told
                if is_scored(trial, self._goals) or trial.state is TrialState.PRUNED
            )
            return
        # worst first: CMA-ES does not count the first trial of all
        for trial in reversed(ranking(told, self._goals)[: self._population]):
            self._finish(self._place(trial.params), trial)

    def _frozen(self, trial: Trial) -> FrozenTrial:
        params = self._encoded(trial.params)
        complete = trial.state is TrialState.COMPLETE
        return create_trial(
            state=OptunaState.COMPLETE if complete else OptunaState.PRUNED,
            values=self._values(trial) if complete else None,
            params=params,
            distributions={name: self._distributions[name] for name in params},
            intermediate_values={} if complete else self._steps(trial),
            constraints=self._constraints(trial) if complete else None,
        )


def nearest(space: SearchSpace, params: Params, random: Random) -> Params:
    """The configuration most like `params` among a few hundred drawn uniformly.

    Raises SpaceError where the constraints hardly leave one.
    """
    drawn = [space.sample(random)]
    for _ in range(_DRAWS):
        other = space.at({name: random.random() for name in space.conditions})
        if space.violation(other) is None:
            drawn.append(other)
    return min(drawn, key=lambda other: _distance(space, params, other))


def _distance(space: SearchSpace, a: Params, b: Params) -> float:
    """Squares of the differences on each scale; 1 for another choice, or where one has no value."""
    total = 0.0
    for name in space.conditions:
        parameter = space.parameters[name]
        if name not in a or name not in b:
            total += (name in a) != (name in b)
        elif isinstance(parameter, Categorical) and not parameter.ordered:
            total += parameter.position(a[name]) != parameter.position(b[name])
        else:
            total += (parameter.position(a[name]) - parameter.position(b[name])) ** 2
    return total


def _suggest(trial: optuna.Trial, name: str, wanted: BaseDistribution) -> float:
    if isinstance(wanted, CategoricalDistribution):
        return int(trial.suggest_categorical(name, wanted.choices))  # type: ignore[arg-type]
    if isinstance(wanted, FloatDistribution):
        return trial.suggest_float(name, wanted.low, wanted.high, log=wanted.log)
    assert isinstance(wanted, IntDistribution)
    return trial.suggest_int(name, wanted.low, wanted.high, log=wanted.log)


@contextmanager
def quiet() -> Iterator[None]:
    """Without Optuna's note on every new study and its warnings about experimental options."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(level)
