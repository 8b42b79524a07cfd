"""The words of the reports. English, as all that goes to the DPO."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from rightful.clocks import moment

GROUNDS: Final = {
    "in_use": "In use: their period has not run out",
    "active_service": "Kept: needed to deliver the service",
    "accounting": "Kept: accounting",
    "business_records": "Kept: business records",
    "contract": "Kept: a contract still needs them",
    "investigation": "Kept: an investigation",
    "legal_process": "Kept: a legal process",
    "enforcement_of_rights": "Kept: to establish or defend rights",
    "anonymised": "Anonymous already",
}
MALFORMED: Final = "Kept: the date that decides cannot be read"
OUTCOMES: Final = {
    "deleted": "Deleted",
    "anonymised": "Made anonymous",
    "held": "Due, but protected by a legal hold or an open request",
    "changed_meanwhile": "Due, but changed while the sweep ran",
    "blocked": "Due, but locked against deletion in the store",
    "failed": "Due, but the store refused",
}
"""What became of a record that is due."""
WOULD: Final = {"delete": "Would be deleted", "anonymise": "Would be made anonymous"}
LABELS: Final = {
    "access": "Access",
    "erasure": "Erasure",
    "awaiting_approval": "Waits for approval",
    "awaiting_verification": "Not verified",
    "in_progress": "In progress",
    "needs_attention": "Needs attention",
    "paused": "Paused",
    "scheduled": "In its grace period",
    "person": "A person",
    "store": "A store",
    "record": "Records",
    "form": "Web form",
    "gdpr": "GDPR",
    "uk_gdpr": "UK GDPR",
    "ccpa": "CCPA",
    "behavior": "Behaviour",
    "delete": "deleted",
    "anonymise": "made anonymous",
}
"""Names that stand alone on a page."""
_PERIOD: Final = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?", re.ASCII)
_UNITS: Final = ("year", "month", "week", "day", "hour", "minute")


def ground(reason: str) -> str:
    """Why a record stays; a reason that has no words here is shown as it is."""
    return GROUNDS.get(reason, f"Kept: {reason}")


def label(name: str) -> str:
    """A type, status, scope or ground by its name on a page; one that has no words here with spaces and a capital."""
    plain = LABELS.get(name) or GROUNDS.get(name, "").removeprefix("Kept: ") or name.replace("_", " ").strip()
    return plain[:1].upper() + plain[1:]


def to_do(store: Mapping[str, Any], mode: str, waits: bool) -> str:
    """What is to be said of records that are due and that nothing has been done to."""
    if mode == "preview":
        return WOULD[store["action"]]
    if waits:
        return "Due: wait for your decision"
    if store["decision"] == "cancel":
        return "Due: left as they are by decision"
    return "Due: not reached"


def number(value: float) -> str:
    """`1234567` -> `1,234,567`."""
    return f"{value:,}"


def instant(stamp: str) -> str:
    """`2027-01-31T03:00:00Z` -> `31 January 2027, 03:00 UTC`."""
    at = moment(stamp)
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def date(text: str) -> str:
    """`2027-01-31` or `2027-01-31T03:00:00Z` -> `31 January 2027`; what is no such date is shown as it is."""
    try:
        day = moment(text)
    except ValueError:
        return text
    return f"{day.day} {day:%B %Y}"


def lasting(seconds: float) -> str:
    """`3725` -> `1 hour 2 minutes`; below two minutes in whole seconds."""
    if seconds < 120:
        return count(round(seconds), "second")
    hours, minutes = divmod(round(seconds / 60), 60)
    return " ".join(count(value, unit) for value, unit in ((hours, "hour"), (minutes, "minute")) if value)


def period(text: str) -> str:
    """`P1Y6M` -> `1 year 6 months`; what is no such duration is shown as it is."""
    match = _PERIOD.fullmatch(text)
    parts = [(int(value), unit) for value, unit in zip(match.groups(), _UNITS, strict=True) if value] if match else []
    return " ".join(count(value, unit) for value, unit in parts) or text


def count(value: int, unit: str) -> str:
    """`1`, `day` -> `1 day`; `1234` -> `1,234 days`."""
    return f"{number(value)} {unit}{'' if value == 1 else 's'}"
