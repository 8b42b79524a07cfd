"""Errors, named by what the caller does about them.

RightfulError
├── TryAgain            the same call may succeed later (throttle, time-out, 5xx): Step Functions retries it
├── NeedsAttention      no retry will help (access denied, table missing): the DPO decides
│   ├── Unreadable      ... to read this one file; the rest of its store can be read
│   └── Undeliverable   ... to send this one mail; others can be sent
└── Refused             the caller's own input; becomes an RFC 9457 problem with `status`
    ├── Invalid         422  a field is wrong; `errors` name the fields and the cure
    ├── Unauthorised    401  `max_age` when only the proof's age is wrong
    ├── NotFound        404
    ├── Conflict        409
    ├── Gone            410
    └── TooMany         429  `retry_after` in seconds

A Lambda failure reaches Step Functions under its class name, so `TryAgain` stands in the `ErrorEquals` of
infra/workflows (a test compares them). No message may hold personal data or a secret.
"""

from __future__ import annotations

from collections.abc import Sequence


class RightfulError(Exception):
    """Base of everything this package raises on purpose."""


class TryAgain(RightfulError):
    """A passing fault: the same call, made later, may succeed."""


class NeedsAttention(RightfulError):
    """A lasting fault: only a person can mend it."""


class Unreadable(NeedsAttention):
    """One original file cannot be read, and the cause lies in that file: it is archived, say, or under a key that is
    not ours to use."""


class Undeliverable(NeedsAttention):
    """The mail provider refuses this one mail, and will refuse it again: its address, say, is none."""


class Refused(RightfulError):
    """The caller's input cannot be accepted. `detail` is shown to the caller."""

    status = 400
    title = "The request was refused"

    def __init__(
        self,
        detail: str,
        *,
        errors: Sequence[tuple[str, str]] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        """(field, message) pairs."""
        self.retry_after = retry_after
        """Seconds until another try makes sense, or None."""


class Invalid(Refused):
    status = 422
    title = "A field is not valid"


class Unauthorised(Refused):
    status = 401
    title = "Proof of identity is missing or not valid"

    def __init__(self, detail: str, *, reason: str = "", max_age: int | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        """For the log: a word of a closed set, which says nothing of what was sent."""
        self.max_age = max_age
        """How old the proof may be at most for this, in seconds (RFC 9470), or None."""


class NotFound(Refused):
    status = 404
    title = "Not found"


class Conflict(Refused):
    status = 409
    title = "Not possible in the present state"


class Gone(Refused):
    status = 410
    title = "No longer valid"


class TooMany(Refused):
    status = 429
    title = "Too many tries"
