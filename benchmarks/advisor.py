"""Does the advisor help, and does it ever harm? ADVISOR's measure: regret against the space left as it is.

uv run python benchmarks/advisor.py --data FOLDER --seeds 10
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(threads, "1")

from advising import rivals  # noqa: E402
from advising.arms import Played, play  # noqa: E402
from advising.problems import CORRUPTIONS, VARIANTS, problem, tasks  # noqa: E402
from advising.table import print_permuted, print_tables  # noqa: E402

ARMS = (
    "A1",
    "full range",
    "box 4x25",
    "leaning 2x50",
    "leaning 4x25",
    "random 4x25",
    "ours 2x50",
    "ours 4x25",
    "oracle 2x50",
)
Unit = tuple[str, str, int, str]


def run(folder: Path, unit: Unit) -> tuple[Unit, Played]:
    """One arm on one problem with one seed."""
    from tunesmith_agent.statistical import Statistical

    name, variant, seed, arm = unit
    task = problem(folder, name, variant)
    kind, _, split = arm.partition(" ")
    rounds = int(split.partition("x")[0]) if "x" in split else 1
    if arm == "A1":
        return unit, play(task, None, 1, seed)
    if arm == "A1 again":
        return unit, play(task, None, 1, seed + 1000)
    if arm == "full range":
        return unit, play(task, None, 1, seed, space=task.limits)
    best = tasks(folder).load(name, "full").best_config
    revisers = {
        "ours": Statistical(),
        "leaning": rivals.leaning(task),
        "box": rivals.box(task),
        "random": rivals.anything(task),
        "oracle": rivals.oracle(task, best),
    }
    return unit, play(task, revisers[kind], rounds, seed)


def permuted(folder: Path, unit: tuple[str, str, int, int]) -> int:
    """How many edits are proposed for a first round whose scores were dealt out at random."""
    from advising.arms import permuted_edits

    name, variant, seed, trials = unit
    return permuted_edits(problem(folder, name, variant), seed, trials)


def _run(job: tuple[Path, Unit]) -> tuple[Unit, Played]:
    return run(*job)


def _permuted(job: tuple[Path, tuple[str, str, int, int]]) -> int:
    return permuted(*job)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with tasks.py")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--arms", nargs="*", default=list(ARMS))
    parser.add_argument("--variants", nargs="*", default=list(VARIANTS))
    parser.add_argument("--corruptions", action="store_true", help="the spoiled spaces as well")
    parser.add_argument("--permuted", type=int, default=2, help="seeds with permuted scores")
    parser.add_argument("--json", type=Path, help="keep all figures in this file")
    options = parser.parse_args(arguments)
    names = tasks(options.data).list_tasks()
    variants = [*options.variants, *(CORRUPTIONS if options.corruptions else ())]
    arms = ["A1", "A1 again", *(arm for arm in options.arms if arm not in ("A1", "A1 again"))]
    units = [
        (name, variant, seed, arm)
        for name in names
        for variant in variants
        for seed in range(options.seeds)
        for arm in arms
    ]
    start = time.perf_counter()
    with ProcessPoolExecutor(2) as pool:
        played = dict(pool.map(_run, [(options.data, unit) for unit in units], chunksize=4))
        print_tables(played, variants, arms)
        dealt = [
            (name, variant, seed, trials)
            for name in names
            for variant in VARIANTS
            for seed in range(options.permuted)
            for trials in (25, 50)
        ]
        edits = list(pool.map(_permuted, [(options.data, unit) for unit in dealt], chunksize=4))
    print_permuted(edits)
    print(f"{len(units)} units in {time.perf_counter() - start:.0f} s")
    if options.json:
        rows = [[*unit, asdict(each)] for unit, each in played.items()]
        options.json.write_text(json.dumps(rows))


if __name__ == "__main__":
    sys.exit(main())
