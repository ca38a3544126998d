"""Constraint: a part of the space where trials fail."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy import stats

from tunesmith.errors import SpaceError
from tunesmith.expressions import Value, parse
from tunesmith.parameters import Categorical
from tunesmith.proposals import AddConstraint
from tunesmith_agent.statistics.findings import DRAWS, Findings, shown
from tunesmith_agent.statistics.snapshot import Floats, Snapshot

LEAST, PRECISION = 15, 0.8
_ABSENT = -1.0


def forbid(snapshot: Snapshot, findings: Findings) -> list[AddConstraint]:
    """Edits that exclude what a rule of at most two comparisons says fails.

    At least 15 failures, a Wilson lower bound (Wilson 1927) of the share that fails of 0.8 or
    more, and no good trial.
    """
    if len(snapshot.failures) < LEAST:
        return []
    x = np.nan_to_num(np.vstack([snapshot.x, snapshot.failed]), nan=_ABSENT)
    failed = np.repeat([0, 1], [snapshot.count, len(snapshot.failures)])
    found = [_judge(snapshot, rule) for rule in _rules(snapshot, x, failed)]
    best = max((each for each in found if each), default=None)
    if best is None:
        findings.note(
            "left alone",
            f"{len(snapshot.failures)} of {snapshot.count + len(snapshot.failures)} trials failed, "
            "but not in a corner that one rule of two comparisons describes",
        )
        return []
    return [_propose(snapshot, *best, _stability(snapshot, x, failed, best[1], findings), findings)]


def _propose(
    snapshot: Snapshot, bound: float, rule: str, stability: float, findings: Findings
) -> AddConstraint:
    hit, missed = _covered(snapshot, rule)
    evidence = findings.add(
        "failures",
        f"{hit} of the {hit + missed} trials with {rule} failed, and none was a good one",
        hit + missed,
        sorted(parse(rule).names),
        wilson_low=bound,
        failed=hit,
        succeeded=missed,
    )
    return AddConstraint(
        forbid=rule,
        why="nearly every trial there fails",
        evidence=(evidence,),
        stability=round(stability, 3),
        effect=f"about {hit} of the next {hit + missed} trials there would fail again",
    )


def _judge(snapshot: Snapshot, rule: str) -> tuple[float, str] | None:
    """The lower bound of the share that fails; None where the rule may not be proposed."""
    failed, fine = _covered(snapshot, rule)
    if failed < LEAST:
        return None
    test = stats.binomtest(failed, failed + fine)
    low = float(test.proportion_ci(0.95, method="wilson").low)
    formula = parse(rule)
    good = [snapshot.trials[index].params for index in snapshot.good]
    if low < PRECISION or any(formula.names <= each.keys() and formula(each) for each in good):
        return None
    return low, formula.text


def _covered(snapshot: Snapshot, rule: str) -> tuple[int, int]:
    """How many failed and how many other trials the rule describes."""
    formula = parse(rule)
    counts = [
        sum(formula.names <= trial.params.keys() and formula(trial.params) for trial in trials)
        for trials in (snapshot.failures, snapshot.trials)
    ]
    return counts[0], counts[1]


def _rules(snapshot: Snapshot, x: Floats, failed: np.ndarray) -> list[str]:
    """The leaves of two small trees in which failures prevail, as formulas."""
    from sklearn.tree import DecisionTreeClassifier

    rules = []
    for depth in (1, 2):
        tree = DecisionTreeClassifier(max_depth=depth, min_samples_leaf=LEAST // 2, random_state=0)
        tree.fit(x, failed)
        leaves = tree.apply(x)
        for leaf in np.unique(leaves[failed == 1]):
            if failed[leaves == leaf].mean() > 0.5:
                rule = _rule(snapshot, tree.tree_, int(leaf), x, leaves == leaf)
                if rule:
                    rules.append(rule)
    return rules


def _rule(snapshot: Snapshot, tree: object, leaf: int, x: Floats, inside: np.ndarray) -> str | None:
    """The comparisons on the way to a leaf, in the values of its outermost trials."""
    parts: dict[tuple[int, bool], str] = {}
    for node, child in pairwise(_path(tree, leaf)):
        column = int(tree.feature[node])  # type: ignore[attr-defined]
        below = bool(tree.children_left[node] == child)  # type: ignore[attr-defined]
        mine = x[inside, column]
        known = mine[mine != _ABSENT]
        if len(known):
            parts[column, below] = _comparison(snapshot, column, below, known)
    if not parts:
        return None
    text = " and ".join(parts.values())
    try:
        return parse(text).text
    except SpaceError:  # a parameter's name is a word of the formula language
        return None


def _comparison(snapshot: Snapshot, column: int, below: bool, known: Floats) -> str:
    name, parameter = snapshot.names[column], snapshot.parameter(column)
    if isinstance(parameter, Categorical):
        choices: list[Value] = [parameter.at(place) for place in sorted(set(known.tolist()))]
        return f"{name} in {choices!r}"
    value = parameter.at(float(known.max() if below else known.min()))
    return f"{name} {'<=' if below else '>='} {shown(value)}"


def _path(tree: object, leaf: int) -> list[int]:
    parents = {}
    for node in range(tree.node_count):  # type: ignore[attr-defined]
        for child in (tree.children_left[node], tree.children_right[node]):  # type: ignore[attr-defined]
            parents[int(child)] = node
    path = [leaf]
    while path[0] in parents:
        path.insert(0, parents[path[0]])
    return path


def _stability(
    snapshot: Snapshot, x: Floats, failed: np.ndarray, rule: str, findings: Findings
) -> float:
    """Share of bootstrap samples in which the rule still keeps its precision."""
    formula = parse(rule)
    everyone = [*snapshot.trials, *snapshot.failures]
    hit = np.array(
        [formula.names <= each.params.keys() and formula(each.params) for each in everyone]
    )
    rng = findings.rng("failures")
    counts = rng.multinomial(len(x), np.full(len(x), 1 / len(x)), size=DRAWS)
    bad, all_ = counts @ (hit & (failed == 1)), counts @ hit
    return float(np.mean((bad >= LEAST * 0.8) & (bad >= PRECISION * np.maximum(all_, 1))))
