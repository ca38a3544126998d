"""DVC for tunesmith: datasets whose version is checked and recorded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.components import Dataset
from tunesmith.hookspecs import hookimpl

if TYPE_CHECKING:
    from tunesmith.finished import Table
    from tunesmith.hookspecs import Register


class Dvc(Dataset):
    """A CSV or Parquet file that DVC tracks, in the version that is tracked.

    A file that is missing is pulled; one that differs from its version is an error, never
    overwritten. Rounds record the path, the md5, the git revision and the remote.
    """

    path: str
    """The file, from the study's folder: added by itself, in an added folder, or made by a stage.
    """
    target: str
    """Column to predict; a row without a value there is an error."""
    features: tuple[str, ...] = ()
    """Columns to predict from; all but the target where none is named."""
    drop: tuple[str, ...] = ()
    """Columns to leave out, such as identifiers."""
    separator: str = ","
    """What stands between two values of a CSV file; `"\\t"` for tabs."""
    pull: bool = True
    """Get a missing file from DVC's cache or remote; false: a missing file is an error."""

    def load(self, folder: Path) -> Table:
        self._check(folder)
        return self._rows().load(folder)

    def fingerprint(self, folder: Path) -> str:
        self._check(folder)
        return self._rows().fingerprint(folder)

    def version(self, folder: Path) -> dict[str, str]:
        from tunesmith_dvc import _tracked

        return _tracked.version(folder, self.path, self.pull)

    def _check(self, folder: Path) -> None:
        """Raise ConfigError where the file is not in its tracked version.

        A file that was checked before and not touched since is not checked again: this travels to
        worker processes, which would import DVC for nothing.
        """
        file = folder / self.path
        if getattr(self, "_checked", None) != (file, _stamp(file)):
            self.version(folder)
            self._checked = (file, _stamp(file))

    def _rows(self) -> Dataset:
        from tunesmith_dvc import _format

        return _format.reader(self)


def _stamp(file: Path) -> tuple[int, int, int] | None:
    """What changes when the file does; None where there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


@hookimpl
def register_datasets(register: Register[Dataset]) -> None:
    register("dvc", Dvc)
