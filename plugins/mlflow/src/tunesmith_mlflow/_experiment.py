"""One MLflow experiment: finds or makes a study's runs, and writes what is not there yet."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mlflow.entities import Run

from tunesmith.errors import TrackerError
from tunesmith.finished import Finished, Fitted
from tunesmith.history import Reviewed
from tunesmith.reporting import report_folder
from tunesmith.study import Study
from tunesmith.trial import Round, Trial
from tunesmith_mlflow._address import is_sqlite_file, without_secrets
from tunesmith_mlflow._client import AGAIN, MlflowClient, faults_of
from tunesmith_mlflow._models import keep_model, logged_model, promote_model
from tunesmith_mlflow._proposals import keep_proposal
from tunesmith_mlflow._registry import CHAMPION, champion, rollback, version_of
from tunesmith_mlflow._rounds import create_round, finish_round, keep_settings, round_id
from tunesmith_mlflow._rows import to_row
from tunesmith_mlflow._runs import Child, Runs
from tunesmith_mlflow._tables import KNOWN_REVISIONS, Tables
from tunesmith_mlflow._traces import keep_trace

_log = logging.getLogger("tunesmith.mlflow")


@dataclass(slots=True)
class _Known:
    """A round's run, and which trials have one: completely written, or only begun (run ids)."""

    parent: Run
    complete: set[int]
    begun: dict[int, str]


class Experiment:
    """Writes rounds into an MLflow experiment and reads trials back.

    What is there already is looked up at the first contact with a round, and again after a fault.
    """

    def __init__(self, uri: str, name: str, bulk: bool) -> None:
        self._uri, self._name = uri, name
        self._rounds: dict[tuple[tuple[str, str], ...], _Known] = {}
        self._id: str | None = None
        with faults_of(uri):
            self._client = MlflowClient(uri)
            self._tables = known_tables(uri) if bulk else None

    def close(self) -> None:
        if self._tables:
            self._tables.close()

    def write(self, study: Study, round: Round, trials: Sequence[Trial]) -> None:
        """Write the trials that are not there yet, and the round's run where it is not."""
        with faults_of(self._uri):
            try:
                self._write(study, round, trials)
            except Exception:
                self._rounds.clear()
                raise

    def _write(self, study: Study, round: Round, trials: Sequence[Trial]) -> None:
        known, runs = self._round(study, round), self._runs()
        parent = known.parent.info
        fresh = []
        for trial in {trial.number: trial for trial in trials}.values():
            if trial.number in known.complete:
                continue
            row = to_row(study.name, round, trial, parent.run_id)
            if self._tables and trial.number not in known.begun:
                fresh.append(row)
            else:
                runs.write(row, known.begun.get(trial.number))
        if fresh and self._tables:
            self._tables.write(fresh, parent.run_id, parent.artifact_uri, parent.experiment_id)
        known.complete.update(trial.number for trial in trials)

    def finish(self, study: Study, finished: Finished, register: str | None) -> None:
        """Close the round's run; `register` names the model in MLflow's registry."""
        round, fitted = finished.round, finished.fitted
        with faults_of(self._uri):
            # a run that was made after its request had timed out is found only now
            self._rounds.pop(round_id(study, round), None)
            parent = self._round(study, round).parent
            if fitted:
                keep_model(self._client, parent, study, finished, fitted, register)
            finish_round(self._client, parent, finished, report_folder(study, round))
            if self._tables:
                self._tables.analyze()

    def promote(self, study: Study, finished: Finished, register: str) -> str:
        """Make the round's model the champion of the registered model; says what it is then."""
        with faults_of(self._uri, AGAIN):
            parent = self._round(study, finished.round).parent
            return promote_model(self._client, parent, study, finished, register)

    def is_champion(self, study: Study, round: Round, register: str) -> bool:
        """Whether the champion of the registered model is this round's, as it ended last."""
        with faults_of(self._uri, AGAIN):
            parent = self._round(study, round).parent
            model = logged_model(self._client, parent, round)
            present = version_of(self._client, register, CHAMPION)
            return bool(model and present and present.source == model.artifact_location)

    def champion(self, register: str, rival: Fitted) -> tuple[int, Any] | None:
        """Version and model of the champion, where there is one."""
        with faults_of(self._uri, AGAIN):
            return champion(self._client, self._uri, register, rival.model)

    def rollback(self, register: str) -> str:
        """Make the previous champion the champion again; says what it is then."""
        with faults_of(self._uri, AGAIN):
            return rollback(self._client, register)

    def write_proposal(self, study: Study, round: Round, reviewed: Reviewed) -> None:
        """Keep the proposal in the round's run, which is made where it is not there yet."""
        with faults_of(self._uri):
            try:
                parent = self._round(study, round).parent
                keep_proposal(self._client, parent, reviewed)
                info = parent.info
                keep_trace(self._uri, info.experiment_id, info.run_id, reviewed.proposal)
            except Exception:
                self._rounds.clear()
                raise

    def history(self, study: str) -> list[Trial]:
        """All trials of the study that were written completely, by number."""
        with faults_of(self._uri):
            found = self._client.get_experiment_by_name(self._name)
            if found is None:
                raise self._unknown(study)
            self._id = found.experiment_id
            pairs = (
                self._tables.history(study, found.experiment_id)
                if self._tables
                else self._runs().history(study, alone=self._name == study)
            )
            trials = {(parent, trial.number): trial for parent, trial in pairs}
            if not trials and not any(self._runs().search({"tunesmith.study": study})):
                raise self._unknown(study)
        return sorted(trials.values(), key=lambda trial: (trial.number, trial.started or 0.0))

    def _unknown(self, study: str) -> TrackerError:
        return TrackerError(
            f"experiment '{self._name}' at '{without_secrets(self._uri)}' has no study '{study}'; "
            "check the name and the tracking URI"
        )

    def _runs(self) -> Runs:
        """The experiment's runs; makes the experiment where there is none."""
        if self._id is None:
            found = self._client.get_experiment_by_name(self._name)
            if found and found.lifecycle_stage == "deleted":
                raise TrackerError(
                    f"experiment '{self._name}' at '{without_secrets(self._uri)}' is deleted; "
                    "restore it in MLflow or name another one with the option 'experiment'"
                )
            self._id = found.experiment_id if found else self._client.create_experiment(self._name)
        return Runs(self._client, self._id)

    def _round(self, study: Study, round: Round) -> _Known:
        key = round_id(study, round)
        if key not in self._rounds:
            runs = self._runs()
            parents = list(runs.search(dict(key)))
            if not parents:
                parents = [create_round(self._client, runs.experiment_id, study, round)]
            known = self._look_up(parents)
            keep_settings(self._client, known.parent, round)
            self._rounds[key] = known
        return self._rounds[key]

    def _look_up(self, parents: Sequence[Run]) -> _Known:
        """What is there of a round; runs that are there twice, after a time-out, are deleted."""
        source = self._tables or self._runs()
        found = {run.info.run_id: source.children(run.info.run_id) for run in parents}
        parent, *others = sorted(
            parents, key=lambda run: (-len(found[run.info.run_id]), run.info.run_id)
        )
        children: dict[int, Child] = {}
        surplus = [run.info.run_id for run in others if not found[run.info.run_id]]
        for child in (child for group in found.values() for child in group):
            held = children.setdefault(child.number, child)
            if held is not child:
                keep, drop = (child, held) if child.complete > held.complete else (held, child)
                children[child.number] = keep
                surplus.append(drop.run_id)
        for run_id in surplus:
            self._client.delete_run(run_id)
        complete = {child.number for child in children.values() if child.complete}
        begun = {n: child.run_id for n, child in children.items() if not child.complete}
        return _Known(parent, complete, begun)


def known_tables(uri: str) -> Tables | None:
    """Direct access to MLflow's tables, where that is safe; the log says where it is not."""
    if not is_sqlite_file(uri):
        return None
    tables = Tables(uri)
    revision = tables.revision()
    if revision in KNOWN_REVISIONS:
        return tables
    tables.close()
    _log.warning(
        "'%s' has schema revision %s, which this plugin does not know: trials are written one by "
        "one, which is slower; a newer tunesmith-mlflow may know it",
        without_secrets(uri),
        revision,
    )
    return None
