"""The OpenID provider of the company's own accounts: which keys sign its tokens (OpenID Connect Discovery 1.0,
section 4).

Keys stay with the container. A stranger can send as many tokens as they like that name keys which do not exist: the
provider is asked again once in a while and no oftener. While it is down, the keys it showed last go on for some time,
since its signature is no less its own; then nobody is let in, and nobody is told that their token is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from rightful.aws.outbound import Https
from rightful.errors import Invalid, NeedsAttention, TryAgain
from rightful.jws import parse
from rightful.ports import Clock

LIFE: Final = timedelta(minutes=10)
"""How long keys are used before they are fetched again, when the provider does not say (`max-age`) ..."""
SHORTEST: Final = timedelta(minutes=1)
LONGEST: Final = timedelta(hours=1)
"""... and the bounds of what it may say."""
OUTAGE: Final = timedelta(hours=1)
"""How long they go on beyond that while they cannot be fetched. A key that leaked and was withdrawn lives as long."""
PAUSE: Final = timedelta(seconds=30)
"""Between two tries to fetch, whatever tokens come."""
MOST_BYTES: Final = 128 * 1024
MOST_KEYS: Final = 50
WAY: Final = Https("the sign-in provider", connect=1.0, answer=2.0, most_addresses=2)
"""Twice this must fit into the time of a call to the API."""
_MAX_AGE: Final = re.compile(r"(?:^|[,\s])max-age=\"?(\d{1,9})\"?(?:$|[,\s])", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Held:
    keys: tuple[Mapping[str, Any], ...]
    until: datetime
    """When they should be fetched again."""


class HttpsProvider:
    """`issuer`: as its tokens name it (https)."""

    def __init__(self, issuer: str, clock: Clock, https: Https = WAY) -> None:
        self._issuer = issuer
        self._clock = clock
        self._https = https
        self._held: _Held | None = None
        self._tried: datetime | None = None
        self._failed: TryAgain | NeedsAttention | None = None
        """What the last try came to, if it failed."""

    def keys(self, kid: str) -> Sequence[Mapping[str, Any]]:
        now = self._clock()
        held = self._held
        if held and now < held.until and _has(held, kid):
            return held.keys
        if self._tried is None or not timedelta(0) <= now - self._tried < PAUSE:
            self._try(now)
            held = self._held
        if self._failed and not (held and now < held.until + OUTAGE and _has(held, kid)):
            raise type(self._failed)(str(self._failed))
        return held.keys if held else ()

    def _try(self, now: datetime) -> None:
        self._tried, self._failed = now, None
        try:
            self._held = self._fetched(now)
        except (TryAgain, NeedsAttention) as failure:
            self._failed = failure

    def _fetched(self, now: datetime) -> _Held:
        described, _ = self._get(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if described.get("issuer") != self._issuer:
            raise NeedsAttention("the sign-in provider calls itself by another name than the parameter OidcIssuer")
        place = described.get("jwks_uri")
        if not isinstance(place, str):
            raise NeedsAttention("the sign-in provider does not say where its keys are")
        keys, life = self._get(place)
        listed = keys.get("keys")
        if not isinstance(listed, list):
            raise TryAgain("the sign-in provider shows no keys")
        usable = tuple(key for key in listed[:MOST_KEYS] if isinstance(key, dict))
        return _Held(usable, now + life)

    def _get(self, url: str) -> tuple[dict[str, Any], timedelta]:
        """A JSON object, and how long it is good for."""
        answer = self._https.get(url, {"Accept": "application/json", "User-Agent": "rightful"}, MOST_BYTES)
        if answer.status != 200:
            raise TryAgain(f"the sign-in provider answered {answer.status}")
        try:
            found = parse(answer.body, "answer")
        except Invalid:
            raise TryAgain("the sign-in provider answered something else than JSON") from None
        return found, _life(answer.headers.get("cache-control", ""))


def _has(held: _Held, kid: str) -> bool:
    return not kid or any(key.get("kid") == kid for key in held.keys)


def _life(cache_control: str) -> timedelta:
    """RFC 9111, section 5.2.2."""
    if re.search(r"\bno-(store|cache)\b", cache_control, re.IGNORECASE):
        return SHORTEST
    said = _MAX_AGE.search(cache_control)
    return max(SHORTEST, min(LONGEST, timedelta(seconds=int(said[1])))) if said else LIFE
