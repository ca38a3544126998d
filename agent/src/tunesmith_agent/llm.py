"""The advisor with a language model: statistics decide, the model explains and adds ideas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any

from tunesmith.components import Advisor
from tunesmith_agent.statistical import Statistical

if TYPE_CHECKING:
    from tunesmith.history import History
    from tunesmith.proposals import Draft, Evidence
    from tunesmith_agent.language.endpoint import Endpoint


class Llm(Advisor):
    """A language model explains what the statistics found, and adds ideas to be tested.

    Any OpenAI-compatible endpoint; the key comes from OPENAI_API_KEY. Where it fails, the
    statistical draft is shown instead, and says so.
    """

    model: str = "gpt-5.4-mini"
    """Its name at the endpoint."""
    base_url: str | None = None
    """Address of another endpoint than OpenAI's, such as `http://localhost:11434/v1`."""
    samples: int = 3
    """Answers to ask for; an idea needs more than half of them."""
    calls: int = 6
    """Most questions of a draft or of a turn in a chat, repairs and retries included."""
    input_tokens: int = 8000
    """Most tokens of all its questions."""
    output_tokens: int = 1500
    """Most tokens of all its answers, thinking not counted."""
    thinking_tokens: int = 4000
    """Most tokens that the model thinks before each answer."""
    seconds: float = 120.0
    """Most time of a draft; what was answered by then counts."""
    keep_prompts: bool = False
    """Write questions and answers down with the proposal, and so in trackers."""
    exploration: float = 0.2
    """Share of the next round's trials that explore the old space and the new, quasi-randomly."""
    extra: dict[str, Any] = field(default_factory=dict)
    """Handed to the endpoint with every question, such as `temperature`."""

    def __post_init__(self) -> None:
        for name in ("samples", "calls", "input_tokens", "output_tokens", "seconds"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} {getattr(self, name)} is not greater than 0")

    def advise(self, history: History) -> Draft:
        from anyio.from_thread import start_blocking_portal

        from tunesmith_agent.language.consultation import Consultation

        draft = self._statistical().advise(history)
        consultation = Consultation(history, draft, self.endpoint(self.samples))
        # a thread of its own: whoever calls may have an event loop running, as notebooks do
        with start_blocking_portal() as portal:
            return portal.call(consultation.run, self.exploration)

    def worth(self, history: History) -> Sequence[Evidence]:
        return self._statistical().worth(history)

    def endpoint(self, answers: int) -> Endpoint:
        """The model's endpoint, with a fresh budget that so many answers share."""
        from tunesmith_agent.language.budget import Budget
        from tunesmith_agent.language.endpoint import Endpoint

        budget = Budget(
            calls=self.calls,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            thinking_tokens=self.thinking_tokens,
            seconds=self.seconds,
            answers=answers,
        )
        return Endpoint(self.model, self.base_url, budget, self.extra, self.keep_prompts)

    def _statistical(self) -> Statistical:
        return Statistical(exploration=self.exploration)
