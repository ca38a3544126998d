"""The page that shows the explanations: one file, nothing from the network, all text escaped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files

from tunesmith import page as html

_HEADS = ("name", "mean effect", "share", "which values")


@dataclass(frozen=True)
class Picture:
    """A picture as it is written: the file's name, what it shows, and its content."""

    file: str
    title: str
    data: bytes
    caption: bool = True
    """Whether the page says the title above it: some pictures say it themselves."""


@dataclass(frozen=True)
class Section:
    """A part of the page; `rows` are name, importance, share and perhaps which values are good."""

    title: str
    words: Sequence[str]
    pictures: Sequence[Picture] = ()
    rows: Sequence[Sequence[str]] = field(default=())


def page(title: str, sections: Sequence[Section]) -> str:
    """The HTML of the whole page."""
    how = files("tunesmith_explain").joinpath("how.html").read_text("utf-8")
    return html.page(title, *map(_section, sections), how)


def _section(section: Section) -> str:
    figures = (
        html.figure(
            html.image(shot.file, shot.data, shot.title), reading=shot.title if shot.caption else ""
        )
        for shot in section.pictures
    )
    words = html.heading(section.title) + html.paragraphs(section.words)
    return words + "".join(figures) + _numbers(section.rows)


def _numbers(rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    table = html.table(_HEADS[: len(rows[0])], rows)
    return f"<details><summary>Numbers</summary>{table}</details>"
