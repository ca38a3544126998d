"""A sampler that looks around the best trial so far."""

from random import Random

from tunesmith.components import Sampler
from tunesmith.hookspecs import hookimpl


class Nearby(Sampler):
    """Small steps away from the best trial so far."""

    startup_trials: int = 10
    """Trials drawn at random before the steps begin."""
    reach: float = 0.1
    """Size of a step, as a share of each parameter's scale."""

    def start(self, space, goals, seed):
        self._space, self._goals, self._seed, self._trials = space, goals, seed, []

    def ask(self, numbers):
        return [self._choose(Random(f"{self._seed}/{number}")) for number in numbers]

    def tell(self, trials):
        self._trials += [trial for trial in trials if self._space.contains(trial.params)]

    def _choose(self, random):
        from tunesmith.trial import best_trial  # loads pydantic: only once a study chose this

        best = best_trial(self._trials, self._goals)
        for _ in range(100 if best and len(self._trials) >= self.startup_trials else 0):
            params = self._space.at(self._step(best.params, random))
            if self._space.violation(params) is None:
                return params
        return self._space.sample(random)

    def _step(self, params, random):
        places = {name: random.random() for name in self._space.parameters}
        for name, value in params.items():
            place = self._space.parameters[name].position(value) + random.gauss(0, self.reach)
            places[name] = min(max(place, 0), 1)
        return places


@hookimpl
def register_samplers(register):
    register("nearby", Nearby)
