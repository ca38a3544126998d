"""The dataset of another plugin that reads the file, by its ending."""

from pathlib import PurePath
from typing import Protocol, cast

from tunesmith import plugins
from tunesmith.components import Dataset
from tunesmith.errors import ConfigError, PluginError

_READERS = {
    **dict.fromkeys((".csv", ".tsv", ".txt"), "csv"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
}
_PACKAGE = "tunesmith-sklearn"


class Choice(Protocol):
    """The file and what to take of it."""

    path: str
    target: str
    features: tuple[str, ...]
    drop: tuple[str, ...]
    separator: str


def reader(choice: Choice) -> Dataset:
    """The installed dataset `csv` or `parquet`, with these options.

    Raises ConfigError for a file of another kind, PluginError where no plugin reads it.
    """
    use = _READERS.get(PurePath(choice.path).suffix.lower())
    if use is None:
        raise ConfigError(
            f"dataset 'dvc' cannot tell what '{choice.path}' is; its name has to end in one of "
            f"{', '.join(_READERS)}"
        )
    registry = plugins.installed()
    if use not in registry.names("dataset"):
        raise PluginError(
            f"dataset 'dvc' reads '{choice.path}' with the dataset '{use}', which is not "
            f"installed; install '{_PACKAGE}'"
        )
    table = {name: getattr(choice, name) for name in ("path", "target", "features", "drop")}
    if use == "csv":
        table["separator"] = choice.separator
    elif choice.separator != ",":
        raise ConfigError(
            f"'{choice.path}' is no text, so 'separator: {choice.separator!r}' means nothing; "
            "leave it out"
        )
    return cast(Dataset, registry.build("dataset", {"use": use, **table}))
