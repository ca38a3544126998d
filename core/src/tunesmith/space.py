"""The search space: parameters, conditions (`when`) and constraints (`constraints`, `forbid`)."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from random import Random
from typing import Annotated, Any, ClassVar

from pydantic import Field, TypeAdapter

from tunesmith.errors import SpaceError, did_you_mean
from tunesmith.expressions import Expression, Value, from_clause, parse
from tunesmith.parameters import Parameter

Params = dict[str, Value]

_NAME = re.compile(r"[A-Za-z_]\w*(\.\w+)*")
_ATTEMPTS = 10_000


@dataclass(frozen=True)
class SearchSpace:
    """What may be tried. Immutable: a changed space is a new one.

    Parameters are visited parents first, so that a condition can look at what was chosen before it.
    """

    parameters: dict[str, Annotated[Parameter, Field(discriminator="type")]]
    """Each parameter by its name; dots address the parts of a pipeline: `clf.max_depth`."""
    constraints: Sequence[str] = ()
    """Formulas that hold in every configuration, such as `min_samples_leaf * 2 <=
    max_leaf_nodes`.
    """
    forbid: Sequence[str | dict[str, Value | list[Value]]] = ()
    """Configurations never to try: `{solver: lbfgs, penalty: l1}` or a formula."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {
        "extra": "forbid",
        "use_attribute_docstrings": True,
    }

    def __post_init__(self) -> None:
        if not self.parameters:
            raise SpaceError("the space has no parameters; add at least one")
        for name in self.parameters:
            if not _NAME.fullmatch(name):
                raise SpaceError(
                    f"'{name}' is not a parameter name; use letters, digits, underscores and dots"
                )
        clauses = [from_clause(item) if isinstance(item, Mapping) else item for item in self.forbid]
        object.__setattr__(self, "forbid", tuple(parse(clause).text for clause in clauses))
        object.__setattr__(
            self, "constraints", tuple(parse(text).text for text in self.constraints)
        )
        for where, formula in self._formulas():
            for name in sorted(formula.names - self.parameters.keys()):
                raise SpaceError(
                    f"{where} '{formula.text}' names '{name}', which is no parameter"
                    f"{did_you_mean(name, self.parameters)}"
                )
        self.sample(Random(0))
        self._check_default()

    def _formulas(self) -> Iterator[tuple[str, Expression]]:
        for name, parameter in self.parameters.items():
            if parameter.when is not None:
                yield f"the condition of '{name}'", parse(str(parameter.when))
        yield from (("the constraint", formula) for formula in self._rules[0])
        yield from (("the forbidden combination", formula) for formula in self._rules[1])

    def _check_default(self) -> None:
        default = self.default()
        reason = default and self.why_not(default)
        if reason:
            raise SpaceError(f"the default configuration {default} is not allowed: {reason}")

    @cached_property
    def _rules(self) -> tuple[list[Expression], list[Expression]]:
        return [parse(text) for text in self.constraints], [
            parse(str(text)) for text in self.forbid
        ]

    @cached_property
    def conditions(self) -> dict[str, Expression | None]:
        """Each parameter's condition, parents before children.

        Raises SpaceError where conditions form a cycle.
        """
        found = {
            name: parse(str(parameter.when)) if parameter.when is not None else None
            for name, parameter in self.parameters.items()
        }
        # sorted, for the order of a set changes from process to process
        graph = {
            name: sorted(condition.names) if condition else () for name, condition in found.items()
        }
        try:
            return {name: found[name] for name in TopologicalSorter(graph).static_order()}
        except CycleError as error:
            raise SpaceError(f"the conditions form a cycle: {' -> '.join(error.args[1])}") from None

    def is_active(self, name: str, params: Mapping[str, Value]) -> bool:
        """Whether the parameter exists, given the values of those before it."""
        condition = self.conditions[name]
        return condition is None or (condition.names <= params.keys() and condition(params))

    def violation(self, params: Mapping[str, Value]) -> str | None:
        """The constraint that complete params break, in words; None where they break none.

        A rule about a parameter that is not active does not apply.
        """
        required, forbidden = self._rules
        for rule in required:
            if rule.names <= params.keys() and not rule(params):
                return f"'{rule.text}' does not hold"
        for rule in forbidden:
            if rule.names <= params.keys() and rule(params):
                return f"'{rule.text}' is forbidden"
        return None

    def why_not(self, params: Mapping[str, Value]) -> str | None:
        """Why params are not a configuration of this space; None where they are."""
        for name in params:
            if name not in self.parameters:
                return f"'{name}' is no parameter"
        for name in self.conditions:
            active = self.is_active(name, params)
            if active != (name in params):
                return f"'{name}' has no value" if active else f"'{name}' does not apply"
            if active and not self.parameters[name].contains(params[name]):
                return f"{name} = {params[name]!r} is outside"
        return self.violation(params)

    def contains(self, params: Mapping[str, Value]) -> bool:
        """Whether params are a configuration of this space.

        They are where exactly the active parameters have values and all rules are kept.
        """
        return self.why_not(params) is None

    def sample(self, random: Random) -> Params:
        """A configuration drawn uniformly on the parameters' scales.

        Raises SpaceError where 10,000 draws all break a constraint.
        """
        for _ in range(_ATTEMPTS):
            params = self.at({name: random.random() for name in self.conditions})
            reason = self.violation(params)
            if reason is None:
                return params
        raise SpaceError(
            f"the constraints exclude everything: of {_ATTEMPTS} configurations none passed, "
            f"the last because {reason}"
        )

    def at(self, positions: Mapping[str, float]) -> Params:
        """The params at positions in [0, 1], one a parameter; those that do not apply are left out.

        May break constraints: see `violation`.
        """
        params: Params = {}
        for name in self.conditions:
            if self.is_active(name, params):
                params[name] = self.parameters[name].at(positions[name])
        return params

    def default(self) -> Params | None:
        """The configuration of the declared defaults, undeclared ones in the middle.

        None where none is declared.
        """
        if all(parameter.default is None for parameter in self.parameters.values()):
            return None
        params: Params = {}
        for name in self.conditions:
            if self.is_active(name, params):
                parameter = self.parameters[name]
                params[name] = parameter.at(0.5) if parameter.default is None else parameter.default
        return params

    def to_dict(self) -> dict[str, Any]:
        """The space as plain data, defaults left out, as it stands in a study file."""
        parameters = {name: _table(parameter) for name, parameter in self.parameters.items()}
        rules = {"constraints": list(self.constraints), "forbid": list(self.forbid)}
        return {"parameters": parameters} | {key: value for key, value in rules.items() if value}

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> "SearchSpace":
        """The space that `to_dict` gave.

        Raises pydantic.ValidationError with the path of each mistake.
        """
        return _adapter().validate_python(data)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the canonical form, 64 hex digits.

        Equal spaces, equal hash, whatever the order of keys.
        """
        data = self.to_dict()
        for rule in ("constraints", "forbid"):
            data[rule] = sorted(data.get(rule, []))
        for table in data["parameters"].values():
            if "choices" in table and not table.get("ordered"):
                table["choices"] = sorted(table["choices"], key=json.dumps)
        return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def _table(parameter: Parameter) -> dict[str, Any]:
    table: dict[str, Any] = {"type": parameter.type}
    for field in fields(parameter):
        value = getattr(parameter, field.name)
        if value != field.default and field.name != "type":
            table[field.name] = list(value) if isinstance(value, tuple) else value
    return table


def _adapter() -> TypeAdapter[SearchSpace]:
    global _ADAPTER
    if _ADAPTER is None:
        _ADAPTER = TypeAdapter(SearchSpace)
    return _ADAPTER


_ADAPTER: TypeAdapter[SearchSpace] | None = None


def diff(old: SearchSpace, new: SearchSpace) -> list[str]:
    """What changed between two spaces, a line for each change; empty where they are equal."""
    lines = []
    for name in old.parameters | new.parameters:
        before, after = old.parameters.get(name), new.parameters.get(name)
        if before == after:
            continue
        if before is None or after is None:
            lines.append(
                f"+ {name}: {describe(after)}" if after else f"- {name}: {describe(before)}"
            )
        else:
            lines.append(f"~ {name}: {describe(before)} -> {describe(after)}")
    for kind in ("constraints", "forbid"):
        gone, come = set(getattr(old, kind)), set(getattr(new, kind))
        lines += [f"- {kind}: {text}" for text in sorted(gone - come)]
        lines += [f"+ {kind}: {text}" for text in sorted(come - gone)]
    return lines


def describe(parameter: Parameter | None) -> str:
    """The parameter in one short phrase: `float 0.001 to 1, log, default 0.1`."""
    if parameter is None:
        return "none"
    table = _table(parameter)
    kind = table.pop("type")
    if kind == "categorical":
        parts = [f"{kind} {', '.join(map(str, table.pop('choices')))}"]
    else:
        parts = [f"{kind} {table.pop('low'):g} to {table.pop('high'):g}"]
    return ", ".join(
        parts + [key if value is True else f"{key} {value}" for key, value in table.items()]
    )
