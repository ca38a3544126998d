"""What an advisor looks at: comparable trials, and what was decided about the space before."""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from tunesmith.limits import all_judged
from tunesmith.proposals import Decision, Edit, Proposal, approved
from tunesmith.space import SearchSpace
from tunesmith.trial import Goal, Round, Trial, best_trial, is_scored, ranking

IDENTITY = ("objective", "dataset", "goals")
"""What two rounds have in common whose scores compare."""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A proposal and what became of it.

    `version` is the space version that it led to, the one that it is against where only tests were
    approved, None where nothing was. `round` is the latest round at the time that it was made.
    """

    proposal: Proposal
    decisions: tuple[Decision, ...] = ()
    version: int | None = None
    round: int | None = None

    @property
    def approved(self) -> list[Edit]:
        """The edits that somebody approved, as they were changed."""
        return approved(self.proposal.edits, self.decisions)

    @property
    def undecided(self) -> list[Edit]:
        """The edits that wait for a decision."""
        made = {decision.edit for decision in self.decisions}
        return [edit for edit in self.proposal.edits if edit.id not in made]

    @property
    def pending(self) -> bool:
        """Whether edits wait for a decision."""
        return bool(self.undecided)


@dataclass(frozen=True)
class History:
    """The comparable trials of a study, and its space now.

    `rounds` hold their trials. `original` is each parameter's first form in the lineage, in one
    space. `excluded` says what was left aside, and why.
    """

    study: str
    space: SearchSpace
    version: int
    original: SearchSpace
    goals: tuple[Goal, ...]
    seed: int = 0
    description: str = ""
    rounds: Sequence[Round] = ()
    excluded: Sequence[str] = ()
    proposals: Sequence[Reviewed] = field(default_factory=tuple)

    @cached_property
    def trials(self) -> list[Trial]:
        """The finished trials, interrupted ones left out."""
        return [trial for round in self.rounds for trial in round.trials if trial.counts]

    @cached_property
    def scored(self) -> list[Trial]:
        """The trials with a value for every goal."""
        return [trial for trial in self.trials if is_scored(trial, self.goals)]

    @cached_property
    def ranked(self) -> list[Trial]:
        """The scored trials, best first; with several goals one Pareto front after the other."""
        return ranking(self.trials, self.goals)

    @cached_property
    def incumbent(self) -> Trial | None:
        """The best trial."""
        return best_trial(self.scored, self.goals)

    @cached_property
    def snapshot(self) -> str:
        """SHA-256 of the space and of the trials: the same evidence, the same hash."""
        rows = [
            [trial.number, trial.params, trial.state, trial.metrics, trial.violation]
            for trial in sorted(self.trials, key=lambda trial: trial.number)
        ]
        text = json.dumps([self.space.fingerprint, rows], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def comparable(rounds: Sequence[Round]) -> tuple[list[Round], list[str]]:
    """The rounds whose scores compare with the latest one's, and why the others' do not.

    Their trials are judged by the limits of the latest one, and left out where they cannot be.
    """
    latest = rounds[-1]
    same, why = [], []
    for round in rounds:
        other = [what for what in IDENTITY if getattr(round, what) != getattr(latest, what)]
        if other:
            count = sum(trial.counts for trial in round.trials)
            what = " and ".join(other)
            why.append(
                f"round {round.number} with {count} trials: not the same {what}, so its scores do "
                "not compare with the latest ones"
            )
        else:
            trials = all_judged(round.trials, latest.limits)
            known = [trial for trial in trials if trial.violation < math.inf]
            same.append(replace(round, trials=known))
            if lost := len(trials) - len(known):
                why.append(f"{lost} trials of round {round.number} cannot be judged by the limits")
    return same, why


def original_of(spaces: Sequence[SearchSpace]) -> SearchSpace:
    """The last space with each of its parameters as it was when it first appeared, without rules.

    `spaces` is the lineage, oldest first.
    """
    first = {
        name: next(space.parameters[name] for space in spaces if name in space.parameters)
        for name in spaces[-1].parameters
    }
    return SearchSpace({name: replace(found, when=None) for name, found in first.items()})
