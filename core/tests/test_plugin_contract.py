"""The contract for plugins lets the core's own components pass, and can fail in every test."""

import inspect
from collections.abc import Callable
from importlib.metadata import EntryPoint
from itertools import count
from pathlib import Path
from typing import ClassVar

import pluggy
import pytest

from tunesmith.discovery import GROUP
from tunesmith.plugins import load
from tunesmith.testing.plugins import PluginContract

GOOD = '''
from tunesmith.components import Reporter
from tunesmith.hookspecs import hookimpl

class Mine(Reporter):
    """Writes nothing."""

    size: int = 3
    """How much of it."""

    def report(self, study, finished, folder):
        return []

@hookimpl
def register_reporters(register):
    register("mine", Mine)
'''
_IGNORES = '    __pydantic_config__ = {"extra": "ignore"}\n\n    def report'
BROKEN = {
    "every_hook_fits": ("@hookimpl\n", "", "has no hook"),
    "importing_it_is_cheap": ("class Mine", "import sqlalchemy\nclass Mine", "imports sqlalchemy"),
    "names_are_lower_case": ('"mine"', '"Mine"', "'Mine' is no name"),
    "every_component_says_what_it_is": ('    """Writes nothing."""\n', "", "has no docstring"),
    "every_option_is_documented": ('    """How much of it."""\n', "", "option 'size' has no"),
    "every_option_has_a_default_or_is_required": ("size: int = 3", "size: int", "has no default"),
    "options_survive_being_written_and_built_again": (
        "    def report",
        "    def __post_init__(self):\n        self.size += 1\n\n    def report",
        "'size' was 4, is 5",
    ),
    "a_misspelt_option_is_told_with_the_right_one": ("    def report", _IGNORES, "DID NOT RAISE"),
    "an_unknown_option_is_an_error": ("    def report", _IGNORES, "DID NOT RAISE"),
}
TESTS = [name for name in vars(PluginContract) if name.startswith("test_")]


class TestBuiltin(PluginContract):
    module = "tunesmith.builtin"
    options: ClassVar = {
        "python": {"function": "train:objective"},
        "command": {"command": "train"},
    }


@pytest.fixture
def fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], str]:
    """Runs one test of the contract on a plugin with that source; returns what it says."""
    names = count()

    def run(source: str, test: str) -> str:
        module = f"plugin_of_{tmp_path.name}_{next(names)}"
        Path(tmp_path, f"{module}.py").write_text(source, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        contract = type("Contract", (PluginContract,), {"module": module})()
        given = {"registry": load([EntryPoint(module, module, GROUP)]), "monkeypatch": monkeypatch}
        method = getattr(contract, test)
        wanted = inspect.signature(method).parameters
        try:
            method(**{name: given[name] for name in wanted})
        except (AssertionError, pytest.fail.Exception) as error:
            return str(error)
        return ""

    return run


@pytest.mark.parametrize("test", TESTS)
def test_a_good_plugin_passes(test: str, fails: Callable[[str, str], str]) -> None:
    assert fails(GOOD, test) == ""


@pytest.mark.parametrize("test", BROKEN)
def test_a_broken_plugin_fails(test: str, fails: Callable[[str, str], str]) -> None:
    old, new, message = BROKEN[test]
    assert old in GOOD
    assert message in fails(GOOD.replace(old, new), f"test_{test}")


def test_making_a_component_at_import_fails(fails: Callable[[str, str], str]) -> None:
    found = fails(f"{GOOD}\nDEFAULT = Mine()\n", "test_importing_it_is_cheap")
    assert "makes components: Mine" in found


def test_a_manager_that_lets_unknown_hooks_pass_fails(
    fails: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pluggy.PluginManager, "check_pending", lambda self: None)
    assert "DID NOT RAISE" in fails(GOOD, "test_a_hook_that_does_not_exist_is_an_error")
