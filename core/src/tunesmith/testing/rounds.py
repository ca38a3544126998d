"""Finished rounds to test with: an ordinary one, and those that reporters stumble over."""

import math
from collections.abc import Callable, Mapping
from random import Random

from tunesmith.limits import all_judged
from tunesmith.parameters import Categorical, Float, Int
from tunesmith.space import Params, SearchSpace
from tunesmith.trial import Direction, Goal, Origin, Round, Trial, TrialState

ACCURACY = Goal("accuracy", Direction.MAXIMIZE)
SECONDS = Goal("seconds", Direction.MINIMIZE)
LOSS = Goal("loss", Direction.MINIMIZE)
Metrics = Mapping[str, float]


def small_space() -> SearchSpace:
    """Three parameters, a kind each."""
    return SearchSpace(
        {
            "learning_rate": Float(1e-4, 1.0, log=True, default=0.1),
            "max_depth": Int(2, 12),
            "criterion": Categorical(["gini", "entropy", "log_loss"]),
        }
    )


def make_round(
    trials: int = 40,
    space: SearchSpace | None = None,
    goals: tuple[Goal, ...] = (ACCURACY,),
    metrics: Callable[[int, Params], Metrics] | None = None,
    unscored: Callable[[int], bool] = lambda number: number % 9 == 4,
) -> Round:
    """A finished round of random params.

    `metrics` gives those of a trial by its number and params; where `unscored` says so, the trial
    has failed or was pruned.
    """
    space = space or small_space()
    round = Round(
        number=1,
        space_version=1,
        space=space,
        sampler={"use": "random"},
        objective={"use": "python", "function": "objective:train"},
        goals=goals,
        seed=7,
        budget={"trials": trials},
        dataset="5f1c" * 16,
        started=1_790_000_000.0,
        finished=1_790_000_000.0 + 3 * trials,
        reason=f"all {trials} trials are done",
    )
    random = Random(7)
    measure = metrics or _score
    for number in range(trials):
        params = space.sample(random)
        found = {} if unscored(number) else dict(measure(number, params))
        round.trials.append(_trial(number, params, found))
    return round


def _trial(number: int, params: Params, metrics: dict[str, float]) -> Trial:
    state = TrialState.COMPLETE if metrics else TrialState.FAILED
    error = None if metrics else f"ValueError: <b>3</b> & '4' differ (train.py:{number % 3})"
    if not metrics and number % 2:
        state, error = TrialState.PRUNED, None
    return Trial(
        number=number,
        round=1,
        params=params,
        state=state,
        metrics=metrics,
        seed=number,
        error=error,
        origin=Origin.SAMPLER,
        started=1_790_000_000.0 + 3 * number,
        finished=1_790_000_002.5 + 3 * number,
    )


def _score(number: int, params: Params) -> Metrics:
    """Better towards the middle of every numeric scale, and better with time."""
    rate = params.get("learning_rate", 0.01)
    assert isinstance(rate, int | float)
    off = abs(math.log10(rate) + 1.5) / 4
    accuracy = 0.95 - 0.2 * off - 0.1 / (number + 1)
    return {"accuracy": accuracy, "seconds": 1 + 20 * (1 - off) ** 2, "loss": off}


def _always(number: int) -> bool:
    return True


def _never(number: int) -> bool:
    return False


def _many_parameters() -> SearchSpace:
    table = {f"layer_{index}.width": Int(1, 512, log=True) for index in range(12)}
    more = {f"layer_{index}.dropout": Float(0, 0.9) for index in range(12)}
    choices = {f"layer_{index}.activation": Categorical(["relu", "tanh"]) for index in range(6)}
    return SearchSpace({**table, **more, **choices})


def _conditional() -> SearchSpace:
    return SearchSpace(
        {
            "booster": Categorical(["gbtree", "dart", "linear"]),
            "dart.rate_drop": Float(0, 0.5, when={"booster": "dart"}),
            "linear.alpha": Float(1e-6, 10, log=True, when={"booster": "linear"}),
        }
    )


def _strange_words() -> SearchSpace:
    words = ["naïve", "日本語", "кот", "🙂", "$x^2$", "<script>alert(1)</script>", "a\nb", "", None]
    return SearchSpace({"word": Categorical(words), "flag": Categorical([True, False])})


def _long_names() -> SearchSpace:
    name = ".".join(["preprocessor", "column_transformer", "numeric", "imputer", "strategy" * 4])
    choices = ["mean_of_all_the_values_" * 3 + ending for ending in "abcdefghijklmnopqrstuvwxyz"]
    return SearchSpace({name: Categorical(choices), f"{name}_rate": Float(0, 1)})


def _one_value() -> SearchSpace:
    return SearchSpace(
        {"a": Float(2, 2), "b": Int(3, 3), "c": Categorical(["only"]), "d": Float(0, 1, step=0.25)}
    )


def _shuffled() -> Round:
    round = make_round()
    Random(3).shuffle(round.trials)
    return round


def limited(*limits: str, goals: tuple[Goal, ...] = (ACCURACY,)) -> Round:
    """An ordinary round with these limits; its metrics are accuracy, seconds (1 to 21) and loss."""
    round = make_round(goals=goals)
    round.limits = limits
    round.trials = all_judged(round.trials, limits)
    return round


AWKWARD: dict[str, Callable[[], Round]] = {
    "ordinary": make_round,
    "no trial": lambda: make_round(0),
    "no complete trial": lambda: make_round(12, unscored=_always),
    "one trial": lambda: make_round(1),
    "constant scores": lambda: make_round(metrics=lambda number, params: {"accuracy": 0.5}),
    "huge scores": lambda: make_round(
        metrics=lambda number, params: (
            {"accuracy": (-1.0) ** number * 10.0 ** (number % 301)}
            if number != 30
            else {"accuracy": 1e300}
        )
    ),
    "tiny differences": lambda: make_round(
        metrics=lambda number, params: {"accuracy": 0.75 + number * 1e-15}
    ),
    "a diverged trial": lambda: make_round(
        goals=(LOSS,),
        metrics=lambda number, params: {"loss": 1e300 if number == 3 else 1.0 + number % 7},
    ),
    "nan and inf beside the goal": lambda: make_round(
        metrics=lambda number, params: {"accuracy": 0.5, "gap": math.nan, "ratio": -math.inf}
    ),
    "complete without a finite score": lambda: make_round(
        metrics=lambda number, params: {"accuracy": math.nan if number % 3 else 0.5}
    ),
    "two goals": lambda: make_round(goals=(ACCURACY, SECONDS)),
    "three goals": lambda: make_round(goals=(ACCURACY, SECONDS, LOSS)),
    "two goals and no score": lambda: make_round(goals=(ACCURACY, SECONDS), unscored=_always),
    "trials that break a limit": lambda: limited("seconds <= 16", "loss <= 0.5"),
    "two goals and trials that break a limit": lambda: limited(
        "seconds <= 16", goals=(ACCURACY, SECONDS)
    ),
    "no trial that keeps the limits": lambda: limited("seconds <= 0.5"),
    "no trial that keeps the limits beside two goals": lambda: limited(
        "seconds < 0", goals=(ACCURACY, SECONDS)
    ),
    "thirty parameters": lambda: make_round(
        space=_many_parameters(), metrics=lambda number, params: {"accuracy": 1 / (number + 1)}
    ),
    "conditional parameters": lambda: make_round(space=_conditional(), unscored=_never),
    "strange words": lambda: make_round(60, space=_strange_words()),
    "long names": lambda: make_round(
        space=_long_names(),
        goals=(Goal("validation_balanced_accuracy_" * 4, Direction.MAXIMIZE),),
        metrics=lambda number, params: {"validation_balanced_accuracy_" * 4: number / 7},
    ),
    "parameters with one value": lambda: make_round(space=_one_value()),
    "trials out of order": _shuffled,
    "thousands of trials": lambda: make_round(3000),
}
"""Each name says what is awkward; call it for a fresh round."""
