"""The report on a finished round: drift from training to held-out rows, and the model's health."""

from collections.abc import Mapping
from pathlib import Path

from tunesmith.errors import PluginError
from tunesmith.finished import Finished, Report
from tunesmith_evidently import Evidently
from tunesmith_evidently._columns import pairs_of
from tunesmith_evidently._drift import drift_of
from tunesmith_evidently._model import obstacle
from tunesmith_evidently._place import Place
from tunesmith_evidently._rows import rows_of
from tunesmith_evidently._settled import settled


def write_report(options: Evidently, seed: int, finished: Finished, folder: Path) -> Report:
    """Write both pages and their JSON. Raises PluginError where there is nothing to look at."""
    fitted = finished.fitted
    if fitted is None:
        raise PluginError(
            "there is no fitted model to look at; use an objective that keeps one, such as "
            "'sklearn' with 'final_fit: true', and see the notes on the round"
        )
    if fitted.train is None or fitted.test is None:
        which = "training" if fitted.train is None else "held-out"
        raise PluginError(
            f"the model comes without {which} rows to compare; have the objective hold some out, "
            "for example by 'test_share: 0.2'"
        )
    train = rows_of(fitted.train, options.max_rows, seed)
    test = rows_of(fitted.test, options.max_rows, seed)
    with settled():
        from tunesmith_evidently import _health, _pages

        drift = drift_of(pairs_of(train.frame, test.frame))
        place = Place(folder)
        files = _pages.write_drift(drift, (train, test), options.max_columns, place)
        said = _pages.drift_words(drift, "training rows", "held-out rows")
        metrics = {"drift_share": drift.share, "drifted_columns": float(len(drift.drifted))}
        wrong = obstacle(fitted.model, fitted.train.y)
        if wrong:
            said.append(f"The model's health is not told: {wrong}.")
        else:
            health = _health.health_of(fitted.model, train, test)
            files += _pages.write_health(health, place)
            said += _pages.health_words(health, "training rows", "held-out rows")
            metrics |= _metrics(health.reference, health.current, health.leading)
        said += _pages.sampled_words([("training rows", train), ("held-out rows", test)])
    return Report(files, said, metrics)


def _metrics(
    reference: Mapping[str, float], current: Mapping[str, float], leading: str
) -> dict[str, float]:
    """Health on held-out rows, and by how much the leading score is better on training rows."""
    found = {f"health_{name}": value for name, value in current.items()}
    if leading in reference and leading in current:
        found["health_gap"] = reference[leading] - current[leading]
    return found
