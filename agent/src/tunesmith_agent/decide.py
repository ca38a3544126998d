"""What the commands below `tunesmith proposals` do."""

import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import click

from tunesmith.cli.output import show_data
from tunesmith.errors import ConfigError
from tunesmith.history import Reviewed
from tunesmith.proposals import Decision, Verdict
from tunesmith.rounds import user
from tunesmith_agent.amend import amended, own, told
from tunesmith_agent.desk import Desk, data_of, open_desk, present
from tunesmith_agent.page import write_page
from tunesmith_agent.story import date, story_of


def rows(study: str) -> list[dict[str, Any]]:
    """A row for each proposal."""
    with open_desk(study) as desk:
        return [_row(desk, reviewed) for reviewed in desk.record.proposals()]


def _row(desk: Desk, reviewed: Reviewed) -> dict[str, Any]:
    proposal, decisions = reviewed.proposal, reviewed.decisions
    verdicts = [decision.verdict for decision in decisions]
    return {
        "proposal": proposal.number,
        "made": date(proposal.made),
        "advisor": proposal.advisor,
        "space": f"v{proposal.space_version}",
        "edits": len(proposal.edits),
        "approved": len(verdicts) - verdicts.count(Verdict.REJECT),
        "rejected": verdicts.count(Verdict.REJECT),
        "state": desk.state(reviewed),
        "led to": f"v{reviewed.version}" if reviewed.version else None,
        "decided by": ", ".join(dict.fromkeys(decision.author for decision in decisions)) or None,
    }


def show(words: tuple[str, ...], everything: bool, html: str | None, format: str) -> None:
    """Print a proposal, and write its page where one is wanted."""
    study, number, ids = split(words)
    if ids:
        raise click.UsageError(f"'{ids[0]}' is neither a study file nor the number of a proposal")
    with open_desk(study) as desk:
        reviewed = desk.find(number)
        story = story_of(reviewed, desk.history(reviewed), everything)
        present(story, data_of(reviewed), format)
        if html:
            write_page(Path(html), story)
            click.echo(f"wrote {html}", err=True)
        click.echo(desk.outcome(reviewed), err=True)


def run(verdict: str, words: tuple[str, ...], data: str | None, **options: Any) -> None:
    """Record decisions about a proposal, and print what became of it."""
    study, number, ids = split(words)
    text = sys.stdin.read() if data == "-" else data
    given = None if text is None else _parsed(text)
    with open_desk(study) as desk:
        reviewed = desk.find(number)
        decisions = _decisions(desk, reviewed, Verdict(verdict), ids, given, options)
        reviewed = desk.decide(reviewed.proposal.number, decisions)
        if options["format"] == "table":
            click.echo(desk.outcome(reviewed))
        else:
            show_data(data_of(reviewed), options["format"])


def split(words: tuple[str, ...]) -> tuple[str, int | None, list[str]]:
    """STUDY, NUMBER and ids of edits; a number or an id as the first word leaves STUDY out."""
    left = list(words)
    study = "study.yaml"
    if left and not re.fullmatch(r"\d+|e\d+", left[0]):
        study = left.pop(0)
    number = int(left.pop(0)) if left and left[0].isdecimal() else None
    wrong = next((word for word in left if not re.fullmatch(r"e\d+", word)), None)
    if wrong:
        raise click.UsageError(f"'{wrong}' is not the id of an edit, such as e1")
    return study, number, left


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"--json is not JSON: {error}") from None


def _no_number(text: str) -> None:
    raise ValueError(f"'{text}' is no number")


def _decisions(
    desk: Desk,
    reviewed: Reviewed,
    verdict: Verdict,
    ids: list[str],
    given: Any,
    options: dict[str, Any],
) -> list[Decision]:
    common = {
        "author": options["author"] or user(),
        "reason": options["reason"],
        "override": options.get("override", False),
        "verdict": verdict,
    }
    if isinstance(given, list):
        if ids:
            raise click.UsageError("edits are named either as words or in --json, not in both")
        return [_read(reviewed, item, common) for item in given]
    if verdict is Verdict.EDIT:
        if len(ids) != 1:
            raise click.UsageError("name one edit to change, such as e1")
        return [_read(reviewed, _changed(desk, reviewed, ids[0], given, options), common)]
    if given is not None:
        raise ConfigError('--json is a list of decisions here, such as [{"edit": "e1"}]')
    chosen = ids or [edit.id for edit in reviewed.undecided]
    return [_read(reviewed, {"edit": id}, common) for id in chosen]


def _changed(
    desk: Desk, reviewed: Reviewed, id: str, given: Any, options: dict[str, Any]
) -> dict[str, Any]:
    proposed = reviewed.proposal.edit(id)
    if proposed is None:
        return {"edit": id}  # which is refused with what there is
    typed = {name: options[name] for name in ("low", "high", "choices", "value")}
    if given is None:
        changed = amended(desk.history(reviewed).space, proposed, typed)
        return {"edit": id, "changed": changed}
    if any(value is not None for value in typed.values()):
        raise click.UsageError("an edit is changed either by values or by --json, not by both")
    return {"edit": id, "changed": given}


def _read(reviewed: Reviewed, item: Any, common: dict[str, Any]) -> Decision:
    """A decision from outside, the time of it from the clock, its edit a person's."""
    from pydantic import ValidationError

    if not isinstance(item, dict):
        raise ConfigError(f'{item!r} is no decision; write it as {{"edit": "e1"}}')
    if "at" in item:
        raise ConfigError("'at' is taken from the clock; leave it out")
    values = common | item
    proposed = reviewed.proposal.edit(str(item.get("edit")))
    if proposed and isinstance(item.get("changed"), dict):
        values["changed"] = own(proposed, item["changed"])
    if values["override"] and not values["reason"]:
        raise ConfigError("an override needs a reason: say it with --reason")
    try:
        return Decision(**values, at=time.time())
    except (ValidationError, TypeError) as error:
        shown = told(error) if isinstance(error, ValidationError) else error
        raise ConfigError(f"this is no decision: {shown}") from None
