"""Notes what the mail provider says of our mails: that it took one, or could not deliver it.

Source of the events: Amazon SES developer guide, "Monitoring SES events using Amazon EventBridge". They come at least
once, in any order, and by best effort. A mail is recognised by its tags; the recipient's address is not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rightful.clocks import stamp
from rightful.service import mailing, requests
from rightful.service.announcing import notices
from rightful.service.deps import Deps

OUTCOMES: Final = {
    "Send": "accepted",
    "Delivery": "accepted",
    "Bounce": "bounced",
    "Reject": "bounced",
    "Rendering Failure": "bounced",
    "Complaint": "complained",
}
"""Event type -> what is noted; other types (opened, delayed) tell nothing we need."""

TO_OTHERS: Final = ("dpo_", "recipient_")
"""Kinds of mails that do not go to the person begin so."""


def note(deps: Deps, event: Mapping[str, Any]) -> dict[str, str]:
    """`{"request_id", "status", "why"}`: what the mail is about, the outcome noted, or `ignored`, and the kind of the
    mail. Idempotent."""
    outcome = OUTCOMES.get(event["detail"]["eventType"], "")
    tags = {name: values[0] for name, values in event["detail"]["mail"].get("tags", {}).items() if values}
    subject, kind = tags.get("subject", ""), tags.get("kind", "")
    answer = {"request_id": subject, "status": outcome or "ignored", "why": kind}
    number = tags.get("number", "1")
    if not (outcome and subject and kind and number.isdecimal()):
        return {**answer, "status": "ignored"}
    key = _mail(subject, kind, int(number))
    noted = {f"{outcome}_at": stamp(deps.clock()), "message_id": event["detail"]["mail"]["messageId"]}
    first = deps.table.update(*key, noted, expect={f"{outcome}_at": None})
    mail = deps.table.get(*key)
    if mail is None:
        return {**answer, "status": "ignored"}
    if outcome == "bounced" and kind == notices.KIND:
        if first is not None:
            notices.count_bounce(deps, mail)
    elif outcome == "bounced" and not kind.startswith(TO_OTHERS):
        _tell(deps, mail, kind, int(number))
    return answer


def note_refusal(deps: Deps, request_id: str, kind: str, why: str, number: int = 1) -> None:
    """As if the mail had bounced, when the provider did not take it at all: it is not sent again. `why` is the reason
    as the provider's error gave it, for the operator. Idempotent."""
    key = _mail(request_id, kind, number)
    deps.table.update(*key, {"bounced_at": stamp(deps.clock()), "refused": why}, expect={"bounced_at": None})
    if mail := deps.table.get(*key):
        _tell(deps, mail, kind, number)


def _mail(subject: str, kind: str, number: int) -> tuple[str, str]:
    """Key of the item that stands for the mail. A code's is its verification."""
    if kind == "code":
        return f"VERIFICATION#{subject}", "VERIFICATION"
    return mailing.claim_of(subject, kind, number)


def _tell(deps: Deps, mail: dict[str, Any], kind: str, number: int) -> None:
    """An entry in the ledger of the request, if there is one."""
    request_id = mail.get("request_id", "") if kind == "code" else mail["pk"].removeprefix(requests.pk(""))
    if not request_id or deps.table.get(requests.pk(request_id), "REQUEST") is None:
        return
    what = (
        "The mail with your code could not be delivered" if kind == "code" else "A mail to you could not be delivered"
    )
    requests.append(deps, request_id, what, key=f"bounced:{kind}:{number}")
