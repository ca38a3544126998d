"""Asks somebody on the terminal about each edit of a proposal, and records each answer at once."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import click

from tunesmith.cli.output import escaped, printable
from tunesmith.errors import TunesmithError
from tunesmith.history import History, Reviewed
from tunesmith.policy import check
from tunesmith.proposals import Decision, Edit, Verdict
from tunesmith_agent.amend import amended, fitting
from tunesmith_agent.story import story_of
from tunesmith_agent.view import Screen, card_lines, evidence_lines, show

_QUESTION = "[a]pprove, [e]dit, [r]eject, ask [w]hy, [s]kip or [q]uit"

Record = Callable[[Sequence[Decision]], Reviewed]


@dataclass(slots=True)
class Review:
    """A proposal in front of somebody. `record` writes decisions down; it may refuse them."""

    history: History
    reviewed: Reviewed
    author: str
    record: Record
    screen: Screen

    def run(self) -> Reviewed:
        """Ask about every undecided edit; where the input ends, the rest stays pending."""
        try:
            for edit in self.reviewed.undecided:
                if not self._ask(edit):
                    break
        except click.Abort:
            click.echo(err=True)
        return self.reviewed

    def _ask(self, edit: Edit) -> bool:
        """Until the edit is decided or skipped; False ends the review."""
        cards = story_of(self.reviewed, self.history).cards
        click.echo(err=True)
        show(card_lines(next(card for card in cards if card.id == edit.id), self.screen), err=True)
        while True:
            answer = self._prompt(f"{edit.id}: {_QUESTION}").lower()[:1]
            if answer in ("s", "q"):
                return answer == "s"
            if answer == "w":
                self._why(edit)
            elif answer not in ("a", "e", "r"):
                click.echo("  answer with one of the letters a, e, r, w, s, q", err=True)
            elif self._decide(edit, answer):
                return True

    def _why(self, edit: Edit) -> None:
        rows = [row for row in self.reviewed.proposal.evidence if row.id in edit.evidence]
        if not rows:
            click.echo("  it rests on no evidence", err=True)
        for row in rows:
            show(evidence_lines(row, self.screen), err=True)

    def _decide(self, edit: Edit, answer: str) -> bool:
        """Whether the answer was recorded; if not, the person was told why."""
        try:
            if answer == "r":
                reason = self._prompt("reason (it is remembered)")
                return self._save(edit, Verdict.REJECT, reason)
            changed = self._amend(edit) if answer == "e" else None
            agreed, reason = self._agree(changed or edit)
            verdict = Verdict.EDIT if changed else Verdict.APPROVE
            return agreed and self._save(edit, verdict, reason, changed)
        except TunesmithError as error:
            click.echo(f"  {escaped(str(error))}", err=True)
            return False

    def _amend(self, edit: Edit) -> Edit:
        names = sorted(fitting(edit))
        if not names:
            click.echo("  give the whole edit: tunesmith proposals edit --json", err=True)
        parameter = self.history.space.parameters.get(getattr(edit, "parameter", ""))
        typed = {}
        for name in names:
            proposed, now = getattr(edit, name, None), getattr(parameter, name, None)
            empty = f"{proposed}, as proposed" if proposed is not None else f"{now}, as it is"
            kept = f" (empty: {printable(empty)})" if proposed is not now else ""
            typed[name] = self._prompt(f"new {name}{kept}") or None
        return amended(self.history.space, edit, typed)

    def _agree(self, edit: Edit) -> tuple[bool, str]:
        """Whether the policy lets the edit pass, and the reason where it was overridden."""
        objections = [
            item
            for item in check(self.history, [*self.reviewed.approved, edit])
            if item.edit in (None, edit.id)
        ]
        for item in objections:
            click.echo(f"  {printable(item.sentence)}", err=True)
        if not objections:
            return True, ""
        if any(item.hard for item in objections):
            click.echo("  this rule holds in any case; change the edit or reject it", err=True)
            return False, ""
        reason = self._prompt("reason to do it nevertheless (empty: go back)")
        return bool(reason), reason

    def _save(self, edit: Edit, verdict: Verdict, reason: str, changed: Edit | None = None) -> bool:
        override = verdict is not Verdict.REJECT and bool(reason)
        decision = Decision(
            edit=edit.id,
            verdict=verdict,
            author=self.author,
            reason=reason,
            changed=changed,
            override=override,
            at=time.time(),
        )
        self.reviewed = self.record([decision])
        return True

    def _prompt(self, question: str) -> str:
        answer = click.prompt(question, default="", show_default=False, err=True)
        return str(answer).strip()
