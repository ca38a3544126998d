"""What a logged text stands for: a number, true or false, nothing, or just the text."""

import math
import re

from tunesmith.expressions import Value

_INT = re.compile(r"[+-]?\d{1,15}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_WORDS: dict[str, Value] = {
    "True": True,
    "true": True,
    "False": False,
    "false": False,
    "None": None,
    "null": None,
}


def value_of(text: str) -> Value:
    """The value whose text this is; `nan` and `inf` stay texts, for no space holds them."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    if len(text) < 400 and _NUMBER.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text.encode("utf-8", "replace").decode()


def is_number(value: Value) -> bool:
    """Whether it is an int or a float; true and false are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def distinct(values: list[Value]) -> list[Value]:
    """Each value once: true, false, numbers, texts, null, each kind in its order."""
    # True == 1 in Python, but they are two values
    found = {(isinstance(value, bool), value): value for value in values}
    return sorted(found.values(), key=_order)


def _order(value: Value) -> tuple[int, float, str]:
    if value is None:
        return 3, 0.0, ""
    if isinstance(value, str):
        return 2, 0.0, value
    return (0 if isinstance(value, bool) else 1), value, ""


def shown(value: object, limit: int = 60) -> str:
    """The value in one line that is not too long."""
    text = "".join(sign if sign.isprintable() else " " for sign in str(value))
    return text if len(text) <= limit else text[: limit - 1] + "…"


def listed(items: list[str], limit: int = 12) -> str:
    """`a, b and 7 more`."""
    if len(items) <= limit:
        return ", ".join(items)
    return f"{', '.join(items[:limit])} and {len(items) - limit} more"


def counted(number: int, what: str) -> str:
    """`1 run`, `2 runs`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
