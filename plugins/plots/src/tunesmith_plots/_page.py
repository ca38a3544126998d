"""The page that shows a round: one file, nothing from the network, all text escaped."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tunesmith import page as html
from tunesmith.limits import nearest
from tunesmith.trial import Round, Trial, is_scored, pareto_front, ranking
from tunesmith_plots._scores import fate, scored
from tunesmith_plots._style import text_of

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it is written: the file's name, what it shows, how to read it, its content."""

    file: str
    title: str
    reading: str
    data: bytes


def page(study: str, round: Round, pictures: Sequence[Picture]) -> str:
    """The HTML of the whole page."""
    figures = (
        html.figure(html.image(shot.file, shot.data, shot.title), shot.title, shot.reading)
        for shot in pictures
    )
    return html.page(
        f"{study}: round {round.number}",
        html.paragraphs([_summary(round)], "how"),
        html.terms(_facts(round)),
        _best(round),
        html.heading("Pictures"),
        *figures,
        _top(round),
        _rest(round),
    )


def _summary(round: Round) -> str:
    counts = Counter(
        "complete" if is_scored(trial, round.goals) else fate(trial) for trial in round.trials
    )
    states = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    broken = sum(trial.violation > 0 for trial in round.trials)
    states += f"; {broken} beyond a limit" if broken else ""
    ended = f" It ended: {round.reason}." if round.reason else ""
    return f"{len(round.trials)} trials{f': {states}' if states else ''}.{ended}"


def _facts(round: Round) -> dict[str, str]:
    sampler = dict(round.sampler)
    name = sampler.pop("use", "")
    options = _options(sampler)
    facts = {
        "Goals": ", ".join(f"{goal.metric} ({goal.direction})" for goal in round.goals),
        "Limits": ", ".join(round.limits),
        "Space": f"version {round.space_version}, {len(round.space.parameters)} parameters",
        "Sampler": f"{name} ({options})" if options else str(name),
        "Budget": _options(round.budget),
        "Seed": str(round.seed),
        "Dataset": (round.dataset or "")[:16],
        "Commit": (round.commit or "")[:12],
        "Started": _moment(round.started),
        "Took": _span(round.started, round.finished),
        "Final scores of the best model": _numbers(round.final),
    }
    return {term: fact for term, fact in facts.items() if fact}


def _best(round: Round) -> str:
    front = pareto_front(round.trials, round.goals)
    if not front:
        far = nearest(round.trials, round.goals, round.limits)
        why = f"{far[0].upper()}{far[1:]}." if far else "No trial has a score."
        return html.heading("Best trial") + html.paragraphs([why])
    if len(round.goals) > 1:
        more = f", the first {_SHOWN}" if len(front) > _SHOWN else ""
        title = html.heading(f"Pareto front: {len(front)} trials{more}")
        return title + _trials(round, front[:_SHOWN])
    best = front[0]
    params = {name: text_of(value) for name, value in best.params.items()}
    head = html.heading(f"Best trial: {best.number}") + html.paragraphs([_numbers(best.metrics)])
    return head + (
        html.terms(params)
        if len(params) > 8
        else html.table(("parameter", "value"), params.items())
    )


def _top(round: Round) -> str:
    trials = scored(round)
    if not trials or len(round.goals) > 1:
        return ""
    ranked = ranking(trials, round.goals)[:_SHOWN]
    many = f"The best {len(ranked)} of {len(trials)}" if len(trials) > _SHOWN else "All"
    return html.heading(f"{many} trials with a score") + _trials(round, ranked)


def _trials(round: Round, trials: Sequence[Trial]) -> str:
    """A row a trial; a column for every goal and every parameter that any of them has."""
    names = [
        name for name in round.space.parameters if any(name in trial.params for trial in trials)
    ]
    broken = ["beyond limits"] if any(trial.violation for trial in trials) else []
    rows = [
        [
            str(trial.number),
            *(f"{trial.metrics[goal.metric]:.6g}" for goal in round.goals),
            *(text_of(trial.params[name]) if name in trial.params else "" for name in names),
            *([f"{trial.violation:.3g}" if trial.violation else ""] if broken else []),
            _span(trial.started, trial.finished),
        ]
        for trial in trials
    ]
    goals = [goal.metric for goal in round.goals]
    return html.table(("trial", *goals, *names, *broken, "took"), rows)


def _rest(round: Round) -> str:
    """Trials without a score, together by what happened."""
    found: dict[tuple[str, str], list[int]] = {}
    for trial in round.trials:
        if not is_scored(trial, round.goals):
            found.setdefault((fate(trial), trial.error or "no reason given"), []).append(
                trial.number
            )
    if not found:
        return ""
    rows = [
        (str(len(numbers)), state, reason, _some(numbers))
        for (state, reason), numbers in sorted(found.items(), key=lambda item: -len(item[1]))
    ]
    count = sum(map(len, found.values()))
    shown = html.table(("how many", "state", "reason", "trials"), rows[:_SHOWN])
    more = [f"and {len(rows) - _SHOWN} more reasons"] if len(rows) > _SHOWN else []
    return html.heading(f"{count} trials without a score") + shown + html.paragraphs(more)


def _options(table: Mapping[str, object]) -> str:
    return ", ".join(f"{key}: {value}" for key, value in table.items() if value is not None)


def _numbers(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{name}: {value:.6g}" for name, value in metrics.items())


def _some(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:10]))
    return f"{shown} …" if len(numbers) > 10 else shown


def _moment(seconds: float | None) -> str:
    return "" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def _span(started: float | None, finished: float | None) -> str:
    if started is None or finished is None:
        return ""
    seconds = finished - started
    if seconds < 100:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.2g} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
