"""Draws all pictures of a round and puts them on a page."""

import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from matplotlib.figure import Figure

from tunesmith.trial import Round
from tunesmith_plots._history import history, pareto
from tunesmith_plots._page import Picture, page
from tunesmith_plots._parameters import parameters
from tunesmith_plots._style import style

_LEGEND = (
    "Upright lines: the edges of the range. Grey bands and boxes: median and quartiles. "
    "Marks along the bottom: trials without a score."
)


def write_report(study: str, round: Round, folder: Path, format: str, dpi: int) -> list[Path]:
    """Write the pictures and `index.html`, which holds them too; the page comes first."""
    with style():
        pictures = [
            Picture(f"{name}.{format}", title, _render(figure, format, dpi))
            for name, title, figure in _figures(round)
        ]
    files = {"index.html": page(study, round, pictures).encode()}
    files |= {picture.file: picture.data for picture in pictures}
    for name, data in files.items():
        _write(folder / name, data)
    return [folder / name for name in files]


def _figures(round: Round) -> Iterator[tuple[str, str, Figure]]:
    yield "history", "Score of each trial", history(round)
    if len(round.goals) > 1:
        yield "pareto", "Goals against each other", pareto(round)
    for index, goal in enumerate(round.goals):
        name = "parameters" if index == 0 else f"parameters_{index + 1}"
        yield name, f"Parameters against {goal.metric}. {_LEGEND}", parameters(round, goal)


def _render(figure: Figure, format: str, dpi: int) -> bytes:
    buffer = BytesIO()
    # a date would make equal rounds give different files
    metadata = {"Date": None} if format == "svg" else {}
    figure.savefig(buffer, format=format, dpi=dpi, metadata=metadata)
    return buffer.getvalue()


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(data)
    os.replace(part, path)
