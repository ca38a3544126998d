"""What the layout promises: a light command line, small files, one name for one thing."""

import ast
import io
import os
import re
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CORE = ROOT / "core/src/tunesmith"
PLUGINS = [ROOT / "agent", *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))]
SOURCES = sorted(
    [*CORE.rglob("*.py"), *ROOT.glob("agent/src/**/*.py"), *ROOT.glob("plugins/*/src/**/*.py")]
)
CORE_LIMIT = 7_450
"""Lines of code in the core, its conformance kits left out. Raise it for a good reason only."""

HELP_OF_EVERY_COMMAND = """
import sys
import click
from tunesmith.cli import cli

HEAVY = {"pydantic", "numpy", "optuna", "mlflow", "sklearn", "pandas", "sqlalchemy", "matplotlib",
         "torch", "scipy", "ruamel.yaml"}

def walk(command, words):
    print(" ".join(words), file=sys.stderr)
    try:
        cli.main([*words, "--help"], prog_name="tunesmith")
    except SystemExit as end:
        assert end.code == 0, words
    loaded = sorted(HEAVY & set(sys.modules))
    assert not loaded, f"'tunesmith {' '.join(words)} --help' imports {loaded}"
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            walk(command.get_command(context, name), [*words, name])

walk(cli, [])
"""


def code_lines(path: Path) -> int:
    """Lines with code on them: no blanks, no comments, no docstrings."""
    text = path.read_text(encoding="utf-8")
    silent = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in silent and token.string:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            lines -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)


def test_help_imports_no_library_that_a_study_may_never_use():
    done = subprocess.run(
        [sys.executable, "-c", HELP_OF_EVERY_COMMAND], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "plugins show" in done.stderr  # it went down into the groups


def test_no_module_is_longer_than_300_lines():
    long = {
        str(path.relative_to(ROOT)): count
        for path in SOURCES
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > 300
    }
    assert not long


def test_no_function_is_longer_than_40_lines():
    long = {
        f"{path.relative_to(ROOT)}:{node.name}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= 40
    }
    assert not long


def test_every_hook_is_on_one_page():
    assert len((CORE / "hookspecs.py").read_text().splitlines()) < 120


def test_the_core_stays_small():
    counts = {path: code_lines(path) for path in CORE.rglob("*.py")}
    kits = sum(count for path, count in counts.items() if "testing" in path.parts)
    size = sum(counts.values()) - kits
    print(f"the core has {size} lines of code, and {kits} in its conformance kits")
    assert size <= CORE_LIMIT


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: folder.name)
def test_a_plugin_has_one_name_everywhere(folder):
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    name = folder.name
    assert project["name"] == f"tunesmith-{name}"
    assert project["entry-points"]["tunesmith"] == {name: f"tunesmith_{name}"}
    assert [path.name for path in (folder / "src").iterdir()] == [f"tunesmith_{name}"]
    for part in (f"src/tunesmith_{name}/py.typed", "README.md", "tests"):
        assert (folder / part).exists(), part


def test_the_root_knows_every_plugin():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    names = [folder.name for folder in PLUGINS]
    assert set(settings["uv"]["sources"]) == {"tunesmith", *(f"tunesmith-{name}" for name in names)}
    rules = settings["importlinter"]
    assert rules["root_packages"] == ["tunesmith", *(f"tunesmith_{name}" for name in names)]
    layers = [" | ".join(f"tunesmith_{name}" for name in names), "tunesmith"]
    assert rules["contracts"][0]["layers"] == layers


def test_no_file_names_a_place_on_somebodys_machine():
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    place = re.compile(rb"(?<![\w.~-])/(?:home|Users|root|work)/(?!you\b)\w[^\s\"']*")
    found = {
        name: places
        for name in files.split("\0")
        if name and (ROOT / name).is_file()
        if (places := place.findall((ROOT / name).read_bytes()))
    }
    assert not found


def undocumented(path: Path, known: set[str]) -> Iterator[str]:
    """Public names without a docstring; a method may inherit that of the base it implements."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if path.name != "__init__.py" or tree.body:
        yield from [] if ast.get_docstring(tree) else ["the module itself"]
    for node in tree.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef) or node.name.startswith("_"):
            continue
        if not ast.get_docstring(node) and not is_hook(node):
            yield node.name
        inherits = isinstance(node, ast.ClassDef) and bool(node.bases)
        for method in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(method, ast.FunctionDef) and not method.name.startswith(("_", "test_")):
                told = ast.get_docstring(method) or is_hook(method)
                if not told and not (inherits and method.name in known):
                    yield f"{node.name}.{method.name}"


def is_hook(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """Whether it implements a hook, which `hookspecs.py` documents."""
    return any(isinstance(mark, ast.Name) and mark.id == "hookimpl" for mark in node.decorator_list)


def test_everything_public_in_the_core_says_what_it_does():
    paths = [
        path for path in CORE.rglob("*.py") if path.name == "__init__.py" or path.name[0] != "_"
    ]
    known = {
        node.name
        for path in paths
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node)
    }
    missing = {
        str(path.relative_to(CORE)): names
        for path in paths
        if (names := list(undocumented(path, known)))
    }
    assert not missing


def imports(path: Path) -> Iterator[str]:
    """What a module imports, at its top or in a function; a script names its own dependencies."""
    text = path.read_text(encoding="utf-8")
    if text.startswith("# /// script"):
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module).partition(".")[0]


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: folder.name)
def test_a_plugin_finds_what_it_imports(folder: Path) -> None:
    """Also run where nothing is installed but what the plugin declares: `.ci/alone`."""
    found = {name for path in folder.glob("src/**/*.py") for name in imports(path)}
    assert "tunesmith" in found
    assert not [name for name in sorted(found) if find_spec(name) is None]


@pytest.mark.xdist_group("a group")
def test_tests_of_a_group_share_a_worker(request: pytest.FixtureRequest) -> None:
    """Else each worker starts every cluster, server and library anew; nothing would tell."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        assert request.node.nodeid.endswith("@a group")


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: folder.name)
def test_a_plugin_that_reads_parquet_declares_what_pandas_reads_it_with(folder: Path) -> None:
    """No import shows that, and another library may bring it by chance."""
    reads = any("read_parquet" in path.read_text() for path in folder.glob("src/**/*.py"))
    needs = tomllib.loads((folder / "pyproject.toml").read_text())["project"]["dependencies"]
    assert not reads or any(need.startswith("pyarrow") for need in needs)
