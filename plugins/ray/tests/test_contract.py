"""Ray's executor passes the contract, on a cluster of its own."""

import pytest

from tunesmith.testing import ExecutorContract, PluginContract
from tunesmith_ray import Ray


class TestPlugin(PluginContract):
    module = "tunesmith_ray"


@pytest.mark.xdist_group("clusters")
class TestRay(ExecutorContract):
    def make(self, workers):
        return Ray(workers=workers)
