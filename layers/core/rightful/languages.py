"""The languages that people are written to in, and how each writes a day.

The dates are CLDR's (a test compares them with Babel's), but for the `1er` of French typography. They are written down
here, because ten functions send mails and Babel would come with each of them: 33 MB, to name 48 months.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final, get_args

from rightful.model import Language

LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
"""The first is the one for everybody else."""

_MONTHS: Final[dict[Language, str]] = {
    "en": "January February March April May June July August September October November December",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
}
_DAYS: Final[dict[Language, str]] = {
    "en": "{day} {month} {year}",
    "fr": "{day} {month} {year}",
    "de": "{day}. {month} {year}",
    "es": "{day} de {month} de {year}",
}
_FIRST: Final[dict[Language, str]] = {"fr": "1er"}
"""How the first of a month is called, where that is not `1`."""


def language_of(locale: str) -> Language:
    """`fr-CA` and `FR_be` -> `fr`; the first language for those that we do not write."""
    spoken = re.split("[-_]", locale.strip().lower())[0]
    return next((language for language in LANGUAGES if language == spoken), LANGUAGES[0])


def day(text: str, language: Language) -> str:
    """The day of an ISO 8601 date or moment, as it is written there: `1 March 2027`."""
    at = date.fromisoformat(text[:10])
    number = _FIRST.get(language, "1") if at.day == 1 else str(at.day)
    return _DAYS[language].format(day=number, month=_MONTHS[language].split()[at.month - 1], year=at.year)
