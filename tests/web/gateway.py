"""The API on a real port, over the in-memory world, as API Gateway would serve it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.functional.api import bridge


@dataclass
class Gateway:
    """Where it is reached, and the method and path of each call it took."""

    url: str
    calls: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def gateway(under: str = "") -> Iterator[Gateway]:
    """Answers with whatever `functions.api.app` is wired to, for as long as the block lasts. `under`: the path before
    every route, as `/prod`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length).decode() if length else None
            here.calls.append((self.command, self.path))
            try:
                event = bridge.event_of(
                    self.command, parts.path.removeprefix(under), body, dict(self.headers.items()), query=parts.query
                )
                event["requestContext"]["domainName"] = "127.0.0.1"
                reply = bridge.send(event)
                status, headers, content = reply.status, reply.headers, reply.text.encode()
            except KeyError:
                status, headers, content = 404, {}, b""
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Says nothing of the calls that it answers."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here = Gateway(f"http://127.0.0.1:{server.server_address[1]}{under}")
    thread = threading.Thread(target=server.serve_forever, args=[0.02])
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
