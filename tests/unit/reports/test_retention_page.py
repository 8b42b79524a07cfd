"""The page about a run says what was done and what to do, shows all that adds up, and runs nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest

from rightful.model import GROUNDS
from rightful.reports import retention_page, words
from rightful.reports.chart import LEAST, WIDTH, Slice, bar
from rightful.tallies import Tally
from tests.unit.reports.seen import Seen, assert_can_be_read_aloud, assert_runs_nothing

HOSTILE = "</style><script>alert(1)</script>{{ 7 * 7 }}<img src=x onerror=alert(1)>\u202e'\"&"


def store(**given: Any) -> dict[str, Any]:
    facts = {
        "title": "Accounts",
        "action": "delete",
        "period": "P1Y",
        "braked": False,
        "decision": "",
        "brake": 10,
        "share": 1.5,
        "failed_segments": 0,
        "sample": [],
    }
    return {**Tally().as_json(), **facts, **given}


def page(mode: str = "apply", **given: Any) -> str:
    stores = given.pop("stores", None) or {"accounts": store(**given)}
    summary = {
        "run_id": "daily-2027-01-31T030000Z",
        "mode": mode,
        "as_of": "2027-01-31T02:55:00Z",
        "began_at": "2027-01-31T03:00:00Z",
        "ended_at": "2027-01-31T04:02:05Z",
        "seconds": 3725,
        "stores": stores,
        "left_out": given.get("left_out", {}),
        "not_covered": given.get("not_covered", []),
        "report": "s3://reports/page.html",
    }
    return retention_page(summary, given.get("controller", "Example & Söhne"))


def text(mode: str = "apply", **given: Any) -> str:
    return Seen(page(mode, **given)).text


def test_nothing_is_loaded_or_run_and_the_one_style_is_allowed() -> None:
    assert_runs_nothing(page(scanned=3, due=1, deleted=1, kept={"in_use": 2}))


def test_it_can_be_read_aloud() -> None:
    whole = page(scanned=3, due=1, deleted=1, kept={"in_use": 2}, not_covered=["usage"], left_out={"a": "b"})
    assert_can_be_read_aloud(whole)
    assert re.findall(r'<svg class="bar"[^>]* role="img" aria-label="([^"]+)"', whole) == [
        "In use: their period has not run out: 2; Deleted: 1"
    ]


def test_what_operators_write_is_data() -> None:
    whole = page(
        stores={HOSTILE: store(title=HOSTILE, period=HOSTILE, sample=[HOSTILE], kept={HOSTILE: 2}, scanned=2)},
        left_out={HOSTILE: HOSTILE},
        not_covered=[HOSTILE],
        controller=HOSTILE,
    )
    seen = Seen(whole)
    assert "script" not in seen.tags
    assert "img" not in seen.tags
    assert "{{ 7 * 7 }}" in seen.text
    assert whole.count("</style>") == 1


def test_a_run_that_applied_says_what_it_did() -> None:
    said = text(scanned=1_234_567, due=3, deleted=2, held=1, kept={"in_use": 1_234_564})
    assert "Of 1,234,567 records, 3 are past the retention period. 2 deleted, 0 made anonymous." in said
    assert "Decided for 31 January 2027, 02:55 UTC" in said
    assert "Took 1 hour 2 minutes" in said
    assert "Rule: delete after 1 year. 1.5 % of the store was due; above 10 % the sweep asks you first." in said
    assert "Held: a legal hold or an open request protects this record." in said


def test_a_preview_says_that_nothing_was_changed_and_shows_some_of_what_is_due() -> None:
    said = text("preview", scanned=9, due=4, held=1, kept={"in_use": 5}, sample=["a-1", "a-2"])
    assert "This was a preview: nothing was changed." in said
    assert "Would be deleted 3" in said
    assert "a-1 a-2" in said
    assert "Would be made anonymous 4" in text("preview", scanned=4, due=4, action="anonymise")
    assert "would stop at this store and ask you" in text("preview", scanned=4, due=4, braked=True)


@pytest.mark.parametrize(
    ("decision", "sentence", "count"),
    [
        ("", "The sweep of this store waits for your decision.", "Due: wait for your decision 4"),
        ("cancel", "decided to leave the store as it is", "Due: left as they are by decision 4"),
        ("continue", "it was decided to go on", "Due: not reached 4"),
    ],
)
def test_a_braked_store_says_what_was_decided(decision: str, sentence: str, count: str) -> None:
    said = text(scanned=5, due=4, kept={"in_use": 1}, braked=True, decision=decision, share=80.0)
    assert sentence in said
    assert count in said
    assert ("Waiting for your decision" in said) is (decision == "")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"malformed": 2}, "Ask whoever writes this store to mend it; until then these records stay."),
        ({"malformed": 1}, "until then this record stays."),
        ({"due": 1, "blocked": 1}, "until a lock (S3 Object Lock) ends"),
        ({"due": 1, "failed": 1}, "the store did not take the change"),
        ({"due": 1, "deleted": 1, "resurrected": 1}, "1 record among the due had come back after the person's erasure"),
        ({"failed_segments": 2}, "2 parts of this store could not be gone through to the end"),
        ({"failed_segments": 1}, "Nothing in the store was changed."),
        ({"capacity": 12.5, "seconds": 61.4}, "Cost: 12.5 units"),
        ({"capacity": 12.5, "seconds": 61.4}, "and 61 seconds of work."),
        ({"kept": {"accounting": 7}}, "Kept: accounting 7"),
        ({"kept": {"a ground of our own": 7}}, "Kept: a ground of our own 7"),
    ],
)
def test_what_needs_a_word_gets_it(given: dict[str, Any], sentence: str) -> None:
    assert sentence in text(scanned=9, **given)


def test_stores_that_were_not_swept_are_named_with_the_reason() -> None:
    said = text(left_out={"tickets": "run monday works on it"}, not_covered=["usage_events"])
    assert "tickets : run monday works on it" in said
    assert "Not covered" in said
    assert "usage_events" in said


def test_all_records_of_a_store_are_shown_once() -> None:
    done: dict[str, Any] = {"deleted": 1, "anonymised": 2, "held": 3, "changed_meanwhile": 4, "blocked": 5, "failed": 6}
    whole = page(scanned=45, due=22, malformed=9, kept={"in_use": 10, "contract": 4}, **done)
    (counts,) = re.findall(r'<table class="counts">(.*?)</table>', whole, re.DOTALL)
    assert sum(int(number) for number in re.findall(r'<td class="number">(\d+)</td>', counts)) == 45


def test_every_ground_has_words() -> None:
    assert {*GROUNDS, "in_use", "active_service", "anonymised"} == set(words.GROUNDS)


def test_a_bar_is_filled_and_shows_the_few_among_the_many() -> None:
    drawn = bar([Slice("many", 1_000_000, "in_use"), Slice("one", 1, "deleted"), Slice("some", 5000, "due")])
    assert drawn[0][0] == 0
    assert drawn[-1][0] + drawn[-1][1] == pytest.approx(WIDTH, abs=0.2)
    assert all(width > LEAST * 0.9 for _, width, _ in drawn)
    assert bar([]) == []


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (119.4, "119 seconds"),
        (120, "2 minutes"),
        (7200, "2 hours"),
        (3661, "1 hour 1 minute"),
    ],
)
def test_how_long_it_took(seconds: float, said: str) -> None:
    assert words.lasting(seconds) == said


@pytest.mark.parametrize(
    ("period", "said"),
    [
        ("P1Y", "1 year"),
        ("P7Y6M", "7 years 6 months"),
        ("P90D", "90 days"),
        ("P2W", "2 weeks"),
        ("PT12H", "12 hours"),
        ("P", "P"),
    ],
)
def test_periods_in_words(period: str, said: str) -> None:
    assert words.period(period) == said


def test_the_template_engine_is_loaded_only_to_render() -> None:
    program = "import sys, rightful.reports; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
