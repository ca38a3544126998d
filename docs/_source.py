"""Reads signatures, fields and docstrings from source, and writes them as Markdown."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise
from typing import Any

WIDTH = 88


def attribute_docs(kind: type) -> dict[str, str]:
    """The docstrings under a class's fields, those of its bases too."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("tunesmith"):
            node = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
            assert isinstance(node, ast.ClassDef)
            found |= {
                str(row["field"]).strip("`"): str(row["what it is"]) for row in own_fields(node)
            }
    return found


def public(path: str) -> str:
    module_name, _, name = path.rpartition(".")
    module = import_module(f"tunesmith.{module_name}")
    found = next(
        node
        for node in statements(module)
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name
    )
    home = "tunesmith" if name in import_module("tunesmith").__all__ else module.__name__
    home = "tunesmith.testing" if module_name.startswith("testing.") else home
    if isinstance(found, ast.FunctionDef):
        return function(found, "###", f"{home}.")
    private = [
        node
        for node in statements(module)
        if isinstance(node, ast.ClassDef)
        and node.name.startswith("_")
        and node.name in {ast.unparse(base) for base in found.bases}
    ]
    return _class(found, home, private)


def _class(node: ast.ClassDef, home: str, private: list[ast.ClassDef]) -> str:
    """A class with its fields, those of its private bases too, and its public methods."""
    lines = [f"### {home}.{node.name}\n", prose(ast.get_docstring(node)) + "\n"]
    by_name = {row["field"]: row for each in [*private, node] for row in own_fields(each)}
    fields = list(by_name.values())
    if fields:
        lines.append(markdown_table(fields))
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and _is_documented(method):
            lines.append(function(method, "####"))
    return "\n".join(lines)


def _is_documented(method: ast.FunctionDef) -> bool:
    return not method.name.startswith(("_", "test_")) and bool(ast.get_docstring(method))


def own_fields(node: ast.ClassDef) -> Iterator[dict[str, object]]:
    for statement, after in pairwise([*node.body, ast.Pass()]):
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                if name.startswith("_"):
                    continue
                default = "" if value is None else f"`{_factory(ast.unparse(value))}`"
                yield {
                    "field": f"`{name}`",
                    "type": f"`{ast.unparse(annotation)}`",
                    "default": default,
                    "what it is": _docstring(after),
                }
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=value)):
                yield {
                    "field": f"`{name}`",
                    "type": "",
                    "default": f"`{value!r}`",
                    "what it is": _docstring(after),
                }


def _factory(default: str) -> str:
    return {"field(default_factory=dict)": "{}", "field(default_factory=list)": "[]"}.get(
        default, default
    )


def _docstring(statement: ast.stmt) -> str:
    match statement:
        case ast.Expr(value=ast.Constant(value=str() as text)):
            return " ".join(text.split())
    return ""


def function(node: ast.FunctionDef, level: str, prefix: str = "") -> str:
    arguments = ast.unparse(node.args).removeprefix("self").removeprefix(", ")
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    signature = f"{node.name}({arguments}){returns}"
    if len(signature) > WIDTH:
        inner = ",\n".join(f"    {part}" for part in _arguments(node.args))
        signature = f"{node.name}(\n{inner},\n){returns}"
    is_property = any(ast.unparse(each).endswith("property") for each in node.decorator_list)
    if is_property:
        signature = f"{node.name}{returns.replace(' ->', ':')}"
    about = prose(ast.get_docstring(node))
    return f"{level} {prefix}{node.name}\n\n```text\n{signature}\n```\n\n{about}\n"


def _arguments(arguments: ast.arguments) -> list[str]:
    """Each argument as it is written, without `self`."""
    empty = ast.arguments(
        posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[], vararg=None, kwarg=None
    )
    positional = [arg for arg in arguments.args if arg.arg != "self"]
    missing: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
    found = []
    for arg, default in zip(positional, [*missing, *arguments.defaults], strict=True):
        found.append(ast.unparse(arg) + (f" = {ast.unparse(default)}" if default else ""))
    if arguments.kwonlyargs:
        found.append("*")
    for arg, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        found.append(ast.unparse(arg) + (f" = {ast.unparse(default)}" if default else ""))
    empty.kwarg = arguments.kwarg
    return found + ([ast.unparse(empty)] if arguments.kwarg else [])


def statements(module: Any) -> list[ast.stmt]:
    return ast.parse(inspect.getsource(module)).body


def prose(docstring: str | None) -> str:
    """Docstring as Markdown: paragraphs on one line each, indented ones as code."""
    paragraphs = inspect.cleandoc(docstring or "").split("\n\n")
    return "\n\n".join(
        f"```text\n{textwrap.dedent(text)}\n```"
        if text.startswith("    ")
        else " ".join(text.split())
        for text in paragraphs
    )


def markdown_table(rows: list[dict[str, Any]]) -> str:
    lines = [list(rows[0]), ["---"] * len(rows[0])]
    lines += [[str(value).replace("|", "\\|") for value in row.values()] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
