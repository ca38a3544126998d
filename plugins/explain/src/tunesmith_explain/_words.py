"""What was found, in a few plain sentences."""

from __future__ import annotations

import math

from tunesmith_explain._effects import Effects
from tunesmith_explain._model import Explained
from tunesmith_explain._tuning import Tuning

_FEW_NAMED = 3
_LEAST = 0.03
"""Share of the effects below which a column is not named beside others."""


def model_sentences(model: Explained | None, wrong: str) -> list[str]:
    """What the model goes by, how that was found, and what was left out."""
    if model is None:
        return [f"The model is not explained: {wrong}."]
    words = [
        f"The model goes most by {_named(model.effects, {})}.",
        f"SHAP's {model.effects.method} looked at {model.rows}.",
    ]
    weak = [one.name for one in model.local if one.lime and one.lime.fit < 0.3]
    if weak:
        words.append(
            f"LIME's linear model does not fit near {', '.join(weak)}: trust SHAP's numbers there."
        )
    return [*words, *model.notes]


def tuning_sentences(tuning: Tuning | None, wrong: str) -> list[str]:
    """Which hyperparameters made the score, or that it cannot be told."""
    if tuning is None:
        return [f"The tuning is not explained: {wrong}."]
    if tuning.why_not or tuning.effects is None:
        return [
            f"Which hyperparameters made the {tuning.metric} cannot be told: {tuning.why_not}.",
            *tuning.notes,
        ]
    rho = tuning.rho if tuning.rho is not None else math.nan
    return [
        f"The {tuning.metric} was made most by {_named(tuning.effects, tuning.better)}.",
        f"That is what a forest over the trials learned; it orders trials that it has not seen "
        f"with a rank correlation of {rho:.2f}.",
        *tuning.notes,
    ]


def _named(effects: Effects, better: dict[str, str]) -> str:
    """`a (61% of all effects; smaller is better), b (20%) and c (5%)`."""
    shares = effects.shares
    parts: list[str] = []
    for column in effects.top(_FEW_NAMED):
        if shares[column] < _LEAST and parts:
            break
        name, of = effects.names[column], " of all effects" if not parts else ""
        hint = f"; {better[name]}" if better.get(name) else ""
        parts.append(f"{name} ({shares[column]:.0%}{of}{hint})")
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
