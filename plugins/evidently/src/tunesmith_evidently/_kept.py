"""A study's finished round with its model, and where the reports on it are kept."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from tunesmith.errors import PluginError
from tunesmith.finished import Finished, Fitted, Table
from tunesmith.reporting import report_folder
from tunesmith.study import Study
from tunesmith.trial import Round
from tunesmith_evidently._place import Place


def training(study: Study, finished: Finished) -> tuple[Fitted, Table]:
    """The round's model and the rows that it was fitted on. Raises PluginError for neither."""
    fitted, round = finished.fitted, finished.round
    if fitted is None:
        why = "; ".join(finished.notes) or "its objective keeps none, as 'sklearn' would"
        raise PluginError(
            f"round {round.number} of study '{study.name}' has no model to monitor: {why}; run a "
            "new round"
        )
    if fitted.train is None:
        raise PluginError(
            f"the model of round {round.number} comes without the rows that it was fitted on, so "
            "there is nothing to compare with; use an objective that gives them, such as 'sklearn'"
        )
    return fitted, fitted.train


def new_place(study: Study, round: Round, current: Path, time: str) -> Place:
    """Where this monitoring's files go: under names of their own."""
    folder = report_folder(study, round) / "monitor"
    stem = "".join(each if each.isalnum() or each in "-_" else "-" for each in current.stem)
    prefix, more = f"{stem}-{time}-", 1
    while any(folder.glob(f"{prefix}*")):
        more += 1
        prefix = f"{stem}-{time}.{more}-"
    return Place(folder, prefix)


def add_line(study: Study, round: Round, line: Mapping[str, object]) -> Path:
    """Add a line to `monitor.csv`, the history of a round's monitorings."""
    place = Place(report_folder(study, round))
    path = place.folder / "monitor.csv"
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(line), lineterminator="\n")
    if not path.exists():
        writer.writeheader()
    writer.writerow(line)
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    return place.write(path.name, before + text.getvalue())
