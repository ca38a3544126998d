"""The look that all pictures share: colours, fonts, and text that the fonts can draw."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

import matplotlib
import matplotlib.style
from matplotlib import font_manager
from matplotlib.axes import Axes

# colour-blind safe, the same as in the pictures of plots
BLUE, ORANGE = "#0173b2", "#de8f05"
CLASSES = (
    *(BLUE, ORANGE, "#029e73", "#d55e00", "#cc78bc"),
    *("#ca9161", "#fbafe4", "#4b5563", "#ece133", "#56b4e9"),
)
GREY, INK = "#8a9099", "#22262b"

_SCRIPTS = ("Noto Sans CJK SC", "Noto Sans CJK JP", "WenQuanYi Zen Hei", "PingFang SC")
"""Fonts beyond DejaVu's alphabets, used where the machine has them."""


@contextmanager
def style() -> Iterator[None]:
    """Matplotlib's own defaults and our look, whatever the user's settings are."""
    look = {
        "font.family": _families(),
        "font.size": 9.5,
        "text.parse_math": False,  # a column's name may hold a dollar sign
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": "#b4b9c0",
        "axes.labelsize": 9.5,
        "axes.titlesize": 10,
        "axes.titlelocation": "left",
        "axes.axisbelow": True,
        "axes.grid": True,
        "axes.grid.axis": "x",
        "grid.color": "#e8eaed",
        "xtick.color": "#5d646d",
        "ytick.color": INK,
        "xtick.labelsize": 8.5,
        "ytick.labelsize": 9,
        "legend.frameon": False,
        "legend.fontsize": 8.5,
    }
    with matplotlib.style.context(["default", look]):
        yield


def despine(axes: Axes) -> None:
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)


def label(text: str, limit: int) -> str:
    """The text, cut in the middle, with escapes for what no font at hand can draw."""
    if len(text) > limit:
        head = (limit - 1) // 2
        text = f"{text[:head]}…{text[head + 1 - limit :]}"
    glyphs = _glyphs()
    return "".join(
        char if ord(char) in glyphs else char.encode("unicode_escape").decode() for char in text
    )


def labels(names: Sequence[str], limit: int) -> list[str]:
    """All names cut; where that makes two alike, without what all of them begin with."""
    cut = [label(name, limit) for name in names]
    if len(set(cut)) == len(set(names)):
        return cut
    start = next(
        place
        for place in range(len(max(names, key=len)) + 1)
        if len({name[: place + 1] for name in names}) > 1
    )
    return [label(f"…{name[start:]}", limit) for name in names]


@cache
def _families() -> list[str]:
    have = set(font_manager.fontManager.get_font_names())
    return ["DejaVu Sans", *(name for name in _SCRIPTS if name in have)]


@cache
def _glyphs() -> frozenset[int]:
    charmaps = (
        font_manager.get_font(font_manager.findfont(name)).get_charmap() for name in _families()
    )
    return frozenset(code for charmap in charmaps for code in charmap)
