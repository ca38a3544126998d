"""What no draft, human edit, model output or forged file may get round.

The rules are in `rules.py`; here they are put to edits, each alone and all together.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from enum import StrEnum

from tunesmith.edits import apply, phrase
from tunesmith.errors import SpaceError
from tunesmith.expressions import parse
from tunesmith.ground import Ground, destructive
from tunesmith.history import History
from tunesmith.proposals import AddConstraint, Draft, DropConstraint, Edit, Note, Source, Tier
from tunesmith.rules import (
    Change,
    Objection,
    Rule,
    against,
    evidence,
    leads,
    rejected,
    too_many,
)
from tunesmith.space import SearchSpace

__all__ = ["Objection", "Risk", "Rule", "admissible", "check", "destructive", "risk"]

_ONE, _ALL = "it", "together they"


class Risk(StrEnum):
    """Whether an edit can lose anything."""

    LOW = "low"
    DESTRUCTIVE = "destructive"


def check(
    history: History, edits: Sequence[Edit], evidence: Collection[str] | None = None
) -> list[Objection]:
    """What is wrong with applying these edits to `history.space`, each alone and all together.

    Edits worth testing change nothing and are only asked to be possible. `evidence` are the ids
    that there are, not looked at where None. Whether an edit is a human's is taken from `source`:
    set it, never read it from a file.
    """
    judge = _Judge(history, evidence)
    found: list[Objection] = []
    sound: list[Edit] = []
    for number, edit in enumerate(edits, 1):
        mine = [replace(item, edit=edit.id or f"e{number}") for item in judge.alone(edit)]
        found += mine
        sound += [] if any(item.hard for item in mine) else [edit]
    told = {(item.rule, item.sentence.removeprefix(_ONE)) for item in found}
    return found + [
        item
        for item in judge.together(sound)
        if (item.rule, item.sentence.removeprefix(_ALL)) not in told
    ]


def admissible(history: History, draft: Draft) -> Draft:
    """The draft without the edits that the policy objects to, each told in a note.

    Where all of them together go too far, the least certain are left out. A draft is nobody's
    decision: its edits are no human's, whatever they say.
    """
    judge = _Judge(history, [evidence.id for evidence in draft.evidence], human=False)
    left: list[Edit] = []
    out: list[tuple[Edit, str]] = []
    for edit in draft.edits:
        sentences = [item.sentence for item in judge.alone(edit)]
        if sentences:
            out.append((edit, "; ".join(sentences)))
        else:
            left.append(edit)
    while found := next(judge.together(left), None):
        edit = judge.least_certain(left, found)
        left = [other for other in left if other is not edit]
        out.append((edit, f"{found.sentence}, and this is the least certain"))
    notes = [
        Note(
            kind="left out",
            sentence=f"{phrase(history.space, edit)}: {reason}",
            evidence=edit.evidence,
        )
        for edit, reason in out
    ]
    # a replay of edits of which some are gone says nothing
    gone = any(edit.tier is Tier.RECOMMENDED for edit, _ in out)
    what_if = None if gone else draft.what_if
    changes = {"edits": tuple(left), "notes": (*draft.notes, *notes), "what_if": what_if}
    return draft.model_copy(update=changes)


def risk(space: SearchSpace, edit: Edit) -> Risk:
    """Whether the edit gives a parameter less room.

    Raises SpaceError where it cannot be applied.
    """
    less = destructive(space, apply(space, [edit]))
    return Risk.DESTRUCTIVE if less else Risk.LOW


class _Judge:
    """A history, and what its rules say about edits."""

    def __init__(self, history: History, known: Collection[str] | None, human: bool = True) -> None:
        self.history, self.space = history, history.space
        self.ground = Ground(history)
        self.known = known
        self.human = human

    def alone(self, edit: Edit) -> Iterator[Objection]:
        """What speaks against one of the edits by itself."""
        try:
            after = apply(self.space, [edit])
        except SpaceError as error:
            yield against(Rule.VALID, str(error))
            return
        tested = edit.tier is Tier.WORTH_TESTING
        reverts = _touched(edit) if self._reverts(after) else frozenset()
        change = Change(self.ground, after, _ONE, reverts)
        human = self.human and edit.source == Source.HUMAN
        yield from evidence(edit, change.takes and not tested, self.known, human)
        yield from rejected(self.ground, after)
        yield from change.objections(tested)

    def together(self, edits: Sequence[Edit]) -> Iterator[Objection]:
        """What speaks against all recommended edits at once."""
        after, count = self.space, 0
        reverted: set[str] = set()
        others: set[str] = set()
        for edit in _recommended(edits):
            try:
                after = apply(after, [edit])
            except SpaceError as error:
                name = getattr(edit, "parameter", None)
                yield against(Rule.VALID, f"after the others: {error}", name)
                return
            single = apply(self.space, [edit])
            revert = self._reverts(single)
            (reverted if revert else others).update(_touched(edit))
            count += not revert and destructive(self.space, single)
        yield from Change(self.ground, after, _ALL, frozenset(reverted - others)).objections()
        yield from too_many(count)

    def least_certain(self, edits: Sequence[Edit], found: Objection) -> Edit:
        """The edit to leave out, of those that the objection may be about; the later of equals."""
        edits = _recommended(edits)
        about = [edit for edit in edits if found.parameter in _touched(edit)] or edits
        taking = [edit for edit in about if self._takes(edit)] or about
        return min(reversed(taking), key=lambda edit: edit.stability or 0)

    def _takes(self, edit: Edit) -> bool:
        return Change(self.ground, apply(self.space, [edit])).takes

    def _reverts(self, after: SearchSpace) -> bool:
        """Whether that takes back an edit that was approved, which would give the present space."""
        return any(
            leads(self.space, old.inverse, after) and leads(after, old, self.space)
            for reviewed in self.history.proposals
            if reviewed.version is not None
            for old in reviewed.approved
            if old.inverse
        )


def _recommended(edits: Sequence[Edit]) -> list[Edit]:
    return [edit for edit in edits if edit.tier is Tier.RECOMMENDED]


def _touched(edit: Edit) -> frozenset[str]:
    """The parameters that an edit is about."""
    if isinstance(edit, AddConstraint | DropConstraint):
        return parse(edit.forbid).names
    return frozenset({edit.parameter})
