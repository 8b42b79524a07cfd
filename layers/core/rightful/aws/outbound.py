"""HTTPS to hosts outside, by GET and POST. Nobody can use us to reach into a network: only https, the host is looked up
once, each address found must be one of the public internet, and the connection goes to one of these, so that a second
answer of the DNS does not count. There are no redirects and no proxies; an answer is cut off in size and in time.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from rightful.errors import NeedsAttention, TryAgain

CONNECT: Final = 3.0
"""Seconds in which a connection to one address, and then its TLS, has to come about."""
ANSWER: Final = 10.0
"""Seconds in all for sending and for the answer, its body too where that is read. http.client takes at most 100
headers, and 64 KiB a line."""
MOST_ADDRESSES: Final = 3
"""So many of a host's addresses are tried."""

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


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """Names in small letters."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Https:
    """The way to one kind of receiver. All but `what` is for tests and for who has less time."""

    what: str
    """The other side, in messages of errors: `the webhook`."""
    resolve: Callable[[str, int], Sequence[str]] = resolve
    allowed: Callable[[str], bool] = public
    tls: Callable[[], ssl.SSLContext] = ssl.create_default_context
    connect: float = CONNECT
    answer: float = ANSWER
    most_addresses: int = MOST_ADDRESSES

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """The answer's status; its body is not waited for. Raises TryAgain, NeedsAttention."""
        return self._call("POST", url, headers, body, None).status

    def get(self, url: str, headers: Mapping[str, str], most: int) -> Answer:
        """The answer, whatever its status. Raises TryAgain, and NeedsAttention also where its body has more than `most`
        bytes."""
        answer = self._call("GET", url, headers, None, most + 1)
        if len(answer.body) > most:
            raise NeedsAttention(f"{self.what} answered more than {most} bytes")
        return answer

    def _call(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, read: int | None) -> Answer:
        try:
            parts = urlsplit(url)
            scheme, host, port = parts.scheme, parts.hostname, parts.port or 443
        except ValueError:
            scheme, host = "", None
        if scheme != "https" or not host or not url.isascii() or not url.isprintable() or " " in url:
            raise NeedsAttention(f"{self.what} has no https address")
        context = self.tls()
        connection = http.client.HTTPSConnection(host, port, context=context)
        with self._cut_off(self._open(host, port, context)) as connection.sock:
            path = f"{parts.path or '/'}{'?' * bool(parts.query)}{parts.query}"
            connection.request(method, path, body, dict(headers))
            with connection.getresponse() as response:
                told = {name.lower(): text for name, text in response.headers.items()}
                return Answer(response.status, told, response.read(read) if read else b"")

    def _open(self, host: str, port: int, context: ssl.SSLContext) -> ssl.SSLSocket:
        """A connection to one of the host's addresses, each of which was looked at. The certificate must be the
        host's."""
        try:
            addresses = self.resolve(host, port)
        except (OSError, UnicodeError):
            raise TryAgain(f"{self.what}'s host was not found") from None
        if not addresses or not all(map(self.allowed, addresses)):
            raise NeedsAttention(f"{self.what}'s host has an address that is not public")
        for address in addresses[: self.most_addresses]:
            try:
                plain = socket.create_connection((address, port), self.connect)
            except OSError:
                continue
            try:
                return context.wrap_socket(plain, server_hostname=host)
            except ssl.SSLCertVerificationError:
                plain.close()
                raise NeedsAttention(f"{self.what}'s certificate is not valid for its host") from None
            except OSError:
                plain.close()
        raise TryAgain(f"{self.what} cannot be reached")

    @contextmanager
    def _cut_off(self, sock: ssl.SSLSocket) -> Iterator[ssl.SSLSocket]:
        """The socket, closed at the end, and dead after `answer` seconds at the latest: a time-out of its own would
        begin anew with each byte that comes. Raises TryAgain for whatever goes wrong on it."""
        cut = threading.Event()

        def kill() -> None:
            """Beneath TLS, which another thread may be reading at this moment."""
            cut.set()
            with suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

        sock.settimeout(self.answer)
        timer = threading.Timer(self.answer, kill)
        timer.start()
        try:
            yield sock
        except (OSError, http.client.HTTPException):
            cut.set()
        finally:
            timer.cancel()
            sock.close()
        if cut.is_set():  # half an answer may look like one
            raise TryAgain(f"{self.what} did not answer")
