"""An answer that streams in, cut into sentences, so that each is checked before it is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator

_END = re.compile(r"(?<!\be\.g\.)(?<!\bi\.e\.)(?<!^\d\.)(?<!^\d\d\.)(?<=[.!?])\s+|\n+")
_LISTED = re.compile(r"^(?:\d+[.)]|[*•])\s+")
_THINKS, _DONE = "<think>", "</think>"


class Sentences:
    """Sentences as they are complete, without what the model thinks aloud before it answers."""

    def __init__(self) -> None:
        self._rest = ""
        self._begun = False

    def hear(self, piece: str) -> Iterator[str]:
        """The sentences that a further piece completes."""
        self._rest += piece
        if not self._begun and not self._begins():
            return
        while found := _END.search(self._rest):
            sentence, self._rest = self._rest[: found.start()], self._rest[found.end() :]
            yield from _plain(sentence)

    def end(self) -> Iterator[str]:
        """What is left when the answer has ended."""
        if self._begun or self._begins():
            yield from _plain(self._rest)
        self._rest, self._begun = "", False

    def _begins(self) -> bool:
        """Whether the answer itself has begun; what was thought before it is dropped."""
        text = self._rest.lstrip()
        if text.startswith(_THINKS):
            _, done, text = text.partition(_DONE)
            if not done:
                return False
        elif len(text) < len(_THINKS) and _THINKS.startswith(text):
            return False
        self._rest, self._begun = text.lstrip(), True
        return True


def _plain(sentence: str) -> Iterator[str]:
    text = _LISTED.sub("- ", sentence.strip()).replace("**", "")
    if text:
        yield text
