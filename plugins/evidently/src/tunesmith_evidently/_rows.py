"""Rows as Evidently wants them: frames with text for names, and not too many of them."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from tunesmith.errors import PluginError
from tunesmith.finished import Table


@dataclass(frozen=True)
class Rows:
    """Some rows of a table: `x` as the model takes it, `frame` with text for column names."""

    x: Any
    y: Any
    frame: Any
    total: int
    """How many there were before some were sampled."""

    def __len__(self) -> int:
        return len(self.frame)


def rows_of(table: Table, most: int, seed: int) -> Rows:
    """All rows, or `most` of them by the seed. Raises PluginError for what is no table."""
    shape: tuple[int, ...] = getattr(table.x, "shape", ())
    if len(shape) != 2 or 0 in shape:
        raise PluginError(
            f"the data is no table with rows and columns, but {_described(table.x)}; "
            "leave 'evidently' out of the reporters"
        )
    chosen = table.sampled(most, seed)
    return Rows(chosen.x, chosen.y, frame_of(chosen.x), shape[0])


def frame_of(x: Any) -> Any:
    """A frame of the same values; columns of arrays are named by their place, from 0."""
    if hasattr(x, "toarray"):
        x = x.toarray()
    frame = pd.DataFrame(x).reset_index(drop=True)
    frame.columns = unique_names(frame.columns)
    return frame


def unique_names(columns: Any) -> list[str]:
    """The names as text; a name that occurs again gets its place behind it."""
    found: list[str] = []
    for place, column in enumerate(columns):
        name = str(column)
        found.append(name if name not in found else f"{name} ({place})")
    return found


def _described(x: Any) -> str:
    shape = getattr(x, "shape", None)
    return f"of type '{type(x).__name__}'" + (f" and shape {shape}" if shape is not None else "")
