"""Explains the model and the tuning, and writes pictures, numbers and the page."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from tunesmith.errors import told_of
from tunesmith.finished import Finished, Report
from tunesmith_explain._effects import Effects, Reason, random_kept
from tunesmith_explain._model import Explained, Limits, Local, explain_model
from tunesmith_explain._page import Picture, Section, page
from tunesmith_explain._pictures import SHOWN, Bars, importance, local
from tunesmith_explain._style import style
from tunesmith_explain._tuning import Tuning, explain_tuning
from tunesmith_explain._words import model_sentences, tuning_sentences

__all__ = ["Limits", "write_report"]

_DPI = 120


@dataclass(frozen=True)
class Found:
    """All that is known; None where there is nothing, with the reason in `wrong`."""

    model: Explained | None
    tuning: Tuning | None
    wrong: dict[str, str]


def write_report(study: str, finished: Finished, folder: Path, limits: Limits) -> Report:
    """Write `index.html` first, then the pictures it holds, and `explain.json`."""
    with random_kept():
        found = _explain(finished, limits)
    model_words = model_sentences(found.model, found.wrong.get("model", ""))
    tuning_words = tuning_sentences(found.tuning, found.wrong.get("tuning", ""))
    with style():
        sections = [
            *_model_sections(found.model, model_words),
            _tuning_section(found.tuning, tuning_words),
        ]
    title = f"{study}: round {finished.round.number} explained"
    files = {"index.html": page(title, sections).encode()}
    files |= {shot.file: shot.data for section in sections for shot in section.pictures}
    numbers = _numbers(found)
    files["explain.json"] = json.dumps(numbers, indent=2, ensure_ascii=False).encode()
    for name, data in files.items():
        _write(folder / name, data)
    return Report([folder / name for name in files], [*model_words, *tuning_words], _metrics(found))


def _explain(finished: Finished, limits: Limits) -> Found:
    """Each part by itself: one that fails leaves the other as it is."""
    wrong: dict[str, str] = {}
    model, tuning = None, None
    if finished.fitted is None:
        wrong["model"] = "the objective keeps no model, or none could be fitted"
    else:
        try:
            model = explain_model(finished.fitted, limits)
        except Exception as error:  # a model is user code and may raise anything
            wrong["model"] = told_of(error)
    try:
        tuning = explain_tuning(finished.round)
    except Exception as error:  # told on the page and in the summary
        wrong["tuning"] = told_of(error)
    return Found(model, tuning, wrong)


def _model_sections(model: Explained | None, words: list[str]) -> list[Section]:
    if model is None:
        return [Section("The model", words)]
    effects = model.effects
    shot = _picture("features", f"Effects on the {model.what}", importance(effects, model.what))
    sections = [Section("What the model goes by", words, [shot], _table(effects))]
    if model.local:
        shots = [_local_picture(number, one) for number, one in enumerate(model.local, 1)]
        sections.append(Section("Single rows", [], shots))
    return sections


def _local_picture(number: int, one: Local) -> Picture:
    panels = [Bars(f"SHAP: effect on the {one.unit}", one.shap)]
    text = f"{one.name[0].upper()}{one.name[1:]}: {one.row.why}. The model {one.row.said}."
    if one.lime:
        panels.append(
            Bars(f"LIME: weight for the answer (R² {one.lime.fit:.2f})", one.lime.weights)
        )
    return _picture(f"row_{number}", text, local(text, panels), caption=False)


def _tuning_section(tuning: Tuning | None, words: list[str]) -> Section:
    title = "What made the score"
    if tuning is None or tuning.effects is None or tuning.why_not:
        return Section(title, words)
    shot = _picture(
        "tuning",
        f"Hyperparameters: effects on {tuning.metric}",
        importance(tuning.effects, tuning.metric),
    )
    rows = [[*row, tuning.better[row[0]]] for row in _table(tuning.effects)]
    return Section(title, words, [shot], rows)


def _table(effects: Effects) -> list[list[str]]:
    """Name, importance and share of those in the picture."""
    values, shares = effects.importance, effects.shares
    return [
        [effects.names[column], f"{values[column]:.4g}", f"{shares[column]:.1%}"]
        for column in effects.top(SHOWN)
    ]


def _numbers(found: Found) -> dict[str, Any]:
    model, tuning = found.model, found.tuning
    return {
        "model": {
            "importance": _ranked(model.effects),
            "of": model.what,
            "method": model.effects.method,
            "rows": model.rows,
            "single_rows": [_local_numbers(one) for one in model.local],
        }
        if model
        else None,
        "tuning": {
            "importance": _ranked(tuning.effects) if tuning.effects else {},
            "of": tuning.metric,
            "trials": tuning.trials,
            "rank_correlation": tuning.rho,
            "trusted": not tuning.why_not,
            "better": tuning.better,
        }
        if tuning
        else None,
        "wrong": found.wrong,
    }


def _local_numbers(one: Local) -> dict[str, Any]:
    return {
        "row": one.name,
        "why": one.row.why,
        "answer": one.row.said,
        "shap": _weights(one.shap),
        "lime": _weights(one.lime.weights) if one.lime else None,
        "lime_r2": one.lime.fit if one.lime else None,
    }


def _weights(reasons: Sequence[Reason]) -> dict[str, float]:
    return {reason.words: reason.weight for reason in reasons}


def _ranked(effects: Effects) -> dict[str, float]:
    values = effects.importance
    return {
        effects.names[column]: float(values[column]) for column in effects.top(len(effects.names))
    }


def _metrics(found: Found) -> dict[str, float]:
    metrics = {}
    if found.model:
        metrics["explain_top_share"] = float(found.model.effects.shares.max())
    if found.tuning and found.tuning.rho is not None:
        metrics["explain_tuning_rho"] = found.tuning.rho
    return metrics


def _picture(name: str, title: str, figure: Figure, caption: bool = True) -> Picture:
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI)
    return Picture(f"{name}.png", title, buffer.getvalue(), caption)


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(data)
    os.replace(part, path)
