"""Who it is: a code is asked for, and typed in."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import Any

from rightful.errors import Invalid, Unauthorised
from rightful.model import RequestType
from rightful.service import contacts, intake, preferences, repeating, verifying
from rightful.service.contacts import Contact
from rightful.service.deps import Deps
from rightful.service.repeating import Attempt
from rightful.service.verifying import SIGN_IN, Proof, new_id
from rightful.service.visiting import own, showing
from rightful.service.visiting.visits import THEN, Page, Visit

UNCONFIRMED = "Tick the box to confirm that you want your data deleted."


def ask(deps: Deps, visit: Visit) -> Page:
    """A request for a download or a deletion. Who is signed in, by a proof that is good enough for it, has made it; all
    others get a code. Raises what intake.submit raises."""
    kind: RequestType = "erasure" if visit.field("kind") == "erasure" else "access"
    if kind == "erasure" and visit.field("confirm") != "yes":
        raise Invalid(showing.UNREADABLE, errors=[("confirm", UNCONFIRMED)])
    proof, email = _standing(deps, visit, kind)
    asked = intake.Asked(type=kind, email="" if proof else email, locale=visit.voice.tag)
    taken = intake.submit(deps, asked, visit.source, proof, visit.key)
    if proof:
        return own.request(deps, visit.with_fields(request_id=taken["request_id"]))
    then = {"step": "request", "request_id": taken["request_id"]}
    again = {"step": "ask", "kind": kind, "confirm": "yes", "email": email}
    return coding(taken["verification_id"], email, then=then, again=again)


def _standing(deps: Deps, visit: Visit, kind: RequestType) -> tuple[Proof | None, str]:
    """What the token of the page proves, if it is good enough for such a request; and the address to send a code to."""
    typed = visit.field("email") or visit.field("who")
    try:
        proof = verifying.authenticate(deps, f"Bearer {visit.field('token')}")
    except Unauthorised:
        return None, typed
    if intake.suffices(deps, proof, kind):
        return proof, ""
    return None, proof.opened(deps).email


def enter(deps: Deps, visit: Visit) -> Page:
    """Mails a code for a sign-in, once for each key. Raises Invalid, TooMany."""
    verifying.limit_source(deps, "verifications", visit.source)
    email = visit.field("email")
    contact = Contact.of(email, visit.voice.tag)
    person = contacts.person(deps, contact)

    def act(attempt: Attempt) -> dict[str, Any]:
        if not (attempt.again and verifying.find(deps, attempt.verification_id)):
            verifying.limit_codes(deps, person)
        sent = verifying.send_code(deps, attempt.verification_id, contact, person, SIGN_IN)
        return {"verification_id": sent.verification_id}

    sender = deps.vault.digest("sender", f"{person} {visit.source}")
    answer = repeating.once(deps, sender, visit.key, {"sign_in": email}, act)
    then = visit.carried() or {"step": "start"}
    again = {"step": "enter", "email": email, **{THEN + name: value for name, value in then.items()}}
    return coding(answer["verification_id"], email, then=then, again=again)


def coding(verification_id: str, email: str, *, then: dict[str, str], again: dict[str, str]) -> Page:
    """The page that takes the code. `then` is what it is for; `again` are the fields that ask for another code."""
    back = {"step": {"erasure": "delete", "access": "download"}.get(again.get("kind", ""), "sign_in")}
    kept = {name: value for name, value in again.items() if name.startswith(THEN)} | {"email": email}
    facts = {
        "verification_id": verification_id,
        "email": email,
        "then": then,
        "again_fields": {**again, "key": new_id()},
        "back": {**back, **kept},
        "purpose": again.get("kind", "sign_in"),
    }
    carried = {THEN + name: value for name, value in then.items()}
    resending = {f"again.{name}": value for name, value in again.items()}
    here = {"step": "code_page", "verification_id": verification_id, "email": email, **carried, **resending}
    return Page(state="code", facts=facts, here=here)


def code_page(_: Deps, visit: Visit) -> Page:
    """The page that takes the code, again."""
    again = {name.removeprefix("again."): value for name, value in visit.fields.items() if name.startswith("again.")}
    then = visit.carried()
    return coding(visit.field("verification_id"), visit.field("email"), then=then, again=again)


def code(deps: Deps, visit: Visit) -> Visit:
    """Exchanges the code for a token; answers with the visit that comes next, signed in. Raises Unauthorised (wrong),
    Gone, TooMany."""
    typed = re.sub(r"[\s\u2010-\u2015-]", "", visit.field("code"))
    if not typed:
        raise Invalid(showing.UNREADABLE, errors=[("code", "Type in the code from our mail.")])
    kept = partial(preferences.honour, deps) if visit.gpc else None
    token = verifying.check(deps, visit.field("verification_id"), typed[:64], then=kept)
    then = visit.carried()
    fields = {**then, "step": then.get("step", "start"), "token": token.token, "who": visit.field("email")}
    return replace(visit, fields=fields)


def leave(deps: Deps, visit: Visit) -> Visit:
    """Ends the session, wherever else its token is kept; the cards come next."""
    verifying.revoke(deps, visit.field("token"))
    return replace(visit, fields={"step": "start"})
