"""Names of the sample's stores, and the text that names a record in the truth and in a snapshot alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

TABLES: dict[str, tuple[str, ...]] = {
    "accounts": ("account_id",),
    "subscriptions": ("account_id", "subscription_id"),
    "invoices": ("customer_id", "invoice_number"),
    "tickets": ("pk", "sk"),
    "form_submissions": ("submission_id",),
    "survey_responses": ("response_id",),
    "job_applications": ("application_id",),
    "shared_contacts": ("account_id", "contact_email_lower"),
}
"""Store -> key attributes of its table."""
STORES = (*TABLES, "usage_events", "uploads")


def table_name(store: str) -> str:
    return f"salescookie-{store.replace('_', '-')}"


def bucket_name(store: str, account: str) -> str:
    return f"salescookie-{store.replace('_', '-')}-{account}"


def row_key(store: str, item: Mapping[str, Any]) -> str:
    """Key attributes as a JSON list of text."""
    return json.dumps([item[name] for name in TABLES[store]], ensure_ascii=False)


def file_key(key: str) -> str:
    """An object's key; the record is all its versions and delete markers."""
    return key


def upload_key(key: str) -> str:
    """The unfinished uploads under an object's key."""
    return f"unfinished:{key}"


def event_object(day: str) -> str:
    """Object key of a day's events."""
    return f"events/{day.replace('-', '/')}.jsonl.gz"


def event_key(day: str, event_id: str) -> str:
    """One line of a day's events."""
    return f"{event_object(day)}#{event_id}"
