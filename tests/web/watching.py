"""What a browser does besides showing the page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, Request

EXPORTS: Final = "https://exports.example/"
"""Where links to downloads lead (tests.fakes.files)."""
SKELETON: Final = """() => [...document.querySelectorAll("*")]
    .filter((each) => each.relList?.contains("noreferrer") !== true)
    .map((each) => `${each.tagName}(${each.getAttributeNames().sort()})`)"""
"""The elements of the page and the names of their attributes, in order; but not the links that are made of addresses in
running text."""
STORED: Final = """async () => ({
    local: localStorage.length, session: sessionStorage.length, databases: (await indexedDB.databases()).length,
    cookies: document.cookie, workers: (await navigator.serviceWorker?.getRegistrations() ?? []).length,
    caches: globalThis.caches ? (await caches.keys()).length : 0})"""


REFUSED: Final = "Failed to load resource: the server responded with a status of 4"
"""What the browser notes of a form that was not in order: no fault of the page."""


@dataclass
class Watched:
    """`faults`: dialogs, popups, errors and refusals of the security policy that the browser wrote down, and calls of
    `canary()`. `requests`: all that it asked for."""

    page: Page
    faults: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.expose_function("canary", lambda *_: self.faults.append("canary() ran"))
        self.page.on("dialog", self._dialog)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("popup", lambda popup: self.faults.append(f"popup: {popup.url}"))
        self.page.on("request", lambda request: self.requests.append(request))

    def skeleton(self) -> list[str]:
        """What the page is made of."""
        made: list[str] = self.page.evaluate(SKELETON)
        return made

    def stored(self) -> dict[str, Any]:
        """What is kept in the browser, by kind, where it is anything."""
        kept: dict[str, Any] = self.page.evaluate(STORED)
        return {kind: value for kind, value in kept.items() if value}

    def elsewhere(self, url: str) -> list[str]:
        """Requests that went to another origin than that of `url`, but for the bucket that holds a download."""
        ours = {urlsplit(url)[:2], urlsplit(EXPORTS)[:2]}
        return [request.url for request in self.requests if urlsplit(request.url)[:2] not in ours]

    def _dialog(self, dialog: Any) -> None:
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(REFUSED):
            self.faults.append(f"{message.type}: {message.text}")
