"""The page of a proposal: whole, harmless, and the same content as on the terminal."""

from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from proposed import EVIDENCE, MADE, history, proposal, reviewed

from tunesmith.errors import ConfigError
from tunesmith.parameters import Categorical, Float
from tunesmith.proposals import AddChoice, Decision, Evidence, Note, Widen
from tunesmith.space import SearchSpace
from tunesmith_agent.page import page, write_page
from tunesmith_agent.story import story_of, tell

VOID = {"meta", "br"}


class Page(HTMLParser):
    """Tags and text of a page; every tag that is opened has to be closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.words, self.attributes = [], set(), [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_it_says_what_the_terminal_says():
    story = story_of(reviewed(), history(), everything=True)
    words = " ".join(" ".join(Page(page(story)).words).split())
    for card in story.cards:
        assert f"{card.id} {card.phrase}" in words
        assert all(fact in words for fact in card.facts)
    for row in EVIDENCE:
        assert row.sentence in words
    for sentence in (*story.together, *story.next_round, *story.notes):
        assert sentence in words
    assert "momentum: where the best 9 of 45 trials lie" in words
    assert "In a language model's words: Penalties live on a log scale." in words


def test_it_loads_nothing_and_runs_nothing():
    found = Page(page(story_of(reviewed(), history(), everything=True)))
    assert not found.tags & {"script", "link", "img", "iframe", "object", "form", "a", "use"}
    assert not {name for name, _ in found.attributes} & {"src", "href", "onload", "onclick"}
    assert "url(" not in page(story_of(reviewed(), history()))
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in found.attributes


def test_whatever_comes_from_outside_is_text():
    bad = "</style><script>alert(1)</script><img src=x onerror='a' \"b\"\x1b[2J\u202e"
    space = SearchSpace({"x": Categorical(["a", bad]), "y": Float(0, 1)})
    row = Evidence(id="E001", kind=bad, trials=1, sentence=bad, numbers={bad: 1})
    edits = (
        AddChoice(parameter="x", choices=(bad + "2",), why=bad, effect=bad, evidence=("E001",)),
        Widen(parameter="y", high=2, why=bad, source="llm"),
    )
    notes = (Note(kind="left out", sentence=bad),)
    draft = proposal(edits, space, evidence=(row,), notes=notes, study=bad, advisor=bad)
    said = Decision(edit="e1", verdict="reject", author=bad, reason=bad, at=MADE)
    text = page(tell(draft, history([], space), [said], everything=True))
    found = Page(text)
    assert not found.tags & {"script", "img"}
    assert "onerror" not in dict(found.attributes)
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_each_drawing_is_well_formed_and_stays_on_its_canvas():
    text = page(story_of(reviewed(), history(), everything=True))
    drawings = [part.partition("</svg>")[0] + "</svg>" for part in text.split("<svg")[1:]]
    assert len(drawings) >= 5
    for drawing in drawings:
        svg = ElementTree.fromstring(f"<svg{drawing}")
        _, _, wide, tall = map(float, svg.attrib["viewBox"].split())
        for rect in svg.iter("rect"):
            box = {key: float(rect.attrib.get(key, 0)) for key in ("x", "y", "width", "height")}
            assert box["width"] >= 0
            assert box["height"] >= 0
            assert box["x"] + box["width"] <= wide
            assert box["y"] + box["height"] <= tall


def test_a_page_that_cannot_be_written_leaves_nothing(tmp_path):
    story = story_of(reviewed(), history())
    with pytest.raises(ConfigError, match=r"cannot write '.*/no/page\.html': No such file"):
        write_page(tmp_path / "no" / "page.html", story)
    (tmp_path / "page.html").mkdir()
    with pytest.raises(ConfigError, match="cannot write"):
        write_page(tmp_path / "page.html", story)
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_the_page_replaces_an_older_one(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("old")
    write_page(path, story_of(reviewed(), history()))
    assert path.read_text().startswith("<!doctype html>")
