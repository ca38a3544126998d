"""Writes what was found of drift and health, and says it in words. Import it inside `settled`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tunesmith_evidently._drift import Drift
from tunesmith_evidently._evidently import drift_page
from tunesmith_evidently._health import Health
from tunesmith_evidently._place import Place
from tunesmith_evidently._rows import Rows


def write_drift(drift: Drift, rows: tuple[Rows, Rows], most: int, place: Place) -> list[Path]:
    """`drift.html`, where anything could be compared, and `drift.json`."""
    data: dict[str, Any] = {
        "drift_share": drift.share,
        "drifted_columns": len(drift.drifted),
        "compared_columns": len(drift.columns),
        "rows": {"reference": len(rows[0]), "current": len(rows[1])},
        "columns": [
            {
                "column": moved.pair.name,
                "kind": str(moved.pair.kind),
                "shift": moved.shift,
                "threshold": moved.threshold,
                "drifted": moved.drifted,
            }
            for moved in drift.moved
        ],
        "left_out": drift.left_out,
    }
    files = []
    if drift.moved:
        html, data["evidently"] = drift_page(drift, most)
        files.append(place.write("drift.html", html))
    return [*files, place.write_json("drift.json", data)]


def write_health(health: Health, place: Place) -> list[Path]:
    """`health.html`, where Evidently can draw it, and `health.json`."""
    data = {
        "reference": health.reference,
        "current": health.current,
        "remarks": health.remarks,
        "evidently": health.measured,
    }
    files = [] if health.html is None else [place.write("health.html", health.html)]
    return [*files, place.write_json("health.json", data)]


def drift_words(drift: Drift, reference: str, current: str) -> list[str]:
    """What drifted, in sentences; `reference` and `current` name the rows compared."""
    count, many = len(drift.drifted), len(drift.columns)
    if not many:
        said = ["No column could be compared for drift."]
    elif count:
        verb = "has" if count == 1 else "have"
        said = [
            f"{count} of {many} columns {verb} drifted between {reference} and {current}: "
            f"{_listed(drift.drifted)}."
        ]
    else:
        said = [f"None of {many} columns has drifted between {reference} and {current}."]
    for reason in dict.fromkeys(drift.left_out.values()):
        names = [name for name, why in drift.left_out.items() if why == reason]
        said.append(f"Not compared, because {reason}: {_listed(names)}.")
    return said


def health_words(health: Health, reference: str, current: str) -> list[str]:
    """How good the model is on both sets of rows, in sentences."""
    scores = [
        f"{name} {health.reference[name]:.4g} on {reference}, {value:.4g} on {current}"
        for name, value in health.current.items()
        if name in health.reference
    ]
    return [f"The model's {'; '.join(scores)}.", *health.remarks]


def sampled_words(rows: Sequence[tuple[str, Rows]]) -> list[str]:
    return [
        f"Of {each.total:,} {name}, {len(each):,} were sampled."
        for name, each in rows
        if each.total > len(each)
    ]


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:8])
    return shown + (f" and {len(names) - 8} more" if len(names) > 8 else "")
