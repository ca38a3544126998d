"""Scikit-learn for tunesmith: tune any estimator on scikit-learn, CSV or Parquet data."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tunesmith.components import Dataset, Objective
from tunesmith.hookspecs import hookimpl

if TYPE_CHECKING:
    from tunesmith.evaluation import TrialContext
    from tunesmith.finished import Fitted, Gain, Table
    from tunesmith.hookspecs import Register
    from tunesmith.space import Params
    from tunesmith.study import Study
    from tunesmith.trial import Goal


class Bundled(Dataset):
    """A dataset that comes with scikit-learn.

    `breast_cancer`, `diabetes`, `digits`, `iris` or `wine`.
    """

    loader: str
    """Name of the function that loads it, without `load_`."""

    def load(self, folder: Path) -> Table:
        from tunesmith_sklearn import _data

        return _data.bundled(self.loader)

    def fingerprint(self, folder: Path) -> str:
        from tunesmith_sklearn import _data

        return _data.fingerprint(self.load(folder))


class _Columns(Dataset):
    """Columns of a file: one is the target, others are features."""

    path: str
    """The file, from the study's folder."""
    target: str
    """Column to predict; a row without a value there is an error."""
    features: tuple[str, ...] = ()
    """Columns to predict from; all but the target where none is named."""
    drop: tuple[str, ...] = ()
    """Columns to leave out, such as identifiers."""

    def fingerprint(self, folder: Path) -> str:
        from tunesmith_sklearn import _data

        return _data.fingerprint(self.load(folder))


class Csv(_Columns):
    """A text file with a line of column names and a row a line. Text columns stay text."""

    separator: str = ","
    """What stands between two values; `"\\t"` for tabs."""

    def load(self, folder: Path) -> Table:
        from tunesmith_sklearn import _data

        return _data.columns(_data.read_csv(folder, self.path, self.separator), self)


class Parquet(_Columns):
    """A Parquet file."""

    def load(self, folder: Path) -> Table:
        from tunesmith_sklearn import _data

        return _data.columns(_data.read_parquet(folder, self.path), self)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a pipeline."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {
        "extra": "forbid",
        "use_attribute_docstrings": True,
    }

    name: str
    """What parameters of the space call it: `clf` for `clf.max_depth`."""
    use: str
    """Import path of its class."""
    params: dict[str, Any] = field(default_factory=dict)
    """Its fixed parameters; an estimator in them is again a table `{use: …, params: …}`."""


class Estimator(Objective):
    """A scikit-learn estimator or pipeline, scored by cross-validation.

    Gives, for each scorer `m`, the mean over the folds as `m` and their standard deviation as
    `m_std`; `fit_seconds`, the mean time to fit a fold; and `warnings`, how many were raised.
    Every trial sees the same folds.
    """

    estimator: str | None = None
    """Import path of the class, such as `sklearn.svm.SVC`; or else give a pipeline."""
    params: dict[str, Any] = field(default_factory=dict)
    """Fixed parameters of the estimator; the space has the others, dots before nested names."""
    pipeline: tuple[Step, ...] = ()
    """Steps in order, the last one predicts; the space calls parameters `step.parameter`."""
    cv: int = 5
    """Folds of the cross-validation, shuffled by the study's seed; stratified for classifiers."""
    scoring: str | tuple[str, ...] = ()
    """Names of scikit-learn's scorers, greater is better; the goals where none is named."""
    fidelity: str | None = None
    """What grows in a trial: `samples`, or a parameter such as `n_estimators` or `clf.max_iter`. A
    pruner sees each score at a ninth, a third and all of it; null: each fold. Nothing without one.
    """
    test_share: float = 0.2
    """Share of the rows that the search never sees and the final model is scored on; 0: none."""
    final_fit: bool = True
    """Fit the best configuration once more, on all rows but the held-out ones, and score it."""

    def prepare(self, study: Study, dataset: Dataset | None) -> None:
        from tunesmith_sklearn import _search

        self._search = _search.prepared(self, study, dataset)

    def evaluate(self, params: Params, trial: TrialContext) -> dict[str, float]:
        return self._search.evaluate(params, trial)

    def refit(self, params: Params, seed: int) -> Fitted | None:
        return self._search.refit(params, seed) if self.final_fit else None

    def gain(self, fitted: Fitted, other: Any, goal: Goal) -> Gain | None:
        return self._search.gain(fitted, other, goal.metric)


@hookimpl
def register_objectives(register: Register[Objective]) -> None:
    register("sklearn", Estimator)


@hookimpl
def register_datasets(register: Register[Dataset]) -> None:
    register("sklearn", Bundled)
    register("csv", Csv)
    register("parquet", Parquet)
