"""Signed webhooks, posted over HTTPS to hosts that the data map names; their secrets are in AWS Secrets Manager.

Signed as standardwebhooks.com says (specification 1.0, "Signature scheme"). Nobody can use us to reach into a network:
the host is looked up once, each address found must be one of the public internet, and the connection goes to one of
these, so that a second answer of the DNS does not count. There are no redirects and no proxies.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from rightful.aws.errors import translated
from rightful.errors import NeedsAttention, TryAgain
from rightful.ports import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_secretsmanager import SecretsManagerClient

CONNECT: Final = 3.0
"""Seconds in which a connection to one address, and then its TLS, has to come about."""
ANSWER: Final = 10.0
"""Seconds in all for sending, and for the answer's status and headers. The rest of it is not read; http.client takes at
most 100 headers, and 64 KiB a line."""
MOST_ADDRESSES: Final = 3
"""So many of a host's addresses are tried."""
REMEMBERED: Final = 300.0
"""Seconds for which a secret is used before it is fetched again."""
PREFIX: Final = "whsec_"
PASSING: Final = (408, 425, 429)
"""Statuses below 500 after which the same message may be taken."""

_TRANSLATED: Final = (ipaddress.ip_network("::ffff:0:0/96"), ipaddress.ip_network("64:ff9b::/96"))
"""IPv6 addresses that stand for the IPv4 address in their last 32 bits: mapped (RFC 4291), NAT64 (RFC 6052)."""
_GLOBAL: Final = ipaddress.ip_network("2000::/3")
_NEVER: Final = tuple(
    map(
        ipaddress.ip_network,
        ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16", "3fff::/20", "5f00::/16"),
    )
)
"""Tunnels (6to4, Teredo) and other ranges of IANA's special-purpose registries, not all of which every Python knows."""


def resolve(host: str, port: int) -> list[str]:
    """The host's addresses, best first. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def public(address: str) -> bool:
    """Whether it is an address of the public internet, and stands for none that is not."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if ip.version == 6:
        if any(ip in network for network in _TRANSLATED):
            return public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
        if ip not in _GLOBAL:
            return False
    special = ip.is_multicast or ip.is_private or ip.is_reserved or ip.is_loopback or ip.is_link_local
    return ip.is_global and not special and not any(ip.version == each.version and ip in each for each in _NEVER)


class HttpsWebhooks:
    """`client_of` gives the Secrets Manager client of a region. The rest is for tests."""

    def __init__(
        self,
        client_of: Callable[[str], SecretsManagerClient],
        clock: Clock,
        *,
        resolve: Callable[[str, int], Sequence[str]] = resolve,
        allowed: Callable[[str], bool] = public,
        tls: Callable[[], ssl.SSLContext] = ssl.create_default_context,
        connect: float = CONNECT,
        answer: float = ANSWER,
    ) -> None:
        self._client_of = client_of
        self._clock = clock
        self._resolve = resolve
        self._allowed = allowed
        self._tls = tls
        self._connect = connect
        self._answer = answer
        self._keys: dict[str, tuple[float, bytes]] = {}

    def post(self, url: str, secret_arn: str, body: bytes, message_id: str) -> None:
        key = self._key(secret_arn)
        timestamp = str(int(self._clock().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "rightful",
            "webhook-id": message_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": sign(key, message_id, timestamp, body),
        }
        status = self._post(url, headers, body)
        if status in PASSING or status >= 500:
            raise TryAgain(f"the webhook answered {status}")
        if not 200 <= status < 300:
            raise NeedsAttention(f"the webhook answered {status}")

    def _post(self, url: str, headers: dict[str, str], body: bytes) -> int:
        """The answer's status."""
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname:
            raise NeedsAttention("the webhook has no https address")
        host, port = parts.hostname, parts.port or 443
        context = self._tls()
        connection = http.client.HTTPSConnection(host, port, context=context)
        with _cut_off(self._open(host, port, context), self._answer) as connection.sock:
            connection.request("POST", f"{parts.path or '/'}{'?' * bool(parts.query)}{parts.query}", body, headers)
            with connection.getresponse() as response:
                return response.status

    def _open(self, host: str, port: int, context: ssl.SSLContext) -> ssl.SSLSocket:
        """A connection to one of the host's addresses, each of which was looked at. The certificate must be the
        host's."""
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError):
            raise TryAgain("the webhook's host was not found") from None
        if not addresses or not all(map(self._allowed, addresses)):
            raise NeedsAttention("the webhook's host has an address that is not public")
        for address in addresses[:MOST_ADDRESSES]:
            try:
                plain = socket.create_connection((address, port), self._connect)
            except OSError:
                continue
            try:
                return context.wrap_socket(plain, server_hostname=host)
            except ssl.SSLCertVerificationError:
                plain.close()
                raise NeedsAttention("the webhook's certificate is not valid for its host") from None
            except OSError:
                plain.close()
        raise TryAgain("the webhook cannot be reached")

    def _key(self, arn: str) -> bytes:
        until, key = self._keys.get(arn, (0.0, b""))
        if time.monotonic() < until:
            return key
        with translated():
            answer = self._client_of(arn.split(":")[3]).get_secret_value(SecretId=arn)
        key = key_of(answer.get("SecretString", ""))
        self._keys[arn] = (time.monotonic() + REMEMBERED, key)
        return key


def sign(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """The header `webhook-signature`. `timestamp`: seconds since 1970."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def key_of(secret: str) -> bytes:
    """The 24 to 64 bytes of a secret as the specification writes them. Raises NeedsAttention."""
    try:
        key = base64.b64decode(secret.strip().removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.strip().startswith(PREFIX) or not 24 <= len(key) <= 64:
        raise NeedsAttention(f"the webhook's secret is not {PREFIX} and the base64 of 24 to 64 bytes")
    return key


@contextmanager
def _cut_off(sock: ssl.SSLSocket, seconds: float) -> Iterator[ssl.SSLSocket]:
    """The socket, closed at the end, and dead after `seconds` at the latest: a time-out of its own would begin anew
    with each byte that comes. Raises TryAgain for whatever goes wrong on it."""
    cut = threading.Event()

    def kill() -> None:
        """Beneath TLS, which another thread may be reading at this moment."""
        cut.set()
        with suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)

    sock.settimeout(seconds)
    timer = threading.Timer(seconds, kill)
    timer.start()
    try:
        yield sock
    except (OSError, http.client.HTTPException):
        cut.set()
    finally:
        timer.cancel()
        sock.close()
    if cut.is_set():  # half an answer may look like one
        raise TryAgain("the webhook did not answer")
