"""A study on a Dask cluster of two machines, played by processes that are killed."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from tunesmith.testing import ClusterContract
from tunesmith.testing.clusters import Cluster

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("clusters")]


class DaskCluster(Cluster):
    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._folder, self._processes = folder, []

    def executor(self):
        return {"use": "dask", "address": f"tcp://127.0.0.1:{self._port}"}

    def start(self):
        import distributed

        own = ["--host", "127.0.0.1"]
        self._run("scheduler", *own, "--port", str(self._port), "--no-dashboard")
        for _ in range(2):
            self._run("worker", *own, self.executor()["address"], "--nthreads", "1")
        with distributed.Client(self.executor()["address"], timeout=60) as client:
            client.wait_for_workers(2, timeout=60)

    def _run(self, *words):
        command = [sys.executable, "-m", "dask", *words]
        with open(self._folder / "log.txt", "ab") as log:
            self._processes.append(
                subprocess.Popen(
                    command, cwd=self._folder, stdout=log, stderr=log, start_new_session=True
                )
            )

    def kill_machine(self):
        self._kill(self._processes.pop())

    def kill(self):
        while self._processes:
            self._kill(self._processes.pop())

    def _kill(self, process):
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class TestDaskOnACluster(ClusterContract):
    @classmethod
    def make(cls, folder):
        return DaskCluster(folder)
