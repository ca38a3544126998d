"""The page that sums up a round's reports and links their files: one file, nothing from outside."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path

from tunesmith.finished import Finished, Report
from tunesmith.gates import gates_of
from tunesmith.limits import nearest
from tunesmith.page import PICTURES, figure, heading, image, page, paragraphs, terms
from tunesmith.study import Study
from tunesmith.trial import Round, pareto_front

_LARGEST = 2_000_000
"""Bytes of a picture that is still shown on the page itself."""


def write_index(study: Study, finished: Finished, folder: Path) -> Path:
    """Write `index.html` into the round's folder, whole or not at all. Raises OSError."""
    round = finished.round
    text = page(
        f"{study.name}: round {round.number}",
        paragraphs([_summary(study, round)]),
        paragraphs(finished.notes, "bad"),
        heading("Best trial"),
        _best(round),
        _final(round),
        _gates(study, round),
        *(_section(name, report, folder) for name, report in finished.reports.items()),
    )
    folder.mkdir(parents=True, exist_ok=True)
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
        return paragraphs([f"There is none: {why}."])
    best = front[0]
    scores = {goal.metric: best.metrics[goal.metric] for goal in round.goals}
    several = len(round.goals) > 1 and len(front) > 1
    more = f", one of {len(front)} on the Pareto front" if several else ""
    return paragraphs([f"Trial {best.number}{more}."]) + terms(
        {name: f"{value:.6g}" for name, value in scores.items()}
        | {
            name: f"{v:.6g}" if isinstance(v, float) else "null" if v is None else str(v)
            for name, v in best.params.items()
        }
    )


def _final(round: Round) -> str:
    if not round.final:
        return ""
    what = "Of this configuration, fitted once more, and of the reports."
    numbers = {name: f"{value:.6g}" for name, value in round.final.items()}
    return heading("Final metrics") + paragraphs([what]) + terms(numbers)


def _gates(study: Study, round: Round) -> str:
    if not study.gates:
        return ""
    lines = (
        f'<li class="{"bad" if gate.obstacle else "good"}">'
        f"{escape(gate.formula)}: {escape(gate.obstacle or 'passed')}</li>"
        for gate in gates_of(study, round)
    )
    return f"{heading('Gates')}<ul>{''.join(lines)}</ul>"


def _section(name: str, report: Report, folder: Path) -> str:
    """A reporter's own words, its first picture, and where its files are."""
    words = paragraphs(report.summary)
    links = "".join(_link(path, folder) for path in report.files)
    empty = "" if report.files or report.summary else '<p class="bad">It made nothing.</p>'
    pictures = [path for path in report.files if path.suffix in PICTURES]
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
    return figure(image(path.name, path.read_bytes(), path.name))
