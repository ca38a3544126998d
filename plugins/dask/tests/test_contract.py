"""Dask's executor passes the contract, on a cluster of its own."""

import pytest

from tunesmith.testing import ExecutorContract, PluginContract
from tunesmith_dask import Dask


class TestPlugin(PluginContract):
    module = "tunesmith_dask"


@pytest.mark.xdist_group("clusters")
class TestDask(ExecutorContract):
    def make(self, workers):
        return Dask(workers=workers)
