"""The policy's rules, one function each: what a changed space must still hold."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

from tunesmith.changes import short
from tunesmith.expressions import Expression, Value, parse
from tunesmith.ground import Ground, carried
from tunesmith.shares import as_if, destructive, kept, loses, points, reached
from tunesmith.space import Params, SearchSpace

_ROUNDING = 1e-9


class Rule(StrEnum):
    """What an edit can offend against; those of `SOFT` a human may override."""

    VALID = "valid"
    """The edit does what its action says and leads to a space without contradictions."""
    LOCKED = "locked"
    HARD_BOUND = "hard bound"
    DEFAULT = "default"
    """Declared defaults stay as they are, but for a parameter that is fixed."""
    INCUMBENT = "incumbent"
    """The best trial of the present space stays inside."""
    BEST_TRIALS = "best trials"
    """So do the best tenth of all scored trials."""
    EVIDENCE = "evidence"
    """What is cited exists; what takes something away cites something, unless it is a human's."""
    UNIQUE = "unique"
    """No two edits have one id."""
    DESTRUCTIVE_EDITS = "destructive edits"
    """At most three a round take something away."""
    WIDTH = "width"
    """A parameter keeps half of its width in a round."""
    ORIGINAL_WIDTH = "original width"
    """A parameter keeps a tenth of its original width."""
    VOLUME = "volume"
    """The space keeps an eighth of its volume in a round."""
    REJECTED = "rejected"
    """What was rejected comes again only with a fifth more trials."""


SOFT = frozenset(
    {Rule.DESTRUCTIVE_EDITS, Rule.WIDTH, Rule.ORIGINAL_WIDTH, Rule.VOLUME, Rule.REJECTED}
)
LEAST = {
    Rule.WIDTH: (0.5, "width; at least 50% stay in a round"),
    Rule.ORIGINAL_WIDTH: (0.1, "original width; at least 10% always stay"),
    Rule.VOLUME: (0.125, "volume; at least 12.5% stay in a round"),
}
"""The share that stays by a rule, and how the rule is told."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An offence. `about` tells two of one rule apart: the parameter, and how much."""

    rule: Rule
    sentence: str
    about: str = ""
    parameter: str | None = None


@dataclass(frozen=True)
class Change:
    """The present space and what edits make of it.

    `who` begins the sentences; `reverts` are parameters that get back what they had before.
    """

    ground: Ground
    after: SearchSpace
    who: str = "it"
    reverts: frozenset[str] = frozenset()

    def findings(self) -> Iterator[Finding]:
        """What the change offends against, by its effect."""
        yield from self.locked()
        if self.changed_rules or self.changed:
            yield from self._defaults()
            yield from self._trials()
        if destructive(self.before, self.after):
            yield from self._widths()
            yield from self._volume()

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
    def changed_rules(self) -> list[Expression]:
        """The forbidden combinations that came or went."""
        texts = sorted(set(map(str, self.before.forbid)) ^ set(map(str, self.after.forbid)))
        return [parse(text) for text in texts]

    @cached_property
    def fixed(self) -> dict[str, Value]:
        """The parameters that have one value from now on."""
        old, new = self.before.parameters, self.after.parameters
        return {
            name: new[name].at(0.5)
            for name in self.changed
            if new[name].levels == 1 and old[name].levels != 1
        }

    def locked(self) -> Iterator[Finding]:
        """Locked parameters that it changes, bounds by a formula, or leaves without effect."""
        locked = {name for name, item in self.before.parameters.items() if item.locked}
        hit = {name: "change" for name in self.changed}
        hit |= {name: "put bounds on" for rule in self.changed_rules for name in rule.names}
        touched = set(hit)
        below = [name for name in locked - touched if _parents(self.before, name) & touched]
        if below:
            alive = {name for params in points(self.after) for name in params}
            was = {name for params in points(self.before) for name in params}
            hit |= {name: "switch off" for name in below if name in was - alive}
        for name in sorted(locked & hit.keys()):
            sentence = f"{self.who} would {hit[name]} '{name}', which is locked"
            yield Finding(Rule.LOCKED, sentence, name, name)

    def _defaults(self) -> Iterator[Finding]:
        for name in self.changed:
            old, new = self.before.parameters[name], self.after.parameters[name]
            if repr(old.default) != repr(new.default) and 1 not in (old.levels, new.levels):
                change = f"{short(old.default)} to {short(new.default)}"
                sentence = f"{self.who} would change the default of '{name}' from {change}"
                yield Finding(Rule.DEFAULT, sentence, name, name)

    def _trials(self) -> Iterator[Finding]:
        best = self.ground.best
        if not best:
            return
        cut = [
            (trial, reason)
            for trial, params in best
            if (reason := carried(params, self.after, self.fixed)[1])
        ]
        first = best[0][0]
        if cut and cut[0][0] is first:
            reason = cut.pop(0)[1]
            sentence = f"{self.who} would cut off trial {first.number}, the best one ({reason})"
            yield Finding(Rule.INCUMBENT, sentence)
        if cut:
            trial, reason = cut[0]
            sentence = (
                f"{self.who} would cut off {len(cut)} of the {len(best)} best trials, "
                f"such as trial {trial.number} ({reason})"
            )
            yield Finding(Rule.BEST_TRIALS, sentence)

    @cached_property
    def _left(self) -> list[tuple[Params, bool]]:
        """Points of the space that the round began with, and whether rules leave them."""
        return [(params, self._leaves(params)) for params in self.ground.points]

    @cached_property
    def _allowed(self) -> list[tuple[Params, bool]]:
        """Points of the new ranges and choices, and whether any of them is forbidden."""
        free = {name: replace(item, when=None) for name, item in self.after.parameters.items()}
        rules = [parse(str(text)) for text in self.after.forbid]
        return [
            (params, not any(rule(params) for rule in rules))
            for params in points(SearchSpace(free))
        ]

    def _leaves(self, params: Params) -> bool:
        """Whether formulas leave the point; bounds and choices are not looked at."""
        began, after = self.ground.began, self.after
        now: Params = {}
        for name in after.conditions:
            if name in params and after.is_active(name, now):
                now[name] = self.fixed.get(name, params[name])
            elif name in params and began.parameters[name].when != after.parameters[name].when:
                return False
        return after.violation(now) is None

    def _widths(self) -> Iterator[Finding]:
        named = {name for rule in self.changed_rules for name in rule.names}
        for name, new in self.after.parameters.items():
            old = self.before.parameters[name]
            if name in self.fixed or not (name in named or loses(old, new)):
                continue
            began, first = self.ground.began.parameters[name], self.ground.original(name)
            left = ever = 1.0
            if name in named:
                inside = [point for point in self._left if new.contains(point[0].get(name))]
                left = reached(began, name, inside)
                ever = reached(new, name, self._allowed)
            if name not in self.reverts:
                yield from self._short_of(Rule.WIDTH, name, kept(began, new) * left)
            first = as_if(first, new, self.ground.lows(name))
            yield from self._short_of(Rule.ORIGINAL_WIDTH, name, kept(first, new) * ever)

    def _volume(self) -> Iterator[Finding]:
        shares = [
            kept(self.ground.began.parameters[name], new)
            for name, new in self.after.parameters.items()
            if new.levels != 1 and name not in self.reverts
        ]
        left = [left for _, left in self._left]
        volume = math.prod(shares) * (sum(left) / len(left) if left else 1)
        yield from self._short_of(Rule.VOLUME, None, volume)

    def _short_of(self, rule: Rule, name: str | None, share: float) -> Iterator[Finding]:
        least, phrase = LEAST[rule]
        if share < least - _ROUNDING:
            found = math.floor(share * 1000) / 10
            whose = f"'{name}'" if name else "the space"
            sentence = f"{self.who} would leave {whose} {found:g}% of its {phrase}"
            yield Finding(rule, sentence, f"{name} {share:.6f}", name)


def _parents(space: SearchSpace, name: str) -> set[str]:
    """The parameters that the condition looks at, their conditions included."""
    condition = space.conditions[name]
    names = set(condition.names) if condition else set()
    return names.union(*(_parents(space, parent) for parent in names))
