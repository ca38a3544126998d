"""The command line: a module a command, loaded when it is called."""

import sys
import warnings
from importlib import import_module

import click

from tunesmith.errors import TunesmithError, did_you_mean

_COMMANDS = {
    "init": "init",
    "run": "run",
    "status": "status",
    "trials": "trials",
    "best": "best",
    "sync": "sync",
    "space": "space",
    "plugins": "plugins",
    "schema": "schema",
}


class _Group(click.Group):
    """Loads a command's module when the command is named or listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"tunesmith.cli.{_COMMANDS[name]}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"no command '{args[0]}'{did_you_mean(args[0], _COMMANDS)}")
        return super().resolve_command(ctx, args)


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
        click.echo(f"error: {error}", err=True)
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
