"""Days are written as each language writes them, and a locale leads to a language that we write."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from babel.dates import format_date

from rightful.datamap.check import load_file
from rightful.languages import LANGUAGES, day, language_of
from rightful.model import Language
from rightful.stores.registry import CONNECTORS, SWEEPERS

SHIPPED = Path(__file__).parents[2] / "infra" / "datamap.yaml"

LOCALES = {"en": "en_GB", "fr": "fr", "de": "de", "es": "es"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_days_are_those_of_cldr_but_for_the_first_in_french(language: Language) -> None:
    for month in range(1, 13):
        for number in (1, 2, 10, 28):
            at = date(2027, month, number)
            expected = format_date(at, "long", LOCALES[language])
            if language == "fr" and number == 1:
                expected = expected.replace("1 ", "1er ", 1)
            assert day(at.isoformat(), language) == expected
            assert day(f"{at.isoformat()}T23:59:59Z", language) == expected


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("fr", "fr"),
        ("fr-CA", "fr"),
        ("FR_be", "fr"),
        ("en-GB", "en"),
        ("de-AT", "de"),
        ("es-419", "es"),
        ("it", "en"),
        ("", "en"),
        ("../fr", "en"),
    ],
)
def test_a_locale_leads_to_a_language_that_we_write(locale: str, language: Language) -> None:
    assert language_of(locale) == language


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_what_people_read_of_the_shipped_map_is_in_every_language(language: Language) -> None:
    datamap = load_file(SHIPPED, CONNECTORS, SWEEPERS)
    controller, stores = datamap.controller, datamap.stores.values()
    read = {controller.complaint, controller.transfers}
    read |= {text for topic in datamap.topics.values() for text in (topic.title, topic.text)}
    read |= {text for each in datamap.recipients.values() for text in (each.title, each.not_told)}
    read |= {text for store in stores for text in (store.title, store.purpose, store.lawful_basis, store.erasure.law)}
    read |= {store.source for store in stores} - {"you"}
    assert read - {""} - set(datamap.translations[language]) == set()
