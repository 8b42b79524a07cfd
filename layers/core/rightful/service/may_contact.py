"""Whether addresses may be mailed, as the company's own mailers ask before they send."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from rightful import contacting, retention
from rightful.contacting import ALLOWING, SALE_OR_SHARING, Facts
from rightful.errors import Invalid
from rightful.identities import checked_email, variants
from rightful.model import DataMap
from rightful.service import consents, contacts, erased, unsubscribing
from rightful.service.consents import Choices
from rightful.service.contacts import Contact
from rightful.service.deps import Deps
from rightful.service.unsubscribing import Link

MOST: Final = 500
"""Contacts in one call."""
TOLD: Final = 20
"""Mistakes that one refusal names."""
_AT_ONCE: Final = 10
"""Look-ups in the stores side by side: as many as one client keeps connections."""
_PAGE: Final = 100


@dataclass(slots=True)
class _Known:
    """What is known of one address."""

    contact: Contact
    spellings: set[str] = field(default_factory=set)
    person: str = ""
    identities: set[str] = field(default_factory=set)
    """Digests, as the ledger of erased identities has them."""
    choices: Choices = field(default_factory=Choices)
    erased: bool = False
    stores: set[str] = field(default_factory=set)
    """Those that hold the address."""


def answer(deps: Deps, event: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """`{"contacts": [{"email", "topic"}, ...]}`, at most MOST -> `{"answers": [{"allowed", "reason", "headers"?}]}`, in
    the same order. `reason` is a `contacting.Reason`. `headers` come with what is allowed and can be refused: they
    belong into that mail. Reads only. Raises Invalid, naming index, field and cure of each mistake, when anything is
    wrong with any contact; TryAgain; NeedsAttention when a store cannot be searched. Nothing is answered by half."""
    asked = _checked(deps.datamap, event)
    known: dict[str, _Known] = {}
    for contact, _ in asked:
        known.setdefault(contact.email, _Known(contact)).spellings.update(_spellings(deps.datamap, contact))
    _learn(deps, list(known.values()))
    return {"answers": [_answer(deps, known[contact.email], topic) for contact, topic in asked]}


def _answer(deps: Deps, known: _Known, name: str) -> dict[str, Any]:
    topic = deps.datamap.topics.get(name)
    reason = contacting.decide(topic, _facts(deps.datamap, known, name))
    answered: dict[str, Any] = {"allowed": reason in ALLOWING, "reason": reason.value}
    if answered["allowed"] and topic and contacting.refusable(topic):
        answered["headers"] = unsubscribing.headers(deps, Link(known.person, name))
    return answered


def _facts(datamap: DataMap, known: _Known, name: str) -> Facts:
    given = {each for each, topic in datamap.topics.items() if known.stores.intersection(topic.contacts_in)}
    agreed = any(known.choices.word(each) for each in known.choices.topics)
    return Facts(
        word=known.choices.word(name),
        own=agreed or datamap.accounts.store in known.stores,
        given=name in given,
        given_elsewhere=bool(given - {name}),
        erased=known.erased,
    )


def _learn(deps: Deps, people: list[_Known]) -> None:
    """Looks each address up, once."""
    emails = contacting.emails(deps.datamap)
    for each in people:
        each.person = contacts.person(deps, each.contact)
        each.identities = erased.digests(deps, {name: [each.contact.email] for name in emails})
    items = deps.table.get_many([consents.key(each.person) for each in people])
    ledger = erased.of(deps, sorted({digest for each in people for digest in each.identities}))
    for each, item in zip(people, items, strict=True):
        each.choices = consents.read(item)
        each.erased = not each.identities.isdisjoint(ledger.entries)
    lookups = [(store, each) for each in people for store in sorted(contacting.searched(deps.datamap))]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = list(pool.map(lambda lookup: _holds(deps, lookup[0], lookup[1], ledger), lookups))
    for (store, each), holds in zip(lookups, found, strict=True):
        if holds:
            each.stores.add(store)


def _holds(deps: Deps, store: str, known: _Known, ledger: erased.Erased) -> bool:
    """Whether the store holds the address. What was erased and came back, from a backup or an old import, does not
    count: the next sweep erases it again."""
    rule = deps.datamap.stores[store].retention
    for locator in contacting.email_locators(deps.datamap, store):
        for spelling in sorted(known.spellings):
            cursor: str | None = None
            while True:
                page = deps.connectors[store].find(locator, spelling, cursor, _PAGE)
                for record in page.records:
                    used = retention.last_used(rule, record)
                    if used is None or not ledger.came_back(store, known.identities, used):
                        return True
                if page.cursor is None:
                    break
                cursor = page.cursor
    return False


def _spellings(datamap: DataMap, contact: Contact) -> Iterable[str]:
    for name in contacting.emails(datamap):
        yield from variants(datamap.identities[name], contact.typed)


def _checked(datamap: DataMap, event: Mapping[str, Any]) -> list[tuple[Contact, str]]:
    """The contacts and the topics that are asked about."""
    listed = event.get("contacts") if isinstance(event, Mapping) else None
    if not isinstance(listed, list) or event.keys() != {"contacts"}:
        raise Invalid('Send {"contacts": [{"email": "name@example.com", "topic": "newsletter"}]}, and nothing else.')
    if len(listed) > MOST:
        raise Invalid(f"contacts: {len(listed)} are too many. Ask about at most {MOST} at a time.")
    faults: list[tuple[str, str]] = []
    asked = []
    known = [*datamap.topics, SALE_OR_SHARING]
    for number, each in enumerate(listed):
        if not isinstance(each, dict) or each.keys() != {"email", "topic"}:
            faults.append((f"contacts[{number}]", "Write the two fields email and topic, and no others."))
            continue
        if not isinstance(each["topic"], str) or each["topic"] not in known:
            faults.append((f"contacts[{number}].topic", f"There is no such topic. Write one of {', '.join(known)}."))
        try:
            email = each["email"] if isinstance(each["email"], str) else ""
            asked.append((Contact(checked_email(email, f"contacts[{number}].email"), email), each["topic"]))
        except Invalid as invalid:
            faults += invalid.errors
    if faults:
        told = " ".join(f"{name}: {cure}" for name, cure in faults[:TOLD])
        more = f" And {len(faults) - TOLD} more." if len(faults) > TOLD else ""
        raise Invalid(f"Nothing was answered. {told}{more}", errors=faults)
    return asked
