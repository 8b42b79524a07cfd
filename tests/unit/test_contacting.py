"""Whom may be mailed about what: the table of all cases that matter, and what holds in every case."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightful.contacting import ALLOWING, Facts, Reason, decide, refusable
from rightful.model import Topic

OPTIONAL = Topic(title="Newsletter", text="News.", kind="optional")
MANDATORY = Topic(title="Service", text="What your account needs.", kind="mandatory")
CONTACTS = Topic(title="Rewards", text="A reward is ready.", kind="mandatory", contacts_in=["contacts"])
SALE = None
FACTS = st.builds(
    Facts,
    word=st.sampled_from([None, True, False]),
    own=st.booleans(),
    given=st.booleans(),
    given_elsewhere=st.booleans(),
    erased=st.booleans(),
)
TOPICS = st.sampled_from([OPTIONAL, MANDATORY, CONTACTS, SALE])


@pytest.mark.parametrize(
    ("topic", "facts", "reason"),
    [
        # Opt-in
        (OPTIONAL, Facts(), Reason.not_consented),
        (OPTIONAL, Facts(own=True), Reason.not_consented),
        (OPTIONAL, Facts(own=True, word=True), Reason.consented),
        (OPTIONAL, Facts(own=True, word=False), Reason.unsubscribed),
        (OPTIONAL, Facts(word=False, given_elsewhere=True), Reason.unsubscribed),
        (OPTIONAL, Facts(given_elsewhere=True), Reason.given_for_another_purpose),
        (OPTIONAL, Facts(erased=True), Reason.erased),
        (OPTIONAL, Facts(erased=True, word=False), Reason.unsubscribed),
        (OPTIONAL, Facts(erased=True, own=True, word=True), Reason.consented),
        (OPTIONAL, Facts(erased=True, own=True), Reason.not_consented),
        # What comes with the service
        (MANDATORY, Facts(), Reason.mandatory),
        (MANDATORY, Facts(own=True), Reason.mandatory),
        (MANDATORY, Facts(given_elsewhere=True), Reason.given_for_another_purpose),
        (MANDATORY, Facts(given_elsewhere=True, own=True), Reason.mandatory),
        (MANDATORY, Facts(erased=True), Reason.erased),
        (MANDATORY, Facts(erased=True, given_elsewhere=True), Reason.erased),
        (MANDATORY, Facts(erased=True, own=True), Reason.mandatory),
        # What another user gave the address for
        (CONTACTS, Facts(), Reason.not_given),
        (CONTACTS, Facts(given=True), Reason.given_by_another_user),
        (CONTACTS, Facts(given=True, own=True), Reason.given_by_another_user),
        (CONTACTS, Facts(own=True), Reason.mandatory),
        (CONTACTS, Facts(given=True, word=False), Reason.objected),
        (CONTACTS, Facts(given=True, word=False, own=True), Reason.objected),
        (CONTACTS, Facts(given=True, word=True, own=True), Reason.given_by_another_user),
        (CONTACTS, Facts(given_elsewhere=True), Reason.given_for_another_purpose),
        (CONTACTS, Facts(given=True, erased=True), Reason.erased),
        (CONTACTS, Facts(given=True, erased=True, own=True), Reason.given_by_another_user),
        # Sale and sharing
        (SALE, Facts(), Reason.not_opted_out),
        (SALE, Facts(own=True), Reason.not_opted_out),
        (SALE, Facts(own=True, word=False), Reason.opted_out),
        (SALE, Facts(given_elsewhere=True), Reason.given_for_another_purpose),
        (SALE, Facts(erased=True), Reason.erased),
    ],
)
def test_cases(topic: Topic | None, facts: Facts, reason: Reason) -> None:
    assert decide(topic, facts) is reason


@given(TOPICS, FACTS)
def test_whoever_refused_is_left_alone(topic: Topic | None, facts: Facts) -> None:
    if facts.word is False and topic is not MANDATORY:
        assert decide(topic, facts) not in ALLOWING


@given(FACTS)
def test_an_optional_topic_is_mailed_to_who_agreed_and_to_nobody_else(facts: Facts) -> None:
    assert (decide(OPTIONAL, facts) in ALLOWING) is (facts.word is True)


@given(TOPICS, FACTS)
def test_an_address_that_others_gave_gets_nothing_but_what_it_was_given_for(topic: Topic | None, facts: Facts) -> None:
    known_by_others_only = (facts.given or facts.given_elsewhere) and not facts.own and facts.word is None
    if known_by_others_only and decide(topic, facts) in ALLOWING:
        assert topic is CONTACTS
        assert facts.given


@given(TOPICS, FACTS)
def test_whoever_was_erased_is_left_alone_until_they_come_back_themselves(topic: Topic | None, facts: Facts) -> None:
    if facts.erased and not facts.own and facts.word is None:
        assert decide(topic, facts) is Reason.erased


@given(TOPICS, FACTS)
def test_less_is_never_allowed_because_of_a_relationship_of_ones_own(topic: Topic | None, facts: Facts) -> None:
    alone = Facts(word=facts.word, given=facts.given, given_elsewhere=facts.given_elsewhere, erased=facts.erased)
    own = Facts(
        word=facts.word, own=True, given=facts.given, given_elsewhere=facts.given_elsewhere, erased=facts.erased
    )
    assert decide(topic, own) in ALLOWING or decide(topic, alone) not in ALLOWING


def test_what_the_service_or_the_law_asks_for_cannot_be_refused() -> None:
    assert [refusable(topic) for topic in (OPTIONAL, CONTACTS, MANDATORY)] == [True, True, False]
