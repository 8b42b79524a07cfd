"""The languages of the pages: which one a reader gets, its sentences, and dates as they are written where they live.

Sentences are GNU gettext messages (`locale/<language>/LC_MESSAGES/centre.po`); the ids are the English sentences. Dates
and units are Unicode's (CLDR), by Babel.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO
from typing import Final

from babel.core import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.units import format_unit

from rightful import periods

LANGUAGES: Final = {"en": "English", "fr": "Français", "de": "Deutsch", "es": "Español"}
"""Each by its own name. The first is the one for everybody else."""
DOMAIN: Final = "centre.po"

_RANGE: Final = re.compile(r"\s*([A-Za-z]{2,3})(-[A-Za-z0-9]{2,8}){0,3}\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?")


@dataclass(frozen=True, slots=True)
class Voice:
    """One language, as it is spoken somewhere."""

    language: str
    tag: str
    """BCP 47: `fr`, `fr-CA`. Of the page, of the mails that follow."""
    zone: tzinfo = UTC
    """Where days are counted: the controller's seat."""

    @property
    def translations(self) -> NullTranslations:
        return _translations(self.language)

    def said(self, sentence: str) -> str:
        """A sentence in this language; one that has no translation stays as it is."""
        return self.translations.gettext(sentence)

    def day(self, moment: datetime | date) -> str:
        """`28 November 2026`."""
        day = moment.astimezone(self.zone).date() if isinstance(moment, datetime) else moment
        return format_date(day, "long", locale=_locale(self.tag))

    def time(self, moment: datetime) -> str:
        """Day and time of day, with the zone's name."""
        local = moment.astimezone(self.zone)
        day = format_date(local.date(), "medium", locale=_locale(self.tag))
        clock = format_time(local.time(), "short", locale=_locale(self.tag))
        return f"{day}, {clock} {local.tzname()}"

    def period(self, duration: str) -> str:
        """An ISO 8601 duration in words: `7 years`. Raises Invalid."""
        period = periods.parse(duration)
        years, months = divmod(period.months, 12)
        hours, minutes = divmod(period.minutes, 60)
        parts = {"year": years, "month": months, "day": period.days, "hour": hours, "minute": minutes}
        words = [format_unit(n, f"duration-{unit}", locale=_locale(self.tag)) for unit, n in parts.items() if n]
        return self.listed(words)

    def listed(self, words: list[str]) -> str:
        """`one, two and three`."""
        return format_list(words, locale=_locale(self.tag))


def chosen(accepted: str, wanted: str = "", zone: tzinfo = UTC) -> Voice:
    """The voice for a reader. `accepted` is their `Accept-Language` (RFC 9110 section 12.5.4), `wanted` the language
    they chose on the page. Nonsense in either counts as nothing."""
    tags = [tag for tag in _by_preference(accepted) if _language(tag) in LANGUAGES]
    if wanted in LANGUAGES:
        tags = [tag for tag in tags if _language(tag) == wanted] or [wanted]
    tag = tags[0] if tags else next(iter(LANGUAGES))
    return Voice(_language(tag), _canonical(tag), zone)


def _by_preference(accepted: str) -> list[str]:
    found = []
    for part in accepted[:500].split(","):
        if match := _RANGE.fullmatch(part):
            weight = float(match[3] or 1)
            if weight > 0:
                found.append((-weight, part.split(";")[0].strip()))
    return [tag for _, tag in sorted(found, key=lambda each: each[0])]


def _language(tag: str) -> str:
    return tag.split("-")[0].lower()


def _canonical(tag: str) -> str:
    """`fr-ca` -> `fr-CA`; the language alone where nothing is known of the rest."""
    language = _language(tag)
    for part in tag.split("-")[1:]:
        if len(part) == 2 and part.isalpha():
            try:
                Locale.parse(f"{language}_{part.upper()}")
            except (UnknownLocaleError, ValueError):
                break
            return f"{language}-{part.upper()}"
    return language


@cache
def _locale(tag: str) -> Locale:
    return Locale.parse(tag, sep="-")


@cache
def _translations(language: str) -> NullTranslations:
    source = files("rightful.centre").joinpath("locale", language, "LC_MESSAGES", DOMAIN)
    if language == next(iter(LANGUAGES)):
        return NullTranslations()
    with source.open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)
