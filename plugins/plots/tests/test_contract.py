from tunesmith.testing.plugins import PluginContract
from tunesmith.testing.reporters import ReporterContract
from tunesmith_plots import Plots


class TestPlots(ReporterContract):
    def make(self) -> Plots:
        return Plots(dpi=50)


class TestPlugin(PluginContract):
    module = "tunesmith_plots"
