"""Which way a metric is better, where that is obvious."""

import re
from collections.abc import Sequence

from tunesmith.errors import ConfigError
from tunesmith.trial import Direction, LoggedRun

# fmt: off
_LOWER = frozenset((
    "cost", "crps", "deviance", "err", "error", "hinge", "latency", "logloss", "loss", "mae",
    "mape", "mse", "nll", "perplexity", "ppl", "regret", "rmse", "rmsle", "seconds", "time",
))
_HIGHER = frozenset((
    "acc", "accuracy", "auc", "auprc", "auroc", "bleu", "dice", "f1", "iou", "kappa", "map",
    "mcc", "ndcg", "precision", "r2", "recall", "reward", "score",
))
_NEITHER = frozenset(("rank", "std", "var", "variance"))
# fmt: on
_OPTUNA = {"MINIMIZE": Direction.MINIMIZE, "MAXIMIZE": Direction.MAXIMIZE}


def direction_of(metric: str, runs: Sequence[LoggedRun]) -> tuple[Direction, str]:
    """The direction of a metric, and what says so: its name, or Optuna's tags on its runs.

    Raises ConfigError where they say nothing or contradict each other.
    """
    found = {why: direction for why, direction in (_by_name(metric), _by_tags(runs)) if direction}
    if len(set(found.values())) == 1:
        return next(iter(found.values())), " and ".join(found)
    reason = "its name and its tags by Optuna disagree" if found else "its name does not say"
    raise ConfigError(
        f"is '{metric}' better when it is higher or lower? {reason}; "
        "add '--goal maximize' or '--goal minimize'"
    )


def _by_name(metric: str) -> tuple[str, Direction | None]:
    words = re.findall(r"[a-z]+\d*", re.sub(r"([a-z])([A-Z])", r"\1_\2", metric).lower())
    lower, higher = _LOWER.intersection(words), _HIGHER.intersection(words)
    if (lower and higher) or _NEITHER.intersection(words):
        return "", None
    if lower:
        # scikit-learn negates what is better when it is lower
        negated = "neg" in words or "negative" in words
        return "name", Direction.MAXIMIZE if negated else Direction.MINIMIZE
    return "name", Direction.MAXIMIZE if higher else None


def _by_tags(runs: Sequence[LoggedRun]) -> tuple[str, Direction | None]:
    said = {run.tags.get("direction", "") for run in runs}
    return "tags by Optuna", _OPTUNA.get(said.pop()) if len(said) == 1 else None
