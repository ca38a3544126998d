"""How good are the samplers? Normalised regret on recorded trainings after 50, 100, 200 trials.

    uv run python benchmarks/samplers.py --data benchmarks/data --seeds 10

0 is the best value known of a task, 1 its median random configuration. Every sampler gets the full
ranges, the same seeds, and each result before it is asked again; `--workers 8` tells it results in
the order in which eight workers would finish, so that a sampler that waits for generations shows.
With sklearn-genetic-opt installed its search runs beside them as `genetic-opt`.
"""

import argparse
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(threads, "1")

import numpy as np  # noqa: E402
from advising.problems import tasks  # noqa: E402
from sampling.play import played  # noqa: E402

SAMPLERS = ("random", "tpe", "cmaes", "nsga2", "ga", "de", "cma", "deap_nsga2", "nsga3")
AFTER = (50, 100, 200)


def options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with tasks.py")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--samplers", nargs="*", default=list(SAMPLERS))
    parser.add_argument("--workers", type=int, default=1)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    chosen = options(arguments)
    names = tasks(chosen.data).list_tasks()
    units = [
        (chosen.data, name, sampler, seed, max(AFTER), chosen.workers)
        for name in names
        for sampler in chosen.samplers
        for seed in range(chosen.seeds)
    ]
    with ProcessPoolExecutor(2) as pool:
        found = list(pool.map(played, units, chunksize=2))
    print(f"{'sampler':16}" + "".join(f"{f'after {count}':>24}" for count in AFTER))
    for sampler in chosen.samplers:
        curves = np.array(
            [curve for unit, curve in zip(units, found, strict=True) if unit[2] == sampler]
        )
        cells = [_cell(curves[:, count - 1], chosen.seeds) for count in AFTER]
        print(f"{sampler:16}" + "".join(f"{cell:>24}" for cell in cells))


def _cell(regrets: np.ndarray, seeds: int) -> str:
    """Mean over tasks and seeds, with a 95% bootstrap interval over seeds."""
    table = regrets.reshape(-1, seeds)
    generator = np.random.default_rng(0)
    means = [table[:, generator.integers(seeds, size=seeds)].mean() for _ in range(1000)]
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{table.mean():.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    main()
