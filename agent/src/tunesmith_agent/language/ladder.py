"""How to get a JSON object out of an endpoint: the strictest form of question that it takes.

Which one that is, is remembered for each endpoint and model in the user's folder of settings.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from tunesmith_agent.language.endpoint import Endpoint, Message, Reply
from tunesmith_agent.language.errors import RefusedError, WrongAnswerError

FORMS = ("json_schema", "tools", "json_object", "text")
_NAME = "proposal"


class Ladder:
    """Questions to one endpoint that are answered with a JSON object."""

    def __init__(self, endpoint: Endpoint, schema: Mapping[str, Any]) -> None:
        self._endpoint = endpoint
        self._schema = schema
        self._file = Path(click.get_app_dir("tunesmith")) / "endpoints.json"
        self._key = f"{endpoint.base_url or ''} {endpoint.model}".strip()
        known = _read(self._file).get(self._key)
        self.form: str | None = known if known in FORMS else None

    async def ask(self, messages: Sequence[Message]) -> dict[str, Any]:
        """The object that the model answers with.

        Raises WrongAnswerError where the answer holds none, ModelError where no form is taken.
        """
        known = self.form
        for form in FORMS[FORMS.index(known or FORMS[0]) :]:
            try:
                found = _object(await self._endpoint.ask(messages, **self._options(form)))
            except (RefusedError, WrongAnswerError) as error:
                # a form that worked before is not given up for one bad answer
                stays = form == known and isinstance(error, WrongAnswerError)
                if form == FORMS[-1] or stays:
                    raise
                continue
            if form != known:
                self.form = form
                _remember(self._file, self._key, form)
            return found
        raise AssertionError("the last form raises")

    def _options(self, form: str) -> dict[str, Any]:
        if form == "json_schema":
            schema = {"name": _NAME, "strict": True, "schema": self._schema}
            return {"response_format": {"type": "json_schema", "json_schema": schema}}
        if form == "tools":
            function = {"name": _NAME, "parameters": self._schema}
            chosen = {"type": "function", "function": {"name": _NAME}}
            return {"tools": [{"type": "function", "function": function}], "tool_choice": chosen}
        return {"response_format": {"type": "json_object"}} if form == "json_object" else {}


def _object(reply: Reply) -> dict[str, Any]:
    """The first JSON object in an answer, after whatever the model thought aloud."""
    text = reply.calls[0][2] if reply.calls else reply.text.rpartition("</think>")[2]
    decoder = json.JSONDecoder()
    place = text.find("{")
    while place >= 0:
        try:
            found: dict[str, Any] = decoder.raw_decode(text, place)[0]
            return found
        except (ValueError, RecursionError):
            # inside an answer that was cut off there are objects too, but none is the answer
            place = -1 if reply.cut else text.find("{", place + 1)
    what = "was cut off, and should be shorter" if reply.cut else "is not a JSON object"
    raise WrongAnswerError(f"its answer {what}")


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # what is not remembered is found out again
        return {}
    return found if isinstance(found, dict) else {}


def _remember(file: Path, key: str, form: str) -> None:
    text = json.dumps(_read(file) | {key: form}, indent=1)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False) as new:
            new.write(text)
        os.replace(new.name, file)
    except OSError:
        return  # a folder that cannot be written costs a question the next time
