"""Proposals: edits of a search space, each with its evidence, and what somebody decided about them.

Plain data, the same for every author; `edits.py` applies them, `policy.py` says which may be.
"""

import hashlib
import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, TypeAdapter

from tunesmith.expressions import Value
from tunesmith.model_use import ModelUse, Plain


class Tier(StrEnum):
    """How sure the advisor is of an edit."""

    RECOMMENDED = "recommended"
    WORTH_TESTING = "worth testing"
    """Once approved it does not change the space: the exploration arm tries it."""


class Source(StrEnum):
    """Who thought of an edit."""

    STATISTICAL = "statistical"
    LLM = "llm"
    HUMAN = "human"


class Verdict(StrEnum):
    """What somebody decided about an edit."""

    APPROVE = "approve"
    EDIT = "edit"
    """Approved after a change: the decision holds the edit that is applied instead."""
    REJECT = "reject"


class Evidence(Plain):
    """One thing that the trials say, with the numbers behind it."""

    id: str = Field(pattern=r"E\d{3,}")
    """`E001`, `E002` …"""
    kind: str
    """The test that it comes from, such as `edge` or `importance`."""
    parameters: tuple[str, ...] = ()
    numbers: dict[str, float] = Field(default_factory=dict)
    """By name, such as `p_value`."""
    trials: int = Field(ge=0)
    """How many trials it rests on."""
    coverage: tuple[int, ...] = ()
    """How many of them lie in each tenth of the parameter's range, from low to high."""
    sentence: str
    """What it says, in plain words."""


class WhatIf(Plain):
    """Edits replayed against the trials there are."""

    best_kept: int
    """How many of the best trials stay inside."""
    best_of: int
    volume: float
    """Size of the new space in old ones: 0.5 is half, 3 three times as large."""
    better_inside: float | None = None
    """Chance that the next trial in the new space is better than the best one so far."""
    better_before: float | None = None
    """The same for the space as it is."""


class AnyEdit(Plain):
    """What every edit has beside the change itself."""

    id: str = Field("", pattern=r"(e\d+)?")
    """`e1`, `e2` … in the order of the proposal; given when the proposal is made."""
    why: str = ""
    """The reason, in a sentence or two."""
    evidence: tuple[str, ...] = ()
    """Ids of the evidence that it rests on."""
    tier: Tier = Tier.RECOMMENDED
    stability: float | None = Field(None, ge=0, le=1)
    """Share of resampled histories that lead to the same edit."""
    effect: str = ""
    """What is expected of it."""
    words: str = ""
    """What a language model says about it, as plain text."""
    source: Source = Source.STATISTICAL
    what_if: WhatIf | None = None
    """Filled in by the advisor that made it."""
    inverse: "Restore | DropConstraint | AddConstraint | None" = None
    """The edit that takes it back; filled in when the proposal is made."""


class Widen(AnyEdit):
    """Move a bound outwards."""

    action: Literal["widen"] = "widen"
    parameter: str
    low: float | None = None
    """The new bound; null leaves it."""
    high: float | None = None


class Narrow(AnyEdit):
    """Move a bound inwards."""

    action: Literal["narrow"] = "narrow"
    parameter: str
    low: float | None = None
    """The new bound; null leaves it."""
    high: float | None = None


class SetScale(AnyEdit):
    """Search on a logarithmic scale, or on a linear one."""

    action: Literal["set_scale"] = "set_scale"
    parameter: str
    log: bool
    low: float | None = Field(None, gt=0)
    """A positive low, where the present one is 0 and the new scale is logarithmic."""


class Fix(AnyEdit):
    """Tune the parameter no longer: it keeps one value."""

    action: Literal["fix"] = "fix"
    parameter: str
    value: Value


class DropChoice(AnyEdit):
    """Take choices away."""

    action: Literal["drop_choice"] = "drop_choice"
    parameter: str
    choices: tuple[Value, ...] = Field(min_length=1)


class AddChoice(AnyEdit):
    """Add choices."""

    action: Literal["add_choice"] = "add_choice"
    parameter: str
    choices: tuple[Value, ...] = Field(min_length=1)


class SetCondition(AnyEdit):
    """Let the parameter exist only where a formula over others holds; null: always."""

    action: Literal["set_condition"] = "set_condition"
    parameter: str
    when: str | None


class AddConstraint(AnyEdit):
    """Never try what a formula describes."""

    action: Literal["add_constraint"] = "add_constraint"
    forbid: str


class DropConstraint(AnyEdit):
    """Allow what a formula under `forbid` describes."""

    action: Literal["drop_constraint"] = "drop_constraint"
    forbid: str


class Restore(AnyEdit):
    """Give a parameter's options the values that they had before; null: none."""

    action: Literal["restore"] = "restore"
    parameter: str
    options: dict[str, Value | tuple[Value, ...]]


Edit = Annotated[
    Widen
    | Narrow
    | SetScale
    | Fix
    | DropChoice
    | AddChoice
    | SetCondition
    | AddConstraint
    | DropConstraint
    | Restore,
    Field(discriminator="action"),
]


class Note(Plain):
    """What the advisor found and proposes no edit for."""

    kind: Literal[
        "not enough evidence", "tune jointly", "left alone", "left out", "a language model's view"
    ]
    sentence: str
    evidence: tuple[str, ...] = ()
    trials: int | None = None
    """About how many more trials would decide it."""


class Told(Plain):
    """What the next round's sampler is told of the trials so far."""

    share: float = Field(1.0, ge=0, le=1)
    """The best share of them: 1 is all, 0 none."""
    why: str = ""


class Draft(Plain):
    """What an advisor comes to: evidence, and edits that rest on it."""

    evidence: tuple[Evidence, ...] = ()
    edits: tuple[Edit, ...] = ()
    notes: tuple[Note, ...] = ()
    told: Told = Told()
    exploration: float = Field(0.2, ge=0, le=0.5)
    """Share of the next round's trials that come quasi-randomly from the old space and the new."""
    what_if: WhatIf | None = None
    """All recommended edits together."""
    words: str = ""
    """What a language model says about all of it, as plain text."""
    question: str = ""
    """What it would ask whoever decides."""
    model: ModelUse | None = None
    """That language model."""


class Proposal(Draft):
    """A draft against one version of a study's space; pending until every edit is decided."""

    study: str
    number: int
    """Counts through the study."""
    advisor: str
    advisor_version: str
    space_version: int
    space: str
    """Fingerprint of the space that the edits are against."""
    snapshot: str
    """Hash of the trials that it was made from."""
    seed: int
    made: float
    """Unix seconds."""

    @property
    def hash(self) -> str:
        """SHA-256 of what is proposed, whenever and as whatever number it was made."""
        data = self.model_dump(mode="json", exclude={"number", "made", "model"})
        return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()

    def edit(self, id: str) -> Edit | None:
        """The edit by that id; None where there is none."""
        return next((edit for edit in self.edits if edit.id == id), None)


class Decision(Plain):
    """What somebody decided about one edit."""

    edit: str
    """Its id."""
    verdict: Verdict
    author: str
    reason: str = ""
    changed: Edit | None = None
    """The edit that is applied instead, where the verdict is `edit`."""
    override: bool = False
    """Soft rules of the policy do not hold; needs a reason."""
    at: float
    """Unix seconds."""


def read_edit(data: object) -> Edit:
    """The edit in plain data. Raises pydantic.ValidationError."""
    edit: Edit = _EDIT.validate_python(data)
    return edit


def approved(edits: Sequence[Edit], decisions: Sequence[Decision]) -> list[Edit]:
    """The edits to apply, in the proposal's order, changed ones as they were changed."""
    verdicts = {decision.edit: decision for decision in decisions}
    found: list[Edit] = []
    for edit in edits:
        decision = verdicts.get(edit.id)
        if decision and decision.verdict is not Verdict.REJECT:
            found.append(decision.changed or edit)
    return found


for _model in (*get_args(get_args(Edit)[0]), Draft, Proposal, Decision):
    _model.model_rebuild()
_EDIT: TypeAdapter[Any] = TypeAdapter(Edit)
