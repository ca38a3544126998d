"""Draws all pictures of a round, puts them on a page, and says in words what they show."""

import os
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tunesmith.finished import Finished, Report
from tunesmith.trial import Round
from tunesmith_plots._contour import contour
from tunesmith_plots._curves import curves
from tunesmith_plots._history import history, pareto
from tunesmith_plots._importance import Importance, importance, importances
from tunesmith_plots._page import Picture, page
from tunesmith_plots._parallel import parallel
from tunesmith_plots._parameters import parameters
from tunesmith_plots._style import style
from tunesmith_plots._summary import summary
from tunesmith_plots._timeline import lanes, timeline
from tunesmith_plots._versions import spaces, versions

_READING = {
    "history": "Each dot is a trial, the line the best score so far: where it has been flat for "
    "long, more trials bring little.",
    "pareto": "No other trial is better in every goal than those of the front.",
    "importance": "A bar is the share that the parameter alone explains of whether a trial is "
    "among the best quarter, the line its 90% interval. Grey: it may well be nothing. What "
    "parameters do together is not in it.",
    "parameters": "Upright lines: the edges of the range; good trials that crowd there ask for a "
    "wider one. Grey bands and boxes: median and quartiles. Marks along the bottom: trials "
    "without a score.",
    "parallel": "Each line is a trial, each row a parameter from the low end of its range to the "
    "high one, the most important on top. Where dark lines pass close together, good trials agree.",
    "contour": "The surface is the mean score of the trials nearby, the darker the better; it is "
    "blank where there are none. Dots are trials.",
    "curves": "What trials reported step by step. A pruned trial's curve ends in its mark.",
    "timeline": "Each bar is a trial from start to end, in the first lane that was free; grey "
    "between bars is idle time. Below: how many ran at once. A dashed line: the round was stopped, "
    "and the pause is left out.",
    "spaces": "A bar for each range that a parameter had, on one scale a row; orange is the "
    "latest, grey never changed.",
}

Found = Mapping[str, Sequence[Importance]]


def write_report(study: str, finished: Finished, folder: Path, format: str, dpi: int) -> Report:
    """Write the pictures and `index.html`, which holds them too; the page comes first."""
    round = finished.round
    found = {goal.metric: importances(round, goal) for goal in round.goals}
    with style():
        pictures = [
            Picture(
                f"{name}.{format}",
                title,
                _READING[name.partition("_")[0]],
                _render(figure, format, dpi),
            )
            for name, title, figure in _figures(finished, found)
            if figure
        ]
    files = {"index.html": page(study, round, pictures).encode()}
    files |= {picture.file: picture.data for picture in pictures}
    for name, data in files.items():
        _write(folder / name, data)
    return Report([folder / name for name in files], summary(finished, found))


def _figures(finished: Finished, found: Found) -> Iterator[tuple[str, str, Figure | None]]:
    round = finished.round
    yield "history", "Score of each trial", history(round)
    if len(round.goals) > 1:
        yield "pareto", "Goals against each other", pareto(round)
    yield "importance", "Which parameters matter", importance(round, found)
    yield from _of_parameters(round, found)
    yield "curves", "Scores on the way", curves(round)
    if bars := lanes(round):
        yield "timeline", "Who worked when", timeline(bars)
    if len(known := spaces(finished.earlier, round)) > 1:
        yield "spaces", "How the space changed", versions(known)


def _of_parameters(round: Round, found: Found) -> Iterator[tuple[str, str, Figure | None]]:
    for index, goal in enumerate(round.goals):
        name = "parameters" if index == 0 else f"parameters_{index + 1}"
        yield name, f"Parameters against {goal.metric}", parameters(round, goal)
    yield "contour", "The two most important parameters together", contour(round, found)
    if len(round.space.parameters) > 1:
        goal = round.goals[0]
        yield "parallel", "All parameters at once", parallel(round, goal, found[goal.metric])


def _render(figure: Figure, format: str, dpi: int) -> bytes:
    buffer = BytesIO()
    if format == "svg":
        # a date would make equal rounds give different files
        figure.savefig(buffer, format=format, dpi=dpi, metadata={"Date": None})
    else:
        # what `savefig` would write, which draws twice; compressing a large picture takes long
        figure.set_dpi(dpi)
        canvas = FigureCanvasAgg(figure)
        canvas.print_png(buffer, pil_kwargs={"compress_level": 2})  # type: ignore[no-untyped-call]
    return buffer.getvalue()


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(data)
    os.replace(part, path)
