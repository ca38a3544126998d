"""Addresses of remotes as they may be shown and recorded."""

import re

_USER = re.compile(r"(?<=://)[^/\s]*@")
# signatures and tokens stand in queries
_QUERY = re.compile(r"(\w+://[^\s?'\"]+)\?[^\s'\"]*")


def without_secrets(text: str) -> str:
    """The text with `user:password@` and the queries of URLs taken out."""
    return _QUERY.sub(r"\1", _USER.sub("", text))


def first_line(error: BaseException) -> str:
    """What an error says, in one line, without secrets."""
    lines = without_secrets(str(error)).strip().splitlines()
    return lines[0] if lines else type(error).__name__
