"""How commands print: tables for people, JSON and YAML for programs."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TextIO, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
Row = Mapping[str, Any]


def study_argument(function: F) -> F:
    """The argument STUDY: a study file."""
    return click.argument("study", default="study.yaml", type=click.Path())(function)


def format_option(function: F) -> F:
    """The option --format, as `format`."""
    choices = click.Choice(["table", "json", "yaml"])
    return click.option(
        "-f", "--format", "format", type=choices, default="table", help="How to print."
    )(function)


def show_rows(rows: Sequence[Row], format: str) -> None:
    """Print rows that have the same keys, which are the columns of the table."""
    if format == "table":
        _print_table(rows)
    else:
        show_data(rows, format)


def show_data(data: object, format: str, file: TextIO | None = None) -> None:
    """Print nested data as JSON, else as YAML; a number that is not finite as null."""
    plain = json.loads(json.dumps(data, default=str), parse_constant=lambda _: None)
    if format == "json":
        click.echo(json.dumps(plain, indent=2), file)
    else:
        from ruamel.yaml import YAML

        yaml = YAML()
        yaml.default_flow_style = False
        yaml.dump(plain, file or sys.stdout)


def console(stderr: bool = False) -> Any:
    """A rich console.

    Colours on a terminal only, and no line cut where the output goes to a file.
    """
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, highlight=False, width=None if stream.isatty() else 10_000)


def fits(rows: Sequence[Row]) -> bool:
    """Whether a table of these rows has room on the screen without breaking a cell."""
    widths = [max(len(key), *(len(cell(row[key])) for row in rows)) for key in rows[0]]
    return sum(widths) + 2 * len(widths) - 1 <= int(console().width)


def _print_table(rows: Sequence[Row]) -> None:
    from rich.table import Table
    from rich.text import Text

    if not rows:
        click.echo("nothing to show", err=True)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in rows[0]:
        numeric = all(isinstance(row[column], int | float | None) for row in rows)
        nested = all(isinstance(row[column], Mapping) for row in rows)
        justify: Literal["right", "left"] = "right" if numeric else "left"
        table.add_column(column, justify=justify, overflow="fold", no_wrap=nested)
    for row in rows:
        table.add_row(*(Text(cell(value)) for value in row.values()))
    print_trimmed(table)


def print_trimmed(table: Any) -> None:
    """Print a rich table without the blanks that fill its last column."""
    out = console()
    with out.capture() as captured:
        out.print(table)
    for line in captured.get().splitlines():
        click.echo(line.rstrip(), color=True)


def cell(value: object) -> str:
    """A value in a table, in one line.

    Numbers in four digits, nothing as a dash, dictionaries as a line `a=1` for each key.
    """
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return "\n".join(f"{printable(key)}={cell(item)}" for key, item in value.items())
    return printable(str(value))


def printable(text: str) -> str:
    """The text in one line, safe to print; see `escaped`."""
    return escaped(" ".join(text.split()))


def escaped(text: str) -> str:
    """The text without characters that a terminal obeys or hides: their escapes stand instead.

    What a tracker, a model or a script wrote could otherwise clear the screen or turn lines around.
    """
    return "".join(
        letter if letter.isprintable() or letter == "\n" else ascii(letter)[1:-1] for letter in text
    )
