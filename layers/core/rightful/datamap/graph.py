"""Whether every store can be found: from what a person proves, through what stores give, now and after an erasure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from rightful import paths
from rightful.datamap.problems import Finding
from rightful.model import DataMap, Locator, Store


class _Counts(Protocol):
    def __call__(self, store: Store, locator: Locator, identity: str) -> bool: ...


def unreachable(datamap: DataMap) -> Iterator[Finding]:
    """Stores and identities that no walk from a proven identity arrives at."""
    planned_too = _known(datamap, datamap.stores)
    now = _known(datamap, {name: store for name, store in datamap.stores.items() if store.covered})
    for name, store in datamap.stores.items():
        wanted = sorted({locator.by for locator in store.locate if locator.by in datamap.identities})
        if not wanted or now.intersection(wanted):
            continue
        if planned_too.intersection(wanted):
            what = f"store `{name}` is reached only through a store that is `planned`, so its records would be orphans"
            cure = "Add a locator by an identity that a covered store gives, or mark this store `planned` too."
            if not store.covered:
                continue
        else:
            what = f"store `{name}` cannot be reached: nothing gives {_listed(wanted)}"
            cure = (
                "Let a reachable store give it (`gives:`), or add a locator by an identity that is `proven_by: code`."
            )
        yield Finding(("stores", name, "locate"), what, cure)
    for name, identity in datamap.identities.items():
        if identity.proven_by == "store" and not any(name in locator.gives for locator in _locators(datamap)):
            yield Finding(
                ("identities", name),
                f"identity `{name}` is given by no store",
                "Say under `gives:` which store gives it, make it `proven_by: code`, or remove it.",
            )


def orphans(datamap: DataMap) -> Iterator[Finding]:
    """Stores whose records outlive an erasure while nothing that leads to them does: no later request, and no
    retention of a kept ground, would find whose they are."""
    surviving = {name: store for name, store in datamap.stores.items() if store.erasure.action != "delete"}
    lasting = _known(datamap, surviving, _survives)
    findable = _known(datamap, datamap.stores)
    for name, store in surviving.items():
        wanted = {locator.by for locator in store.locate}
        if wanted & findable and not wanted & lasting:
            yield Finding(
                ("stores", name, "erasure", "action"),
                f"an erasure leaves records in `{name}` but deletes every store that leads to them, so a later "
                f"request could not find them",
                f"Add a locator by {_listed(_provable(datamap))}, or keep what gives {_listed(sorted(wanted))}.",
            )


def _known(datamap: DataMap, stores: Mapping[str, Store], counts: _Counts | None = None) -> set[str]:
    """Identities known once the walk over `stores` has come to rest."""
    known = set(_provable(datamap))
    while True:
        given = {
            identity
            for store in stores.values()
            for locator in store.locate
            if locator.by in known
            for identity in locator.gives
            if counts is None or counts(store, locator, identity)
        }
        if given <= known:
            return known
        known |= given


def _survives(store: Store, locator: Locator, identity: str) -> bool:
    """An identity that anonymising blots out is not given any longer."""
    given = paths.parse(locator.gives[identity])
    blotted = [paths.parse(path) for path in store.erasure.fields]
    return not any(given[: len(path)] == path for path in blotted)


def _locators(datamap: DataMap) -> Iterator[Locator]:
    for store in datamap.stores.values():
        yield from store.locate


def _provable(datamap: DataMap) -> list[str]:
    return sorted(name for name, identity in datamap.identities.items() if identity.proven_by == "code")


def _listed(names: list[str]) -> str:
    return " or ".join(f"`{name}`" for name in names) or "an identity"
