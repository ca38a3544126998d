"""An approved space is written into the study file, and nothing else of the file changes."""

import os
import stat
from itertools import combinations
from pathlib import Path

import pytest

from tunesmith.edits import apply
from tunesmith.errors import ConfigError
from tunesmith.proposals import (
    AddChoice,
    AddConstraint,
    DropChoice,
    DropConstraint,
    Fix,
    Narrow,
    SetCondition,
    SetScale,
    Widen,
)
from tunesmith.space import SearchSpace
from tunesmith.yaml_file import read_table, write_space

STUDY = """\
# tuning of the shop's model, owned by Ada
name:   "shop"        # keep the quotes
goals: {  accuracy: maximize }


space:                # see the wiki
  # the usual suspects
  parameters:
    'rate':           # of learning
      type: float
      low: 1e-3       # lower diverges? never tried
      high: 0.1

      log: false
      default: 5.0e-2
    depth: {type: int, low: 1,   high: 10, default: 3}   # trees
    kind:
      type: categorical
      choices:
        # from the paper
        - "tree"      # ours
        - 'line'
        - forest
        - bush
      # ordered: true
    leaves:
      type: int
      low: 2
      high: 0x40
      when: {depth: [2, 3, 4]}
  constraints: ["depth * 2 <= 64"]
  forbid:
    - {depth: [9, 10], kind: line}   # takes for ever
    - depth > 8 and rate < 0.002
    # - a rule we dropped
budget:
    trials: 1_000
objective: {use: python, function: "objective:train"}
executor:
  use: processes
# the end
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "study.yaml"
    path.write_text(STUDY)
    return path


def space_in(path: Path) -> SearchSpace:
    return SearchSpace.from_dict(read_table(path)[0]["space"])


def rewrite(path: Path, *edits) -> SearchSpace:
    old = space_in(path)
    new = apply(old, edits)
    write_space(path, old, new)
    assert space_in(path).fingerprint == new.fingerprint
    return new


LINES = {
    "a bound": (
        Widen(parameter="rate", high=1.0),
        ("      high: 0.1\n", "      high: 1.0\n"),
    ),
    "a bound with a comment": (
        Narrow(parameter="rate", low=0.01),
        ("low: 1e-3       # lower", "low: 0.01       # lower"),
    ),
    "a bound in a table on one line": (
        Widen(parameter="depth", high=20),
        ("low: 1,   high: 10, default", "low: 1,   high: 20, default"),
    ),
    "a scale that is written down": (
        SetScale(parameter="rate", log=True),
        ("log: false", "log: true"),
    ),
    "a choice gone": (
        DropChoice(parameter="kind", choices=("line",)),
        ("        - 'line'\n", ""),
    ),
    "a choice gone whose comment stays": (
        DropChoice(parameter="kind", choices=("tree",)),
        ('        - "tree"      # ours\n', "        # ours\n"),
    ),
    "a choice more": (
        AddChoice(parameter="kind", choices=("boosted trees", "no", "a: b")),
        (
            "        - bush\n",
            '        - bush\n        - boosted trees\n        - "no"\n        - "a: b"\n',
        ),
    ),
    "a condition": (
        SetCondition(parameter="leaves", when="depth > 2"),
        ("when: {depth: [2, 3, 4]}", 'when: "depth > 2"'),
    ),
    "a condition gone": (
        SetCondition(parameter="leaves", when=None),
        ("      when: {depth: [2, 3, 4]}\n", ""),
    ),
    "a rule more": (
        AddConstraint(forbid="kind == 'tree' and depth > 5"),
        (
            "    # - a rule we dropped\n",
            "    - \"kind == 'tree' and depth > 5\"\n    # - a rule we dropped\n",
        ),
    ),
    "a rule gone": (
        DropConstraint(forbid="depth > 8 and rate < 0.002"),
        ("    - depth > 8 and rate < 0.002\n", ""),
    ),
    "a rule gone whose comment stays": (
        DropConstraint(forbid="depth in [9, 10] and kind == 'line'"),
        ("    - {depth: [9, 10], kind: line}   # takes for ever\n", "    # takes for ever\n"),
    ),
}


SAME = [("a condition", "a condition gone"), ("a rule gone", "a rule gone whose comment stays")]
TOGETHER = [*combinations(LINES, 1), *(pair for pair in combinations(LINES, 2) if pair not in SAME)]


@pytest.mark.parametrize("names", TOGETHER, ids=" + ".join)
def test_edits_change_their_own_lines_only(path, names):
    expected = STUDY
    for name in names:
        before, after = LINES[name][1]
        assert before in expected
        expected = expected.replace(before, after)
    rewrite(path, *(LINES[name][0] for name in names))
    assert path.read_text() == expected


def test_a_scale_that_is_not_written_down_is_added_to_its_parameter(path):
    rewrite(path, SetScale(parameter="depth", log=True))
    expected = STUDY.replace("default: 3}   # trees", "default: 3, log: true}   # trees")
    assert path.read_text() == expected


def test_a_first_rule_is_added_to_the_space(path):
    path.write_text(STUDY[: STUDY.index("  constraints")] + "objective: python\n")
    before = path.read_text()
    rewrite(path, AddConstraint(forbid="depth > 9"))
    assert path.read_text() == before.replace(
        "objective: python", '  forbid: ["depth > 9"]\nobjective: python'
    )


def test_rules_that_are_all_gone_leave_their_comments(path):
    rules = space_in(path).forbid
    rewrite(path, *(DropConstraint(forbid=rule) for rule in rules))
    lost = (
        "  forbid:\n    - {depth: [9, 10], kind: line}   # takes for ever\n"
        "    - depth > 8 and rate < 0.002\n"
    )
    assert path.read_text() == STUDY.replace(lost, "  # takes for ever\n")


def test_what_is_taken_back_leaves_the_text_as_it_was(path):
    old = space_in(path)
    wider = rewrite(path, Widen(parameter="depth", high=20), SetScale(parameter="depth", log=True))
    write_space(path, wider, old)
    assert path.read_text() == STUDY


@pytest.mark.parametrize(
    ("space", "edit", "expected"),
    [
        (
            "{parameters: {x: {type: float, low: 0, high: 1}}}",
            Widen(parameter="x", low=-1.0, high=2),
            "{parameters: {x: {type: float, low: -1.0, high: 2.0}}}",
        ),
        (
            "{parameters: {x: {type: float, low: 0, high: 1}}}",
            AddConstraint(forbid="x > 0.5"),
            '{parameters: {x: {type: float, low: 0, high: 1}}, forbid: ["x > 0.5"]}',
        ),
        (
            '{"parameters":{"x":{"type":"categorical","choices":["a","b",  "c"]}}}',
            DropChoice(parameter="x", choices=("b",)),
            '{"parameters":{"x":{"type":"categorical","choices":["a","c"]}}}',
        ),
        (
            "{parameters: {x: {type: categorical, choices: [a, b, c, ]}}}",
            Fix(parameter="x", value="b"),
            "{parameters: {x: {type: categorical, choices: [b, ]}}}",
        ),
        (
            "{parameters: {x: {type: categorical, choices: [a,  # first\n    b, # second\n  c]}}}",
            Fix(parameter="x", value="a"),
            "{parameters: {x: {type: categorical, choices: [a,  # first\n    # second\n  ]}}}",
        ),
        (
            "{parameters: {x: {type: int, low: 1, high: 9, default: }}}",
            Fix(parameter="x", value=3),
            "{parameters: {x: {type: int, low: 3, high: 3, default: }}}",
        ),
    ],
    ids=str,
)
def test_a_space_in_one_line_stays_in_one_line(path, space, edit, expected):
    path.write_text(f"name: x # y\nspace: {space} # z\nseed: 1\n")
    rewrite(path, edit)
    assert path.read_text() == f"name: x # y\nspace: {expected} # z\nseed: 1\n"


@pytest.mark.parametrize("end", ["\n", "", "\r\n", "\n...\n"])
def test_line_ends_and_the_end_of_the_file_stay(path, end):
    text = "\ufeffspace:\n  parameters:\n    xä: {type: float, low: 0, high: 1}"
    if end == "\r\n":
        text = text.replace("\n", end)
    path.write_bytes((text + end).encode())
    rewrite(path, Widen(parameter="xä", high=2), AddConstraint(forbid="xä > 1.5"))
    newline = "\r\n" if end == "\r\n" else "\n"
    text = text.replace("high: 1", "high: 2.0")
    rule = f'{newline}  forbid: ["xä > 1.5"]'
    assert path.read_bytes() == (text + rule + end).encode()


def test_a_link_stays_a_link_and_the_mode_of_the_file_stays(path):
    link = path.with_name("link.yaml")
    link.symlink_to(path.name)
    path.chmod(0o640)
    rewrite(link, Widen(parameter="rate", high=1.0))
    assert link.is_symlink()
    assert "high: 1.0" in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(os.listdir(path.parent)) == ["link.yaml", "study.yaml"]


def test_a_file_that_cannot_be_replaced_stays_whole(path, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(ConfigError, match=r"cannot write .*study.yaml': No space left on device"):
        rewrite(path, Widen(parameter="rate", high=1.0))
    assert path.read_text() == STUDY
    assert os.listdir(path.parent) == ["study.yaml"]
