"""A study: one question, its search space, and what answers it; read from a study file."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from tunesmith.components import KINDS, Component
from tunesmith.errors import ConfigError
from tunesmith.gates import checked
from tunesmith.limits import canonical
from tunesmith.plugins import Registry, installed
from tunesmith.problems import Problem, problems_of, raise_problems
from tunesmith.space import SearchSpace
from tunesmith.trial import Direction, Goal
from tunesmith.yaml_file import read_table


def _as_table(value: object) -> object:
    return {"use": value} if isinstance(value, str) else value


def _as_gate(value: object) -> object:
    beats = isinstance(value, dict) and len(value) == 1 and "beats" in value
    return f"beats: {value['beats']}" if beats else value  # type: ignore[index]


class ComponentTable(BaseModel):
    """Which component to use, and its options; a bare name stands for `{use: NAME}`."""

    model_config = ConfigDict(extra="allow", frozen=True)

    use: str
    """Name of the component; `tunesmith plugins list` shows them."""


Use = Annotated[ComponentTable, BeforeValidator(_as_table)]


class Budget(BaseModel):
    """When a round ends. Whatever is reached first ends it."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    trials: int | None = Field(50, ge=1)
    """Trials in the round, failed ones included; null: as many as the other limits allow."""
    seconds: float | None = Field(None, gt=0)
    """Wall time of the round; trials that run by then are finished."""
    trial_seconds: float | None = Field(None, gt=0)
    """Wall time of one trial; it is ended then and counts as failed.

    Needs an executor that can do that.
    """
    target: float | None = None
    """Stop once the first goal's metric is this good."""
    patience: int | None = Field(None, ge=1)
    """Stop after this many finished trials without a better one."""
    max_failures: int = Field(10, ge=1)
    """Stop after this many failed trials in a row."""

    @model_validator(mode="after")
    def _ends(self) -> "Budget":
        if (
            self.trials is None
            and self.seconds is None
            and self.target is None
            and self.patience is None
        ):
            raise ValueError("nothing ends the round; set trials, seconds, target or patience")
        return self


class Study(BaseModel):
    """What a study file says, checked. Immutable."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, arbitrary_types_allowed=True
    )

    name: str = Field(min_length=1, max_length=100)
    """Name of the study; its record is kept under it."""
    description: str = ""
    """What the study is about, for people and for the advisor."""
    goals: dict[str, Direction] = Field(min_length=1)
    """Metrics to optimise, each with `minimize` or `maximize`; the first one decides between
    equals.
    """
    limits: tuple[Annotated[str, AfterValidator(canonical)], ...] = ()
    """Formulas over a trial's metrics that it must keep to be the best: `latency_ms <= 20`."""
    space: SearchSpace
    """The search space."""
    objective: Use
    """What a trial runs."""
    dataset: Use | None = None
    """Where the data comes from, for objectives that take one."""
    sampler: Use = ComponentTable(use="random")
    """Chooses the next params."""
    pruner: Use | None = None
    """Ends trials early that are not worth finishing; for one goal."""
    executor: Use = ComponentTable(use="processes")
    """Runs the trials."""
    trackers: tuple[Use, ...] = ()
    """Tracking systems that get every trial."""
    reporters: tuple[Use, ...] = ()
    """Make files for people at the end of a round."""
    advisor: Use | None = None
    """Proposes changes to the space; else `statistical`."""
    budget: Budget = Budget()
    """When a round ends."""
    gates: tuple[Annotated[str, BeforeValidator(_as_gate), AfterValidator(checked)], ...] = ()
    """What the best model must meet to be promoted: formulas over the final metrics, such as
    `test_accuracy >= 0.9`, and `beats: champion`.
    """
    seed: int = Field(0, ge=0, lt=2**32)
    """Seed of everything random."""
    default_first: bool = True
    """Try the declared defaults as the first trial."""
    store: str | None = None
    """URL of the durable record; else $TUNESMITH_STORE, else `tunesmith.db` beside the study
    file.
    """
    folder: Path = Field(default=Path(), exclude=True, repr=False)
    """Folder of the study file, where relative paths start; not an option."""

    @field_validator("name")
    @classmethod
    def _plain_name(cls, name: str) -> str:
        if not re.fullmatch(r"\w[\w .\-]*", name):
            raise ValueError(
                f"'{name}' has other characters than letters, digits, '_', ' ', '.' and '-', "
                "or starts with one of the last three"
            )
        return name

    @field_validator("store")
    @classmethod
    def _no_password(cls, url: str | None) -> str | None:
        if url and re.search(r"://[^/@:]*:[^/@]+@", url):
            raise ValueError(
                "holds a password; put the URL into the environment variable TUNESMITH_STORE"
            )
        return url

    @property
    def goal_list(self) -> tuple[Goal, ...]:
        """The goals as objects, the deciding one first."""
        return tuple(Goal(metric, direction) for metric, direction in self.goals.items())

    def tables(self) -> Iterator[tuple[tuple[str | int, ...], str, dict[str, Any]]]:
        """Every component that the study names: its path in the file, its kind and its table."""
        for kind in KINDS:
            found = getattr(self, kind, None) or getattr(self, f"{kind}s", None) or ()
            if isinstance(found, ComponentTable):
                yield (kind,), kind, found.model_dump()
            else:
                for index, table in enumerate(found):
                    yield (f"{kind}s", index), kind, table.model_dump()

    def build(self, kind: str, registry: Registry | None = None) -> list[Component]:
        """The components of a kind that the study names.

        Raises ConfigError where options are wrong.
        """
        return [
            (registry or installed()).build(kind, table)
            for _, found, table in self.tables()
            if found == kind
        ]


def store_url(study: Study) -> str:
    """Where the study's record is. The path of an SQLite store starts at the study's folder.

    Raises ConfigError for a database in memory, which would not outlive the run.
    """
    url = study.store or os.environ.get("TUNESMITH_STORE") or "sqlite:///tunesmith.db"
    if url == "sqlite://" or ":memory:" in url:
        raise ConfigError(f"the store '{url}' keeps nothing; name a file: sqlite:///tunesmith.db")
    if url.startswith("sqlite:///"):
        return f"sqlite:///{study.folder / url.removeprefix('sqlite:///')}"
    return url


def load_study(path: Path, registry: Registry | None = None) -> Study:
    """Read and check a study file.

    Raises ConfigError with all mistakes at once, each with its line and path.
    """
    data, lines = read_table(path)
    return check_study(data, path.parent.resolve(), registry or installed(), str(path), lines)


def check_study(
    data: Mapping[str, Any],
    folder: Path,
    registry: Registry,
    source: str | None = None,
    lines: Mapping[tuple[str | int, ...], int] | None = None,
    given: Sequence[str] = (),
) -> Study:
    """The study that plain data describes; components of the kinds in `given` come as objects.

    Raises ConfigError with all mistakes at once.
    """
    problems: list[Problem] = []
    study = None
    if "folder" in data:
        problems.append(Problem(("folder",), "unknown option"))
    try:
        study = Study.model_validate({**data, "folder": folder})
    except ValidationError as error:
        problems += problems_of(error, Study)
    for path, kind, table in study.tables() if study else _raw_tables(data):
        if kind not in given:
            problems += registry.check(kind, table, path)
    raise_problems(problems, source, lines)
    return cast(Study, study)


def _raw_tables(
    data: Mapping[str, Any],
) -> Iterator[tuple[tuple[str | int, ...], str, dict[str, Any]]]:
    """Component tables of data that is no valid study, so that their mistakes are told too."""
    for kind in KINDS:
        entries: list[tuple[tuple[str | int, ...], object]] = [((kind,), data.get(kind))]
        several = data.get(f"{kind}s")
        entries += [
            ((f"{kind}s", index), item)
            for index, item in enumerate(several if isinstance(several, list) else [])
        ]
        for path, entry in entries:
            table = _as_table(entry)
            if isinstance(table, dict) and isinstance(table.get("use"), str):
                yield path, kind, table
