"""Keeps what plugins offer, and builds components from tables of options."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.metadata import EntryPoint
from typing import Any, cast

import pluggy
from pydantic import TypeAdapter, ValidationError

from tunesmith.components import KINDS, Component
from tunesmith.discovery import contributions, find_plugins, implementations, installed_plugins
from tunesmith.errors import ConfigError, PluginError, did_you_mean
from tunesmith.problems import Problem, problems_of, raise_problems


@dataclass(frozen=True, slots=True)
class Offer:
    """A component on offer: its kind and name, the class, and the plugin that brings it."""

    kind: str
    name: str
    component: type[Component]
    plugin: str


@dataclass(slots=True)
class Registry:
    """What all plugins offer, by kind and name."""

    offers: dict[tuple[str, str], Offer] = field(default_factory=dict)

    def add(self, kind: str, plugin: str, name: str, component: type[Component]) -> None:
        """Take an offer. Raises PluginError for a name that is taken or a class of another kind."""
        if not (isinstance(component, type) and issubclass(component, KINDS[kind])):
            raise PluginError(
                f"plugin '{plugin}' registers {component!r} as {kind} '{name}', but it is no {kind}"
            )
        taken = self.offers.get((kind, name))
        if taken:
            raise PluginError(
                f"two plugins offer a {kind} named '{name}': '{taken.plugin}' and '{plugin}'; "
                "uninstall one of them"
            )
        self.offers[kind, name] = Offer(kind, name, component, plugin)

    def names(self, kind: str) -> list[str]:
        """The components of a kind, by name."""
        return sorted(name for offered, name in self.offers if offered == kind)

    def find(self, kind: str, name: str) -> Offer:
        """The offer by that name. Raises ConfigError with the closest name where there is none."""
        offer = self.offers.get((kind, name))
        if offer is None:
            raise ConfigError(f"no {kind} named '{name}'{did_you_mean(name, self.names(kind))}")
        return offer

    def check(
        self, kind: str, table: Mapping[str, Any], path: tuple[str | int, ...] = ()
    ) -> list[Problem]:
        """What is wrong with a table `{use: NAME, option: value}`: every mistake with its path."""
        try:
            self._build(kind, table)
        except ConfigError as error:
            return [Problem((*path, "use"), str(error))]
        except ValidationError as error:
            return problems_of(error, self.find(kind, table["use"]).component, path)
        return []

    def build(self, kind: str, table: Mapping[str, Any]) -> Component:
        """The component that a table `{use: NAME, option: value}` describes.

        Raises ConfigError, all mistakes at once.
        """
        raise_problems(self.check(kind, table, (kind,)))
        return self._build(kind, table)

    def _build(self, kind: str, table: Mapping[str, Any]) -> Component:
        options = {key: value for key, value in table.items() if key != "use"}
        component = self.find(kind, table["use"]).component
        return cast(Component, _adapter(component).validate_python(options))

    def schema(self, offer: Offer) -> dict[str, Any]:
        """The JSON Schema of the component's options, with their documentation."""
        return schema_of(offer.component)


def schema_of(kind: type[object]) -> dict[str, Any]:
    """The JSON Schema of a dataclass, the documentation of inherited fields included."""
    schema = _adapter(kind).json_schema()
    # pydantic reads the docstrings under a class's own fields, not those of its bases
    for base in kind.__mro__[1:]:
        if "__dataclass_fields__" in vars(base):
            for name, option in _adapter(base).json_schema()["properties"].items():
                schema["properties"][name] = {**option, **schema["properties"][name]}
    return schema


def _adapter(kind: type[object]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


@cache
def installed() -> Registry:
    """The registry of all installed plugins.

    A plugin that breaks while loading is left out with a warning.
    """
    return _registry(installed_plugins())


def load(found: Iterable[EntryPoint]) -> Registry:
    """The registry of these plugins; one that breaks while loading is left out with a warning.

    Raises PluginError for a hook that does not exist and for clashing names.
    """
    return _registry(find_plugins(found))


def _registry(manager: pluggy.PluginManager) -> Registry:
    registry = Registry()
    for name, contributed in contributions(manager, partial(_contribute, manager)):
        for offer in contributed.offers.values():
            registry.add(offer.kind, name, offer.name, offer.component)
    return registry


def _contribute(manager: pluggy.PluginManager, name: str, plugin: object) -> Registry:
    """What one plugin offers."""
    offered = Registry()
    for kind in KINDS:
        for function in implementations(manager, plugin, f"register_{kind}s"):
            function(partial(offered.add, kind, name))
    return offered
