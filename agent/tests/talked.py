"""A study to talk about: a rate at its bound, a depth, and a choice without effect."""

import subprocess
import sys

STUDY = """\
name: talk
goals: {loss: minimize}
space:
  parameters:
    learning_rate: {type: float, low: 0.00001, high: 0.01, log: true}  # a guess
    depth: {type: int, low: 2, high: 12, default: 6}
    kind: {type: categorical, choices: [a, b, c]}
objective: {use: python, function: "talked_about:train"}
executor: inline
budget: {trials: 60}
"""
OBJECTIVE = """
from math import log10

def train(params):
    rate = abs(log10(params["learning_rate"]))
    return rate + 0.3 * abs(params["depth"] - 7) + (params["kind"] == "b")
"""

FILES = ("study.yaml", "talked_about.py", "tunesmith.db")


def run_in(path):
    """Write the study, and run it."""
    (path / "study.yaml").write_text(STUDY)
    (path / "talked_about.py").write_text(OBJECTIVE)
    command = [sys.executable, "-m", "tunesmith", "run"]
    subprocess.run(command, cwd=path, check=True, capture_output=True)


def copied(ready, path):
    """The study that was run, once more."""
    for name in FILES:
        (path / name).write_bytes((ready / name).read_bytes())
