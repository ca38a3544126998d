"""Every sampler and pruner passes its contract, and so does the plugin."""

import pytest

from tunesmith.testing import PluginContract, PrunerContract, SamplerContract
from tunesmith_optuna import CmaEs, Gp, Nsga2, Percentile, Qmc, Tpe, Wilcoxon


class TestPlugin(PluginContract):
    module = "tunesmith_optuna"


class TestTpe(SamplerContract):
    make = staticmethod(lambda: Tpe())


class TestTpeOneByOne(SamplerContract):
    make = staticmethod(lambda: Tpe(multivariate=False, constant_liar=False, startup_trials=3))


class TestCmaEs(SamplerContract):
    make = staticmethod(lambda: CmaEs())
    several_goals = False
    categories_only = False


class TestNsga2(SamplerContract):
    make = staticmethod(lambda: Nsga2(population=10))


class TestQmc(SamplerContract):
    make = staticmethod(lambda: Qmc())
    learns = False


class TestHalton(SamplerContract):
    make = staticmethod(lambda: Qmc(sequence="halton"))
    learns = False


class TestPercentile(PrunerContract):
    make = staticmethod(lambda: Percentile())


class TestPercentileNowAndThen(PrunerContract):
    make = staticmethod(lambda: Percentile(percentile=60.0, warmup=3, interval=4))


class TestWilcoxon(PrunerContract):
    make = staticmethod(lambda: Wilcoxon())


class TestGp(SamplerContract):
    make = staticmethod(lambda: Gp(startup_trials=8))
    trials = 12
    examples = 5

    @pytest.fixture(autouse=True)
    def _torch(self) -> None:
        pytest.importorskip("torch")
