"""A proposal as one page of HTML that needs nothing else: for sending around and for printing."""

import os
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from tunesmith.cli.output import printable
from tunesmith.errors import ConfigError
from tunesmith.proposals import Evidence
from tunesmith_agent.pictures import ChoicesPicture, Picture, RangePicture, Span
from tunesmith_agent.story import Card, Story, coverage, numbers

_STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #fff; --faint: #666; --line: #ccc;
  --new: #0072b2; --was: #8a8a8a; --card: #f6f6f6; }
@media (prefers-color-scheme: dark) { :root { --ink: #eee; --paper: #161616; --faint: #aaa;
  --line: #444; --new: #56b4e9; --was: #999; --card: #222; } }
@media print { :root { --ink: #000; --paper: #fff; --faint: #444; --line: #999; --new: #0072b2;
  --was: #777; --card: #fff; } }
body { margin: 0 auto; padding: 1rem; max-width: 46rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; margin-top: 2rem; } h3 { font-size: 1rem; }
.faint, figcaption { color: var(--faint); font-size: .9rem; }
article { border: 1px solid var(--line); border-radius: .5rem; background: var(--card);
  padding: .25rem 1rem; margin: 1rem 0; break-inside: avoid; }
.tier, .verdict { border: 1px solid var(--line); border-radius: 1rem; padding: 0 .6rem;
  font-size: .85rem; font-weight: normal; }
.verdict { border-color: var(--new); border-radius: .5rem; padding: .2rem .6rem; }
blockquote { border-left: 4px solid var(--line); margin: .5rem 0; padding-left: .8rem; }
figure { margin: 1rem 0; break-inside: avoid; } svg { width: 100%; max-width: 34rem; }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; }
.new { fill: var(--new); } .was { fill: var(--was); } .axis { stroke: var(--line); }
.id { white-space: nowrap; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left;
  vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); }
"""
_LEFT, _BAR = 44, 340


def write_page(path: Path, story: Story) -> None:
    """Write the page. Raises ConfigError where it cannot be written."""
    write_whole(path, page(story))


def write_whole(path: Path, text: str) -> None:
    """Write a file, whole or not at all. Raises ConfigError where it cannot be written."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ConfigError(f"cannot write '{path}': {error.strerror}") from None


def page(story: Story) -> str:
    """The whole page. Every word of it is escaped, and nothing in it can run or load anything."""
    body = [
        f"<h1>{_text(story.title)}</h1>",
        f'<p class="faint">{_text("; ".join(story.facts))}</p>',
        _list("Assumed, to be checked", story.assumed),
        _evidence(story.evidence, story.hidden),
        "<h2>Edits</h2>" if story.cards else "<h2>No edit is proposed</h2>",
        *map(_card, story.cards),
        _list("In a language model's words", story.words),
        _list("All recommended edits together", story.together),
        _list("Next round", story.next_round),
        _list("Left open", story.notes),
        *map(_figure, story.pictures),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{_text(story.title)}</title>\n<style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(filter(None, body))
        + "\n</body></html>\n"
    )


def _text(text: str) -> str:
    return escape(printable(text), quote=True)


def _list(title: str, sentences: Sequence[str]) -> str:
    items = "".join(f"<li>{_text(sentence)}</li>" for sentence in sentences)
    return f"<h2>{title}</h2><ul>{items}</ul>" if items else ""


def _evidence(rows: Iterable[Evidence], hidden: int) -> str:
    found = [
        f'<tr><th class="id">{row.id}</th><td>{_text(row.sentence)}<br>'
        f'<span class="faint">{_text(_figures(row))}</span></td></tr>'
        for row in rows
    ]
    if not found:
        return ""
    more = f'<p class="faint">and {hidden} more that no edit rests on</p>' if hidden else ""
    return f"<h2>Evidence</h2><table>{''.join(found)}</table>{more}"


def _figures(row: Evidence) -> str:
    parts = [f"{row.kind}, from {row.trials} trials", numbers(row), coverage(row)]
    return "; ".join(filter(None, parts))


def _card(card: Card) -> str:
    parts = [f'<h3>{_text(f"{card.id} {card.phrase}")} <span class="tier">{card.tier}</span></h3>']
    if card.verdict:
        parts.append(f'<p class="verdict">{_text(card.verdict)}</p>')
    cited = f" ({', '.join(card.evidence)})" if card.evidence else ""
    if card.why or cited:
        parts.append(f"<p>{_text((card.why or 'See the evidence') + cited)}</p>")
    parts.append(f'<p class="faint">{_text("; ".join(card.facts))}</p>')
    if card.picture:
        parts.append(_figure(card.picture))
    if card.words:
        parts.append(
            '<p class="faint">In a language model\'s words:</p>'
            f"<blockquote>{_text(card.words)}</blockquote>"
        )
    return f"<article>{''.join(parts)}</article>"


def _figure(picture: Picture) -> str:
    best, scored = picture.best_of
    where = f"{picture.parameter}: where the best {best} of {scored} trials lie"
    if isinstance(picture, ChoicesPicture):
        return f"<figure><figcaption>{_text(where)}</figcaption>{_choices(picture)}</figure>"
    ranges = f"was {picture.was_text}"
    if picture.new:
        ranges += f", {picture.label} {picture.new_text}"
    if picture.outside:
        ranges += f"; {picture.outside} of the best lie beside this axis"
    caption = _text(f"{where}; {picture.scale} axis; {ranges}")
    return f"<figure>{_range(picture, caption)}<figcaption>{caption}</figcaption></figure>"


def _range(picture: RangePicture, label: str) -> str:
    rows = [
        *_columns("good", picture.good, 46, 40, "new"),
        *_columns("tried", picture.tried, 78, 24, "was"),
        *_span("was", picture.was, 88, "was"),
        *(_span(picture.label, picture.new, 104, "new") if picture.new else ()),
    ]
    bottom = 120 if picture.new else 104
    for place, text in _spread(picture.ticks):
        x = _LEFT + place * _BAR
        rows.append(f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="84" y2="{bottom}"/>')
        anchor = "start" if place < 0.04 else "end" if place > 0.96 else "middle"
        rows.append(f'<text x="{x:.1f}" y="{bottom + 13}" text-anchor="{anchor}">{text}</text>')
    return (
        f'<svg viewBox="0 0 {_LEFT + _BAR + 6} {bottom + 18}" role="img" aria-label="{label}">'
        f"{''.join(rows)}</svg>"
    )


def _columns(
    label: str, counts: Sequence[int], bottom: int, height: int, kind: str
) -> Iterable[str]:
    yield _label(label, bottom - 2)
    wide = _BAR / len(counts)
    for index, count in enumerate(counts):
        tall = height * count / max(*counts, 1)
        yield (
            f'<rect class="{kind}" x="{_LEFT + index * wide + 1:.1f}" y="{bottom - tall:.1f}" '
            f'width="{wide - 2:.1f}" height="{tall:.1f}"><title>{count} trials</title></rect>'
        )
    yield (f'<line class="axis" x1="{_LEFT}" x2="{_LEFT + _BAR}" y1="{bottom}" y2="{bottom}"/>')


def _span(label: str, span: Span, top: int, kind: str) -> Iterable[str]:
    yield _label(label, top + 10)
    x, wide = _LEFT + span[0] * _BAR, max((span[1] - span[0]) * _BAR, 3)
    yield f'<rect class="{kind}" x="{x:.1f}" y="{top}" width="{wide:.1f}" height="10" rx="2"/>'


def _label(text: str, y: int) -> str:
    return f'<text x="{_LEFT - 8}" y="{y}" text-anchor="end">{text}</text>'


def _spread(ticks: Sequence[tuple[float, str]]) -> Iterable[tuple[float, str]]:
    """The ticks whose numbers have room beside one another."""
    end = -1.0
    for place, text in ticks:
        half = (len(text) * 4 + 4) / _BAR
        if place - half > end:
            end = place + half
            yield place, text


def _choices(picture: ChoicesPicture) -> str:
    top = max(1, *(row.good for row in picture.rows))
    rows = [
        f"<tr><th>{_text(row.label)}</th><td>{row.fate}</td>"
        f"<td>{row.good} good of {row.tried} tried</td>"
        f'<td><svg viewBox="0 0 100 12" style="width:6rem" role="presentation"><rect '
        f'class="{"was" if row.fate == "dropped" else "new"}" width="{100 * row.good / top:.1f}" '
        'height="12"/></svg></td></tr>'
        for row in picture.rows
    ]
    return f"<table>{''.join(rows)}</table>"
