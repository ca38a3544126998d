"""What a draft may cost in calls, tokens and seconds, and what it has cost so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tunesmith_agent.language.errors import ModelError

_CHARACTERS = 3
"""Of a token, at the least: tables of numbers are cut finer than prose."""


def tokens(text: str) -> int:
    """About how many tokens a text has, rather too many."""
    return len(text) // _CHARACTERS + 1


@dataclass(slots=True)
class Budget:
    """Limits of one draft, or of one turn of a chat. Thinking is counted apart."""

    calls: int
    input_tokens: int
    output_tokens: int
    thinking_tokens: int
    seconds: float
    answers: int
    """Answers that the visible tokens are shared among."""
    used_calls: int = 0
    used_input: int = 0
    used_output: int = 0

    @property
    def per_prompt(self) -> int:
        """Tokens of one question, so that one repair is left."""
        return self.input_tokens // (self.answers + 1)

    @property
    def per_call(self) -> int:
        """Tokens that a call may answer with, thinking included."""
        return self.output_tokens // self.answers + self.thinking_tokens

    def take(self, text: str) -> int:
        """Count a call in before it is made. Raises ModelError where it is beyond a limit."""
        expected = tokens(text)
        if self.used_calls >= self.calls:
            raise ModelError(f"all {self.calls} calls are used up; see the advisor's 'calls'")
        if self.used_input + expected > self.input_tokens:
            raise ModelError(
                f"all {self.input_tokens} input tokens are used up; "
                "see the advisor's 'input_tokens'"
            )
        if self.used_output >= self.output_tokens:
            raise ModelError(
                f"all {self.output_tokens} output tokens are used up; "
                "see the advisor's 'output_tokens'"
            )
        self.used_calls += 1
        self.used_input += expected
        return expected

    def book(self, expected: int, answer: Any, text: str) -> dict[str, int]:
        """What a call really took, as far as the endpoint says; returns its three counts."""
        usage = getattr(answer, "usage", None)
        details = getattr(usage, "completion_tokens_details", None)
        thinking = getattr(details, "reasoning_tokens", None) or 0
        asked = getattr(usage, "prompt_tokens", None) or expected
        written = getattr(usage, "completion_tokens", None)
        visible = tokens(text) - 1 if written is None else max(written - thinking, 0)
        self.used_input += asked - expected
        self.used_output += visible
        return {"input_tokens": asked, "output_tokens": visible, "thinking_tokens": thinking}
