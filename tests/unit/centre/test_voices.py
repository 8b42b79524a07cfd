"""Which language a reader gets, and how days and periods are written there."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightful.centre import words
from rightful.centre.voices import LANGUAGES, Voice, chosen


@pytest.mark.parametrize(
    ("accepted", "wanted", "tag"),
    [
        ("", "", "en"),
        ("fr-CA,fr;q=0.8,en;q=0.5", "", "fr-CA"),
        ("nl,de-at;q=0.4,en;q=0.2", "", "de-AT"),
        ("en;q=0.1, es-MX;q=0.9", "", "es-MX"),
        ("fr;q=0, de", "", "de"),
        ("fr-CA, de-AT", "de", "de-AT"),
        ("fr-CA", "de", "de"),
        ("fr-CA", "xx", "fr-CA"),
        ("fr-QQ", "", "fr"),
        ("zh-Hant-TW", "", "en"),
        ("de-Latn-AT", "", "de-AT"),
        ("*", "", "en"),
        ("fr;q=9;;,,<script>", "", "en"),
    ],
)
def test_a_reader_gets_what_they_like_best(accepted: str, wanted: str, tag: str) -> None:
    voice = chosen(accepted, wanted)
    assert (voice.tag, voice.language) == (tag, tag[:2])


@given(st.text(), st.text())
def test_whatever_is_sent_there_is_a_language(accepted: str, wanted: str) -> None:
    voice = chosen(accepted, wanted)
    assert voice.language in LANGUAGES
    assert voice.day(date(2027, 1, 31))


@pytest.mark.parametrize(
    ("tag", "day", "time", "period"),
    [
        ("en", "November 28, 2026", "Nov 28, 2026, 12:11 AM CET", "7 years and 6 months"),
        ("en-GB", "28 November 2026", "28 Nov 2026, 00:11 CET", "7 years and 6 months"),
        ("fr", "28 novembre 2026", "28 nov. 2026, 00:11 CET", "7 ans et 6 mois"),
        ("de-AT", "28. November 2026", "28.11.2026, 00:11 CET", "7 Jahre und 6 Monate"),
        ("es", "28 de noviembre de 2026", "28 nov 2026, 0:11 CET", "7 años y 6 meses"),
    ],
)
def test_dates_are_written_as_in_the_readers_country_and_counted_as_at_the_controllers_seat(
    tag: str, day: str, time: str, period: str
) -> None:
    voice = Voice(tag[:2], tag, ZoneInfo("Europe/Paris"))
    late = datetime(2026, 11, 27, 23, 11, tzinfo=UTC)
    plain = [
        text.replace("\u202f", " ").replace("\u00a0", " ")
        for text in (voice.day(late), voice.time(late), voice.period("P7Y6M"))
    ]
    assert plain == [day, time, period]


@pytest.mark.parametrize(
    ("language", "law"),
    [
        ("en", "Articles 11(2), 12(2), 12(6) UK GDPR"),
        ("fr", "Articles 11(2), 12(2), 12(6) RGPD britannique"),
        ("de", "Artikel 11(2), 12(2), 12(6) DSGVO des Vereinigten Königreichs"),
        ("es", "Artículos 11(2), 12(2), 12(6) RGPD del Reino Unido"),
    ],
)
def test_a_provision_is_named_as_in_the_readers_language(language: str, law: str) -> None:
    assert words.law(Voice(language, language), "Articles 11(2), 12(2), 12(6) UK GDPR") == law


def test_a_sentence_that_nobody_knows_stays_as_it_is() -> None:
    assert words.again(Voice("fr", "fr"), "Something %(new)s, 100 %") == "Something %(new)s, 100 %"
