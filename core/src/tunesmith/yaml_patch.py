"""Changes data in a YAML text and nothing else: comments, order, quotes and spaces stay."""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

_COMMENT = re.compile(r"(?:^|(?<=\s))#[^\r\n]*", re.MULTILINE)
_PLAIN = re.compile(r"[A-Za-z_][\w./-]*( [\w./-]+)*")
_WORDS = ("null", "true", "false", "yes", "no", "on", "off", "y", "n")
Span = tuple[int, int]


def patched(text: str, old: Any, new: Any) -> str:
    """The text with the data `new`; `old` is the data that it has.

    Raises ValueError where that cannot be done. A value that others share, through an alias or a
    merge key, changes for all of them: whoever calls this compares what the result holds.
    """
    patch = _Patch(text)
    patch.change(patch.root, old, new)
    changed = patch.result()
    if comments(changed) != comments(text):
        raise ValueError("a comment would be lost")
    return changed


def comments(text: str) -> list[str]:
    """The comments of a YAML text, in their order."""
    return _COMMENT.findall(_Patch(text).bare)


class _Patch:
    """Replacements in a text, found by the places of its nodes."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._swaps: list[tuple[int, int, str]] = []
        self._newline = "\r\n" if "\r\n" in text else "\n"
        self.root: Node = YAML().compose(text)
        bare = text
        for start, end in _leaves(self.root, set()):
            bare = bare[:start] + "x" * (end - start) + bare[end:]
        self.bare = bare
        """The text with something harmless for every scalar: what is a `#` here is a comment."""

    def result(self) -> str:
        text = self._text
        for start, end, instead in sorted(set(self._swaps), reverse=True):
            text = text[:start] + instead + text[end:]
        return text

    def change(self, node: Node, old: Any, new: Any) -> None:
        if repr(old) == repr(new):
            return
        if isinstance(node, MappingNode) and isinstance(new, dict):
            self._change_table(node, old, new)
        elif isinstance(node, SequenceNode) and isinstance(new, list):
            self._change_list(node, old, new)
        else:
            self._replace(node, new)

    def _change_table(self, node: MappingNode, old: Mapping[str, Any], new: dict[str, Any]) -> None:
        # what a merge key brings is not among them
        own = {key.value: value for key, value in node.value}
        for name in own.keys() & old.keys() & new.keys():
            self.change(own[name], old[name], new[name])
        gone = [index for index, name in enumerate(own) if name in old and name not in new]
        added = [f"{_scalar(name)}: {_flow(new[name])}" for name in new if name not in old]
        self._fit(node, [(key, value) for key, value in node.value], gone, added)

    def _change_list(self, node: SequenceNode, old: Sequence[Any], new: list[Any]) -> None:
        wanted, gone = [repr(item) for item in new], []
        for index, item in enumerate(old):
            if wanted[:1] == [repr(item)]:
                wanted.pop(0)
            else:
                gone.append(index)
        items = [(item, item) for item in node.value]
        self._fit(node, items, gone, [_flow(item) for item in new[len(new) - len(wanted) :]])

    def _fit(
        self,
        node: CollectionNode,
        entries: Sequence[tuple[Node, Node]],
        gone: Collection[int],
        added: Sequence[str],
    ) -> None:
        """Take entries out of a table or a list, and append others."""
        if not (gone or added):
            return
        if len(gone) == len(entries):
            raise ValueError("nothing of it stays")
        spans = [(first.start_mark.index, self._end(last)) for first, last in entries]
        if spans != sorted(spans):
            raise ValueError("it has an alias")
        self._cut(node, spans, gone)
        self._add(node, spans, added)

    def _replace(self, node: Node, new: Any) -> None:
        start, end = node.start_mark.index, self._end(node)
        # an anchor or a tag before the value stays
        before = re.match(r"(?:[&!]\S*\s+)*", self._text[start:end])
        start += before.end() if before else 0
        if _COMMENT.search(self.bare, start, end):
            raise ValueError("a comment stands in it")
        style = node.style if isinstance(node, ScalarNode) else None
        instead = _scalar(new, style) if isinstance(new, str) else _flow(new)
        space = "" if self._text[start - 1 : start].isspace() or start == 0 else " "
        empty = start == end
        self._swaps.append((start, end, space + instead if empty else instead))

    def _cut(self, node: CollectionNode, spans: Sequence[Span], gone: Collection[int]) -> None:
        if not node.flow_style:
            for index in gone:
                self._cut_lines(*spans[index])
            return
        last = max(set(range(len(spans))) - set(gone))
        end, close = spans[last][1], spans[-1][1]
        if last < len(spans) - 1 and not _COMMENT.search(self.bare, end, close):
            self._swaps.append((end, close, ""))
            gone = [index for index in gone if index < last]
        for index in gone:
            start, end = spans[index]
            comma = re.compile(r"\s*,[ \t]*").match(self.bare, end)
            self._swaps.append((start, comma.end() if comma else end, ""))

    def _cut_lines(self, start: int, end: int) -> None:
        """Take the lines of an entry out; its comments stay, each on a line of its own."""
        first, after = self._line(start), self._next_line(end)
        indent, rest = self._lead(start)[0], self._text[end:after].strip()
        if rest and not rest.startswith("#"):
            raise ValueError("something else stands on its line")
        stay = _COMMENT.findall(self.bare[first:after])
        lines = "".join(f"{indent}{comment}{self._newline}" for comment in stay)
        self._swaps.append((first, after, lines))

    def _add(self, node: CollectionNode, spans: Sequence[Span], entries: Sequence[str]) -> None:
        if not entries:
            return
        if node.flow_style:
            place = spans[-1][1]
            self._swaps.append((place, place, "".join(f", {entry}" for entry in entries)))
            return
        indent, dash = self._lead(spans[0][0])
        place = self._next_line(spans[-1][1])
        # comments that are further in belong to the entry before
        deeper = re.compile(rf"(?:[ ]{{{len(indent) + 1},}}#[^\n]*(?:\n|$))*")
        more = deeper.match(self._text, place)
        place = more.end() if more else place
        lines = "".join(f"{indent}{dash}{entry}{self._newline}" for entry in entries)
        if not self._text[:place].endswith("\n"):
            lines = self._newline + lines.removesuffix(self._newline)
        self._swaps.append((place, place, lines))

    def _lead(self, start: int) -> tuple[str, str]:
        """What stands before a block's entry on its line: spaces, and the dash of an item."""
        lead = re.fullmatch(r"( *)(- +)?", self._text[self._line(start) : start])
        if lead is None:
            raise ValueError("something else stands on its line")
        return lead[1], lead[2] or ""

    def _line(self, index: int) -> int:
        return self._text.rfind("\n", 0, index) + 1

    def _next_line(self, index: int) -> int:
        return self._text.find("\n", index) + 1 or len(self._text)

    def _end(self, node: Node) -> int:
        """Where the node's own text ends, without the comments and blank lines after it."""
        start, end = int(node.start_mark.index), int(node.end_mark.index)
        if not isinstance(node, CollectionNode) or node.flow_style:
            return start + len(self._text[start:end].rstrip())
        last = node.value[-1][1] if isinstance(node, MappingNode) else node.value[-1]
        return self._end(last)


def _leaves(node: Node, seen: set[int]) -> Iterator[Span]:
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, ScalarNode):
        yield node.start_mark.index, node.end_mark.index
        return
    for child in node.value:
        for part in child if isinstance(child, tuple) else (child,):
            yield from _leaves(part, seen)


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{_scalar(key)}: {_flow(each)}" for key, each in value.items()) + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _scalar(value: Any, style: str | None = None) -> str:
    if not isinstance(value, str):
        return repr(value) if isinstance(value, float) else json.dumps(value)
    if style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    if style != '"' and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in quoted)
