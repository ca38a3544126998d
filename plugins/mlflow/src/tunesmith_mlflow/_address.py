"""Tracking URIs: which one holds, and how it may be shown."""

import os
import re
from pathlib import Path

_SQLITE = "sqlite:///"
_NO_PATHS = (":memory:", "file:", "?")
_USER = re.compile(r"(?<=://)[^/@\s]*@")
_SECRET = re.compile(r"(?i)\b([\w-]*(?:password|passwd|token|secret|api_?key)[\w-]*=)[^&\s'\"]+")


def resolve(uri: str | None) -> str:
    """The tracking URI to use, SQLite files by their absolute path."""
    found = uri or os.environ.get("MLFLOW_TRACKING_URI") or f"{_SQLITE}mlflow.db"
    path = found.removeprefix(_SQLITE)
    if path == found or not path or path.startswith(_NO_PATHS):
        return found
    return f"{_SQLITE}{Path(path).absolute()}"


def is_sqlite_file(uri: str) -> bool:
    """Whether the URI names a SQLite database on disk."""
    return uri.startswith(_SQLITE) and not uri.removeprefix(_SQLITE).startswith(_NO_PATHS)


def sqlite_path(uri: str) -> Path:
    """The database's file, of a URI that names one."""
    return Path(uri.removeprefix(_SQLITE))


def without_secrets(text: str) -> str:
    """The text with user names, passwords and tokens taken out of every URI in it."""
    return _SECRET.sub(r"\1***", _USER.sub("", text))
