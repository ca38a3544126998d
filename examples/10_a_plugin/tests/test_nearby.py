from tunesmith_nearby import Nearby

from tunesmith.testing import PluginContract, SamplerContract


class TestPlugin(PluginContract):
    module = "tunesmith_nearby"


class TestNearby(SamplerContract):
    make = staticmethod(lambda: Nearby(startup_trials=5))
