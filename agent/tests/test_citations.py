"""What a language model may cite: evidence and numbers that it was shown, rounded or not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith_agent.language.citations import Citations

KNOWN = Citations(["E001"], "loss 0.12345, 40% of 25 trials, rate 1e-05 to 1,000, loss 1e400")


@pytest.mark.parametrize(
    "text",
    ["E001 says 0.12", "0.123 or 0.12345", "40% or 0.4", "1000 and 0.00001", "-25", "step2 x3y"],
)
def test_what_was_shown_may_be_cited(text):
    assert KNOWN.strange(text) == ""


@pytest.mark.parametrize(
    ("text", "strange"),
    [
        ("E002 says so", "E002"),
        ("0.13 or so", "0.13"),
        ("in 41% of them", "41%"),
        ("1e-06", "1e-06"),
        ("at 2e400", "2e400"),
        ("1e-999999", "1e-999999"),
    ],
)
def test_anything_else_is_strange(text, strange):
    assert KNOWN.strange(text) == strange


def test_its_own_numbers_may_be_named_beside():
    assert KNOWN.strange("widen to 15", own="15") == ""


@given(st.text(alphabet="0123456789.eE+-%, ", max_size=40))
def test_no_text_is_a_fault(text):
    KNOWN.strange(text)
    Citations([], text)


@given(st.floats(-1e300, 1e300), st.integers(1, 17))
def test_a_number_may_be_rounded(number, digits):
    written = f"{number:.{digits}g}"
    assert Citations([], f"x {number!r}").strange(f"about {written}") == ""
