"""Where a round's next params come from: defaults and retries, the exploration arm, the sampler."""

import math
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice

from tunesmith.components import Sampler
from tunesmith.errors import PluginError
from tunesmith.exploration import points, spaces_of
from tunesmith.history import Reviewed
from tunesmith.lineage import SpaceVersion
from tunesmith.space import Params
from tunesmith.study import Study
from tunesmith.trial import INTERRUPTED, Origin, Round, Trial, trial_seed

ATTEMPTS = 3
"""How often params are tried whose trial is interrupted every time."""

Chosen = tuple[Params, Origin]


class Chooser:
    """Chooses params for one round.

    `exhausted` says, once it is so, that the sampler has nothing left.
    """

    def __init__(self, study: Study, sampler: Sampler) -> None:
        self._study = study
        self._sampler = sampler
        self._queue: deque[Chosen] = deque()
        self._share = 0.0
        self._explored = 0
        self.exhausted: str | None = None

    def line_up(self, own: Sequence[Trial], known: Sequence[Params]) -> None:
        """Begin with the defaults, unless they are `known`, and with interrupted `own` trials."""
        interrupted = [trial for trial in own if trial.error == INTERRUPTED]
        tried = [trial.params for trial in interrupted]
        default = self._study.space.default() if self._study.default_first else None
        if default and default not in [*known, *tried]:
            self._queue.append((default, Origin.DEFAULT))
        for index, trial in enumerate(interrupted):
            params = trial.params
            again = params not in known and params not in tried[:index]
            # what takes the whole tuner down must not do so for ever
            if again and tried.count(params) < ATTEMPTS:
                explores = trial.origin is Origin.EXPLORATION
                self._queue.append((params, Origin.EXPLORATION if explores else Origin.RETRY))

    def explore(self, round: Round, reviewed: Reviewed, versions: Iterable[SpaceVersion]) -> None:
        """Take a share of the trials from the spaces of an applied proposal.

        The same points come again in another process, others in another round.
        """
        before = [trial for trial in round.trials if trial.origin is Origin.EXPLORATION]
        self._explored = sum(trial.counts for trial in before)
        self._share = reviewed.proposal.exploration
        spaces = {version.number: version.space for version in versions}
        found = points(spaces_of(reviewed, spaces), trial_seed(self._study.seed, round.number))
        drawn = len({repr(trial.params) for trial in before})
        self._points = islice(found, drawn, None)

    def choose(self, count: int, number: int, counted: int, running: int) -> list[Chosen]:
        """Params for up to `count` trials from `number` on; fewer: results must come first.

        `counted` trials of the round are finished and `running` ones are not.
        """
        chosen = [self._queue.popleft() for _ in range(min(count, len(self._queue)))]
        self._explored += sum(origin is Origin.EXPLORATION for _, origin in chosen)
        for total in range(counted + running + len(chosen), counted + running + count):
            # what the arm finds is worth most at first; a running share where no end is known
            end = self._study.budget.trials or total + 1
            if self._explored < math.floor(self._share * end + 1e-9):
                chosen.append((next(self._points), Origin.EXPLORATION))
                self._explored += 1
        if len(chosen) < count:
            chosen += self._ask(count - len(chosen), number + len(chosen), running + len(chosen))
        return chosen

    def _ask(self, count: int, first: int, awaited: int) -> list[Chosen]:
        """What the sampler chooses, while other trials are `awaited`."""
        asked = self._sampler.ask(range(first, first + count))
        name = self._study.sampler.use
        if asked is None:
            if not awaited:
                self.exhausted = f"sampler '{name}' has nothing left to try"
            return []
        if not asked and not awaited:
            raise PluginError(f"sampler '{name}' waits for results, but no trial is running")
        for params in asked:
            wrong = self._study.space.why_not(params)
            if wrong:
                raise PluginError(f"sampler '{name}' left the space with {params}: {wrong}")
        return [(params, Origin.SAMPLER) for params in asked[:count]]
