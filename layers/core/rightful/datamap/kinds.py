"""What each store's connector says of the store: its settings, its locators, its own complaints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from rightful.datamap.load import build
from rightful.datamap.problems import Finding, Loc, nearest
from rightful.model import DataMap, Permission, Store, SweepVerb, Verb


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


class SweepKind(Protocol):
    """What is asked of a class for sweeping a kind of store. Pure."""

    @property
    def Due(self) -> type[Any]:  # noqa: N802 - it is a class
        """Dataclass of a store's `retention.through`, where the map says something there."""

    def check(self, store: Store) -> Iterator[tuple[str, str, str]]:
        """As of a connector, of the store's retention."""

    def permissions(self, store: Store, verb: SweepVerb) -> list[Permission]:
        """Of the calls that splitting or sweeping makes."""


Kinds = Mapping[str, Kind]
SweepKinds = Mapping[str, SweepKind]
"""By the name of the connector."""


def complaints(datamap: DataMap, kinds: Kinds, sweepers: SweepKinds) -> Iterator[Finding]:
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
        sweeper = sweepers.get(store.connector)
        wrong += _through((*loc, "retention", "through"), store, sweeper)
        if not wrong:
            wrong = [_told(loc, *complaint) for complaint in kind.check(store)]
            wrong += [_told(loc, *complaint) for complaint in sweeper.check(store)] if sweeper else []
        yield from wrong


def _through(loc: Loc, store: Store, sweeper: SweepKind | None) -> Iterator[Finding]:
    through = store.retention.through
    if through and sweeper:
        yield from _shape(loc, sweeper.Due, through)
    elif through:
        yield Finding(loc, f"a store of `{store.connector}` is not reached through anything", "Remove `through`.")


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
