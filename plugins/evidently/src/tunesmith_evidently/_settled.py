"""Runs Evidently so that the process around it notices nothing."""

import os
import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


@contextmanager
def settled() -> Iterator[None]:
    """Inside, Evidently is imported and its telemetry is off.

    Afterwards the environment and the state of random numbers are what they were: Evidently seeds
    NumPy's global generator.
    """
    python, arrays = random.getstate(), np.random.get_state()
    ours = "DO_NOT_TRACK" not in os.environ
    if ours:
        os.environ["DO_NOT_TRACK"] = "true"
    try:
        with warnings.catch_warnings():
            # what Evidently imports warns of itself: numpy.core, litestar, its own docstrings
            for kind in (DeprecationWarning, SyntaxWarning):
                warnings.simplefilter("ignore", kind)
            import evidently  # noqa: F401
        yield
    finally:
        if ours:
            os.environ.pop("DO_NOT_TRACK", None)
        random.setstate(python)
        np.random.set_state(arrays)
