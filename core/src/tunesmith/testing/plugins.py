"""What every plugin promises, as tests: subclass `PluginContract` in a test file."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from typing import Any, ClassVar

import pytest
from pydantic import TypeAdapter

from tunesmith.components import Component
from tunesmith.discovery import GROUP
from tunesmith.errors import ConfigError, PluginError
from tunesmith.hookspecs import hookimpl
from tunesmith.plugins import Offer, Registry, load

HEAVY = (
    *("catboost", "dask", "deap", "deepchecks", "distributed", "dvc", "evidently", "jax", "lime"),
    *("langgraph", "lightgbm", "matplotlib", "mlflow", "numpy", "openai", "optuna", "pandas"),
    *("polars", "pyarrow", "pydantic", "ray", "scipy", "seaborn", "shap", "sklearn", "skops"),
    *("sqlalchemy", "tensorflow", "torch", "transformers", "xgboost"),
)
"""Libraries that must wait until a study has chosen something of the plugin."""

_IMPORT = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from tunesmith.components import Component
made = []
def record(cls, *args, **kwargs):
    made.append(cls.__name__)
    return object.__new__(cls)
Component.__new__ = record
__import__(sys.argv[2])
print(json.dumps([made, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


class PluginContract:
    """Tests that any plugin passes:

        class TestPlugin(PluginContract):
            module = "my_plugin"

    `options` has a table for each component that cannot be made without options:
    `{"shell": {"command": "train.sh"}}`.
    """

    module: ClassVar[str]
    """Import name of the plugin."""
    options: ClassVar[dict[str, dict[str, Any]]] = {}
    """By component name, options to build it with; those without are built from `use: NAME`."""

    @pytest.fixture
    def registry(self) -> Registry:
        """What this plugin alone offers."""
        return load([EntryPoint(self.module, self.module, GROUP)])

    def test_every_hook_fits(self, registry: Registry) -> None:
        members = vars(importlib.import_module(self.module)).values()
        marked = any(hasattr(member, f"{GROUP}_impl") for member in members)
        assert marked, f"'{self.module}' has no hook; mark its functions with @hookimpl"

    def test_a_hook_that_does_not_exist_is_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        module = importlib.import_module(self.module)
        monkeypatch.setattr(module, "register_smaplers", hookimpl(_misspelt), raising=False)
        with pytest.raises(PluginError, match="register_smaplers"):
            load([EntryPoint(self.module, self.module, GROUP)])

    def test_importing_it_is_cheap(self) -> None:
        made, modules = _fresh_import(self.module)
        heavy = sorted(set(modules) & set(HEAVY))
        assert not heavy, f"importing '{self.module}' imports {', '.join(heavy)}"
        assert not made, f"importing '{self.module}' makes components: {', '.join(made)}"

    def test_names_are_lower_case(self, registry: Registry) -> None:
        for offer in registry.offers.values():
            name = offer.name
            good = name == name.lower() and name.replace("-", "_").isidentifier()
            assert good, f"'{name}' is no name in lower case; use a-z, 0-9, '-' and '_'"

    def test_every_component_says_what_it_is(self, registry: Registry) -> None:
        for offer in registry.offers.values():
            text = vars(offer.component).get("__doc__") or ""
            first = text.partition("\n\n")[0].strip()
            # a dataclass without a docstring gets its signature for one
            missing = not first or first.startswith(f"{offer.component.__name__}(")
            assert not missing, f"{_named(offer)} has no docstring"
            assert first.endswith("."), f"{_named(offer)}: '{first}' is no sentence"

    def test_every_option_is_documented(self, registry: Registry) -> None:
        for offer, name, option in _options(registry):
            text = option.get("description", "")
            assert text, f"{_named(offer)}: option '{name}' has no docstring under it"
            assert text.strip().endswith("."), f"{_named(offer)}: option '{name}': '{text}'"

    def test_every_option_has_a_default_or_is_required(self, registry: Registry) -> None:
        for offer in registry.offers.values():
            required = registry.schema(offer).get("required", [])
            given = self.options.get(offer.name, {})
            for name in required:
                assert name in given, (
                    f"{_named(offer)}: option '{name}' has no default; give it one, or say in "
                    f"`options` of this test what '{offer.name}' needs"
                )

    def test_options_survive_being_written_and_built_again(self, registry: Registry) -> None:
        for offer in registry.offers.values():
            first = registry.build(offer.kind, self._table(offer))
            plain = TypeAdapter(offer.component).dump_python(first, mode="json")
            again = registry.build(offer.kind, {"use": offer.name, **plain})
            assert type(again) is offer.component
            for name in plain:
                before, after = getattr(first, name), getattr(again, name)
                assert before == after, f"{_named(offer)}: '{name}' was {before!r}, is {after!r}"

    def test_a_misspelt_option_is_told_with_the_right_one(self, registry: Registry) -> None:
        for offer in registry.offers.values():
            for name in _names(registry, offer):
                table = self._table(offer)
                table[f"{name}x"] = table.pop(name, None)
                with pytest.raises(ConfigError, match=rf"{name}x: unknown option; did you mean"):
                    registry.build(offer.kind, table)

    def test_an_unknown_option_is_an_error(self, registry: Registry) -> None:
        for offer in registry.offers.values():
            with pytest.raises(ConfigError, match="no_such_option_zz: unknown option"):
                registry.build(offer.kind, {**self._table(offer), "no_such_option_zz": 1})

    def _table(self, offer: Offer) -> dict[str, Any]:
        return {"use": offer.name, **self.options.get(offer.name, {})}


def _misspelt(register: object) -> None:
    """A hook that nobody calls."""


def _fresh_import(module: str) -> tuple[list[str], list[str]]:
    """Components made, and top-level modules there, once a new interpreter has imported it."""
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT, json.dumps(sys.path), module],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made, modules = json.loads(done.stdout.splitlines()[-1])
    return made, modules


def _names(registry: Registry, offer: Offer) -> list[str]:
    return list(registry.schema(offer).get("properties", {}))


def _options(registry: Registry) -> Iterator[tuple[Offer, str, dict[str, Any]]]:
    for offer in registry.offers.values():
        for name, option in registry.schema(offer).get("properties", {}).items():
            yield offer, name, option


def _named(offer: Offer) -> str:
    component: type[Component] = offer.component
    return f"{offer.kind} '{offer.name}' ({component.__name__})"
