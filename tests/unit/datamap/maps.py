"""A small data map that is right, to be made wrong by one edit at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rightful.datamap.check import Outcome, check
from rightful.datamap.kinds import Kinds, SweepKinds
from rightful.model import FORBID_UNKNOWN, Permission, Store, SweepVerb, Verb

GOOD = """\
version: "1"
controller:
  name: Shop
  contact: dpo@example.com
  policy_url: https://example.com/privacy
  complaint: The authority
identities:
  email: {category: user.contact.email, form: email, proven_by: code}
  account_id: {category: user.unique_id}
requests:
  erasure: {approval: auto, grace_period: P7D}
stores:
  accounts:
    title: Your account
    connector: cupboard
    purpose: To sign in
    lawful_basis: Contract
    settings: {shelf: accounts}
    locate:
      - by: email
        through: {label: email}
        gives: {account_id: id}
    fields:
      id: {category: user.unique_id}
      email: {category: user.contact.email}
      status: {category: user.account}
      used_at: {category: system.operations}
    erasure: {action: delete}
    retention: {period: P1Y, since: used_at, unless: [{ground: active_service, attribute: status, equals: [on]}]}
  letters:
    title: Your letters
    connector: cupboard
    purpose: To answer
    lawful_basis: Contract
    settings: {shelf: letters}
    locate:
      - by: account_id
        through: {label: account}
      - by: email
        through: {label: email}
    fields:
      account: {category: user.unique_id, about: account_id}
      email: {category: user.contact.email}
      text: {category: user.content.private, free_text: true}
      sent_at: {category: system.operations}
    erasure:
      action: anonymise
      fields: {email: {strategy: hmac}, text: {strategy: redact}}
    retention: {period: P1Y, since: sent_at}
"""


CHOICES = """\
topics:
  news:
    title: Newsletter
    text: News about the shop.
    kind: optional
  rewards:
    title: Rewards
    text: That a reward is ready.
    kind: mandatory
    contacts_in: [letters]
accounts: {store: accounts, email: email}
translations:
  fr:
    Newsletter: Lettre d'information
    News about the shop.: Des nouvelles du magasin.
    Your letters: Vos lettres
"""
WITH_CHOICES = GOOD.replace("stores:\n", CHOICES + "stores:\n", 1)


SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rightful/billing-a1B2c3"
RECIPIENTS = f"""\
recipients:
  hosting:
    title: Our hosting company
    not_told: It only stores what we delete there
  desk:
    title: Our support desk
    mail: privacy@desk.example
    knows: [email]
  billing:
    title: Our payment provider
    webhook: https://api.billing.example:8443/erasures?team=1
    secret: {SECRET}
    knows: [email, account_id]
"""
WITH_RECIPIENTS = GOOD.replace("stores:\n", f"{RECIPIENTS}stores:\n").replace(
    "    settings: {shelf: letters}\n", "    settings: {shelf: letters}\n    recipients: [hosting, desk, billing]\n"
)
"""The same map, whose letters are disclosed: to one that is not told of an erasure, by mail, and by webhook."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    __pydantic_config__ = FORBID_UNKNOWN
    shelf: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Through:
    __pydantic_config__ = FORBID_UNKNOWN
    label: str


@dataclass
class Cupboard:
    """A kind of store for tests."""

    Settings: type[Any] = Settings
    Through: type[Any] = Through
    needs: dict[Verb, list[str]] = field(
        default_factory=lambda: {"discover": ["dynamodb:GetItem"], "erase": ["dynamodb:DeleteItem"]}
    )

    def check(self, store: Store) -> Iterator[tuple[str, str, str]]:
        if not store.settings["shelf"]:
            yield "settings.shelf", "has no name", "name the shelf"
        for path in store.erasure.fields:
            if path == "account":
                yield f"erasure.fields.{path}", "is a key", "leave it"

    def permissions(self, store: Store, verb: Verb) -> list[Permission]:
        return [{"actions": self.needs[verb], "resources": [_shelf(store)]}] if verb in self.needs else []


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    __pydantic_config__ = FORBID_UNKNOWN
    list: str


@dataclass
class CupboardSweeper:
    """How it is swept."""

    Due: type[Any] = Due

    def check(self, store: Store) -> Iterator[tuple[str, str, str]]:
        if store.retention.through.get("list") == "none":
            yield "retention.through.list", "is no list", "name a list"

    def permissions(self, store: Store, verb: SweepVerb) -> list[Permission]:
        actions = {"split": ["dynamodb:DescribeTable"], "sweep": ["dynamodb:Scan"], "announce": ["dynamodb:Query"]}[
            verb
        ]
        return [{"actions": actions, "resources": [_shelf(store)]}]


def _shelf(store: Store) -> str:
    return f"arn:${{AWS::Partition}}:dynamodb:${{AWS::Region}}:${{AWS::AccountId}}:table/{store.settings['shelf']}"


KINDS: Kinds = {"cupboard": Cupboard()}
SWEEP_KINDS: SweepKinds = {"cupboard": CupboardSweeper()}


def edited(old: str, new: str) -> str:
    """The good map with the one place `old` replaced."""
    assert GOOD.count(old) == 1, f"`{old}` is there {GOOD.count(old)} times"
    return GOOD.replace(old, new)


def outcome(text: str) -> Outcome:
    return check(text, KINDS, SWEEP_KINDS)


def line_of(text: str, part: str) -> int:
    """The first line (from 1) that holds `part`."""
    return next(number for number, line in enumerate(text.splitlines(), start=1) if part in line)
