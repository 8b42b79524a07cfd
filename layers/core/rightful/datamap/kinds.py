"""What each store's connector says of the store: its settings, its locators, its own complaints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from rightful.datamap.load import build
from rightful.datamap.problems import Finding, Loc, nearest
from rightful.model import DataMap, Permission, Store, Verb


class Kind(Protocol):
    """What is asked of a connector class here. Pure."""

    @property
    def Settings(self) -> type[Any]:  # noqa: N802 - it is a class
        """Dataclass of a store's `settings`."""

    @property
    def Through(self) -> type[Any]:  # noqa: N802 - it is a class
        """Dataclass of a locator's `through`."""

    def check(self, store: Store) -> Iterator[tuple[str, str, str]]:
        """(path inside the store such as `locate.0.through.index`, what is said of it, cure)."""

    def permissions(self, store: Store, verb: Verb) -> list[Permission]:
        """Of the calls that a verb makes."""


Kinds = Mapping[str, Kind]


def complaints(datamap: DataMap, kinds: Kinds) -> Iterator[Finding]:
    for name, store in datamap.stores.items():
        loc = ("stores", name)
        if not store.swept:
            continue
        if store.connector not in kinds:
            cure = nearest(store.connector, {*kinds, "planned"})
            yield Finding((*loc, "connector"), f"no connector is called `{store.connector}`", cure)
            continue
        kind = kinds[store.connector]
        wrong = list(_shape((*loc, "settings"), kind.Settings, store.settings))
        for number, locator in enumerate(store.locate):
            wrong += _shape((*loc, "locate", number, "through"), kind.Through, locator.through)
        if not wrong:
            wrong = [_told(loc, *complaint) for complaint in kind.check(store)]
        yield from wrong


def _shape(loc: Loc, cls: type[Any], value: dict[str, Any]) -> Iterator[Finding]:
    yield from build(cls, value, loc)[1]


def _told(store: Loc, path: str, what: str, cure: str) -> Finding:
    """A connector says what is wrong with a place as the rest of a sentence: `has no name`."""
    parts = _parts(path)
    whole = cure[:1].upper() + cure[1:]
    return Finding((*store, *parts), f"`{parts[-1]}` {what}", whole if whole.endswith((".", "?")) else f"{whole}.")


def _parts(path: str) -> Loc:
    """`erasure.fields.address.city` has three parts: what stands under `fields` is itself a path."""
    above, fields, below = path.partition("fields.")
    parts: Loc = tuple(int(part) if part.isdigit() else part for part in above.split(".") if part)
    return (*parts, "fields", below) if fields else parts
