"""Cheap looks at a configuration before the whole: fewer trees, fewer iterations, fewer rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tunesmith.errors import ConfigError, did_you_mean
from tunesmith.space import SearchSpace

SAMPLES = "samples"
SHARES = (9, 3, 1)
"""Each look has so many times less than the whole."""


@dataclass(frozen=True)
class Look:
    """One cross-validation at a part of the whole.

    `step` is the value of the parameter, or the percentage of the training rows; `share` says of
    how many of these rows one is taken.
    """

    step: int
    share: int = 1
    params: Mapping[str, int] = field(default_factory=dict)


def looks(fidelity: str, model: Any, space: SearchSpace) -> Sequence[Look]:
    """From the cheapest to the whole.

    Raises ConfigError for what does not grow to the same whole in every trial.
    """
    if fidelity == SAMPLES:
        return [Look(round(100 / share), share) for share in SHARES]
    params = {name.replace("__", "."): value for name, value in model.get_params().items()}
    counts = [name for name, value in params.items() if type(value) is int]
    if fidelity not in params:
        close = did_you_mean(fidelity, [SAMPLES, *counts])
        raise ConfigError(f"the estimator has no parameter '{fidelity}' as a fidelity{close}")
    if fidelity in space.parameters:
        raise ConfigError(
            f"'{fidelity}' is the fidelity and in the space; a fidelity ends at the same value in "
            "every trial: fix it in 'params', or take 'fidelity: samples'"
        )
    whole = params[fidelity]
    if fidelity not in counts or whole < SHARES[0]:
        raise ConfigError(
            f"the fidelity '{fidelity}' is {whole!r}; give it in 'params' as a whole number of "
            f"{SHARES[0]} or more"
        )
    values = [round(whole / share) for share in SHARES]
    return [Look(value, params={fidelity.replace(".", "__"): value}) for value in values]
