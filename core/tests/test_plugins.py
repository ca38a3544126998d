"""How plugins are found, and what happens with those that are broken, misspelt or at odds."""

import sys
import warnings
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest

from tunesmith.components import Reporter, Sampler
from tunesmith.discovery import GROUP
from tunesmith.errors import ConfigError, PluginError
from tunesmith.hookspecs import hookimpl
from tunesmith.plugins import Registry, installed, load
from tunesmith.samplers import Grid, Random
from tunesmith.study_schema import study_schema

Install = Callable[..., EntryPoint]

REPORTER = '''
from tunesmith.components import Reporter
from tunesmith.hookspecs import hookimpl

class Mine(Reporter):
    """Writes nothing."""

    def report(self, study, finished, folder):
        return []

@hookimpl
def register_reporters(register):
    register("mine", Mine)
'''


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Installs a distribution with one module for the length of a test; gives its entry point."""
    monkeypatch.syspath_prepend(tmp_path)
    modules: list[str] = []

    def run(name: str, source: str, module: str = "") -> EntryPoint:
        module = module or f"tunesmith_test_{name}"
        modules.append(module)
        (tmp_path / f"{module}.py").write_text(source, encoding="utf-8")
        info = tmp_path / f"{module}_{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {info.stem}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {module}\n")
        return EntryPoint(name, module, GROUP)

    yield run
    for module in modules:
        sys.modules.pop(module, None)


def test_an_installed_plugin_is_found_by_its_entry_point(install: Install) -> None:
    install("mine", REPORTER)
    (entry,) = [entry for entry in entry_points(group=GROUP) if entry.name == "mine"]
    offer = load([entry]).find("reporter", "mine")
    assert (offer.kind, offer.name, offer.plugin) == ("reporter", "mine", "mine")


def test_what_the_core_brings_is_registered_like_anyones() -> None:
    (entry,) = [entry for entry in entry_points(group=GROUP) if entry.name == "builtin"]
    assert load([entry]).names("sampler") == ["grid", "random"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("raise RuntimeError('no licence')", "RuntimeError: no licence"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        (REPORTER.replace('register("mine", Mine)', "1 / 0"), "ZeroDivisionError: division by"),
    ],
)
def test_a_broken_plugin_is_left_out_with_a_warning_that_names_it(
    install: Install, source: str, reason: str
) -> None:
    found = [install("broken", source), install("mine", REPORTER)]
    with pytest.warns(UserWarning, match=f"plugin 'broken' is left out: {reason}"):
        registry = load(found)
    assert registry.names("reporter") == ["mine"]


def test_a_plugin_that_breaks_half_way_offers_nothing(install: Install) -> None:
    source = f"{REPORTER}\n    raise RuntimeError('half way')\n"
    with pytest.warns(UserWarning, match="plugin 'half' is left out: RuntimeError: half way"):
        assert load([install("half", source)]).names("reporter") == []


def test_two_plugins_that_offer_one_name_are_an_error_that_names_both(install: Install) -> None:
    with pytest.raises(PluginError) as caught:
        load([install("theirs", REPORTER), install("ours", REPORTER)])
    assert str(caught.value) == (
        "two plugins offer a reporter named 'mine': 'ours' and 'theirs'; uninstall one of them"
    )


def test_one_plugin_that_offers_a_name_twice_is_an_error(install: Install) -> None:
    source = f'{REPORTER}\n    register("mine", Mine)\n'
    with pytest.raises(PluginError, match="two plugins offer a reporter named 'mine'"):
        load([install("mine", source)])


def test_one_name_may_stand_for_components_of_different_kinds(install: Install) -> None:
    source = REPORTER.replace('"mine"', '"grid"')
    builtin = EntryPoint("builtin", "tunesmith.builtin", GROUP)
    registry = load([builtin, install("mine", source)])
    assert registry.find("reporter", "grid").plugin == "mine"
    assert registry.find("sampler", "grid").plugin == "builtin"


def test_two_plugins_of_one_name_are_an_error(install: Install) -> None:
    first = install("mine", REPORTER, module="tunesmith_test_one")
    second = install("mine", REPORTER, module="tunesmith_test_two")
    with pytest.raises(PluginError, match=r"'mine' and 'mine' \(tunesmith_test_two\)"):
        load([first, second])


def test_one_module_under_two_names_is_an_error(install: Install) -> None:
    first = install("one", REPORTER, module="tunesmith_test_same")
    with pytest.raises(PluginError) as caught:
        load([first, EntryPoint("two", "tunesmith_test_same", GROUP)])
    assert str(caught.value) == (
        "two installed plugins are one: 'one' and 'two' (tunesmith_test_same); "
        "uninstall one of them"
    )


def test_a_misspelt_hook_is_an_error_with_the_right_one(install: Install) -> None:
    source = REPORTER.replace("register_reporters", "register_reportrs")
    with pytest.raises(PluginError) as caught:
        load([install("mine", source)])
    assert str(caught.value) == (
        "plugin 'mine' has a hook 'register_reportrs', which does not exist; "
        "did you mean 'register_reporters'?"
    )


def test_a_hook_with_an_argument_that_it_does_not_get_is_an_error(install: Install) -> None:
    source = REPORTER.replace("(register)", "(registry)")
    with pytest.raises(PluginError, match=r"(?s)plugin 'mine' does not fit: .*'registry'"):
        load([install("mine", source)])


def test_a_class_of_another_kind_is_an_error(install: Install) -> None:
    source = REPORTER.replace("register_reporters", "register_samplers")
    with pytest.raises(PluginError, match="as sampler 'mine', but it is no sampler"):
        load([install("mine", source)])


@pytest.mark.parametrize("offered", [Grid(), "grid", None, Sampler.ask])
def test_what_is_no_class_is_an_error(offered: object) -> None:
    with pytest.raises(PluginError, match="but it is no sampler"):
        Registry().add("sampler", "mine", "mine", offered)


def test_plugins_are_loaded_in_the_order_of_their_names_and_without_a_warning(
    install: Install,
) -> None:
    names = ["c", "a", "b"]
    found = [install(name, REPORTER.replace('"mine"', f'"{name}"')) for name in names]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        registry = load(found)
    assert [offer.plugin for offer in registry.offers.values()] == ["a", "b", "c"]


class Careful(Reporter):
    """Has options."""

    size: int = 3
    """How much."""
    name: str
    """What to call it."""

    def report(self, study, finished, folder):
        return []


class Bolder(Careful):
    """Has one option more."""

    colour: str = "red"
    """Which colour."""


@pytest.fixture
def registry() -> Registry:
    registry = Registry()
    registry.add("sampler", "builtin", "random", Random)
    registry.add("sampler", "builtin", "grid", Grid)
    registry.add("reporter", "mine", "careful", Careful)
    registry.add("reporter", "mine", "bolder", Bolder)
    return registry


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("rnadom", "no sampler named 'rnadom'; did you mean 'random'?"),
        ("zzz", "no sampler named 'zzz' (known: grid, random)"),
    ],
)
def test_an_unknown_name_gets_the_closest_one(registry: Registry, name: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        registry.find("sampler", name)
    assert str(caught.value) == message


def test_a_kind_that_nobody_offers_has_no_suggestion(registry: Registry) -> None:
    with pytest.raises(ConfigError, match=r"^no tracker named 'mlflow'$"):
        registry.find("tracker", "mlflow")


def test_all_mistakes_in_options_are_told_at_once(registry: Registry) -> None:
    with pytest.raises(ConfigError) as caught:
        registry.build("reporter", {"use": "careful", "size": "big", "nmae": "x"})
    assert str(caught.value).splitlines() == [
        "reporter.size: input should be a valid integer, unable to parse string as an integer, "
        "not 'big'",
        "reporter.name: is missing",
        "reporter.nmae: unknown option; did you mean 'name'?",
    ]


def test_a_component_is_built_from_its_options(registry: Registry) -> None:
    built = registry.build("reporter", {"use": "bolder", "name": "x", "size": 5})
    assert (type(built), built.name, built.size, built.colour) == (Bolder, "x", 5, "red")


def test_the_schema_documents_inherited_options_too(registry: Registry) -> None:
    schema = registry.schema(registry.find("reporter", "bolder"))
    found = {name: option["description"] for name, option in schema["properties"].items()}
    assert found == {
        "seconds": "How long it may take in a process of its own before it is ended.",
        "size": "How much.",
        "name": "What to call it.",
        "colour": "Which colour.",
    }
    assert schema["required"] == ["name"]


def test_a_hook_of_an_object_counts_as_a_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    class Plugin:
        @hookimpl
        def register_samplers(self, register):
            register("mine", Random)

    monkeypatch.setattr(sys.modules[__name__], "plugin", Plugin(), raising=False)
    found = load([EntryPoint("mine", f"{__name__}:plugin", GROUP)])
    assert found.names("sampler") == ["mine"]


def test_the_schema_of_a_study_file_documents_every_option_of_a_parameter():
    schema = study_schema(installed())
    assert "folder" not in schema["properties"]
    for kind in ("Float", "Int", "Categorical"):
        options = schema["$defs"][kind]["properties"]
        assert [
            name for name in options if name != "type" and not options[name].get("description")
        ] == []
