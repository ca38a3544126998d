"""A study that was run, with an advisor that says what the tests wrote down."""

import json
import sys

import pytest
from click.testing import CliRunner

from tunesmith.cli import main
from tunesmith.components import Advisor
from tunesmith.proposals import Draft, Evidence, Note, Tier, Widen

STUDY = """\
name: demo
goals: {loss: minimize}
space:
  parameters:
    x: {type: float, low: -2, high: 2, default: 0.5}  # the only one that matters
    kind: {type: categorical, choices: [a, b, c], default: a}
    depth: {type: int, low: 1, high: 8, default: 4}
objective: {use: python, function: "objective_of_the_review:loss"}
executor: inline
advisor: written
budget: {trials: 12}
"""
OBJECTIVE = """
def loss(params, trial):
    return (params["x"] - 3) ** 2
"""
EVIDENCE = (
    Evidence(
        id="E001",
        kind="edge",
        parameters=("x",),
        numbers={"p_value": 0.004},
        trials=12,
        coverage=(1, 1, 1, 1, 1, 1, 1, 1, 2, 2),
        sentence="The best trials lie at the upper edge of x.",
    ),
)
DRAFT = Draft(
    evidence=EVIDENCE,
    edits=(
        Widen(parameter="x", high=4, why="They crowd there.", evidence=("E001",)),
        Widen(parameter="depth", high=12, why="It may help.", evidence=("E001",)),
        Widen(parameter="x", low=-4, tier=Tier.WORTH_TESTING, evidence=("E001",)),
    ),
    notes=(Note(kind="left alone", sentence="kind hardly matters"),),
)
PLUGIN = '''
import json
import os
from tunesmith.components import Advisor
from tunesmith.hookspecs import hookimpl

class Written(Advisor):
    """Says what the test wrote down."""

    def advise(self, history):
        from tunesmith.proposals import Draft
        return Draft.model_validate_json(os.environ["DRAFT"])

@hookimpl
def register_advisors(register):
    register("written", Written)
'''


class Written(Advisor):
    """Says what the test wrote down."""

    draft = DRAFT

    def advise(self, history):
        return self.draft

    def worth(self, history):
        made = [item.proposal.number for item in history.proposals if item.version]
        return [
            Evidence(id=f"E00{number}", kind="worth", trials=12, sentence=f"p{number} was worth it")
            for number in made
        ]


class Call:
    """What a command printed, and its exit code."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err


def call(*arguments, typed=""):
    """The command in this process, errors as `main` shows them."""
    runner = CliRunner()
    with runner.isolation(input=typed) as streams, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["tunesmith", *map(str, arguments)])
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        return Call(code, streams[0].getvalue().decode(), streams[1].getvalue().decode())


def from_json(*arguments, typed=""):
    found = call(*arguments, "-f", "json", typed=typed)
    assert found.code == 0, found.err
    return json.loads(found.out, parse_constant=pytest.fail)
