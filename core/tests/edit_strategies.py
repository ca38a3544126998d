"""Hypothesis strategies: edits of a space, sensible and absurd, and histories to judge them by."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import strategies as st

from tunesmith.expressions import Value
from tunesmith.history import History
from tunesmith.parameters import Categorical, Parameter
from tunesmith.proposals import Draft, Edit, Evidence, read_edit
from tunesmith.space import SearchSpace
from tunesmith.testing.strategies import search_spaces
from tunesmith.trial import Direction, Goal, Round, Trial, TrialState

GOALS = (Goal("loss", Direction.MINIMIZE),)
EVIDENCE = tuple(
    Evidence(id=f"E00{number}", kind="test", trials=9, sentence="So it is.") for number in (1, 2)
)
_rarely = st.integers(0, 7).map(lambda number: number == 7)


def history_of(
    space: SearchSpace, trials: Sequence[tuple[dict[str, Value], float]] = (), **more: Any
) -> History:
    """One round over the space with these params and losses, numbered from 1, finished at 1, 2 …"""
    finished = [
        Trial(number, 1, params, TrialState.COMPLETE, {"loss": loss}, finished=float(number))
        for number, (params, loss) in enumerate(trials, 1)
    ]
    round = Round(1, 1, space, {}, {}, GOALS, 0, {}, trials=finished)
    given = {"original": space, "rounds": [round]} | more
    return History("study", space, 1, goals=GOALS, **given)


def _with_limits(parameter: Parameter, draw: st.DrawFn) -> Parameter:
    """The parameter, perhaps locked, with a default, with hard bounds."""
    changes: dict[str, Any] = {"locked": draw(_rarely)}
    if draw(st.booleans()):
        changes["default"] = parameter.at(draw(st.floats(0, 1)))
    if draw(_rarely) and not isinstance(parameter, Categorical):
        changes |= {"hard_low": parameter.low - draw(st.integers(0, 1))}
        changes |= {"hard_high": parameter.high + draw(st.integers(0, 1))}
    return replace(parameter, **changes)


@st.composite
def limited_spaces(draw: st.DrawFn) -> SearchSpace:
    """Spaces of all shapes, some parameters locked, with defaults, or with hard bounds."""
    space = draw(search_spaces())
    limited = {name: _with_limits(item, draw) for name, item in space.parameters.items()}
    without = {name: replace(item, default=None) for name, item in limited.items()}
    try:
        return replace(space, parameters=limited)
    except ValueError:  # the default configuration breaks the constraint
        return replace(space, parameters=without)


def _bounds(parameter: Parameter, outwards: bool, draw: st.DrawFn) -> dict[str, float | None]:
    """New bounds further out or further in, now and then the wrong way or beyond all measure."""
    if isinstance(parameter, Categorical):
        return {"low": 0.0, "high": 1.0}
    way = -1 if outwards != draw(_rarely) else 1
    shares = st.sampled_from([0.02, 0.1, 0.25, 0.45, 0.6, 3.0])
    low, high = parameter.low, parameter.high
    if parameter.log:
        reach = high / low
        found = [low * reach ** (way * draw(shares)), high / reach ** (way * draw(shares))]
    else:
        reach = high - low
        found = [low + way * reach * draw(shares), high - way * reach * draw(shares)]
    if parameter.type == "int":
        found = [float(round(bound)) for bound in found]
    sides = draw(st.sampled_from([("low",), ("high",), ("low", "high")]))
    return {side: to for side, to in zip(("low", "high"), found, strict=True) if side in sides}


def _value(parameter: Parameter, draw: st.DrawFn) -> Value:
    return "elsewhere" if draw(_rarely) else parameter.at(draw(st.floats(0, 1)))


def _options(parameter: Parameter, draw: st.DrawFn) -> dict[str, Any]:
    if draw(_rarely):
        return {"hard_low": None, "locked": False}
    extra: dict[str, Any] = {"default": _value(parameter, draw)} if draw(_rarely) else {}
    if isinstance(parameter, Categorical):
        count = draw(st.integers(1, parameter.levels))
        return extra | {"choices": draw(st.permutations(list(parameter.choices)))[:count]}
    extra |= {"step": draw(st.sampled_from([None, 1, 0.25]))} if draw(_rarely) else {}
    extra |= {"log": draw(st.booleans())} if draw(_rarely) else {}
    return extra | _bounds(parameter, draw(st.booleans()), draw)


def _changes(name: str, space: SearchSpace, draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    """What each action may say about the parameter, by action; absurd ones left out mostly."""
    parameter = space.parameters[name]
    value = _value(parameter, draw)
    others: dict[str, dict[str, Any]] = {
        "fix": {"value": value},
        "restore": {"options": _options(parameter, draw)},
        "set_condition": {
            "when": _formula(draw(st.sampled_from(sorted(space.parameters))), space, draw)
        },
    }
    if isinstance(parameter, Categorical) != draw(_rarely):
        return others | {
            "drop_choice": {"choices": [value]},
            "add_choice": {"choices": draw(st.sampled_from([["new"], [3, "new"], [value]]))},
        }
    return others | {
        "widen": _bounds(parameter, True, draw),
        "narrow": _bounds(parameter, False, draw),
        "set_scale": {"log": not getattr(parameter, "log", False)},
    }


def _formula(name: str, space: SearchSpace, draw: st.DrawFn) -> str:
    parameter = space.parameters[name]
    edge = parameter.at(draw(st.sampled_from([0.05, 0.2, 0.8, 0.95])))
    if isinstance(parameter, Categorical):
        return f"{name} == {edge!r}"
    return f"{name} {draw(st.sampled_from(['>', '<']))} {edge!r}"


@st.composite
def tables(draw: st.DrawFn, space: SearchSpace) -> dict[str, Any]:
    """Edits as somebody may forge them in JSON: any action and numbers, labels that lie."""
    labels = {
        "evidence": draw(st.sampled_from([["E001"], ["E001", "E002"], ["E002"], [], ["E999"]])),
        "source": draw(st.sampled_from(["human", "llm", "statistical"])),
        "tier": draw(st.sampled_from(["recommended", "recommended", "worth testing"])),
        "stability": draw(st.sampled_from([None, 0.5, 1.0])),
    }
    name = draw(st.sampled_from(sorted(space.parameters)))
    if draw(st.integers(0, 4)) == 0:
        there = list(map(str, space.forbid))
        if there and draw(st.booleans()):
            return {"action": "drop_constraint", "forbid": there[0]} | labels
        return {"action": "add_constraint", "forbid": _formula(name, space, draw)} | labels
    about = _changes(name, space, draw)
    action = draw(st.sampled_from(sorted(about)))
    return {"action": action, "parameter": name} | about[action] | labels


def edits(space: SearchSpace) -> st.SearchStrategy[Edit]:
    """Any edit of the space, most of them impossible or unwise."""
    return tables(space).map(read_edit)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """A space with up to 40 trials, some of them outside of it; ties among the losses."""
    space = draw(limited_spaces())
    random = Random(draw(st.integers(0, 999)))
    trials = []
    for _ in range(draw(st.sampled_from([40, 12, 3, 1, 0]))):
        params = space.sample(random)
        if random.random() < 0.1:
            params = {name: "elsewhere" for name in params}
        trials.append((params, random.choice([0.25, random.random()])))
    return history_of(space, trials)


@st.composite
def drafts(draw: st.DrawFn, space: SearchSpace) -> Draft:
    """Up to six edits at once."""
    found = draw(st.lists(edits(space), min_size=1, max_size=8))
    return Draft(evidence=EVIDENCE, edits=tuple(found))
