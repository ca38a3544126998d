"""The look that all pictures share: colours, fonts, and text that the fonts can draw."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import matplotlib
import matplotlib.style
import numpy as np
from matplotlib import font_manager
from matplotlib.colors import ListedColormap

from tunesmith.expressions import Value

# seaborn's colour-blind safe palette; to import seaborn for it takes longer than most pictures
BLUE, ORANGE, GREEN, RED, PURPLE = "#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc"
GREY, INK = "#8a9099", "#22262b"
STATE_COLOURS = {"failed": RED, "pruned": PURPLE, "no score": GREEN, "running": GREY}
SHADES = ListedColormap(matplotlib.colormaps["viridis_r"](np.linspace(0.06, 1, 256)))
"""Light to dark, in an order that colour-blind people and grey printers keep."""

_SCRIPTS = ("Noto Sans CJK SC", "Noto Sans CJK JP", "WenQuanYi Zen Hei", "PingFang SC")
"""Fonts beyond DejaVu's alphabets, used where the machine has them."""


@contextmanager
def style() -> Iterator[None]:
    """Matplotlib's own defaults and our look, whatever the user's settings are."""
    look = {
        "font.family": _families(),
        "font.size": 9.5,
        "text.parse_math": False,  # a choice may hold a dollar sign
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": "#b4b9c0",
        "axes.labelsize": 9.5,
        "axes.titlesize": 10,
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "axes.axisbelow": True,
        "grid.color": "#e8eaed",
        "lines.solid_capstyle": "round",
        "patch.edgecolor": "white",
        "patch.force_edgecolor": True,
        "xtick.color": "#5d646d",
        "ytick.color": "#5d646d",
        "xtick.labelsize": 8.5,
        "ytick.labelsize": 8.5,
        "legend.frameon": False,
        "legend.fontsize": 8.5,
        "svg.hashsalt": "tunesmith",  # equal rounds give equal files
    }
    with matplotlib.style.context(["default", look]):
        yield


def text_of(value: Value) -> str:
    """The value as it stands in a study file."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value) if value != "" else '""'


def label(text: str, limit: int) -> str:
    """The text, cut in the middle, with escapes for what no font at hand can draw."""
    if len(text) > limit:
        head = (limit - 1) // 2
        text = f"{text[:head]}…{text[head + 1 - limit :]}"
    glyphs = _glyphs()
    return "".join(
        char if ord(char) in glyphs else char.encode("unicode_escape").decode() for char in text
    )


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
