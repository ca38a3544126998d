"""Writes docs/reference/ from the code: run it after changing a hook, an option, a command or a
docstring.
"""

import ast
import inspect
import json
import textwrap
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from _source import (
    WIDTH,
    attribute_docs,
    function,
    markdown_table,
    own_fields,
    prose,
    public,
    statements,
)
from pydantic import TypeAdapter

from tunesmith import errors, expressions, hookspecs, proposals
from tunesmith.cli import cli
from tunesmith.cli.plugins import option_rows
from tunesmith.components import KINDS
from tunesmith.parameters import Categorical, Float, Int
from tunesmith.plugins import Offer, installed
from tunesmith.space import SearchSpace
from tunesmith.study import Budget, Study

REFERENCE = Path(__file__).parent / "reference"
NOTE = "<!-- written by docs/generate.py: change the code, then run it -->\n\n"

REFERRED = {
    "ComponentTable": "component",
    "Budget": "[budget](#budget)",
    "SearchSpace": "[space](#space)",
    "Step": "step",
}

PUBLIC = {
    "Tuning": ["api.tune", "api.open_study", "loop.Result", "tuner.Tuner"],
    "Spaces": ["space.SearchSpace", "parameters.Float", "parameters.Int", "parameters.Categorical"],
    "Trials and rounds": [
        *("trial.Trial", "trial.TrialState", "trial.Origin", "trial.Step", "trial.Goal"),
        *("trial.Round", "evaluation.TrialContext", "carryover.CarryOver", "errors.Pruned"),
    ],
    "Studies": ["study.load_study", "study.check_study", "loop.run", "sync.sync"],
    "Components, for plugin authors": [
        *(f"components.{kind.__name__}" for kind in KINDS.values()),
        *("finished.Finished", "finished.Fitted", "finished.Report", "finished.Table"),
        "trial.LoggedRun",
    ],
    "Proposals": [
        *("history.History", "history.Reviewed", "proposals.Draft", "proposals.Evidence"),
        *("proposals.Note", "proposals.Told", "proposals.WhatIf", "proposals.Tier"),
        *("proposals.Proposal", "proposals.Decision", "proposals.Verdict"),
        *("revision.gather", "revision.propose", "revision.decide", "revision.settle"),
        *("edits.apply", "edits.inverse", "policy.check", "rules.Objection"),
    ],
    "Conformance kits, for plugin authors": [
        *("testing.samplers.SamplerContract", "testing.trackers.TrackerContract"),
        *("testing.servers.ServerTrackerContract", "testing.reporters.ReporterContract"),
        *("testing.objectives.ObjectiveContract", "testing.advisors.AdvisorContract"),
        "testing.pruners.PrunerContract",
    ],
}


def cli_page() -> str:
    parts = [
        "# Commands\n\nEvery command exits with 0 when it did what it was asked, else with a code "
        "of [errors](errors.md). Results go to stdout, everything else to stderr.\n"
    ]
    for path, command in commands("tunesmith", cli):
        context = click.Context(command, info_name=path, terminal_width=WIDTH)
        context.help_option_names = ["-h", "--help"]
        parts.append(f"## {path}\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


def commands(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands(f"{path} {name}", found)


def hooks_page() -> str:
    parts = [f"# Hooks\n\n{prose(hookspecs.__doc__)}\n"]
    parts.append(
        "A plugin implements a hook as a function of the same name, marked with "
        "`tunesmith.hookspecs.hookimpl`; it may leave out arguments that it does not need. A hook "
        "that does not exist is an error that names the plugin.\n"
    )
    for group in statements(hookspecs):
        if isinstance(group, ast.ClassDef):
            parts.append(f"## {group.name}\n\n{prose(ast.get_docstring(group))}\n")
            for hook in group.body:
                if isinstance(hook, ast.FunctionDef):
                    parts.append(function(hook, "###"))
    return "\n".join(parts)


def components_page() -> str:
    parts = [
        "# Components\n\nWhat a study file can name, and the options of each. "
        "`tunesmith plugins show NAME` prints the same for what is installed.\n"
    ]
    parts += [component_section(offer) for offer in offers()]
    return "\n".join(parts)


def offers() -> list[Offer]:
    """The components of this repository's plugins, in the order of kinds."""
    return [
        offer
        for kind in KINDS
        for offer in installed().offers.values()
        if offer.kind == kind and offer.component.__module__.startswith("tunesmith")
    ]


def component_section(offer: Offer) -> str:
    """One component: where it comes from, what it is, its options."""
    title = f"## {offer.kind} `{offer.name}`\n\nFrom plugin `{offer.plugin}`."
    about = prose(inspect.getdoc(offer.component))
    schema = installed().schema(offer)
    parts = [f"{title} {about}\n", _options(schema)]
    for name, table in schema.get("$defs", {}).items():
        parts.append(f"A {name.lower()}: {prose(table.get('description'))}\n\n{_options(table)}")
    return "\n".join(parts)


def study_page() -> str:
    template = (REFERENCE.parent / "study-file.in.md").read_text(encoding="utf-8")
    study = Study.model_json_schema()
    del study["properties"]["folder"]  # set by whoever loads the file
    tables = {
        "study": _options(study),
        "budget": _options(Budget.model_json_schema()),
        "space": _options(TypeAdapter(SearchSpace).json_schema()),
        "formulas": prose(expressions.__doc__),
    }
    for kind in (Float, Int, Categorical):
        schema = TypeAdapter(kind).json_schema()
        del schema["properties"]["type"]
        for name, about in attribute_docs(kind).items():
            schema["properties"].get(name, {}).setdefault("description", about)
        tables[kind.__name__.lower()] = _options(schema)
    for name, table in tables.items():
        template = template.replace(f"[[{name}]]", table.strip())
    return template


def api_page() -> str:
    parts = [
        "# Python API\n\nThe names in `tunesmith` itself: "
        + ", ".join(f"`{name}`" for name in import_module("tunesmith").__all__)
        + ". The others are imported from the module that their heading names.\n"
    ]
    for title, names in PUBLIC.items():
        parts.append(f"## {title}\n")
        parts += [public(name) for name in names]
    return "\n".join([*parts, edits_section()])


def edits_section() -> str:
    """The kinds of edit in a table, for all of them have most fields in common."""
    common, *kinds = [
        node
        for node in statements(proposals)
        if isinstance(node, ast.ClassDef)
        and (node.name == "AnyEdit" or "AnyEdit" in map(ast.unparse, node.bases))
    ]
    rows = []
    for kind in kinds:
        first, *others = own_fields(kind)
        options = (f"{row['field']}: {row['type']}" for row in others)
        row = {"action": first["default"], "class": f"`{kind.name}`", "fields": ", ".join(options)}
        rows.append(row | {"what it does": prose(ast.get_docstring(kind))})
    return (
        "## Edits\n\nIn `tunesmith.proposals`, told apart by `action`.\n\n"
        f"{markdown_table(rows)}\nEvery edit has besides:\n\n"
        f"{markdown_table(list(own_fields(common)))}"
    )


def errors_page() -> str:
    intro, tree, outro = (errors.__doc__ or "").split("\n\n", 2)
    rows = [
        {"exit code": error.exit_code, "error": f"`{name}`", "when": prose(error.__doc__)}
        for name, error in vars(errors).items()
        if isinstance(error, type) and issubclass(error, errors.TunesmithError)
    ]
    rows += [
        {"exit code": 0, "error": "", "when": "The command did what it was asked."},
        {"exit code": 2, "error": "", "when": "The command line itself is wrong."},
        {
            "exit code": errors.PENDING,
            "error": "",
            "when": "A proposal waits for somebody to decide it; the command to do so is printed.",
        },
        {"exit code": 130, "error": "", "when": "Interrupted by Ctrl-C; `tunesmith run` goes on."},
    ]
    rows.sort(key=lambda row: int(str(row["exit code"])))
    return (
        f"# Errors and exit codes\n\n{prose(intro)}\n\n```text\n{textwrap.dedent(tree)}\n```\n\n"
        f"{prose(outro)}\n\nAll are in `tunesmith.errors`. The message is one or two sentences on "
        f"stderr: what is wrong, with the value, then what to do.\n\n{markdown_table(rows)}"
    )


def _options(schema: dict[str, Any]) -> str:
    if not schema.get("properties"):
        return "No options.\n"
    resolved = {**schema, "properties": _resolved(schema["properties"])}
    rows = option_rows(resolved)
    for row in rows:
        row["option"] = f"`{row['option']}`"
        if row["default"] != "required":
            row["default"] = f"`{_default(row)}`"
    return markdown_table(rows)


def _resolved(node: Any) -> Any:
    """The schema with references replaced by what readers call them."""
    if isinstance(node, dict):
        if "$ref" in node:
            return {**node, "type": REFERRED.get(node["$ref"].rpartition("/")[2], "table")}
        return {key: _resolved(value) for key, value in node.items()}
    return [_resolved(item) for item in node] if isinstance(node, list) else node


def _default(row: dict[str, Any]) -> str:
    value = ast.literal_eval(row["default"])
    if row["type"] == "object" and value is None:
        value = {}  # a schema does not tell what a factory makes
    if isinstance(value, dict):
        value = {key: item for key, item in value.items() if item is not None}
    return json.dumps(value)


PAGES: dict[str, Callable[[], str]] = {
    "cli.md": cli_page,
    "hooks.md": hooks_page,
    "components.md": components_page,
    "study-file.md": study_page,
    "python-api.md": api_page,
    "errors.md": errors_page,
}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(NOTE + page(), encoding="utf-8")
