"""Evidently's reporter and its plugin pass their contracts."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from tunesmith.finished import Fitted, Table
from tunesmith.testing import PluginContract, ReporterContract
from tunesmith_evidently import Evidently


@cache
def fitted():
    random = np.random.default_rng(0)
    x = pd.DataFrame(random.normal(size=(60, 2)), columns=["a", "b"])
    y = pd.Series(x["a"] + random.normal(size=60), name="y")
    model = Ridge().fit(x[:40], y[:40])
    return Fitted(model, "sklearn", x[:5], {}, Table(x[:40], y[:40]), Table(x[40:], y[40:]))


class TestEvidently(ReporterContract):
    def make(self):
        return Evidently(max_columns=1)

    def fitted(self):
        return fitted()

    # what it says of the model is the same whatever the trials are
    @pytest.mark.parametrize("name", ["ordinary", "no trial", "strange words"])
    def test_copes_with_the_round(self, name, folder):
        super().test_copes_with_the_round(name, folder)


class TestPlugin(PluginContract):
    module = "tunesmith_evidently"
