"""Values that others share, and values that are hard to write, in a file that is rewritten."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from test_write_back import rewrite

from tunesmith.errors import ConfigError
from tunesmith.proposals import Narrow, Widen
from tunesmith.yaml_patch import patched


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "study.yaml"


SHARED = """\
space:
  parameters:
    x: &x {type: float, low: 0, high: &top 1}
    y: *x
    z:
      <<: *x
      low: -1
    w: {type: float, low: 0, high: *top}
    v: {type: &kind float, low: 0, high: 1}
seed: 1
"""


def test_an_anchor_stays_where_its_value_changes_for_all_who_share_it(path):
    path.write_text(SHARED)
    rewrite(path, *(Widen(parameter=name, high=2) for name in "xyzw"))
    assert path.read_text() == SHARED.replace("&top 1", "&top 2.0")


@pytest.mark.parametrize("name", ["x", "y", "z", "w"])
def test_a_value_that_others_share_is_left_to_people(path, name):
    path.write_text(SHARED)
    with pytest.raises(ConfigError, match=r"cannot put the approved space into .*; write it there"):
        rewrite(path, Widen(parameter=name, high=2))
    assert path.read_text() == SHARED


def test_what_only_stands_beside_shared_values_is_rewritten(path):
    path.write_text(SHARED)
    rewrite(path, Widen(parameter="v", high=2), Narrow(parameter="z", low=-0.5))
    expected = SHARED.replace("&kind float, low: 0, high: 1", "&kind float, low: 0, high: 2.0")
    assert path.read_text() == expected.replace("low: -1", "low: -0.5")


_VALUES = st.one_of(
    st.text(max_size=8), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none()
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(_VALUES, min_size=1, max_size=4, unique_by=repr), st.booleans())
def test_any_choice_is_read_back_as_it_was(choices, block):
    item = "\n      - " if block else ", "
    first = f"{item}old" if block else "[old"
    end = "" if block else "]"
    text = f"space:\n  x:\n    choices: {first}{item}older{end} # c\nseed: 1\n"
    data = YAML(typ="safe").load(text)
    new = {**data, "space": {"x": {"choices": ["older", *choices]}}}
    assert repr(YAML(typ="safe").load(patched(text, data, new))) == repr(new)
