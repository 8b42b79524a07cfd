"""Somebody who reports, and what became of it."""

from __future__ import annotations

from typing import Any

from rightful.ports import Mail
from rightful.service import contacts, issues
from rightful.service.contacts import Contact
from rightful.service.verifying import SIGN_IN, Proof
from tests.fakes.company import ADA
from tests.fakes.world import World

DPO = "dpo@example.org"
SECRET = "The Quince Report: I could read other people's invoices."


def report(world: World, kind: str = "wrong_data", **more: Any) -> str:
    """The issue's id."""
    said = {"message": SECRET, "email": ADA, "locale": "en", "source": "192.0.2.1", "proof": None}
    return str(issues.report(world.deps, kind=kind, **{**said, **more})["issue_id"])


def proof(world: World, email: str = ADA) -> Proof:
    """That somebody read a code at this address just now."""
    contact, now = Contact.of(email, "en"), world.clock()
    sealed = contacts.seal(world.deps, f"v-{email}", contact, now.replace(year=now.year + 1))
    return Proof(contacts.person(world.deps, contact), SIGN_IN, f"v-{email}", now, sealed)


def issue(world: World, issue_id: str) -> dict[str, Any]:
    return issues.load(world.deps, issue_id)


def mails(world: World, kind: str) -> list[Mail]:
    return [mail for mail in world.mailer.sent if mail.key.split(":")[1] == kind]
