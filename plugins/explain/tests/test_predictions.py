"""How much is asked of a model whose trees SHAP cannot read."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tunesmith.finished import Fitted, Table
from tunesmith_explain._model import Explained, Limits, explain_model


class Counting(LogisticRegression):
    """It knows for how many rows it was asked."""

    asked = 0

    def predict(self, x: np.ndarray) -> np.ndarray:
        self.asked += len(x)
        return super().predict(x)

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        self.asked += len(x)
        return super().predict_proba(x)


def explained(columns: int, limits: Limits) -> tuple[Explained, int]:
    x = np.random.default_rng(0).normal(size=(400, columns))
    y = (x[:, 3] > 0).astype(int)
    model = Counting().fit(x[100:], y[100:])
    train, test = Table(x[100:], y[100:]), Table(x[:100], y[:100])
    found = explain_model(Fitted(model, "counting", x[:5], {}, train, test), limits)
    return found, model.asked


@pytest.mark.parametrize("columns", [4, 30, 200])
def test_shap_asks_no_more_than_it_may(columns: int) -> None:
    found, asked = explained(columns, Limits(200, 0, 10_000, 1))
    assert len(found.effects.values) > 5
    assert 9_000 < asked <= 10_000 + 200  # the rows themselves, to begin with


@pytest.mark.parametrize("columns", [30, 500])
def test_what_lime_asks_is_counted_too(columns: int) -> None:
    found, asked = explained(columns, Limits(200, 10, 10_000, 1))
    assert all(local.lime for local in found.local)
    assert asked <= 10_000 + 200
