"""Reads a study file: plain data, and on which line of the file each part of it stands."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from tunesmith.errors import ConfigError

Lines = dict[tuple[str | int, ...], int]


def read_table(path: Path) -> tuple[dict[str, Any], Lines]:
    """The file's plain data, and the line of every key and item.

    Raises ConfigError, with line and column, for what is no table in YAML.
    """
    try:
        document = YAML().load(_text(path))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        # ruamel quotes the whole values of a key that stands twice
        reason = (error.problem or error.context).partition(" with value ")[0]
        raise ConfigError(f"{path}{place}: not YAML: {reason}") from None
    except YAMLError as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(f"{path}: not YAML: {reason}") from None
    except RecursionError:
        raise ConfigError(f"{path}: the file is nested too deeply to read") from None
    if not isinstance(document, CommentedMap):
        raise ConfigError(
            f"the study file '{path}' holds no table of options; write one with 'tunesmith init'"
        )
    lines: Lines = {}
    try:
        return _plain(document, (), lines), lines
    except RecursionError:
        raise ConfigError(f"{path}: an alias stands for what it is part of") from None


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(
            f"there is no study file '{path}'; write one with 'tunesmith init'"
        ) from None
    except IsADirectoryError:
        raise ConfigError(f"'{path}' is a folder; name the study file in it") from None
    except OSError as error:
        raise ConfigError(f"cannot read the study file '{path}': {error.strerror}") from None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path}:{line}: byte {content[error.start]:#04x} is not UTF-8; save the file as UTF-8"
        ) from None


def _plain(node: Any, path: tuple[str | int, ...], lines: Lines) -> Any:
    """The node without ruamel's types; notes the line of each key and item on the way."""
    # what an anchor or a merge key brings has no line of its own, what has a tag has none at all
    places = getattr(getattr(node, "lc", None), "data", None) or {}
    if isinstance(node, CommentedMap):
        lines |= {(*path, key): places[key][0] + 1 for key in node if key in places}
        return {key: _plain(value, (*path, key), lines) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        lines |= {(*path, index): place[0] + 1 for index, place in places.items()}
        return [_plain(value, (*path, index), lines) for index, value in enumerate(node)]
    for plain in (bool, int, float, str):
        if isinstance(node, plain):
            return plain(node)
    return node
