"""What a model costs those who use it: memory and time."""

from __future__ import annotations

import pickle
from contextlib import suppress
from time import perf_counter
from typing import Any

_CALLS = 15


def costs(model: Any, x: Any) -> dict[str, float]:
    """`model_mb`, the size of the pickled model in millions of bytes, and `predict_ms`, the
    milliseconds to predict a single row: the least of 15 calls, a row each.

    Greater ones tell what else the machine did meanwhile, so that `timeit` advises the least, too
    (https://docs.python.org/3/library/timeit.html#timeit.Timer.repeat).

    A model that cannot be pickled, or predicts no single row, is without that number: a gate on it
    then says that there is no such metric. Either may be so, and costs the model nothing else.
    """
    found, size = {}, _Size()
    with suppress(Exception):
        pickle.dump(model, size, protocol=pickle.HIGHEST_PROTOCOL)
        found["model_mb"] = size.written / 1e6
    with suppress(Exception):
        found["predict_ms"] = min(
            _milliseconds(model, x[row : row + 1]) for row in range(min(_CALLS, x.shape[0]))
        )
    return found


def _milliseconds(model: Any, row: Any) -> float:
    start = perf_counter()
    model.predict(row)
    return (perf_counter() - start) * 1000


class _Size:
    """A file that keeps nothing but the number of bytes written."""

    written = 0

    def write(self, data: Any) -> int:
        """Take bytes, or a buffer of them."""
        size = memoryview(data).nbytes
        self.written += size
        return size
