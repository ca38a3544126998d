"""Compares new data with what a round's best model was fitted on, and says what follows."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.afterwards import keep, opened
from tunesmith.finished import Finished, Fitted, Report, Table
from tunesmith.plugins import Registry, installed
from tunesmith.study import Study
from tunesmith.trial import Round
from tunesmith.wrapup import prepared
from tunesmith_evidently import Evidently, _kept
from tunesmith_evidently._columns import pairs_of
from tunesmith_evidently._current import known, matched, read
from tunesmith_evidently._drift import Drift, drift_of
from tunesmith_evidently._model import obstacle
from tunesmith_evidently._place import Place
from tunesmith_evidently._quality import Quality, judged, quality_of
from tunesmith_evidently._rows import Rows, frame_of, rows_of
from tunesmith_evidently._settled import settled

if TYPE_CHECKING:
    from tunesmith_evidently._health import Health


@dataclass
class Monitoring:
    """What was found; `quality` is None where it was not judged, and `unjudged` says why."""

    study: str
    round: int
    current: Path
    rows: int
    drift: Drift
    allowed: float
    quality: Quality | None = None
    unjudged: str | None = None
    said: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def drifted(self) -> bool:
        """Whether more columns drifted than may."""
        return self.drift.share > self.allowed

    @property
    def degraded(self) -> bool:
        return bool(self.quality and self.quality.degraded)

    @property
    def advised(self) -> bool:
        """Whether a new round is."""
        return self.drifted or self.degraded


@dataclass(frozen=True)
class _Given:
    """A round's model, the rows that it was fitted on, those held out, and the new ones."""

    study: Study
    round: Round
    options: Evidently
    model: Any
    train: Rows
    held_out: Rows | None
    new: Rows


def monitor(study: Study, current: Path, number: int | None, allowed: float) -> Monitoring:
    """Compare, write the report beside the round's, and keep it in the study's trackers.

    Raises ConfigError for a file that does not fit the model, PluginError for a round without one.
    """
    registry = installed()
    frame = read(current, study)
    with opened(study, number, prepared(study, registry), registry) as (_, finished):
        fitted, table = _kept.training(study, finished)
        new = matched(frame, known(table, frame_of(table.x)), study, current)
        given = _given(study, finished.round, fitted, table, new, _options(study, registry))
        found = _found(given, current, allowed)
        _write(found, given)
        # without the model: it was registered when the round ended
        kept = Finished(finished.round, reports={"monitor": Report(found.files)})
        found.notes = keep(study, kept, registry)
    return found


def _options(study: Study, registry: Registry) -> Evidently:
    """Those of the study's first reporter of this plugin, or the defaults."""
    reporters = study.build("reporter", registry)
    return next((each for each in reporters if isinstance(each, Evidently)), Evidently())


def _given(
    study: Study, round: Round, fitted: Fitted, table: Table, new: Table, options: Evidently
) -> _Given:
    most = options.max_rows
    held_out = None if fitted.test is None else rows_of(fitted.test, most, study.seed)
    train, fresh = rows_of(table, most, study.seed), rows_of(new, most, study.seed)
    return _Given(study, round, options, fitted.model, train, held_out, fresh)


def _found(given: _Given, current: Path, allowed: float) -> Monitoring:
    with settled():
        drift = drift_of(pairs_of(given.train.frame, given.new.frame))
    study, total = given.study, given.new.total
    found = Monitoring(study.name, given.round.number, current, total, drift, allowed)
    found.unjudged = _unjudged(given)
    if found.unjudged is None and given.held_out is not None:
        new, goal = judged(given.new, given.held_out), study.goal_list[0].metric
        try:
            found.quality = quality_of(given.model, goal, given.held_out, new, study.seed)
        except ValueError as error:
            found.unjudged = str(error)
    return found


def _unjudged(given: _Given) -> str | None:
    """Why quality cannot be judged; None where it can."""
    if given.new.y is None:
        return "the file has no target"
    if given.held_out is None:
        return "the study holds no rows out to compare with"
    if not given.new.y.notna().any():
        return "no row of the file has a target"
    return obstacle(given.model, given.train.y)


def _write(found: Monitoring, given: _Given) -> None:
    """Write the pages, a line in the history, and the words."""
    now = time.gmtime()
    stamp = time.strftime("%Y%m%dT%H%M%S", now)
    place = _kept.new_place(given.study, given.round, found.current, stamp)
    with settled():
        from tunesmith_evidently import _pages

        rows = given.train, given.new
        found.files = _pages.write_drift(found.drift, rows, given.options.max_columns, place)
        found.said = _pages.drift_words(found.drift, "the training rows", "the new rows")
        if found.quality:
            found.said.append(_quality_words(found.quality))
            _add_health(found, given, place)
        else:
            found.said.append(f"Quality was not judged: {found.unjudged}.")
        found.said += _pages.sampled_words([("training rows", rows[0]), ("new rows", rows[1])])
    line = _line(found, time.strftime("%Y-%m-%dT%H:%M:%SZ", now))
    found.files.append(_kept.add_line(given.study, given.round, line))


def _add_health(found: Monitoring, given: _Given, place: Place) -> None:
    from tunesmith_evidently import _health, _pages

    if given.held_out is not None:
        new = judged(given.new, given.held_out)
        health: Health = _health.health_of(given.model, given.held_out, new)
        found.files += _pages.write_health(health, place)
        found.said += health.remarks


def _quality_words(quality: Quality) -> str:
    change = (
        f"{quality.scorer} was {quality.held_out:.4g} on held-out rows and is {quality.now:.4g}"
    )
    sure = f"the change is {quality.low:+.4g} to {quality.high:+.4g} with 95% confidence"
    verdict = "The model got worse" if quality.degraded else "The model did not get worse for sure"
    return f"{verdict}: {change}; {sure}."


def _line(found: Monitoring, time: str) -> dict[str, object]:
    quality = found.quality
    return {
        "time": time,
        "current": found.current.name,
        "rows": found.rows,
        "drifted_columns": len(found.drift.drifted),
        "drift_share": found.drift.share,
        "scorer": quality.scorer if quality else "",
        "held_out": quality.held_out if quality else "",
        "now": quality.now if quality else "",
        "advised": found.advised,
    }
