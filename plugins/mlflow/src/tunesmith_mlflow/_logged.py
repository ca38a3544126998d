"""The runs of any MLflow experiment, whoever made them."""

from __future__ import annotations

import math

from mlflow.entities import ViewType

from tunesmith.errors import TrackerError, did_you_mean
from tunesmith.trial import LoggedRun, TrialState
from tunesmith_mlflow._address import is_sqlite_file, sqlite_path, without_secrets
from tunesmith_mlflow._client import MlflowClient, faults_of
from tunesmith_mlflow._experiment import known_tables
from tunesmith_mlflow._rows import PARENT, RECORD
from tunesmith_mlflow._runs import Content, Runs
from tunesmith_mlflow._tables import LARGEST

_STATES = {
    "FINISHED": TrialState.COMPLETE,
    "FAILED": TrialState.FAILED,
    "KILLED": TrialState.FAILED,
}
_WAY_OUT = "check the tracking URI"


def logged(uri: str, name: str, bulk: bool) -> list[LoggedRun]:
    """All runs of the experiment but deleted ones, nested ones among them; nothing is written."""
    if is_sqlite_file(uri) and not sqlite_path(uri).is_file():
        # MLflow would make one
        raise TrackerError(f"there is no MLflow database '{without_secrets(uri)}'; {_WAY_OUT}")
    with faults_of(uri, _WAY_OUT):
        client = MlflowClient(uri)
        found = client.get_experiment_by_name(name)
        if found is None or found.lifecycle_stage == "deleted":
            raise _unknown(client, uri, name, deleted=found is not None)
        tables = known_tables(uri) if bulk else None
        if tables is None:
            return [_read(each) for each in Runs(client, found.experiment_id).contents()]
        try:
            return [_read(each) for each in tables.contents(found.experiment_id)]
        finally:
            tables.close()


def _unknown(client: MlflowClient, uri: str, name: str, deleted: bool) -> TrackerError:
    place = f"at '{without_secrets(uri)}'"
    if deleted:
        return TrackerError(f"experiment '{name}' {place} is deleted; restore it in MLflow")
    known = [each.name for each in client.search_experiments(ViewType.ACTIVE_ONLY)]
    return TrackerError(f"no experiment '{name}' {place}{did_you_mean(name, known)}")


def _read(run: Content) -> LoggedRun:
    state, error = _STATES.get(run.status, TrialState.RUNNING), run.tags.get("tunesmith.error")
    if run.tags.get("tunesmith.state") == TrialState.PRUNED:
        state = TrialState.PRUNED
    elif state is TrialState.FAILED:
        error = error or f"its status in MLflow is {run.status}"
    own = ("mlflow.", RECORD)
    return LoggedRun(
        id=run.run_id,
        params=run.params,
        metrics={name: _value(value) for name, value in run.metrics.items()},
        state=state,
        error=error,
        started=None if run.started is None else run.started / 1000,
        finished=None if run.ended is None else run.ended / 1000,
        dataset="+".join(sorted(run.digests)) or None,
        parent=run.tags.get(PARENT),
        tags={key: value for key, value in run.tags.items() if not key.startswith(own)},
    )


def _value(value: float) -> float:
    """The metric as it was logged: MLflow's databases hold no infinity."""
    return math.copysign(math.inf, value) if abs(value) >= LARGEST else value
