"""YAML as plain values that remember their lines.

Read from YAML's nodes, not through a constructor: nothing in a file can make an object, a key written twice
is noticed, and only `true`, `false`, `null` and numbers are anything but text (`no`, `12:30` and dates stay text).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from rightful.datamap.problems import Loc, Problem

MOST_CHARACTERS = 1_000_000
MOST_VALUES = 100_000
"""Counted after aliases are followed, so that a few nested aliases cannot stand for millions of values."""
MOST_DEPTH = 40


@dataclass(slots=True)
class Document:
    """`value` is made of dict (text keys), list, str, int, float, bool and None."""

    value: Any = None
    lines: dict[Loc, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, loc: Loc) -> int:
        """The line of the nearest thing that is really there."""
        while loc and loc not in self.lines:
            loc = loc[:-1]
        return self.lines.get(loc, 1)


_CORE = "tag:yaml.org,2002:"
_COLLECTIONS = (f"{_CORE}map", f"{_CORE}seq")


class _Loader(yaml.SafeLoader):
    """Resolves plain scalars as YAML 1.2's core schema does (without infinities, which JSON cannot carry)."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own slot


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ("~", "n", "N", "")),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    _Loader.add_implicit_resolver(f"{_CORE}{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))


def read(text: str) -> Document:
    """The document, with the problems of its YAML. Never raises for what the text holds."""
    if len(text) > MOST_CHARACTERS:
        return _broken(1, f"the file has more than {MOST_CHARACTERS:,} characters", "Split the map by controller.")
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        return _broken(line, f"not YAML: {error.problem or error.context}", "Mind indentation, colons and quotes.")
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return _broken(line, "a character that YAML does not allow", "Remove it, or write it as an escape in quotes.")
    except RecursionError:
        return _too_deep(1)
    document = Document()
    if node is None:
        return _broken(1, "the file is empty", "Begin with `version:`, `controller:`, `identities:` and `stores:`.")
    document.value = _Reader(document).value(node, ())
    return document


def _broken(line: int, what: str, cure: str) -> Document:
    return Document(problems=[Problem(line, what, cure)])


def _too_deep(line: int) -> Document:
    return _broken(line, f"nested more than {MOST_DEPTH} deep", "Flatten it; an alias may not stand inside itself.")


class _Stop(Exception):
    """No use reading on."""


class _Reader:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._left = MOST_VALUES

    def value(self, node: Node, loc: Loc) -> Any:
        try:
            return self._value(node, loc)
        except _Stop:
            return None

    def _value(self, node: Node, loc: Loc) -> Any:
        line = node.start_mark.line + 1
        self._document.lines.setdefault(loc, line)
        self._left -= 1
        if self._left < 0:
            self._complain(line, f"more than {MOST_VALUES:,} values", "Use fewer aliases.")
            raise _Stop
        if len(loc) > MOST_DEPTH:
            self._document.problems += _too_deep(line).problems
            raise _Stop
        if not isinstance(node, ScalarNode) and node.tag not in _COLLECTIONS:
            return self._strange(node.tag, line)
        if isinstance(node, MappingNode):
            return dict(self._pairs(node, loc))
        if isinstance(node, SequenceNode):
            return [self._value(element, (*loc, number)) for number, element in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        return self._scalar(node, line)

    def _pairs(self, node: MappingNode, loc: Loc) -> Iterator[tuple[str, Any]]:
        seen: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode):
                self._complain(line, "a key that is not text", "Write a name before the colon.")
                continue
            name = self._text(key, line)
            if name in seen:
                self._complain(line, f"`{name}` is here twice", f"Keep one; the first is in line {seen[name]}.")
                continue
            seen[name] = line
            self._document.lines[(*loc, name)] = line
            yield name, self._value(value, (*loc, name))

    def _scalar(self, node: ScalarNode, line: int) -> Any:
        match node.tag.removeprefix(_CORE):
            case "str":
                return self._text(node, line)
            case "null":
                return None
            case "bool":
                return node.value.lower() == "true"
            case "int" if re.fullmatch(r"[-+]?[0-9]{1,18}", node.value):
                return int(node.value)
            case "float":
                return float(node.value)
            case _:
                return self._strange(node.tag, line)

    def _text(self, node: ScalarNode, line: int) -> str:
        text = str(node.value)
        if any("\ud800" <= character <= "\udfff" for character in text):
            self._complain(line, "half of a character", "Write the character itself instead of its two escapes.")
        return text

    def _strange(self, tag: str, line: int) -> None:
        self._complain(
            line, f"the value has a type of its own ({tag})", "Write plain text, a number, a list or a mapping."
        )

    def _complain(self, line: int, what: str, cure: str) -> None:
        self._document.problems.append(Problem(line, what, cure))
