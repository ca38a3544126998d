"""`tunesmith space`: the versions of a study's search space."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from tunesmith.cli.output import format_option, show_data, show_rows, study_argument

if TYPE_CHECKING:
    from tunesmith.history import Reviewed
    from tunesmith.store import Record, SpaceVersion


_FILE = click.File("w", encoding="utf-8", atomic=True)


@click.group("space")
def command() -> None:
    """Show, compare and export the versions of a study's search space."""


@command.command()
@study_argument
@click.option("--version", type=int, help="A recorded version, instead of the study file's space.")
@format_option
def show(study: str, version: int | None, format: str) -> None:
    """Show the parameters and rules of the space."""
    from tunesmith.space import describe

    space = _space(study, version)
    if format != "table":
        show_data(space.to_dict(), format)
        return
    rows = [
        {"parameter": name, "values": describe(parameter)}
        for name, parameter in space.parameters.items()
    ]
    rows += [{"parameter": "constraint", "values": text} for text in space.constraints]
    rows += [{"parameter": "forbidden", "values": str(text)} for text in space.forbid]
    show_rows(rows, "table")


@command.command()
@click.argument("words", nargs=-1, metavar="[STUDY] [OLD] [NEW]")
@click.option("--trials", is_flag=True, help="What becomes of each trial of OLD in NEW.")
@format_option
def diff(words: tuple[str, ...], trials: bool, format: str) -> None:
    """Compare versions OLD and NEW; without them the latest recorded one and the study file."""
    from tunesmith.space import diff as compare

    study, old, new = _study_and_versions(words)
    with _record(study) as record:
        lineage = record.versions()
        before = _version(lineage, old).space
        after = _version(lineage, new).space if new is not None else _space(study, None)
        if trials:
            show_rows(_fates(record, before, after), format)
            return
    changes = compare(before, after)
    if format == "table":
        click.echo("\n".join(changes) or "no difference")
    else:
        show_data(changes, format)


@command.command()
@study_argument
@format_option
def history(study: str, format: str) -> None:
    """List the versions: who made each, when, why, and what came of it."""
    from tunesmith.limits import all_judged
    from tunesmith.space import diff as compare
    from tunesmith.trial import best_trial

    with _record(study) as record:
        lineage = record.versions()
        proposals = {item.proposal.number: item for item in record.proposals()}
        rows: list[dict[str, Any]] = []
        for version in lineage:
            rounds = [round for round in record.rounds() if round.space_version == version.number]
            trials = [trial for round in rounds for trial in record.trials(round.number)]
            trials = all_judged(trials, rounds[-1].limits) if rounds else []
            best = best_trial(trials, rounds[-1].goals) if rounds else None
            parent = version.parent and _version(lineage, version.parent)
            rows.append(
                {
                    "version": version.number,
                    "created": _date(version.created),
                    "author": version.author,
                    "reason": version.reason,
                    "changes": len(compare(parent.space, version.space)) if parent else None,
                    "proposal": version.proposal,
                    "approved by": _approvals(proposals.get(version.proposal or 0), format),
                    "evidence": _evidence(proposals.get(version.proposal or 0), format),
                    "trials": sum(trial.counts for trial in trials),
                    "best": best.metrics[rounds[-1].goals[0].metric] if best else None,
                    "fingerprint": version.space.fingerprint[:12],
                }
            )
    if format == "table":
        idle = [key for key in rows[0] if all(row[key] is None for row in rows)] if rows else []
        rows = [{key: row[key] for key in row if key not in idle} for row in rows]
    show_rows(rows, format)


@command.command()
@study_argument
@click.option("--version", type=int, help="A recorded version, instead of the study file's space.")
@click.option("--output", type=_FILE, default="-", help="A file, instead of the screen.")
@click.option("-f", "--format", type=click.Choice(["yaml", "json"]), default="yaml")
def export(study: str, version: int | None, output: TextIO, format: str) -> None:
    """Write a space as it would stand in a study file."""
    show_data({"space": _space(study, version).to_dict()}, format, output)


def _study_and_versions(words: tuple[str, ...]) -> tuple[str, int | None, int | None]:
    """STUDY, OLD and NEW; `1` and `v1` are versions, so that STUDY may be left out."""
    numbers = [word.removeprefix("v") for word in words]
    study = "study.yaml" if not words or numbers[0].isdigit() else words[0]
    versions = numbers if words and numbers[0].isdigit() else numbers[1:]
    if len(versions) > 2 or not all(version.isdigit() for version in versions):
        raise click.UsageError(f"'{' '.join(words)}' is not STUDY and two versions, such as 1 2")
    old, new, *_ = [*map(int, versions), None, None]
    return study, old, new


def _record(study: str) -> Any:
    from tunesmith.cli.records import open_record

    return open_record(study)


def _space(study: str, version: int | None) -> Any:
    from tunesmith.study import load_study

    path = Path(study)
    if version is None and (path.exists() or path.suffix in (".yaml", ".yml")):
        return load_study(path).space
    with _record(study) as record:
        lineage = record.versions()
        return _version(lineage, version).space


def _version(lineage: list["SpaceVersion"], number: int | None) -> "SpaceVersion":
    """The version of that number, else the latest one."""
    from tunesmith.errors import ConfigError

    if not lineage:
        raise ConfigError("there is no space version yet; the first one is made by 'tunesmith run'")
    if number is None:
        return lineage[-1]
    for version in lineage:
        if version.number == number:
            return version
    known = ", ".join(f"v{version.number}" for version in lineage)
    raise ConfigError(f"there is no space version {number} (known: {known})")


def _fates(record: "Record", before: Any, after: Any) -> list[dict[str, Any]]:
    from dataclasses import replace

    from tunesmith.carryover import carry_over, fixed_since

    rows, proposals = [], record.proposals()
    for round in record.rounds():
        if round.space.fingerprint != before.fingerprint:
            continue
        for trial in record.trials(round.number):
            fixed = fixed_since(trial, after, proposals)
            item = carry_over(trial, round, replace(round, space=after), fixed)
            rows.append(
                {"trial": trial.number, "fate": str(item.fate), "reason": item.reason or None}
            )
    return rows


def _approvals(reviewed: "Reviewed | None", format: str) -> Any:
    """Who approved the edits behind a version, and when: names for people, all for programs."""
    made = [item for item in reviewed.decisions if item.verdict != "reject"] if reviewed else []
    if format == "table":
        return ", ".join(dict.fromkeys(decision.author for decision in made)) or None
    return [decision.model_dump(mode="json") for decision in made]


def _evidence(reviewed: "Reviewed | None", format: str) -> Any:
    """What the approved edits rest on: ids for people, sentences for programs."""
    cited = {id for edit in reviewed.approved for id in edit.evidence} if reviewed else set()
    if format == "table":
        return " ".join(sorted(cited)) or None
    rows = reviewed.proposal.evidence if reviewed else ()
    return {row.id: row.sentence for row in rows if row.id in cited}


def _date(seconds: float) -> str:
    from datetime import datetime

    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M")
