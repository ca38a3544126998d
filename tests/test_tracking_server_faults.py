"""A real MLflow server that is away at the start of a round, in its middle, or at its end."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tunesmith import Float, tune
from tunesmith.loop import Result
from tunesmith.objectives import Function
from tunesmith.plugins import installed
from tunesmith.sync import sync
from tunesmith.trial import TrialState

pytestmark = pytest.mark.slow


class Server:
    """`mlflow server` on loopback, to be started and killed at will; its store stays."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1"]
        command += ["--port", str(self.port), "--workers", "1"]
        command += ["--backend-store-uri", f"sqlite:///{self._folder / 'server.db'}"]
        command += ["--default-artifact-root", str(self._folder / "artifacts")]
        environment = os.environ | {
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "true",
        }
        with Path(self._folder, "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                env=environment,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                start_new_session=True,
            )
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{self.uri}/health", timeout=2).close()
                return
            except OSError:
                time.sleep(0.3)
        pytest.fail("mlflow server did not come up within 180 s")

    def kill(self) -> None:
        if self._process:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


@pytest.fixture
def server(empty_mlflow: Path, tmp_path: Path) -> Iterator[Server]:
    shutil.copy(empty_mlflow, tmp_path / "server.db")
    made = Server(tmp_path)
    yield made
    made.kill()


def _tune(server: Server, store: Path, trials: int, at: dict[int, object]) -> Result:
    """A round of quick trials that calls `at[number]` when it comes to that trial."""

    def objective(params, trial):
        if trial.number in at:
            at[trial.number]()
        time.sleep(0.05)
        return params["x"] ** 2

    return tune(
        objective,
        {"x": Float(-1, 1)},
        trials=trials,
        name="faults",
        store=f"sqlite:///{store}",
        trackers=[{"use": "mlflow", "uri": server.uri}],
    )


def _sync(result: Result) -> list[int]:
    return [item.count for item in sync(result.study, Function(function=float))]


def _numbers(server: Server) -> list[int]:
    tracker = installed().build("tracker", {"use": "mlflow", "uri": server.uri})
    trials = tracker.history("faults")
    tracker.close()
    assert all(trial.state is TrialState.COMPLETE for trial in trials)
    return [trial.number for trial in trials]


def test_every_trial_arrives_once_whenever_the_server_was_away(server, tmp_path):
    store = tmp_path / "record.db"

    away = _tune(server, store, trials=10, at={})
    assert away.reason == "all 10 trials are done"
    assert [(item.missing, server.uri in item.error) for item in away.delivered] == [(10, True)]

    def middle() -> None:
        time.sleep(3)  # some batches arrive before it goes
        server.kill()

    server.start()
    gone = _tune(server, store, trials=60, at={40: middle})
    assert gone.reason == "all 60 trials are done"
    assert 0 < gone.delivered[0].missing < 60

    server.start()
    assert _sync(gone) == [gone.delivered[0].missing]
    assert _numbers(server) == list(range(60))

    again = _tune(server, store, trials=70, at={69: server.kill})
    assert again.reason == "all 70 trials are done"
    assert again.delivered[0].missing > 0
    server.start()
    _sync(again)
    assert _numbers(server) == list(range(70))
