"""Imports what a study file names by an import path: installed, or a file beside the study."""

import importlib
import sys
import traceback
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType

from tunesmith.errors import ConfigError, did_you_mean

_searched: set[str] = set()


def import_from(name: str, folder: Path) -> ModuleType:
    """The module by that name; files in `folder` come first, and may import one another.

    Raises ConfigError where there is none, and where its own code fails, with the line of it.
    """
    _search_first(str(folder.resolve()), name.partition(".")[0])
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:  # the module's own code may raise anything
        if isinstance(error, ModuleNotFoundError) and f"{name}.".startswith(f"{error.name}."):
            known = {path.stem for path in folder.glob("*.py")}
            raise ConfigError(
                f"there is no module '{error.name}', neither in {folder.resolve()} nor installed"
                f"{did_you_mean(name, known)}"
            ) from None
        reason = f"{type(error).__name__}: {error}"
        raise ConfigError(f"cannot import '{name}': {reason}{_place(error)}") from error


def _search_first(folder: str, package: str) -> None:
    """Put the folder at the front of the path, and forget a module that is another study's."""
    if sys.path[:1] == [folder]:
        return
    if folder in sys.path:
        sys.path.remove(folder)
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    loaded = getattr(sys.modules.get(package), "__file__", None)
    spec = PathFinder.find_spec(package, [folder])
    foreign = loaded and any(Path(loaded).is_relative_to(other) for other in _searched - {folder})
    if spec and foreign and spec.origin != loaded:
        for name in [name for name in sys.modules if f"{name}.".startswith(f"{package}.")]:
            del sys.modules[name]
    _searched.add(folder)


def _place(error: BaseException) -> str:
    """Where the module's own code failed, not where the import machinery noticed."""
    if isinstance(error, SyntaxError):
        return ""  # its message says where
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)[1:]
        if "importlib" not in frame.filename
    ]
    return f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
