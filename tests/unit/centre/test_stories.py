"""What happened to a request, in words."""

from __future__ import annotations

from typing import Any

from rightful.centre import stories
from rightful.centre.voices import Voice
from tests.web.served import sample_map

ENGLISH, GERMAN = Voice("en", "en-GB"), Voice("de", "de")


def told(voice: Voice, kind: str, **facts: Any) -> dict[str, Any]:
    store = {"title": "Your invoices", "covered": True, **facts}
    [one] = stories.outcomes(voice, sample_map(), {"type": kind, "result": {"stores": {"invoices": store}}})
    return one


def test_a_timeline_is_told_in_the_readers_language_with_its_days() -> None:
    events = [
        {
            "at": "2026-11-02T09:00:00Z",
            "what": "We need more time; you will have our answer by 2027-02-02 at the latest",
        },
        {"at": "2026-11-03T09:00:00Z", "what": "Erasure is scheduled for 2026-11-09 09:00 UTC"},
        {"at": "2026-11-04T09:00:00Z", "what": "A letter or a call of yesterday asks for the same"},
        {"at": "2026-11-05T09:00:00Z", "what": "Something that was never heard of"},
    ]
    assert [event["what"] for event in stories.timeline(GERMAN, events)] == [
        "Wir brauchen mehr Zeit; Sie erhalten unsere Antwort spätestens am 2. Februar 2027",
        "Die Löschung ist geplant für: 09.11.2026, 09:00 UTC",
        "Ein Brief oder Anruf vom yesterday bittet um dasselbe",
        "Something that was never heard of",
    ]


def test_what_was_kept_says_why_by_which_law_and_until_when() -> None:
    law = sample_map().stores["invoices"].erasure.law
    kept_by = {"accounting": "2033-11-02", "a new ground": ""}
    one = told(ENGLISH, "erasure", deleted=1, kept=2, kept_by=kept_by, law=law)
    assert one["mark"] == "kept"
    assert one["lines"] == [
        "1 record deleted",
        "2 records kept",
        "Why: a new ground, for as long as the law asks",
        "Why: we must keep accounting records, until 2 November 2033",
        f"Legal basis: {law}",
    ]


def test_whatever_became_of_records_is_told() -> None:
    one = told(
        ENGLISH,
        "erasure",
        anonymised=1,
        held=2,
        held_by=[{"ground": "legal_process"}, {"ground": "legal_process"}],
        blocked=1,
        blocked_until="2027-01-31T00:00:00Z",
        left=3,
        later=1,
        skipped=True,
        reason="The disk is broken.",
        partly=True,
    )
    assert one["mark"] == "skipped"
    assert one["lines"] == [
        "1 record made anonymous",
        "2 records kept under a legal hold; they go when the hold ends, without your asking again",
        "Why the hold: a legal proceeding needs it",
        "1 record locked against deletion until 31 January 2027",
        "3 records could not be deleted",
        "1 record came while we were at work and is still there; ask again to have it deleted",
        "Left out: The disk is broken.",
        "A part of it may have been deleted before it failed",
    ]


def test_what_is_not_reached_yet_and_what_was_empty_are_told_apart() -> None:
    assert told(GERMAN, "access", covered=False)["lines"] == [
        "Nicht im Download enthalten. Schreiben Sie unserem Datenschutzbeauftragten und nennen Sie Ihr Aktenzeichen; "
        "Sie erhalten es dann."
    ]
    assert told(GERMAN, "access", covered=False)["mark"] == "uncovered"
    assert told(ENGLISH, "erasure", covered=False)["lines"][0].startswith("Not deleted automatically.")
    assert told(ENGLISH, "access", done=True, exported=0) == {
        "title": "Your invoices",
        "mark": "none",
        "lines": ["Nothing was found"],
    }
