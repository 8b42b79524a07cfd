"""Takes a privacy request in: at once for a person with a token, else it waits for the code sent to its address."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from rightful import clocks
from rightful.clocks import stamp
from rightful.errors import Invalid, Unauthorised
from rightful.lifecycle import Status
from rightful.model import Regime, RequestType
from rightful.service import admitting, contacts, repeating, requests, verifying
from rightful.service.contacts import Contact
from rightful.service.deps import Deps
from rightful.service.repeating import Answer, Attempt
from rightful.service.verifying import Proof

ERASURE_PROOF: Final = timedelta(minutes=10)
"""An erasure cannot be undone, so its proof may be no older."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it came in."""

    type: RequestType
    email: str = ""
    """Needed without a token; with one, the token says who it is."""
    regime: Regime | None = None
    """None: the controller's own."""
    locale: str = "en"
    details: str = ""
    """In the person's words, for the DPO. Kept sealed."""


def submit(deps: Deps, asked: Asked, source: str, proof: Proof | None = None, key: str | None = None) -> Answer:
    """`{request_id, status, verification_id?, due_at}`. `source` is the caller's address, `key` the Idempotency-Key.
    Raises Invalid, Unauthorised (the proof is for something else, or too old), TooMany, Conflict (the key)."""
    verifying.limit_source(deps, "requests", source)
    if proof is not None:
        return _submit_proven(deps, asked, proof, key)
    if not asked.email:
        raise Invalid("An e-mail address is needed.", errors=[("email", "Say where the code shall be sent.")])
    contact = Contact.of(asked.email, asked.locale)
    person = contacts.person(deps, contact)

    def act(attempt: Attempt) -> Answer:
        if not (attempt.again and verifying.find(deps, attempt.verification_id)):
            verifying.limit_codes(deps, person)
        item = _put(deps, asked, attempt.request_id, contact)
        verifying.send_code(deps, attempt.verification_id, contact, person, asked.type, attempt.request_id)
        return {**_answer(item), "verification_id": attempt.verification_id}

    sender = deps.vault.digest("sender", f"{person} {source}") if key else ""
    return repeating.once(deps, sender, key, asdict(asked), act)


def suffices(deps: Deps, proof: Proof, kind: RequestType) -> bool:
    """Whether a request of this type is accepted with that proof."""
    return proof.purpose in (verifying.SIGN_IN, kind) and not (kind == "erasure" and _old(deps, proof))


def _old(deps: Deps, proof: Proof) -> bool:
    return not proof.recent(deps.clock(), ERASURE_PROOF)


def _submit_proven(deps: Deps, asked: Asked, proof: Proof, key: str | None) -> Answer:
    if proof.purpose not in (verifying.SIGN_IN, asked.type):
        raise Unauthorised(
            f"Your token is for a request of another type ({proof.purpose}). POST /verifications mails you a new code."
        )
    if asked.type == "erasure" and _old(deps, proof):
        raise Unauthorised(
            "For an erasure the proof may be at most 10 minutes old. Sign in again (prompt=login or max_age=600), or "
            "have a new code mailed: POST /verifications.",
            max_age=int(ERASURE_PROOF.total_seconds()),
        )
    contact = proof.opened(deps)
    if asked.email and Contact.of(asked.email, asked.locale).email != contact.email:
        fault = "Leave it out: the token says who you are. To use another address, send no token."
        raise Invalid("The token belongs to another address.", errors=[("email", fault)])
    contact = replace(contact, locale=asked.locale)

    def act(attempt: Attempt) -> Answer:
        _put(deps, asked, attempt.request_id, contact)
        return _answer(
            admitting.admit(deps, attempt.request_id, proof.person, proof.verified_at, proven=contact.proven)
        )

    return repeating.once(deps, proof.person, key, asdict(asked), act)


def _put(deps: Deps, asked: Asked, request_id: str, contact: Contact) -> dict[str, Any]:
    """The request, not verified yet. Made once."""
    now = deps.clock()
    item = drafted(deps, asked, request_id, contact, now, now + admitting.UNVERIFIED_LIFE)
    if not deps.table.put_new(requests.pk(request_id), "REQUEST", item):
        return requests.load(deps, request_id)
    return item


def drafted(
    deps: Deps, asked: Asked, request_id: str, contact: Contact, received_at: datetime, verify_by: datetime, **more: str
) -> dict[str, Any]:
    """The item of a new request, not verified yet: a record that goes by itself some days after `verify_by` (or after
    the day on which its answer is due, if that is later and `more` names a `source`), and its key with it."""
    controller = deps.datamap.controller
    regime = asked.regime or controller.regime
    due = clocks.due(regime, received_at, controller.holidays, tz=clocks.zone(controller.time_zone))
    if "source" in more:
        verify_by = max(verify_by, due)
    shown = admitting.LETTER_SHOWN if "source" in more else admitting.SHOWN_EXPIRED
    item = {
        "request_id": request_id,
        "type": asked.type,
        "status": Status.awaiting_verification.value,
        "regime": regime,
        "locale": asked.locale,
        "received_at": stamp(received_at),
        "due_at": stamp(due),
        "contact": contacts.seal(deps, request_id, contact, verify_by + admitting.KEY_GRACE, details=asked.details),
        "open": "unverified",
        "verify_by": stamp(verify_by),
        "expires_at": int((verify_by + shown).timestamp()),
        **more,
    }
    return requests.begun(item)


def _answer(item: dict[str, Any]) -> Answer:
    return {"request_id": item["request_id"], "status": item["status"], "due_at": item["due_at"]}
