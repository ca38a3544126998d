"""An OpenAI-compatible endpoint: a question, an answer, and what it took."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import httpx2
import openai
import pydantic
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion

from tunesmith.model_use import Call
from tunesmith_agent.language.budget import Budget
from tunesmith_agent.language.errors import ModelError, RefusedError, told

Message = dict[str, Any]
PUBLIC = "https://api.openai.com/v1"
_KNOWN = (
    *(openai.OpenAIError, pydantic.ValidationError, json.JSONDecodeError, TimeoutError),
    httpx2.TransportError,  # in the middle of a stream
)
Hear = Callable[[str], None]
"""Takes a piece of an answer as it comes."""
_RETRIES = 2


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: a text, and functions that the model wants called."""

    text: str
    calls: tuple[tuple[str, str, str], ...] = ()
    """Id, name and arguments as JSON of each."""
    cut: bool = False
    """It ended because of the limit of tokens."""


@dataclass
class Endpoint:
    """A model at an address. Of the environment it takes the key, and nothing else.

    `kept` says whether questions and answers are written down with the calls.
    """

    model: str
    base_url: str | None
    budget: Budget
    extra: Mapping[str, Any] = field(default_factory=dict)
    kept: bool = False
    calls: list[Call] = field(default_factory=list)
    limit: str = ""
    """The name of the option that limits tokens, which differs between endpoints."""

    def __post_init__(self) -> None:
        self.limit = self.limit or ("max_tokens" if self.base_url else "max_completion_tokens")

    @property
    def host(self) -> str:
        """Where it is, without what an address may hide of names and passwords."""
        parts = urlsplit(self.base_url or PUBLIC)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)

    async def __aenter__(self) -> Endpoint:
        key = os.environ.get("OPENAI_API_KEY")
        if not key and not self.base_url:
            raise ModelError("there is no key in OPENAI_API_KEY, and no 'base_url' of another one")
        self._client = openai.AsyncOpenAI(
            api_key=key or "none",
            base_url=self.base_url or PUBLIC,
            timeout=self.budget.seconds,
            max_retries=_RETRIES,
        )
        # of another account perhaps, and no business of another endpoint
        self._client.organization = self._client.project = None
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.close()

    async def ask(
        self, messages: Sequence[Message], hear: Hear | None = None, **form: Any
    ) -> Reply:
        """One answer, streamed where somebody hears.

        Raises ModelError, RefusedError where another form of question may do.
        """
        text = json.dumps([messages, form], ensure_ascii=False)
        expected = self.budget.take(text)
        started, clock = time.time(), time.monotonic()
        reply, answer, outcome = None, None, ""
        try:
            answer = await self._create(messages, form, hear)
            reply = _reply(answer, self.host)
            return reply
        except ModelError as error:
            outcome = str(error)
            raise
        finally:
            used = self.budget.book(expected, answer, reply.text if reply else "")
            self.calls.append(
                Call(
                    started=started,
                    seconds=round(time.monotonic() - clock, 3),
                    outcome=outcome or ("ok" if reply else "interrupted"),
                    prompt=text if self.kept else None,
                    answer=reply.text if reply and self.kept else None,
                    **used,
                )
            )

    async def _create(
        self, messages: Sequence[Message], form: Mapping[str, Any], hear: Hear | None
    ) -> Any:
        for name in dict.fromkeys((self.limit, "max_completion_tokens", "max_tokens")):
            request = {
                "model": self.model,
                "messages": list(messages),
                name: self.budget.per_call,
                **form,
                **self.extra,
            }
            try:
                found = await self._send(request, hear)
                self.limit = name
                return found
            except openai.BadRequestError as error:
                if name not in str(error.message):
                    raise told(error, self.model, self.host) from None
            except _KNOWN as error:
                raise told(error, self.model, self.host) from None
        raise RefusedError(f"the endpoint at {self.host} refused the request (400)")

    async def _send(self, request: Mapping[str, Any], hear: Hear | None) -> Any:
        create: Callable[..., Any] = self._client.chat.completions.create
        if hear is None:
            return await create(**request)
        options = {"stream": True, "stream_options": {"include_usage": True}}
        stream = await create(**request, **options)
        state, done = ChatCompletionStreamState(), False
        async with stream:
            async for chunk in stream:
                state.handle_chunk(chunk)
                for choice in chunk.choices:
                    hear(choice.delta.content or "")
                    done = done or choice.finish_reason is not None
        if not done:
            raise ModelError(f"the endpoint at {self.host} broke off in the middle of an answer")
        return state.current_completion_snapshot


def _reply(answer: Any, host: str) -> Reply:
    if not isinstance(answer, ChatCompletion) or not answer.choices:
        raise ModelError(f"the endpoint at {host} does not answer as an OpenAI-compatible one does")
    choice = answer.choices[0]
    message = choice.message
    if message.refusal:
        raise ModelError("the model declined to answer")
    calls = tuple(
        (call.id, call.function.name, call.function.arguments)
        for call in message.tool_calls or ()
        if call.type == "function"
    )
    return Reply(message.content or "", calls, choice.finish_reason == "length")
