"""The registered model of a study: which version is the champion, and which was it before."""

from __future__ import annotations

import warnings
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from tunesmith.errors import ConfigError, TrackerError
from tunesmith_mlflow._client import MlflowClient

CHAMPION, PREVIOUS = "champion", "previous"


def version_of(client: MlflowClient, name: str, alias: str) -> ModelVersion | None:
    """The version that has the alias; None where none has."""
    try:
        return client.get_model_version_by_alias(name, alias)
    except MlflowException as error:
        # an alias that is not there is a wrong parameter to MLflow's SQL store
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        return None


def champion(client: MlflowClient, uri: str, name: str, rival: Any) -> tuple[int, Any] | None:
    """Version and model of the champion that is to be compared with `rival`.

    Raises TrackerError for one that could run what neither the rival nor scikit-learn brings.
    """
    found = version_of(client, name, CHAMPION)
    if found is None:
        return None
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*type hint", UserWarning)  # in MLflow's own code
        import mlflow.artifacts
        from mlflow.models import Model

    where = str(found.source)
    if where.startswith("models:/"):  # which MLflow would look up where the whole process tracks
        where = client.get_logged_model(where.removeprefix("models:/")).artifact_location
    with TemporaryDirectory() as folder:
        path = mlflow.artifacts.download_artifacts(where, dst_path=folder, tracking_uri=uri)
        flavour = Model.load(path).flavors.get("sklearn", {})
        # a pickle can run anything
        if flavour.get("serialization_format") != "skops":
            raise TrackerError(
                f"version {found.version} of '{name}' was not saved with skops, and is not loaded; "
                "promote a model that tunesmith saved"
            )
        file = Path(path, flavour["pickled_model"])
        return int(found.version), _loaded(file, rival, f"version {found.version} of '{name}'")


def _loaded(file: Path, rival: Any, what: str) -> Any:
    """The model of a skops file.

    What the file itself says that it may hold does not count: who wrote it wrote that, too.
    """
    import skops.io  # type: ignore[import-untyped]

    held = skops.io.get_untrusted_types(file=file)
    known = skops.io.get_untrusted_types(data=skops.io.dumps(rival))
    foreign = [name for name in held if name not in known and not _is_safe(name)]
    if foreign:
        raise TrackerError(
            f"{what} holds '{foreign[0]}', which the round's own model does not, and is not "
            "loaded; promote a model of your own without a comparison"
        )
    return skops.io.load(file, trusted=held)


def _is_safe(name: str) -> bool:
    """Whether it is a class of the libraries that models are made of, and no function."""
    module, _, kind = name.rpartition(".")
    if name.partition(".")[0] not in ("sklearn", "numpy", "scipy"):
        return False
    try:
        return isinstance(getattr(import_module(module), kind, None), type)
    except ImportError:
        return False


def promote(client: MlflowClient, name: str, number: str) -> str:
    """Make the version the champion, and the present one the previous; in this order, so that a
    call that was broken off can be repeated.
    """
    present = version_of(client, name, CHAMPION)
    if present and str(present.version) == number:
        return f"version {number} of '{name}' is the champion"
    if present:
        client.set_registered_model_alias(name, PREVIOUS, str(present.version))
    client.set_registered_model_alias(name, CHAMPION, number)
    former = f"; version {present.version} was it before" if present else ""
    return f"version {number} of '{name}' is the champion{former}"


def rollback(client: MlflowClient, name: str) -> str:
    """Make the previous champion the champion again. Raises ConfigError where there is none."""
    present, before = (version_of(client, name, alias) for alias in (CHAMPION, PREVIOUS))
    if before is None:
        is_it = f"version {present.version} is the champion" if present else "there is no champion"
        raise ConfigError(
            f"no previous champion of '{name}' is known, and {is_it}; "
            "'tunesmith promote STUDY --round N' takes another one"
        )
    client.set_registered_model_alias(name, CHAMPION, str(before.version))
    client.delete_registered_model_alias(name, PREVIOUS)
    return f"version {before.version} of '{name}' is the champion again"
