"""Plays a person at the privacy API: asks over HTTP, reads the code in the mailbox, waits, downloads."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import urllib3

CODE = re.compile(r"(?m)^\s*(\d{8})\s*$")
"""A code stands on a line of its own."""
ENDED = ("completed", "rejected", "withdrawn", "expired")
_http = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=5, read=60))


class Unexpected(Exception):
    """The API answered with something that a person could not go on with."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One e-mail, as the mailbox shows it."""

    to: str
    subject: str
    text: str
    html: str

    @property
    def said(self) -> str:
        """The text without what stands under every mail."""
        return re.split(r"(?m)^--\s*$", self.text, maxsplit=1)[0].strip()


def call(method: str, url: str, body: Any = None, token: str = "", expect: tuple[int, ...] = (200, 201, 202)) -> Any:
    """One JSON call. Raises Unexpected for an answer whose status is not expected."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    content = json.dumps(body).encode() if body is not None else None
    answer = _http.request(method, url, body=content, headers=headers)
    if answer.status not in expect:
        raise Unexpected(f"{method} {url.partition('?')[0]} answered {answer.status}: {answer.data[:500]!r}")
    return json.loads(answer.data) if answer.data else None


@dataclass(slots=True)
class Person:
    email: str
    api_url: str
    mailbox_url: str
    token: str = ""

    def ask(self, kind: str, **more: str) -> str:
        """Posts the privacy form (`more` are other fields of it), proves the address by the mailed code; the id."""
        begun = call("POST", self._at("requests"), {"type": kind, "email": self.email, **more})
        self._prove(begun["verification_id"])
        return str(begun["request_id"])

    def sign_in(self) -> None:
        """Proves the address anew, as one does to fetch a download."""
        self._prove(call("POST", self._at("verifications"), {"email": self.email})["verification_id"])

    def status(self, request_id: str) -> dict[str, Any]:
        found: dict[str, Any] = call("GET", self._at(f"requests/{request_id}"), token=self.token)
        return found

    def requests(self) -> list[dict[str, Any]]:
        """All of this person's, newest first."""
        listed: dict[str, list[dict[str, Any]]] = call("GET", self._at("requests"), token=self.token)
        return listed["requests"]

    def wait(self, request_id: str, seconds: float = 120, each: Callable[[], None] = lambda: None) -> dict[str, Any]:
        """Looks every half second until the request ended. Raises Unexpected after `seconds`."""
        for _ in until(seconds):
            each()
            found = self.status(request_id)
            if found["status"] in ENDED:
                return found
        raise Unexpected(f"the request is still {found['status']} after {seconds:.0f} s")

    def download(self, request_id: str) -> bytes:
        """The ZIP, through a link that a fresh proof of identity gives."""
        self.sign_in()
        link = call("POST", self._at(f"requests/{request_id}/download"), {}, self.token)
        answer = _http.request("GET", link["url"])
        if answer.status != 200:
            raise Unexpected(f"the download answered {answer.status}")
        return bytes(answer.data)

    def receipt(self, request_id: str) -> str:
        """The signed receipt. It is made right after the status says that the request ended."""
        for _ in until(30):
            answer = _http.request(
                "GET", self._at(f"requests/{request_id}/receipt"), headers={"Authorization": f"Bearer {self.token}"}
            )
            if answer.status != 409:
                break
        if answer.status != 200:
            raise Unexpected(f"the receipt answered {answer.status}")
        return str(answer.data.decode())

    def letters(self) -> list[Letter]:
        """What the mailbox holds for this person, oldest first."""
        return [letter for letter in mailbox(self.mailbox_url) if letter.to.lower() == self.email.strip().lower()]

    def closing_letter(self) -> Letter:
        """The newest mail that is not a code. It is sent right after the status says so."""
        for _ in until(30):
            letters = [letter for letter in self.letters() if not CODE.search(letter.text)]
            if letters:
                return letters[-1]
        raise Unexpected("no closing mail came")

    def _prove(self, verification_id: str) -> None:
        url = self._at(f"verifications/{verification_id}")
        for _ in until(20):
            for letter in reversed(self.letters()):
                found = CODE.search(letter.text)
                if found:
                    answer = call("POST", url, {"code": found[1]}, expect=(200, 401))
                    if "token" in answer:
                        self.token = answer["token"]
                        return
        raise Unexpected("no code came by mail")

    def _at(self, path: str) -> str:
        return f"{self.api_url.rstrip('/')}/{path}"


def mailbox(url: str) -> Iterator[Letter]:
    """Every mail the emulator took, oldest first."""
    for account in call("GET", url)["messages"].values():
        for mail in account:
            yield Letter((mail["To"] or [""])[0], mail["Subject"], mail["BodyText"] or "", mail["BodyHtml"] or "")


def until(seconds: float, every: float = 0.5) -> Iterator[None]:
    """Turns of a polling loop: the stack is other processes, so there is nothing to wait on but time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(every)  # between two looks at another process
