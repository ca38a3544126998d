"""A study on the desk of somebody who decides: its proposals, found, shown and decided."""

import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from tunesmith import revision
from tunesmith.cli.output import printable, show_data
from tunesmith.cli.records import open_record
from tunesmith.errors import ConfigError
from tunesmith.history import History, Reviewed
from tunesmith.proposals import Decision
from tunesmith.store import Record
from tunesmith.study import Study, load_study
from tunesmith_agent.advisors import with_advisor
from tunesmith_agent.page import write_page
from tunesmith_agent.review import Review
from tunesmith_agent.story import Story, as_of, story_of
from tunesmith_agent.view import screen_of, show, story_lines


@dataclass(slots=True)
class Desk:
    """A study and its record. `name` is how the user called the study file."""

    name: str
    study: Study
    record: Record

    def propose(self) -> Reviewed:
        """A proposal from the trials there are; the one that was made from them before, if any."""
        return revision.propose(self.study, self.record)

    def find(self, number: int | None) -> Reviewed:
        """The proposal by number, else the latest pending one, else the latest.

        Raises ConfigError where there is none.
        """
        if number is not None:
            return self.record.proposal(number)
        known = self.record.proposals()
        if not known:
            raise ConfigError(
                f"study '{self.study.name}' has no proposal yet; make one with "
                f"'tunesmith advise {self.name}'"
            )
        return ([reviewed for reviewed in known if self.state(reviewed) == "pending"] or known)[-1]

    def state(self, reviewed: Reviewed) -> str:
        """How a proposal stands, in a word or two."""
        if not reviewed.proposal.edits:
            return "no edits"
        if reviewed.pending:
            stale = revision.stale(self.study, self.record, reviewed)
            return "out of date" if stale else "pending"
        if reviewed.version is None:
            return "rejected"
        return "to be tested" if self._unchanged(reviewed) else "applied"

    def history(self, reviewed: Reviewed) -> History:
        """The history that a proposal was made from."""
        spaces = {item.number: item.space for item in self.record.versions()}
        # a space that was edited by hand becomes a version when it is run, not when this is read
        known = self.study.model_copy(update={"space": spaces[max(spaces)]})
        space = spaces[reviewed.proposal.space_version]
        return as_of(revision.gather(known, self.record), reviewed.proposal, space)

    def decide(self, number: int, decisions: Sequence[Decision]) -> Reviewed:
        """Record decisions; with the last one the study file gets its new space.

        Raises what `revision.decide` raises.
        """
        reviewed = revision.decide(self.study, self.record, number, decisions)
        self.settle()
        return reviewed

    def settle(self) -> None:
        """Give the study file the space that was approved last, where it has not got it."""
        path = Path(self.name)
        if revision.settle(path, self.study, self.record):
            self.study = load_study(path)

    def review(self, reviewed: Reviewed, author: str) -> Reviewed:
        """Ask about each edit on the terminal."""
        number = reviewed.proposal.number
        return Review(
            self.history(reviewed),
            reviewed,
            author,
            lambda decisions: self.decide(number, decisions),
            screen_of(sys.stderr),
        ).run()

    def outcome(self, reviewed: Reviewed) -> str:
        """What became of a proposal, and what to type next."""
        number, study = reviewed.proposal.number, shlex.quote(self.name)
        if not reviewed.proposal.edits:
            return f"nothing to decide; next: tunesmith run {study} --new-round"
        stale = revision.stale(self.study, self.record, reviewed) if reviewed.pending else None
        if stale:
            return f"proposal {number} can no longer be decided: {stale}"
        if reviewed.pending:
            ids = " ".join(edit.id for edit in reviewed.undecided)
            return (
                f"proposal {number} is pending: {ids}; decide with "
                f"'tunesmith proposals approve {study} {number} {ids}', or 'reject', or 'edit'"
            )
        version = reviewed.version
        if version is None:
            kept = reviewed.proposal.space_version
            return f"every edit is rejected: the space stays v{kept}; next: tunesmith run {study}"
        if self._unchanged(reviewed):
            return f"the space stays v{version}; next, with the tests: tunesmith run {study}"
        return f"space v{version} is written to {study}; next: tunesmith run {study}"

    def _unchanged(self, reviewed: Reviewed) -> bool:
        return reviewed.version == reviewed.proposal.space_version


@contextmanager
def open_desk(study: str) -> Iterator[Desk]:
    """The study of a study file. Raises ConfigError where nothing was run yet."""
    loaded = load_study(Path(study))
    with open_record(study) as record:
        yield Desk(study, loaded, record)


def on_terminal() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def data_of(reviewed: Reviewed) -> dict[str, Any]:
    """A proposal and what was decided, as plain data."""
    return reviewed.proposal.model_dump(mode="json") | {
        "hash": reviewed.proposal.hash,
        "decisions": [decision.model_dump(mode="json") for decision in reviewed.decisions],
        "pending": reviewed.pending,
        "version": reviewed.version,
    }


def present(story: Story, data: dict[str, Any], format: str, cards: bool = True) -> None:
    """Print a proposal on stdout, for people or for programs."""
    if format == "table":
        show(story_lines(story, screen_of(sys.stdout), cards))
    else:
        show_data(data, format)


def advise(
    study: str, page: Path | None, format: str, author: str | None, advisor: str | None = None
) -> bool:
    """Propose, show, and have it decided where an author is named and can be asked.

    `advisor` is another one than the study's. Whether the proposal is left pending.
    """
    with open_desk(study) as desk:
        desk.settle()
        if advisor:
            desk.study = with_advisor(desk.study, advisor)
        reviewed = desk.propose()
        model = reviewed.proposal.model
        if model and model.failure:
            click.echo(f"warning: no language model: {printable(model.failure)}", err=True)
        story = story_of(reviewed, desk.history(reviewed))
        ask = author is not None and reviewed.pending and on_terminal()
        present(story, data_of(reviewed), format, cards=not ask)
        if page:
            write_page(page, story)
            click.echo(f"wrote {page}", err=True)
        if ask and author:
            reviewed = desk.review(reviewed, author)
        click.echo(desk.outcome(reviewed), err=True)
        return reviewed.pending
