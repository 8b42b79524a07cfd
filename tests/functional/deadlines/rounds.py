"""A small company whose daily round is run by hand."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from rightful.clocks import stamp
from rightful.ports import Mail
from rightful.service import deadlines, downloads, holding, intake, mail_events, requests
from rightful.service.contacts import Contact
from rightful.service.intake import Asked
from tests.fakes.company import ADA, small_map
from tests.fakes.world import World, forever, make_world

DPO = "dpo@example.org"


def company(time_zone: str = "Europe/Paris") -> World:
    datamap = small_map()
    return make_world(replace(datamap, controller=replace(datamap.controller, time_zone=time_zone)))


def run(world: World) -> dict[str, int]:
    """A round in which nothing fails; its counts."""
    done = deadlines.step(world.deps, forever)
    done.faults.ensure_none()
    return done.counts


def unverified(world: World, request_id: str, hours: float = 24, **more: str) -> dict[str, Any]:
    """A request that waits for its code; `source` for one that came by letter or phone."""
    now = world.clock()
    asked, contact = Asked(type="access", email=ADA), Contact.of(ADA, "en")
    item = intake.drafted(world.deps, asked, request_id, contact, now, now + timedelta(hours=hours), **more)
    assert world.table.put_new(requests.pk(request_id), "REQUEST", item)
    return item


def letter(world: World, request_id: str) -> datetime:
    """A request that came by letter; when it must be confirmed."""
    return datetime.fromisoformat(unverified(world, request_id, source="letter")["verify_by"])


def downloadable(world: World, request_id: str) -> None:
    """A completed access request with its package, and what a pause left beside it."""
    world.ask_for("access", request_id)
    requests.transition(world.deps, request_id, "completed", what="Your data is ready to download")
    for key in (downloads.key(request_id), f"{downloads.key(request_id)}.tail-1"):
        world.files.put(key, b"zip")


def held(world: World, hold_id: str, days: float = 1) -> None:
    facts = {"ground": "legal_process", "reason": "Case 7", "until": world.clock() + timedelta(days=days)}
    holding.place(world.deps, hold_id, "store", store="accounts", **facts)  # type: ignore[arg-type]


def due_in(world: World, request_id: str, days: float, **facts: Any) -> None:
    """A verified, open request of which its person knows."""
    world.ask_for("access", request_id)
    facts = {"due_at": stamp(world.clock() + timedelta(days=days)), **facts}
    world.table.update(requests.pk(request_id), "REQUEST", facts)
    world.table.put_new(requests.pk(request_id), "MAIL#request_received", {"sent_at": stamp(world.clock())})


def digests(world: World) -> list[Mail]:
    return [mail for mail in world.mailer.to(DPO) if ":dpo_deadlines:" in mail.key]


def named(mail: Mail) -> list[str]:
    """Ids of the requests that a mail tells of, in its order."""
    return re.findall(r"^\* \w+ (\S+)$", mail.text, re.MULTILINE)


def pasted(mail: Mail) -> list[dict[str, Any]]:
    return [json.loads(block) for block in re.findall(r"^{.*?^}", mail.text, re.DOTALL | re.MULTILINE)]


def provider_reports(world: World) -> None:
    """The provider's event for every mail that it took."""
    for mail in world.mailer.sent:
        subject, kind, number = mail.key.split(":")
        tags = {"subject": [subject], "kind": [kind], "number": [number]}
        mail_events.note(world.deps, {"detail": {"eventType": "Send", "mail": {"messageId": "m", "tags": tags}}})


def ledger(world: World, request_id: str) -> list[str]:
    item = next(item for key, item in world.table.items.items() if key == (requests.pk(request_id), "REQUEST"))
    return [each["what"] for each in requests.timeline(world.deps, item)]
