"""The documentation is true: what is generated is current, and every block runs.

CONTRIBUTING.md has the marks that may stand before a block.
"""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tunesmith import hookspecs
from tunesmith.cli import cli
from tunesmith.components import KINDS
from tunesmith.plugins import installed
from tunesmith.study import check_study

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SKIPS = 3
"""Blocks that cannot run in a test. Find a way to run a new one before raising this."""

sys.path.insert(0, str(DOCS))
import generate  # noqa: E402 - a script, not an installed module

_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]*) -->\n\n?)?^```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_LINK = re.compile(r"(?<!`)\[[^]`]+\]\(([^)#\s]+)?(#[^)]*)?\)")
_BASE = {
    "name": "base",
    "goals": {"loss": "minimize"},
    "space": {"parameters": {"x": {"type": "float", "low": 0, "high": 1}}},
    "objective": {"use": "python", "function": "objective:score"},
}


@dataclass(frozen=True)
class Block:
    mark: str
    language: str
    text: str

    @property
    def file(self) -> str | None:
        return self.mark.removeprefix("file: ") if self.mark.startswith("file: ") else None

    @property
    def slow(self) -> bool:
        return self.mark.startswith("test: slow")

    @property
    def typed(self) -> list[str]:
        """What somebody types at a terminal."""
        return self.mark.partition("typing ")[2].split(" / ") if "typing " in self.mark else []

    @property
    def skipped(self) -> bool:
        return self.mark.startswith("test: skip because ")


def pages() -> list[Path]:
    found = [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), ROOT / "core" / "README.md"]
    return sorted(path for path in found if not path.name.endswith(".in.md"))


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(match["mark"] or "", match["language"], match["text"])
        for match in _BLOCK.finditer(text)
    ]


def stories() -> Iterator[object]:
    """Pages with something to run; those with a slow block are slow."""
    for page in pages():
        found = [block for block in blocks(page) if block.language in ("python", "console", "bash")]
        if found:
            slow = any(block.slow for block in found)
            marks = [pytest.mark.slow] if slow else []
            yield pytest.param(page, id=name_of(page), marks=marks)


@pytest.mark.parametrize("page", list(stories()))
def test_a_page_is_a_story_that_runs_in_an_empty_folder(
    page: Path, tmp_path: Path, empty_mlflow: Path
) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    if page != ROOT / "README.md":  # where MLflow is met for the first time
        shutil.copy(empty_mlflow, tmp_path)
    large = tmp_path / "examples" / "01_breast_cancer" / "study.yaml"
    large.write_text(large.read_text("utf-8").replace("cv: 5 #", "cv: 2 #"), "utf-8")
    for block in blocks(page):
        if block.skipped:
            continue
        if block.file:
            (tmp_path / block.file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / block.file).write_text(block.text, encoding="utf-8")
        elif "copy of" in block.mark:
            continue
        elif block.language == "python":
            (tmp_path / "block.py").write_text(block.text, encoding="utf-8")
            run("python block.py", tmp_path)
        elif block.language in ("console", "bash"):
            for command, expected in commands(block):
                check_output(command, run(command, tmp_path, block.typed), expected)


def commands(block: Block) -> Iterator[tuple[str, list[str]]]:
    """Commands with the output that follows them; all lines of a `bash` block are commands."""
    if block.language == "bash":
        yield from ((line, []) for line in block.text.splitlines() if line)
        return
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, *expected = part.splitlines()
        yield command, expected


def run(command: str, folder: Path, typed: Sequence[str] = ()) -> str:
    """Run it with this environment's programs, and return what it prints; the exit code of
    a command that ends in `# exit code N` is N. Where something is typed, it has a terminal.
    """
    command, _, code = command.partition("# exit code ")
    command = command.removeprefix("pip install uv && ").removeprefix("uv run ")
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("TUNESMITH", "MLFLOW", "PYTEST"))
    }
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    ours, theirs = pty.openpty() if typed else os.pipe()
    process = subprocess.Popen(
        command,
        shell=True,
        cwd=folder,
        env=environment | {"COLUMNS": "80"},
        stdin=theirs if typed else subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.STDOUT,
    )
    os.close(theirs)
    output = listen(ours, list(typed))
    returned = process.wait(300)
    ended = 128 - returned if returned < 0 else returned
    assert ended == int(code or 0), f"{command}: {output}"
    return output


def listen(source: int, typed: list[str]) -> str:
    """All that comes, an answer typed after each question: what ends in a colon and waits."""
    output, deadline = b"", time.monotonic() + 300
    with os.fdopen(source, "r+b" if typed else "rb", buffering=0) as stream:
        while True:
            assert time.monotonic() < deadline, output.decode()
            if select.select([stream], [], [], 1)[0]:
                try:
                    chunk = stream.read(65536)
                except OSError:  # how Linux says that the other end of a terminal is closed
                    chunk = b""
                if not chunk:
                    return output.decode().replace("\r\n", "\n")
                output += chunk
            elif typed and output.endswith(b": "):
                stream.write(f"{typed.pop(0)}\n".encode())


def check_output(command: str, output: str, expected: list[str]) -> None:
    """Compare but for spaces; `…` stands for anything, alone on a line for any lines."""
    if not expected:
        return
    lines = [re.escape(" ".join(line.split())).replace("…", ".*") for line in expected]
    pattern = "\n".join("(?s:.*)" if line == ".*" else line for line in lines)
    shown = "\n".join(" ".join(line.split()) for line in output.strip().splitlines())
    assert re.fullmatch(pattern, shown), f"{command} prints\n{output}"


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_study_files_and_parts_of_them_are_valid(page: Path, tmp_path: Path) -> None:
    for block in blocks(page):
        if block.language == "yaml" and not block.skipped:
            data = YAML(typ="safe").load(block.text)
            check_study(data if "name" in data else _BASE | data, tmp_path, installed())


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in _LINK.findall(page.read_text(encoding="utf-8")):
        if target.startswith("http"):
            continue
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), f"{target} does not exist"
        if anchor:
            assert anchor in anchors(path), f"{target}{anchor} does not exist"


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {
        "#" + re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings
    }


def test_few_blocks_are_skipped() -> None:
    skipped = [block for page in pages() for block in blocks(page) if block.skipped]
    assert len(skipped) == SKIPS, [block.mark for block in skipped]


@pytest.mark.parametrize("name", sorted(generate.PAGES.keys() - {"components.md"}))
def test_generated_pages_are_current(name: str) -> None:
    page = (DOCS / "reference" / name).read_text(encoding="utf-8")
    assert page == generate.NOTE + generate.PAGES[name](), "run docs/generate.py"


def test_the_options_of_every_installed_component_are_current() -> None:
    page = (DOCS / "reference" / "components.md").read_text(encoding="utf-8")
    for offer in generate.offers():
        assert generate.component_section(offer) in page, f"{offer.name}: run docs/generate.py"


def test_every_hook_command_and_kind_is_documented() -> None:
    reference = {name: (DOCS / "reference" / name).read_text("utf-8") for name in generate.PAGES}
    for group in (hookspecs.Contributions, hookspecs.Events):
        for hook in (name for name in vars(group) if not name.startswith("_")):
            assert f"### {hook}\n" in reference["hooks.md"]
    for path, command in generate.commands("tunesmith", cli):
        assert f"## {path}\n" in reference["cli.md"]
        assert command.help, f"{path} says nothing about itself"
    for kind in KINDS.values():
        assert f"### tunesmith.components.{kind.__name__}\n" in reference["python-api.md"]


def test_every_option_says_what_it_does() -> None:
    rows = re.findall(r"^\| `(\w+)` .*\| (.*) \|$", _reference("components.md"), re.MULTILINE)
    rows += re.findall(r"^\| `(\w+)` .*\| (.*) \|$", _reference("study-file.md"), re.MULTILINE)
    assert len(rows) > 50
    assert [name for name, about in rows if not about.strip()] == []


def _reference(name: str) -> str:
    return (DOCS / "reference" / name).read_text(encoding="utf-8")


def test_every_page_is_reached_from_the_readme() -> None:
    seen, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        seen.add(page)
        for target, _ in _LINK.findall(page.read_text(encoding="utf-8")):
            path = (page.parent / target).resolve()
            if path.suffix == ".md" and path.exists() and path not in seen:
                todo.append(path)
    assert {name_of(page) for page in set(pages()) - seen} <= {"core/README.md"}


def test_the_pages_about_plugins_show_the_example_as_it_is() -> None:
    copies = [block for page in pages() for block in blocks(page) if "copy of" in block.mark]
    assert len(copies) == 3
    for block in copies:
        path = ROOT / block.mark.removeprefix("copy of ")
        assert block.text == path.read_text(encoding="utf-8"), path


@pytest.mark.slow
def test_the_example_plugin_passes_its_tests_once_installed(tmp_path: Path) -> None:
    example = ROOT / "examples" / "10_a_plugin"
    target, tests = tmp_path / "installed", tmp_path / "tests"
    shutil.copytree(example / "tests", tests)
    options = ["--quiet", "--no-deps", "--target", str(target)]
    subprocess.run(["uv", "pip", "install", *options, str(example)], check=True)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests],
        env={**os.environ, "PYTHONPATH": str(target)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert re.search(r"^3\d passed", done.stdout, re.MULTILINE), done.stdout
