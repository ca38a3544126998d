"""Reads a study file, with the line of each part of it, and puts another space into it."""

import copy
import os
import shutil
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from tunesmith.errors import ConfigError
from tunesmith.space import SearchSpace
from tunesmith.yaml_patch import patched

Lines = dict[tuple[str | int, ...], int]


def read_table(path: Path) -> tuple[dict[str, Any], Lines]:
    """The file's plain data, and the line of every key and item.

    Raises ConfigError, with line and column, for what is no table in YAML.
    """
    return _parse(_text(path), path)


def write_space(path: Path, old: SearchSpace, new: SearchSpace) -> None:
    """Put `new` into a study file whose space is `old`; all else of it stays, to the letter.

    The file is written whole or not at all. Raises ConfigError, and leaves it, where it cannot
    hold the space without changes elsewhere.
    """
    text = _text(path)
    data, _ = _parse(text, path)
    wanted = data | {"space": _respaced(data["space"], old, new)}
    try:
        changed = patched(text, data, wanted)
        found, _ = _parse(changed, path)
        if repr(found) != repr(wanted):
            raise ValueError("an alias or a merge key shares it with other parts of the file")
        if SearchSpace.from_dict(found["space"]).fingerprint != new.fingerprint:
            raise ValueError("the result would be another space")
    except (ValueError, YAMLError, ConfigError) as error:
        raise ConfigError(
            f"cannot put the approved space into '{path}' and leave the rest as it is: {error}; "
            "write it there yourself ('tunesmith space show --version' prints it), then go on"
        ) from None
    _overwrite(path, changed)


def _respaced(table: dict[str, Any], old: SearchSpace, new: SearchSpace) -> dict[str, Any]:
    """The table of space `old` in a file, with no more changed than leads to `new`."""
    table = copy.deepcopy(table)
    before, after = old.to_dict(), new.to_dict()
    for name, options in after["parameters"].items():
        earlier = before["parameters"].get(name, {})
        for option in earlier | options:
            if option not in options:
                table["parameters"][name].pop(option, None)
            elif repr(options[option]) != repr(earlier.get(option)):
                table["parameters"].setdefault(name, {})[option] = options[option]
    for name in before["parameters"].keys() - after["parameters"].keys():
        del table["parameters"][name]
    for kind in ("constraints", "forbid"):
        were, are = before.get(kind, []), after.get(kind, [])
        if were != are:
            stay = [
                item for item, text in zip(table.get(kind, []), were, strict=True) if text in are
            ]
            table[kind] = stay + [text for text in are if text not in were]
            if not table[kind]:
                del table[kind]
    return table


def _overwrite(path: Path, text: str) -> None:
    target = path.resolve()
    part = None
    try:
        with NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
            part = Path(file.name)
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(target, part)
        os.replace(part, target)
    except OSError as error:
        raise ConfigError(f"cannot write the study file '{path}': {error.strerror}") from None
    finally:
        if part:
            part.unlink(missing_ok=True)


def _parse(text: str, path: Path) -> tuple[dict[str, Any], Lines]:
    try:
        document = YAML().load(text)
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
