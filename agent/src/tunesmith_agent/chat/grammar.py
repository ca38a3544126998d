"""The commands of a session, all on this page: how they are written, and what they do."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from tunesmith.errors import ConfigError
from tunesmith.parameters import Categorical
from tunesmith.proposals import Verdict
from tunesmith_agent.chat import answers
from tunesmith_agent.chat.meaning import number, parameter, value
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
    changes: Literal["", "draft", "limits"] = ""
    """What a language model may suggest, and the person confirms."""


def understand(session: Session, line: str) -> Lines | None:
    """What a line comes to; None where it is no command. Raises ConfigError, LeftError."""
    found = _found(line)
    return found and found[0].run(session, found[1])


def rehearse(session: Session, line: str) -> bool:
    """Whether a line is a command that changes the draft or the limits, on a rehearsing session.

    Raises ConfigError where the change cannot be.
    """
    command, said = _found(line) or (None, {})
    if command is None or not command.changes:
        return False
    if "name" in said:
        parameter(session, said["name"])
    if command.changes == "draft":
        deque(command.run(session, said), maxlen=0)
    return True


def _found(line: str) -> tuple[Command, dict[str, str]] | None:
    text = " ".join(line.split()).rstrip("?!. ")
    for command in COMMANDS:
        found = re.fullmatch(command.pattern, text, re.IGNORECASE)
        if found:
            return command, {k: v for k, v in found.groupdict().items() if v}
    return None


def words(session: Session) -> list[str]:
    """What completion offers."""
    verbs = [command.usage.split(" ", 1)[0] for command in COMMANDS]
    ids = [edit.id for edit in session.draft.edits]
    return list(dict.fromkeys([*verbs, *session.space.parameters, *ids, "all", "because"]))


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
        bounds = {"low": number(now, said["first"]), "high": number(now, said["second"])}
    else:
        value = number(now, said["first"])
        outside = "low" if value < now.low else "high"
        inside = "low" if value < (now.low + now.high) / 2 else "high"
        bounds[said.get("side", outside if action == "widen" else inside).lower()] = value
    moved = {side: bound for side, bound in bounds.items() if bound != getattr(now, side)}
    yield from session.put({"action": action, "parameter": name, **moved})


def _fix(session: Session, said: dict[str, str]) -> Lines:
    name = parameter(session, said["name"])
    fixed = value(session, name, said["value"])
    yield from session.put({"action": "fix", "parameter": name, "value": fixed})


def _log(session: Session, said: dict[str, str]) -> Lines:
    name = parameter(session, said["name"])
    log = said["scale"].lower() == "log"
    yield from session.put({"action": "set_scale", "parameter": name, "log": log})


def _drop(session: Session, said: dict[str, str]) -> Lines:
    name = parameter(session, said["name"])
    choice = value(session, name, said["value"])
    yield from session.put({"action": "drop_choice", "parameter": name, "choices": [choice]})


def _leave_out(session: Session, said: dict[str, str]) -> Lines:
    what = said["what"]
    known = session.draft_edit(what)
    yield from session.leave_out(known.id if known else parameter(session, what))


def _bound(side: str) -> Callable[[Session, dict[str, str]], Lines]:
    def run(session: Session, said: dict[str, str]) -> Lines:
        name = parameter(session, said["name"])
        text = said.get("first") or said.get("second")
        if text is None:
            raise ConfigError(f"which number? Say 'never below 32 for {name}'")
        bound = number(session.space.parameters[name], text)
        yield from session.bound(name, **{side: bound})

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


def _yes(session: Session, said: dict[str, str]) -> Lines:
    with session.taking_up() as commands:
        for command in commands:
            yield from understand(session, command) or ()


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
_LIMIT = (
    rf"(?:(?P<first>{_NUMBER}) (?:for|in) )?(?:the )?(?P<name>\S+(?: \S+)??)"
    rf"(?: (?P<second>{_NUMBER}))?"
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
    Command(
        r"why (?:not )?(?:(?:widen|narrow|fix|drop|lock) )?(?:the )?(?P<what>\S+(?: \S+)?)",
        *("why NAME|e1", "the evidence about it", _why),
    ),
    Command(
        rf"widen (?P<name>\S+){_TO}",
        *("widen NAME to 10", "move a bound outwards", _widen, "draft"),
    ),
    Command(
        rf"narrow (?P<name>\S+){_TO}",
        *("narrow NAME to 1..5", "move bounds inwards", _narrow, "draft"),
    ),
    Command(
        r"fix (?P<name>\S+?)\s*(?:=|at|to)\s*(?P<value>.+)",
        *("fix NAME = 3", "tune it no longer", _fix, "draft"),
    ),
    Command(
        r"(?P<scale>log|linear) (?P<name>\S+)",
        *("log NAME", "change its scale", _log, "draft"),
    ),
    Command(
        r"drop (?P<value>.+) from (?P<name>\S+)",
        *("drop CHOICE from NAME", "give a choice up", _drop, "draft"),
    ),
    Command(
        r"(?:leave out|without|remove) (?P<what>\S+)",
        *("leave out NAME|e1", "take it out of the draft", _leave_out, "draft"),
    ),
    Command(
        r"(?:(?:try|be|make) (?:it )?)?(?:more )?conservative(?:ly)?",
        *("conservative", "half as far, nothing taken away", _lines(Session.conservative), "draft"),
    ),
    Command(r"undo", "undo", "take the last change back", _lines(Session.undo), "draft"),
    Command(r"reset", "reset", "back to the statistics' draft", _lines(Session.reset), "draft"),
    Command(
        r"(?P<verb>lock|unlock) (?P<name>\S+)",
        *("lock NAME", "no revision may change it; 'unlock' too", _lock, "limits"),
    ),
    Command(
        rf"never (?:go )?below {_LIMIT}",
        *(
            "never below 32 for NAME",
            "a hard bound in the study",
            _bound("hard_low"),
            "limits",
        ),
    ),
    Command(
        rf"never (?:go )?above {_LIMIT}",
        *(
            "never above 64 for NAME",
            "a hard bound in the study",
            _bound("hard_high"),
            "limits",
        ),
    ),
    Command(r"propose", "propose", "leave the draft to be decided", _propose),
    Command(rf"approve {_IDS}", "approve all|e1 e3", "decide for edits", _decide(Verdict.APPROVE)),
    Command(
        rf"reject {_IDS}(?:,? because (?P<reason>.+))?",
        *("reject e2 because REASON", "decide against; remembered", _decide(Verdict.REJECT)),
    ),
    Command(r"yes|y|ok|okay|do it", "yes", "do what a language model suggested", _yes),
    Command(r"help(?: (?P<verb>\w+))?", "help", "this list; 'help widen' one of it", _help),
    Command(r"quit|exit|bye", "quit", "leave; the session lasts", _quit),
)
