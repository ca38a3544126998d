"""What follows a round's last trial, and is called back later.

The best model is fitted for keeps, compared with the champion, and reported on.
"""

from __future__ import annotations

from typing import cast

from tunesmith.components import Objective, Tracker
from tunesmith.errors import ConfigError, PluginError, told_of
from tunesmith.finished import Finished, Report
from tunesmith.gates import BEATS_CHAMPION, CHAMPION, COMPARISON
from tunesmith.plugins import Registry
from tunesmith.reporting import Told, names_of, report_folder, write_reports
from tunesmith.rounds import data_of, dataset_of
from tunesmith.study import Study
from tunesmith.trial import Round, best_trial

HOW_TO_REGISTER = "'trackers: [{use: mlflow, register: NAME}]'"
"""What a study that registers its models has in its file."""


def wrap_up(
    study: Study,
    finished: Finished,
    objective: Objective,
    registry: Registry,
    told: Told,
) -> None:
    """Fit the best configuration again, score it on held-out data, and have the reports written.

    Sets `final` of the round. A model or a report that fails is told in the notes: the round's
    trials are worth keeping.
    """
    _refit(finished, objective)
    finished.round.final = finished.fitted.numbers if finished.fitted else {}
    try:
        compare(study, finished, objective, registry)
    except (Exception, SystemExit) as error:  # a tracker, or an old model, may raise anything
        finished.notes.append(f"not compared with the champion: {told_of(error)}")
    if finished.fitted is None and not finished.notes and keeper(study, registry):
        finished.notes.append("no model is registered: there is none")
    write_reports(study, finished, registry, told)


def _refit(finished: Finished, objective: Objective) -> None:
    """Fit the round's best model for keeps; a fault is a note."""
    best = best_trial(finished.round.trials, finished.round.goals)
    if best:
        try:
            finished.fitted = objective.refit(best.params, best.seed)
        except (Exception, SystemExit) as error:  # user code may raise anything
            finished.notes.append(f"the best model could not be fitted again: {told_of(error)}")


def keeper(study: Study, registry: Registry) -> Tracker | None:
    """The study's tracker that has its champions, the first of several; None without.

    Raises ConfigError where a gate asks for a champion, which there can be none of then.
    """
    trackers = cast(list[Tracker], study.build("tracker", registry))
    found = next((tracker for tracker in trackers if tracker.keeps_models), None)
    if found is None and BEATS_CHAMPION in study.gates:
        raise ConfigError(
            f"the gate '{BEATS_CHAMPION}' of study '{study.name}' needs a tracker that registers "
            f"models: {HOW_TO_REGISTER}"
        )
    return found


def compare(study: Study, finished: Finished, objective: Objective, registry: Registry) -> None:
    """Where a gate asks for it, compare the model with the champion; sets final metrics.

    Raises TrackerError where the champion cannot be had, PluginError where the objective does not
    compare models, and whatever the champion raises on rows that it does not know.
    """
    fitted, tracker = finished.fitted, keeper(study, registry)
    if BEATS_CHAMPION not in study.gates or fitted is None or tracker is None:
        return
    try:
        found = tracker.champion(study, fitted)
    finally:
        tracker.close()
    if found is None:
        finished.round.final |= {CHAMPION: 0.0}
        return
    version, model = found
    gain = objective.gain(fitted, model, study.goal_list[0])
    if gain is None:
        raise PluginError(f"the objective '{study.objective.use}' cannot compare two models")
    numbers = (float(version), gain.mean, gain.low, gain.high)
    finished.round.final |= dict(zip(COMPARISON, numbers, strict=True))


def prepared(study: Study, registry: Registry, objective: Objective | None = None) -> Objective:
    """The study's objective, ready to run. Raises what `prepare` raises."""
    objective = objective or cast(Objective, study.build("objective", registry)[0])
    objective.prepare(study, dataset_of(study, registry))
    return objective


def recall(study: Study, round: Round, objective: Objective, registry: Registry) -> Finished:
    """A round that was wrapped up before, with its files, and the model fitted once more.

    A note says why there is no model: the fit failed, or the study is not what the round was.
    """
    root = report_folder(study, round)
    pages = [root / "index.html", *(root / name for name in names_of(study))]
    files = sorted(path for page in pages for path in (page, *page.rglob("*")) if path.is_file())
    finished = Finished(round, reports={"": Report(files)} if files else {})
    if changed := _changed(study, round, registry):
        finished.notes.append(
            f"the model of round {round.number} is not fitted again: its {changed} is not the "
            "study's of today"
        )
    else:
        _refit(finished, objective)
    return finished


def _changed(study: Study, round: Round, registry: Registry) -> str | None:
    """What a model depends on that the study has another of by now."""
    now = {
        "objective": study.objective.model_dump(mode="json"),
        "seed": study.seed,
        "dataset": data_of(study, dataset_of(study, registry)).fingerprint,
    }
    return next((name for name, value in now.items() if getattr(round, name) != value), None)
