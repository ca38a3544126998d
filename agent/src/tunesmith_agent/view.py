"""A proposal on the terminal: evidence, edits with their pictures, and what was decided.

Works in 80 columns, without colours, and without Unicode where the terminal has none.
"""

import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import TextIO

import click

from tunesmith.cli.output import printable
from tunesmith.proposals import Evidence
from tunesmith_agent.pictures import ChoicesPicture, Picture, RangePicture, Span
from tunesmith_agent.story import Card, Story, coverage, numbers

BAR = 50
_UNICODE = "·━▁▂▃▄▅▆▇█"
_ASCII = ".=.:-+*oO#"
"""Background, range, and eight heights of a column."""


@dataclass(frozen=True, slots=True)
class Screen:
    """How wide the lines are, and the signs that bars are drawn with."""

    width: int = 80
    signs: str = _UNICODE


def screen_of(stream: TextIO) -> Screen:
    """What the stream can show."""
    width = min(shutil.get_terminal_size().columns, 100)
    try:
        _UNICODE.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return Screen(width, _ASCII)
    return Screen(width)


def show(lines: Iterator[str], err: bool = False) -> None:
    """Print lines; letters that the stream cannot encode are escaped."""
    encoding = (sys.stderr if err else sys.stdout).encoding or "ascii"
    for line in lines:
        click.echo(line.encode(encoding, "backslashreplace").decode(encoding), err=err)


def story_lines(story: Story, screen: Screen, cards: bool = True) -> Iterator[str]:
    """The whole proposal: what the trials say first, then each edit, then what is left open.

    Without `cards` the edits are left for later.
    """
    yield printable(story.title)
    yield from item("; ".join(story.facts), screen)
    yield ""
    yield from _list("Assumed, to be checked", story.assumed, screen)
    if story.evidence:
        yield "Evidence"
        for row in story.evidence:
            yield from item(f"{row.id} {row.sentence}", screen, hang=5)
        if story.hidden:
            yield f"  and {story.hidden} more that nothing below rests on: --all shows them"
        yield ""
    if not story.cards:
        yield from ("No edit is proposed.", "")
    elif cards:
        yield "Edits"
    for card in story.cards if cards else ():
        yield from card_lines(card, screen)
        yield ""
    yield from _list("In a language model's words", story.words, screen)
    yield from _list("All recommended edits together", story.together, screen)
    yield from _list("Next round", story.next_round, screen)
    yield from _list("Left open", story.notes, screen)
    for picture in story.pictures:
        yield from picture_lines(picture, screen)
        yield ""


def _list(title: str, sentences: Sequence[str], screen: Screen) -> Iterator[str]:
    if sentences:
        yield title
        for sentence in sentences:
            yield from item(f"- {sentence}", screen, hang=2)
        yield ""


def card_lines(card: Card, screen: Screen) -> Iterator[str]:
    """One edit."""
    yield from item(f"{card.id} {card.phrase} [{card.tier}]", screen, hang=3)
    cited = f" ({', '.join(card.evidence)})" if card.evidence else ""
    if card.why or cited:
        yield from item(f"why: {card.why or 'see the evidence'}{cited}", screen, indent=6, hang=5)
    yield from item("; ".join(card.facts), screen, indent=6)
    if card.words:
        yield from item(f'in a language model\'s words: "{card.words}"', screen, indent=6, hang=2)
    if card.verdict:
        yield from item(card.verdict, screen, indent=6)
    if card.picture:
        yield from picture_lines(card.picture, screen)


def evidence_lines(row: Evidence, screen: Screen) -> Iterator[str]:
    """One row of evidence with its figures, and where its trials lie."""
    yield from item(f"{row.id} {row.sentence}", screen, hang=5)
    told = [f"{row.kind}, from {row.trials} trials", numbers(row), coverage(row)]
    for text in filter(None, told):
        yield from item(text, screen, indent=8)


def picture_lines(picture: Picture, screen: Screen) -> Iterator[str]:
    """A parameter's picture."""
    best, scored = picture.best_of
    where = f"where the best {best} of {scored} trials lie"
    if isinstance(picture, ChoicesPicture):
        yield from item(f"{picture.parameter}: {where}", screen, indent=4)
        yield from _choice_lines(picture, screen)
        return
    outside = f", {picture.outside} of them beside this axis" if picture.outside else ""
    title = f"{picture.parameter}, {picture.scale} axis: {where}{outside}"
    yield from item(title, screen, indent=4)
    yield from _range_lines(picture, screen)


def _range_lines(picture: RangePicture, screen: Screen) -> Iterator[str]:
    signs = screen.signs
    rows = [
        ("", _ticks(picture, screen.width), ""),
        ("was", _span(picture.was, signs), picture.was_text),
    ]
    if picture.new:
        rows.append((picture.label, _span(picture.new, signs), picture.new_text))
    for label, counts in (("good", picture.good), ("tried", picture.tried)):
        rows.append((label, _columns(counts, signs), f"highest: {max(counts)}"))
    for label, bar, text in rows:
        line = f"    {label:6}{bar}"
        fits = len(line) + 2 + len(text) <= screen.width
        yield f"{line}  {text}".rstrip() if fits else line.rstrip()
        if not fits:
            yield f"{'':10}{text}"


def _span(span: Span, signs: str) -> str:
    start = min(round(span[0] * BAR), BAR - 1)
    end = max(round(span[1] * BAR), start + 1)
    return signs[0] * start + signs[1] * (end - start) + signs[0] * (BAR - end)


def _columns(counts: tuple[int, ...], signs: str) -> str:
    top = max(*counts, 1)
    edges = [round(index * BAR / len(counts)) for index in range(len(counts) + 1)]
    heights = [-(-count * 8 // top) for count in counts]
    return "".join(
        (signs[1 + height] if height else " ") * (edges[index + 1] - edges[index])
        for index, height in enumerate(heights)
    )


def _ticks(picture: RangePicture, width: int) -> str:
    room = max(BAR, min(BAR + 8, width - 10))
    line = " " * room
    for place, text in picture.ticks:
        at = min(max(round(place * BAR) - len(text) // 2, 0), room - len(text))
        if not line[max(at - 1, 0) : at + len(text) + 1].strip():
            line = line[:at] + text + line[at + len(text) :]
    return line.rstrip()


def _choice_lines(picture: ChoicesPicture, screen: Screen) -> Iterator[str]:
    labels = [printable(row.label) for row in picture.rows]
    wide = min(max(map(len, labels)), max(8, screen.width - 49), 24)
    top = max(1, *(row.good for row in picture.rows))
    for row, label in zip(picture.rows, labels, strict=True):
        short = label if len(label) <= wide else f"{label[: wide - 3]}..."
        bar = screen.signs[-1] * round(row.good / top * 12)
        counts = f"{row.good} good of {row.tried} tried"
        yield f"    {short:{wide}}  {row.fate:8} {bar:12}  {counts}"


def item(text: str, screen: Screen, indent: int = 2, hang: int = 0) -> Iterator[str]:
    """The text in lines, those after the first one `hang` further in."""
    yield from wrap(
        printable(text),
        width=screen.width,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hang),
        break_long_words=True,
        break_on_hyphens=False,
    )
