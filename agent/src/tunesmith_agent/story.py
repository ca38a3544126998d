"""A proposal in words and pictures, in the order people read it; terminal and page lay it out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tunesmith import policy
from tunesmith.edits import apply, phrase
from tunesmith.errors import SpaceError
from tunesmith.history import History, Reviewed
from tunesmith.model_use import ModelUse
from tunesmith.proposals import (
    Decision,
    Draft,
    Edit,
    Evidence,
    Proposal,
    Source,
    Tier,
    Verdict,
    WhatIf,
)
from tunesmith.space import SearchSpace
from tunesmith_agent.pictures import Picture, draw
from tunesmith_agent.words import chance

_VERDICTS = {
    Verdict.APPROVE: "approved",
    Verdict.EDIT: "changed and approved",
    Verdict.REJECT: "rejected",
}


@dataclass(frozen=True, slots=True)
class Card:
    """All that is said about one edit. `words` are a model's own, to be marked as such."""

    id: str
    phrase: str
    tier: str
    why: str
    words: str
    facts: tuple[str, ...]
    evidence: tuple[str, ...]
    verdict: str
    picture: Picture | None


@dataclass(frozen=True, slots=True)
class Story:
    """A whole proposal; `hidden` counts evidence that no edit and no note cites."""

    title: str
    facts: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    hidden: int
    cards: tuple[Card, ...]
    together: tuple[str, ...]
    next_round: tuple[str, ...]
    notes: tuple[str, ...]
    pictures: tuple[Picture, ...]
    words: tuple[str, ...] = ()
    """A language model's own, to be marked as such: about all of it, and its question."""
    assumed: tuple[str, ...] = ()
    """What was guessed about an experiment that tunesmith never made."""


def tell(
    draft: Draft, history: History, decisions: Sequence[Decision] = (), everything: bool = False
) -> Story:
    """The story of a draft against `history`, which is that of its time (see `as_of`).

    `everything` adds the evidence that nothing cites and the pictures of untouched parameters.
    """
    cards = tuple(_cards(draft, history, decisions))
    cited = {id for part in (*draft.edits, *draft.notes) for id in part.evidence}
    shown = [row for row in draft.evidence if everything or not cited or row.id in cited]
    drawn = {card.picture.parameter for card in cards if card.picture}
    rest = [name for name in history.space.parameters if everything and name not in drawn]
    changes = any(edit.tier is Tier.RECOMMENDED for edit in draft.edits)
    return Story(
        title=_title(draft, history),
        facts=tuple(_facts(draft, history)),
        evidence=tuple(shown),
        hidden=len(draft.evidence) - len(shown),
        cards=cards,
        together=tuple(what_if(draft.what_if)) if draft.what_if and changes else (),
        next_round=tuple(_next_round(draft)) if draft.edits else (),
        notes=tuple(_notes(draft)),
        pictures=tuple(draw(history, name, None) for name in rest),
        words=tuple(_words(draft)),
    )


def as_of(history: History, proposal: Proposal, space: SearchSpace) -> History:
    """The history as the proposal's author saw it: the space of that time, no later trials."""
    rounds = [
        replace(
            round,
            trials=[trial for trial in round.trials if (trial.finished or 0) <= proposal.made],
        )
        for round in history.rounds
    ]
    return replace(history, space=space, version=proposal.space_version, rounds=rounds)


def what_if(found: WhatIf) -> Iterator[str]:
    """What replaying edits against the trials came to, a sentence for each figure."""
    yield f"{found.best_kept} of the {found.best_of} best trials stay inside"
    yield f"the space becomes {found.volume:.3g} times as large"
    inside, before = found.better_inside, found.better_before
    if inside is not None and max(inside, before or 0.0) >= 0.01:  # below, neither tells anything
        now = "" if before is None else f", against {chance(before)} in the space as it is"
        yield f"chance that the next trial is the best so far: {chance(inside)}{now}"


def risk(space: SearchSpace, edit: Edit) -> str:
    """What can go wrong with an edit, in a few words."""
    if edit.tier is Tier.WORTH_TESTING:
        return "no risk: the space stays, and a few trials go there"
    takes_away = policy.risk(space, edit) is policy.Risk.DESTRUCTIVE
    return "destructive: it takes something away" if takes_away else "low risk"


def verdict(decision: Decision, space: SearchSpace) -> str:
    """Who decided what, when and why."""
    text = f"{_VERDICTS[decision.verdict]} by {decision.author} on {date(decision.at)}"
    if decision.changed:
        text += f": {phrase(space, decision.changed)}"
    if decision.override:
        text += " (policy overridden)"
    return f"{text}; reason: {decision.reason}" if decision.reason else text


def numbers(row: Evidence) -> str:
    """The figures behind a row of evidence, in a line."""
    return ", ".join(f"{name} {value:.4g}" for name, value in row.numbers.items())


def coverage(row: Evidence) -> str:
    """Where the trials behind a row lie, in a line; empty where that is not said."""
    if not row.coverage:
        return ""
    return f"trials in each tenth of the range: {' '.join(map(str, row.coverage))}"


def date(seconds: float) -> str:
    """A time in local hours and minutes."""
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M")


def _title(draft: Draft, history: History) -> str:
    if not isinstance(draft, Proposal):
        return f"what the trials of {history.study} say about its space"
    return f"proposal {draft.number} for {draft.study}, against space v{draft.space_version}"


def _facts(draft: Draft, history: History) -> Iterator[str]:
    scored, trials = len(history.scored), len(history.trials)
    broken = sum(trial.violation > 0 for trial in history.scored)
    facts = [f"from {trials} trials"]
    facts += [f"{scored} of them with a score"] if scored < trials else []
    facts += [f"{broken} beyond a limit, which rank last"] if broken else []
    yield ", ".join(facts)
    if isinstance(draft, Proposal):
        yield f"by {draft.advisor} {draft.advisor_version} on {date(draft.made)}"
        yield f"snapshot {draft.snapshot[:12]}, seed {draft.seed}"
    if draft.model:
        yield _use(draft.model)


def _use(model: ModelUse) -> str:
    """What a language model took, or why it had no part."""
    name = f"language model {model.model} at {model.host}"
    if model.failure:
        return f"WITHOUT the {name}: {model.failure}; the statistics speak alone"
    cost = "" if model.cost is None else f", about {model.cost:.2g} US dollars"
    return (
        f"with the {name}: {len(model.calls)} calls, {model.input_tokens} tokens in, "
        f"{model.output_tokens} out, {model.seconds:.0f} s{cost}"
    )


def _words(draft: Draft) -> Iterator[str]:
    if draft.words:
        yield draft.words
    if draft.question:
        yield f"it asks: {draft.question}"


def _cards(draft: Draft, history: History, decisions: Sequence[Decision]) -> Iterator[Card]:
    """Each edit against the space that it was proposed for: see `edits.prepared`."""
    decided = {decision.edit: decision for decision in decisions}
    now = history.space
    for edit in draft.edits:
        recommended = edit.tier is Tier.RECOMMENDED
        decision, space = decided.get(edit.id), now if recommended else history.space
        after = apply(space, [edit])
        shown = _after(space, decision.changed, after) if decision and decision.changed else after
        model = edit.source is Source.LLM
        yield Card(
            id=edit.id,
            phrase=phrase(space, edit),
            tier=str(edit.tier),
            why="" if model else edit.why,
            words=" ".join(filter(None, (edit.words, edit.why * model, edit.effect * model))),
            facts=tuple(_edit_facts(space, edit)),
            evidence=edit.evidence,
            verdict=verdict(decision, space) if decision else "",
            picture=_picture(history, edit, shown),
        )
        if recommended:
            now = after


def _after(space: SearchSpace, changed: Edit, proposed: SearchSpace) -> SearchSpace:
    try:
        return apply(space, [changed])
    except SpaceError:  # it was checked against what was approved, not against what was proposed
        return proposed


def _picture(history: History, edit: Edit, after: SearchSpace) -> Picture | None:
    name = getattr(edit, "parameter", None)
    if name is None or name not in history.space.parameters:
        return None
    label = "new" if edit.tier is Tier.RECOMMENDED else "test"
    return draw(history, name, after.parameters.get(name), label)


def _edit_facts(space: SearchSpace, edit: Edit) -> Iterator[str]:
    yield risk(space, edit)
    if edit.source is Source.HUMAN:
        yield "proposed by a person"
    if edit.stability is not None:
        yield f"the same edit in {edit.stability:.0%} of resampled histories"
    if edit.effect and edit.source is not Source.LLM:
        yield f"expected: {edit.effect}"
    if edit.what_if:
        yield from what_if(edit.what_if)


def _next_round(draft: Draft) -> Iterator[str]:
    share = draft.told.share
    what = "all trials" if share == 1 else f"the best {share:.0%} of the trials"
    why = f": {draft.told.why}" if draft.told.why else ""
    yield f"its sampler is told {what if share else 'none of the trials'}{why}"
    if draft.exploration:
        yield (
            f"{draft.exploration:.0%} of its trials explore: drawn evenly from the old space and "
            "the new one together"
        )


def _notes(draft: Draft) -> Iterator[str]:
    for note in draft.notes:
        cited = f" ({', '.join(note.evidence)})" if note.evidence else ""
        more = f"; about {note.trials} more trials would decide it" if note.trials else ""
        yield f"{note.kind}: {note.sentence.rstrip('.')}{more}{cited}"


def story_of(reviewed: Reviewed, history: History, everything: bool = False) -> Story:
    """The story of a proposal with what was decided about it."""
    return tell(reviewed.proposal, history, reviewed.decisions, everything)
