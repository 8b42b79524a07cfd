"""Whether an address may be mailed about a topic, from what is known of it. Pure.

"We request your explicit consent for all communications not related to transactional or service-related events. If you
provide information about other users, [...] we will only communicate with those email addresses for this specific
application purpose" (the policy of the first controller). Article 21(2) and (3) GDPR: who objects is mailed no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rightful.model import DataMap, Locator, Topic

SALE_OR_SHARING: Final = "sale_or_sharing"
"""Reserved topic: not a mail, but whether a person's data may be sold or shared (11 CCR section 7025)."""


class Reason(StrEnum):
    """Why, and so also whether: ALLOWING says which of them allow it."""

    consented = "consented"
    """They agreed to this topic."""
    mandatory = "mandatory"
    """It comes with the service, or is asked for by the law."""
    given_by_another_user = "given_by_another_user"
    """Another user gave the address for this very topic."""
    not_opted_out = "not_opted_out"
    """Of SALE_OR_SHARING: they did not opt out. It says nothing of a consent that another law may ask for."""

    not_consented = "not_consented"
    """Nobody agreed to this topic for the address."""
    unsubscribed = "unsubscribed"
    """They refused this topic, or took their consent back."""
    objected = "objected"
    """They want no mails of a topic for which another user gave their address."""
    opted_out = "opted_out"
    """Of SALE_OR_SHARING: they opted out."""
    given_for_another_purpose = "given_for_another_purpose"
    """The address is known only because another user gave it, and for something else."""
    not_given = "not_given"
    """The topic is for addresses that other users gave, and this one is (no longer) among them."""
    erased = "erased"
    """Their data was erased, and they have not come back themselves."""


ALLOWING: Final = frozenset((Reason.consented, Reason.mandatory, Reason.given_by_another_user, Reason.not_opted_out))


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of an address, and of the topic that is asked about."""

    word: bool | None = None
    """What they said of this topic; None: nothing."""
    own: bool = False
    """They have an account, or agreed to some topic: a relationship of their own."""
    given: bool = False
    """Another user gave the address for this topic."""
    given_elsewhere: bool = False
    """Another user gave the address for another topic."""
    erased: bool = False
    """An erasure of theirs was completed."""


def decide(topic: Topic | None, facts: Facts) -> Reason:
    """`topic`: None for SALE_OR_SHARING. What a person said themselves comes first, then that they were erased, then
    for what others gave the address."""
    if topic is None:
        return Reason.opted_out if facts.word is False else _stranger(facts) or Reason.not_opted_out
    if topic.kind == "optional":
        if facts.word is not None:
            return Reason.consented if facts.word else Reason.unsubscribed
        return _stranger(facts) or Reason.not_consented
    if not topic.contacts_in:
        return _stranger(facts) or Reason.mandatory
    if facts.word is False:
        return Reason.objected
    if facts.erased and not facts.own:
        return Reason.erased
    if facts.given:
        return Reason.given_by_another_user
    return _stranger(facts) or (Reason.mandatory if facts.own else Reason.not_given)


def refusable(topic: Topic) -> bool:
    """Whether its mails offer a way to refuse them: all but those that the service or the law asks for."""
    return topic.kind == "optional" or bool(topic.contacts_in)


def searched(datamap: DataMap) -> set[str]:
    """Stores that say who an address belongs to: the accounts, and the contacts that others gave."""
    named = {datamap.accounts.store, *(store for topic in datamap.topics.values() for store in topic.contacts_in)}
    return {name for name in named & datamap.stores.keys() if datamap.stores[name].covered}


def email_locators(datamap: DataMap, store: str) -> list[Locator]:
    """The ways to find an address in a store."""
    known = emails(datamap)
    return [locator for locator in datamap.stores[store].locate if locator.by in known]


def emails(datamap: DataMap) -> set[str]:
    """Identities that are addresses which a code proves."""
    return {name for name, identity in datamap.identities.items() if identity.proven_by == "code"}


def _stranger(facts: Facts) -> Reason | None:
    """Why somebody without a relationship of their own is left alone; None when nothing speaks against it."""
    if facts.own:
        return None
    if facts.erased:
        return Reason.erased
    return Reason.given_for_another_purpose if facts.given or facts.given_elsewhere else None
