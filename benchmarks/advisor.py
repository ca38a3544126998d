"""Does the advisor help, and does it ever harm? Regret against the space left as it is (A1).

    uv run python benchmarks/advisor.py --data benchmarks/data --seeds 10

Every arm has the same trials, sampler, defaults and record; proposals are approved as they are, cut
to the ranges that exist. A folder with other tasks goes after --data.
"""

import argparse
import json
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(threads, "1")

from advising.problems import CORRUPTIONS, VARIANTS, tasks  # noqa: E402
from advising.run import permuted, played  # noqa: E402
from advising.table import print_permuted, print_tables  # noqa: E402

ARMS = (
    "full range",
    "box 4x25",
    "leaning 2x50",
    "leaning 4x25",
    "random 4x25",
    "ours 2x50",
    "ours 4x25",
    "worst 4x25",
    "oracle 2x50",
)


def options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with tasks.py")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--arms", nargs="*", default=list(ARMS))
    parser.add_argument("--variants", nargs="*", default=list(VARIANTS))
    parser.add_argument("--corruptions", action="store_true", help="the spoiled spaces as well")
    parser.add_argument("--permuted", type=int, default=2, help="seeds with permuted scores")
    parser.add_argument("--json", type=Path, help="keep all figures in this file")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    chosen = options(arguments)
    names = tasks(chosen.data).list_tasks()
    variants = [*chosen.variants, *(CORRUPTIONS if chosen.corruptions else ())]
    arms = ["A1", "A1 again", *chosen.arms]
    units = [
        (name, variant, seed, arm)
        for name in names
        for variant in variants
        for seed in range(chosen.seeds)
        for arm in arms
    ]
    dealt = [
        (name, variant, seed, trials)
        for name in names
        for variant in VARIANTS
        for seed in range(chosen.permuted)
        for trials in (25, 50)
    ]
    start = time.perf_counter()
    with ProcessPoolExecutor(2) as pool:
        folders = [chosen.data] * max(len(units), len(dealt))
        results = dict(zip(units, pool.map(played, folders, units, chunksize=4), strict=False))
        edits = list(pool.map(permuted, folders, dealt, chunksize=4))
    print_tables(results, variants, arms)
    if edits:
        print_permuted(edits)
    print(f"{len(units)} units in {time.perf_counter() - start:.0f} s")
    if chosen.json:
        rows = [[*unit, asdict(each)] for unit, each in results.items()]
        chosen.json.write_text(json.dumps(rows))


if __name__ == "__main__":
    main()
