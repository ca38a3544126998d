"""A study on a Ray cluster of several machines, played by processes that are killed."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tunesmith.testing import ClusterContract
from tunesmith.testing._tasks import until
from tunesmith.testing.clusters import Cluster

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("clusters")]


@pytest.fixture(scope="module", autouse=True)
def environment():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "disabled")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
        patch.setenv("PYTHONUNBUFFERED", "1")
        yield


class RayCluster(Cluster):
    """A head without workers, to which the tuner belongs, and two machines with one each."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._folder, self._nodes = folder, []

    def executor(self):
        return {"use": "ray", "address": f"127.0.0.1:{self._port}"}

    def start(self):
        head = ["--head", "--port", str(self._port), "--include-dashboard", "false"]
        self._start(*head, "--num-cpus", "0")
        for _ in range(2):
            self._start("--address", self.executor()["address"], "--num-cpus", "1")

    def _start(self, *options):
        ray = [Path(sys.executable).with_name("ray"), "start", "--block", *options]
        log = self._folder / f"node-{len(self._nodes)}.txt"
        with open(log, "wb") as file:
            node = subprocess.Popen(
                [*ray, "--node-ip-address", "127.0.0.1"],
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        self._nodes.append(node)
        until(lambda: "Ray runtime started" in log.read_text(), "Ray does not start")

    def kill_machine(self):
        self._kill(self._nodes.pop())

    def kill(self):
        while self._nodes:
            self._kill(self._nodes.pop())

    def _kill(self, node):
        # Ray's workers have process groups of their own, but are in the session
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                pid, rest = int(stat.parent.name), stat.read_text().rpartition(")")[2].split()
                if int(rest[3]) == node.pid:
                    os.kill(pid, signal.SIGKILL)
        node.wait()


class TestRayOnACluster(ClusterContract):
    @classmethod
    def make(cls, folder):
        return RayCluster(folder)
