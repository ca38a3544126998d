"""From history to an approved proposal with a real, very small language model behind the advisor.

It says foolish things: what is shown is that they come to nothing, and are marked.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

STUDY = """\
name: real model
goals: {loss: minimize}
space:
  parameters:
    rate: {type: float, low: 0.00001, high: 0.01, log: true}
    depth: {type: int, low: 2, high: 12}
objective: {use: python, function: "objective:train"}
executor: inline
advisor:
  use: llm
  model: smollm2
  base_url: URL/v1
  samples: 1
  calls: 1
  output_tokens: 250
  thinking_tokens: 0
  extra: {temperature: 0.7, seed: 1}
  keep_prompts: true
budget: {trials: 40}
"""
OBJECTIVE = """
from math import log10

def train(params):
    return abs(log10(params["rate"])) + 0.3 * abs(params["depth"] - 7)
"""


@pytest.fixture(scope="module")
def address():
    """Of a server that runs SmolLM2-135M-Instruct."""
    program = Path(__file__).with_name("real_model.py")
    with subprocess.Popen(
        [sys.executable, str(program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        # on few cores threads that spin wait for each other
        env=os.environ | {"OMP_WAIT_POLICY": "passive"},
    ) as server:
        yield server.stdout.readline().strip()
        server.stdin.close()


def tunesmith(folder, *arguments, typed=""):
    return subprocess.run(
        [sys.executable, "-m", "tunesmith", *arguments],
        cwd=folder,
        input=typed,
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"XDG_CONFIG_HOME": str(folder / "config")},
    )


def test_a_real_model_answers_and_only_the_statistics_change_the_space(tmp_path, address):
    path = tmp_path / "study.yaml"
    path.write_text(STUDY.replace("URL", address))
    (tmp_path / "objective.py").write_text(OBJECTIVE)
    run = tunesmith(tmp_path, "run", "--advise")
    assert run.returncode == 9, run.stderr  # nobody to ask
    assert "language model smollm2 at 127.0.0.1" in " ".join(run.stdout.split())
    proposal = json.loads(tunesmith(tmp_path, "proposals", "show", "-f", "json").stdout)
    (call,) = proposal["model"]["calls"]
    assert call["input_tokens"] > 300 and "Space now" in call["prompt"]
    recommended = [edit for edit in proposal["edits"] if edit["tier"] == "recommended"]
    assert {edit["source"] for edit in recommended} == {"statistical"}
    assert all(
        edit["tier"] == "worth testing" for edit in proposal["edits"] if edit["source"] == "llm"
    )
    chat = tunesmith(tmp_path, "chat", typed="what do you make of the depth?\nwhy rate\n")
    assert chat.returncode == 0, chat.stderr
    _, answer, command = re.split(r"language model smollm2:|(?=E\d{3} rate)", chat.stdout)[:3]
    said = [line for line in answer.splitlines() if line.strip()]
    assert said and "no answer" not in answer, answer
    assert "quarter of the range" in command
    assert ("rate", "widen") in {(edit["parameter"], edit["action"]) for edit in recommended}
    approve = tunesmith(tmp_path, "proposals", "approve", "--as", "anna")
    assert approve.returncode == 0, approve.stderr
    assert "high: 0.01," not in path.read_text()
    history = json.loads(tunesmith(tmp_path, "space", "history", "-f", "json").stdout)
    assert "anna" in json.dumps(history[-1])
