"""The command line: a module a command, loaded when it is called."""

import sys
import warnings
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

import click

from tunesmith.cli.output import escaped
from tunesmith.errors import PluginError, TunesmithError, did_you_mean

if TYPE_CHECKING:
    from pluggy import PluginManager

_COMMANDS = {
    "init": "init",
    "run": "run",
    "status": "status",
    "trials": "trials",
    "best": "best",
    "report": "report",
    "promote": "promote",
    "rollback": "rollback",
    "sync": "sync",
    "space": "space",
    "plugins": "plugins",
    "schema": "schema",
}


class _Group(click.Group):
    """Loads a command's module when the command is named or listed.

    Plugins are looked for only to list their commands, and for a name that is not built in.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*_COMMANDS, *sorted(_plugin_commands())]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return _plugin_commands().get(name)
        command: click.Command = import_module(f"tunesmith.cli.{_COMMANDS[name]}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            ctx.fail(f"no command '{args[0]}'{did_you_mean(args[0], self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)


@cache
def _plugin_commands() -> dict[str, click.Command]:
    from tunesmith.discovery import installed_plugins

    return commands_of(installed_plugins())


def commands_of(plugins: "PluginManager") -> dict[str, click.Command]:
    """The commands that plugins bring, by name; one named like a built-in is left out.

    Raises PluginError where two plugins bring one name.
    """
    from tunesmith.discovery import contributions, implementations

    def collect(name: str, plugin: object) -> dict[str, click.Command]:
        group = click.Group()
        for function in implementations(plugins, plugin, "register_commands"):
            function(group)
        return dict(group.commands)

    found: dict[str, click.Command] = {}
    owners: dict[str, str] = {}
    for plugin, brought in contributions(plugins, collect):
        for name, command in brought.items():
            if name in _COMMANDS:
                warnings.warn(
                    f"plugin '{plugin}' brings a command '{name}', which is built in; "
                    "the plugin's is left out",
                    stacklevel=2,
                )
                continue
            if name in owners:
                raise PluginError(
                    f"two plugins bring a command '{name}': '{owners[name]}' and '{plugin}'; "
                    "uninstall one of them"
                )
            found[name], owners[name] = command, plugin
    return found


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tunesmith")
def cli() -> None:
    """Tune hyperparameters, and keep every trial and every version of the search space.

    Start with 'tunesmith init', then 'tunesmith run'. A study file is 'study.yaml' unless you
    name another.
    """


def main() -> None:
    """The entry point.

    A TunesmithError becomes one message and its exit code; anything else is a bug.
    """
    warnings.showwarning = _show_warning  # type: ignore[assignment]
    try:
        code = cli.main(standalone_mode=False)
    except TunesmithError as error:
        click.echo(f"error: {escaped(str(error))}", err=True)
        code = error.exit_code
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        code = 130
    sys.exit(code)


def _show_warning(message: Warning | str, *_: object) -> None:
    click.echo(f"warning: {message}", err=True)
