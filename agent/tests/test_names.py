"""Under which names a language model knows parameters and choices, there and back."""

import re

from hypothesis import given
from hypothesis import strategies as st

from tunesmith.parameters import Categorical, Float
from tunesmith.space import SearchSpace
from tunesmith_agent.language.names import Names, clean

PLAIN = re.compile(r"[A-Za-z0-9_.\-/]{1,64}")
choices = st.text(min_size=1, max_size=20).filter(lambda text: text == clean(text).strip())


@given(st.lists(choices, min_size=1, max_size=5, unique=True))
def test_only_plain_choices_go_out_and_all_of_them_come_back(found):
    names = Names(SearchSpace({"kind": Categorical(found)}))
    for choice in found:
        shown = names.value(choice)
        assert PLAIN.fullmatch(shown)
        assert names.choice("kind", shown) == choice


@given(choices.filter(lambda text: not PLAIN.fullmatch(text)))
def test_a_sentence_hides_an_odd_choice_and_shows_it_again(choice):
    names = Names(SearchSpace({"kind": Categorical(["a", choice])}))
    hidden = names.hide(f"give up {choice!r} of kind")
    assert hidden == "give up 'choice_1' of kind"
    assert choice in names.reveal(hidden)


def test_odd_parameter_names_have_aliases_and_lone_surrogates_never_go_out():
    long = "x" * 65
    names = Names(SearchSpace({"rate": Float(0, 1), long: Float(0, 1)}))
    assert names.name("rate") == "rate" and names.name(long) == "parameter_2"
    assert names.known("parameter_2") == long and names.known("parameter_1") is None
    assert names.hide(f"{long} and rate") == "parameter_2 and rate"
    assert clean("a\ud800b") == "ab"
