"""Whether what a language model cites is there: ids of evidence, and numbers, as rounded."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator

_NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?%?(?!\w)")
_EVIDENCE = re.compile(r"\bE\d{3,}\b")


class Citations:
    """What may be cited: evidence by these ids, and the numbers in `known`."""

    def __init__(self, ids: Iterable[str], known: str) -> None:
        self._ids = set(ids)
        self._numbers: set[float] = set()
        self.learn(known)

    def learn(self, text: str) -> None:
        """The numbers in a text may be cited from now on."""
        self._numbers |= {number for number, _, _ in _numbers(text) if math.isfinite(number)}

    def strange(self, text: str, own: str = "") -> str:
        """The first thing cited that is not there; numbers in `own` may be cited too."""
        for id in _EVIDENCE.findall(text):
            if id not in self._ids:
                return str(id)
        known = self._numbers | {number for number, _, _ in _numbers(own)}
        return next(
            (shown for number, unit, shown in _numbers(text) if not _is_in(number, unit, known)),
            "",
        )


def _numbers(text: str) -> Iterator[tuple[float, float, str]]:
    """Each number in a text, the unit of its last digit, and how it is written."""
    for match in _NUMBER.finditer(text):
        written = match[0]
        digits = written.rstrip("%").rstrip(",").replace(",", "")
        share = 0.01 if written.endswith("%") else 1.0
        mantissa, _, exponent = digits.lower().partition("e")
        places = len(mantissa.partition(".")[2])
        # as texts: 10.0 ** 400 would raise, 1e400 is infinite
        yield float(digits) * share, float(f"1e{int(exponent or 0) - places}") * share, written


def _is_in(number: float, unit: float, known: set[float]) -> bool:
    """Whether a number is one of the known ones, rounded as it is written; also as a share."""
    return any(
        math.isclose(number, other, rel_tol=1e-9, abs_tol=0.5 * unit * (1 + 1e-9))
        or math.isclose(abs(number), abs(other), rel_tol=1e-9)
        for other in known
    )
