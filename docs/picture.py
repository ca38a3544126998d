"""Draws docs/images anew: runs the first example on a terminal of its own and keeps what it
shows, and photographs the report of another one in Chromium, which has to be there.
"""

import fcntl
import io
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

ROOT = Path(__file__).parents[1]
STUDY = "examples/01_breast_cancer/study.yaml"
REPORTED = "examples/05_reports/tumours.yaml"
COLUMNS = 116
HOME = "/home/you"


def main() -> None:
    images = ROOT / "docs" / "images"
    images.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "examples", folder / "examples")
        output = run_on_a_terminal(["tunesmith", "run", STUDY], folder)
        (images / "run.svg").write_text(drawn(output.replace(name, HOME)), encoding="utf-8")
        [picture] = (folder / "examples").rglob("parameters.png")
        shutil.copy(picture, images)
        run_on_a_terminal(["tunesmith", "run", REPORTED], folder)
        [page] = (folder / "examples/05_reports").rglob("round-1/index.html")
        photograph(page, images / "report.png")


def photograph(page: Path, picture: Path) -> None:
    """The upper part of a page."""
    with tempfile.TemporaryDirectory() as profile:
        command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        command += ["--disable-background-networking", f"--user-data-dir={profile}"]
        command += ["--window-size=1000,1500", f"--screenshot={picture}", page.as_uri()]
        subprocess.run(command, check=True, capture_output=True)


def run_on_a_terminal(command: list[str], folder: Path) -> str:
    """What the command writes to a terminal, with its colours."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "TERM": "xterm-256color"}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    chunks = []
    try:
        while chunk := os.read(ours, 65536):
            chunks.append(chunk)
    except OSError:  # how Linux says that the other end is closed
        pass
    if process.wait():
        raise SystemExit(b"".join(chunks).decode())
    return b"".join(chunks).decode()


def drawn(output: str) -> str:
    """The screen at the end, as SVG; of a line that was drawn over and over, the last state."""
    lines = [re.split(r"\r|\x1b\[2K", line.rstrip("\r"))[-1] for line in output.split("\n")]
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    console.print(Text.assemble(("$ ", "bold"), f"uv run tunesmith run {STUDY}"))
    console.print(Text.from_ansi("\n".join(lines).rstrip()))
    svg = console.export_svg(title="tunesmith", theme=MONOKAI, unique_id="run")
    # the reader's own fixed-width font: nothing is loaded from elsewhere
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    return svg.replace("Fira Code, monospace", "ui-monospace, Menlo, Consolas, monospace")


if __name__ == "__main__":
    main()
