"""The values that every other module speaks of: the data map, and what a connector finds and does.

All are plain frozen dataclasses, so that a Lambda can load a compiled data map without importing a validation
library; `rightful.datamap` validates the same classes with Pydantic when the map is checked and built.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, NotRequired, TypedDict

RequestType = Literal["access", "erasure"]
Regime = Literal["gdpr", "uk_gdpr", "ccpa"]
Language = Literal["en", "fr", "de", "es"]
"""Of mails, pages and packages. See `rightful.languages`."""
Verb = Literal["discover", "export", "erase", "package"]
"""What a privacy request does to a store."""
SweepVerb = Literal["split", "sweep", "announce"]
"""What the retention sweep does to a store."""
IssueKind = Literal["unwanted_email", "wrong_data", "suspected_breach", "under_18", "other"]
"""What a privacy issue that is reported can be about."""

FORBID_UNKNOWN = {"extra": "forbid"}


class Permission(TypedDict):
    """IAM actions on resources, which may hold `${AWS::Partition}`, `${AWS::Region}` and `${AWS::AccountId}`."""

    actions: list[str]
    resources: list[str]
    via: NotRequired[str]
    """The only AWS service through which they may be used (`kms:ViaService`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A kind of value that identifies a person."""

    __pydantic_config__ = FORBID_UNKNOWN
    category: str
    """fideslang data category, e.g. `user.contact.email`."""
    form: Literal["email", "exact"] = "exact"
    """How two values are compared: `email` ignores ASCII case and surrounding space, `exact` compares as written."""
    proven_by: Literal["code", "store"] = "store"
    """`code`: a code sent to the value proves it. `store`: only a store located by a proven identity gives it."""
    claim: str = ""
    """Claim of the controller's own OIDC tokens that gives, and so proves, a value of this identity; empty for none."""
    most: int = 20
    """How many values one person can have. When a store gives more, something in it joins strangers: the search follows
    it no further, and the data protection officer is asked before anything is shown or erased."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Locator:
    """One way to find a person's records in a store."""

    __pydantic_config__ = FORBID_UNKNOWN
    by: str
    """Name of the identity looked up."""
    through: dict[str, Any]
    """How the connector looks it up (its `Through` class says which keys)."""
    gives: dict[str, str] = field(default_factory=dict)
    """identity name -> path in the record. Values found there are the same person's, and are looked up in turn.
    Only say so where the whole record belongs to the person that this locator finds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """What one path of a record means."""

    __pydantic_config__ = FORBID_UNKNOWN
    category: str
    about: str = "person"
    """`person`: about whoever the record was located for. `other`: always about someone else (masked in exports).
    An identity name: about the person only when the record was located by that identity, else about someone else."""
    free_text: bool = False
    """Other people's addresses and phone numbers inside the text are masked in exports."""
    export: bool = True
    """False for secrets such as password hashes: shown as *withheld*, with `note` as the reason."""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """How one field is anonymised."""

    __pydantic_config__ = FORBID_UNKNOWN
    strategy: Literal["null", "redact", "hmac", "truncate", "fake"]
    keep: int | None = None
    """truncate: how many leading characters stay (text); addresses lose their host part, dates their day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What an erasure request does to a store's records."""

    __pydantic_config__ = FORBID_UNKNOWN
    action: Literal["delete", "anonymise", "keep"]
    fields: dict[str, Strategy] = field(default_factory=dict)
    """anonymise: path -> strategy."""
    ground: str = ""
    """keep: one of GROUNDS."""
    law: str = ""
    """keep: the provision that asks for it, shown to the person."""
    period: str = ""
    """keep: ISO 8601 duration since `since`; a record past it is deleted."""
    since: str = ""
    """keep: path of a date in the record; `last_modified` for objects in S3."""


GROUNDS = ("accounting", "business_records", "contract", "investigation", "legal_process", "enforcement_of_rights")
"""The policy's reasons to keep data beyond its last use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unless:
    """A condition under which the retention rule does not act (yet)."""

    __pydantic_config__ = FORBID_UNKNOWN
    ground: str
    """`active_service` or one of GROUNDS."""
    attribute: str = ""
    """active_service: the path looked at ..."""
    equals: list[str] = field(default_factory=list)
    """... and the values that mean the service is still delivered."""
    period: str = ""
    """A longer period of its own (ISO 8601), after which the record goes ..."""
    since: str = ""
    """... counted from this path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long a record stays after it was last used."""

    __pydantic_config__ = FORBID_UNKNOWN
    period: str
    """ISO 8601 duration, e.g. `P1Y`."""
    since: str
    """Path of a date in the record; `object_age`, `tag:NAME` or `key_date:PATTERN` for objects in S3."""
    action: Literal["delete", "anonymise"] = "delete"
    fields: dict[str, Strategy] = field(default_factory=dict)
    unless: list[Unless] = field(default_factory=list)
    brake: int = 10
    """Percent of the store. A sweep that finds more than this due touches nothing in it until the DPO says so; 100
    never brakes."""
    through: dict[str, Any] = field(default_factory=dict)
    """How the connector reaches what may be due without reading all there is (its `Due` class says which keys)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Privileged:
    """Which records of a store stand for an account that others depend on (an owner, an administrator)."""

    __pydantic_config__ = FORBID_UNKNOWN
    attribute: str = ""
    """Path of a text or a list of texts in the record. Empty: none is privileged."""
    values: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """One table, bucket prefix, database or vendor that holds personal data."""

    __pydantic_config__ = FORBID_UNKNOWN
    title: str
    """What the person reads, e.g. `Your support tickets`."""
    connector: str
    """Name in the connector registry, or `planned`: known, but reported as *not covered*."""
    purpose: str
    lawful_basis: str
    retention: Retention
    erasure: Erasure
    source: str = "you"
    """Where the data came from (Article 15(1)(g))."""
    recipients: list[str] = field(default_factory=list)
    """Names of recipients (Article 15(1)(c))."""
    settings: dict[str, Any] = field(default_factory=dict)
    locate: list[Locator] = field(default_factory=list)
    fields: dict[str, Field] = field(default_factory=dict)
    undeclared_fields: Literal["export", "withhold"] = "withhold"
    """What an export does with attributes that `fields` does not name. They are counted in either case."""
    role_arn: str = ""
    """Role to assume when the store lives in another account."""
    external_id: str = ""
    region: str = ""
    privileged: Privileged = field(default_factory=Privileged)
    """Of the policy `ask_when: {privileged: true}`."""
    requests: Literal["covered", "planned"] = "covered"
    """planned: people's requests do not reach this store yet (they are told so), though its retention is enforced."""

    @property
    def covered(self) -> bool:
        """Whether people's requests reach it."""
        return self.connector != "planned" and self.requests == "covered"

    @property
    def swept(self) -> bool:
        """Whether its retention rule is enforced."""
        return self.connector != "planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Somebody outside to whom data of stores is disclosed. Article 19 GDPR: each is told of an erasure, unless that is
    impossible or involves disproportionate effort. It is told by exactly one of `mail`, `webhook` and `not_told`."""

    __pydantic_config__ = FORBID_UNKNOWN
    title: str
    """What the person reads, e.g. `Our payment provider (card payments)`."""
    mail: str = ""
    """Address that a mail goes to."""
    webhook: str = ""
    """https address that a signed message is posted to (standardwebhooks.com)."""
    secret: str = ""
    """webhook: ARN of the Secrets Manager secret that signs, `whsec_` and base64."""
    not_told: str = ""
    """Why it need not be told, which the person reads: it only stores for us what was erased there, say."""
    knows: list[str] = field(default_factory=list)
    """Names of the identities by which it can find the person. These are sent to it and nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """Who answers for the data, as the person is told."""

    __pydantic_config__ = FORBID_UNKNOWN
    name: str
    contact: str
    """The DPO's e-mail address."""
    deputy: str = ""
    """E-mail address of the second person, where the map asks for two approvals."""
    locale: Language = "en"
    """In which language the DPO, the deputy and recipients are written to."""
    policy_url: str
    complaint: str
    """The supervisory authority the person may complain to, with its address."""
    regime: Regime = "gdpr"
    records_kept: str = "P3Y"
    """ISO 8601 duration for which a closed request's address stays readable (for a complaint or a court); then its key
    is destroyed, and counts, dates and keyed hashes are all that is left."""
    transfers: str = ""
    """Article 15(2): transfers to third countries and their safeguards."""
    holidays: list[str] = field(default_factory=list)
    """Days on which the controller's seat does not work, as ISO dates. The compiled map has the public holidays of
    `country` and `subdivision` among them."""
    country: str = ""
    """ISO 3166-1 code of two letters, e.g. `DE`: whose public holidays move a deadline. Empty for none."""
    subdivision: str = ""
    """Its part with holidays of its own: what follows the country in ISO 3166-2, e.g. `BY`."""
    time_zone: str = "UTC"
    """IANA name of the zone of the controller's seat, e.g. `America/New_York`: days are counted there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskWhen:
    """When a plan waits for the DPO's approval although plans of its type do not in general. Any one suffices."""

    __pydantic_config__ = FORBID_UNKNOWN
    records: int = 0
    """More records than this would be deleted or anonymised (or exported); 0: never for their number."""
    stores: list[str] = field(default_factory=list)
    """Something was found in one of these stores."""
    privileged: bool = False
    """A record was found that its store calls privileged."""
    identities: dict[str, int] = field(default_factory=dict)
    """Doubt about who it is: more different values of an identity were found than this."""
    other_doors: bool = False
    """Doubt about who it is: the request came by letter or phone (and was confirmed by a code all the same)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPolicy:
    """How one type of request is handled."""

    __pydantic_config__ = FORBID_UNKNOWN
    approval: Literal["auto", "dpo"] = "auto"
    """dpo: each plan waits for the DPO. auto: only one that `ask_when` names."""
    ask_when: AskWhen = field(default_factory=AskWhen)
    approvers: int = 1
    """How many persons must approve a plan: 1, or 2 (the DPO and `controller.deputy`)."""
    grace_period: str = ""
    """ISO 8601 duration before anything is erased, in which the person may withdraw; empty for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """Something that people are mailed about."""

    __pydantic_config__ = FORBID_UNKNOWN
    title: str
    """What the person reads, e.g. `Newsletter`."""
    text: str
    """What they agree to, in a sentence; it stands in each record of a consent."""
    kind: Literal["optional", "mandatory"]
    """optional: only to who agreed. mandatory: what delivering the service or the law asks for."""
    contacts_in: list[str] = field(default_factory=list)
    """Stores with addresses that other users gave for this very purpose. Such an address gets mails of this topic,
    until it objects, and of no other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """Where it stands who has an account."""

    __pydantic_config__ = FORBID_UNKNOWN
    store: str = ""
    """Name of the store. Empty: the controller has no accounts."""
    email: str = ""
    """Path of the address that the account is mailed at."""
    locale: str = ""
    """Path of its language (BCP 47). Empty: English."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataMap:
    """Everything the controller stores about people, and what may be done with it."""

    __pydantic_config__ = FORBID_UNKNOWN
    version: str
    controller: Controller
    identities: dict[str, Identity]
    stores: dict[str, Store]
    recipients: dict[str, Recipient] = field(default_factory=dict)
    requests: dict[RequestType, RequestPolicy] = field(default_factory=dict)
    topics: dict[str, Topic] = field(default_factory=dict)
    accounts: Accounts = field(default_factory=Accounts)
    translations: dict[str, dict[str, str]] = field(default_factory=dict)
    """Language (`fr`) -> text of this map that people read (a title, a law, ...) -> the same in that language."""

    def said(self, text: str, language: str) -> str:
        """A text of this map in that language, or as it stands where it is not translated."""
        return self.translations.get(language, {}).get(text, text)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An original file behind a record, to be copied into an export unchanged."""

    name: str
    """As the person knows it; never used as a path."""
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of one person, as a connector read it. Holds personal data: never logged."""

    key: str
    """Canonical text of the record's primary key: equal for equal records, unique within the store."""
    data: Mapping[str, Any]
    """Attributes as Python values: str, int, Decimal, bool, None, bytes, list, dict, set."""
    native: Any = None
    """The connector's own handle (the raw item, the object version)."""
    file: StoredFile | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some records and where to go on. `cursor` is None after the last page; it may hold personal data."""

    records: tuple[Record, ...]
    cursor: str | None = None


class Done(StrEnum):
    """What happened to one record."""

    deleted = "deleted"
    anonymised = "anonymised"
    gone = "gone"
    """It was no longer there: success."""
    changed = "changed"
    """It is no longer what was read (touched, or another person's now): left alone."""
    blocked = "blocked"
    """The store refuses until a date (S3 Object Lock)."""
    failed = "failed"
    """The store refuses this one record for good. Only the sweep tells it so; an erasure stops and asks."""


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome for one record."""

    done: Done
    until: datetime | None = None
    """blocked: when the store lets go; None if it does not say."""
