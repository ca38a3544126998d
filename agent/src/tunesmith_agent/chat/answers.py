"""What a session answers, in lines: the draft, evidence, tables and earlier decisions."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

from tunesmith.changes import short
from tunesmith.cli.output import printable
from tunesmith.proposals import Edit
from tunesmith_agent.chat.session import Session
from tunesmith_agent.story import tell
from tunesmith_agent.view import evidence_lines, screen_of, story_lines


def draft(session: Session, said: dict[str, str]) -> Iterator[str]:
    """The working draft, as a proposal would be shown."""
    return story_lines(tell(session.draft, session.history), screen_of(sys.stdout))


def evidence(session: Session, said: dict[str, str]) -> Iterator[str]:
    """All of it, with numbers."""
    if not session.base.evidence:
        yield "there is no evidence yet; 'show' says why"
    for row in session.base.evidence:
        yield from evidence_lines(row, screen_of(sys.stdout))


def why(session: Session, edit: Edit | None, parameter: str) -> Iterator[str]:
    """The evidence and notes about an edit or a parameter."""
    rows = [
        row
        for row in session.base.evidence
        if (row.id in edit.evidence if edit else parameter in row.parameters)
    ]
    ids = {row.id for row in rows}
    for row in rows:
        yield from evidence_lines(row, screen_of(sys.stdout))
    notes = [
        note
        for note in session.base.notes
        if ids & set(note.evidence) or (parameter and parameter in note.sentence)
    ]
    for note in notes:
        yield printable(f"{note.kind}: {note.sentence}")
    if edit and edit.why:
        yield printable(edit.why)
    if not rows and not notes:
        what = edit.id if edit else f"'{parameter}'"
        yield (
            f"no evidence is about {what}; 'show {parameter}' has its trials"
            if parameter
            else (f"{what} rests on no evidence")
        )


def failures(session: Session, said: dict[str, str]) -> Iterator[str]:
    """How many trials failed, and where the latest of them were."""
    found = session.tables.failures()
    yield f"{found['failed']} of {found['of']} trials failed"
    yield from rows(found["latest"])


def decisions(session: Session, said: dict[str, str]) -> Iterator[str]:
    """What was decided before."""
    known = session.tables.earlier_decisions()
    if not known:
        yield "nothing was decided yet"
    for row in known:
        reason = f", because {row['reason']}" if row["reason"] else ""
        yield printable(
            f"proposal {row['proposal']}, {row['edit']}: {row['verdict']} by {row['by']}{reason}"
        )


def rows(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    """A row of a table in a line each."""
    for row in found:
        yield "  ".join(printable(f"{name} {_cell(value)}") for name, value in row.items())


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {short(number)}" for name, number in value.items())
    return value if isinstance(value, str) else short(value)
