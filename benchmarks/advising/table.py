"""Prints what the arms came to, beside the space left as it is (A1)."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from advising.arms import Played
from advising.problems import GRIDS

Unit = tuple[str, str, int, str]
MARGIN = 0.1
"""A unit is clearly worse than A1 where its regret is higher by more than this; 1 is the way from
the best known value to a random configuration."""


def print_tables(
    played: Mapping[Unit, Played], variants: Sequence[str], arms: Sequence[str]
) -> None:
    """A table for each variant."""
    for variant in variants:
        print(f"\n{variant}")
        print(
            f"{'arm':14} {'regret':>7} {'against A1':>22} {'grids':>7} {'surrog.':>7} "
            f"{'harm':>6} {'speed-up':>8} {'edits':>6} {'kept':>5} {'s':>6}"
        )
        for arm in arms:
            units = [unit for unit in played if unit[1] == variant and unit[3] == arm]
            print(_line(arm, units, played))


def _line(arm: str, units: list[Unit], played: Mapping[Unit, Played]) -> str:
    mine = np.array([played[unit].regrets[-1] for unit in units])
    base = np.array([played[(*unit[:3], "A1")].regrets[-1] for unit in units])
    grid = np.array([unit[0].split("/")[0] in GRIDS for unit in units])
    low, high = _interval(mine, base, [unit[0] for unit in units])
    harm = float(np.mean(mine > base + MARGIN))
    edits = [count for unit in units for count in played[unit].edits]
    kept = [share for unit in units for share in played[unit].kept]
    reports = max(sum(len(played[unit].edits) for unit in units), 1)
    seconds = sum(played[unit].seconds for unit in units) / reports
    return (
        f"{arm:14} {mine.mean():7.3f} {_change(mine, base):>7} [{low:+.0%}, {high:+.0%}]".ljust(46)
        + f"{_change(mine[grid], base[grid]):>7} {_change(mine[~grid], base[~grid]):>7} "
        f"{harm:6.1%} {_speed_up(units, played):8.1f} "
        f"{np.mean(edits) if edits else 0:6.1f} {np.mean(kept) if kept else 1:5.0%} {seconds:6.2f}"
    )


def _change(mine: np.ndarray, base: np.ndarray) -> str:
    return f"{mine.mean() / base.mean() - 1:+.0%}" if len(base) else "-"


def _interval(mine: np.ndarray, base: np.ndarray, tasks: list[str]) -> tuple[float, float]:
    """95% bootstrap interval of the change, tasks drawn whole."""
    rng = np.random.default_rng(0)
    names = sorted(set(tasks))
    rows = {name: np.flatnonzero(np.array(tasks) == name) for name in names}
    found = []
    for _ in range(2000):
        drawn = np.concatenate(
            [rows[names[index]] for index in rng.integers(len(names), size=len(names))]
        )
        found.append(mine[drawn].mean() / base[drawn].mean() - 1)
    return float(np.quantile(found, 0.025)), float(np.quantile(found, 0.975))


def _speed_up(units: Iterable[Unit], played: Mapping[Unit, Played]) -> float:
    """Median over units of the trials that A1 took to its final score over those of the arm."""
    found = []
    for unit in units:
        base = np.array(played[(*unit[:3], "A1")].regrets)
        mine = np.array(played[unit].regrets)
        reached = np.flatnonzero(mine <= base[-1] + 1e-12)
        took = int(np.flatnonzero(base <= base[-1] + 1e-12)[0]) + 1
        found.append(took / (int(reached[0]) + 1) if len(reached) else took / (len(mine) * 2))
    return float(np.median(found))


def print_permuted(edits: Sequence[int]) -> None:
    """How often permuted scores lead to an edit."""
    share = float(np.mean([count > 0 for count in edits]))
    print(f"\npermuted scores: {share:.1%} of {len(edits)} reports propose an edit")
