import pytest

from tunesmith.testing import SamplerContract
from tunesmith_optuna import CmaEs, Gp, Nsga2, Qmc, Tpe


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


class TestGp(SamplerContract):
    make = staticmethod(lambda: Gp())

    @pytest.fixture(autouse=True)
    def _torch(self) -> None:
        pytest.importorskip("torch")
