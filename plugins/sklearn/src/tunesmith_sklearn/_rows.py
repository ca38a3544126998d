"""Which rows of the data train, validate and test: equal in every trial and every process."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from sklearn.utils.multiclass import type_of_target

from tunesmith.components import Dataset
from tunesmith.errors import ConfigError
from tunesmith.finished import Table


@dataclass(frozen=True)
class Split:
    """The rows of the search, and those held out; the latter are None where nothing is."""

    x: Any
    y: Any
    x_test: Any = None
    y_test: Any = None


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Where rows come from and how they are divided; small, for it travels with every trial."""

    dataset: Dataset
    folder: Path
    seed: int
    test_share: float
    cv: int
    stratified: bool

    def folds(self) -> Any:
        """The splitter of the cross-validation."""
        kind = StratifiedKFold if self.stratified else KFold
        return kind(self.cv, shuffle=True, random_state=self.seed)

    def share_of(self, train: Any, y: Any, share: int) -> Any:
        """One of `share` training rows, and at least one of each class.

        A smaller share's rows are among those of a larger one that it is a third of.
        """
        if share == 1:
            return train
        mixed = np.random.default_rng(self.seed).permutation(train)
        if not self.stratified:
            return mixed[::share]
        labels = np.asarray(y)[mixed]
        parts = [mixed[labels == each][::share] for each in np.unique(labels)]
        return np.concatenate(parts)

    def split(self, fresh: bool = False) -> Split:
        """The data, read once a process, or again where it is to be `fresh`.

        Raises ConfigError where an estimator cannot learn from it.
        """
        key = (type(self.dataset), repr(asdict(self.dataset)), *list(vars(self).values())[1:])
        split = None if fresh else _cache.get(key)
        if split is None:
            table = self.dataset.load(self.folder)
            self._check(table)
            split = self._divided(table)
            _cache.clear()  # one study's data at a time: it may be large
            _cache[key] = split
        return split

    def _check(self, table: Table) -> None:
        if self.stratified and type_of_target(table.y).startswith("continuous"):
            raise ConfigError(
                "the target is a continuous number, but the estimator is a classifier; use a "
                "regressor"
            )
        counts = pd.Series(table.y).value_counts()
        if self.stratified and counts.min() < 2:
            raise ConfigError(
                f"{(counts < 2).sum()} of {len(counts)} classes have a single row; merge small "
                "classes, or use a regressor where the target is a number"
            )
        if not (self.stratified or pd.api.types.is_numeric_dtype(table.y)):
            raise ConfigError(
                "the target is not a number, but the estimator is no classifier; use a classifier"
            )

    def _divided(self, table: Table) -> Split:
        split = Split(table.x, table.y)
        if self.test_share:
            try:
                x, x_test, y, y_test = train_test_split(
                    table.x,
                    table.y,
                    test_size=self.test_share,
                    random_state=self.seed,
                    stratify=table.y if self.stratified else None,
                )
            except ValueError as error:
                raise ConfigError(
                    f"cannot hold out 'test_share: {self.test_share}' of the rows: {error}"
                ) from None
            split = Split(x, y, x_test, y_test)
        rows, what = len(split.y), "there are"
        if self.stratified:
            counts = pd.Series(split.y).value_counts()
            rows, what = int(counts.min()), f"class '{counts.idxmin()}' has"
        if rows < self.cv:
            raise ConfigError(
                f"{what} {rows} rows for the search, fewer than 'cv: {self.cv}'; lower it"
            )
        return split


_cache: dict[object, Split] = {}
