"""Databases of MLflow, and a real server."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tunesmith_mlflow._environment import prepare


@pytest.fixture
def database(empty_mlflow: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], str]:
    """Gives the tracking URI of a database of a folder's own; artifacts go there too."""

    prepare()

    def uri(folder: Path) -> str:
        monkeypatch.chdir(folder)  # MLflow puts artifacts into the working directory
        path = folder / "tracking.db"  # not MLflow's default: nothing may fall back on that
        if not path.exists():
            shutil.copy(empty_mlflow, path)
        return f"sqlite:///{path}"

    return uri


@pytest.fixture(scope="session")
def mlflow_server(empty_mlflow: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a real tracking server on loopback."""
    prepare()
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(empty_mlflow, folder / "mlflow.db")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait_for(f"{url}/health", server, folder / "log")
        yield url
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            time.sleep(0.25)
        else:
            return
    raise AssertionError(f"the MLflow server did not start:\n{log.read_text()[-2000:]}")
