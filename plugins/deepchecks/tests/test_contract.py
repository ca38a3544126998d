"""Deepchecks' reporter and its plugin pass their contracts."""

import json
from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from tunesmith.finished import Fitted, Table
from tunesmith.testing import PluginContract, ReporterContract
from tunesmith_deepchecks import Deepchecks, _environment, _report


@cache
def fitted():
    random = np.random.default_rng(0)
    x = pd.DataFrame(random.normal(size=(90, 2)), columns=["a", "b"])
    y = pd.Series(x["a"] + random.normal(size=90) > 0, name="y")
    model = LogisticRegression().fit(x[:60], y[:60])
    return Fitted(model, "sklearn", x[:5], {}, Table(x[:60], y[:60]), Table(x[60:], y[60:]))


@cache
def answered(question):
    return _environment.answered(json.loads(question))


class TestDeepchecks(ReporterContract):
    def make(self):
        return Deepchecks()

    def fitted(self):
        return fitted()

    @pytest.fixture(autouse=True)
    def one_answer_to_one_question(self, monkeypatch):
        """Its libraries take long to load: what was answered before is not asked again."""
        monkeypatch.setattr(_report, "answered", lambda asked: answered(json.dumps(asked)))

    # what it says of the model is the same whatever the trials are
    @pytest.mark.parametrize("name", ["ordinary", "no trial", "strange words"])
    def test_copes_with_the_round(self, name, folder):
        super().test_copes_with_the_round(name, folder)


class TestPlugin(PluginContract):
    module = "tunesmith_deepchecks"
