"""The retention decision: calendars, placeholders, grounds; and that nothing is hidden that it would act on."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rightful import periods, retention
from rightful.model import Record, Retention, Strategy, Unless

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
YEAR = Retention(period="P1Y", since="used_at")


def decision(rule: Retention, now: datetime = NOW, **data: Any) -> tuple[str, str]:
    found = retention.decide(rule, Record("k", data), now)
    return found.action, found.reason


@pytest.mark.parametrize(
    ("used", "now", "due"),
    [
        ("2025-11-02T09:00:00Z", "2026-11-02T08:59:59Z", False),
        ("2025-11-02T09:00:00Z", "2026-11-02T09:00:00Z", True),
        # 29 February has its year on the 28th, and not a day sooner or later
        ("2024-02-29T10:00:00Z", "2025-02-28T09:59:59Z", False),
        ("2024-02-29T10:00:00Z", "2025-02-28T10:00:00Z", True),
        ("2023-02-28T10:00:00Z", "2024-02-28T10:00:00Z", True),
        ("2023-03-01T00:00:00Z", "2024-02-29T23:59:59Z", False),
        # an offset is another way to write the same moment
        ("2025-11-02T09:00:00+14:00", "2026-11-01T19:00:00Z", True),
        ("2025-11-01T19:00:00-10:00", "2026-11-02T04:59:59Z", False),
        # a day without a time may have been used in its last second
        ("2025-11-02", "2026-11-02T23:59:59Z", False),
        ("2025-11-02", "2026-11-03T00:00:00Z", True),
        ("2024-02-29", "2025-02-28T23:59:59Z", False),
        ("2024-02-29", "2025-03-01T00:00:00Z", True),
    ],
)
def test_the_calendar_is_exact(used: str, now: str, due: bool) -> None:
    assert decision(YEAR, datetime.fromisoformat(now), used_at=used) == (
        ("delete", "due") if due else ("keep", "in_use")
    )


@pytest.mark.parametrize(
    "value",
    [
        None, "", " ", "never", "2025-02-29", "2025-13-01T00:00:00Z", "2025-01-01T24:30:00Z", "01/02/2020", "yesterday",
        True, False, 0, -1, 20200101, 1577836800000, Decimal("NaN"), Decimal("Infinity"), Decimal(0), 1.5e9,
        "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "1900-01-01", [], {}, ["2020-01-01T00:00:00Z", "never"],
        b"2020-01-01", "2020-01-01T00:00:00Z; DROP", "٢٠٢٠-٠١-٠١",
    ],
)  # fmt: skip
def test_a_date_that_cannot_be_read_keeps_the_record_and_is_reported(value: Any) -> None:
    assert decision(YEAR, used_at=value) == ("keep", "malformed")


def test_a_missing_date_keeps_the_record_and_is_reported() -> None:
    assert decision(YEAR, other="2020-01-01") == ("keep", "malformed")


def test_seconds_since_the_epoch_are_a_date() -> None:
    assert decision(YEAR, used_at=Decimal(1577836800)) == ("delete", "due")
    assert decision(YEAR, used_at=int(NOW.timestamp())) == ("keep", "in_use")


def test_of_several_dates_the_last_counts_and_all_must_be_readable() -> None:
    rule = Retention(period="P1Y", since="visits[].at")
    old, new = {"at": "2020-01-01T00:00:00Z"}, {"at": "2026-10-01T00:00:00Z"}
    assert decision(rule, visits=[old, old]) == ("delete", "due")
    assert decision(rule, visits=[new, old]) == ("keep", "in_use")
    assert decision(rule, visits=[old, {"at": "?"}]) == ("keep", "malformed")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"status": "active"}, ("keep", "active_service")),
        ({"status": "closed"}, ("delete", "due")),
        ({}, ("delete", "due")),
        ({"status": ["closed", "active"]}, ("keep", "active_service")),
        ({"status": {"active"}}, ("keep", "active_service")),
        ({"status": [["ended"], ["active"]]}, ("keep", "active_service")),
    ],
)
def test_an_active_service_keeps(data: dict[str, Any], expected: tuple[str, str]) -> None:
    rule = Retention(
        period="P1Y", since="used_at", unless=[Unless(ground="active_service", attribute="status", equals=["active"])]
    )
    assert decision(rule, used_at="2020-01-01T00:00:00Z", **data) == expected


@pytest.mark.parametrize(("flag", "kept"), [(True, True), (False, False), ("true", True), (1, False), ([True], True)])
def test_a_condition_on_a_boolean_is_written_as_yaml_writes_it(flag: Any, kept: bool) -> None:
    rule = Retention(
        period="P1Y", since="used_at", unless=[Unless(ground="investigation", attribute="open", equals=["true"])]
    )
    assert (decision(rule, used_at="2020-01-01T00:00:00Z", open=flag)[0] == "keep") is kept


@pytest.mark.parametrize(
    ("issued", "expected"),
    [
        ("2019-11-02T09:00:01Z", ("keep", "accounting")),
        ("2019-11-02T09:00:00Z", ("delete", "due")),
        ("soon", ("keep", "malformed")),
        (None, ("keep", "malformed")),
    ],
)
def test_a_ground_has_a_longer_period_of_its_own_and_then_the_record_goes(
    issued: str | None, expected: tuple[str, str]
) -> None:
    rule = Retention(
        period="P1Y", since="used_at", unless=[Unless(ground="accounting", period="P7Y", since="issued_at")]
    )
    assert decision(rule, used_at="2019-11-02T09:00:00Z", issued_at=issued) == expected


@pytest.mark.parametrize(
    "ground", ["business_records", "contract", "investigation", "legal_process", "enforcement_of_rights"]
)
def test_each_ground_of_the_policy_keeps_under_its_own_name(ground: str) -> None:
    rule = Retention(period="P1Y", since="used_at", unless=[Unless(ground=ground, attribute="why", equals=[ground])])
    assert decision(rule, used_at="2020-01-01T00:00:00Z", why=ground) == ("keep", ground)


def test_what_was_anonymised_is_not_anonymised_again_until_something_comes_back() -> None:
    rule = Retention(period="P1Y", since="used_at", action="anonymise", fields={"note": Strategy(strategy="redact")})
    old: dict[str, Any] = {"used_at": "2020-01-01T00:00:00Z", "rightful_anonymised_at": "2026-01-01T00:00:00Z"}
    assert decision(rule, note="[redacted]", **old) == ("keep", "anonymised")
    assert decision(rule, note="call Ada", **old) == ("anonymise", "due")


@pytest.mark.parametrize("strategy", ["hmac", "fake", "null"])
def test_what_was_used_after_it_was_anonymised_is_anonymised_again(strategy: Any) -> None:
    """What an application wrote since may look like what `hmac` and `fake` leave."""
    rule = Retention(period="P1Y", since="used_at", action="anonymise", fields={"email": Strategy(strategy=strategy)})
    used: dict[str, Any] = {"used_at": "2025-03-01T00:00:00Z", "email": None}
    before, after = "2024-01-01T00:00:00Z", "2026-05-01T00:00:00Z"
    assert decision(rule, rightful_anonymised_at=before, **used) == ("anonymise", "due")
    assert decision(rule, rightful_anonymised_at=after, **used) == ("keep", "anonymised")


@pytest.mark.parametrize(
    ("used", "last"),
    [
        (date(2025, 11, 2), "2026-11-02T23:59:59Z"),
        ("2025-11-02T10", "2026-11-02T10:59:59Z"),
        ("2025-11-02T10+02:00", "2026-11-02T08:59:59Z"),
        ("20251102T10Z", "2026-11-02T10:59:59Z"),
    ],
)
def test_a_date_counts_from_the_end_of_what_it_names(used: Any, last: str) -> None:
    moment = datetime.fromisoformat(last)
    assert decision(YEAR, moment, used_at=used) == ("keep", "in_use")
    assert decision(YEAR, moment + timedelta(seconds=1), used_at=used) == ("delete", "due")


def test_any_moment_can_be_decided_for() -> None:
    for year in (1, 2, 9999):
        assert retention.due_after(Retention(period="P1D", since="used_at"), datetime(year, 12, 31, 23, tzinfo=UTC))


@pytest.mark.parametrize(
    ("pattern", "key", "over"),
    [
        ("events/%Y/%m/%d.jsonl.gz", "events/2024/02/29.jsonl.gz", "2024-03-01T00:00:00Z"),
        ("events/%Y/%m/%d.jsonl.gz", "events/2025/02/29.jsonl.gz", None),
        ("events/%Y/%m/%d.jsonl.gz", "events/2025/2/9.jsonl.gz", None),
        ("events/%Y/%m/%d.jsonl.gz", "events/2025/02/09Xjsonl.gz", None),
        ("events/%Y/%m/%d.jsonl.gz", "other/events/2025/02/09.jsonl.gz", None),
        ("logs/*/dt=%Y-%m-%d/", "logs/web/dt=2025-12-31/a/b.gz", "2026-01-01T00:00:00Z"),
        ("logs/*/dt=%Y-%m-%d/", "logs/web/eu/dt=2025-12-31/a.gz", None),
        ("%Y/%m/", "2025/12/x", "2026-01-01T00:00:00Z"),
        ("%Y/", "2025/x", "2026-01-01T00:00:00Z"),
        ("h/%Y%m%d%H", "h/2025123123", "2026-01-01T00:00:00Z"),
        ("%Y/%m/", "0000/12/x", None),
        ("%Y/%m/", "1970/12/x", None),
        ("%Y/%m/", "9999/12/x", "9999-12-31T23:59:59Z"),
    ],
)
def test_a_date_in_a_key_is_over_at_the_end_of_what_it_names(pattern: str, key: str, over: str | None) -> None:
    found = retention.key_date(pattern, key)
    assert (found.replace(microsecond=0) if found else None) == (datetime.fromisoformat(over) if over else None)


@pytest.mark.parametrize("pattern", ["events/", "%m/%d", "%Y/%d", "%Y/%Y", "%y/", "%Y%Z", ""])
def test_a_pattern_that_names_no_day_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"%Y|year"):
        retention.key_pattern(pattern)


moments = st.datetimes(datetime(2024, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  made aware by the strategy
rules = st.sampled_from(["P1Y", "P1M", "P30D", "P13M", "P2Y6M", "P1W", "PT36H"]).map(
    lambda period: Retention(period=period, since="used_at")
)
written = st.one_of(
    moments.map(lambda at: at.strftime("%Y-%m-%dT%H:%M:%SZ")),
    moments.map(lambda at: at.date().isoformat()),
    moments.map(lambda at: at.astimezone(timezone(timedelta(hours=-11))).isoformat()),
    moments.map(lambda at: int(at.timestamp())),
    st.from_regex(r"2[0-9]{3}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]Z", fullmatch=True),
    st.text(max_size=24),
)


@given(rules, written, moments)
@example(YEAR, "2026-02-30T00:00:00Z", NOW)
@example(YEAR, "2026-10-05T25:00:00Z", NOW)
def test_what_may_be_left_out_is_in_use_for_sure(rule: Retention, value: Any, now: datetime) -> None:
    if retention.surely_after(value, retention.due_after(rule, now)):
        assert decision(rule, now, used_at=value) == ("keep", "in_use")


@given(rules, moments, moments)
def test_a_record_is_due_from_one_moment_on(rule: Retention, used: datetime, now: datetime) -> None:
    text = used.strftime("%Y-%m-%dT%H:%M:%SZ")
    end = periods.add(used.replace(microsecond=0), periods.parse(rule.period))
    assert (decision(rule, now, used_at=text)[0] == "delete") == (now >= end)


@given(moments, st.sampled_from(["P1Y", "P1M", "P30D", "P13M", "PT36H"]))
def test_before_undoes_add_within_the_length_of_months(moment: datetime, text: str) -> None:
    period = periods.parse(text)
    assert abs(periods.add(periods.before(moment, period), period) - moment) <= timedelta(days=3)
