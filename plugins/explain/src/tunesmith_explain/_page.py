"""The page that shows the explanations: one file, nothing from the network, all text escaped."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from string import Template

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
    template = Template(files("tunesmith_explain").joinpath("page.html").read_text("utf-8"))
    return template.substitute(title=escape(title), sections="\n".join(map(_section, sections)))


def _section(section: Section) -> str:
    words = "".join(f"<p>{escape(sentence)}</p>" for sentence in section.words)
    pictures = "\n".join(map(_figure, section.pictures))
    return f"<h2>{escape(section.title)}</h2>{words}{pictures}{_table(section.rows)}"


def _figure(picture: Picture) -> str:
    content = base64.b64encode(picture.data).decode()
    caption = f"<figcaption>{escape(picture.title)}</figcaption>" if picture.caption else ""
    return (
        f"<figure>{caption}"
        f'<img alt="{escape(picture.title)}" src="data:image/png;base64,{content}"></figure>'
    )


def _table(rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    heads = _line("th", _HEADS[: len(rows[0])])
    body = "".join(_line("td", row) for row in rows)
    return f'<details><summary>Numbers</summary><div class="wide"><table>{heads}{body}</table></div></details>'  # noqa: E501


def _line(tag: str, cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"
