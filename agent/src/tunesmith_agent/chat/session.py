"""A refinement session: the working draft, what people ask about it, and what they change."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tunesmith import policy, revision
from tunesmith.cli.output import printable
from tunesmith.edits import phrase, prepared
from tunesmith.errors import ConfigError, SpaceError
from tunesmith.history import History, Reviewed
from tunesmith.model_use import ModelUse
from tunesmith.parameters import Float, Int
from tunesmith.proposals import Decision, Draft, Edit, Source, Tier, Verdict, Widen, read_edit
from tunesmith.space import SearchSpace
from tunesmith.study import load_study
from tunesmith.yaml_file import write_space
from tunesmith_agent.chat.memory import Memory, remember
from tunesmith_agent.chat.steps import Conservative, LeaveOut, Put, Step, played, topic
from tunesmith_agent.desk import Desk
from tunesmith_agent.language.reach import within_reach
from tunesmith_agent.language.tables import Tables
from tunesmith_agent.statistical import Statistical
from tunesmith_agent.statistics.forecast import told
from tunesmith_agent.statistics.snapshot import Snapshot
from tunesmith_agent.story import Story, tell


@dataclass
class Session:
    """One study in front of one person. Every change is kept at once."""

    desk: Desk
    author: str
    memory: Memory
    file: Path | None
    """None keeps nothing."""

    def __post_init__(self) -> None:
        self._adviser = ""
        self._offered: tuple[str, tuple[str, ...]] = "", ()
        kept = self.memory
        self.news = self.begin()
        if kept.steps and kept.snapshot != self.history.snapshot:
            self.news.append("trials or space changed since you left: the draft is made anew")

    def begin(self) -> list[str]:
        """Look at the trials and the space as they are now; says what is not as it was."""
        self.desk.settle()
        self.history: History = revision.gather(self.desk.study, self.desk.record)
        self.base: Draft = Statistical().advise(self.history)
        news = []
        steps, self.memory = self.memory.steps, self.memory.model_copy(update={"steps": ()})
        for step in steps:
            found = self._objections((*self.memory.steps, step))
            if found:
                gone = f"{self._told(step)} does not hold any more: {found[0]}"
                news.append(printable(gone))
            else:
                self.memory = self.memory.model_copy(update={"steps": (*self.memory.steps, step)})
        self._keep(snapshot=self.history.snapshot)
        return news

    @property
    def space(self) -> SearchSpace:
        """The present space."""
        return self.history.space

    @property
    def tables(self) -> Tables:
        """Tables of the trials."""
        return Tables(self.history, self.base.evidence)

    @property
    def draft(self) -> Draft:
        """The working draft: the statistics', with what the person changed."""
        edits = played(self.space, self.base, self.memory.steps)
        changes: dict[str, Any] = {"edits": prepared(self.space, edits)}
        if self.memory.steps:
            changes["what_if"] = None
            changes["told"] = told(Snapshot.of(self.history), edits)
        if edits and not self.base.edits:
            changes["exploration"] = Statistical().exploration
        return self.base.model_copy(update=changes)

    def story(self) -> Story:
        """The working draft as it is told."""
        return tell(self.draft, self.history)

    def put(self, change: dict[str, Any]) -> list[str]:
        """An edit of the person's own. Raises ConfigError with all that speaks against it.

        What a language model suggested may only widen or change a scale, and is only tested.
        """
        name = change["parameter"]
        rows = [row.id for row in self.base.evidence if name in row.parameters]
        own: dict[str, Any] = {"source": Source.HUMAN, "why": self._reason(), "evidence": rows}
        edit = read_edit(change | own)
        if self._adviser:
            self._judge(edit)
            edit = edit.model_copy(update={"tier": Tier.WORTH_TESTING})
        self._take(Put(edit=edit))
        return [printable(f"in the draft: {phrase(self.space, edit)}")]

    def leave_out(self, what: str) -> list[str]:
        """No edit on a parameter, or not that one of the draft (`e2`)."""
        edit = self.draft_edit(what)
        if edit is None and all(topic(other) != what for other in self.draft.edits):
            raise ConfigError(f"the draft has no edit on '{what}'")
        step = LeaveOut(topic=topic(edit), action=edit.action) if edit else LeaveOut(topic=what)
        self._take(step)
        return [printable(f"left out: {phrase(self.space, edit) if edit else what}")]

    def conservative(self) -> list[str]:
        """Half as far, and nothing taken away."""
        before = len(self.draft.edits)
        self._take(Conservative())
        after = len(self.draft.edits)
        gone = f"; of {before} edits {before - after} are left out" if after < before else ""
        return [f"widenings go half as far{gone}"]

    def undo(self) -> list[str]:
        """Take the last change back."""
        if not self.memory.steps:
            raise ConfigError("there is nothing to take back: the draft is the statistics' own")
        last = self.memory.steps[-1]
        self._keep(steps=self.memory.steps[:-1])
        return [printable(f"taken back: {self._told(last)}")]

    def reset(self) -> list[str]:
        """Back to the statistics' draft."""
        self._keep(steps=())
        return ["the draft is the statistics' own again"]

    def bound(self, name: str, **options: Any) -> list[str]:
        """Lock a parameter, or give it hard bounds: the person's own change of the study file."""
        old, parameter = self.desk.study.space, self.desk.study.space.parameters[name]
        if not options.keys() <= {"locked"} and not isinstance(parameter, Float | Int):
            raise ConfigError(f"'{name}' has choices, no bounds; lock it instead")
        try:
            new = replace(old, parameters=old.parameters | {name: replace(parameter, **options)})
        except SpaceError as error:
            raise ConfigError(f"that cannot be: {error}") from None
        if new.fingerprint == old.fingerprint:
            return [f"'{name}' is like that already"]
        write_space(Path(self.desk.name), old, new)
        self.desk.study = load_study(Path(self.desk.name))
        now = ", ".join(f"{key}: {str(value).lower()}" for key, value in options.items())
        return [f"written to {self.desk.name}: {name} has {now}", *self.begin()]

    def propose(self) -> Reviewed:
        """The working draft as a proposal; the one that is there where nothing changed since."""
        made, use = version("tunesmith-agent"), self.memory.model
        draft = self.draft.model_copy(update={"model": use})
        reviewed = revision.submit(self.desk.record, self.history, draft, "chat", made)
        if use and reviewed.proposal.model == use:
            self._keep(model=None)
        return reviewed

    def decide(self, verdict: Verdict, ids: Sequence[str], reason: str = "") -> list[str]:
        """Decide on edits of the draft, all that are undecided where none is named."""
        reviewed = self.propose()
        if not reviewed.proposal.edits:
            raise ConfigError("the draft has no edit to decide")
        chosen = ids or [edit.id for edit in reviewed.undecided]
        decisions = [
            Decision(edit=id, verdict=verdict, author=self.author, reason=reason, at=time.time())
            for id in dict.fromkeys(chosen)
        ]
        reviewed = self.desk.decide(reviewed.proposal.number, decisions)
        lines = [self.desk.outcome(reviewed)]
        if not reviewed.pending:
            self._keep(steps=())
            lines += self.begin()
        return lines

    def draft_edit(self, id: str) -> Edit | None:
        """An edit of the draft by its id."""
        return next((edit for edit in self.draft.edits if edit.id == id.lower()), None)

    def offer(self, adviser: str, commands: Sequence[str]) -> None:
        """Have commands ready that a language model suggests, instead of earlier ones."""
        self._offered = adviser, tuple(commands)

    @contextmanager
    def taking_up(self) -> Iterator[tuple[str, ...]]:
        """The commands that were suggested; what they change is on record as such.

        Raises ConfigError where there is none.
        """
        (self._adviser, commands), self._offered = self._offered, ("", ())
        if not commands:
            raise ConfigError("nothing was suggested that waits for a yes; type 'help'")
        try:
            yield commands
        finally:
            self._adviser = ""

    def rehearsal(self, adviser: str) -> Session:
        """A copy to try changes of the draft on that are suggested; nothing of it is kept."""
        found = copy(self)
        found.file, found._adviser = None, adviser
        return found

    def remember_said(self, line: str, answer: str) -> None:
        """Keep a turn with a language model."""
        self.memory = self.memory.after(line, answer)
        self._keep()

    def count(self, use: ModelUse) -> None:
        """Keep what a turn with a language model took, for the proposal that comes of it."""
        if use.calls:
            self.memory = self.memory.counting(use)
            self._keep()

    def _judge(self, edit: Edit) -> None:
        """Raises ConfigError for what a language model may not suggest."""
        if self._takes(edit):
            raise ConfigError("a model may not suggest what takes values away; type it yourself")
        if isinstance(edit, Widen):
            try:
                within_reach(self.space.parameters[edit.parameter], edit.low, edit.high)
            except SpaceError as error:
                raise ConfigError(f"{edit.parameter}: {error}") from None

    def _reason(self) -> str:
        if self._adviser:
            return f"language model {self._adviser} suggested it, {self.author} took it up"
        return f"{self.author} asked for it"

    def _take(self, step: Step) -> None:
        """Take a step. Raises ConfigError where the draft after it may not be."""
        found = self._objections((*self.memory.steps, step))
        if found:
            raise ConfigError("; ".join(found))
        self._keep(steps=(*self.memory.steps, step))

    def _objections(self, steps: Sequence[Step]) -> list[str]:
        edits = played(self.space, self.base, steps)
        own = steps[-1] if steps else None
        if isinstance(own, Put) and not own.edit.evidence and self._takes(own.edit):
            return [
                f"no evidence is about '{topic(own.edit)}'; if you know better, change the study "
                "file by hand"
            ]
        try:
            prepared(self.space, edits)
        except SpaceError as error:
            return [str(error)]
        ids = [row.id for row in self.base.evidence]
        return [item.sentence for item in policy.check(self.history, edits, ids)]

    def _takes(self, edit: Edit) -> bool:
        try:
            return policy.risk(self.space, edit) is policy.Risk.DESTRUCTIVE
        except SpaceError:
            return False

    def _told(self, step: Step) -> str:
        if isinstance(step, Put):
            return f"'{phrase(self.space, step.edit)}'"
        return f"'leave out {step.topic}'" if isinstance(step, LeaveOut) else "'conservative'"

    def _keep(self, **changes: Any) -> None:
        self.memory = self.memory.model_copy(update=changes)
        if self.file:
            remember(self.file, self.memory)


def summary(session: Session) -> Iterator[str]:
    """Where a session stands, in a few lines."""
    edits = session.draft.edits
    tested = sum(edit.tier is Tier.WORTH_TESTING for edit in edits)
    history = session.history
    yield f"{history.study}: space v{history.version}, {len(history.trials)} trials"
    count = "1 edit" if len(edits) == 1 else f"{len(edits)} edits"
    yield f"the draft has {count}" + (f", {tested} to be tested only" if tested else "")
