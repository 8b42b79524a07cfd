"""What the use cases need from the outside, as small protocols.

Each has a real implementation in `aws/` or `stores/` and an in-memory one in `tests/fakes/`; both pass the same
contract suite in `tests/contract/`. Every method raises `TryAgain` for a passing fault and `NeedsAttention` for a
lasting one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from rightful.model import Locator, Page, Record, Result


class Clock(Protocol):
    def __call__(self) -> datetime:
        """Now, aware, in UTC."""


class Connector(Protocol):
    """A kind of store, bound to one store of the data map. It knows pages and records; what is done to
    which record (plan, dry run, masking, holds, counts, time) is decided by the use cases."""

    def find(self, locator: Locator, value: str, cursor: str | None, limit: int) -> Page:
        """Records that `locator` finds for the identity `value`, at most `limit` a page, read with strong consistency.
        Every record returned satisfies `matches`. An unknown value gives an empty last page."""

    def matches(self, record: Record, locator: Locator, value: str) -> bool:
        """Whether `locator` would find this record for `value`; pure, no call."""

    def identities(self, record: Record) -> set[tuple[str, str]]:
        """(identity name, value) of whoever the store's locators would find this record for; pure, no call."""

    def delete(self, records: Sequence[Record], guard: Sequence[str]) -> list[Result]:
        """Delete each record if the top-level attributes named in `guard` still have the values that were read.
        One result per record, in order; a record that is no longer there is `gone`."""

    def anonymise(self, records: Sequence[tuple[Record, Mapping[str, Any]]], guard: Sequence[str]) -> list[Result]:
        """Replace the given top-level attributes (None removes one) under the same condition; sets ANONYMISED_MARK."""

    def open(self, record: Record) -> Iterator[bytes]:
        """The bytes of the record's original file, in chunks of at most 1 MiB. Raises, before the first chunk, NotFound
        when it is no longer there, and Unreadable when it alone cannot be read."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a sweep needs to see of each record."""

    attributes: frozenset[str]
    """Top-level attributes, besides the key; a record may come with more."""
    since: str = ""
    """Top-level attribute with the date that decides. Empty: no record may be left out."""
    after: datetime | None = None
    """Records whose `since` is surely later need not come (`retention.surely_after` says which); they are counted."""
    fresh: bool = True
    """Read with strong consistency. Counting can do without, at half the price in DynamoDB: a count that is a moment
    old does no harm."""


@dataclass(frozen=True, slots=True)
class SweepPage:
    """What a sweep read. `cursor` is None after the segment's last page; it may hold personal data."""

    records: tuple[Record, ...]
    scanned: int
    """Records looked at, those left out included."""
    cursor: str | None = None
    capacity: float = 0.0
    """What the page cost, in the store's own unit (read capacity units; requests to S3)."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a sweep's writes came to: one result per record, in order, and their cost in the store's own unit."""

    results: list[Result]
    capacity: float = 0.0


class Sweeper(Protocol):
    """A store as the retention sweep goes through it: all records once, in parts that are read side by side. Methods
    raise TryAgain and NeedsAttention as all ports do; what fails for a single record is in its Result."""

    def segments(self, most: int, as_of: datetime) -> list[str]:
        """At most about `most` parts that hold every record between them, or, where the data map names a way to reach
        what may be due at `as_of`, every record that may be. Their texts hold no personal data."""

    def size(self) -> int:
        """About how many records the store holds, where the segments do not reach all of them; 0 where they do, or
        where the store does not say."""

    def page(self, segment: str, wanted: Wanted, cursor: str | None) -> SweepPage:
        """The next records of a segment. Records that are written meanwhile may or may not come; no other is missed."""

    def identities(self, record: Record) -> set[tuple[str, str]]:
        """As `Connector.identities`."""

    def delete(self, records: Sequence[Record], guard: Sequence[str]) -> Written:
        """As `Connector.delete`, but a record that the store refuses for good is `failed`."""

    def anonymise(self, records: Sequence[tuple[Record, Mapping[str, Any]]], guard: Sequence[str]) -> Written:
        """As `Connector.anonymise`, but a record that the store refuses for good is `failed`."""


ANONYMISED_MARK = "rightful_anonymised_at"
"""Attribute (or object tag) that says a record was anonymised, and when (RFC 3339)."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail."""

    name: str
    """With an ending that fits `media_type`; ASCII, no personal data."""
    media_type: str
    """For example `text/calendar; charset=utf-8`."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """One e-mail. `subject` holds no personal data."""

    to: str
    subject: str
    text: str
    html: str
    key: str
    """Names this mail for good, e.g. `<request id>:completed`: the same key is never sent twice."""
    attachments: tuple[Attachment, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    """More headers, such as List-Unsubscribe."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What the mail provider takes from us."""

    rate: float
    """Mails a second."""
    day: float
    """Mails in any 24 hours; infinite where it does not count them."""
    sent: float
    """Mails in the last 24 hours, as far as it has counted."""


class Mailer(Protocol):
    def send(self, mail: Mail) -> str:
        """Hands the mail over; the provider's message id. Raises Undeliverable when it refuses this one for good."""

    def quota(self) -> Quota: ...

    def at_most(self, rate: float) -> None:
        """From now on this process hands over at most so many mails a second (above 0): `send` waits for its turn,
        and tries again, slower, where the provider says that it came too fast."""


class Webhooks(Protocol):
    def post(self, url: str, secret_arn: str, body: bytes, message_id: str) -> None:
        """Posts the JSON `body`, signed with the secret (standardwebhooks.com). Returns when the receiver answered 2xx.
        `message_id` stays the same when a message is posted again, so that the receiver can drop repeats. Messages of
        errors name neither the address nor what was posted."""


class OpenIdProvider(Protocol):
    """The OpenID provider of the company's own accounts."""

    def keys(self, kid: str) -> Sequence[Mapping[str, Any]]:
        """The public keys (JWKs, RFC 7517) with which it signs tokens now; a short time ago at the latest when there is
        one called `kid` among them or `kid` is empty, else as of this moment or a few seconds ago. Raises TryAgain when
        it cannot be asked, or was too long ago; NeedsAttention when it is not set up as it must be."""


class Vault(Protocol):
    """Seals what must stay unreadable without its request's own key."""

    def seal(self, request_id: str, plain: bytes, until: datetime | None = None) -> bytes:
        """Encrypted under the request's data key, made at first use; one made now lapses at `until`."""

    def open(self, request_id: str, sealed: bytes) -> bytes:
        """Decrypted. Raises NotFound when the key was shredded."""

    def lapse(self, request_id: str, at: datetime) -> None:
        """Ends the life of the request's data key at that time: nothing sealed under it can be read from then on.
        Without effect when there is no key."""

    def prolong(self, request_id: str, by: datetime) -> None:
        """The request's data key, if it was to lapse until `by`, lapses no more; a later end stays. Raises NotFound
        when there is no key or it has lapsed."""

    def digest(self, purpose: str, value: str) -> str:
        """Keyed hash, stable for the life of the stack: 43 URL-safe characters. `purpose` separates uses."""


class Files(Protocol):
    """The exports bucket. Keys hold request ids and store names only."""

    def put(self, key: str, body: bytes) -> None: ...

    def read(self, key: str) -> Iterator[bytes]:
        """The object in chunks of at most 1 MiB. Raises NotFound."""

    def list(self, prefix: str) -> Iterator[str]:
        """Keys in lexical order."""

    def delete(self, prefix: str) -> None:
        """Everything under the prefix, unfinished uploads too."""

    def upload(self, key: str, state: str | None = None) -> Upload:
        """A streaming upload, new or resumed from `Upload.pause()`. Resumed after another try finished it, it takes
        the rest without effect. Raises NotFound, here or while writing, when it was deleted: begin a new one."""

    def uri(self, key: str) -> str:
        """Where the object is, as `s3://bucket/key`."""

    def link(self, key: str, name: str, seconds: int) -> str:
        """A link that downloads the object as attachment `name`, valid that long."""


class Upload(Protocol):
    """Write-only, constant memory. Use `tell` for the offset; it does not seek."""

    def write(self, data: bytes) -> int: ...

    def tell(self) -> int: ...

    def flush(self) -> None: ...

    def pause(self) -> str:
        """Stores what is buffered and returns text from which another process goes on."""

    def finish(self) -> None:
        """The object exists whole after this, and not before."""


class Signer(Protocol):
    """Signs receipts."""

    def key(self) -> Mapping[str, str]:
        """The public key that verifies what is signed now, as a JWK (see `rightful.jws`) with its `kid`."""

    def sign(self, data: bytes) -> bytes:
        """64 bytes: the two numbers of an ES256 signature over the data."""


class Evidence(Protocol):
    """Where what must not change is kept. Keys hold request ids only."""

    def keep(self, key: str, body: bytes, until: datetime) -> None:
        """Written once, and not to be deleted or changed before `until`. The same again writes nothing; raises
        NeedsAttention when something else is there."""


class Executions(Protocol):
    def start(self, request_type: str, request_id: str) -> None:
        """Starts the workflow; a workflow that already exists is success."""

    def sweep(self, name: str, mode: str, stores: Sequence[str]) -> None:
        """Starts a retention sweep (`preview` or `apply`) over these stores; one of this name that already exists is
        success."""

    def announce(self, name: str, version: str) -> bool:
        """Starts to tell everyone with an account of this version of the policy; an execution of this name that runs
        already is success. False when there is one that ended: the name is used up."""

    def running(self, execution: str) -> bool:
        """Whether the execution with this ARN still runs."""

    def answer(self, task_token: str, output: Mapping[str, Any]) -> bool:
        """Wakes the state that waits with this token; False when it no longer waits."""


class Events(Protocol):
    def publish(self, kind: str, detail: Mapping[str, Any]) -> None:
        """At least once; `detail` holds ids, statuses and counts only."""


class Limits(Protocol):
    def take(self, what: str, subject: str, most: int, seconds: int) -> int:
        """Counts one use by `subject` (a keyed hash). 0 when allowed, else seconds until the next is.
        A true sliding window, shared by all processes."""


class Table(Protocol):
    """The requests table as the use cases see it: conditional writes on small items."""

    def get(self, pk: str, sk: str) -> dict[str, Any] | None:
        """Strongly consistent; None when absent or past its `expires_at` (epoch seconds)."""

    def get_many(self, keys: Sequence[tuple[str, str]]) -> list[dict[str, Any] | None]:
        """What `get` would answer for each (pk, sk), in their order, in one call; not all read at one moment."""

    def query(self, pk: str, prefix: str = "") -> list[dict[str, Any]]:
        """All items of the partition whose sort key starts with `prefix`, in order; all pages."""

    def put_new(self, pk: str, sk: str, data: Mapping[str, Any]) -> bool:
        """False when an item is there already (and it is left as it was). True if this very write made it, even
        when the answer to it was lost and the SDK wrote again."""

    def update(
        self,
        pk: str,
        sk: str,
        set_: Mapping[str, Any],
        *,
        remove: Iterable[str] = (),
        add: Mapping[str, int] | None = None,
        expect: Mapping[str, Any] | None = None,
        below: Mapping[str, int] | None = None,
    ) -> dict[str, Any] | None:
        """The item after the change, or None when it is absent or a condition fails; without a condition an absent
        item is made. `expect`: attribute -> value, a tuple of allowed values, or None for *absent*. `below`: attribute
        (0 if absent) < value. A write that `expect`, `below` or `add` makes unrepeatable recognises itself when its
        answer was lost and the SDK wrote again: None means that somebody else came first."""

    def by_person(self, person: str) -> list[dict[str, Any]]:
        """Requests of a person (keyed hash), newest first."""

    def open_requests(self, kind: str = "open") -> Iterator[dict[str, Any]]:
        """Requests whose attribute `open` is `kind` (`open`: verified; `unverified`), the soonest due first."""

    def delete(self, pk: str, sk: str) -> None: ...
