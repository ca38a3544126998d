from collections.abc import Callable
from pathlib import Path

import pytest

from tunesmith.testing import ServerTrackerContract, TrackerContract
from tunesmith_mlflow import Mlflow


class TestBulk(TrackerContract):
    @pytest.fixture(autouse=True)
    def _database(self, database: Callable[[Path], str]) -> None:
        self.uri = database

    def make(self, folder: Path) -> Mlflow:
        return Mlflow(uri=self.uri(folder))


class TestClient(TrackerContract):
    many = 100

    @pytest.fixture(autouse=True)
    def _database(self, database: Callable[[Path], str]) -> None:
        self.uri = database

    def make(self, folder: Path) -> Mlflow:
        return Mlflow(uri=self.uri(folder), bulk=False)


@pytest.mark.slow
class TestServer(ServerTrackerContract):
    many = 100
    examples = 5

    @pytest.fixture
    def server(self, mlflow_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "3")
        return mlflow_server

    def connect(self, url: str, folder: Path) -> Mlflow:
        return Mlflow(uri=url, experiment=str(folder.parent.name + folder.name))

    def make_with_secret(self, folder: Path, secret: str) -> Mlflow:
        host = self._proxy.url.removeprefix("http://")
        return Mlflow(uri=f"http://user:{secret}@{host}", experiment=folder.name)
