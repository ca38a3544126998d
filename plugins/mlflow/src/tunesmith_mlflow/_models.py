"""The best model of a round: kept in MLflow with its signature, registered, promoted by gates."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from importlib.metadata import packages_distributions, version
from pathlib import Path
from tempfile import TemporaryDirectory

from mlflow.entities import LoggedModel, LoggedModelOutput, LoggedModelStatus, Run
from mlflow.exceptions import MlflowException
from mlflow.models import Model, infer_signature

from tunesmith.errors import ConfigError, told_of
from tunesmith.finished import Finished, Fitted
from tunesmith.gates import BEATS_CHAMPION, Gate, failing, gates_of
from tunesmith.gates import CHAMPION as COMPARED
from tunesmith.study import Study
from tunesmith.trial import Round
from tunesmith_mlflow._client import MlflowClient
from tunesmith_mlflow._registry import CHAMPION, promote, version_of
from tunesmith_mlflow._rounds import keep_scores
from tunesmith_mlflow._rows import ROUND, STUDY, TAG_LIMIT

_MARK = "tunesmith.promoted"
"""Tag of a version that was the champion once."""


class _UnsavableError(Exception):
    """A model that skops or MLflow cannot write."""


_log = logging.getLogger("tunesmith.mlflow")


def keep_model(
    client: MlflowClient,
    parent: Run,
    study: Study,
    finished: Finished,
    fitted: Fitted,
    register: str | None,
) -> None:
    """Log the model once for each end of the round, register it, and promote it where it may be.

    What became of it stands in the tags of the round's run, in `finished`, and, where it is not
    what people would expect, in the notes.
    """
    round = finished.round
    gates = gates_of(study, round)
    _tell_gates(client, parent, gates)
    try:
        if fitted.library != "sklearn":
            raise _UnsavableError(f"this plugin cannot save '{fitted.library}'")
        model = _logged(client, parent, round, fitted)
    except _UnsavableError as error:
        _tell(client, parent, "model", f"not kept: {error}")
        finished.notes.append(f"the model is not kept: {error}")
        return
    _tell(client, parent, "model", f"models:/{model.model_id}")
    if register is None:
        return
    number = _registered(client, parent, model, register)
    finished.model = f"version {number} of '{register}'"
    if gates and not failing(gates) and not finished.again:
        overtaken = _overtaken(client, parent, study, round, register)
        said = overtaken or _promote(client, register, number)
        _tell(client, parent, "promotion", said)
        if overtaken:
            finished.notes.append(f"the model is not promoted: {overtaken}")
        else:
            finished.model = said


def _overtaken(
    client: MlflowClient, parent: Run, study: Study, round: Round, register: str
) -> str | None:
    """Why a round that is delivered late or again does not become champion; None where it may."""
    present = version_of(client, register, CHAMPION)
    if present is None or present.run_id == parent.info.run_id:
        return None
    hint = f"'tunesmith promote --round {round.number}'"
    if BEATS_CHAMPION in study.gates:
        compared = round.final[COMPARED]
        if int(present.version) == compared:
            return None
        return (
            f"it was compared with version {compared:.0f}, and {present.version} is the champion "
            f"now; {hint} compares with that"
        )
    tags = client.get_run(present.run_id).data.tags if present.run_id else {}
    later = tags.get(STUDY) == study.name and int(tags.get(ROUND, 0)) > round.number
    if not later:
        return None
    return (
        f"version {present.version} of round {tags[ROUND]}, a later one, is the champion; {hint} "
        "takes this one instead"
    )


def promote_model(
    client: MlflowClient, parent: Run, study: Study, finished: Finished, register: str
) -> str:
    """Make the round's model the champion, kept and registered first where it is not yet.

    Raises ConfigError where the round has no model that can be kept.
    """
    round, fitted = finished.round, finished.fitted
    model = logged_model(client, parent, round)
    if model is None or model.status != LoggedModelStatus.READY:
        if fitted is None or fitted.library != "sklearn":
            why = "; ".join(finished.notes) or "use an objective that keeps one"
            raise ConfigError(f"round {round.number} has no scikit-learn model to promote: {why}")
        try:
            model = _logged(client, parent, round, fitted)
        except _UnsavableError as error:
            raise ConfigError(f"the model of round {round.number} is not kept: {error}") from error
    number = _registered(client, parent, model, register)
    said = promote(client, register, number)
    client.set_model_version_tag(register, number, _MARK, "true")
    _tell_gates(client, parent, gates_of(study, round))
    _tell(client, parent, "promotion", said)
    keep_scores(client, parent, round)
    return said


def _tell_gates(client: MlflowClient, parent: Run, gates: Sequence[Gate]) -> None:
    for index, gate in enumerate(gates):
        _tell(client, parent, f"gate.{index}", f"{gate.formula}: {gate.obstacle or 'passed'}")


def _tell(client: MlflowClient, parent: Run, what: str, text: str) -> None:
    _log.info("%s, %s: %s", parent.info.run_name, what, text)
    client.set_tag(parent.info.run_id, f"tunesmith.{what}", text[:TAG_LIMIT])


def logged_model(client: MlflowClient, parent: Run, round: Round) -> LoggedModel | None:
    """The model of the round as it ended last, where MLflow has it."""
    run = parent.info
    found = client.search_logged_models(
        [run.experiment_id],
        f"source_run_id = '{run.run_id}' AND tags.`tunesmith.finished` = '{round.finished!r}'",
    )
    return found[0] if found else None


def _logged(client: MlflowClient, parent: Run, round: Round, fitted: Fitted) -> LoggedModel:
    """The round's model in MLflow; an upload that was broken off is completed.

    Raises _UnsavableError.
    """
    run, mark = parent.info, {"tunesmith.finished": repr(round.finished)}
    model = logged_model(client, parent, round)
    if model is None:
        model = client.create_logged_model(
            run.experiment_id, name=f"round-{round.number}", source_run_id=run.run_id, tags=mark
        )
        client.log_outputs(run.run_id, [LoggedModelOutput(model.model_id, step=0)])
    if model.status != LoggedModelStatus.READY:
        with TemporaryDirectory() as folder:
            path = Path(folder, "model")
            try:
                _save(fitted, path, model, run.run_id)
            except OSError:  # such as a full disk, which may be mended by the next try
                raise
            except Exception as error:  # a model's own state may be anything
                # MLflow goes on to recommend a pickle
                raise _UnsavableError(told_of(error).partition(". ")[0]) from error
            client.log_model_artifacts(model.model_id, str(path))
        client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    return model


def _save(fitted: Fitted, path: Path, model: LoggedModel, run_id: str) -> None:
    """Write the model's files: skops, not pickle, trusting the types that the model has now."""
    with warnings.catch_warnings():
        # integer columns might have gaps one day, and MLflow's own code lacks type hints
        warnings.filterwarnings("ignore", ".*(integer column|type hint)", UserWarning)
        import mlflow.sklearn
        import skops.io  # type: ignore[import-untyped]

        types = skops.io.get_untrusted_types(data=skops.io.dumps(fitted.model))
        signature = infer_signature(fitted.example, fitted.model.predict(fitted.example))
        mlflow.sklearn.save_model(
            fitted.model,
            str(path),
            mlflow_model=Model(
                artifact_path=model.artifact_location,
                model_uuid=model.model_id,
                model_id=model.model_id,
                run_id=run_id,
            ),
            serialization_format="skops",
            skops_trusted_types=types,
            signature=signature,
            input_example=fitted.example,
            pip_requirements=_requirements(types, fitted.example),
        )


def _requirements(types: Sequence[str], example: object) -> list[str]:
    """The packages that the model needs, at the versions that made it."""
    modules = {name.partition(".")[0] for name in types} | {type(example).__module__.split(".")[0]}
    known = packages_distributions()
    named = {known[module][0] for module in modules if module in known}
    needed = named | {"mlflow", "scikit-learn", "skops", "numpy"}
    return [f"{name}=={version(name)}" for name in sorted(needed)]


def _registered(client: MlflowClient, parent: Run, model: LoggedModel, name: str) -> str:
    """The version of the registered model that this model is."""
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    # not `models:/…`, which MLflow looks up at the tracking URI of the whole process
    source, run_id = model.artifact_location, parent.info.run_id
    for known in client.search_model_versions(f"run_id = '{run_id}'"):
        if known.name == name and known.source == source:
            return str(known.version)
    created = client.create_model_version(name, source, run_id=run_id, model_id=model.model_id)
    return str(created.version)


def _promote(client: MlflowClient, name: str, number: str) -> str:
    """Give the version the alias, once: what people decide about it later is not undone."""
    if _MARK in client.get_model_version(name, number).tags:
        return f"version {number} of '{name}' was promoted before"
    said = promote(client, name, number)
    client.set_model_version_tag(name, number, _MARK, "true")
    return said
