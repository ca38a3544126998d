"""The space that logged params were drawn from, as far as their texts tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tunesmith.errors import ConfigError
from tunesmith.space import Params, SearchSpace
from tunesmith.trial import LoggedRun
from tunesmith_agent.foreign.columns import (
    Column,
    column,
    constant,
    parameter,
    why_no_dimension,
    why_not_tuned,
)
from tunesmith_agent.foreign.conditions import Condition, complete, conditions, to_drop
from tunesmith_agent.foreign.names import aliases
from tunesmith_agent.foreign.texts import counted, listed, shown


@dataclass(frozen=True, slots=True)
class Inferred:
    """A space, the params by their names in it, and in plain words what was assumed."""

    space: SearchSpace
    columns: Mapping[str, Column]
    told: tuple[str, ...]

    def params_of(self, run: LoggedRun) -> Params | None:
        """The run's configuration; None where it is none of the space."""
        params: Params = {}
        for name in self.space.conditions:
            if not self.space.is_active(name, params):
                continue
            if run.id not in self.columns[name].values:
                return None
            value = self.columns[name].values[run.id]
            as_float = self.space.parameters[name].type == "float" and value is not None
            params[name] = float(value) if as_float else value  # type: ignore[arg-type]
        return params if self.space.contains(params) else None


def infer(scored: Sequence[LoggedRun], others: Sequence[LoggedRun]) -> Inferred:
    """The space of what varies over the scored runs; its ranges hold what the others tried too.

    Raises ConfigError where nothing varies.
    """
    logged = sorted({name for run in scored for name in run.params})
    columns = {name: column(name, scored, others) for name in logged}
    told, tuned = _tuned(columns, scored, others)
    names = aliases(tuned)
    kept, found, dropped = _settled(tuned, scored, names)
    if not kept:
        why = "; ".join([*told, *dropped]) or "no params"
        raise ConfigError(
            f"nothing varies over {counted(len(scored), 'run')} that can be compared, so there is "
            f"no space to improve; log the params that you tune ({why})"
        )
    runs = complete(kept, found, scored)
    if len(runs) < len(scored):  # what is left may be plainer: only numbers, where a text was
        again = {name: column(name, runs, others) for name in kept}
        kept = {name: replace(again[name], note=each.note) for name, each in kept.items()}
    parameters, lines = {}, []
    for name, each in kept.items():
        made, why = parameter(each, [*runs, *others])
        condition = found.get(name)
        parameters[names[name]] = replace(made, when=condition.formula if condition else None)
        when = f", only when {condition.formula}" if condition else ""
        lines.append(f"{names[name]}{when}: {shown(why, 300)}")
    lines += [f"'{shown(name)}' is called {names[name]}" for name in kept if names[name] != name]
    by_alias = {names[name]: each for name, each in kept.items()}
    return Inferred(SearchSpace(parameters), by_alias, (*lines, *told, *dropped))


def _tuned(
    columns: Mapping[str, Column], scored: Sequence[LoggedRun], others: Sequence[LoggedRun]
) -> tuple[list[str], dict[str, Column]]:
    """What is left out, in words, and the params that may have been tuned."""
    same, told, tuned = [], [], {}
    for name, each in columns.items():
        if text := constant(each, scored):
            same.append(text)
        elif reason := (why_not_tuned(each, scored) or why_no_dimension(each, [*scored, *others])):
            told.append(f"left out: {shown(name)} {reason}")
        else:
            tuned[name] = each
    if same:
        told.append(f"left out, constant: {listed(same)}")
    return told, tuned


def _settled(
    columns: Mapping[str, Column], scored: Sequence[LoggedRun], names: Mapping[str, str]
) -> tuple[dict[str, Column], dict[str, Condition], list[str]]:
    """The params that stay, their conditions, and in words why others do not.

    A param that goes may take a condition with it, or bring runs back; so it starts again then.
    """
    kept, told = dict(columns), []
    while kept:
        found = conditions(kept, scored, names)
        runs = complete(kept, found, scored)
        worst = to_drop(kept, found, scored)
        if worst:
            having = len(kept[worst].among(scored))
            told.append(
                f"left out: {shown(worst)}, which only {having} of {len(scored)} runs have, "
                "and no other param tells which"
            )
            del kept[worst]
            continue
        flat = {name: text for name in kept if (text := constant(kept[name], runs))}
        if not flat:
            return kept, found, told
        told.append(
            f"left out, constant in the {len(runs)} runs that have all params: "
            f"{listed(list(flat.values()))}"
        )
        kept = {name: each for name, each in kept.items() if name not in flat}
    return {}, {}, told
