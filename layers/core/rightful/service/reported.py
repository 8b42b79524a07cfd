"""Opens the erasure of an account that somebody reported as that of someone under 18.

Nobody can wave a request through, and a report proves nothing. So it may be searched for and put to the DPO, and no
more: see docs/decisions/under-18.md. Whoever reports learns nothing by it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from rightful.errors import NeedsAttention
from rightful.lifecycle import TERMINAL
from rightful.service import admitting, intake, mail_events, mailing, requests
from rightful.service.contacts import Contact
from rightful.service.deps import Deps
from rightful.service.intake import Asked

KIND: Final = "reported_under_18"


def open_erasure(deps: Deps, issue_id: str, contact: Contact, person: str, may_mail: Callable[[], bool]) -> str:
    """The id of the one erasure that stands for the person: theirs, if one is open, or a new one. Its address is told,
    if `may_mail` says so, unless the person asked for it themself. Idempotent. Raises TryAgain."""
    request_id = deps.vault.digest("reported", issue_id)
    item = admitting.reserve(deps, {"request_id": request_id, "type": "erasure"}, person)
    if item["request_id"] == request_id:
        item = _drafted(deps, request_id, contact)
    item = admitting.report(deps, item, person)
    if not requests.is_theirs(item) and item["status"] not in TERMINAL and may_mail():
        _tell(deps, item["request_id"], contact)
    return str(item["request_id"])


def _drafted(deps: Deps, request_id: str, contact: Contact) -> dict[str, Any]:
    """The request, as one that waits for its person: should the process be killed now, it expires by itself."""
    now = deps.clock()
    asked = Asked(type="erasure", email=contact.email, locale=contact.locale)
    drafted = intake.drafted(deps, asked, request_id, contact, now, now, source=requests.REPORT)
    if deps.table.put_new(requests.pk(request_id), "REQUEST", drafted):
        return drafted
    return requests.load(deps, request_id)


def _tell(deps: Deps, request_id: str, contact: Contact) -> None:
    request = requests.load(deps, request_id)
    try:
        mailing.to_person(deps, request, KIND, contact.email)
    except NeedsAttention as refusal:
        mail_events.note_refusal(deps, request_id, KIND, str(refusal))
