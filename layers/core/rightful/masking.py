"""What of a record an export may show: the person's own data, not other people's (Article 15(4) GDPR).

The data map says for each path whether it is about the person or about someone else. The most specific path
that covers a value decides; a path covers everything inside it.

| the map says | the export shows |
| --- | --- |
| `about: person`, or an identity that located the record | the value |
| `about: other`, or an identity that did not locate it | `[someone else's e-mail address]`, element by element |
| `free_text: true` | the text, with other people's addresses and phone numbers masked |
| `export: false` | `[withheld: the note]` |
| nothing | by the store's `undeclared_fields`: nothing, or the value treated as free text |

A map inside someone else's data is masked as a whole, since its keys may be data too. An empty value stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from rightful import contacts, paths
from rightful.model import Field, Store

LABELS = {
    "user.contact.email": "e-mail address",
    "user.contact.phone_number": "phone number",
    "user.contact.address": "address",
    "user.contact": "contact details",
    "user.name": "name",
    "user.account": "account",
    "user.unique_id": "identifier",
    "user.device": "device",
    "user.location": "location",
    "user.financial": "financial data",
    "user.content": "content",
}
"""fideslang category -> what the person reads; a category that is not named is called by its nearest parent."""

_ABSENT = object()


def mask(
    data: Mapping[str, Any], store: Store, located_by: AbstractSet[str], own: AbstractSet[str]
) -> tuple[dict[str, Any], dict[str, int]]:
    """The record as its person may see it, and how much of it was changed.

    `located_by`: names of the identities by which this record was found. `own`: the person's own identity values,
    which stay readable in free text. The counts, absent where zero: `other` and `withheld` (values masked),
    `free_text` (addresses and numbers masked), `undeclared` (values left out), `undeclared_shown`.
    Applying it to its own result changes nothing more.
    """
    walk = _Walk(store, located_by, contacts.Own(own))
    shown = walk.into_map(data, _tree(store.fields), None)
    return shown, dict(walk.counts)


def label(category: str) -> str:
    """How a category is called in a mask, e.g. `e-mail address`; `data` when nothing nearer is known."""
    while category:
        if category in LABELS:
            return LABELS[category]
        category = category.rpartition(".")[0]
    return "data"


@dataclass(slots=True)
class _Node:
    """One step of the declared paths."""

    meaning: Field | None = None
    steps: dict[str | None, _Node] = field(default_factory=dict)


def _tree(fields: Mapping[str, Field]) -> _Node:
    root = _Node()
    for path, meaning in fields.items():
        node = root
        for step in paths.parse(path):
            node = node.steps.setdefault(step, _Node())
        node.meaning = meaning
    return root


_NOWHERE = _Node()


class _Walk:
    """One record's masking: what it may show, and the counts so far."""

    def __init__(self, store: Store, located_by: AbstractSet[str], own: contacts.Own) -> None:
        self._show_undeclared = store.undeclared_fields == "export"
        self._theirs = {"person", *located_by}
        self._own = own
        self.counts: Counter[str] = Counter()

    def into_map(self, data: Mapping[str, Any], node: _Node, covering: Field | None) -> dict[str, Any]:
        shown = {}
        for name, value in data.items():
            new = self._value(value, node.steps.get(name, _NOWHERE), covering)
            if new is not _ABSENT:
                shown[name] = new
        return shown

    def _value(self, value: Any, node: _Node, covering: Field | None) -> Any:
        meaning = node.meaning or covering
        if isinstance(value, Mapping) and node.steps:
            return self.into_map(value, node, meaning)
        if _is_many(value) and None in node.steps:
            return self._elements(value, node.steps[None], meaning)
        if meaning is None:
            return self._undeclared(value)
        if not meaning.export:
            self.counts["withheld"] += 1
            return f"[withheld: {meaning.note}]" if meaning.note else "[withheld]"
        if meaning.about not in self._theirs:
            return self._someone_elses(value, meaning)
        return self._scrub(value) if meaning.free_text else value

    def _elements(self, values: Iterable[Any], node: _Node, meaning: Field | None) -> Any:
        old = _ordered(values)
        new = [shown for value in old if (shown := self._value(value, node, meaning)) is not _ABSENT]
        return values if new == old else new

    def _someone_elses(self, value: Any, meaning: Field) -> Any:
        if value is None or (isinstance(value, str | bytes | Mapping) and not value):
            return value
        if _is_many(value):
            return self._elements(value, _NOWHERE, meaning)
        self.counts["other"] += 1
        return f"[someone else's {label(meaning.category)}]"

    def _undeclared(self, value: Any) -> Any:
        if not self._show_undeclared:
            self.counts["undeclared"] += 1
            return _ABSENT
        self.counts["undeclared_shown"] += 1
        return self._scrub(value)

    def _scrub(self, value: Any) -> Any:
        """Free text of any shape without other people's addresses and numbers; keys of maps are text too."""
        if isinstance(value, str):
            return self._scrub_text(value)
        if isinstance(value, Mapping):
            scrubbed: dict[str, Any] = {}
            for name, item in value.items():
                scrubbed[_unused(self._scrub_text(name), scrubbed)] = self._scrub(item)
            return scrubbed
        if _is_many(value):
            old = _ordered(value)
            new = [self._scrub(element) for element in old]
            return value if new == old else new
        return value

    def _scrub_text(self, text: str) -> str:
        parts, done = [], 0
        for contact in contacts.find(text):
            if not self._own.has(contact):
                self.counts["free_text"] += 1
                parts += [text[done : contact.start], f"[someone else's {_CONTACT[contact.kind]}]"]
                done = contact.end
        return "".join([*parts, text[done:]]) if parts else text


_CONTACT = {"email": LABELS["user.contact.email"], "phone": LABELS["user.contact.phone_number"]}


def _is_many(value: Any) -> bool:
    return isinstance(value, list | set | frozenset)


def _ordered(values: Iterable[Any]) -> list[Any]:
    """A set in an order that does not differ from one process to the next."""
    return values if isinstance(values, list) else sorted(values, key=repr)


def _unused(name: str, taken: Mapping[str, Any]) -> str:
    """Two masked names may be alike: the second becomes `name (2)`."""
    number, unused = 1, name
    while unused in taken:
        number += 1
        unused = f"{name} ({number})"
    return unused
