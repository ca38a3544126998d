"""The toolbox as functions that an endpoint may ask to have called."""

from __future__ import annotations

import inspect
import json
from typing import Any

from pydantic import TypeAdapter, ValidationError

from tunesmith.errors import TunesmithError
from tunesmith_agent.language.toolbox import Toolbox

_LONGEST = 3000
"""Characters of an answer, so that one look does not use up the tokens of a turn."""


class Functions:
    """What may be called, and how."""

    def __init__(self, box: Toolbox) -> None:
        known: tuple[Any, ...] = (
            *(box.best_trials, box.marginal, box.interaction, box.failures, box.coverage),
            *(box.earlier_decisions, box.what_if),
        )
        self._box = box
        self._known = {method.__name__: TypeAdapter[Any](method) for method in known}
        self.listed: list[dict[str, Any]] = [
            {
                "type": "function",
                "function": {
                    "name": method.__name__,
                    "description": inspect.getdoc(method),
                    "parameters": self._known[method.__name__].json_schema(),
                },
            }
            for method in known
        ]
        """As the API of chat completions has them."""

    def call(self, name: str, arguments: str) -> str:
        """The answer as JSON; what is wrong with a call is an answer too."""
        try:
            if name not in self._known:
                raise ValueError(f"there is no function '{name}'")
            found: Any = self._known[name].validate_json(arguments or "{}")
        except TunesmithError as error:
            found = {"error": self._box.names.hide(str(error))}
        except ValidationError as error:
            found = {"error": error.errors(include_url=False, include_input=False)[0]["msg"]}
        except ValueError as error:
            found = {"error": str(error)}
        text = json.dumps(found, ensure_ascii=False)
        return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} … cut off"
