"""A small part of `benchmarks/advisor.py`: the advisor helps, does no harm, and is not fooled."""

import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

from advising.run import permuted, played  # noqa: E402

DATA = ROOT / "benchmarks/data"
TASKS = ("mlp/australian", "mlp/vehicle")

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("advisor benchmark")]


@pytest.fixture(scope="module")
def regrets():
    """Regret after 100 trials of A1 and of our advisor, for each task, variant and seed."""
    units = [
        (name, variant, 0, arm)
        for name in TASKS
        for variant in ("guess", "missed", "full")
        for arm in ("A1", "ours 4x25")
    ]
    with ProcessPoolExecutor(2) as pool:
        results = pool.map(played, [DATA] * len(units), units)
        return {unit: each.regrets[-1] for unit, each in zip(units, results, strict=True)}


def test_revised_spaces_lead_to_better_trials_than_the_space_left_as_it_is(regrets):
    guessed = [unit for unit in regrets if unit[1] in ("guess", "missed")]
    ours = sum(regrets[unit] for unit in guessed if unit[3] != "A1")
    a1 = sum(regrets[unit] for unit in guessed if unit[3] == "A1")
    assert ours < 0.9 * a1


def test_hardly_any_study_ends_clearly_worse_for_its_advisor(regrets):
    units = [unit for unit in regrets if unit[3] != "A1"]
    harmed = [unit for unit in units if regrets[unit] > regrets[(*unit[:3], "A1")] + 0.1]
    assert len(harmed) <= 0.05 * len(units), harmed


def test_scores_dealt_out_at_random_lead_to_no_edit():
    units = [
        (name, variant, seed, trials)
        for name in TASKS
        for variant in ("guess", "missed", "full")
        for seed in range(2)
        for trials in (25, 50)
    ]
    with ProcessPoolExecutor(2) as pool:
        edits = list(pool.map(permuted, [DATA] * len(units), units))
    assert sum(count > 0 for count in edits) <= 0.05 * len(edits)
