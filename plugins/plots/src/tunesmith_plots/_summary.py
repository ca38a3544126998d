"""What the pictures show, in a few plain sentences."""

from collections.abc import Iterator, Mapping, Sequence

from tunesmith.finished import Finished
from tunesmith.trial import Goal, Round, pareto_front
from tunesmith_plots._importance import LEAST, Importance
from tunesmith_plots._scores import scored
from tunesmith_plots._timeline import busy_share, lanes, left_out, squeezed
from tunesmith_plots._versions import spaces, stretches

_NAMED = 3


def summary(finished: Finished, found: Mapping[str, Sequence[Importance]]) -> list[str]:
    """The best trial, the parameters that matter, the workers, and how the space changed."""
    round = finished.round
    return [
        _best(round),
        *(_matters(round, goal, found[goal.metric]) for goal in round.goals),
        *_work(round),
        *_changes(finished),
    ]


def _best(round: Round) -> str:
    front, ended = pareto_front(round.trials, round.goals), len(round.trials)
    if not front:
        broken = "keeps the limits" if scored(round) else "has a score"
        return f"None of {ended} trials {broken}."
    if len(round.goals) > 1:
        return f"{len(front)} of {ended} trials are on the Pareto front."
    best, goal = front[0], round.goals[0]
    after = sum(trial.number > best.number for trial in round.trials)
    trials = "1 trial" if after == 1 else f"{after} trials"
    when = f"; {trials} after it found nothing better" if after else ", the last one"
    score = f"{best.metrics[goal.metric]:.5g}"
    return f"The best {goal.metric}, {score}, came in trial {best.number}{when}."


def _matters(round: Round, goal: Goal, found: Sequence[Importance]) -> str:
    sure = [one for one in found if one.sure]
    if sure:
        named = ", ".join(
            f"{one.name} ({one.share:.0%}, between {one.low:.0%} and {one.high:.0%})"
            for one in sure[:_NAMED]
        )
        return f"What matters most for {goal.metric}: {named}."
    if found:
        return f"No parameter stands out for {goal.metric}: each may alone explain nothing."
    if (count := len(scored(round))) < LEAST:
        return (
            f"With {count} scored trials it cannot be told which parameters matter for "
            f"{goal.metric}; {LEAST} are needed."
        )
    return f"It cannot be told which parameters matter for {goal.metric}."


def _work(round: Round) -> Iterator[str]:
    if bars := lanes(round):
        count = 1 + max(bar.lane for bar in bars)
        pauses = left_out(squeezed(bars)[1])
        busy = f"busy {busy_share(bars):.0%} of the time{pauses and f' ({pauses})'}"
        yield f"At most {count} trial{'s' * (count > 1)} ran at once; the workers were {busy}."


def _changes(finished: Finished) -> Iterator[str]:
    known = spaces(finished.earlier, finished.round)
    if len(known) > 1:
        changed = [name for name, course in stretches(known).items() if len(course) > 1]
        more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
        names = f"{', '.join(changed[:_NAMED])}{more}" if changed else "nothing"
        yield f"From space version {min(known)} to {max(known)} there changed: {names}."
