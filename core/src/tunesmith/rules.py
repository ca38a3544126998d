"""The rules of the policy, all on this page: what edits must leave of a space.

They judge what edits do to the space, never what they are called.
"""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from tunesmith.carryover import into
from tunesmith.changes import short
from tunesmith.edits import apply
from tunesmith.errors import SpaceError
from tunesmith.expressions import Expression, Value, parse
from tunesmith.ground import Ground, holds, kept, spread, taken, width
from tunesmith.proposals import Edit, Verdict
from tunesmith.space import Params, SearchSpace
from tunesmith.trial import Trial

_MOST = 3
_WIDTH, _ORIGINAL, _VOLUME = 0.5, 0.1, 0.125
_ALLOWED = 0.49
"""Half: what formulas leave is counted among a thousand points."""
_NEW_TRIALS = 0.2
_ROUNDING = 1e-9


class Rule(StrEnum):
    """What an edit can offend against; those of `SOFT` a human may override."""

    VALID = "valid"
    """It does what its action says, within hard bounds, and gives a space to search."""
    LOCKED = "locked"
    DEFAULT = "default"
    INCUMBENT = "incumbent"
    BEST_TRIALS = "best trials"
    EVIDENCE = "evidence"
    DESTRUCTIVE_EDITS = "destructive edits"
    WIDTH = "width"
    ORIGINAL_WIDTH = "original width"
    VOLUME = "volume"
    REJECTED = "rejected"


SOFT = frozenset(
    {Rule.DESTRUCTIVE_EDITS, Rule.WIDTH, Rule.ORIGINAL_WIDTH, Rule.VOLUME, Rule.REJECTED}
)


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
    parameter: str | None = None
    """The one that it is about, where there is one."""

    @property
    def hard(self) -> bool:
        """Whether nobody may override it."""
        return self.rule not in SOFT


Objections = Iterator[Objection]


def against(rule: Rule, sentence: str, parameter: str | None = None) -> Objection:
    """An objection to whatever edits are looked at."""
    return Objection(None, rule, sentence, parameter)


@dataclass(frozen=True)
class Change:
    """The present space and what edits make of it.

    `who` begins the sentences; `reverts` are parameters that get back what they had before.
    """

    ground: Ground
    after: SearchSpace
    who: str = "it"
    reverts: frozenset[str] = frozenset()

    def objections(self, tested: bool = False) -> Objections:
        """What the change offends against; one that is only tested has to be possible."""
        try:
            spread(self.after, 200)  # a formula may fail on some values only
            yield from self._locked()
            if not tested:
                yield from self._defaults()
                yield from self._best_trials()
            if self.takes and not tested:
                yield from self._widths()
                yield from self._volume()
                yield from self._constraints()
        except SpaceError as error:
            yield against(Rule.VALID, f"{self.who} would give no space to search: {error}")

    @property
    def before(self) -> SearchSpace:
        """The present space."""
        return self.ground.space

    @cached_property
    def changed(self) -> list[str]:
        """The parameters that are not what they were."""
        old, new = self.before.parameters, self.after.parameters
        return [name for name in old if repr(old[name]) != repr(new[name])]

    @cached_property
    def added(self) -> list[Expression]:
        """The combinations that are forbidden from now on."""
        before = set(map(str, self.before.forbid))
        return [parse(text) for text in map(str, self.after.forbid) if text not in before]

    @cached_property
    def taken(self) -> list[str]:
        """The parameters that lose values, or exist in fewer places."""
        return taken(self.before, self.after)

    @property
    def takes(self) -> bool:
        """Whether anything is lost: a value, a combination, where a parameter exists."""
        return bool(self.taken or self.added)

    @cached_property
    def fixed(self) -> dict[str, Value]:
        """The parameters that have one value from now on."""
        old, new = self.before.parameters, self.after.parameters
        return {
            name: new[name].at(0.5)
            for name in self.changed
            if new[name].levels == 1 and old[name].levels != 1
        }

    def _locked(self) -> Objections:
        """Locked parameters neither change, nor get bounds by a formula, nor lose their effect."""
        locked = {name for name, item in self.before.parameters.items() if item.locked}
        rules = set(map(str, self.before.forbid)) ^ set(map(str, self.after.forbid))
        hit = {name: "change" for name in self.changed}
        hit |= {name: "put bounds on" for rule in rules for name in parse(rule).names}
        if any(self.before.parameters[name].when for name in locked):
            alive = {name for params in spread(self.after) for name in params}
            was = {name for params in self.ground.points for name in params}
            hit |= {name: "switch off" for name in was - alive}
        for name in sorted(locked & hit.keys()):
            sentence = f"{self.who} would {hit[name]} '{name}', which is locked"
            yield against(Rule.LOCKED, sentence, name)

    def _defaults(self) -> Objections:
        """Declared defaults stay as they are, but for a parameter that is fixed."""
        for name in self.changed:
            old, new = self.before.parameters[name], self.after.parameters[name]
            if repr(old.default) != repr(new.default) and 1 not in (old.levels, new.levels):
                change = f"{short(old.default)} to {short(new.default)}"
                sentence = f"{self.who} would change the default of '{name}' from {change}"
                yield against(Rule.DEFAULT, sentence, name)

    def _best_trials(self) -> Objections:
        """The best trial of the present space, and the best tenth of all, stay inside."""
        cut: list[tuple[Trial, str]] = []
        for trial, params in self.ground.best:
            values = {name: self.fixed.get(name, value) for name, value in params.items()}
            try:
                into(values, self.before, self.after)
            except SpaceError as error:
                cut.append((trial, str(error)))
        if cut and cut[0][0] is self.ground.best[0][0]:
            trial, reason = cut.pop(0)
            sentence = f"{self.who} would cut off trial {trial.number}, the best one ({reason})"
            yield against(Rule.INCUMBENT, sentence)
        if cut:
            trial, reason = cut[0]
            some = f"{len(cut)} of the {len(self.ground.best)} best trials"
            sentence = f"{self.who} would cut off {some}, such as trial {trial.number} ({reason})"
            yield against(Rule.BEST_TRIALS, sentence)

    def _widths(self) -> Objections:
        """A parameter keeps half of its width in a round, and a tenth of its first one ever."""
        for name in [name for name in self.taken if name not in self.fixed]:
            old, new = self.before.parameters[name], self.after.parameters[name]
            if name not in self.reverts:
                what = "width; at least 50% stay in a round"
                yield from self._least(_WIDTH, kept(old, new), Rule.WIDTH, what, name)
            first = width(self.ground.original(name, new), new)
            what = "original width; at least 10% always stay"
            yield from self._least(_ORIGINAL, first, Rule.ORIGINAL_WIDTH, what, name)

    def _volume(self) -> Objections:
        """The space keeps an eighth of its volume in a round."""
        shares = [
            kept(self.before.parameters[name], new)
            for name, new in self.after.parameters.items()
            if new.levels != 1 and name not in self.reverts
        ]
        share = math.prod(shares) * self.ground.share(self._stays)
        yield from self._least(
            _VOLUME, share, Rule.VOLUME, "volume; at least 12.5% stay in a round"
        )

    def _constraints(self) -> Objections:
        """Constraints leave half of the space, but for those on what is known to fail."""
        new = [rule for rule in self.added if not self.ground.fails(rule)]
        share = self.ground.share(lambda params: not any(holds(rule, params) for rule in new))
        yield from self._least(
            _ALLOWED, share, Rule.VOLUME, "volume; constraints leave at least 50% in a round"
        )

    def _least(
        self, least: float, share: float, rule: Rule, what: str, name: str | None = None
    ) -> Objections:
        if share < least - _ROUNDING:
            whose = f"'{name}'" if name else "the space"
            found = math.floor(share * 1000) / 10
            yield against(rule, f"{self.who} would leave {whose} {found:g}% of its {what}", name)

    def _stays(self, params: Params) -> bool:
        """Whether formulas leave a point of the present space; ranges are not looked at."""
        now: Params = {}
        for name in self.after.conditions:
            if name in params and self.after.is_active(name, now):
                now[name] = self.fixed.get(name, params[name])
            elif name in params and name in self.changed:
                return False
        return self.after.violation(now) is None


def evidence(edit: Edit, takes: bool, known: Collection[str] | None, human: bool) -> Objections:
    """What is cited exists; what takes something away cites something, unless it is a human's."""
    for id in edit.evidence:
        if known is not None and id not in known:
            yield against(Rule.EVIDENCE, f"it cites evidence {id!r}, which is not there")
    if takes and not human and not edit.evidence:
        yield against(Rule.EVIDENCE, "it takes something away and cites no evidence")


def rejected(ground: Ground, after: SearchSpace) -> Objections:
    """What was rejected comes again only with a fifth more trials."""
    scored = ground.history.scored
    for reviewed in ground.history.proposals:
        for decision in reviewed.decisions:
            old = reviewed.proposal.edit(decision.edit)
            if old is None or decision.verdict is not Verdict.REJECT:
                continue
            since = sum((trial.finished or 0) > decision.at for trial in scored)
            needed = max(1, math.ceil((len(scored) - since) * _NEW_TRIALS))
            if since < needed and leads(ground.space, old, after):
                where = f"in proposal {reviewed.proposal.number}"
                reason = f": {decision.reason}" if decision.reason else ""
                count = f"scored trials since then: {since} of the {needed} that it takes"
                sentence = f"{decision.author} rejected it {where}{reason}; {count}"
                yield against(Rule.REJECTED, sentence)
                return


def too_many(count: int) -> Objections:
    """At most three edits a round give parameters less room."""
    if count > _MOST:
        sentence = f"together they make {count} edits that take something away; at most {_MOST} do"
        yield against(Rule.DESTRUCTIVE_EDITS, f"{sentence} in a round")


def leads(space: SearchSpace, edit: Edit, after: SearchSpace) -> bool:
    """Whether the edit makes `after` of the space; not where it does not apply to it."""
    try:
        return apply(space, [edit]).fingerprint == after.fingerprint
    except SpaceError:
        return False
