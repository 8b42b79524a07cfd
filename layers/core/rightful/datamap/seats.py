"""The public holidays of the controller's seat, by the `holidays` library, which knows most countries and their parts.

They are written into the compiled map as plain dates, so that no function ships the library. Of years far ahead they
are what the law says today; a day that is decided later goes into `controller.holidays` by hand, or comes with the next
build on a newer library. A day that is missing makes a deadline earlier, never later.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from rightful.datamap.problems import Finding, nearest
from rightful.model import DataMap

YEARS: Final = range(2024, 2046)


def seat(datamap: DataMap) -> Iterator[Finding]:
    """The country and its part are ones whose holidays are known."""
    controller = datamap.controller
    country, part = controller.country, controller.subdivision
    if part and not country:
        cure = "Add `country:`, as `DE`, or remove `subdivision`."
        yield Finding(("controller", "subdivision"), "`subdivision` without `country`", cure)
    if not country:
        return
    countries = _countries()
    if country not in countries.values():
        cure = _meant(country, countries) or "Write its code of two letters (ISO 3166-1), such as `FR`."
        yield Finding(("controller", "country"), f"`{country}` is no country whose holidays are known", cure)
        return
    parts = _parts(country)
    if part and part not in parts.values():
        if parts:
            cure = _meant(part.removeprefix(f"{country}-"), parts) or nearest(part, set(parts.values()))
        else:
            cure = "Remove `subdivision`."
        what = f"`{part}` is no part of `{country}` whose own holidays are known"
        yield Finding(("controller", "subdivision"), what, cure)


def with_public_holidays(datamap: DataMap) -> DataMap:
    """The (checked) map, with the public holidays of its seat among the controller's, each date once and in order."""
    controller = datamap.controller
    if not controller.country:
        return datamap
    from holidays import country_holidays  # half a second; most commands need none

    public = country_holidays(controller.country, subdiv=controller.subdivision or None, years=YEARS)
    dates = {day.isoformat() for day in public} | set(controller.holidays)
    return replace(datamap, controller=replace(controller, holidays=sorted(dates)))


def _countries() -> dict[str, str]:
    """What a country may be called -> its code of two letters."""
    from holidays.registry import COUNTRIES

    return {_plain(name): code for name, code, *more in COUNTRIES.values() for name in (name, code, *more)}


def _parts(country: str) -> dict[str, str]:
    from holidays import country_holidays

    known = country_holidays(country)
    names: Mapping[str, str] = getattr(known, "subdivisions_aliases", {})
    return {_plain(code): code for code in known.subdivisions} | {_plain(name): names[name] for name in names}


def _meant(word: str, names: Mapping[str, str]) -> str:
    close = difflib.get_close_matches(_plain(word), names, n=1, cutoff=0.75)
    return f"Did you mean `{names[close[0]]}`?" if close else ""


def _plain(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())
