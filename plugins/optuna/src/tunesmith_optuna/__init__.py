"""Optuna for tunesmith: the samplers TPE, GP, CMA-ES, QMC, NSGA-II, and two pruners."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from tunesmith.components import Pruner, Sampler
from tunesmith.errors import PluginError
from tunesmith.hookspecs import hookimpl
from tunesmith_optuna._pruners import Percentile, Wilcoxon

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

    from tunesmith.hookspecs import Register
    from tunesmith.space import Params, SearchSpace
    from tunesmith.trial import Goal, Trial


class _OptunaSampler(Sampler):
    """What four of them share: an Optuna study in memory, and the way in and out of it."""

    _class: ClassVar[str]
    _joint: ClassVar[bool] = True
    _attempts: ClassVar[int] = 5

    extra: dict[str, Any] = field(default_factory=dict)
    """More arguments for the sampler underneath, by the names that it has for them."""

    def start(self, space: SearchSpace, goals: Sequence[Goal], seed: int) -> None:
        from tunesmith_optuna._study import OptunaStudy, quiet

        self._check(space, goals)
        with quiet():
            arguments = self._arguments(space, goals)
        for name in self.extra.keys() & {*arguments, "seed"}:
            raise PluginError(f"extra '{name}' is an option with a name of its own; use that")
        self._study = OptunaStudy(
            space,
            goals,
            seed,
            lambda seed: self._build(arguments | {"seed": seed}),
            joint=self._joint,
            population=self._population(space),
            attempts=self._attempts,
        )

    def ask(self, numbers: Sequence[int]) -> list[Params] | None:
        return [self._study.ask(number) for number in numbers]

    def tell(self, trials: Sequence[Trial]) -> None:
        self._study.tell(trials)

    def _check(self, space: SearchSpace, goals: Sequence[Goal]) -> None:
        """Raise PluginError for what this sampler cannot do."""

    def _arguments(self, space: SearchSpace, goals: Sequence[Goal]) -> dict[str, Any]:
        """The options by Optuna's names."""
        raise NotImplementedError

    def _population(self, space: SearchSpace) -> int | None:
        """How many trials to play again to a sampler that learns only from its own."""
        return None

    def _build(self, arguments: dict[str, Any]) -> BaseSampler:
        import optuna

        kind: type[BaseSampler] = getattr(optuna.samplers, self._class)
        try:
            return kind(**arguments, **self.extra)
        except (TypeError, ValueError) as error:
            raise PluginError(f"Optuna's {self._class} refuses its options: {error}") from None


class Tpe(_OptunaSampler):
    """Tree-structured Parzen estimator: models where good trials lie, and where bad ones.

    For most spaces, conditions included, and for several goals. Learns from every trial that it is
    told, pruned ones too.
    """

    _class = "TPESampler"
    _joint = False

    startup_trials: int = 10
    """Trials drawn at random before the model takes over."""
    candidates: int = 24
    """Configurations compared for every trial."""
    multivariate: bool | None = None
    """Model parameters together; null: where there is one goal."""
    constant_liar: bool = True
    """Keep away from trials that still run."""

    def _check(self, space: SearchSpace, goals: Sequence[Goal]) -> None:
        if self.candidates < 1:
            raise PluginError(f"candidates {self.candidates} leaves none to choose; take 1 or more")

    def _arguments(self, space: SearchSpace, goals: Sequence[Goal]) -> dict[str, Any]:
        together = len(goals) == 1 if self.multivariate is None else self.multivariate
        return {
            "n_startup_trials": self.startup_trials,
            "n_ei_candidates": self.candidates,
            "multivariate": together,
            # what comes and goes together is modelled together; else it would be left out
            "group": together and any(space.conditions.values()),
            "constant_liar": self.constant_liar,
        }


class Gp(_OptunaSampler):
    """Gaussian process: few trials for a smooth objective, at the price of up to seconds each.

    Needs torch: `pip install 'tunesmith-optuna[gp]'`. Parameters that do not apply stay dimensions
    of its model.
    """

    _class = "GPSampler"
    _attempts = 1  # each costs a fit

    startup_trials: int = 10
    """Trials drawn at random before the model takes over."""
    deterministic: bool = False
    """Equal params give equal metrics, so that the model needs no noise."""

    def _check(self, space: SearchSpace, goals: Sequence[Goal]) -> None:
        if find_spec("torch") is None:
            raise PluginError("sampler 'gp' needs torch; install 'tunesmith-optuna[gp]'")

    def _arguments(self, space: SearchSpace, goals: Sequence[Goal]) -> dict[str, Any]:
        return {
            "n_startup_trials": self.startup_trials,
            "deterministic_objective": self.deterministic,
            "warn_independent_sampling": False,
        }


class CmaEs(_OptunaSampler):
    """CMA-ES: moves and shapes a cloud of numbers; for ten or more of them and many trials.

    Choices without an order are drawn uniformly beside it, and parameters that do not apply keep
    evolving unseen. Of trials that it never asked for, the best fill its next generation.
    """

    _class = "CmaEsSampler"

    population: int | None = None
    """Trials in a generation; null: 4 + 3 ln(numbers in the space)."""
    separable: bool = False
    """Learn no correlations: quicker with very many parameters."""
    learning_rate_adaptation: bool = False
    """Learn more slowly where the metric is noisy or has many valleys."""

    def _check(self, space: SearchSpace, goals: Sequence[Goal]) -> None:
        if len(goals) > 1:
            raise PluginError(
                f"sampler 'cmaes' has one goal, not {len(goals)}; use 'nsga2' or 'tpe'"
            )
        if not _numbers(space):
            raise PluginError("sampler 'cmaes' needs a number in the space; use 'tpe'")
        if self._size(space) < 2:
            raise PluginError(f"population {self.population} is no generation; take 2 or more")
        if "with_margin" in self.extra:
            raise PluginError(
                "extra 'with_margin' cannot learn from trials told; leave it out or use 'tpe'"
            )

    def _arguments(self, space: SearchSpace, goals: Sequence[Goal]) -> dict[str, Any]:
        return {
            "popsize": self._size(space),
            "use_separable_cma": self.separable,
            "lr_adapt": self.learning_rate_adaptation,
            "warn_independent_sampling": False,
        }

    def _size(self, space: SearchSpace) -> int:
        if self.population is None:
            return 4 + int(3 * math.log(_numbers(space)))
        return self.population

    def _population(self, space: SearchSpace) -> int | None:
        # the first trials of a study belong to no generation
        return self._size(space) + int(self.extra.get("n_startup_trials", 1))


class Nsga2(_OptunaSampler):
    """NSGA-II: generations of children of the best; for several goals and many trials.

    Parameters that do not apply are inherited unseen. Of trials that it never asked for, the best
    fill its next generation.
    """

    _class = "NSGAIISampler"

    population: int = 50
    """Trials in a generation."""
    crossover: Literal["uniform", "blxalpha", "sbx", "vsbx", "spx", "undx"] = "uniform"
    """How parents' numbers are mixed."""
    crossover_probability: float = 0.9
    """Share of children that mix parents; the others copy one."""
    mutation_probability: float | None = None
    """Chance of every parameter to be drawn anew; null: 1 / parameters."""

    def _arguments(self, space: SearchSpace, goals: Sequence[Goal]) -> dict[str, Any]:
        from optuna.samplers import nsgaii

        kinds = {name.lower(): getattr(nsgaii, name) for name in nsgaii.__all__}
        return {
            "population_size": self.population,
            "crossover": kinds[f"{self.crossover}crossover"](),
            "crossover_prob": self.crossover_probability,
            "mutation_prob": self.mutation_probability,
        }

    def _population(self, space: SearchSpace) -> int | None:
        return self.population


class Qmc(Sampler):
    """Quasi-random points: spread more evenly than random ones, and never learning.

    The sequences of Optuna's QMCSampler, read by trial number: a resumed round goes on where it
    was, and conditions and constraints leave it even.
    """

    sequence: Literal["sobol", "halton"] = "sobol"
    """Which sequence; sobol is most even after 2, 4, 8, 16 … trials."""
    scramble: bool = True
    """Randomise the sequence by the seed."""
    extra: dict[str, Any] = field(default_factory=dict)
    """More arguments for `scipy.stats.qmc.Sobol` or `Halton`."""

    def start(self, space: SearchSpace, goals: Sequence[Goal], seed: int) -> None:
        from tunesmith_optuna._qmc import Points

        try:
            self._points = Points(space, seed, self.sequence, scramble=self.scramble, **self.extra)
        except (TypeError, ValueError) as error:
            raise PluginError(f"scipy's {self.sequence} refuses its options: {error}") from None

    def ask(self, numbers: Sequence[int]) -> list[Params] | None:
        return [self._points.at(number) for number in numbers]

    def tell(self, trials: Sequence[Trial]) -> None:
        """Nothing to learn: the points depend on the seed and the number alone."""


def _numbers(space: SearchSpace) -> int:
    """Parameters with an order and more than one value."""
    return sum(
        parameter.levels != 1 and (parameter.type != "categorical" or parameter.ordered)
        for parameter in space.parameters.values()
    )


@hookimpl
def register_samplers(register: Register[Sampler]) -> None:
    register("tpe", Tpe)
    register("gp", Gp)
    register("cmaes", CmaEs)
    register("nsga2", Nsga2)
    register("qmc", Qmc)


@hookimpl
def register_pruners(register: Register[Pruner]) -> None:
    register("percentile", Percentile)
    register("wilcoxon", Wilcoxon)
