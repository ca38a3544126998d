"""One model against another on the same rows: the difference, and what chance could make of it."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import get_scorer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from tunesmith.finished import Table
from tunesmith_sklearn._gain import gain


def halves(loader):
    x, y = loader(return_X_y=True, as_frame=True)
    mixed = np.random.default_rng(0).permutation(len(y))
    train, test = mixed[::2], mixed[1::2]
    return Table(x.iloc[train], y.iloc[train]), Table(x.iloc[test], y.iloc[test])


def scaled(model):
    return make_pipeline(StandardScaler(), model)


@pytest.mark.parametrize(
    ("loader", "metric", "model", "poor"),
    [
        (load_breast_cancer, "roc_auc", LogisticRegression(), DummyClassifier()),
        (load_breast_cancer, "accuracy", LinearSVC(), DummyClassifier()),
        (load_iris, "neg_log_loss", LogisticRegression(), DummyClassifier()),
        (load_iris, "roc_auc_ovr", LogisticRegression(), DummyClassifier()),
        (load_diabetes, "r2", Ridge(), DummyRegressor()),
    ],
)
def test_a_model_beats_one_that_only_guesses(loader, metric, model, poor):
    train, test = halves(loader)
    good, poor = scaled(model).fit(train.x, train.y), poor.fit(train.x, train.y)
    found = gain(good, poor, test, metric, seed=0)
    scorer = get_scorer(metric)
    assert found.mean == pytest.approx(scorer(good, test.x, test.y) - scorer(poor, test.x, test.y))
    assert 0 < found.low < found.mean < found.high
    back = gain(poor, good, test, metric, seed=0)
    assert (back.low, back.high) == pytest.approx((-found.high, -found.low))


def test_a_model_does_not_beat_itself_nor_a_twin():
    train, test = halves(load_breast_cancer)
    model = scaled(LogisticRegression()).fit(train.x, train.y)
    same = gain(model, model, test, "roc_auc", seed=0)
    assert (same.mean, same.low, same.high) == (0, 0, 0)
    twin = scaled(LogisticRegression(C=1.1)).fit(train.x, train.y)
    assert gain(model, twin, test, "neg_log_loss", seed=0).low < 0


def test_equal_seeds_give_equal_intervals():
    train, test = halves(load_diabetes)
    pair = (Ridge().fit(train.x, train.y), Ridge(30).fit(train.x, train.y))
    assert gain(*pair, test, "r2", seed=1) == gain(*pair, test, "r2", seed=1)
    assert gain(*pair, test, "r2", seed=1) != gain(*pair, test, "r2", seed=2)
