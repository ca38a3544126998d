"""Every sampler passes the contract, and the plugin its own."""

from tunesmith.testing import PluginContract, SamplerContract
from tunesmith_deap import Cma, De, DeapNsga2, Ga, Nsga3


class TestPlugin(PluginContract):
    module = "tunesmith_deap"


class TestGa(SamplerContract):
    make = staticmethod(lambda: Ga(population=10))
    several_goals = False


class TestGaWithOtherOperators(SamplerContract):
    make = staticmethod(lambda: Ga(population=10, crossover="sbx", mutation="polynomial"))
    several_goals = False


class TestDe(SamplerContract):
    make = staticmethod(lambda: De(population=10))
    several_goals = False


class TestCma(SamplerContract):
    make = staticmethod(lambda: Cma())
    several_goals = False
    categories_only = False


class TestDeapNsga2(SamplerContract):
    make = staticmethod(lambda: DeapNsga2(population=12))


class TestNsga3(SamplerContract):
    make = staticmethod(lambda: Nsga3(population=12))
