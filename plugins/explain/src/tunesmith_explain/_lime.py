"""LIME: a linear model that imitates the model near one row."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from tunesmith_explain._answers import Answers
from tunesmith_explain._columns import Columns, Matrix
from tunesmith_explain._effects import Reason
from tunesmith_explain._rows import Row

_FEW = 6
"""Values up to which a column with an order is not put into quarters."""
_NEIGHBOURS = 1000
SHOWN = 10
"""Weights that are kept of a row."""


@dataclass(frozen=True)
class Nearby:
    """The linear model around a row: weights of statements that are true of it, largest first.

    `fit` is its R² on the neighbours, 1 where it imitates the model exactly.
    """

    weights: list[Reason]
    fit: float


def neighbours(columns: int) -> int:
    """How many predictions a row's linear model is fitted to, where that many may be asked."""
    return min(max(_NEIGHBOURS, 4 * columns), 2 * _NEIGHBOURS)


class Lime:
    """LIME over statements such as `age > 40`, `town = Bern`, `income is missing`.

    LIME itself takes no text, dates or gaps. So a column's values are put into bins: quarters of
    numbers and dates, each category, what is missing. It is told the bins as categories, and the
    model is asked about values of the sample that lie in them.
    """

    def __init__(self, columns: Columns, known: slice, neighbours: int) -> None:
        self.columns = columns
        self.neighbours = neighbours
        self.bins = np.empty_like(columns.codes)
        self.names: list[list[str]] = []
        self.pools: list[list[Matrix]] = []
        for column in range(columns.codes.shape[1]):
            bins, names = self._binned(column, known)
            self.bins[:, column] = bins
            self.names.append(names)
            codes = columns.codes[:, column]
            self.pools.append([codes[bins == index] for index in range(len(names))])
        self.known = self.bins[known]

    def _binned(self, column: int, known: slice) -> tuple[Matrix, list[str]]:
        codes, missing = self.columns.codes[:, column], self.columns.missing[:, column]
        name = self.columns.names[column]
        there = codes[known][~missing[known]]
        if not self.columns.ordered[column] or len(np.unique(there)) <= _FEW:
            count = len(self.columns.firsts[column])
            texts = [self.columns.text(column, code) for code in range(count)]
            return codes, [
                f"{name} is missing" if text == "missing" else f"{name} = {text}" for text in texts
            ]
        edges = np.unique(np.quantile(there, [0.25, 0.5, 0.75], method="lower"))
        texts = [self.columns.text(column, int(edge)) for edge in edges]
        bins = np.searchsorted(edges, codes, side="left")
        bins[missing] = len(edges) + 1
        between = [f"{low} < {name} ≤ {high}" for low, high in pairwise(texts)]
        ends = [f"{name} ≤ {texts[0]}", *between, f"{name} > {texts[-1]}"]
        return bins, [*ends, f"{name} is missing"]

    def explain(self, row: Row, answers: Answers, seed: int) -> Nearby:
        """What speaks for and against the answer for one of the sample's rows."""
        from lime.lime_tabular import LimeTabularExplainer

        count = self.bins.shape[1]
        explainer = LimeTabularExplainer(
            self.known,
            mode="regression",  # of one output's number, which is all that is asked
            feature_names=self.columns.names,
            categorical_features=list(range(count)),
            categorical_names=dict(enumerate(self.names)),
            discretize_continuous=False,
            feature_selection="highest_weights",
            random_state=seed,
        )
        generator = np.random.default_rng(seed)

        def ask(bins: Matrix) -> Matrix:
            codes = self._drawn(bins.astype(np.int64), generator)
            codes[0] = self.columns.codes[row.place]
            given: Matrix = row.sign * answers.ask(self.columns.decode(codes))[:, row.output]
            return given

        found: Any = explainer.explain_instance(
            self.bins[row.place],
            ask,
            num_features=min(SHOWN, count),
            num_samples=self.neighbours,
        )
        weights = [
            Reason(
                self.columns.names[column],
                self.names[column][self.bins[row.place, column]],
                float(weight),
            )
            for column, weight in found.local_exp[1]
        ]
        return Nearby(weights, float(found.score))

    def _drawn(self, bins: Matrix, generator: np.random.Generator) -> Matrix:
        """For each bin a code of it."""
        codes = np.empty_like(bins)
        for column, pools in enumerate(self.pools):
            for index in np.unique(bins[:, column]):
                here = bins[:, column] == index
                codes[here, column] = generator.choice(pools[index], int(here.sum()))
        return codes
