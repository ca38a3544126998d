"""Cross-validation of one configuration after the other, and the final fit of the best one."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import is_classifier
from sklearn.metrics import check_scoring, get_scorer_names
from sklearn.model_selection import cross_validate

from tunesmith.components import Dataset
from tunesmith.errors import ConfigError, TunesmithError, did_you_mean
from tunesmith.evaluation import TrialContext
from tunesmith.finished import Fitted, Gain, Table
from tunesmith.gates import BEATS_CHAMPION
from tunesmith.problems import Problem, raise_problems
from tunesmith.space import Params
from tunesmith.study import Study
from tunesmith.trial import Direction
from tunesmith_sklearn import Estimator, _estimators, _fidelity
from tunesmith_sklearn._costs import costs
from tunesmith_sklearn._gain import gain
from tunesmith_sklearn._rows import Rows, Split

_EXTRA = ("fit_seconds", "warnings")


@dataclass(frozen=True, kw_only=True)
class Search:
    """What every trial of a study shares, without the data: small enough to travel with each."""

    options: Estimator
    rows: Rows
    scoring: Sequence[str]
    looks: Sequence[_fidelity.Look]

    def evaluate(self, params: Params, trial: TrialContext) -> dict[str, float]:
        """The scores of one configuration; under a pruner each look, or else fold, is a step.

        Raises what the estimator raises on any fold, and Pruned.
        """
        data = self.rows.split()
        model = self.configured(params, trial.seed)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                for look in self.looks if trial.rule and self.looks else (None,):
                    caught.clear()  # what is cut short warns of that
                    scores = self._scores(model, data, trial, look)
            except (TypeError, ValueError) as error:
                hinted = _with_hint(error, data.x)
                raise hinted from (None if hinted is error else error)
        metrics = {"fit_seconds": float(scores["fit_time"].mean()), "warnings": float(len(caught))}
        for name in self.scoring:
            found = scores[f"test_{name}"]
            metrics |= {name: float(found.mean()), f"{name}_std": float(found.std())}
        return metrics

    def _scores(
        self, model: Any, data: Split, trial: TrialContext, look: _fidelity.Look | None
    ) -> dict[str, Any]:
        """What scikit-learn's cross_validate gives, fold by fold."""
        parts: list[dict[str, Any]] = []
        if look:
            model.set_params(**look.params)
        for number, (train, test) in enumerate(self.rows.folds().split(data.x, data.y), 1):
            rows = self.rows.share_of(train, data.y, look.share) if look else train
            parts.append(
                cross_validate(
                    model,
                    data.x,
                    data.y,
                    cv=[(rows, test)],
                    scoring=self.scoring,
                    error_score="raise",
                )
            )
            if trial.rule and (look is None or number == self.rows.cv):
                found = [part[f"test_{trial.metric}"][0] for part in parts]
                trial.report(look.step if look else number, sum(found) / number)
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def refit(self, params: Params, seed: int) -> Fitted:
        """One fit on all rows of the search, scored on those held out."""
        data = self.rows.split()
        model = self.configured(params, seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the trial's metrics have counted them
            model.fit(data.x, data.y)
            train, cost = Table(data.x, data.y), costs(model, data.x)
            if data.x_test is None:
                return Fitted(model, "sklearn", data.x[:5], {}, train, costs=cost)
            scores = check_scoring(model, scoring=self.scoring)(model, data.x_test, data.y_test)
        metrics = {f"test_{name}": float(score) for name, score in scores.items()}
        test = Table(data.x_test, data.y_test)
        return Fitted(model, "sklearn", data.x_test[:5], metrics, train, test, cost)

    def gain(self, fitted: Fitted, other: Any, metric: str) -> Gain | None:
        """How much better the model is than another on the rows held out, beyond chance.

        None where no rows are held out, or the metric is no scorer's. Raises what the other model
        raises on rows that it does not understand.
        """
        if fitted.test is None or metric not in get_scorer_names():
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the trials' metrics have counted them
            return gain(fitted.model, other, fitted.test, metric, self.rows.seed)

    def configured(self, params: Params, seed: int) -> Any:
        """The estimator with these params; whatever random state is left open is the seed."""
        model = _estimators.build(self.options, self.rows.folder)
        model.set_params(**{name.replace(".", "__"): value for name, value in params.items()})
        random_states = {
            name: seed
            for name, value in model.get_params().items()
            if name.rpartition("__")[2] == "random_state" and value is None
        }
        return model.set_params(**random_states)


def prepared(options: Estimator, study: Study, dataset: Dataset | None) -> Search:
    """Check the options, the space and the data against one another.

    Raises ConfigError for what could not work in any trial.
    """
    if dataset is None:
        raise ConfigError(
            "the objective 'sklearn' needs data; add for example "
            "'dataset: {use: csv, path: data.csv, target: price}'"
        )
    if options.cv < 2 or not 0 <= options.test_share < 1:
        raise ConfigError(
            f"'cv' is 2 or more and 'test_share' from 0 to below 1, not {options.cv} and "
            f"{options.test_share}"
        )
    if BEATS_CHAMPION in study.gates:
        _check_comparison(options, study.goal_list[0].metric)
    model = _estimators.build(options, study.folder)
    _check_space(options, study, model)
    rows = Rows(
        dataset=dataset,
        folder=study.folder.resolve(),
        seed=study.seed,
        test_share=options.test_share,
        cv=options.cv,
        stratified=is_classifier(model),
    )
    search = Search(
        options=options,
        rows=rows,
        scoring=_scoring(options, study),
        looks=_fidelity.looks(options.fidelity, model, study.space) if options.fidelity else (),
    )
    rows.split(fresh=True)  # the file may have changed since an earlier round in this process
    return search


def _check_comparison(options: Estimator, metric: str) -> None:
    """Raises ConfigError where `Search.gain` could never compare a model with the champion."""
    if not options.test_share:
        raise ConfigError(
            f"the gate '{BEATS_CHAMPION}' compares models on rows that are held out; raise "
            "'test_share' above 0"
        )
    if metric not in get_scorer_names():
        raise ConfigError(
            f"the gate '{BEATS_CHAMPION}' compares models by the first goal, and '{metric}' is no "
            "scorer of scikit-learn's; put a goal that is one in front"
        )


def _check_space(options: Estimator, study: Study, model: Any) -> None:
    known = [name.replace("__", ".") for name in model.get_params()]
    fixed = [
        *options.params,
        *(f"{step.name}.{name}" for step in options.pipeline for name in step.params),
    ]
    problems = []
    for name in study.space.parameters:
        path = ("space", "parameters", name)
        if name not in known:
            close = did_you_mean(name, known)
            problems.append(Problem(path, f"the estimator has no parameter '{name}'{close}"))
        elif name in fixed:
            problems.append(Problem(path, "is a fixed parameter too; drop it here or there"))
    raise_problems(problems)


def _scoring(options: Estimator, study: Study) -> list[str]:
    """The scorers' names. Raises ConfigError where there are none, or they leave a goal out."""
    given = [options.scoring] if isinstance(options.scoring, str) else list(options.scoring)
    names = given or list(
        dict.fromkeys(goal.removesuffix("_std") for goal in study.goals if goal not in _EXTRA)
    )
    scorers = get_scorer_names()
    for name in names:
        if name not in scorers:
            raise ConfigError(f"scikit-learn has no scorer '{name}'{did_you_mean(name, scorers)}")
    if not names:
        raise ConfigError("no scorer is named; add for example 'scoring: accuracy'")
    produced = {*names, *(f"{name}_std" for name in names), *_EXTRA}
    for goal, direction in study.goals.items():
        if goal not in produced:
            raise ConfigError(
                f"the goal '{goal}' is not among the metrics; add it to 'scoring'"
                f"{did_you_mean(goal, produced)}"
            )
        if goal in names and direction is Direction.MINIMIZE:
            raise ConfigError(
                f"the goal '{goal}' is to be minimized, but scikit-learn's scorers are all better "
                "when greater (also those named neg_…); write 'maximize'"
            )
        if goal not in names and study.pruner:
            raise ConfigError(
                f"the goal '{goal}' is known only at the end of a trial; leave 'pruner' out"
            )
    return names


def _with_hint(error: Exception, x: Any) -> Exception:
    """The error, with a way out where columns that are no numbers may be the cause."""
    if not isinstance(x, pd.DataFrame):
        return error
    text = [str(name) for name in x if not pd.api.types.is_numeric_dtype(x[name])]
    if not text:
        return error
    shown = ", ".join(f"'{name}'" for name in text[:10]) + (", …" if len(text) > 10 else "")
    return TunesmithError(
        f"{type(error).__name__}: {error}; these columns are no numbers: {shown}; encode them in "
        "a pipeline, for example with sklearn.preprocessing.OneHotEncoder"
    )
