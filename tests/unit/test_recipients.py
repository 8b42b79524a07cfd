"""Who is told of an erasure, and by what they can find the person."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rightful import recipients
from rightful.model import DataMap, Recipient
from tests.fakes.company import small_map

BILLING = Recipient(title="Billing", mail="privacy@billing.example", knows=["email", "customer_id"])
HOSTING = Recipient(title="Hosting", not_told="It stores what we delete")


def datamap() -> DataMap:
    """`billing` gets invoices and usage (which requests do not reach), `hosting` gets accounts and invoices."""
    named = {"invoices": ["billing", "hosting"], "accounts": ["hosting"], "usage": ["billing"]}
    stores = {name: replace(store, recipients=named.get(name, [])) for name, store in small_map().stores.items()}
    return replace(small_map(), stores=stores, recipients={"billing": BILLING, "hosting": HOSTING})


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        ({}, []),
        ({"invoices": {"deleted": 1}}, ["billing", "hosting"]),
        ({"invoices": {"anonymised": 2, "deleted": 0}}, ["billing", "hosting"]),
        ({"accounts": {"deleted": 1}, "invoices": {"deleted": 0, "anonymised": 0, "kept": 3}}, ["hosting"]),
        ({"invoices": {"skipped": True, "reason": "closed"}}, []),
        ({"invoices": {"skipped": True, "deleted": 1, "left": 1}}, ["billing", "hosting"]),
        ({"invoices": {"blocked": 4, "deleted": 0}}, []),
        ({"invoices": {"done": False, "sealed": b"x", "lookups": "h"}}, []),
        ({"usage": {"deleted": 1}}, []),
        ({"a store that was in the map once": {"deleted": 1}}, []),
        ({"contacts": {"deleted": 1}}, []),
    ],
)
def test_those_are_due_who_got_data_that_was_erased(rows: dict[str, Any], names: list[str]) -> None:
    assert recipients.due(datamap(), rows) == names


@pytest.mark.parametrize(
    ("found", "values"),
    [
        ({}, {}),
        ({"account_id": ["acct-1"]}, {}),
        ({"email": []}, {}),
        ({"email": ["ada@example.org", "Ada@Example.org"]}, {"email": ["ada@example.org"]}),
        (
            {"email": ["Ada@Example.org"], "account_id": ["acct-1"], "customer_id": ["cus-2", "CUS-2", "cus-2"]},
            {"email": ["ada@example.org"], "customer_id": ["cus-2", "CUS-2"]},
        ),
    ],
)
def test_only_what_a_recipient_knows_goes_out_in_normal_form_and_once(
    found: dict[str, list[str]], values: dict[str, list[str]]
) -> None:
    assert recipients.known(datamap(), "billing", found) == values
