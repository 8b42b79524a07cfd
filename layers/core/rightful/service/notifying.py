"""Tells the recipients of what was erased (Article 19 GDPR), each once as far as can be known.

REQUEST#<id>  RECIPIENT#<name>  {title, how: mail|webhook|none, status: told|failed|not_told|nothing_to_tell, at, why}

A mail is claimed before it is sent (`service.mailing`). A webhook whose sender died before that could be noted is
posted again under the same id, by which its receiver recognises it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from rightful import recipients
from rightful.clocks import stamp
from rightful.errors import NeedsAttention, TryAgain
from rightful.model import Recipient
from rightful.service import discovering, mailing, progress, requests
from rightful.service.deps import Deps, TimeLeft

Status = Literal["told", "failed", "not_told", "nothing_to_tell"]
Row = dict[str, Any]
Values = dict[str, list[str]]
"""Identity name -> values."""

KIND: Final = "recipient_erasure"
LONGEST: Final = 30.0
"""Seconds that telling one recipient may take."""
NOT_TRIED: Final = "it was not tried"
UNKNOWN: Final = "nothing was found by which it could know whose data to erase"
RETURNED: Final = "the mail could not be delivered"
_PREFIX: Final = "RECIPIENT#"


def step(deps: Deps, request_id: str, time_left: TimeLeft, *, last: bool = False) -> dict[str, Any]:
    """Tells each recipient of a store in which something was erased; `{"done": bool, "failed": [name, ...]}`. One that
    fails never stops the others. Raises TryAgain, when all were tried, if another try may help. Who cannot be told is
    put to the DPO by mail; with `last` nobody is tried any more, and that is everyone who was not told."""
    request, (head,) = progress.load_with(deps, request_id, discovering.SAVED)
    if request["type"] != "erasure" or not request.get("erasing_since"):
        raise NeedsAttention("nothing was erased, so nobody may be told of it")
    if request["status"] not in progress.OPEN:
        return {"done": True, "failed": []}
    rows = _rows(deps, request_id)
    due = recipients.due(deps.datamap, progress.rows(deps, request_id))
    todo = _sorted_out(deps, request_id, due, rows, discovering.found(deps, request_id, head).identities)
    if todo and not last:
        try:
            progress.claim(deps, request, type="erasure", erasing_since=request["erasing_since"])
        except progress.Ended:
            return {"done": True, "failed": []}
        again = _try(deps, request, todo, rows, time_left)
        if not todo.keys() <= rows.keys():
            return {"done": False, "failed": []}
        if again:
            raise TryAgain(f"not told yet: {', '.join(sorted(again))}")
    failed = [name for name in todo if _open(rows, name)]
    for name in failed:
        if name not in rows:
            _note(deps, request_id, name, rows, "failed", NOT_TRIED)
    if failed:
        _ask_the_dpo(deps, request, [{**rows[name], "identities": todo[name]} for name in failed])
    return {"done": True, "failed": failed}


def told(deps: Deps, request_id: str) -> list[Row]:
    """Every recipient that is (or was) to be told, by name: {name, title, how, status, at, why}; `at` is empty for one
    that was never tried. Nobody, when nothing was erased. Of a mail, the provider's own news is the last word."""
    rows = _rows(deps, request_id)
    for name in recipients.due(deps.datamap, progress.rows(deps, request_id)):
        recipient = deps.datamap.recipients[name]
        status, why = _beforehand(recipient) or ("failed", NOT_TRIED)
        rows.setdefault(name, _row(recipient, status, "", why))
    if any(row["how"] == "mail" for row in rows.values()):
        prefix = mailing.claim_key(mailing.to_recipient(KIND, ""), 1)
        for claim in deps.table.query(requests.pk(request_id), prefix):
            row = rows.get(claim["sk"].removeprefix(prefix))
            if row is not None:
                row |= _news(row, claim)
    return [{"name": name, **row} for name, row in sorted(rows.items())]


def _sorted_out(
    deps: Deps, request_id: str, due: Iterable[str], rows: dict[str, Row], identities: Mapping[str, list[str]]
) -> dict[str, Values]:
    """Whom to tell still, and what. Those who are not to be told are noted."""
    todo = {}
    for name in due:
        if not _open(rows, name):
            continue
        values = recipients.known(deps.datamap, name, identities)
        if settled := _beforehand(deps.datamap.recipients[name]) or (None if values else ("nothing_to_tell", UNKNOWN)):
            _note(deps, request_id, name, rows, *settled)
        else:
            todo[name] = values
    return todo


def _beforehand(recipient: Recipient) -> tuple[Status, str] | None:
    """What the data map says of one that is not told."""
    return ("not_told", recipient.not_told) if recipient.not_told else None


def _try(deps: Deps, request: Row, todo: dict[str, Values], rows: dict[str, Row], time_left: TimeLeft) -> list[str]:
    """Tries each once, whoever waited longest first, until time runs short. Names of those for whom another try may
    help. What came of it is in `rows`."""
    again: list[str] = []
    order = sorted(todo, key=lambda name: (rows[name]["at"] if name in rows else "", name))
    for position, name in enumerate(order):
        if position and time_left() < LONGEST:
            return again + order[position:]
        status: Status = "told"
        why = ""
        try:
            _tell(deps, request, name, deps.datamap.recipients[name], todo[name])
        except (TryAgain, NeedsAttention) as fault:
            status, why = "failed", str(fault)
            again += [name] if isinstance(fault, TryAgain) else []
        _note(deps, request["request_id"], name, rows, status, why)
    return again


def _tell(deps: Deps, request: Row, name: str, recipient: Recipient, values: Values) -> None:
    request_id, controller = request["request_id"], deps.datamap.controller
    article = recipients.ARTICLES[request["regime"]]
    if recipient.mail:
        mailing.send_once(
            deps,
            request_id,
            KIND,
            recipient.mail,
            controller.locale,
            recipient=name,
            request=request,
            controller=controller,
            identities=values,
            article=article,
        )
        return
    message_id = f"erasure-{request_id}-{name}"
    message = {
        "type": "erasure.requested",
        "id": message_id,
        "timestamp": request["erasing_since"],
        "data": {"request_id": request_id, "identities": values, "article": article, "controller": controller.name},
    }
    body = json.dumps(message, sort_keys=True).encode()
    deps.webhooks.post(recipient.webhook, recipient.secret, body, message_id)


def _ask_the_dpo(deps: Deps, request: Row, failed: Iterable[Row]) -> None:
    """Whom to tell by hand, and of whom: when the request is closed, nobody can look that up any more."""
    controller = deps.datamap.controller
    mailing.send_once(
        deps,
        request["request_id"],
        "dpo_recipients",
        controller.contact,
        controller.locale,
        request=request,
        controller=controller,
        recipients=list(failed),
        article=recipients.ARTICLES[request["regime"]],
    )


def _rows(deps: Deps, request_id: str) -> dict[str, Row]:
    found = deps.table.query(requests.pk(request_id), _PREFIX)
    return {item.pop("sk").removeprefix(_PREFIX): {k: v for k, v in item.items() if k != "pk"} for item in found}


def _open(rows: dict[str, Row], name: str) -> bool:
    return name not in rows or rows[name]["status"] == "failed"


def _row(recipient: Recipient, status: Status, at: str, why: str) -> Row:
    how = "mail" if recipient.mail else "webhook" if recipient.webhook else "none"
    return {"title": recipient.title, "how": how, "status": status, "at": at, "why": why}


def _note(deps: Deps, request_id: str, name: str, rows: dict[str, Row], status: Status, why: str) -> None:
    """A failure is noted only where nothing else is: of two processes one may have got through."""
    rows[name] = row = _row(deps.datamap.recipients[name], status, stamp(deps.clock()), why)
    key = requests.pk(request_id), f"{_PREFIX}{name}"
    if status != "failed":
        deps.table.update(*key, row)
    elif not deps.table.put_new(*key, row):
        deps.table.update(*key, row, expect={"status": "failed"})


def _news(row: Row, claim: Row) -> Row:
    """What the claim of a recipient's mail says beyond its row."""
    if "bounced_at" in claim:
        return {"status": "failed", "at": claim["bounced_at"], "why": RETURNED}
    if row["status"] == "failed" and ("sent_at" in claim or "accepted_at" in claim):
        return {"status": "told", "at": claim.get("sent_at") or claim["accepted_at"], "why": ""}
    return {}
