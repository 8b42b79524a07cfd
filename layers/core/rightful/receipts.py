"""The signed receipt of a request: what was done in each store, in figures that name nobody. Pure.

A receipt is a compact JWS (`rightful.jws`) of type `rightful-receipt+jws`. Its payload is JSON:

| claim | is |
| --- | --- |
| `iss`, `iat` | the controller's name; when the receipt was made (seconds since 1970) |
| `request_id`, `type`, `regime`, `status` | of the request; the status it ended with |
| `received_at`, `verified_at`, `due_at`, `closed_at` | RFC 3339, UTC |
| `source` | how it came: `form`, `letter`, `phone`, or `under_18` (somebody's report) |
| `verified_by` | who stood for it then: `person`, by a code or token; `dpo`, where it was reported; or empty |
| `map_version`, `plan_hash` | the data map it was decided by, the plan's SHA-256; empty where there was none |
| `refusal` | of a rejected request: `ground`, and the `law` if one was named |
| `stores` | name -> what was done there, see `stores` |
| `recipients` | who was told of the erasure (Article 19 GDPR): `name`, `title`, `how`, `status`, `at` |
| `ledger` | `entries` (how many) and `head` (`rightful.ledger`) when the receipt was made |
| `notes` | sentences that hold for such receipts |

No address, no identity and nothing that a person wrote freely is in it: a receipt may be shown to anybody.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from rightful import jws, ledger
from rightful.errors import Invalid

TYP: Final = "rightful-receipt+jws"
COUNTS: Final = ("erased", "anonymised", "exported", "blocked", "held", "left", "later")
"""Records, by what became of them. `blocked`: the store refuses until a date; `held`: under a legal hold; `left`: still
there after the last try, where the data protection officer left the store out; `later`: came after the plan."""
BACKUPS: Final = (
    "Backups are not changed: they are overwritten when their own retention ends. What is restored from one is erased "
    "again by the retention sweep."
)
NOT_COVERED: Final = "Where it says not_covered, the controller answers for the store by other means."

Outcomes = Mapping[str, Mapping[str, Any]]
"""Store -> what `rightful.service.completing.outcomes` says of it."""


def payload(
    request: Mapping[str, Any],
    outcomes: Outcomes,
    entries: Sequence[Mapping[str, Any]],
    *,
    issuer: str,
    at: datetime,
    recipients: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The claims for an ended request (its item) and its whole ledger. Raises Invalid when the ledger was changed."""
    done = stores(outcomes, completed=request["status"] == "completed")
    claims = {
        "iss": issuer,
        "iat": int(at.timestamp()),
        **{name: request[name] for name in ("request_id", "type", "regime", "status")},
        "source": request.get("source", "form"),
        "verified_at": request.get("verified_at", ""),
        "verified_by": verified_by(request),
        **{name: request[name] for name in ("received_at", "due_at")},
        "closed_at": request["changed_at"],
        **{name: request.get(name, "") for name in ("map_version", "plan_hash")},
        "stores": done,
        "recipients": [
            {name: each[name] for name in ("name", "title", "how", "status", "at") if each.get(name)}
            for each in recipients
        ],
        "ledger": {"entries": len(entries), "head": ledger.head(request["request_id"], entries)},
        "notes": [
            *([BACKUPS] if request["type"] == "erasure" and request["status"] == "completed" else []),
            *([NOT_COVERED] if any(store["not_covered"] for store in done.values()) else []),
        ],
    }
    if request["status"] == "rejected":
        refusal = request.get("refusal", {})
        claims["refusal"] = {name: refusal[name] for name in ("ground", "law") if refusal.get(name)}
    return claims


def verified_by(request: Mapping[str, Any]) -> str:
    """Who stood for a request (its item): `person`, `dpo`, or empty where nobody did before it ended."""
    return str(request.get("verified_by", "person")) if request.get("verified_at") else ""


def stores(outcomes: Outcomes, *, completed: bool) -> dict[str, dict[str, Any]]:
    """Store -> `title`, `outcome` (words), each of COUNTS, `kept` (`{ground, law, until, records?}`; an empty `until`:
    not known), `skipped` (left out by the data protection officer), `partly_erased` (some of what was
    left out may have been erased before it failed; nobody counted), `pending_at_vendor`, `not_covered`, and where they
    apply `blocked_until` and `read_back` (`at`, and the records that were `found` and should have gone).

    What a request that was not `completed` had begun was undone: nothing was erased and nothing handed over."""
    return {name: _store(outcome, completed) for name, outcome in outcomes.items()}


def counted(done: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Of `stores`, what an entry of the ledger says: the counts above zero, and what was left out."""
    return {
        name: {count: store[count] for count in COUNTS if store[count]}
        | ({"kept": list(store["kept"])} if store["kept"] else {})
        | {fact: True for fact in ("skipped", "partly_erased", "pending_at_vendor", "not_covered") if store[fact]}
        for name, store in done.items()
    }


def verify(text: str | bytes, jwks: Mapping[str, Any]) -> dict[str, Any]:
    """The claims of a receipt that a key of the set signed. Raises Invalid, saying what is wrong."""
    claims = jws.verify(text, jwks, TYP)
    if not isinstance(claims.get("ledger"), dict) or not isinstance(claims.get("stores"), dict):
        raise Invalid("the payload is not that of a receipt")
    return claims


def summary(claims: Mapping[str, Any]) -> str:
    """What a verified receipt says, for people."""
    chain = claims["ledger"]
    lines = [
        f"Signed by {claims['iss']}, {datetime.fromtimestamp(claims['iat'], UTC):%Y-%m-%d %H:%M:%S} UTC",
        f"{claims['type']} request {claims['request_id']} ({claims['regime']}): {claims['status']}",
        f"received {claims['received_at']}, due {claims['due_at']}, closed {claims['closed_at']}",
        f"data map {claims['map_version'] or '-'}, plan {claims['plan_hash'] or '-'}",
        f"ledger of {chain['entries']} entries, head {chain['head']}",
    ]
    if refusal := claims.get("refusal"):
        lines.append(f"refused: {', '.join(refusal.values())}")
    lines += [f"{name}: {_said(store)}" for name, store in claims["stores"].items()]
    for each in claims["recipients"]:
        lines.append(f"recipient {each.get('title') or each.get('name')}: {str(each.get('status')).replace('_', ' ')}")
    return "".join(f"{_printable(line)}\n" for line in (*lines, *claims["notes"]))


def ledger_file(entries: Sequence[Mapping[str, Any]]) -> bytes:
    """The ledger as it is kept beside the receipt: a JSON list, for people to read."""
    return (json.dumps(entries, sort_keys=True, ensure_ascii=False, indent=1) + "\n").encode()


def check_ledger(claims: Mapping[str, Any], text: bytes) -> None:
    """Raises Invalid unless this is, byte for byte, the ledger that a receipt's claims name."""
    try:
        entries = json.loads(text)
        if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
            raise ValueError
        same = ledger_file(entries) == text
    except (ValueError, RecursionError):
        raise Invalid("the ledger is not a JSON list of entries") from None
    if ledger.head(claims["request_id"], entries) != claims["ledger"]["head"]:
        raise Invalid("the ledger ends otherwise than the receipt says")
    if not same:
        raise Invalid("the ledger is not written as it was")


def _store(outcome: Mapping[str, Any], completed: bool) -> dict[str, Any]:
    row = outcome if completed else {}
    counts = {name: int(row.get("deleted" if name == "erased" else name) or 0) for name in COUNTS}
    entry: dict[str, Any] = {
        "title": outcome["title"],
        **counts,
        "kept": _kept(row),
        "skipped": bool(row.get("skipped")),
        "partly_erased": bool(row.get("partly")),
        "pending_at_vendor": bool(row.get("pending_at_vendor")),
        "not_covered": not outcome["covered"],
    }
    words = [
        name
        for name in (*COUNTS, "kept", "skipped", "partly_erased", "pending_at_vendor", "not_covered")
        if entry[name]
    ]
    entry["outcome"] = words or ["nothing_found" if row.get("done") else "not_done"]
    if row.get("blocked_until"):
        entry["blocked_until"] = row["blocked_until"]
    if row.get("done") and "left" in row and not row.get("skipped"):  # a skip is later: its time stands on the row
        entry["read_back"] = {"at": row["at"], "found": counts["left"] + counts["blocked"]}
    return entry


def _said(store: Mapping[str, Any]) -> str:
    counts = {name: store[name] for name in COUNTS} | {"kept": sum(each.get("records", 0) for each in store["kept"])}
    parts = [f"{word.replace('_', ' ')} {counts.get(word) or ''}".strip() for word in store["outcome"]]
    if "blocked_until" in store:
        parts = [f"{part} until {store['blocked_until']}" if part.startswith("blocked") else part for part in parts]
    for each in store["kept"]:
        law = f" ({each['law']})" if each["law"] else ""
        parts.append(f"{each['ground']}{law} until {each['until'] or 'a date not known'}")
    if "read_back" in store:
        parts.append(f"read back {store['read_back']['at']}: {store['read_back']['found']} found")
    return ", ".join(parts)


def _printable(line: str) -> str:
    """A terminal obeys control characters; no text of a receipt needs one."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in line)


def _kept(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """By ground. The store's law goes with the store's own ground; how many there are is known of a single one."""
    by_ground = row.get("kept_by") or {}
    return [
        {"ground": ground, "law": row.get("law", "") if ground == row.get("ground") else "", "until": until}
        | ({"records": int(row["kept"])} if len(by_ground) == 1 else {})
        for ground, until in sorted(by_ground.items())
    ]
