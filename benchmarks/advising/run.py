"""Runs one unit of the benchmark: an arm on a problem with a seed."""

from pathlib import Path

from advising import rivals
from advising.arms import Played, permuted_edits, play
from advising.problems import problem, tasks
from advising.worst import worst
from tunesmith_agent.statistical import Statistical

Unit = tuple[str, str, int, str]
Dealt = tuple[str, str, int, int]


def played(folder: Path, unit: Unit) -> Played:
    """One arm on one problem with one seed."""
    name, variant, seed, arm = unit
    task = problem(folder, name, variant)
    kind, _, split = arm.partition(" ")
    if arm == "A1":
        return play(task, None, 1, seed)
    if arm == "A1 again":
        return play(task, None, 1, seed + 1000)
    if arm == "full range":
        return play(task, None, 1, seed, space=task.limits)
    revisers = {
        "ours": lambda: Statistical(),
        "worst": worst,
        "leaning": lambda: rivals.leaning(task),
        "box": lambda: rivals.box(task),
        "random": lambda: rivals.anything(task),
        "oracle": lambda: rivals.oracle(task, tasks(folder).load(name, "full").best_config),
    }
    return play(task, revisers[kind](), int(split.partition("x")[0]), seed)


def permuted(folder: Path, dealt: Dealt) -> int:
    """How many edits are proposed for a first round whose scores were dealt out at random."""
    name, variant, seed, trials = dealt
    return permuted_edits(problem(folder, name, variant), seed, trials)
