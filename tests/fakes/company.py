"""A small company: five stores over three hops, Ada who asks, Bob who must not notice."""

from __future__ import annotations

from typing import Any

from rightful.model import (
    Accounts,
    Controller,
    DataMap,
    Erasure,
    Field,
    Identity,
    Locator,
    RequestPolicy,
    Retention,
    Store,
    Strategy,
    Topic,
)
from tests.fakes.memory_store import MemoryStore

ADA, BOB = "ada@example.org", "bob@example.org"


def store(title: str, erasure: Erasure, *locate: Locator, sweep: Retention | None = None, **more: Any) -> Store:
    return Store(
        title=title,
        connector="memory",
        purpose="tests",
        lawful_basis="contract",
        retention=sweep or Retention(period="P1Y", since="used_at"),
        erasure=erasure,
        locate=list(locate),
        **more,
    )


def by(identity: str, attribute: str | None = None, **gives: str) -> Locator:
    return Locator(by=identity, through={"attribute": attribute or identity}, gives=gives)


def small_map(**requests: RequestPolicy) -> DataMap:
    delete = Erasure(action="delete")
    text = {name: Field(category="user") for name in ("id", "email", "account_id", "customer_id", "note")}
    return DataMap(
        version="test-1",
        controller=Controller(
            name="Example", contact="dpo@example.org", policy_url="https://example.org/p", complaint="CNIL, Paris"
        ),
        identities={
            "email": Identity(category="user.contact.email", form="email", proven_by="code", claim="email"),
            "account_id": Identity(category="user.account", claim="sub"),
            "customer_id": Identity(category="user.unique_id"),
        },
        stores={
            "accounts": store("Account", delete, by("email", account_id="account_id"), by("account_id"), fields=text),
            "subscriptions": store("Subscriptions", delete, by("account_id", customer_id="customer_id"), fields=text),
            "invoices": store(
                "Invoices",
                Erasure(action="keep", ground="accounting", law="a law", period="P7Y", since="issued_at"),
                by("customer_id"),
                by("email"),
                fields=text | {"issued_at": Field(category="user")},
            ),
            "surveys": store(
                "Surveys",
                Erasure(
                    action="anonymise", fields={"email": Strategy(strategy="hmac"), "note": Strategy(strategy="null")}
                ),
                by("email"),
                fields=text,
            ),
            "contacts": store(
                "Shared contacts",
                delete,
                by("account_id"),
                by("email"),
                fields=text
                | {
                    "account_id": Field(category="user.account", about="account_id"),
                    "email": Field(category="user.contact.email", about="email"),
                },
            ),
            "usage": Store(
                title="Usage",
                connector="planned",
                purpose="tests",
                lawful_basis="consent",
                retention=Retention(period="P1Y", since="day"),
                erasure=delete,
            ),
        },
        requests=requests or {},  # type: ignore[arg-type] # the names are request types
        topics={
            "newsletter": Topic(title="Newsletter", text="News, about once a month.", kind="optional"),
            "product_feedback": Topic(title="Questions", text="How you like it.", kind="optional"),
            "announcements": Topic(title="Announcements", text="New features.", kind="optional"),
            "service": Topic(title="Your account", text="What your account needs.", kind="mandatory"),
            "rewards": Topic(
                title="Rewards", text="That a reward is ready.", kind="mandatory", contacts_in=["contacts"]
            ),
        },
        accounts=Accounts(store="accounts", email="email"),
        translations={"fr": {"News, about once a month.": "Des nouvelles, une fois par mois."}},
    )


def small_stores() -> dict[str, MemoryStore]:
    return {
        "accounts": MemoryStore(
            [
                {"id": "a1", "email": ADA, "account_id": "acct-1", "note": "Ada's"},
                {"id": "a2", "email": BOB, "account_id": "acct-10", "note": "Bob's"},
            ]
        ),
        "subscriptions": MemoryStore(
            [
                {"id": "s1", "account_id": "acct-1", "customer_id": "cus-1"},
                {"id": "s2", "account_id": "acct-1", "customer_id": "cus-2"},
                {"id": "s3", "account_id": "acct-10", "customer_id": "cus-10"},
            ]
        ),
        "invoices": MemoryStore(
            [
                {"id": "i1", "customer_id": "cus-1", "email": ADA, "issued_at": "2026-01-05"},
                {"id": "i2", "customer_id": "cus-2", "email": "books@example.org", "issued_at": "2012-02-29"},
                {"id": "i3", "customer_id": "cus-2", "email": ADA, "issued_at": "not a date"},
                {"id": "i4", "customer_id": "cus-10", "email": BOB, "issued_at": "2012-02-29"},
            ]
        ),
        "surveys": MemoryStore(
            [
                {"id": "v1", "email": ADA, "note": "I like it", "score": 5},
                {"id": "v2", "email": BOB, "note": "me too", "score": 4},
            ]
        ),
        "contacts": MemoryStore(
            [
                {"id": "c1", "account_id": "acct-1", "email": BOB},
                {"id": "c2", "account_id": "acct-10", "email": ADA},
                {"id": "c3", "account_id": "acct-10", "email": "eve@example.org"},
            ]
        ),
    }
