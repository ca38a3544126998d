"""What no draft, human edit, model output or forged file may get round.

Edits are judged by what they do to the space, never by what they are called (`safeguards.py`).
"""

import math
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tunesmith.edits import apply, phrase
from tunesmith.errors import SpaceError
from tunesmith.expressions import parse
from tunesmith.ground import Ground
from tunesmith.history import History
from tunesmith.proposals import (
    AddChoice,
    AddConstraint,
    Draft,
    DropConstraint,
    Edit,
    Note,
    Restore,
    SetCondition,
    Source,
    Tier,
    Verdict,
    approved,
    plain,
)
from tunesmith.safeguards import SOFT, Change, Finding, Rule
from tunesmith.shares import destructive, loses, points
from tunesmith.space import SearchSpace

__all__ = ["Objection", "Risk", "Rule", "admissible", "check", "destructive", "risk"]

_DESTRUCTIVE_EDITS = 3
_NEW_TRIALS = 0.2
_SOME = 200
_WITH_FORMULAS = AddChoice | AddConstraint | SetCondition | Restore


class Risk(StrEnum):
    """Whether an edit can lose anything."""

    LOW = "low"
    DESTRUCTIVE = "destructive"


@dataclass(frozen=True, slots=True)
class Objection:
    """What speaks against an edit, or against all of them together where `edit` is None."""

    edit: str | None
    """Its id; where it has none the one that it would get, `e1` for the first."""
    rule: Rule
    sentence: str
    """In plain words, with the values: `it would cut off trial 17, the best one (x = 0.3 is
    outside)`.
    """

    @property
    def hard(self) -> bool:
        """Whether nobody may override it."""
        return self.rule not in SOFT


def check(
    history: History, edits: Sequence[Edit], evidence: Collection[str] | None = None
) -> list[Objection]:
    """What is wrong with applying these edits to `history.space`, each alone and all together.

    Edits worth testing change nothing and are only asked to be possible. `evidence` are the ids
    that there are, not looked at where None. Whether an edit is a human's is taken from `source`:
    set it, never read it from a file.
    """
    judge = _Judge(history, evidence)
    own = [list(judge.alone(edits, index)) for index in range(len(edits))]
    found = [
        Objection(edit.id or f"e{number}", finding.rule, finding.sentence)
        for number, (edit, findings) in enumerate(zip(edits, own, strict=True), 1)
        for finding in findings
    ]
    sound = [
        edit
        for edit, findings in zip(edits, own, strict=True)
        if all(finding.rule in SOFT for finding in findings)
    ]
    told = {(finding.rule, finding.about) for findings in own for finding in findings}
    return found + [
        Objection(None, finding.rule, finding.sentence)
        for finding in judge.together(sound)
        if (finding.rule, finding.about) not in told
    ]


def admissible(history: History, draft: Draft) -> Draft:
    """The draft without the edits that the policy objects to, each told in a note.

    Where all of them together go too far, the least certain are left out. A draft is nobody's
    decision: its edits are no human's, whatever they say.
    """
    judge = _Judge(history, [evidence.id for evidence in draft.evidence], human=False)
    left: list[Edit] = []
    out: list[tuple[Edit, str]] = []
    for index, edit in enumerate(draft.edits):
        sentences = [finding.sentence for finding in judge.alone(draft.edits, index)]
        if sentences:
            out.append((edit, "; ".join(sentences)))
        else:
            left.append(edit)
    while finding := next(judge.together(left), None):
        edit = judge.least_certain(left, finding)
        left = [other for other in left if other is not edit]
        out.append((edit, f"{finding.sentence}, and this is the least certain"))
    notes = [
        Note(
            kind="left out",
            sentence=f"{phrase(history.space, edit)}: {reason}",
            evidence=edit.evidence,
        )
        for edit, reason in out
    ]
    # a replay of edits of which some are gone says nothing
    gone = any(edit.tier != Tier.WORTH_TESTING for edit, _ in out)
    what_if = None if gone else draft.what_if
    changes = {"edits": tuple(left), "notes": (*draft.notes, *notes), "what_if": what_if}
    return draft.model_copy(update=changes)


def risk(space: SearchSpace, edit: Edit) -> Risk:
    """Whether the edit takes anything away from the space.

    Raises SpaceError where it cannot be applied.
    """
    taken = destructive(space, apply(space, [edit]))
    return Risk.DESTRUCTIVE if taken else Risk.LOW


class _Judge:
    """All rules, over one history."""

    def __init__(
        self, history: History, evidence: Collection[str] | None, human: bool = True
    ) -> None:
        self.history, self.space = history, history.space
        self.ground = Ground(history)
        self.evidence = None if evidence is None else Counter(evidence)
        self.human = human

    def alone(self, edits: Sequence[Edit], index: int) -> Iterator[Finding]:
        """What speaks against one of the edits by itself."""
        edit = edits[index]
        if edit.id and edit.id in {other.id for other in edits[:index]}:
            yield Finding(Rule.UNIQUE, f"another edit has the id '{edit.id}' too")
        for id in edit.evidence:
            if self.evidence is not None and self.evidence[id] != 1:
                state = "stands there twice" if self.evidence[id] else "is not there"
                yield Finding(Rule.EVIDENCE, f"it cites evidence {id!r}, which {state}")
        try:
            after = apply(self.space, [edit])
            if isinstance(edit, _WITH_FORMULAS):
                points(after, _SOME)
        except SpaceError as error:
            yield Finding(self._offended(edit), str(error), str(index))
            return
        yield from self._rejected(edit, after)
        yield from self._effects(edit, after)

    def _effects(self, edit: Edit, after: SearchSpace) -> Iterator[Finding]:
        change = Change(self.ground, after)
        if edit.tier == Tier.WORTH_TESTING:
            yield from change.locked()
            return
        trusted = self.human and edit.source == Source.HUMAN
        if not trusted and not edit.evidence and destructive(self.space, after):
            yield Finding(Rule.EVIDENCE, "it takes something away and cites no evidence")
        reverts = _touched(edit) if self._is_revert(edit, after) else frozenset()
        yield from self._findings(Change(self.ground, after, reverts=reverts))

    def together(self, edits: Sequence[Edit]) -> Iterator[Finding]:
        """What speaks against all recommended edits at once."""
        edits = [edit for edit in edits if edit.tier != Tier.WORTH_TESTING]
        after, taking = self.space, 0
        reverted: set[str] = set()
        others: set[str] = set()
        for edit in edits:
            try:
                after = apply(after, [edit])
            except SpaceError as error:
                parameter = getattr(edit, "parameter", None)
                yield Finding(Rule.VALID, f"after the others: {error}", parameter=parameter)
                return
            single = apply(self.space, [edit])
            revert = self._is_revert(edit, single)
            (reverted if revert else others).update(_touched(edit))
            taking += not revert and destructive(self.space, single)
        if not edits:
            return
        reverts = frozenset(reverted - others)
        yield from self._findings(Change(self.ground, after, "together they", reverts))
        taking = taking and taking + self._taken_since()
        if taking > _DESTRUCTIVE_EDITS:
            yield Finding(
                Rule.DESTRUCTIVE_EDITS,
                f"together they make {taking} edits that take something away; "
                f"at most {_DESTRUCTIVE_EDITS} do in a round",
            )

    def least_certain(self, edits: Sequence[Edit], finding: Finding) -> Edit:
        """The edit to leave out, of those that the finding may be about; the later of equals."""
        edits = [edit for edit in edits if edit.tier != Tier.WORTH_TESTING]
        about = [edit for edit in edits if finding.parameter in _touched(edit)]
        taking = [edit for edit in edits if risk(self.space, edit) is Risk.DESTRUCTIVE]
        candidates = [edit for edit in taking if edit in about] or about or taking or edits
        return min(reversed(candidates), key=lambda edit: edit.stability or 0)

    def _findings(self, change: Change) -> Iterator[Finding]:
        try:
            yield from change.findings()
        except SpaceError as error:
            yield Finding(Rule.VALID, f"{change.who} would give no space to search: {error}")

    def _offended(self, edit: Edit) -> Rule:
        """The rule that an edit breaks which cannot be applied."""
        parameter = self.space.parameters.get(getattr(edit, "parameter", ""))
        options = edit.options if isinstance(edit, Restore) else plain(edit)
        if "locked" in options or (parameter and parameter.locked):
            return Rule.LOCKED
        low, high = options.get("low"), options.get("high")
        hard_low = getattr(parameter, "hard_low", None)
        hard_high = getattr(parameter, "hard_high", None)
        if (
            {"hard_low", "hard_high"} & options.keys()
            or (isinstance(low, int | float) and hard_low is not None and low < hard_low)
            or (isinstance(high, int | float) and hard_high is not None and high > hard_high)
        ):
            return Rule.HARD_BOUND
        return Rule.VALID

    def _rejected(self, edit: Edit, after: SearchSpace) -> Iterator[Finding]:
        """Whether the same was rejected, and too few trials came since."""
        scored = self.history.scored
        for reviewed in self.history.proposals:
            for decision in reviewed.decisions:
                old = reviewed.proposal.edit(decision.edit)
                if decision.verdict != Verdict.REJECT or old is None:
                    continue
                since = sum((trial.finished or 0) > decision.at for trial in scored)
                needed = max(1, math.ceil((len(scored) - since) * _NEW_TRIALS))
                if since < needed and (plain(old) == plain(edit) or self._gives(old, after)):
                    where = f"in proposal {reviewed.proposal.number}"
                    reason = f": {decision.reason}" if decision.reason else ""
                    count = f"{since} of the {needed} that it takes"
                    sentence = f"{decision.author} rejected it {where}{reason}; scored trials"
                    yield Finding(Rule.REJECTED, f"{sentence} since then: {count}")
                    return

    def _gives(self, edit: Edit, after: SearchSpace) -> bool:
        """Whether the edit, applied to the present space, leads to this one."""
        given = _attempt(self.space, edit)
        return given is not None and given.fingerprint == after.fingerprint

    def _is_revert(self, edit: Edit, after: SearchSpace) -> bool:
        """Whether the edit takes back one that was approved, which would give the present space."""
        for reviewed in self.history.proposals:
            if reviewed.version is None:
                continue
            for old in approved(reviewed.proposal.edits, reviewed.decisions):
                if old.inverse and plain(old.inverse) == plain(edit):
                    again = _attempt(after, old)
                    if again is not None and again.fingerprint == self.space.fingerprint:
                        return True
        return False

    def _taken_since(self) -> int:
        """How much was taken away by proposals that were applied since the last round began."""
        began = self.ground.began
        lost = [loses(old, self.space.parameters[name]) for name, old in began.parameters.items()]
        return sum(lost) + len(set(self.space.forbid) - set(began.forbid))


def _touched(edit: Edit) -> frozenset[str]:
    """The parameters that an edit is about."""
    if isinstance(edit, AddConstraint | DropConstraint):
        return parse(edit.forbid).names
    return frozenset({edit.parameter})


def _attempt(space: SearchSpace, edit: Edit) -> SearchSpace | None:
    """The space after the edit; None where an old one does not apply to it any more."""
    try:
        return apply(space, [edit])
    except SpaceError:
        return None
