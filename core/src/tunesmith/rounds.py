"""Which round a study is in: the open one goes on, a changed study begins a new one."""

import getpass
import json
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from tunesmith.components import Dataset
from tunesmith.errors import ConfigError
from tunesmith.lineage import SpaceVersion
from tunesmith.plugins import Registry
from tunesmith.store import Record
from tunesmith.study import Study
from tunesmith.trial import Round

_SAME = ("space_version", "proposal", "sampler", "objective", "goals", "limits", "seed", "dataset")


@dataclass(frozen=True, slots=True)
class Data:
    """What a study's data are: their fingerprint, and where they come from."""

    fingerprint: str | None = None
    version: dict[str, str] = field(default_factory=dict)


def dataset_of(study: Study, registry: Registry) -> Dataset | None:
    """The study's dataset. Raises PluginError where its plugin is not there."""
    built = cast(list[Dataset], study.build("dataset", registry))
    return built[0] if built else None


def data_of(study: Study, dataset: Dataset | None) -> Data:
    """The data as they are now. Raises what the dataset raises."""
    if dataset is None:
        return Data()
    return Data(dataset.fingerprint(study.folder), dataset.version(study.folder))


def open_round(study: Study, record: Record, data: Data, new: bool) -> Round:
    """The study's latest round where the study still asks the same, else a new one, written down.

    It comes without its trials. A space that differs from the latest version becomes a version.
    Data with another fingerprint begin a round; where they come from does not, for the same data
    may be in another commit.
    """
    earlier = record.rounds()
    latest = earlier[-1] if earlier else None
    version = present_version(study, record)
    led_here = [item for item in record.proposals() if item.version == version.number]
    round = Round(
        number=latest.number + 1 if latest else 1,
        space_version=version.number,
        space=version.space,
        sampler=study.sampler.model_dump(mode="json"),
        objective=study.objective.model_dump(mode="json"),
        goals=study.goal_list,
        seed=study.seed,
        budget=study.budget.model_dump(exclude_none=True),
        dataset=data.fingerprint,
        commit=_commit(study.folder),
        started=time.time(),
        proposal=led_here[-1].proposal.number if led_here else None,
        limits=study.limits,
        dataset_version=data.version,
    )
    if latest and not new and _identity(latest) == _identity(round):
        latest.budget = round.budget
        return latest
    record.save_round(round)
    return round


def present_version(study: Study, record: Record) -> SpaceVersion:
    """The study's space as a version; one that was edited by hand becomes a new one.

    Raises ConfigError where the study has not got the space of an approved proposal yet, which
    would be undone otherwise.
    """
    waiting = record.unwritten()
    if waiting:
        spaces = {version.number: version.space for version in record.versions()}
        number = waiting.version or 0
        if spaces[number].fingerprint != study.space.fingerprint:
            raise ConfigError(
                f"proposal {waiting.proposal.number} was approved and led to space version "
                f"{number}, which study '{study.name}' does not have; give it that space: "
                f"'tunesmith space show --version {number}' prints it"
            )
        record.mark_written()
    return record.version_of(study.space, user())


def _identity(round: Round) -> str:
    return json.dumps([getattr(round, field) for field in _SAME], sort_keys=True, default=str)


def user() -> str:
    """Who runs this process, as the system knows them."""
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
