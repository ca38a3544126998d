"""Ray's executor passes the contract, on a cluster of its own."""

from tunesmith.testing import ExecutorContract, PluginContract
from tunesmith_ray import Ray


class TestPlugin(PluginContract):
    module = "tunesmith_ray"


class TestRay(ExecutorContract):
    def make(self, workers):
        return Ray(workers=workers)
