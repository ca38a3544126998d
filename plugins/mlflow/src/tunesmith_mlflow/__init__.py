"""MLflow for tunesmith: rounds and trials as parent and child runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tunesmith.components import Tracker
from tunesmith.hookspecs import hookimpl
from tunesmith_mlflow._address import resolve, without_secrets

if TYPE_CHECKING:
    from tunesmith.finished import Finished, Fitted
    from tunesmith.history import Reviewed
    from tunesmith.hookspecs import Register
    from tunesmith.study import Study
    from tunesmith.trial import LoggedRun, Round, Trial
    from tunesmith_mlflow._experiment import Experiment


@hookimpl
def register_trackers(register: Register[Tracker]) -> None:
    register("mlflow", Mlflow)


class Mlflow(Tracker):
    """MLflow: a study is an experiment, a round a parent run, a trial a child run."""

    uri: str | None = None
    """Tracking URI; else $MLFLOW_TRACKING_URI, else `sqlite:///mlflow.db` in the working
    directory. Credentials belong into $MLFLOW_TRACKING_USERNAME, _PASSWORD or _TOKEN.
    """
    experiment: str | None = None
    """Name of the MLflow experiment; else the study's name."""
    register: str | None = None
    """Register each round's best model under this name; it gets the alias `champion` when the
    study has gates and all of them hold, and the former champion the alias `previous`.
    """
    bulk: bool = True
    """Write and read many trials at once in MLflow's own tables, where the URI is a SQLite file
    with a schema that this plugin knows; elsewhere, and when off, MLflow's client does it.
    """

    def destination(self, study: Study) -> str:
        address = without_secrets(resolve(self.uri))
        return f"{address}, experiment '{self.experiment or study.name}'"

    def look(self, study: Study) -> str:
        address = resolve(self.uri)
        if address.startswith(("http://", "https://")):
            return f"{without_secrets(address)}, experiment '{self.experiment or study.name}'"
        if address == resolve("sqlite:///mlflow.db"):
            return "mlflow ui"  # it looks where MLflow writes unless told otherwise
        return f"mlflow ui --backend-store-uri {without_secrets(address)}"

    def write(self, study: Study, round: Round, trials: Sequence[Trial]) -> None:
        self._connect(study.name).write(study, round, trials)

    def finish(self, study: Study, finished: Finished) -> None:
        self._connect(study.name).finish(study, finished, self.register)

    @property
    def keeps_models(self) -> bool:
        return self.register is not None

    def champion(self, study: Study, rival: Fitted) -> tuple[int, Any] | None:
        if self.register is None:
            return None
        return self._connect(study.name).champion(self.register, rival)

    def is_champion(self, study: Study, round: Round) -> bool:
        if self.register is None:
            return False
        return self._connect(study.name).is_champion(study, round, self.register)

    def promote(self, study: Study, finished: Finished) -> str:
        if self.register is None:
            return super().promote(study, finished)
        return self._connect(study.name).promote(study, finished, self.register)

    def rollback(self, study: Study) -> str:
        if self.register is None:
            return super().rollback(study)
        return self._connect(study.name).rollback(self.register)

    def write_proposal(self, study: Study, round: Round | None, reviewed: Reviewed) -> None:
        if round is not None:  # a proposal that rests on no round has no run to stand in
            self._connect(study.name).write_proposal(study, round, reviewed)

    def history(self, study: str) -> list[Trial]:
        return self._connect(study).history(study)

    def logged(self, experiment: str) -> list[LoggedRun]:
        from tunesmith_mlflow._environment import prepare

        prepare()
        from tunesmith_mlflow._logged import logged

        return logged(resolve(self.uri), experiment, self.bulk)

    def close(self) -> None:
        for experiment in self._experiments.values():
            experiment.close()
        self._experiments.clear()

    def __post_init__(self) -> None:
        self._experiments: dict[str, Experiment] = {}

    def _connect(self, study: str) -> Experiment:
        from tunesmith_mlflow._environment import prepare

        prepare()
        from tunesmith_mlflow._experiment import Experiment

        name = self.experiment or study
        if name not in self._experiments:
            self._experiments[name] = Experiment(resolve(self.uri), name, self.bulk)
        return self._experiments[name]
