"""How long do 60 evaluations of a real model take? Wall time and score against other tools.

    uv run --with sklearn-genetic-opt python benchmarks/digits.py [--seeds 3]

Gradient boosting on scikit-learn's digits with 5-fold cross-validation, two cores. Every arm has a
process of its own, as many evaluations, the same space and folds, and one OpenMP thread a worker,
as tunesmith sets it by itself. The clock runs from the first line of the search to its result;
`busy` is the share of the two workers' time in which they evaluated.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

WORKERS, FOLDS = 2, 5
FIXED = {"max_iter": 30, "early_stopping": False}
Found = tuple[float, int, float | None]
"""The best score, how many configurations were evaluated, and the seconds that this took in all,
where that is known: chance gives one arm slower configurations than another.
"""


def tunesmith(sampler: str, seed: int, count: int) -> Found:
    from tunesmith.loop import run
    from tunesmith.plugins import installed
    from tunesmith.study import check_study

    data = {
        "name": "digits",
        "goals": {"accuracy": "maximize"},
        "dataset": {"use": "sklearn", "loader": "digits"},
        "objective": {
            "use": "sklearn",
            "estimator": "sklearn.ensemble.HistGradientBoostingClassifier",
            "params": FIXED,
            "cv": FOLDS,
            "test_share": 0,
            "final_fit": False,
        },
        "space": {
            "parameters": {
                "learning_rate": {"type": "float", "low": 0.02, "high": 0.5, "log": True},
                "max_leaf_nodes": {"type": "int", "low": 4, "high": 32, "log": True},
                "min_samples_leaf": {"type": "int", "low": 5, "high": 50},
                "l2_regularization": {"type": "float", "low": 1e-6, "high": 10, "log": True},
                "max_features": {"type": "float", "low": 0.1, "high": 1},
            }
        },
        "sampler": sampler,
        "executor": {"use": "processes", "workers": WORKERS},
        "budget": {"trials": count},
        "seed": seed,
    }
    with tempfile.TemporaryDirectory() as folder:
        result = run(check_study(data, Path(folder), installed()))
    assert result.best
    spent = sum(trial.seconds or 0.0 for trial in result.trials)
    return result.best.metrics["accuracy"], result.new_trials, spent


def suggested(trial: Any) -> float:
    return score(
        {
            "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.5, log=True),
            "max_leaf_nodes": trial.suggest_int("max_leaf_nodes", 4, 32, log=True),
            "min_samples_leaf": trial.suggest_int("min_samples_leaf", 5, 50),
            "l2_regularization": trial.suggest_float("l2_regularization", 1e-6, 10, log=True),
            "max_features": trial.suggest_float("max_features", 0.1, 1),
        }
    )


def score(params: dict[str, Any]) -> float:
    from sklearn.datasets import load_digits
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import cross_val_score

    model = HistGradientBoostingClassifier(**FIXED, **params, random_state=0)
    return float(cross_val_score(model, *load_digits(return_X_y=True), cv=folds()).mean())


def folds() -> Any:
    from sklearn.model_selection import StratifiedKFold

    return StratifiedKFold(FOLDS, shuffle=True, random_state=0)


def optuna_threads(seed: int, count: int) -> Found:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed, constant_liar=True)
    )
    study.optimize(suggested, n_trials=count, n_jobs=WORKERS)
    return _of_optuna(study)


def _of_optuna(study: Any) -> Found:
    spent = sum(trial.duration.total_seconds() for trial in study.trials)
    return study.best_value, len(study.trials), spent


def journal(path: str, seed: int) -> Any:
    import optuna
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(
        study_name="digits",
        storage=optuna.storages.JournalStorage(JournalFileBackend(path)),
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=seed, constant_liar=True),
        load_if_exists=True,
    )


def _optuna_worker(path: str, seed: int, count: int) -> None:
    journal(path, seed).optimize(suggested, n_trials=count)


def optuna_processes(seed: int, count: int) -> Found:
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/journal.log"
        study = journal(path, seed)
        workers = [
            context.Process(target=_optuna_worker, args=(path, seed + 100 * index, share))
            for index, share in enumerate((count // 2, count - count // 2))
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return _of_optuna(study)


def genetic_opt(seed: int, count: int) -> Found:
    import random

    import numpy as np
    from sklearn.datasets import load_digits
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn_genetic import GASearchCV
    from sklearn_genetic.space import Continuous, Integer

    random.seed(seed)
    np.random.seed(seed)
    population = 12
    search = GASearchCV(
        HistGradientBoostingClassifier(**FIXED, random_state=0),
        param_grid={
            "learning_rate": Continuous(0.02, 0.5, distribution="log-uniform"),
            "max_leaf_nodes": Integer(4, 32),
            "min_samples_leaf": Integer(5, 50),
            "l2_regularization": Continuous(1e-6, 10, distribution="log-uniform"),
            "max_features": Continuous(0.1, 1),
        },
        cv=folds(),
        scoring="accuracy",
        population_size=population,
        generations=(count - population) // (2 * population),  # each has twice as many children
        n_jobs=WORKERS,
        refit=False,
        verbose=False,
    )
    search.fit(*load_digits(return_X_y=True))
    scores = search.cv_results_["mean_test_score"]
    return float(max(scores)), len(scores), None


ARMS: dict[str, Callable[[int, int], Found]] = {
    "tunesmith tpe": lambda seed, count: tunesmith("tpe", seed, count),
    "tunesmith ga": lambda seed, count: tunesmith("ga", seed, count),
    "optuna, threads": optuna_threads,
    "optuna, processes": optuna_processes,
    "sklearn-genetic-opt": genetic_opt,
}


def timed(arm: str, seed: int, count: int) -> dict[str, float]:
    import optuna  # noqa: F401 - everyone's imports are done before the clock starts
    import sklearn.ensemble  # noqa: F401

    warnings.simplefilter("ignore")
    started = time.perf_counter()
    best, evaluated, spent = ARMS[arm](seed, count)
    seconds = time.perf_counter() - started
    busy = spent / seconds / WORKERS if spent else math.nan
    return {"seconds": seconds, "best": best, "evaluated": evaluated, "busy": busy}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--evaluations", type=int, default=60)
    parser.add_argument("--arm", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.arm:
        print("\n" + json.dumps(timed(chosen.arm, chosen.seeds, chosen.evaluations)))
        return
    found: dict[str, list[dict[str, float]]] = {name: [] for name in ARMS}
    for seed in range(chosen.seeds):
        for name in ARMS:
            found[name].append(_alone(name, seed, chosen.evaluations))
            print(seed, name, found[name][-1], flush=True)
    print(f"{'':22}{'seconds':>9}{'busy':>7}{'evaluated':>11}{'best accuracy':>15}")
    for name, rows in found.items():
        seconds, busy, evaluated, best = (
            statistics.mean(row[key] for row in rows)
            for key in ("seconds", "busy", "evaluated", "best")
        )
        print(f"{name:22}{seconds:9.1f}{busy:7.0%}{evaluated:11.0f}{best:15.4f}")


def _alone(arm: str, seed: int, count: int) -> dict[str, float]:
    """One arm in a fresh process, with one OpenMP thread for each of its workers."""
    command = [sys.executable, __file__, "--seeds", str(seed), "--evaluations", str(count)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run([*command, "--arm", arm], capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(f"{arm} failed:\n{done.stderr}")
    row: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return row


if __name__ == "__main__":
    main()
