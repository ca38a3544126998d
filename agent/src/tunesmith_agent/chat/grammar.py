"""The commands of a session, all on this page: how they are written, and what they do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tunesmith.errors import ConfigError, did_you_mean
from tunesmith.expressions import Value
from tunesmith.parameters import Categorical, Parameter
from tunesmith.proposals import Verdict
from tunesmith_agent.chat import answers
from tunesmith_agent.chat.session import Session

Lines = Iterator[str]
_NUMBER = r"[-+]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?"
_IDS = r"(?P<ids>all|e\d+(?:(?:\s|,|and)+e\d+)*)"


class LeftError(Exception):
    """The person leaves."""


@dataclass(frozen=True, slots=True)
class Command:
    """A way to say something: a pattern, how help shows it, and what comes of it."""

    pattern: str
    usage: str
    does: str
    run: Callable[[Session, dict[str, str]], Lines]


def understand(session: Session, line: str) -> Lines | None:
    """What a line comes to; None where it is no command. Raises ConfigError, LeftError."""
    text = " ".join(line.split()).rstrip("?!. ")
    for command in COMMANDS:
        found = re.fullmatch(command.pattern, text, re.IGNORECASE)
        if found:
            return command.run(session, {k: v for k, v in found.groupdict().items() if v})
    return None


def words(session: Session) -> list[str]:
    """What completion offers."""
    verbs = [command.usage.split(" ", 1)[0] for command in COMMANDS]
    ids = [edit.id for edit in session.draft.edits]
    return list(dict.fromkeys([*verbs, *session.space.parameters, *ids, "all", "because"]))


def parameter(session: Session, word: str) -> str:
    """The parameter that a word means: its name, a part, its beginning or its initials.

    Raises ConfigError where it is none, or several.
    """
    names = list(session.space.parameters)
    small = word.strip("'\"").lower()
    ways: tuple[Callable[[str], bool], ...] = (
        lambda name: name.lower() == small,
        lambda name: name.lower().rpartition(".")[2] == small,
        lambda name: "".join(part[:1] for part in re.split(r"[_.]", name.lower())) == small,
        lambda name: name.lower().startswith(small) or f".{small}" in name.lower(),
    )
    for way in ways:
        found = [name for name in names if way(name)]
        if len(found) == 1:
            return found[0]
        if found:
            raise ConfigError(f"'{word}' may be {' or '.join(found)}; write more of the name")
    raise ConfigError(f"there is no parameter '{word}'{did_you_mean(word, names)}")


def _widen(session: Session, said: dict[str, str]) -> Lines:
    return _move(session, said, "widen")


def _narrow(session: Session, said: dict[str, str]) -> Lines:
    return _move(session, said, "narrow")


def _move(session: Session, said: dict[str, str], action: str) -> Lines:
    name = parameter(session, said["name"])
    now = session.space.parameters[name]
    if isinstance(now, Categorical):
        raise ConfigError(f"'{name}' has choices, no bounds: 'drop CHOICE from {name}'")
    bounds: dict[str, float] = {}
    if "second" in said:
        bounds = {"low": _number(now, said["first"]), "high": _number(now, said["second"])}
    else:
        value = _number(now, said["first"])
        outside = "low" if value < now.low else "high"
        inside = "low" if value < (now.low + now.high) / 2 else "high"
        bounds[said.get("side", outside if action == "widen" else inside).lower()] = value
    moved = {side: bound for side, bound in bounds.items() if bound != getattr(now, side)}
    yield from session.put({"action": action, "parameter": name, **moved})


def _number(parameter: Parameter, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ConfigError(f"'{text}' is not a number") from None
    return int(number) if parameter.type == "int" and number.is_integer() else number


def _value(session: Session, name: str, text: str) -> Value:
    """A value of the parameter as somebody types it. Raises ConfigError."""
    text = text.strip("'\"")
    now = session.space.parameters[name]
    if not isinstance(now, Categorical):
        return _number(now, text)
    found = [choice for choice in now.choices if str(choice).lower() == text.lower()]
    if not found:
        known = map(str, now.choices)
        raise ConfigError(f"'{name}' has no choice '{text}'{did_you_mean(text, known)}")
    return found[0]


def _fix(session: Session, said: dict[str, str]) -> Lines:
    name = parameter(session, said["name"])
    value = _value(session, name, said["value"])
    yield from session.put({"action": "fix", "parameter": name, "value": value})


def _log(session: Session, said: dict[str, str]) -> Lines:
    name = parameter(session, said["name"])
    log = said["scale"].lower() == "log"
    yield from session.put({"action": "set_scale", "parameter": name, "log": log})


def _drop(session: Session, said: dict[str, str]) -> Lines:
    name = parameter(session, said["name"])
    choice = _value(session, name, said["value"])
    yield from session.put({"action": "drop_choice", "parameter": name, "choices": [choice]})


def _leave_out(session: Session, said: dict[str, str]) -> Lines:
    what = said["what"]
    known = session.draft_edit(what)
    yield from session.leave_out(known.id if known else parameter(session, what))


def _bound(side: str) -> Callable[[Session, dict[str, str]], Lines]:
    def run(session: Session, said: dict[str, str]) -> Lines:
        name = parameter(session, said["name"])
        number = _number(session.space.parameters[name], said["first"])
        yield from session.bound(name, **{side: number})

    return run


def _lock(session: Session, said: dict[str, str]) -> Lines:
    locked = said["verb"].lower() == "lock"
    yield from session.bound(parameter(session, said["name"]), locked=locked)


def _decide(verdict: Verdict) -> Callable[[Session, dict[str, str]], Lines]:
    def run(session: Session, said: dict[str, str]) -> Lines:
        ids = re.findall(r"e\d+", said["ids"].lower())
        yield from session.decide(verdict, ids, said.get("reason", ""))

    return run


def _propose(session: Session, said: dict[str, str]) -> Lines:
    yield session.desk.outcome(session.propose())


def _lines(method: Callable[[Session], list[str]]) -> Callable[[Session, dict[str, str]], Lines]:
    return lambda session, said: iter(method(session))


def _show(session: Session, said: dict[str, str]) -> Lines:
    name, other = said.get("name", ""), said.get("other", "")
    if other:
        pair = parameter(session, name), parameter(session, other)
        return answers.rows(session.tables.interaction(*pair))
    return answers.rows(session.tables.marginal(parameter(session, name)))


def _why(session: Session, said: dict[str, str]) -> Lines:
    edit = session.draft_edit(said["what"])
    return answers.why(session, edit, "" if edit else parameter(session, said["what"]))


def _help(session: Session, said: dict[str, str]) -> Lines:
    asked = said.get("verb", "").lower()
    shown = [command for command in COMMANDS if asked in ("", command.usage.split()[0])]
    if not shown:
        raise ConfigError(f"there is no command '{asked}'; type 'help'")
    return (f"{command.usage:34}{command.does}" for command in shown)


def _quit(session: Session, said: dict[str, str]) -> Lines:
    raise LeftError


def _best(session: Session, said: dict[str, str]) -> Lines:
    return answers.rows(session.tables.best_trials(int(said.get("count", "5"))))


_TO = (
    rf"(?:\s+(?P<side>low|high))?\s+(?:to|at)?\s*(?P<first>{_NUMBER})"
    rf"(?:\s*(?:\.\.|to|-|and)\s*(?P<second>{_NUMBER}))?"
)
COMMANDS = (
    Command(r"show(?: draft)?|draft", "show", "the draft: evidence, edits, notes", answers.draft),
    Command(r"show evidence|evidence", "show evidence", "all evidence", answers.evidence),
    Command(r"(?:show )?best(?: (?P<count>\d{1,2}))?", "show best 5", "the best trials", _best),
    Command(r"(?:show )?failures", "show failures", "how many trials failed", answers.failures),
    Command(
        r"(?:show )?(?:decisions|history)|what did we (?:reject|approve|decide).*",
        *("decisions", "what was decided before, and why", answers.decisions),
    ),
    Command(
        r"show (?:interaction )?(?P<name>\S+) (?:and )?(?P<other>\S+)",
        *("show NAME OTHER", "how trials score over two parameters", _show),
    ),
    Command(r"show (?P<name>\S+)", "show NAME", "how trials score along a parameter", _show),
    Command(r"why (?P<what>\S+)", "why NAME|e1", "the evidence about it", _why),
    Command(rf"widen (?P<name>\S+){_TO}", "widen NAME to 10", "move a bound outwards", _widen),
    Command(rf"narrow (?P<name>\S+){_TO}", "narrow NAME to 1..5", "move bounds inwards", _narrow),
    Command(
        r"fix (?P<name>\S+?)\s*(?:=|at|to)\s*(?P<value>.+)",
        *("fix NAME = 3", "tune it no longer", _fix),
    ),
    Command(r"(?P<scale>log|linear) (?P<name>\S+)", "log NAME", "change its scale", _log),
    Command(
        r"drop (?P<value>.+) from (?P<name>\S+)",
        *("drop CHOICE from NAME", "give a choice up", _drop),
    ),
    Command(
        r"(?:leave out|without|remove) (?P<what>\S+)",
        *("leave out NAME|e1", "take it out of the draft", _leave_out),
    ),
    Command(
        r"(?:(?:try|be|make) (?:it )?)?(?:more )?conservative(?:ly)?",
        *("conservative", "half as far, nothing taken away", _lines(Session.conservative)),
    ),
    Command(r"undo", "undo", "take the last change back", _lines(Session.undo)),
    Command(r"reset", "reset", "back to the statistics' draft", _lines(Session.reset)),
    Command(
        r"(?P<verb>lock|unlock) (?P<name>\S+)",
        *("lock NAME", "no revision may change it; 'unlock' too", _lock),
    ),
    Command(
        rf"never (?:go )?below (?P<first>{_NUMBER}) (?:for|in) (?P<name>\S+)",
        *("never below 32 for NAME", "a hard bound in the study file", _bound("hard_low")),
    ),
    Command(
        rf"never (?:go )?above (?P<first>{_NUMBER}) (?:for|in) (?P<name>\S+)",
        *("never above 64 for NAME", "a hard bound in the study file", _bound("hard_high")),
    ),
    Command(r"propose", "propose", "leave the draft to be decided", _propose),
    Command(rf"approve {_IDS}", "approve all|e1 e3", "decide for edits", _decide(Verdict.APPROVE)),
    Command(
        rf"reject {_IDS}(?:,? because (?P<reason>.+))?",
        *("reject e2 because REASON", "decide against; remembered", _decide(Verdict.REJECT)),
    ),
    Command(r"help(?: (?P<verb>\w+))?", "help", "this list; 'help widen' one of it", _help),
    Command(r"quit|exit|bye", "quit", "leave; the session lasts", _quit),
)
