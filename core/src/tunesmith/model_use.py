"""What a language model had to do with a draft: which one, how often it was asked, what it took."""

from pydantic import BaseModel, ConfigDict


class Plain(BaseModel):
    """Data that is written down: checked, never changed, without NaN."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


class Call(Plain):
    """One question to a language model."""

    started: float
    """Unix seconds."""
    seconds: float
    input_tokens: int
    output_tokens: int
    """What can be read; thinking is counted apart."""
    thinking_tokens: int = 0
    outcome: str = "ok"
    """`ok`, or what went wrong."""
    prompt: str | None = None
    """What was asked, as JSON; null unless the study allows to keep it."""
    answer: str | None = None


class ModelUse(Plain):
    """The part of a language model in a draft."""

    model: str
    host: str
    """Of its endpoint."""
    calls: tuple[Call, ...] = ()
    seconds: float = 0.0
    """From the first question to the last answer."""
    cost: float | None = None
    """US dollars, where the model's price is known."""
    failure: str = ""
    """Why it gave no answer to use: then the draft is the statistics' alone."""

    @property
    def input_tokens(self) -> int:
        """Tokens of all questions."""
        return sum(call.input_tokens for call in self.calls)

    @property
    def output_tokens(self) -> int:
        """Tokens of all answers, thinking left out."""
        return sum(call.output_tokens for call in self.calls)
