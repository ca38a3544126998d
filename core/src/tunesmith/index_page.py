"""The page that sums up a round's reports and links their files: one file, nothing from outside."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from tunesmith.finished import Finished, Report
from tunesmith.gates import gates_of
from tunesmith.limits import nearest
from tunesmith.study import Study
from tunesmith.trial import Round, pareto_front

_MIME = {".png": "image/png", ".svg": "image/svg+xml"}
_LARGEST = 2_000_000
"""Bytes of a picture that is still shown on the page itself."""


def write_index(study: Study, finished: Finished, folder: Path) -> Path:
    """Write `index.html` into the round's folder, whole or not at all. Raises OSError."""
    template = Template(files("tunesmith").joinpath("index.html").read_text("utf-8"))
    round = finished.round
    text = template.substitute(
        title=escape(f"{study.name}: round {round.number}"),
        summary=escape(_summary(study, round)),
        notes="".join(f'<p class="bad">{escape(note)}</p>' for note in finished.notes),
        best=_best(round),
        final=_final(round),
        gates=_gates(study, round),
        reports="\n".join(
            _section(name, report, folder) for name, report in finished.reports.items()
        ),
    )
    path, part = folder / "index.html", folder / "index.html.part"
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)
    return path


def _summary(study: Study, round: Round) -> str:
    states = [str(trial.state) for trial in round.trials if trial.counts]
    counts = ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states)))
    goals = ", ".join(f"{goal.direction} {goal.metric}" for goal in round.goals)
    ended = f" It ended: {round.reason}." if round.reason else ""
    words = f"{study.description.strip()} " if study.description.strip() else ""
    return f"{words}Goal: {goals}. Space v{round.space_version}; {counts or 'no'} trials.{ended}"


def _best(round: Round) -> str:
    front = pareto_front(round.trials, round.goals)
    if not front:
        why = nearest(round.trials, round.goals, round.limits) or "no trial is complete"
        return f"<p>There is none: {escape(why)}.</p>"
    best = front[0]
    scores = {goal.metric: best.metrics[goal.metric] for goal in round.goals}
    several = len(round.goals) > 1 and len(front) > 1
    more = f", one of {len(front)} on the Pareto front" if several else ""
    return f"<p>Trial {best.number}{more}.</p>" + _terms(
        {name: f"{value:.6g}" for name, value in scores.items()}
        | {name: f"{v:.6g}" if isinstance(v, float) else str(v) for name, v in best.params.items()}
    )


def _final(round: Round) -> str:
    numbers = {name: f"{value:.6g}" for name, value in round.final.items()}
    what = "<p>Of this configuration, fitted once more, and of the reports.</p>"
    return f"<h2>Final metrics</h2>{what}{_terms(numbers)}" if numbers else ""


def _gates(study: Study, round: Round) -> str:
    if not study.gates:
        return ""
    lines = (
        f'<li class="{"bad" if gate.obstacle else "good"}">'
        f"{escape(gate.formula)}: {escape(gate.obstacle or 'passed')}</li>"
        for gate in gates_of(study, round)
    )
    return f"<h2>Gates</h2><ul>{''.join(lines)}</ul>"


def _section(name: str, report: Report, folder: Path) -> str:
    """A reporter's own words, its first picture, and where its files are."""
    words = "".join(f"<p>{escape(sentence)}</p>" for sentence in report.summary)
    links = "".join(_link(path, folder) for path in report.files)
    empty = "" if report.files or report.summary else '<p class="bad">It made nothing.</p>'
    pictures = [path for path in report.files if path.suffix in _MIME]
    shown = _picture(pictures[0]) if pictures else ""
    return (
        f'<section><h2 id="{escape(name)}">{escape(name)}</h2>{words}{empty}{shown}'
        f"<ul>{links}</ul></section>"
    )


def _link(path: Path, folder: Path) -> str:
    there = Path(os.path.relpath(path, folder)).as_posix()
    return f'<li><a href="{escape(there)}">{escape(there)}</a></li>'


def _picture(path: Path) -> str:
    if path.stat().st_size > _LARGEST:
        return ""
    content = base64.b64encode(path.read_bytes()).decode()
    return f'<img alt="{escape(path.name)}" src="data:{_MIME[path.suffix]};base64,{content}">'


def _terms(pairs: Mapping[str, str]) -> str:
    found = (
        f"<div><dt>{escape(term)}</dt><dd>{escape(text)}</dd></div>" for term, text in pairs.items()
    )
    return f"<dl>{''.join(found)}</dl>"
