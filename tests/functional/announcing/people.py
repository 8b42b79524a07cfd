"""A company whose accounts are told of a new policy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from rightful.model import Accounts
from rightful.service import mail_events
from rightful.service.deps import Settings
from tests.fakes.company import small_map, small_stores
from tests.fakes.memory_store import MemoryStore
from tests.fakes.world import World, make_world

VERSION = "2027-03"
ORDER: dict[str, Any] = {
    "version": VERSION,
    "url": "https://example.org/p/2027-03",
    "effective_from": "2027-03-01",
    "material": True,
}


def people(number: int) -> list[dict[str, Any]]:
    """That many accounts; every other one is French."""
    return [
        {"id": f"a{n:04}", "email": f"p{n}@example.org", "settings": {"language": "fr-CA" if n % 2 else "en"}}
        for n in range(number)
    ]


def company(accounts: Iterable[Mapping[str, Any]] = (), *, page_size: int = 100, parts: int = 4) -> World:
    """With these accounts, and a version of the policy that is not yet published."""
    named = Accounts(store="accounts", email="email", locale="settings.language")
    world = make_world(replace(small_map(), accounts=named), {**small_stores(), "accounts": MemoryStore(accounts)})
    world.sweepers["accounts"].page_size, world.sweepers["accounts"].parts = page_size, parts
    world.deps = replace(
        world.deps, settings=Settings(stage="local", public_url="https://privacy.example.org", desk_url="https://desk")
    )
    return world


def publish(world: World, **changed: Any) -> dict[str, Any]:
    """What the desk answers."""
    return world.ask_desk("publish_policy", **{**ORDER, **changed})


def told(world: World, version: str = VERSION) -> list[str]:
    """Whom the notice of this version was mailed to, each as often as it was."""
    return sorted(
        mail.to for mail in world.mailer.sent if f"_{version}" in mail.key or mail.key.startswith(version + "_")
    )


def reports(world: World) -> list[str]:
    """The mails to the DPO about it."""
    return [mail.text for mail in world.mailer.to("dpo@example.org") if ":dpo_policy_notice:" in mail.key]


def provider_says(world: World, kind: str, to: str) -> None:
    """The event that the mail provider publishes of the last mail to that address."""
    subject, what, number = world.mailer.to(to)[-1].key.split(":")
    tags = {"subject": [subject], "kind": [what], "number": [number]}
    mail_events.note(world.deps, {"detail": {"eventType": kind, "mail": {"messageId": "m", "tags": tags}}})
