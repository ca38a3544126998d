"""What the calls to a language model took, all together."""

from __future__ import annotations

from genai_prices import Usage, calc_price

from tunesmith.model_use import ModelUse
from tunesmith_agent.language.endpoint import PUBLIC, Endpoint


def used(endpoint: Endpoint, seconds: float, failure: str = "") -> ModelUse:
    """The endpoint's calls so far; `failure` says why there is no answer."""
    use = ModelUse(
        model=endpoint.model,
        host=endpoint.host,
        calls=tuple(endpoint.calls),
        seconds=round(seconds, 2),
        failure=failure,
    )
    return use.model_copy(update={"cost": _cost(use, endpoint.base_url)})


def _cost(use: ModelUse, base_url: str | None) -> float | None:
    """US dollars by the public price list that comes with genai-prices; None for other models."""
    thinking = sum(call.thinking_tokens for call in use.calls)
    usage = Usage(input_tokens=use.input_tokens, output_tokens=use.output_tokens + thinking)
    try:
        price = calc_price(usage, use.model, provider_api_url=base_url or PUBLIC).total_price
    except LookupError:
        return None
    return float(f"{float(price):.3g}")
