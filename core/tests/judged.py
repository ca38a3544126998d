"""A space, its histories and edits as tables, for the tests of the policy."""

from collections.abc import Sequence
from typing import Any

from edit_strategies import EVIDENCE, history_of

from tunesmith.history import History
from tunesmith.parameters import Categorical, Float, Int
from tunesmith.policy import Objection, Rule, admissible, check
from tunesmith.proposals import (
    Draft,
    read_edit,
)
from tunesmith.space import SearchSpace

Table = dict[str, Any]

SPACE = SearchSpace(
    {
        "x": Float(0, 1),
        "rate": Float(1e-4, 1, log=True, default=0.01),
        "depth": Int(1, 20),
        "kind": Categorical(["a", "b", "c", "d"], default="a"),
        "share": Float(0.2, 0.8, hard_low=0.1, hard_high=0.9),
        "batch": Int(32, 256, locked=True),
        "drop": Float(0, 1, when="kind != 'a'", locked=True),
    },
    forbid=["batch > 200 and depth > 19"],
)
BEST = {"x": 0.3, "rate": 0.3, "depth": 10, "kind": "a", "share": 0.5, "batch": 64}
HISTORY = history_of(SPACE, [(BEST | {"x": 0.3 + number / 100}, number) for number in range(20)])
NOTHING = history_of(SPACE)
RULE_FREE = history_of(SearchSpace({f"p{number}": Float(0, 1) for number in range(8)}))


def narrow(name: str, **bounds: float) -> Table:
    return {"action": "narrow", "parameter": name} | bounds


def restore(name: str, **options: object) -> Table:
    return {"action": "restore", "parameter": name, "options": options}


def forbid(formula: str) -> Table:
    return {"action": "add_constraint", "forbid": formula}


def rules(objections: Sequence[Objection]) -> set[Rule]:
    return {objection.rule for objection in objections}


def drafted(tables: Sequence[Table], **more: Any) -> Draft:
    """What an advisor would hand in: every edit cites evidence that is there."""
    cited = [{"evidence": ["E001"]} | table | more for table in tables]
    return Draft(evidence=EVIDENCE, edits=tuple(read_edit(table) for table in cited))


def assert_stopped(history: History, draft: Draft) -> None:
    """Not all of the draft came through, each edit that did not is told, and the rest is sound."""
    found = admissible(history, draft)
    gone = [edit for edit in draft.edits if not any(edit is kept for kept in found.edits)]
    assert gone
    assert [note.kind for note in found.notes] == ["left out"] * len(gone)
    assert check(history, found.edits, [item.id for item in found.evidence]) == []
