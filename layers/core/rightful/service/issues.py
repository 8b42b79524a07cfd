"""Reports of privacy issues, by whoever comes: kept in the register, and passed on to the data protection officer.

ISSUE#<id>         ISSUE                    the report: kind, status, received_at, due_at, aware_at, and sealed under a
                                            key of its own what was written and by whom
ISSUES#<yyyy-mm>   <received_at>#<id>       that there was one: {issue_id, kind}, for counts
PERSON#<person>    ISSUE#<id>               that this address was given or proven, for the desk's `find`
PERSON#<person>    MAILED#<day>             the one report of the day because of which an unproven address was mailed
ISSUES             DROPPED#<day>            how many reports filled in the field that no person sees

An issue is `untold` until the DPO was mailed. So one that comes in a flood, or whose process was killed, is not lost:
the daily round mails what is untold (`rightful.service.gathering`). An answer never depends on whom a report names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final, get_args

from rightful import clocks, periods
from rightful.clocks import moment, stamp
from rightful.errors import Invalid, NeedsAttention, NotFound, TryAgain
from rightful.model import IssueKind
from rightful.service import contacts, mailing, repeating, reported, verifying
from rightful.service.contacts import Contact
from rightful.service.deps import Deps
from rightful.service.repeating import Answer, Attempt
from rightful.service.verifying import Proof

Issue = dict[str, Any]
KINDS: Final = get_args(IssueKind)
BREACH: Final = "suspected_breach"
MINOR: Final = "under_18"
UNTOLD, WAITING, CLOCK = "untold", "issue", "breach"
"""What the attribute `open` says of an issue: the DPO was not mailed yet; waits for the DPO; and its 72 hours run."""
MAIL: Final = "dpo_issue"
WHOSE: Final = "Write the address of the account that belongs to someone under 18."
LONGEST: Final = 4000
"""Characters of what is written."""
MAILS_PER_HOUR: Final = 20
"""To the DPO, one for each report; what comes beyond them is gathered. Breaches have as many of their own, so that no
flood of anything else keeps one back."""
MAILS_OF_A_NETWORK: Final = 5
"""Of those, so many for the reports that come from one network, which so uses up nobody else's."""
_HOUR: Final = 3600
_HIDDEN: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Characters that control a screen, or turn what is read around, instead of being read."""
_NOTED: Final = timedelta(days=2)


def report(
    deps: Deps,
    *,
    kind: str,
    message: str,
    email: str,
    locale: str,
    source: str,
    proof: Proof | None,
    website: str = "",
    key: str | None = None,
) -> Answer:
    """`{"issue_id"}`. `email`: where an answer reaches the reporter; of someone `under_18`, the address of the account.
    Left empty, it is that of the `proof`, if there is one. `website` is a field that no person sees: an anonymous
    report that fills it in is answered as any other, and counted, and dropped. `key`: the Idempotency-Key.
    Raises Invalid that names the field, TooMany (per source address), Conflict (the key)."""
    verifying.limit_source(deps, "issues", source)
    said = _said(deps, kind, message, email, locale, proof)

    def act(attempt: Attempt) -> Answer:
        if website and proof is None:
            _drop(deps)
        else:
            _take_in(deps, attempt.request_id, kind, locale, said, source)
        return {"issue_id": attempt.request_id}

    sender = deps.vault.digest("sender", f"issue {proof.person if proof else ''} {source}") if key else ""
    return repeating.once(deps, sender, key, {"kind": kind, "website": website, **said}, act)


def _said(deps: Deps, kind: str, message: str, email: str, locale: str, proof: Proof | None) -> dict[str, str]:
    """What is sealed: `message`; `email`, and how it was `typed`; `proven`, the address that the reporter proved. An
    address that there is none of is empty."""
    faults: list[tuple[str, str]] = []
    if kind not in KINDS:
        faults.append(("kind", f"One of: {', '.join(KINDS)}."))
    if not message.strip() or len(message) > LONGEST:
        faults.append(("message", f"Write 1 to {LONGEST} characters."))
    if kind == MINOR and not email.strip() and proof is None:
        faults.append(("email", WHOSE))
    if faults:
        raise Invalid("The report cannot be used.", errors=faults)
    own = proof.opened(deps) if proof else None
    given = Contact.of(email, locale) if email.strip() else own
    return {
        "message": message,
        "email": given.email if given else "",
        "typed": given.typed if given else "",
        "proven": own.email if own else "",
    }


def _take_in(deps: Deps, issue_id: str, kind: str, locale: str, said: Mapping[str, str], source: str) -> None:
    item = _registered(deps, issue_id, kind, locale, said)
    if item.get("open") == UNTOLD and _may_tell(deps, kind, source):
        with suppress(TryAgain, NeedsAttention):  # it is registered all the same, and the daily round passes it on
            pass_on(deps, item)
    with suppress(TryAgain, NeedsAttention):
        _confirm(deps, item, said)


def _may_tell(deps: Deps, kind: str, source: str) -> bool:
    """Whether the DPO is mailed of this report at once."""
    budget = _budget(kind)
    network = deps.vault.digest("source", f"{budget} {source}")
    if deps.limits.take("dpo mails of a network", network, MAILS_OF_A_NETWORK, _HOUR):
        return False
    return not deps.limits.take("dpo mails", budget, MAILS_PER_HOUR, _HOUR)


def _registered(deps: Deps, issue_id: str, kind: str, locale: str, said: Mapping[str, str]) -> Issue:
    now = deps.clock()
    until = periods.add(now, periods.parse(deps.datamap.controller.records_kept))
    expires = int(until.timestamp())
    item: Issue = {
        "issue_id": issue_id,
        "kind": kind,
        "status": "received",
        "received_at": stamp(now),
        "due_at": stamp(due(deps, kind, now)),
        "locale": locale,
        "proven": bool(said["proven"]),
        "sealed": deps.vault.seal(issue_id, json.dumps(said).encode(), until),
        "open": UNTOLD,
        "expires_at": expires,
    }
    if not deps.table.put_new(pk(issue_id), "ISSUE", item):
        item = load(deps, issue_id)
    row = {"issue_id": issue_id, "kind": kind, "expires_at": expires}
    deps.table.put_new(counted(item["received_at"][:7]), f"{item['received_at']}#{issue_id}", row)
    for address in {said["email"], said["proven"]} - {""}:
        deps.table.put_new(f"PERSON#{_person(deps, address)}", f"ISSUE#{issue_id}", row)
    return item


def due(deps: Deps, kind: str, received_at: datetime) -> datetime:
    """When the DPO must have acted. Of a suspected breach, until the DPO says when they became aware of it: 72 hours
    from receipt, the earliest that it can be (Article 33(1) GDPR). Of all else, the time to answer a request, since
    that is what it may turn out to be (Articles 12(3), 16, 21 GDPR)."""
    if kind == BREACH:
        return clocks.aware_within(received_at)
    controller = deps.datamap.controller
    return clocks.due(controller.regime, received_at, controller.holidays, tz=clocks.zone(controller.time_zone))


def pass_on(deps: Deps, item: Issue) -> None:
    """Does what a report asks for, and mails it to the DPO. Each once, however often it is called. Raises TryAgain,
    NeedsAttention."""
    act_on(deps, item)
    issue_id, controller = item["issue_id"], deps.datamap.controller
    mailing.send_once(
        deps,
        issue_id,
        MAIL,
        controller.contact,
        controller.locale,
        request={"request_id": issue_id, "type": item["kind"]},
        controller=controller,
        desk=deps.settings.desk_url,
        issue=told(deps, item),
    )
    await_answer(deps, item)


def act_on(deps: Deps, item: Issue) -> None:
    """Opens the erasure of an account that belongs to someone under 18, for the DPO's approval. Idempotent."""
    if item["kind"] != MINOR:
        return
    said = _opened(deps, item)
    contact = Contact.of(said["typed"], item["locale"])
    person = contacts.person(deps, contact)
    request_id = reported.open_erasure(
        deps, item["issue_id"], contact, person, lambda: may_mail(deps, person, item["issue_id"])
    )
    deps.table.update(pk(item["issue_id"]), "ISSUE", {"erasure_id": request_id}, expect={"issue_id": item["issue_id"]})


def told(deps: Deps, item: Issue) -> dict[str, Any]:
    """What the DPO reads of it in their mailbox, the one place where it can be read: `issue_id`, `kind`, `received_at`,
    `due_at`, `lines` (of what was written), `email`, `proven`."""
    said = _opened(deps, item)
    shown = {name: item[name] for name in ("issue_id", "kind", "received_at", "due_at")}
    lines = [_HIDDEN.sub("\ufffd", line) for line in said["message"].splitlines()]
    return {**shown, "lines": lines, "email": said["email"], "proven": said["proven"]}


def _opened(deps: Deps, item: Issue) -> dict[str, str]:
    said: dict[str, str] = json.loads(deps.vault.open(item["issue_id"], bytes(item["sealed"])))
    return said


def await_answer(deps: Deps, item: Issue) -> None:
    """From here on it waits for the DPO, who was told of it."""
    waits = CLOCK if item["kind"] == BREACH else WAITING
    deps.table.update(pk(item["issue_id"]), "ISSUE", {"open": waits}, expect={"open": UNTOLD})


def _confirm(deps: Deps, item: Issue, said: Mapping[str, str]) -> None:
    """Tells the reporter that it came in, and nothing of what it says. An address that nobody proved may be anybody's:
    it gets one such mail a day; and that of someone under 18 is not the reporter's."""
    to = said["proven"] or (said["email"] if item["kind"] != MINOR else "")
    if not to or not (said["proven"] or may_mail(deps, _person(deps, to), item["issue_id"])):
        return
    request = {"request_id": item["issue_id"], "type": item["kind"]}
    facts: dict[str, Any] = {"request": request, "controller": deps.datamap.controller}
    facts["centre"] = deps.settings.public_url
    mailing.send_once(deps, item["issue_id"], "issue_received", to, item["locale"], **facts)


def may_mail(deps: Deps, person: str, issue_id: str) -> bool:
    """Whether this is the report because of which an address that nobody proved is mailed today (UTC)."""
    day = stamp(deps.clock())[:10]
    note = {"issue_id": issue_id, "expires_at": int((deps.clock() + _NOTED).timestamp())}
    if deps.table.put_new(f"PERSON#{person}", f"MAILED#{day}", note):
        return True
    noted = deps.table.get(f"PERSON#{person}", f"MAILED#{day}")
    return noted is not None and noted["issue_id"] == issue_id


def load(deps: Deps, issue_id: str) -> Issue:
    """Raises NotFound."""
    item = deps.table.get(pk(issue_id), "ISSUE")
    if item is None:
        raise NotFound("There is no issue with this id. Copy it from the mail.")
    return item


def counted(month: str) -> str:
    """Partition of the rows that say which issues came in a month (`2027-01`, UTC)."""
    return f"ISSUES#{month}"


def pk(issue_id: str) -> str:
    return f"ISSUE#{issue_id}"


def dropped(deps: Deps, day: str) -> int:
    """How many reports of that day (ISO date, UTC) were dropped."""
    item = deps.table.get("ISSUES", f"DROPPED#{day}")
    return int(item["count"]) if item else 0


def _drop(deps: Deps) -> None:
    now = deps.clock()
    kept = {"expires_at": int((now + 15 * _NOTED).timestamp())}
    deps.table.update("ISSUES", f"DROPPED#{stamp(now)[:10]}", kept, add={"count": 1})


def _person(deps: Deps, email: str) -> str:
    return contacts.person(deps, Contact(email, email))


def _budget(kind: str) -> str:
    return "breaches" if kind == BREACH else "issues"


def hours_left(item: Issue, now: datetime) -> int:
    """Whole hours until it is due; negative once it is overdue."""
    return int((moment(item["due_at"]) - now).total_seconds() // _HOUR)
