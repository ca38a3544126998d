"""MLflow's client, and what it raises as TrackerError."""

from collections.abc import Iterator
from contextlib import contextmanager

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from tunesmith.errors import TrackerError
from tunesmith_mlflow._address import without_secrets

__all__ = ["MlflowClient", "faults_of"]

_SHOWN = 300
_HOPE = "nothing is lost, 'tunesmith sync' delivers it later"
AGAIN = "nothing is half done; try again"
"""The hope where people have asked for something, which no sync does later."""


@contextmanager
def faults_of(uri: str, hope: str = _HOPE) -> Iterator[None]:
    """Turn what MLflow, its database and the network raise into TrackerError.

    `hope` is what its reader can do.
    """
    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as error:
        lines = without_secrets(str(error)).strip().splitlines() or [type(error).__name__]
        reason = lines[0] if len(lines[0]) <= _SHOWN else lines[0][: _SHOWN - 3] + "..."
        raise TrackerError(
            f"MLflow at '{without_secrets(uri)}' failed: {reason}; {hope}"
        ) from error
