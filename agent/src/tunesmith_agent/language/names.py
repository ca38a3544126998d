"""Names and choices under which a language model knows them; odd ones get an alias.

Choice strings and parameter names may come from runs that anybody logged: an instruction that hides
in one never reaches the model.
"""

from __future__ import annotations

import json
import re

from tunesmith.expressions import Value
from tunesmith.parameters import Categorical
from tunesmith.space import SearchSpace

_PLAIN = re.compile(r"[A-Za-z0-9_.\-/]{1,64}")


class Names:
    """The aliases of one space, there and back."""

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._names = {
            name: f"parameter_{index}"
            for index, name in enumerate(space.parameters, 1)
            if not _PLAIN.fullmatch(name)
        }
        odd = dict.fromkeys(
            choice
            for parameter in space.parameters.values()
            if isinstance(parameter, Categorical)
            for choice in parameter.choices
            if isinstance(choice, str) and not _PLAIN.fullmatch(choice)
        )
        self._choices = {choice: f"choice_{index}" for index, choice in enumerate(odd, 1)}

    def name(self, real: str) -> str:
        """A parameter's name for the model."""
        return self._names.get(real, real)

    def value(self, real: Value) -> Value:
        """A parameter's value for the model."""
        return self._choices.get(real, real) if isinstance(real, str) else real

    def known(self, shown: str) -> str | None:
        """The parameter that the model means; None where there is none."""
        found = next((real for real, alias in self._names.items() if alias == shown), shown)
        return found if found in self._space.parameters else None

    def choice(self, parameter: str, shown: Value) -> Value | None:
        """The choice of a parameter that the model means; None where there is none."""
        choices = getattr(self._space.parameters[parameter], "choices", ())
        return next((real for real in choices if repr(self.value(real)) == repr(shown)), None)

    def hide(self, text: str) -> str:
        """A sentence of ours with the aliases in it."""
        for real, alias in sorted(self._choices.items(), key=lambda item: -len(item[0])):
            for quoted in (repr(real), f"'{real}'", json.dumps(real), f'"{real}"'):
                text = text.replace(quoted, f"'{alias}'")
        for real, alias in self._names.items():
            text = re.sub(rf"(?<![\w.]){re.escape(real)}(?!\w)", alias, text)
        return clean(text)

    def reveal(self, text: str) -> str:
        """A sentence of the model's with the real names in it."""
        for real, alias in self._choices.items():
            text = re.sub(rf"\b{alias}\b", lambda _, real=real: real, text)  # type: ignore[misc]
        for real, alias in self._names.items():
            text = re.sub(rf"\b{alias}\b", lambda _, real=real: real, text)  # type: ignore[misc]
        return text


def clean(text: str) -> str:
    """The text without lone surrogates, which no endpoint takes."""
    return text.encode("utf-8", "ignore").decode()
