"""Importance against Optuna's, and what counts as no difference."""

import math
import warnings

import numpy as np
import optuna
import pytest
from trials import history, noisy, sampled

from tunesmith.parameters import Float, Int
from tunesmith.space import SearchSpace
from tunesmith_agent.statistics.equivalence import MOST, rope
from tunesmith_agent.statistics.importance import importances, largest_difference
from tunesmith_agent.statistics.snapshot import Snapshot
from tunesmith_agent.statistics.surrogate import Surrogate

SPACE = SearchSpace(
    {"lr": Float(1e-4, 1, log=True), "depth": Int(1, 12), "dead": Float(0, 1), "less": Float(0, 1)}
)


def loss(params):
    return (
        (math.log10(params["lr"]) + 2) ** 2
        + 0.1 * (params["depth"] - 6) ** 2
        + 0.5 * (params["less"] - 0.5) ** 2
    )


def seen(trials):
    return Snapshot.of(history(SPACE, trials))


def of_optuna(snapshot):
    """PED-ANOVA of the best fifth, as Optuna computes it."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize")
    kinds = dict.fromkeys(snapshot.names, optuna.distributions.FloatDistribution(0, 1))
    for place, score in zip(snapshot.x, snapshot.z, strict=True):
        params = dict(zip(snapshot.names, map(float, place), strict=True))
        study.add_trial(
            optuna.trial.create_trial(params=params, distributions=kinds, value=float(score))
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=0.2)
    found = optuna.importance.get_param_importances(study, evaluator=evaluator)
    optuna.logging.set_verbosity(verbosity)
    return np.array([found[name] for name in snapshot.names])


@pytest.mark.parametrize("seed", range(3))
def test_importance_is_that_of_optuna(seed):
    snapshot = seen(sampled(SPACE, noisy(loss, 0.1, seed), 400, seed, crowd=False))
    (ours,) = importances(snapshot, snapshot.order, np.ones((1, snapshot.count)))
    theirs = of_optuna(snapshot)
    assert ours.sum() == pytest.approx(1)
    assert ours == pytest.approx(theirs, abs=0.08)


def test_what_is_absent_or_has_one_value_has_no_importance():
    searched = SearchSpace(
        {"x": Float(0, 1), "fixed": Float(2, 2), "absent": Float(0, 1, when="x > 2")}
    )
    snapshot = Snapshot.of(
        history(searched, sampled(searched, lambda params: params["x"], 50, crowd=False))
    )
    (found,) = importances(snapshot, snapshot.order, np.ones((1, snapshot.count)))
    assert found[1:] == pytest.approx([0, 0])


def test_a_difference_is_bounded_closer_with_more_trials():
    bounds = []
    for count in (50, 200, 800):
        snapshot = seen(sampled(SPACE, noisy(loss, 0.1), count, crowd=False))
        bounds.append(largest_difference(snapshot, Surrogate.fit(snapshot), 2))
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[-1] < 0.2


def test_sparse_trials_make_nothing_equivalent():
    few = seen(sampled(SPACE, loss, 30, crowd=False))
    assert rope(few) == pytest.approx(0.01 * (few.z.max() - np.median(few.z)))
    assert rope(few) < 0.05


def test_noise_between_neighbours_is_equivalent_up_to_a_bound():
    exact, rough = (
        rope(seen(sampled(SPACE, noisy(loss, sigma), 1000, crowd=True))) for sigma in (0, 3)
    )
    assert exact <= rough == MOST


def test_a_logged_spread_is_the_noise():
    found = []
    for spread in (0.0, 0.02, 0.1, 100.0):
        trials = sampled(SPACE, loss, 40, crowd=False)
        for trial in trials:
            trial.metrics["loss_std"] = spread
        found.append(rope(seen(trials)))
    assert found == sorted(found)
    assert found[0] < found[2] < found[3] == MOST
