"""Mails a notice to everyone with an account, segment by segment, each address once.

What was done stands in the claims of the mails (see `mailing.send_once`), not in where the reading stands: a page is
read again until each of its accounts is settled. So a step may be killed anywhere and run again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from rightful import paths
from rightful.clocks import stamp
from rightful.errors import Invalid, NeedsAttention, TryAgain, Undeliverable
from rightful.model import Accounts, Record
from rightful.ports import Wanted
from rightful.service import contacts, mailing, policies, unsubscribing
from rightful.service.announcing import notices
from rightful.service.deps import Deps, TimeLeft

SHARE: Final = 0.8
"""Of what the provider takes of us in a second and in a day. The rest is for mails that somebody waits for: codes."""
SIDE_BY_SIDE: Final = 4
"""Segments that the state machine works on at once; they share the rest between them."""
MOST_SEGMENTS: Final = 100
BATCH: Final = 100
"""Claims read at once."""
FRESH: Final = timedelta(seconds=60)
"""How old what was read may be: whose account was erased since is not told. As often the provider is asked what it
takes."""
WAITS: Final = {"quota": timedelta(hours=1), "unsettled": mailing.IN_FLIGHT}
"""Why a segment cannot go on now -> how long it waits. The day of a quota is the last 24 hours at any time, so some of
it is free again after a while."""
MOST_UNSETTLED: Final = 5
"""Mails in a row of one page that fail for now, after which it makes no sense to try more."""

TOLD: Final = "told"
SAME_ADDRESS: Final = "same_address"
"""Another account has the address, and was told."""
NO_ADDRESS: Final = "no_address"
ODD_ADDRESS: Final = "odd_address"
"""What stands there is no address that can be mailed."""
REFUSED: Final = "refused"
"""The provider does not take the mail."""


@dataclass(frozen=True, slots=True)
class Reader:
    """One account, and who reads its mails."""

    key: str
    """Of the record."""
    account: str
    """Keyed hash of that."""
    person: str
    contact: contacts.Contact


def begin(deps: Deps, version: str) -> dict[str, Any]:
    """Begins a round of telling people of this version, or takes up the one that was begun: `{"notice_id", "round",
    "segments": [number]}`; there are none without accounts, and when everybody was told before. Idempotent. Raises
    TryAgain, and NeedsAttention when there is no such version."""
    if policies.find(deps, version) is None:
        raise NeedsAttention("no such version of the policy was published")
    notice, notice_id = notices.note_new(deps, version), notices.id_of(version)
    number = int(notice["round"])
    of = notices.find_round(deps, notice_id, number)
    if of is None:
        of = notices.save_new_round(deps, notices.Round(notice_id, number, deps.clock(), _parts(deps)))
    over = "ended_at" in notice
    return {"notice_id": notice_id, "round": number, "segments": [] if over else list(range(len(of.segments)))}


def _parts(deps: Deps) -> list[str]:
    store = deps.datamap.accounts.store
    return deps.accounts[store].segments(MOST_SEGMENTS, deps.clock()) if store else []


def tell(deps: Deps, notice_id: str, number: int, segment: int, time_left: TimeLeft) -> dict[str, Any]:
    """Tells those of a segment until it is through, time runs short, or the provider takes no more: `{"done",
    "until"}`, where `until` (RFC 3339, or empty) is when it makes sense to go on. Raises TryAgain when nothing at all
    was done, and NeedsAttention when no mail can be sent, or the store cannot be read."""
    of = notices.load_round(deps, notice_id, number)
    state = notices.progress(deps, of, segment)
    if state is None:
        return {"done": True, "until": ""}
    work = _Segment(deps, of, segment, state)
    try:
        halt = work.run(time_left)
    except TryAgain:
        if not work.progressed:
            raise
        halt = "unsettled"  # so that only tries that come to nothing are counted against the segment
    until = stamp(deps.clock() + WAITS[halt]) if halt in WAITS else ""
    return {"done": not halt, "until": until}


class _Allowance:
    """A segment's share of what the provider takes from us."""

    def __init__(self, deps: Deps, side_by_side: int) -> None:
        self._deps = deps
        self._parts = side_by_side
        self._left = 0.0
        self._asked: datetime | None = None

    def any_left(self) -> bool:
        """Whether one more mail may go now."""
        now = self._deps.clock()
        if self._left < 1 or self._asked is None or now - self._asked > FRESH:
            quota = self._deps.mailer.quota()
            self._asked = now
            self._left = (quota.day * SHARE - quota.sent) / self._parts if quota.rate > 0 else 0.0
            if self._left >= 1:
                self._deps.mailer.at_most(quota.rate * SHARE / self._parts)
        return self._left >= 1

    def use(self) -> None:
        self._left -= 1


class _Segment:
    """One segment's work in one invocation."""

    def __init__(self, deps: Deps, of: notices.Round, segment: int, state: notices.Progress) -> None:
        self._deps, self._of, self._segment, self._state = deps, of, segment, state
        accounts = deps.datamap.accounts
        self._accounts: Accounts = accounts
        self._sweeper = deps.accounts[accounts.store]
        shown = {paths.top(path) for path in (accounts.email, accounts.locale) if path}
        self._wanted = Wanted(frozenset(shown))
        self._allowance = _Allowance(deps, min(len(of.segments), SIDE_BY_SIDE))
        self._facts = _facts(deps, of.notice_id)
        self.progressed = False

    def run(self, time_left: TimeLeft) -> str:
        """Empty when the segment is through; else why not: `time`, or one of WAITS."""
        settled: dict[str, str] = {}
        while True:
            page = self._sweeper.page(self._of.segments[self._segment], self._wanted, self._state.cursor)
            halt = self._page(page.records, settled, time_left)
            if not halt:
                self._state.counts.update(Counter(settled.values()))
                self._state.cursor = page.cursor
                notices.save(self._deps, self._of, self._segment, self._state)
                self.progressed = True
                settled = {}
                if page.cursor is None:
                    return ""
                halt = "time" if time_left() <= 0 else "stale"
            if halt != "stale":
                return halt

    def _page(self, records: Sequence[Record], settled: dict[str, str], time_left: TimeLeft) -> str:
        """Settles each account of a page: notes in `settled`, by its key, what became of it. Empty when all are; else
        why not, `stale` when the page is to be read anew."""
        old = self._deps.clock() + FRESH
        mailed = unsettled = 0
        todo = [record for record in records if record.key not in settled]
        for start in range(0, len(todo), BATCH):
            readers = list(self._readers(todo[start : start + BATCH], settled))
            claims = self._claims(readers)
            for reader in readers:
                standing = self._standing(claims.get(reader.person), reader)
                if not standing:
                    if time_left() <= 0:
                        return "time"
                    if mailed and self._deps.clock() > old:
                        return "stale"
                    if not self._allowance.any_left():
                        return "quota"
                    claims[reader.person] = self._tell(reader)
                    mailed += 1
                    standing = self._standing(claims[reader.person], reader)
                if standing:
                    settled[reader.key] = standing
                    continue
                unsettled += 1
                if unsettled == MOST_UNSETTLED:
                    return "unsettled"
        return "unsettled" if unsettled else ""

    def _readers(self, records: Sequence[Record], settled: dict[str, str]) -> Iterator[Reader]:
        """Those who can be mailed; whoever cannot is settled."""
        for record in records:
            address, language = _first(record, self._accounts.email), _first(record, self._accounts.locale)
            try:
                contact = contacts.Contact.of(address, language)
            except Invalid:
                settled[record.key] = ODD_ADDRESS if address.strip() else NO_ADDRESS
                continue
            account = self._deps.vault.digest("account", f"{self._accounts.store}\n{record.key}")
            yield Reader(record.key, account, contacts.person(self._deps, contact), contact)

    def _claims(self, readers: Sequence[Reader]) -> dict[str, Mapping[str, Any] | None]:
        """Person -> the claim on the mail to them."""
        people = list(dict.fromkeys(reader.person for reader in readers))
        found = self._deps.table.get_many([self._claim_of(person) for person in people]) if people else []
        return dict(zip(people, found, strict=True))

    def _claim_of(self, person: str) -> tuple[str, str]:
        return mailing.claim_of(notices.subject(self._of.notice_id, person), notices.KIND)

    def _standing(self, claim: Mapping[str, Any] | None, reader: Reader) -> str:
        """What the claim says of this account; empty when nothing yet."""
        if claim is None:
            return ""
        if mailing.handed_over(claim):
            return TOLD if claim["account"] == reader.account else SAME_ADDRESS
        if claim.get("refused_in") == self._of.number:
            return REFUSED if claim["account"] == reader.account else SAME_ADDRESS
        return ""

    def _tell(self, reader: Reader) -> Mapping[str, Any] | None:
        """Mails the notice; the claim as it is now, None where that is not known yet."""
        of, claim = self._of, self._claim_of(reader.person)
        noted = {"account": reader.account, "notice": of.notice_id, "expires_at": notices.expires_at(of)}
        try:
            mine = mailing.send_once(
                self._deps,
                notices.subject(of.notice_id, reader.person),
                notices.KIND,
                reader.contact.email,
                reader.contact.locale,
                headers=_headers(self._deps, reader.person),
                noted=noted,
                **self._facts,
            )
        except Undeliverable as refusal:
            return self._deps.table.update(*claim, {**noted, "refused": str(refusal), "refused_in": of.number})
        except TryAgain:
            return None
        self.progressed = True
        if not mine:  # another segment was faster
            return self._deps.table.get(*claim)
        self._allowance.use()
        return {**noted, "sent_at": ""}


def _first(record: Record, path: str) -> str:
    """The text at the path; empty where there is none."""
    found = paths.get(record.data, path) if path else []
    return found[0] if found and isinstance(found[0], str) else ""


def _headers(deps: Deps, person: str) -> dict[str, str]:
    """With which the reader may refuse the mails that can be refused. Mailbox providers want them on mail to many,
    though a notice that the law asks for comes all the same; the mail says so."""
    if not deps.settings.public_url:
        return {}
    return unsubscribing.headers(deps, unsubscribing.Link(person, unsubscribing.ALL))


def _facts(deps: Deps, notice_id: str) -> dict[str, Any]:
    """What the mail says, besides the reader's language."""
    notice = notices.find(deps, notice_id) or {}
    policy = policies.find(deps, notice.get("version", ""))
    if policy is None:
        raise NeedsAttention("the version of the policy is no longer there")
    shown = {name: policy[name] for name in policies.SHOWN}
    return {"controller": deps.datamap.controller, "centre": deps.settings.public_url, **shown}
