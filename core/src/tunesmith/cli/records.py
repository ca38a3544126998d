"""Finds the record that a reading command is about, and makes none where there is none."""

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import cast

from tunesmith.components import Advisor
from tunesmith.errors import ConfigError, did_you_mean
from tunesmith.history import IDENTITY
from tunesmith.limits import all_judged
from tunesmith.loop import Result
from tunesmith.plugins import installed
from tunesmith.proposals import Evidence
from tunesmith.revision import gather
from tunesmith.store import Record, Store, is_missing
from tunesmith.study import load_study, store_url
from tunesmith.trial import Round, Trial


@contextmanager
def open_record(study: str) -> Iterator[Record]:
    """The record of a study file, or of a study by its name in the store of this folder.

    Raises ConfigError where nothing was run yet.
    """
    path = Path(study)
    if path.exists() or path.suffix in (".yaml", ".yml"):
        found = load_study(path)
        name, url = found.name, store_url(found)
    else:
        name, url = study, os.environ.get("TUNESMITH_STORE") or "sqlite:///tunesmith.db"
    if is_missing(url):
        raise ConfigError(
            f"study '{name}' has no trials yet; start it with 'tunesmith run {study}'"
        )
    store = Store(url)
    try:
        record = store.find(name)
        if record is None:
            raise ConfigError(
                f"no study '{name}' in the record '{store.url}'{did_you_mean(name, store.names())}"
            )
        yield record
    finally:
        store.close()


def comparable(record: Record) -> tuple[Round, list[Trial]]:
    """The latest round, and the trials of all rounds whose scores compare with its scores.

    They are judged by its limits. Raises ConfigError where no round was started.
    """
    rounds = record.rounds()
    if not rounds:
        raise ConfigError(f"study '{record.name}' has no round yet; start one with 'tunesmith run'")
    latest = rounds[-1]
    same = {
        round.number
        for round in rounds
        if all(getattr(round, what) == getattr(latest, what) for what in IDENTITY)
    }
    trials = [trial for trial in record.trials() if trial.round in same]
    return latest, all_judged(trials, latest.limits)


def advisor_record(result: Result) -> Sequence[Evidence]:
    """What the edits behind a finished round were worth, in the words of the study's advisor.

    One that fails at it costs a warning: the round's trials are worth more.
    """
    study = result.study
    if result.reason is None or result.round.proposal is None:
        return ()
    table = study.advisor.model_dump() if study.advisor else {"use": "statistical"}
    try:
        advisor = cast(Advisor, installed().build("advisor", table))
        with closing(Store(store_url(study))) as store:
            return advisor.worth(gather(study, store.record(study.name)))
    except Exception as error:  # a third party's code may raise anything
        warnings.warn(f"no advisor record: {type(error).__name__}: {error}", stacklevel=2)
        return ()
