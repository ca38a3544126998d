"""Which round a study is in: the open one goes on, a changed study begins a new one."""

import getpass
import json
import subprocess
import time
from pathlib import Path

from tunesmith.store import Record
from tunesmith.study import Study
from tunesmith.trial import Round

_SAME = ("space_version", "sampler", "objective", "goals", "seed", "dataset")


def open_round(study: Study, record: Record, dataset: str | None, new: bool) -> Round:
    """The study's latest round where the study still asks the same, else a new one, written down.

    It comes without its trials. A space that differs from the latest version becomes a version.
    `dataset` is the data's fingerprint.
    """
    earlier = record.rounds()
    latest = earlier[-1] if earlier else None
    version = record.version_of(study.space, _user())
    round = Round(
        number=latest.number + 1 if latest else 1,
        space_version=version.number,
        space=version.space,
        sampler=study.sampler.model_dump(mode="json"),
        objective=study.objective.model_dump(mode="json"),
        goals=study.goal_list,
        seed=study.seed,
        budget=study.budget.model_dump(exclude_none=True),
        dataset=dataset,
        commit=_commit(study.folder),
        started=time.time(),
    )
    if latest and not new and _identity(latest) == _identity(round):
        latest.budget = round.budget
        return latest
    record.save_round(round)
    return round


def _identity(round: Round) -> str:
    return json.dumps([getattr(round, field) for field in _SAME], sort_keys=True, default=str)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "unknown"


def _commit(folder: Path) -> str | None:
    """The git commit that the study's folder is at, where there is one."""
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()
