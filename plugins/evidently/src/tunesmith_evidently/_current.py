"""New data from a file, with the columns that the model knows."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tunesmith.errors import ConfigError, did_you_mean
from tunesmith.finished import Table
from tunesmith.study import Study
from tunesmith_evidently._columns import Kind, plain_kind


@dataclass(frozen=True)
class Known:
    """What the model was fitted on: its columns' names as text, their values, and its target."""

    table: Table
    frame: Any
    target: str | None


def read(path: Path, study: Study) -> Any:
    """The file as a frame. Raises ConfigError where it is not there, or is none of both kinds."""
    if not path.is_file():
        near = [each.name for each in path.parent.glob("*.*")] if path.parent.is_dir() else []
        raise ConfigError(f"there is no data file '{path}'{did_you_mean(path.name, near)}")
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            frame = pd.read_parquet(path)
        else:
            frame = pd.read_csv(path, sep=_option(study, "separator") or ",")
    except (OSError, ValueError) as error:  # pandas' own errors are ValueErrors
        told = str(error).strip() or type(error).__name__
        raise ConfigError(f"cannot read '{path}': {told}; give a CSV or Parquet file") from None
    if frame.empty:
        raise ConfigError(f"'{path}' has no rows; give a file with new data")
    frame.columns = [str(name) for name in frame.columns]
    return frame


def known(table: Table, frame: Any) -> Known:
    name = getattr(table.y, "name", None)
    return Known(table, frame, None if name is None else str(name))


def matched(frame: Any, model: Known, study: Study, path: Path) -> Table:
    """The rows as the model takes them; `y` is None where the file has no target.

    Raises ConfigError for a column that is missing, new, or of another type, and names it.
    """
    names = list(model.frame.columns)
    for name in names:
        if name not in frame:
            close = did_you_mean(name, set(frame.columns) - set(names)).partition(" (known")[0]
            raise ConfigError(
                f"'{path}' has no column '{name}', which the model was fitted on{close}"
            )
    _check_new(frame, model, study, path)
    columns = {name: _as_fitted(frame[name], model.frame[name], path) for name in names}
    x = pd.DataFrame(columns)
    if hasattr(model.table.x, "iloc"):
        x.columns = model.table.x.columns
    else:
        x = x.to_numpy()
    y = frame[model.target] if model.target in frame.columns else None
    if y is not None:
        _check_target(y, model, path)
    return Table(x, y)


def _option(study: Study, name: str) -> Any:
    """An option of the study's dataset, whatever that is: those that read files have some alike."""
    return (study.dataset.model_dump() if study.dataset else {}).get(name)


def _check_new(frame: Any, model: Known, study: Study, path: Path) -> None:
    if _option(study, "features"):
        return  # the study chose its columns among others
    dropped = {str(name) for name in _option(study, "drop") or ()}
    for name in frame.columns:
        if name not in {*model.frame.columns, *dropped, model.target}:
            raise ConfigError(
                f"'{path}' has a column '{name}', which the training data has not; "
                "take it out, or name it under 'drop' of the study's dataset"
            )


def _as_fitted(new: Any, old: Any, path: Path) -> Any:
    """The new values in the type of the old ones."""
    if new.isna().all():
        return new.astype(float if plain_kind(old) is Kind.NUMBER else object)
    if plain_kind(old) is Kind.DATE and plain_kind(new) is Kind.TEXT:
        dates = pd.to_datetime(new, errors="coerce")
        if (dates.isna() == new.isna()).all():
            return dates
    if old.isna().all() or plain_kind(old) is plain_kind(new):
        return new.astype(old.dtype) if old.dtype.name == "category" else new
    raise ConfigError(
        f"column '{old.name}' of '{path}' holds {_told(new, old)}; the training data has "
        f"{_plural(plain_kind(old))} there, such as {_example(old)}"
    )


def _check_target(y: Any, model: Known, path: Path) -> None:
    old = pd.Series(model.table.y)
    if not y.isna().all() and plain_kind(old) is not plain_kind(y):
        raise ConfigError(
            f"the target '{model.target}' of '{path}' holds {_told(y, old)}; the training data has "
            f"{_plural(plain_kind(old))} there, such as {_example(old)}"
        )


def _told(new: Any, old: Any) -> str:
    """What is in the new column, with a value that does not fit."""
    shown = new.dropna()
    if plain_kind(old) is Kind.NUMBER:
        odd = shown[pd.to_numeric(shown, errors="coerce").isna()]
        shown = odd if len(odd) else shown
    return f"{_plural(plain_kind(new))}, such as {_example(shown)}"


def _example(values: Any) -> str:
    return f"'{values.dropna().iloc[0]}'"


def _plural(kind: Kind) -> str:
    return {Kind.NUMBER: "numbers", Kind.DATE: "dates"}.get(kind, "text")
