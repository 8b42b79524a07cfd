"""DynamoDB's answers from a process of its own, always the same: `python -m tests.bench.canned` prints its port.

So a benchmark pays for what a client does with an answer and for nothing that a database does. Tables `full` and
`projected` answer a Scan with a page of 1,000 items; deletes go through.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

ITEMS: Final = 1000
KEY: Final = ("pk", "sk")
SHOWN: Final = ("pk", "sk", "last_used_at")
NOW: Final = "2027-01-31T12:00:00Z"
DUE_IN: Final = 100
"""Every so many items one is due."""


def item(number: int) -> dict[str, Any]:
    """About 1 KB, as an application writes it."""
    chance = random.Random(number)
    year = 2025 if number % DUE_IN == 0 else 2026
    at = f"{year}-{chance.randint(3, 12):02}-{chance.randint(1, 28):02}T10:{chance.randint(10, 59)}:00Z"
    attributes: dict[str, Any] = {
        "pk": {"S": f"ACCOUNT#{number:010}"},
        "sk": {"S": f"EVENT#{chance.randrange(10**9):09}"},
        "last_used_at": {"S": at},
        "status": {"S": "closed"},
        "address": {"M": {"street": {"S": "12 Long Street"}, "city": {"S": "Zürich"}, "floor": {"N": "3"}}},
        "tags": {"SS": ["beta", "newsletter", "trial"]},
        "flags": {"L": [{"BOOL": True}, {"NULL": True}, {"N": "1.5"}]},
    }
    for n in range(24):
        attributes[f"attribute_{n}"] = {"N": str(chance.randrange(10**6))} if n % 3 == 0 else {"S": "a few words"}
    return attributes


def page(projected: bool) -> bytes:
    items = [item(number) for number in range(ITEMS)]
    if projected:
        items = [{name: each[name] for name in SHOWN} for each in items]
    last = {name: items[-1][name] for name in KEY}
    answer = {"Items": items, "Count": ITEMS, "ScannedCount": ITEMS, "LastEvaluatedKey": last}
    return _body({**answer, "ConsumedCapacity": {"TableName": "t", "CapacityUnits": 256.0}})


def _body(answer: Any) -> bytes:
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    pages: Final = {"full": page(projected=False), "projected": page(projected=True)}
    deleted: Final = {"TableName": "t", "Item": item(1)}

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        match self.headers["X-Amz-Target"].partition(".")[2]:
            case "Scan":
                body = self.pages[asked["TableName"]]
            case "BatchExecuteStatement":
                body = _body({"Responses": [self.deleted] * len(asked["Statements"])})
            case _:
                body = b"{}"
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-amz-crc32", str(zlib.crc32(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named by http.server
        """Says nothing."""


@contextmanager
def serving() -> Iterator[str]:
    """The endpoint of a server that lives as long as the block."""
    command = [sys.executable, "-m", "tests.bench.canned"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.kill()


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as here:
        print(here.server_port, flush=True)
        here.serve_forever()
