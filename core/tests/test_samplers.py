from tunesmith.samplers import Grid, Random
from tunesmith.testing import SamplerContract


class TestRandom(SamplerContract):
    make = staticmethod(lambda: Random())
    learns = False


class TestGrid(SamplerContract):
    make = staticmethod(lambda: Grid(points=3))
    learns = False
    random = False
    exhausts = True
