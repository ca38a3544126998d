"""SHAP of the tuning itself: which hyperparameters made the score.

A random forest learns the score from the trials' params, and SHAP explains the forest. What the
forest cannot predict for trials that it has not seen, it cannot explain either.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import rankdata
from sklearn.ensemble import RandomForestRegressor
from sklearn.model_selection import KFold

from tunesmith.parameters import Categorical, Parameter
from tunesmith.trial import Direction, Goal, Round, Trial, is_scored
from tunesmith_explain._columns import Matrix, text_of
from tunesmith_explain._effects import Effects, gathered, shap_library

FEWEST = 10
"""Trials with a score below which nothing is tried."""
_MOST = 1000
_ENOUGH = 0.3
"""Rank correlation below which the forest's view is noise; more is asked of few trials."""
_FAR = 20
"""A score this many times farther from the best than nine of ten counts as three times as far."""


@dataclass
class Tuning:
    """What is known about the hyperparameters. `why_not` says why there are no effects to show."""

    metric: str
    trials: int
    why_not: str = ""
    effects: Effects | None = None
    rho: float | None = None
    better: dict[str, str] = field(default_factory=dict)
    """By parameter, which values are better."""
    notes: list[str] = field(default_factory=list)


def explain_tuning(round: Round) -> Tuning:
    """The effects of hyperparameters on the first goal, or why they cannot be told."""
    goal = round.goals[0]
    scored = sorted(
        (trial for trial in round.trials if is_scored(trial, (goal,))),
        key=lambda trial: trial.number,
    )
    parameters = round.space.parameters
    trials = [trial for trial in scored if _inside(trial, parameters)]
    tuning = Tuning(goal.metric, len(trials))
    if len(scored) > len(trials):
        tuning.notes.append(
            f"{_trials(len(scored) - len(trials))} outside of the round's space left out of it."
        )
    scores = np.array([trial.metrics[goal.metric] for trial in trials])
    if len(trials) < FEWEST:
        have = "has" if len(trials) == 1 else "have"
        tuning.why_not = f"only {_trials(len(trials))} {have} a score, and it takes {FEWEST}"
    elif scores.min() == scores.max():
        tuning.why_not = f"all {len(trials)} trials have the same score"
    else:
        _fit(tuning, goal, trials, scores, round)
    return tuning


def _trials(count: int) -> str:
    return f"{count} trial{'' if count == 1 else 's'}"


def _inside(trial: Trial, parameters: Mapping[str, Parameter]) -> bool:
    return all(
        name in parameters and parameters[name].contains(value)
        for name, value in trial.params.items()
    )


def _fit(tuning: Tuning, goal: Goal, trials: Sequence[Trial], scores: Matrix, round: Round) -> None:
    generator = np.random.default_rng(round.seed)
    if len(trials) > _MOST:
        trials, scores = _drawn(tuning, trials, scores, generator)
    target, scale, cut = _scaled(goal, scores)
    if cut:
        tuning.notes.append(
            f"{_trials(cut)} with a {goal.metric} far worse than all others taken as merely bad."
        )
    places = np.array([_places(trial, round.space.parameters) for trial in trials], dtype=float)
    x, came = _matrix(_filled(places, generator), list(round.space.parameters.values()))
    tuning.rho = _rank_correlation(x, target, round.seed)
    forest = _forest(100, round.seed).fit(x, target)
    explainer = shap_library().TreeExplainer(forest, feature_perturbation="tree_path_dependent")
    values = gathered(explainer(x).values, came, places.shape[1])
    # a parameter that a trial does not have did nothing in it
    values[np.isnan(places)] = 0.0
    names = list(round.space.parameters)
    tuning.effects = Effects(
        names,
        (values * scale)[:, :, None],
        _shades(places, round.space.parameters),
        (goal.metric,),
        goal.metric,
        "random forest over the trials",
    )
    sign = 1.0 if goal.direction is Direction.MAXIMIZE else -1.0
    tuning.better = {
        name: _better(parameter, places[:, column], sign * values[:, column])
        for column, (name, parameter) in enumerate(round.space.parameters.items())
    }
    needed = max(_ENOUGH, 2 / math.sqrt(len(trials) - 1))
    if tuning.rho < needed:
        tuning.why_not = (
            f"a forest over {len(trials)} trials orders trials that it has not seen with a rank "
            f"correlation of {tuning.rho:.2f}, and below {needed:.2f} that may be chance"
        )


def _drawn(
    tuning: Tuning, trials: Sequence[Trial], scores: Matrix, generator: np.random.Generator
) -> tuple[list[Trial], Matrix]:
    """As many trials as are judged, drawn at random, which is said."""
    kept = np.sort(generator.choice(len(trials), _MOST, replace=False))
    tuning.notes.append(
        f"The hyperparameters were judged by {_MOST} of {tuning.trials} trials, drawn at random."
    )
    return [trials[index] for index in kept], scores[kept]


def _scaled(goal: Goal, scores: Matrix) -> tuple[Matrix, float, int]:
    """Scores a forest can square, the factor that undoes it, and how many were cut off."""
    size = float(np.abs(scores).max()) or 1.0
    losses = np.sort((-1.0 if goal.direction is Direction.MAXIMIZE else 1.0) * scores / size)
    best, most = losses[0], losses[(len(losses) - 1) * 9 // 10]
    worst = losses[-1]
    if most > best and worst > best + _FAR * (most - best):
        worst = best + 3 * (most - best)
    all_losses = (-1.0 if goal.direction is Direction.MAXIMIZE else 1.0) * scores / size
    cut = int((all_losses > worst).sum())
    spread = worst - best
    target = (np.minimum(all_losses, worst) - best) / spread
    if goal.direction is Direction.MAXIMIZE:
        target = -target
    return target, spread * size, cut


def _places(trial: Trial, parameters: Mapping[str, Parameter]) -> list[float]:
    """Where each value lies on its scale, from 0 to 1; NaN where a condition left it out."""
    return [
        parameter.position(trial.params[name]) if name in trial.params else math.nan
        for name, parameter in parameters.items()
    ]


def _filled(places: Matrix, generator: np.random.Generator) -> Matrix:
    """Gaps filled with what other trials have, at random.

    Any mark of absence would take the credit of the parameter whose value caused it.
    """
    filled = places.copy()
    for column in filled.T:
        gaps = np.isnan(column)
        column[gaps] = generator.choice(column[~gaps], int(gaps.sum())) if not gaps.all() else 0.5
    return filled


def _matrix(places: Matrix, parameters: Sequence[Parameter]) -> tuple[Matrix, Matrix]:
    """Choices without an order as a column each; the parameter that each column comes from."""
    columns, came = [], []
    for index, parameter in enumerate(parameters):
        place = places[:, index]
        levels = parameter.levels or 0
        if _is_unordered(parameter) and levels > 2:
            choice = (place * levels).astype(np.int64)
            made = [(choice == number).astype(float) for number in range(levels)]
        else:
            made = [place]
        columns += made
        came += [index] * len(made)
    return np.column_stack(columns), np.array(came)


def _is_unordered(parameter: Parameter) -> bool:
    return isinstance(parameter, Categorical) and not parameter.ordered


def _shades(places: Matrix, parameters: Mapping[str, Parameter]) -> Matrix:
    shades = places.copy()
    for column, parameter in enumerate(parameters.values()):
        if _is_unordered(parameter):
            shades[:, column] = np.nan
    return shades


def _forest(trees: int, seed: int) -> RandomForestRegressor:
    return RandomForestRegressor(
        trees, min_samples_leaf=2, max_leaf_nodes=64, random_state=seed % 2**32
    )


def _rank_correlation(x: Matrix, target: Matrix, seed: int) -> float:
    """Spearman's, between the scores and what forests say that did not see them; 0 where they say
    the same for all.
    """
    said = np.empty(len(target))
    for train, test in KFold(5, shuffle=True, random_state=seed % 2**32).split(x):
        said[test] = _forest(25, seed).fit(x[train], target[train]).predict(x[test])
    return correlation(rankdata(said), rankdata(target))


def correlation(one: Matrix, other: Matrix) -> float:
    """Pearson's, 0 where one of them is constant."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def _better(parameter: Parameter, places: Matrix, gains: Matrix) -> str:
    """Which values made the score better, in a few words."""
    here = ~np.isnan(places)
    places, gains = places[here], gains[here]
    if not len(gains) or np.ptp(gains) == 0:
        return ""
    if _is_unordered(parameter):
        means = {place: gains[places == place].mean() for place in np.unique(places)}
        return f"best: {text_of(parameter.at(float(max(means, key=lambda place: means[place]))))}"
    trend = correlation(rankdata(places), rankdata(gains))
    if abs(trend) > 0.8:
        return "larger is better" if trend > 0 else "smaller is better"
    best = np.argsort(-gains, kind="stable")[: max(len(gains) // 10, 3)]
    value = parameter.at(float(np.median(places[best])))
    return f"best around {f'{value:.2g}' if isinstance(value, float) else text_of(value)}"
