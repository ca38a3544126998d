"""What MLflow's environment says unless the user says otherwise; nothing of MLflow is imported."""

import logging
import os
import warnings

_DEFAULTS = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_UV_AUTO_DETECT": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # short, because delivery repeats a call by itself, and looks first at what has arrived: a
    # retry inside MLflow's client would make the same run twice, and takes minutes to give up
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}


def prepare() -> None:
    """Set what is not set. Call it before MLflow is imported: it reads some of this only then."""
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    # warns where an environment has no pip, as those of uv have not
    logging.getLogger("mlflow.utils.environment").setLevel(logging.ERROR)
    # prints the traceback of database errors that it raises as well
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    logging.getLogger("mlflow.utils.environment").addFilter(_is_not_about_pip)
    # MLflow 3.17 on SQLAlchemy 2.1; the stack decides where the warning seems to come from
    warnings.filterwarnings("ignore", "The ``noload`` loader strategy", DeprecationWarning)


def _is_not_about_pip(record: logging.LogRecord) -> bool:
    """False for the complaint that an environment made by uv has no pip."""
    return "pip version" not in record.getMessage()
