"""A request that came by letter or phone.

Nobody can wave a request through, the DPO neither: it waits until the person proved the address it names, by a code as
any other. Until then it stands as the one open request of that person and type, so that whoever proves the address by
the form confirms this one, with the day on which it was received.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final, get_args

from rightful import clocks
from rightful.approvals import OTHER_DOORS
from rightful.clocks import moment, stamp
from rightful.errors import Invalid
from rightful.model import Regime, RequestType
from rightful.service import admitting, contacts, intake, mailing, requests, terms
from rightful.service.contacts import Contact
from rightful.service.deps import Deps
from rightful.service.desk import dates
from rightful.service.intake import Asked

OLDEST: Final = timedelta(days=366)
"""What came earlier is a mistake of the date."""
LEAST: Final = timedelta(days=14)
"""How long the person has to confirm, if the answer is due sooner."""


def submit(deps: Deps, order: Mapping[str, Any]) -> dict[str, Any]:
    """Takes it in once: the same person, type, day and source are the same request. `{"ok", "message", "request_id",
    "status", "due_at"}`. Raises Invalid that names the field."""
    tz = clocks.zone(deps.datamap.controller.time_zone)
    now = deps.clock()
    _ensure_one_of("type", order["type"], get_args(RequestType))
    _ensure_one_of("source", order["source"], OTHER_DOORS)
    if "regime" in order:
        _ensure_one_of("regime", order["regime"], get_args(Regime))
    day = dates.day("received_at", order["received_at"], tz)
    received = min(dates.begin("received_at", order["received_at"], tz), now)
    if not (now - OLDEST).astimezone(tz).date() <= day <= now.astimezone(tz).date():
        cure = "Write the day on which it reached you: not one to come, and at most a year ago."
        raise Invalid("The day of receipt cannot be.", errors=[("received_at", cure)])
    contact = Contact.of(order["email"], order.get("locale", "en"))
    person = contacts.person(deps, contact)
    told = "\n".join([person, order["type"], day.isoformat(), order["source"]])
    request_id = deps.vault.digest("submitted", told)
    standing = admitting.reserve(deps, {"request_id": request_id, "type": order["type"]}, person)
    if standing["request_id"] != request_id:
        standing = _join(deps, standing, received, day)
        return _answer(standing, "This person has an open request of this type already. It is answered for both.")
    asked = Asked(type=order["type"], email=contact.email, regime=order.get("regime"), locale=contact.locale)
    drafted = intake.drafted(deps, asked, request_id, contact, received, now + LEAST, source=order["source"])
    if deps.table.put_new(requests.pk(request_id), "REQUEST", drafted):
        message = "Taken in. The person got a mail, and has to confirm by a code sent to this address."
    else:
        message = "It was taken in before, and stands once."
    item = requests.load(deps, request_id)
    if item["status"] == "awaiting_verification":
        _invite(deps, item, contact)
    return _answer(item, message)


def _join(deps: Deps, standing: Mapping[str, Any], received: datetime, day: date) -> dict[str, Any]:
    """The open request that stands for the letter too: its answer is due by whichever came first."""
    facts: dict[str, Any] = {}
    if received < moment(standing.get("counts_from", standing["received_at"])):
        facts["counts_from"] = stamp(received)
        extended = bool(standing.get("extended_until"))
        facts["due_at"] = stamp(terms.due(deps, {**standing, **facts}, extended=extended))
    what = f"A letter or a call of {day.isoformat()} asks for the same"
    return requests.append(deps, standing["request_id"], what, key=f"joined:{day.isoformat()}", noted=facts, **facts)


def _invite(deps: Deps, item: dict[str, Any], contact: Contact) -> None:
    tz = clocks.zone(deps.datamap.controller.time_zone)
    mailing.to_person(
        deps,
        item,
        "confirm_submitted",
        contact.email,
        received=clocks.day(item["received_at"], tz),
        until=clocks.day(item["verify_by"], tz),
    )


def _answer(item: Mapping[str, Any], message: str) -> dict[str, Any]:
    shown = {name: item[name] for name in ("request_id", "status", "due_at")}
    return {"ok": True, "message": message, **shown}


def _ensure_one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise Invalid("A choice does not exist.", errors=[(name, f"One of: {', '.join(choices)}.")])
