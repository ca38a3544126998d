"""`tunesmith plugins`: what is installed, and the options of each component."""

from inspect import cleandoc
from typing import Any

import click

from tunesmith.cli.output import console, format_option, show_data, show_rows


@click.group("plugins")
def command() -> None:
    """List the installed components, and show the options of one."""


@command.command("list")
@click.option("--kind", help="Only this kind: sampler, tracker …")
@format_option
def list_(kind: str | None, format: str) -> None:
    """List what a study file can use."""
    from tunesmith.components import KINDS
    from tunesmith.errors import ConfigError, did_you_mean
    from tunesmith.plugins import installed

    if kind is not None and kind not in KINDS:
        raise ConfigError(f"no kind '{kind}'{did_you_mean(kind, KINDS)}")
    rows = [
        {
            "kind": offer.kind,
            "name": offer.name,
            "plugin": offer.plugin,
            "what it is": summary_of(offer.component),
        }
        for offer in installed().offers.values()
        if kind in (None, offer.kind)
    ]
    show_rows(rows, format)


@command.command()
@click.argument("name")
@format_option
def show(name: str, format: str) -> None:
    """Show the options of every component called NAME."""
    from tunesmith.errors import ConfigError, did_you_mean
    from tunesmith.plugins import installed

    registry = installed()
    offers = [offer for offer in registry.offers.values() if offer.name == name]
    if not offers:
        names = {offer.name for offer in registry.offers.values()}
        raise ConfigError(f"no component named '{name}'{did_you_mean(name, names)}")
    if format != "table":
        show_data([{"kind": offer.kind, **registry.schema(offer)} for offer in offers], format)
        return
    for offer in offers:
        about = cleandoc(offer.component.__doc__ or "")
        title = f"{offer.kind} {offer.name}, from plugin {offer.plugin}"
        for paragraph in (title, *about.split("\n\n")):
            console().print(" ".join(paragraph.split()), end="\n\n", markup=False)
        options = option_rows(registry.schema(offer))
        if options:
            show_rows(options, "table")
        else:
            click.echo("no options")


def summary_of(component: type[Any]) -> str:
    """The first paragraph of a component's documentation, in a line."""
    return " ".join((component.__doc__ or "").partition("\n\n")[0].split())


def option_rows(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """A row an option: name, type, default and what it does."""
    required = schema.get("required", ())
    return [
        {
            "option": name,
            "type": type_name(option),
            "default": "required" if name in required else repr(option.get("default")),
            "what it does": " ".join(option.get("description", "").split()),
        }
        for name, option in schema.get("properties", {}).items()
    ]


def type_name(option: dict[str, Any]) -> str:
    """A JSON Schema's type in a word or two: `number or null`, `a, b or c`."""
    if "enum" in option:
        return " | ".join(map(str, option["enum"]))
    if "anyOf" in option:
        return " or ".join(type_name(part) for part in option["anyOf"])
    if option.get("type") == "array":
        return f"list of {type_name(option.get('items', {}))}"
    return str(option.get("type", "anything"))
