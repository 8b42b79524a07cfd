"""The notice of one version of the policy in the requests table: what it is, where its segments stand, whom it told.

NOTICE#<id>           NOTICE                        version, the round that is to be made, bounced; when all were told
                      ROUND#<round>                 parts of the accounts' store, when the round began
                      SEGMENT#<round>#<number>      counts so far, where to go on (sealed), or that it is done
                      ENDED#<round>                 counts of a round that ended
                      MAIL#dpo_policy_notice[#<round>]   the mail to the DPO about the round
TOLD#<id>_<person>    MAIL#policy_notice            the mail to one person, by their keyed hash: claimed, taken, bounced

A round goes through all accounts. One that could not reach everybody is followed by another, when the version is
published again; the claims see to it that nobody is told twice. All but the NOTICE end by themselves (`expires_at`).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from rightful.clocks import moment, stamp
from rightful.errors import NeedsAttention
from rightful.service.deps import Deps

KIND: Final = "policy_notice"
"""Of the mail to everyone."""
KIND_DPO: Final = "dpo_policy_notice"
LIFE: Final = timedelta(days=455)
"""Longer than an execution may last."""
LONGEST_ID: Final = 40
"""Beside a person's keyed hash it must fit into a tag of the mail provider, and into an execution's name."""
_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Round:
    """One way through all accounts."""

    notice_id: str
    number: int
    began_at: datetime
    segments: list[str]
    """As the store's sweeper named them."""


@dataclass(slots=True)
class Progress:
    """Where a segment stands."""

    cursor: str | None = None
    counts: Counter[str] = field(default_factory=Counter)


def id_of(version: str) -> str:
    """The version's name where that is plain and short; else what is left of it, and a hash."""
    if _PLAIN.fullmatch(version) and len(version) <= LONGEST_ID:
        return version
    plain = "-".join(_PLAIN.findall(version))
    return f"{plain[: LONGEST_ID - 13]}-{hashlib.sha256(version.encode()).hexdigest()[:12]}"


def pk(notice_id: str) -> str:
    return f"NOTICE#{notice_id}"


def key_id(notice_id: str) -> str:
    """Name of the data key that seals a notice's cursors."""
    return f"notice-{notice_id}"


def subject(notice_id: str, person: str) -> str:
    """What the mail to one person is about."""
    return f"{notice_id}_{person}"


def find(deps: Deps, notice_id: str) -> dict[str, Any] | None:
    """`{"version", "round", "bounced"?, "ended_at"?}`."""
    return deps.table.get(pk(notice_id), "NOTICE")


def note_new(deps: Deps, version: str) -> dict[str, Any]:
    """As `find`, of a notice that is made where there is none."""
    notice_id = id_of(version)
    deps.table.put_new(pk(notice_id), "NOTICE", {"version": version, "round": 1})
    found = find(deps, notice_id)
    if found is None:
        raise NeedsAttention("the notice was removed while it was begun")
    return found


def save_new_round(deps: Deps, made: Round) -> Round:
    """Stores the round, or returns the one that is there under its number."""
    facts = {"began_at": stamp(made.began_at), "segments": json.dumps(made.segments), **_ends(made)}
    deps.table.put_new(pk(made.notice_id), f"ROUND#{made.number}", facts)
    return load_round(deps, made.notice_id, made.number)


def find_round(deps: Deps, notice_id: str, number: int) -> Round | None:
    item = deps.table.get(pk(notice_id), f"ROUND#{number}")
    if item is None:
        return None
    return Round(notice_id, number, moment(item["began_at"]), json.loads(item["segments"]))


def load_round(deps: Deps, notice_id: str, number: int) -> Round:
    found = find_round(deps, notice_id, number)
    if found is None:
        raise NeedsAttention("there is no such round of the notice")
    return found


def progress(deps: Deps, of: Round, segment: int) -> Progress | None:
    """Where the segment stands; None when it is done."""
    item = deps.table.get(pk(of.notice_id), _segment(of.number, segment))
    if item is None:
        return Progress()
    if item["done"]:
        return None
    cursor = deps.vault.open(key_id(of.notice_id), bytes(item["sealed"])).decode("utf-8", "surrogatepass")
    return Progress(cursor, Counter(json.loads(item["counts"])))


def save(deps: Deps, of: Round, segment: int, state: Progress) -> None:
    """Where to go on, or that the segment is through when there is no cursor."""
    done = state.cursor is None
    facts: dict[str, Any] = {"done": done, "counts": json.dumps(state.counts), **_ends(of)}
    if state.cursor is not None:
        plain = state.cursor.encode("utf-8", "surrogatepass")
        facts["sealed"] = deps.vault.seal(key_id(of.notice_id), plain, of.began_at + LIFE)
    deps.table.update(pk(of.notice_id), _segment(of.number, segment), facts, remove=["sealed"] if done else [])


def counts(deps: Deps, of: Round) -> tuple[Counter[str], int]:
    """What all segments counted, and how many of them are not through."""
    found = deps.table.query(pk(of.notice_id), f"SEGMENT#{of.number}#")
    summed: Counter[str] = Counter()
    for item in found:
        summed.update(json.loads(item["counts"]))
    return summed, len(of.segments) - sum(bool(item["done"]) for item in found)


def end(deps: Deps, of: Round, facts: Mapping[str, Any], *, whole: bool) -> None:
    """The round ended. If everybody was reached the notice ended too, else another round may be made. Idempotent."""
    deps.table.put_new(pk(of.notice_id), f"ENDED#{of.number}", {**facts, **_ends(of)})
    changed = {"ended_at": stamp(deps.clock())} if whole else {"round": of.number + 1}
    deps.table.update(pk(of.notice_id), "NOTICE", changed, expect={"round": of.number, "ended_at": None})


def ended(deps: Deps, notice_id: str, number: int) -> dict[str, Any] | None:
    """The counts of a round that ended."""
    return deps.table.get(pk(notice_id), f"ENDED#{number}")


def count_bounce(deps: Deps, claim: Mapping[str, Any]) -> None:
    """A mail of the notice came back. Who is killed between noting that on the claim and here leaves it uncounted."""
    deps.table.update(pk(claim["notice"]), "NOTICE", {}, add={"bounced": 1})


def expires_at(of: Round) -> int:
    """Epoch seconds at which what the round wrote may go."""
    return int((of.began_at + LIFE).timestamp())


def _ends(of: Round) -> dict[str, int]:
    return {"expires_at": expires_at(of)}


def _segment(number: int, segment: int) -> str:
    return f"SEGMENT#{number}#{segment:05}"
