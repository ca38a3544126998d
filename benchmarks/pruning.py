"""What do pruners save? Epochs spent, and spent until the unpruned best is reached.

    uv run python benchmarks/pruning.py --seeds 3

A network learns scikit-learn's digits epoch by epoch; every arm has the same sampler, seeds and
trials. `share` is the epochs of all trials against those without a pruner; `to the best` those
until the first trial that is as good as the unpruned best (within 0.2 points of accuracy).
"""

import argparse
import os
import tempfile
import warnings
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(threads, "1")

import numpy as np  # noqa: E402
from sklearn.datasets import load_digits  # noqa: E402
from sklearn.model_selection import train_test_split  # noqa: E402
from sklearn.neural_network import MLPClassifier  # noqa: E402

from tunesmith import Float, Int, tune  # noqa: E402
from tunesmith.evaluation import TrialContext  # noqa: E402
from tunesmith.trial import Trial  # noqa: E402

EPOCHS = 27
MARGIN = 0.002
SPACE = {
    "rate": Float(1e-5, 1e-1, log=True),
    "alpha": Float(1e-6, 1e-1, log=True),
    "units": Int(8, 128, log=True),
    "batch": Int(16, 256, log=True),
}
ARMS = ("none", "asha", "hyperband", "median")
Unit = tuple[str, int, int]


def objective(params: dict[str, Any], trial: TrialContext) -> float:
    x, y = load_digits(return_X_y=True)
    x, x_valid, y, y_valid = train_test_split(x / 16, y, test_size=0.3, random_state=0)
    model = MLPClassifier(
        (params["units"],),
        learning_rate_init=params["rate"],
        alpha=params["alpha"],
        batch_size=params["batch"],
        random_state=trial.seed,
    )
    score = 0.0
    for epoch in range(1, EPOCHS + 1):
        model.partial_fit(x, y, classes=np.arange(10))
        score = float(model.score(x_valid, y_valid))
        trial.report(epoch, score)
    return score


def played(unit: Unit) -> tuple[list[int], list[float]]:
    """Epochs and accuracy of each trial; -1 for one that was pruned."""
    arm, seed, trials = unit
    pruner: dict[str, Any] = {"use": arm}
    if arm == "hyperband":
        pruner["max_step"] = EPOCHS
    options = {} if arm == "none" else {"pruner": pruner}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = tune(
            objective,
            SPACE,
            trials=trials,
            goals={"accuracy": "maximize"},
            sampler="tpe",
            seed=seed,
            store=f"sqlite:///{Path(folder) / 'bench.db'}",
            **options,
        )
    return [len(trial.steps) for trial in result.trials], [_score(each) for each in result.trials]


def _score(trial: Trial) -> float:
    return trial.metrics.get("accuracy", -1.0)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--trials", type=int, default=60)
    chosen = parser.parse_args(arguments)
    units = [(arm, seed, chosen.trials) for arm in ARMS for seed in range(chosen.seeds)]
    with ProcessPoolExecutor(2) as pool:
        found = dict(zip(units, pool.map(played, units), strict=True))
    print(f"{'pruner':12}{'share':>8}{'to the best':>14}{'best accuracy':>16}")
    for arm in ARMS:
        rows = [_row(found, arm, seed, chosen.trials) for seed in range(chosen.seeds)]
        share, reached, best = np.array(rows).mean(axis=0)
        print(f"{arm:12}{share:8.0%}{reached:14.0%}{best:16.4f}")


def _row(
    found: dict[Unit, tuple[list[int], list[float]]], arm: str, seed: int, trials: int
) -> tuple[float, float, float]:
    epochs, scores = found[arm, seed, trials]
    goal = max(found["none", seed, trials][1]) - MARGIN
    whole = sum(found["none", seed, trials][0])
    reached = next((index for index, score in enumerate(scores) if score >= goal), len(scores) - 1)
    return sum(epochs) / whole, sum(epochs[: reached + 1]) / whole, max(scores)


if __name__ == "__main__":
    main()
