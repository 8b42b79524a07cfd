"""A server on this machine that takes webhooks and shows pages: HTTPS on a free port, with a certificate of its own
authority."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "hooks.billing.example"


@dataclass
class Receiver:
    """What came, and what is answered to it."""

    port: int = 0
    trust: str = ""
    """PEM of the authority."""
    statuses: list[int] = field(default_factory=list)
    """Answered in turn; 200 when there are none."""
    headers: dict[str, str] = field(default_factory=dict)
    drip: bytes = b""
    """Sent again and again in place of an answer, a piece every few milliseconds, until nobody listens any more."""
    silent: bool = False
    pages: dict[str, bytes] = field(default_factory=dict)
    """Path -> what GET answers."""
    came: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    """(path, headers in lower case, body)."""
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}/erasures?team=1"


@contextmanager
def receiver(folder: Path, host: str = HOST) -> Iterator[Receiver]:
    """One that runs meanwhile, with a certificate for `host`."""
    told = Receiver(trust=_certificate(folder, host))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.answer(b"")

        def do_GET(self) -> None:
            page = told.pages.get(self.path)
            if page is None:
                told.statuses.insert(0, 404)
            self.answer(page or b"")

        def answer(self, page: bytes) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            told.came.append((self.path, {name.lower(): text for name, text in self.headers.items()}, body))
            if told.silent:
                told.closing.wait()
            try:
                while told.drip and not told.closing.wait(0.01):
                    self.wfile.write(told.drip)
            except OSError:
                return
            self.send_response(told.statuses.pop(0) if told.statuses else 200)
            for name, text in told.headers.items():
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    server = _Quiet(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    told.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield told
    finally:
        told.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(ThreadingHTTPServer):
    """A client that turns away is no error here."""

    daemon_threads = False

    def handle_error(self, *_: Any) -> None:
        """Says nothing."""


def _certificate(folder: Path, host: str) -> str:
    """Writes key and certificate to `server.pem`; the certificate as PEM, which is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    text = made.public_bytes(serialization.Encoding.PEM)
    encoded = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(encoded + text)
    return text.decode()
