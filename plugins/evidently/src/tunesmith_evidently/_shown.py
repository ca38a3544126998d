"""Prints what a monitoring found."""

import os
import shlex
from collections.abc import Iterator

import click

from tunesmith.cli.output import printable, show_data, show_rows
from tunesmith_evidently._monitor import Monitoring


def show(found: Monitoring, study: str, format: str) -> None:
    """A table and sentences for people, or data for programs."""
    advice = _advice(found, study)
    if format != "table":
        show_data(_data(found, advice), format)
        return
    show_rows(list(_rows(found)), "table")
    click.echo()
    for sentence in [*found.said, advice]:
        click.echo(printable(sentence))
    for path in found.files:
        if path.suffix == ".html":
            click.echo(f"report {min(str(path), os.path.relpath(path), key=len)}")


def _rows(found: Monitoring) -> Iterator[dict[str, object]]:
    drift, quality = found.drift, found.quality
    many = len(drift.columns)
    yield {
        "check": "drift",
        "before": f"{many} columns",
        "now": f"{len(drift.drifted)} drifted",
        "verdict": "drifted" if found.drifted else "ok",
    }
    if quality:
        yield {
            "check": quality.scorer,
            "before": f"{quality.held_out:.4g}",
            "now": f"{quality.now:.4g}",
            "verdict": "degraded" if quality.degraded else "ok",
        }
    else:
        yield {"check": "quality", "before": None, "now": None, "verdict": "not judged"}


def _advice(found: Monitoring, study: str) -> str:
    if not found.advised:
        return "No new round is advised."
    why = [
        reason
        for reason, holds in (
            ("the data drifted", found.drifted),
            ("the model got worse", found.degraded),
        )
        if holds
    ]
    return (
        f"A new round is advised, because {' and '.join(why)}: add the new rows to the study's "
        f"data, then: tunesmith run {shlex.quote(study)} --new-round"
    )


def _data(found: Monitoring, advice: str) -> dict[str, object]:
    drift, quality = found.drift, found.quality
    return {
        "study": found.study,
        "round": found.round,
        "current": str(found.current),
        "rows": found.rows,
        "drift": {
            "share": drift.share,
            "allowed": found.allowed,
            "compared": len(drift.columns),
            "columns": drift.drifted,
            "drifted": found.drifted,
        },
        "quality": quality
        and {
            "scorer": quality.scorer,
            "held_out": quality.held_out,
            "now": quality.now,
            "change": [quality.low, quality.high],
            "degraded": quality.degraded,
        },
        "unjudged": found.unjudged,
        "advised": found.advised,
        "said": [*found.said, advice],
        "files": [str(path) for path in found.files],
    }
