"""What can go wrong with a language model, in words for whoever asked it."""

from __future__ import annotations

import json

import httpx2
import openai
import pydantic


class ModelError(Exception):
    """No usable answer; the text says why, and what would help."""


class RefusedError(ModelError):
    """The endpoint does not take a question of this form; another form may do."""


class WrongAnswerError(ModelError):
    """An answer came, but not one to use; asked again the model may do better."""


def told(error: Exception, model: str, host: str) -> ModelError:
    """An exception of the client as one of ours; anything else is raised again."""
    where = f"the endpoint at {host}"
    match error:
        case openai.AuthenticationError() | openai.PermissionDeniedError():
            return ModelError(f"{where} refused the key ({error.status_code}); see OPENAI_API_KEY")
        case openai.NotFoundError():
            return ModelError(f"{where} knows no model '{model}', or is no such endpoint (404)")
        case openai.RateLimitError():
            return ModelError(f"{where} takes no more requests for now, or the quota is used up")
        case openai.BadRequestError() if _too_long(error):
            return ModelError(
                f"the question is too long for '{model}'; lower the advisor's 'input_tokens'"
            )
        case openai.BadRequestError() | openai.UnprocessableEntityError():
            return RefusedError(f"{where} refused the request ({error.status_code})")
        case openai.APIStatusError():
            return ModelError(f"{where} failed ({error.status_code})")
        case openai.APITimeoutError() | TimeoutError():
            return ModelError(f"{where} did not answer in time; see the advisor's 'seconds'")
        case openai.APIConnectionError() | httpx2.TransportError():
            return ModelError(f"{where} cannot be reached, or dropped the connection")
        case openai.OpenAIError() | json.JSONDecodeError() | pydantic.ValidationError():
            return ModelError(f"{where} does not answer as an OpenAI-compatible one does")
    raise error


def _too_long(error: openai.BadRequestError) -> bool:
    text = f"{error.code} {error.type} {error.message}".lower()
    return "context" in text and any(word in text for word in ("length", "size", "window"))
