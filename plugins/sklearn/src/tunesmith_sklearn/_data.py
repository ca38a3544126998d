"""Tables from scikit-learn's loaders and from files, checked, and the hash of their content."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
import sklearn.datasets

from tunesmith.errors import ConfigError, did_you_mean
from tunesmith.finished import Table

# those with one target column that need no network
_BUNDLED = ("breast_cancer", "diabetes", "digits", "iris", "wine")


class Choice(Protocol):
    """Which columns of a file to take."""

    path: str
    target: str
    features: tuple[str, ...]
    drop: tuple[str, ...]


def bundled(loader: str) -> Table:
    """A dataset that comes with scikit-learn, features as a frame with their names."""
    if loader not in _BUNDLED:
        raise ConfigError(
            f"scikit-learn brings no dataset '{loader}'{did_you_mean(loader, _BUNDLED)}"
        )
    found = getattr(sklearn.datasets, f"load_{loader}")(as_frame=True)
    return Table(found.data, found.target)


def read_csv(folder: Path, path: str, separator: str) -> pd.DataFrame:
    """The file as a frame. Raises ConfigError where it is not there or cannot be read."""
    file = _existing(folder, path)
    try:
        return pd.read_csv(file, sep=separator)
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read '{path}' as CSV: {error}") from None


def read_parquet(folder: Path, path: str) -> pd.DataFrame:
    """The file as a frame. Raises ConfigError where it is not there or cannot be read."""
    file = _existing(folder, path)
    try:
        return pd.read_parquet(file)
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read '{path}' as Parquet: {error}") from None


def _existing(folder: Path, path: str) -> Path:
    file = folder / path
    if not file.is_file():
        beside = [found.name for found in file.parent.glob("*.*")] if file.parent.is_dir() else []
        raise ConfigError(f"there is no data file '{file}'{did_you_mean(file.name, beside)}")
    return file


def columns(frame: pd.DataFrame, choice: Choice) -> Table:
    """The target and the features that are chosen.

    Raises ConfigError for columns that are not there, and for rows without a target.
    """
    if choice.features and choice.drop:
        raise ConfigError("'features' and 'drop' exclude each other; leave one of them out")
    _check_columns(frame, (choice.target, *choice.features, *choice.drop), choice.path)
    if choice.target in (*choice.features, *choice.drop):
        raise ConfigError(f"'{choice.target}' is the target; take it out of features and drop")
    missing = int(frame[choice.target].isna().sum())
    if missing:
        raise ConfigError(
            f"{missing} of {len(frame)} rows in '{choice.path}' have no '{choice.target}'; "
            "remove them from the file"
        )
    left_out = {choice.target, *choice.drop}
    names = choice.features or [name for name in frame.columns if name not in left_out]
    if frame.empty or not len(names):
        raise ConfigError(f"'{choice.path}' has {len(frame)} rows and {len(names)} features left")
    return Table(frame[list(names)], frame[choice.target])


def _check_columns(frame: pd.DataFrame, names: Iterable[str], path: str) -> None:
    known = [str(name) for name in frame.columns]
    for name in names:
        if name not in known:
            shown = ", ".join(known[:20]) + (", …" if len(known) > 20 else "")
            close = did_you_mean(name, known).partition(" (known")[0]
            raise ConfigError(f"'{path}' has no column '{name}'{close} (columns: {shown})")


def fingerprint(table: Table) -> str:
    """SHA-256 of names, order and values of the columns, 64 hex digits.

    The same for a file that was written anew with equal content, in any format and on any machine.
    """
    digest = hashlib.sha256()
    for name, values in (*table.x.items(), ("target", table.y)):
        hashes = pd.util.hash_pandas_object(values, index=False).to_numpy().astype("<u8")
        digest.update(f"{name}\0{len(values)}\0".encode())
        digest.update(np.ascontiguousarray(hashes).tobytes())
    return digest.hexdigest()
