"""Commands that plugins bring: found when they are asked for, never in the way of a built-in."""

import re
import subprocess
import sys
from importlib.metadata import EntryPoint

import click
import pytest

from tunesmith.cli import commands_of
from tunesmith.discovery import GROUP, find_plugins
from tunesmith.errors import PluginError

PLUGIN = '''
import sys
import click
from tunesmith.hookspecs import hookimpl

@click.command("{name}")
@click.argument("word", default="you")
def command(word):
    """Greet."""
    click.echo(f"hello {{word}}, {{'pydantic' in sys.modules}}")

@hookimpl
def register_commands(cli):
    cli.add_command(command)
'''


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Installs a plugin for the length of a test, here and for the processes that are started."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    modules = []

    def run(name, source):
        module = f"tunesmith_test_{name}"
        modules.append(module)
        (tmp_path / f"{module}.py").write_text(source)
        info = tmp_path / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {info.stem}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {module}\n")
        return EntryPoint(name, module, GROUP)

    yield run
    for module in modules:
        sys.modules.pop(module, None)


def tunesmith(*arguments):
    command = [sys.executable, "-m", "tunesmith", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_a_command_of_a_plugin_is_listed_run_and_guessed(install):
    install("mine", PLUGIN.format(name="greet"))
    assert re.search("greet +Greet.", tunesmith("--help").stdout)
    done = tunesmith("greet", "Ada")
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello Ada, False\n", "")
    done = tunesmith("gret")
    assert done.returncode == 2
    assert "no command 'gret'; did you mean 'greet'?" in done.stderr


def test_a_built_in_command_does_not_look_for_plugins(install):
    install("mine", "raise SystemExit('it was imported')")
    assert tunesmith("status", "--help").stderr == ""
    assert "plugin 'mine' is left out: SystemExit: it was imported" in tunesmith("--help").stderr


@pytest.mark.parametrize(
    "source", ["1 / 0", PLUGIN.format(name="greet").replace("cli.add_command", "cli.no_such")]
)
def test_a_broken_plugin_costs_a_warning_and_no_command_of_others(install, source):
    entries = [install("broken", source), install("mine", PLUGIN.format(name="greet"))]
    with pytest.warns(UserWarning, match="plugin 'broken' is left out"):
        found = commands_of(find_plugins(entries))
    assert list(found) == ["greet"]


def test_a_plugin_cannot_take_the_place_of_a_built_in_command(install):
    plugins = find_plugins([install("mine", PLUGIN.format(name="run"))])
    with pytest.warns(UserWarning, match="plugin 'mine' brings a command 'run', which is built in"):
        assert commands_of(plugins) == {}
    assert "Tune: run a round" in tunesmith("run", "--help").stdout


def test_two_plugins_with_one_command_are_an_error_that_names_both(install):
    source = PLUGIN.format(name="greet")
    plugins = find_plugins([install("theirs", source), install("ours", source)])
    with pytest.raises(PluginError, match="two plugins bring a command 'greet': 'ours' and 'their"):
        commands_of(plugins)


def test_a_plugin_may_bring_a_group_of_commands(install):
    source = PLUGIN.format(name="greet") + (
        "\n@click.group('mine')\ndef group():\n    'All of mine.'\n"
        "group.add_command(command)\ncommand = group\n"
    )
    found = commands_of(find_plugins([install("mine", source)]))
    assert isinstance(found["mine"], click.Group)
    assert tunesmith("mine", "greet").stdout == "hello you, False\n"
