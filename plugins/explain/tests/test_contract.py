"""The reporter passes the contracts, with a model and without."""

from functools import cache

import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from tunesmith.finished import Fitted, Table
from tunesmith.testing import PluginContract, ReporterContract
from tunesmith_explain import Explain


class TestPlugin(PluginContract):
    module = "tunesmith_explain"


class TestTuningAlone(ReporterContract):
    def make(self):
        return Explain()


@cache
def flowers() -> Fitted:
    x, y = load_iris(return_X_y=True, as_frame=True)
    x, y = x.iloc[50:, 2:], y.iloc[50:]
    return Fitted(LogisticRegression().fit(x, y), "sklearn", x[:5], {}, Table(x, y))


class TestWithAModel(ReporterContract):
    def make(self):
        return Explain(rows=10, local=1, predictions=10_000)

    def fitted(self):
        return flowers()

    # what it says of the trials is tested without a model
    @pytest.mark.parametrize("name", ["ordinary", "no trial", "strange words"])
    def test_copes_with_the_round(self, name, folder):
        super().test_copes_with_the_round(name, folder)
