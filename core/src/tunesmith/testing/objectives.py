"""What every objective promises, as tests: subclass the contract in a test file."""

from __future__ import annotations

import copy
import math
import pickle
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any, ClassVar

import pytest

from tunesmith.components import Dataset, Objective
from tunesmith.errors import ConfigError
from tunesmith.evaluation import Outcome, TrialContext, evaluate
from tunesmith.parameters import Float
from tunesmith.space import Params, SearchSpace
from tunesmith.study import Study
from tunesmith.trial import TrialState

HEAVY = {
    *("catboost", "dask", "jax", "lightgbm", "matplotlib", "mlflow", "numpy", "optuna", "pandas"),
    *("polars", "pyarrow", "ray", "scipy", "sklearn", "tensorflow", "torch", "xgboost"),
}
"""Libraries that a study must have chosen before they are imported."""

SEED = 20261
_STRANGER = "no_such_parameter"
_IN_A_WORKER = """
import pickle, sys
sys.path[:] = pickle.load(sys.stdin.buffer)
evaluate, arguments = pickle.load(sys.stdin.buffer)
output = sys.stdout.buffer
sys.stdout = sys.stderr
output.write(pickle.dumps(evaluate(*arguments)))
"""
_IMPORTED = "import sys; sys.path[:] = {path!r}; import {module}; print(*sys.modules)"


class ObjectiveContract:
    """Tests that any objective passes; a subclass named `Test…` says which in `make` and `study`.

    Metrics whose name ends in `_seconds` are readings of a clock: they may differ between equal
    trials.
    """

    any_parameter: ClassVar[bool] = False
    """True for an objective that hands on whatever parameters the space has."""

    def make(self) -> Objective:
        """A new objective, not yet prepared."""
        raise NotImplementedError("return the objective to test")

    def study(self, folder: Path) -> Study:
        """A study that the objective can run; `folder` is new and empty, for files it needs."""
        raise NotImplementedError("return a study that the objective can run")

    def dataset(self) -> Dataset | None:
        """The dataset, for an objective that takes one."""
        return None

    def test_gives_a_finite_value_for_every_goal(self, tmp_path: Path) -> None:
        study, objective = self._prepared(tmp_path)
        outcome = _evaluate(objective, study, _params(study))
        for goal in study.goal_list:
            assert math.isfinite(outcome.metrics[goal.metric])

    def test_equal_params_and_seed_give_equal_metrics(self, tmp_path: Path) -> None:
        study, objective = self._prepared(tmp_path)
        first = _evaluate(objective, study, _params(study))
        _evaluate(objective, study, study.space.sample(Random(SEED + 1)), SEED + 1)
        again = _evaluate(objective, study, _params(study))
        assert _results(again) == _results(first), "a trial between the two changed the result"

    def test_gives_equal_metrics_in_another_process(self, tmp_path: Path) -> None:
        study, objective = self._prepared(tmp_path)
        here = _evaluate(objective, study, _params(study))
        arguments = (objective, _params(study), 0, SEED, study.goal_list)
        done = subprocess.run(
            [sys.executable, "-c", _IN_A_WORKER],
            input=pickle.dumps(sys.path) + pickle.dumps((evaluate, arguments)),
            capture_output=True,
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        assert _results(pickle.loads(done.stdout)) == _results(here)  # noqa: S301 - our own child

    def test_leaves_the_params_as_they_are(self, tmp_path: Path) -> None:
        study, objective = self._prepared(tmp_path)
        params = _params(study)
        given = copy.deepcopy(params)
        objective.evaluate(given, TrialContext(0, SEED, study.goal_list[0].metric))
        assert given == params

    def test_refuses_a_parameter_that_means_nothing(self, tmp_path: Path) -> None:
        if self.any_parameter:
            pytest.skip("this objective hands on whatever parameters the space has")
        study = self.study(tmp_path)
        parameters = {**study.space.parameters, _STRANGER: Float(0, 1)}
        wrong = study.model_copy(update={"space": SearchSpace(parameters)})
        try:
            self.make().prepare(wrong, self.dataset())
        except ConfigError as error:
            assert _STRANGER in str(error), f"the message does not name the parameter: {error}"
        else:
            pytest.fail(f"prepare accepts the parameter '{_STRANGER}'; raise ConfigError")

    def test_a_trial_is_cheap_to_hand_to_a_worker(self, tmp_path: Path) -> None:
        study, objective = self._prepared(tmp_path)
        _evaluate(objective, study, _params(study))
        size = len(pickle.dumps(objective))
        assert size < 100_000, f"{size} bytes are pickled with every trial; keep data out of it"

    def test_refit_is_deterministic_and_scored_on_its_own_metrics(self, tmp_path: Path) -> None:
        study, objective = self._prepared(tmp_path)
        fitted = objective.refit(_params(study), SEED)
        if fitted is None:
            pytest.skip("this objective offers no refit")
        again = objective.refit(_params(study), SEED)
        assert again is not None and again.metrics == fitted.metrics
        assert all(math.isfinite(value) for value in fitted.numbers.values())
        searched = _evaluate(objective, study, _params(study)).metrics
        shared = searched.keys() & fitted.numbers.keys()
        assert not shared, f"{shared} are metrics of trials too; name them otherwise (test_…)"
        assert fitted.library

    def test_importing_it_imports_no_heavy_library(self) -> None:
        code = _IMPORTED.format(path=sys.path, module=type(self.make()).__module__)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        heavy = HEAVY & set(done.stdout.split())
        assert not heavy, f"{sorted(heavy)} are imported with the objective; import in a method"

    def _prepared(self, folder: Path) -> tuple[Study, Objective]:
        study, objective = self.study(folder), self.make()
        objective.prepare(study, self.dataset())
        return study, objective


def _params(study: Study) -> Params:
    return study.space.default() or study.space.sample(Random(SEED))


def _evaluate(objective: Objective, study: Study, params: Params, seed: int = SEED) -> Outcome:
    outcome = evaluate(objective, params, 0, seed, study.goal_list)
    assert outcome.state is TrialState.COMPLETE, f"the trial with {params} failed: {outcome.error}"
    return outcome


def _results(outcome: Outcome) -> dict[str, Any]:
    """What has to be equal in equal trials."""
    # as text, because NaN is not equal to itself
    metrics = {k: repr(v) for k, v in outcome.metrics.items() if not k.endswith("_seconds")}
    return {**metrics, "steps": list(outcome.steps)}
