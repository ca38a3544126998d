"""What follows a round's last trial.

The best model is fitted for keeps, and reporters write their files.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from tunesmith.components import Fitted, Objective, Reporter
from tunesmith.plugins import Registry
from tunesmith.study import Study
from tunesmith.trial import Round, best_trial


@dataclass(slots=True)
class WrapUp:
    """A finished round's files and model; `notes` says what could not be made, and why."""

    files: list[Path] = field(default_factory=list)
    fitted: Fitted | None = None
    notes: list[str] = field(default_factory=list)


def wrap_up(study: Study, round: Round, objective: Objective, registry: Registry) -> WrapUp:
    """Fit the best configuration again, score it on held-out data, and have the reports written.

    Sets `round.final`. A model or a report that fails is told in the notes: the round's trials
    are worth keeping.
    """
    made = WrapUp()
    best = best_trial(round.trials, round.goals)
    if best:
        try:
            made.fitted = objective.refit(best.params, best.seed)
        except (Exception, SystemExit) as error:  # user code may raise anything
            made.notes.append(f"the best model could not be fitted again: {_told(error)}")
    round.final = dict(made.fitted.metrics) if made.fitted else {}
    for table, component in zip(study.reporters, study.build("reporter", registry), strict=True):
        folder = report_folder(study, round) / table.use
        try:
            folder.mkdir(parents=True, exist_ok=True)
            made.files += cast(Reporter, component).report(study, round, folder)
        except (Exception, SystemExit) as error:  # a third party's code may raise anything
            made.notes.append(f"reporter '{table.use}' failed: {_told(error)}")
    return made


def recall(study: Study, round: Round, objective: Objective) -> WrapUp:
    """The files and the model of a round that was wrapped up before, the model fitted once more.

    A model of an objective that the study no longer has stays unmade. Raises what `refit` raises.
    """
    files = sorted(path for path in report_folder(study, round).rglob("*") if path.is_file())
    best = best_trial(round.trials, round.goals)
    same = round.objective == study.objective.model_dump(mode="json")
    return WrapUp(files, objective.refit(best.params, best.seed) if best and same else None)


def report_folder(study: Study, round: Round) -> Path:
    """Where a round's reports are, a folder each: `reports/STUDY/round-N` beside the study file."""
    return study.folder / "reports" / study.name / f"round-{round.number}"


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
