"""What a language model may ask about a study: answers from its record, none of them a change.

Names and choices go out under their aliases and come in under them; what people or programs wrote
into runs (errors, tags, notes) never goes out.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict

from tunesmith import policy
from tunesmith.edits import phrase, prepared
from tunesmith.errors import ConfigError, did_you_mean
from tunesmith.history import History
from tunesmith.proposals import Draft, Edit, SetScale, Source, Tier, Widen
from tunesmith_agent.language.names import Names
from tunesmith_agent.language.tables import Tables
from tunesmith_agent.statistical import Statistical

_PRIOR = "a language model's prior knowledge, no data"


class Probe(BaseModel):
    """A range to try further out, or another scale to try, with a few trials."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)

    parameter: str
    low: float | None = None
    """A lower bound than the present one; null leaves it."""
    high: float | None = None
    """A higher bound than the present one; null leaves it."""
    log: bool | None = None
    """Search on a logarithmic scale (true) or a linear one (false); then without bounds."""
    why: str = ""


class Toolbox:
    """The tools of one history, about the statistics' draft or another one."""

    def __init__(self, history: History, draft: Draft | None = None) -> None:
        self.history = history
        self.names = Names(history.space)
        if draft:
            self.draft = draft

    @cached_property
    def draft(self) -> Draft:
        """The statistics' draft, its edits with ids."""
        found = Statistical().advise(self.history)
        return found.model_copy(update={"edits": prepared(self.history.space, found.edits)})

    @cached_property
    def tables(self) -> Tables:
        """The tables that the answers come from."""
        return Tables(self.history)

    def space(self) -> dict[str, Any]:
        """The search space: parameters, conditions and constraints, its version, and the goals."""
        goals = {goal.metric: str(goal.direction) for goal in self.history.goals}
        return self._shown(
            {
                "study": self.history.study,
                "description": self.history.description[:800],
                "version": self.history.version,
                "goals": goals,
                "trials": len(self.history.trials),
                **self.history.space.to_dict(),
            }
        )

    def evidence(self) -> dict[str, Any]:
        """What the statistics say: evidence with its numbers, the edits drafted from it, notes."""
        space = self.history.space
        return self._shown(
            {
                "evidence": [row.model_dump(mode="json") for row in self.draft.evidence],
                "edits": [
                    {
                        "id": edit.id,
                        "edit": phrase(space, edit),
                        "tier": str(edit.tier),
                        "why": edit.why,
                        "evidence": list(edit.evidence),
                    }
                    for edit in self.draft.edits
                ],
                "notes": [f"{note.kind}: {note.sentence}" for note in self.draft.notes],
            }
        )

    def best_trials(self, count: int = 5) -> list[dict[str, Any]]:
        """The best trials with their params and scores, best first; 20 at most."""
        return self._rows(self.tables.best_trials(count))

    def marginal(self, parameter: str) -> list[dict[str, Any]]:
        """How trials score along one parameter: in each fifth of its range, or by choice."""
        return self._rows(self.tables.marginal(self._known(parameter)))

    def interaction(self, first: str, second: str) -> list[dict[str, Any]]:
        """How trials score over two parameters together; combinations without trials left out."""
        rows = self.tables.interaction(self._known(first), self._known(second))
        return self._rows(rows)

    def failures(self) -> dict[str, Any]:
        """How many trials failed, and the params of the latest five; not what they raised."""
        return self._shown(self.tables.failures())

    def coverage(self, parameter: str) -> list[int]:
        """How many scored trials lie in each tenth of a parameter's range, from low to high."""
        found: list[int] = self.tables.coverage(self._known(parameter))["trials"]
        return found

    def earlier_decisions(self) -> list[dict[str, Any]]:
        """What people decided about earlier edits, and why; latest last."""
        return self._rows(self.tables.earlier_decisions()[-20:])

    def what_if(self, edits: Sequence[str] = (), probes: Sequence[Probe] = ()) -> dict[str, Any]:
        """Edits of the draft (`e1` …) and probes of your own, replayed; and what speaks against."""
        chosen = self.chosen(edits, probes)
        ids = [row.id for row in self.draft.evidence]
        objections = policy.check(self.history, chosen, ids)
        recommended = [edit for edit in chosen if edit.tier is Tier.RECOMMENDED]
        tables = Tables(self.history, self.draft.evidence)
        return self._shown(
            {
                "objections": [item.sentence for item in objections],
                "replay": None if objections else tables.simulate(recommended),
            }
        )

    def chosen(self, edits: Sequence[str], probes: Sequence[Probe]) -> list[Edit]:
        """The draft's edits by id, and probes as edits.

        Raises ConfigError for what is not there.
        """
        known = {edit.id: edit for edit in self.draft.edits}
        for id in edits:
            if id not in known:
                raise ConfigError(f"the draft has no edit '{id}'{did_you_mean(id, known)}")
        return [known[id] for id in dict.fromkeys(edits)] + [self._probe(probe) for probe in probes]

    def _probe(self, probe: Probe) -> Edit:
        common: dict[str, Any] = {
            "parameter": self._known(probe.parameter),
            "tier": Tier.WORTH_TESTING,
            "source": Source.LLM,
            "why": _PRIOR,
            "words": self.names.reveal(" ".join(probe.why.split()))[:300],
        }
        if probe.log is None:
            return Widen(**common, low=probe.low, high=probe.high)
        if probe.low is not None or probe.high is not None:
            raise ConfigError("a probe has either other bounds or another scale, not both")
        return SetScale(**common, log=probe.log)

    def _known(self, shown: str) -> str:
        real = self.names.known(shown)
        if real is None:
            known = map(self.names.name, self.history.space.parameters)
            raise ConfigError(f"there is no parameter '{shown}'{did_you_mean(shown, known)}")
        return real

    def _rows(self, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        return [self._shown(row) for row in rows]

    def _shown(self, data: dict[str, Any]) -> dict[str, Any]:
        """The data with aliases for odd names and choices."""
        found: dict[str, Any] = self._aliased(data)
        return found

    def _aliased(self, data: Any) -> Any:
        if isinstance(data, dict):
            return {self.names.hide(str(key)): self._aliased(value) for key, value in data.items()}
        if isinstance(data, list | tuple):
            return [self._aliased(value) for value in data]
        if not isinstance(data, str):
            return data
        alias = self.names.value(data)
        return self.names.hide(data) if alias == data else alias
