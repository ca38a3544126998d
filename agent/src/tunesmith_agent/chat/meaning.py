"""What somebody means by a word: a parameter, a number, one of a parameter's choices."""

from __future__ import annotations

import re
from collections.abc import Callable

from tunesmith.errors import ConfigError, did_you_mean
from tunesmith.expressions import Value
from tunesmith.parameters import Categorical, Parameter
from tunesmith_agent.chat.session import Session


class StrangeError(ConfigError):
    """A word that means nothing here; somebody may have meant more than a command."""


def parameter(session: Session, word: str) -> str:
    """The parameter that a word means: its name, a part, its beginning or its initials.

    Raises StrangeError where it is none, ConfigError where it may be several.
    """
    names = list(session.space.parameters)
    small = word.strip("'\"").lower().replace(" ", "_")
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
    raise StrangeError(f"there is no parameter '{word}'{did_you_mean(word, names)}")


def number(parameter: Parameter, text: str) -> float:
    """A number as somebody types it. Raises ConfigError."""
    try:
        number = float(text)
    except ValueError:
        raise ConfigError(f"'{text}' is not a number") from None
    return int(number) if parameter.type == "int" and number.is_integer() else number


def value(session: Session, name: str, text: str) -> Value:
    """A value of the parameter as somebody types it. Raises ConfigError."""
    text = text.strip("'\"")
    now = session.space.parameters[name]
    if not isinstance(now, Categorical):
        return number(now, text)
    found = [choice for choice in now.choices if str(choice).lower() == text.lower()]
    if not found:
        known = map(str, now.choices)
        raise ConfigError(f"'{name}' has no choice '{text}'{did_you_mean(text, known)}")
    return found[0]
