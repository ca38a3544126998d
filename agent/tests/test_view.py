"""A proposal on the terminal: what is said, how it is drawn, and what never reaches the screen."""

import io
import re
from dataclasses import replace

import pytest
from proposed import EDITS, EVIDENCE, MADE, SPACE, history, proposal, reviewed, trials

from tunesmith.parameters import Categorical, Float, Int
from tunesmith.proposals import (
    AddChoice,
    Decision,
    Draft,
    Evidence,
    Fix,
    Note,
    SetScale,
    WhatIf,
    Widen,
)
from tunesmith.space import SearchSpace
from tunesmith.trial import TrialState
from tunesmith_agent.pictures import BINS, ChoicesPicture, RangePicture, draw, good_trials
from tunesmith_agent.story import as_of, story_of, tell, what_if
from tunesmith_agent.view import Screen, evidence_lines, picture_lines, screen_of, story_lines

ASCII = Screen(80, ".=.:-+*oO#")


def text(story, screen=None):
    return "\n".join(story_lines(story, screen or Screen()))


def whole(**options):
    return text(story_of(reviewed(), history(), **options))


def drawn(space, name, after=None):
    return draw(history(trials(), space), name, after)


def test_evidence_comes_first_then_edits_then_what_is_left_open():
    shown = whole()
    order = ["Evidence", "E001", "Edits", "e1 learning_rate", "Next round", "Left open"]
    assert [shown.index(word) for word in order] == sorted(shown.index(word) for word in order)
    assert "[recommended]" in shown
    assert "[worth testing]" in shown
    assert "the same edit in 97% of resampled histories" in shown
    assert "about 12 more trials would decide it (E002)" in " ".join(shown.split())


def test_evidence_that_nothing_cites_is_counted_and_shown_on_request():
    assert "momentum hardly matters" not in whole()
    assert "and 1 more that nothing below rests on" in whole()
    assert "momentum hardly matters" in whole(everything=True)
    assert "momentum, linear axis" in whole(everything=True)


def test_every_line_fits_into_80_columns_and_into_60():
    long = Note(kind="left alone", sentence="word " * 60 + "x" * 200)
    story = tell(proposal(notes=(long,)), history(), everything=True)
    assert max(map(len, text(story).splitlines())) <= 80
    assert max(map(len, text(story, Screen(60)).splitlines())) <= 60


@pytest.mark.parametrize(
    ("inside", "before", "shown"),
    [
        (0.25, 0.001, "is the best so far: 25%, against less than 1% in the space as it is"),
        (1.0, None, "is the best so far: more than 99%"),
        (0.004, 0.0, None),
        (None, None, None),
    ],
)
def test_a_chance_is_never_0_or_100_and_left_out_where_it_tells_nothing(inside, before, shown):
    found = WhatIf(best_kept=9, best_of=9, volume=2, better_inside=inside, better_before=before)
    told = [sentence for sentence in what_if(found) if "chance" in sentence]
    assert told == ([f"chance that the next trial {shown}"] if shown else [])


def test_words_of_a_model_are_marked_as_such():
    assert 'in a language model\'s words: "Penalties live on a log scale."' in whole()
    assert "why: Penalties" not in whole()


def test_decisions_are_shown_with_who_when_and_why():
    made = [
        Decision(edit="e1", verdict="approve", author="ada", at=MADE),
        Decision(
            edit="e3",
            verdict="edit",
            author="bo",
            reason="enough",
            at=MADE,
            changed=EDITS[2].model_copy(update={"low": 2}),
        ),
        Decision(edit="e2", verdict="reject", author="ada", reason="we need sgd", at=MADE),
    ]
    shown = text(story_of(reviewed(*made), history()))
    assert re.search(r"approved by ada on \d{4}-", shown)
    assert "rejected by ada" in shown
    assert "reason: we need sgd" in " ".join(shown.split())
    assert "max_depth: low 1 -> 2" in shown


def test_a_draft_without_edits_says_so():
    shown = text(tell(Draft(notes=(Note(kind="left alone", sentence="All is well."),)), history()))
    assert "No edit is proposed." in shown
    assert "Next round" not in shown
    assert "left alone: All is well" in shown


def test_control_characters_never_reach_the_terminal():
    bad = "\x1b[2Jgone\x07\u202ebackwards\u2028"
    space = SearchSpace({"x": Categorical(["a", bad]), "y": Float(0, 1)})
    row = Evidence(id="E001", kind=bad, trials=1, sentence=bad, numbers={bad: 1})
    edits = (
        AddChoice(parameter="x", choices=("b", bad + "2"), why=bad, effect=bad, evidence=("E001",)),
        Widen(parameter="y", high=2, why=bad, source="llm"),
    )
    draft = proposal(edits, space, evidence=(row,), notes=(Note(kind="left out", sentence=bad),))
    known = history([], space)
    said = Decision(edit="e1", verdict="reject", author=bad, reason=bad, at=MADE)
    lines = [
        *story_lines(tell(draft, known, [said], True), Screen()),
        *evidence_lines(row, Screen()),
    ]
    assert all(line.isprintable() for line in lines)
    assert any("\\x1b[2J" in line for line in lines)


def test_a_terminal_without_unicode_gets_bars_of_ascii():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    assert screen_of(stream).signs == ASCII.signs
    assert screen_of(io.TextIOWrapper(io.BytesIO(), encoding="utf-8")).signs == Screen().signs
    assert text(story_of(reviewed(), history(), True), ASCII).isascii()


def test_the_bar_of_a_wider_range_begins_with_the_old_one():
    picture = drawn(SPACE, "learning_rate", Float(0.0001, 0.1, log=True))
    assert isinstance(picture, RangePicture)
    assert picture.new == (0.0, 1.0)
    assert picture.was == pytest.approx((0.0, 2 / 3))
    assert [label for _, label in picture.ticks] == ["0.0001", "0.001", "0.01", "0.1"]
    assert picture.ticks[2][0] == pytest.approx(2 / 3)
    was, new = [line for line in picture_lines(picture, Screen()) if "━" in line]
    assert (was.count("━"), new.count("━")) == (33, 50)


def test_good_trials_are_counted_where_they_lie():
    rows = [
        replace(
            trial, params=trial.params | {"l2": 9.9 if trial in good_trials(history()) else 0.1}
        )
        for trial in trials()
    ]
    picture = draw(history(rows), "l2", None)
    assert isinstance(picture, RangePicture)
    assert len(picture.good) == BINS
    assert picture.good == (0,) * 9 + (9,)
    assert picture.tried == (41,) + (0,) * 8 + (9,)
    assert picture.new is None
    assert picture.best_of == (9, 45)


def test_good_trials_beside_the_axis_are_told():
    rows = [replace(trial, params=trial.params | {"l2": 50.0}) for trial in trials()]
    picture = draw(history(rows), "l2", None)
    assert isinstance(picture, RangePicture)
    assert picture.outside == 9
    shown = " ".join("\n".join(picture_lines(picture, Screen())).split())
    assert "9 of them beside this axis" in shown


def test_a_few_whole_numbers_get_a_column_each():
    picture = drawn(SPACE, "max_depth", Int(3, 16))
    assert isinstance(picture, RangePicture)
    assert len(picture.good) == 16
    assert picture.was == pytest.approx((0, 12 / 16))
    assert picture.new == pytest.approx((2 / 16, 1))


def test_choices_are_kept_dropped_or_added():
    picture = drawn(SPACE, "optimizer", Categorical(["adam", "lion", "new"]))
    assert isinstance(picture, ChoicesPicture)
    assert [(row.label, row.fate) for row in picture.rows] == [
        ("adam", "kept"),
        ("sgd", "dropped"),
        ("lion", "kept"),
        ("new", "added"),
    ]
    assert sum(row.good for row in picture.rows) == 9
    assert sum(row.tried for row in picture.rows) == 50


def test_true_and_1_are_two_choices():
    space = SearchSpace({"x": Categorical([True, 1])})
    rows = [replace(trial, params={"x": True}) for trial in trials()]
    picture = draw(history(rows, space), "x", None)
    assert isinstance(picture, ChoicesPicture)
    assert [row.tried for row in picture.rows] == [50, 0]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Float(0, 0.5), Float(1e-6, 0.5, log=True)),
        (Float(0.001, 10), Float(0.001, 10, log=True)),
        (Float(0.5, 0.5), None),
        (Float(0.001, 10, log=True), Float(0.3, 0.3, log=True)),
        (Float(-1e300, 1e300), None),
        (Float(1e-300, 1e300, log=True), None),
        (Float(0, 5e-324), None),
        (Int(7, 7), None),
        (Int(0, 1), Int(0, 10**15)),
        (Int(1, 10**6, log=True), None),
        (Float(0, 1, step=0.25), Float(0, 2, step=0.25)),
    ],
)
@pytest.mark.parametrize("screen", [Screen(), ASCII], ids=["unicode", "ascii"])
def test_every_range_can_be_drawn(before, after, screen):
    space = SearchSpace({"x": before})
    rows = [replace(trial, params={"x": before.at(trial.number / 50)}) for trial in trials()]
    picture = draw(history(rows, space), "x", after)
    assert isinstance(picture, RangePicture)
    # 0 has no place on a logarithmic axis
    assert sum(picture.tried) == 50 - (picture.scale == "log" and before.low == 0)
    for start, end in filter(None, (picture.was, picture.new)):
        assert 0 <= start <= end <= 1
    assert all(0 <= place <= 1 for place, _ in picture.ticks)
    lines = list(picture_lines(picture, screen))
    assert max(map(len, lines)) <= 80
    assert any(line.strip().startswith("was") for line in lines)


def test_a_history_without_a_score_is_drawn_too():
    failed = [replace(trial, state=TrialState.FAILED, metrics={}) for trial in trials()]
    for rows in ([], failed):
        assert "e1 learning_rate" in text(story_of(reviewed(), history(rows), True))


def test_edits_are_drawn_for_the_space_that_they_were_proposed_for():
    edits = (
        SetScale(parameter="l2", log=True),
        Widen(parameter="l2", high=100),
        Fix(parameter="max_depth", value=4),
    )
    cards = tell(proposal(edits), history()).cards
    assert cards[1].phrase == "l2: high 10 -> 100"
    assert isinstance(cards[1].picture, RangePicture)
    assert cards[1].picture.new_text == "0.001 to 100, log"
    assert isinstance(cards[2].picture, RangePicture)
    assert cards[2].picture.new_text == "4"


def test_an_old_proposal_is_shown_with_the_trials_of_its_time():
    later = [
        replace(trial, number=trial.number + 50, finished=MADE + 1 + trial.number)
        for trial in trials(seed=1)
    ]
    found = as_of(history([*trials(), *later]), proposal(), SPACE)
    assert found.trials == trials()


def test_why_tells_the_numbers_and_where_the_trials_lie():
    shown = "\n".join(evidence_lines(EVIDENCE[0], Screen()))
    assert "edge, from 12 trials" in shown
    assert "p_value 0.001235, slope 0.5" in shown
    assert "trials in each tenth of the range: 5 5 4 6" in shown
