"""Any history at all: never a traceback, never an edit that the policy objects to."""

import math
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trials import MADE, advised, explored, history

from tunesmith.parameters import Categorical, Float, Int
from tunesmith.space import SearchSpace
from tunesmith.trial import Direction, Goal, Trial, TrialState

pytestmark = pytest.mark.slow


@st.composite
def numbers(draw):
    """A Float or an Int with any options that go together."""
    log = draw(st.booleans())
    low = draw(st.floats(1e-9, 1e3) if log else st.floats(-1e3, 1e3))
    high = low + draw(st.sampled_from([0, 1e-6, 1, 50, 1e6]))
    whole = draw(st.booleans())
    if whole:
        low, high = math.ceil(low), math.ceil(high)
    options = {"log": log, "locked": draw(st.booleans())}
    if draw(st.booleans()):
        options["hard_high"] = high
    if not log and draw(st.booleans()):
        options["step"] = 2 if whole else 0.25
    kind = Int if whole else Float
    if draw(st.booleans()):
        options["default"] = kind(low, high, **options).at(draw(st.floats(0, 1)))
    return kind(low, high, **options)


@st.composite
def choices(draw):
    found = draw(st.lists(st.sampled_from(["a", "b", True, 1, 2.5, None]), min_size=1, unique=True))
    return Categorical(found, ordered=draw(st.booleans()))


@st.composite
def spaces(draw):
    """Up to six parameters, the later ones perhaps under a condition on the first."""
    count = draw(st.integers(1, 6))
    parameters = {}
    for index in range(count):
        parameter = draw(numbers() | choices())
        if index and draw(st.booleans()):
            place = parameters["p0"].at(0.5)
            when = {"p0": place} if isinstance(place, str | bool) else None
            parameter = type(parameter)(**{**vars(parameter), "when": when})
        parameters[f"p{index}"] = parameter
    return SearchSpace(parameters)


@st.composite
def histories(draw):
    space = draw(spaces())
    random = Random(draw(st.integers(0, 100)))
    several = draw(st.booleans()) and draw(st.booleans())
    goals = (Goal("loss", draw(st.sampled_from(list(Direction)))),)
    goals += (Goal("other", Direction.MINIMIZE),) if several else ()
    names = list(space.parameters)
    weights = {name: draw(st.sampled_from([0, 0, 1, 5, -5])) for name in names}
    odd = draw(st.sampled_from([0, 0.2]))
    failing = draw(st.sampled_from([0, 0.1, 0.5]))
    crowd = draw(st.booleans())
    trials = []
    for number in range(draw(st.sampled_from([0, 5, 13, 40, 80]))):
        spot = {name: random.betavariate(5, 2) if crowd else random.random() for name in names}
        params = space.at(spot)
        places = {name: space.parameters[name].position(params[name]) for name in params}
        score = sum(weights[name] * abs(place - 0.7) for name, place in places.items())
        metrics = {"loss": score + random.gauss(0, 0.1), "other": random.random()}
        if random.random() < odd:
            metrics["loss"] = random.choice([math.nan, math.inf, 1e300, -1e300, 5e-324, 0.0])
        if number % 3 == 0:
            metrics["loss_std"] = random.choice([0.1, math.nan])
        state = TrialState.COMPLETE
        if random.random() < failing and next(iter(places.values()), 0) > 0.5:
            state, metrics = TrialState.FAILED, {}
        trial = Trial(number, 1, params, state, metrics, finished=MADE)
        trials.append(explored(trial) if random.random() < 0.1 else trial)
    return history(space, trials, goals=goals, seed=draw(st.integers(0, 3)))


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(histories())
def test_any_history_leads_to_edits_that_may_be_made(found):
    advised(found)
