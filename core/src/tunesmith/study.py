"""A study: one question, its search space, and what answers it; read from a study file."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

from tunesmith.components import KINDS, Component
from tunesmith.errors import ConfigError
from tunesmith.expressions import parse
from tunesmith.plugins import Registry, installed
from tunesmith.problems import Problem, problems_of, raise_problems
from tunesmith.space import SearchSpace
from tunesmith.trial import Direction, Goal


def _as_table(value: object) -> object:
    return {"use": value} if isinstance(value, str) else value


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

    name: str = Field(min_length=1, max_length=100, pattern=r"^[\w][\w .\-]*$")
    """Name of the study; its record is kept under it."""
    description: str = ""
    """What the study is about, for people and for the advisor."""
    goals: dict[str, Direction] = Field(min_length=1)
    """Metrics to optimise, each with `minimize` or `maximize`; the first one decides between
    equals.
    """
    space: SearchSpace
    """The search space."""
    objective: Use
    """What a trial runs."""
    dataset: Use | None = None
    """Where the data comes from, for objectives that take one."""
    sampler: Use = ComponentTable(use="random")
    """Chooses the next params."""
    executor: Use = ComponentTable(use="processes")
    """Runs the trials."""
    trackers: tuple[Use, ...] = ()
    """Tracking systems that get every trial."""
    reporters: tuple[Use, ...] = ()
    """Make files for people at the end of a round."""
    budget: Budget = Budget()
    """When a round ends."""
    gates: tuple[str, ...] = ()
    """Formulas over the final metrics that the best model must meet to be promoted:
    `test_accuracy >= 0.9`.
    """
    seed: int = Field(0, ge=0)
    """Seed of everything random."""
    default_first: bool = True
    """Try the declared defaults as the first trial."""
    store: str | None = None
    """URL of the durable record; else $TUNESMITH_STORE, else `tunesmith.db` beside the study
    file.
    """
    folder: Path = Field(default=Path(), exclude=True, repr=False)
    """Folder of the study file, where relative paths start; not an option."""

    @model_validator(mode="after")
    def _gates_can_be_read(self) -> "Study":
        for gate in self.gates:
            parse(gate)
        return self

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
    """Where the study's record is. The path of an SQLite store starts at the study's folder."""
    url = study.store or os.environ.get("TUNESMITH_STORE") or "sqlite:///tunesmith.db"
    if url.startswith("sqlite:///") and url != "sqlite:///:memory:":
        return f"sqlite:///{study.folder / url.removeprefix('sqlite:///')}"
    return url


def load_study(path: Path, registry: Registry | None = None) -> Study:
    """Read and check a study file.

    Raises ConfigError with all mistakes at once, each with its line and path.
    """
    data, lines = _read(path)
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


def _read(path: Path) -> tuple[dict[str, Any], dict[tuple[str | int, ...], int]]:
    """The file's plain data, and the line of every key."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(
            f"there is no study file '{path}'; write one with 'tunesmith init'"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the study file '{path}': {error}") from None
    try:
        document = YAML().load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise ConfigError(f"{path}{place}: not YAML: {error.problem or error.context}") from None
    if not isinstance(document, CommentedMap):
        raise ConfigError(
            f"the study file '{path}' holds no table of options; write one with 'tunesmith init'"
        )
    lines: dict[tuple[str | int, ...], int] = {}
    return _plain(document, (), lines), lines


def _plain(node: Any, path: tuple[str | int, ...], lines: dict[tuple[str | int, ...], int]) -> Any:
    """The node without ruamel's types; notes the line of each key and item on the way."""
    if isinstance(node, CommentedMap):
        for key in node:
            lines[(*path, key)] = node.lc.key(key)[0] + 1
        return {key: _plain(value, (*path, key), lines) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        for index in range(len(node)):
            lines[(*path, index)] = node.lc.item(index)[0] + 1
        return [_plain(value, (*path, index), lines) for index, value in enumerate(node)]
    for plain in (bool, int, float, str):
        if isinstance(node, plain):
            return plain(node)
    return node
