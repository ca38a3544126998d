"""Pages for people to read: one HTML file each, nothing from outside, all that is told escaped."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from html import escape
from importlib.resources import files
from pathlib import PurePath
from string import Template

PICTURES = {".png": "image/png", ".svg": "image/svg+xml"}
"""Kinds of pictures that can stand on a page, by the ends of their files' names."""
_SHORT = 30


def page(title: str, *parts: str) -> str:
    """A whole page of pieces of HTML, such as those that the functions below make."""
    template = Template(files("tunesmith").joinpath("page.html").read_text("utf-8"))
    return template.substitute(title=escape(title), body="\n".join(parts))


def heading(text: str) -> str:
    """The title of a part of the page."""
    return f"<h2>{escape(text)}</h2>"


def paragraphs(sentences: Iterable[str], kind: str = "") -> str:
    """A paragraph a sentence; `kind` is `good`, `bad`, `how` (small and grey) or nothing."""
    mark = f' class="{kind}"' if kind else ""
    return "".join(f"<p{mark}>{escape(sentence)}</p>" for sentence in sentences)


def terms(pairs: Mapping[str, str]) -> str:
    """Names with what they stand for, in as many columns as there is room for."""
    found = (
        f"<div><dt>{escape(term)}</dt><dd>{escape(text)}</dd></div>" for term, text in pairs.items()
    )
    return f"<dl>{''.join(found)}</dl>"


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table that scrolls by itself where it is wider than the page."""
    top = "".join(f"<th>{escape(cell)}</th>" for cell in heads)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f'<div class="wide"><table><tr>{top}</tr>{body}</table></div>'


def image(file: str, data: bytes, title: str) -> str:
    """A picture that is part of the page; the end of the file's name tells its kind."""
    content = base64.b64encode(data).decode()
    kind = PICTURES[PurePath(file).suffix]
    return f'<img alt="{escape(title)}" src="data:{kind};base64,{content}">'


def figure(image: str, title: str = "", reading: str = "") -> str:
    """An `image` in a frame, under its title and how to read it."""
    words = (f"<b>{escape(title)}</b> " if title else "") + escape(reading)
    caption = f"<figcaption>{words}</figcaption>" if words else ""
    return f'<figure>{caption}<div class="wide">{image}</div></figure>'


def _cell(text: str) -> str:
    mark = ' class="short"' if len(text) < _SHORT else ""
    return f"<td{mark}>{escape(text)}</td>"
