"""The contracts, on every way to write: into the tables, through the client, to a server."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tunesmith.components import Tracker
from tunesmith.testing import PluginContract, ServerTrackerContract, TrackerContract
from tunesmith.trial import Trial
from tunesmith_mlflow import Mlflow


class TestPlugin(PluginContract):
    module = "tunesmith_mlflow"


class Once(TrackerContract):
    """Also counts the runs: reading back hides those that are there twice."""

    def assert_keeps(self, folder: Path, written: list[Trial], tracker: Tracker) -> None:
        from mlflow import MlflowClient

        super().assert_keeps(folder, written, tracker)
        assert isinstance(tracker, Mlflow)
        client = MlflowClient(tracker.uri)
        experiment = client.get_experiment_by_name(tracker.experiment or "a study")
        assert experiment
        runs = client.search_runs([experiment.experiment_id], max_results=5000)
        trials = Counter(
            (run.data.tags["mlflow.parentRunId"], run.data.tags["tunesmith.trial"])
            for run in runs
            if "tunesmith.trial" in run.data.tags
        )
        assert trials.total() == len(written)
        assert set(trials.values()) <= {1}
        assert {parent for parent, _ in trials} <= {run.info.run_id for run in runs}
        assert all(run.info.status != "RUNNING" for run in runs if _is_trial(run))


def _is_trial(run: object) -> bool:
    return "tunesmith.trial" in run.data.tags  # type: ignore[attr-defined]


class TestTables(Once):
    @pytest.fixture(autouse=True)
    def _database(self, database: Callable[[Path], str]) -> None:
        self.uri = database

    def make(self, folder: Path) -> Mlflow:
        return Mlflow(uri=self.uri(folder))


@pytest.mark.slow
class TestClient(Once):
    many = 100
    examples = 10

    @pytest.fixture(autouse=True)
    def _database(self, database: Callable[[Path], str]) -> None:
        self.uri = database

    def make(self, folder: Path) -> Mlflow:
        return Mlflow(uri=self.uri(folder), bulk=False)

    # TestTables writes the others, and test_bulk.py shows that both ways leave the same rows
    @pytest.mark.parametrize(
        "name",
        [
            "ordinary",
            "no trial",
            "nan and inf beside the goal",
            "conditional parameters",
            "strange words",
            "long names",
        ],
    )
    def test_history_of_awkward_rounds_is_what_was_written(self, tmp_path: Path, name: str) -> None:
        super().test_history_of_awkward_rounds_is_what_was_written(tmp_path, name)


@pytest.mark.slow
@pytest.mark.xdist_group("mlflow server")
class TestServer(Once, ServerTrackerContract):
    many = 100
    examples = 5

    @pytest.fixture
    def server(self, mlflow_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "3")
        return mlflow_server

    def connect(self, url: str, folder: Path) -> Mlflow:
        return Mlflow(uri=url, experiment=f"{folder.parent.name} {folder.name}")

    # TestClient sends the same for every awkward round; through a server each takes seconds
    @pytest.mark.parametrize("name", ["ordinary", "strange words", "two goals and no score"])
    def test_history_of_awkward_rounds_is_what_was_written(self, tmp_path: Path, name: str) -> None:
        super().test_history_of_awkward_rounds_is_what_was_written(tmp_path, name)

    def make_with_secret(self, folder: Path, secret: str) -> Mlflow:
        host = self._proxy.url.removeprefix("http://")
        return Mlflow(uri=f"http://user:{secret}@{host}", experiment=folder.name)
