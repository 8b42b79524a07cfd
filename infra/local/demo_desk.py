"""The demo's part at the DPO's desk: an approval after an extension, a refusal, a store that failed, a legal hold and
its release; receipts verified offline; and the report."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.panel import Panel

from infra.local import checks, mishaps
from infra.local.checks import Snapshot
from infra.local.dpo import Dpo
from infra.local.person import Person, Unexpected, call, until
from infra.local.stack import Stack
from infra.sample.digest import snapshot
from infra.sample.keys import table_name
from infra.sample.truth import Truth

TWICE, WRITER, STUCK, HELD = "Twice@example.net", "complains@example.net", "collector@example.net", "selfie@example.net"
"""Who has two accounts; who writes a letter; whose tickets cannot be erased at first; who is under a legal hold."""
ERASED = (TWICE, STUCK, HELD)
CLOSED = 5
"""Requests that these scenes close."""


class DeskPart:
    """Plays each scene, and collects what did not hold."""

    def __init__(self, console: Console, stack: Stack, truth: Truth, directory: Path) -> None:
        self.console, self.stack, self.truth, self.directory = console, stack, truth, directory
        self.dpo = Dpo.of(stack)
        self.problems: list[str] = []
        self.receipts: dict[str, Path] = {}
        shutil.rmtree(directory / "receipts", ignore_errors=True)  # of an earlier run, and signed by another key

    def play(self) -> None:
        """Facts for report.json."""
        for scene in (self.approval, self.refusal, self.failure, self.hold, self.report):
            scene()

    def approval(self) -> None:
        self.console.print(
            f"\n[bold]3. {TWICE} asks for a deletion[/] and has two accounts: are these two people? The DPO is asked."
        )
        person, before = self._person(TWICE), snapshot(self.stack.client)
        request_id = person.ask("erasure")
        self._wait(person, request_id, "awaiting_approval")
        letter = self._letter(request_id, "Approval needed")
        self._desk("extend", request_id=request_id, reason="Two accounts must be compared by hand.")
        approve = next(each for each in _pasted(letter) if each["action"] == "approve")
        self._desk(**approve)
        ended = person.wait(request_id)
        self._hold_erased(TWICE, before, ended)
        self._expect("the answer was extended", "extended_until" in ended)
        self._receipt(person, request_id)

    def refusal(self) -> None:
        self.console.print(
            f"\n[bold]4. A letter asks to delete the data of {WRITER}.[/] It proves nobody: a code does."
        )
        person, before = self._person(WRITER), snapshot(self.stack.client)
        received = self.truth.content["as_of"][:10]
        answer = self._desk("submit", type="erasure", email=WRITER, received_at=received, source="letter")
        person.ask("erasure")
        request_id = str(answer["request_id"])
        self._wait(person, request_id, "awaiting_approval")
        self._desk(
            "reject",
            request_id=request_id,
            ground="legal_claims",
            reason="A case in which we need these tickets is open.",
        )
        ended = person.wait(request_id)
        self.console.print(Panel(person.closing_letter().said, title="mail: the refusal", expand=False))
        self._expect("the refusal is told", ended["refusal"]["ground"] == "legal_claims")
        self._expect("a refused request erases nothing", snapshot(self.stack.client) == before)

    def failure(self) -> None:
        self.console.print(f"\n[bold]5. {STUCK} asks for a deletion,[/] and one store refuses us.")
        person, before = self._person(STUCK), snapshot(self.stack.client)
        table = f"arn:aws:dynamodb:*:*:table/{table_name('subscriptions')}"
        with mishaps.refusing(self.stack, "EraseFunction", table, "dynamodb:DeleteItem"):
            request_id = person.ask("erasure")
            self._wait(person, request_id, "needs_attention")
        letter = self._letter(request_id, "Attention needed")
        self.console.print(
            "   Everything else is done. The operator mends the permission; the DPO pastes the mail's JSON."
        )
        self._desk(**_pasted(letter)[0])
        self._hold_erased(STUCK, before, person.wait(request_id))

    def hold(self) -> None:
        self.console.print(
            f"\n[bold]6. A court wants the data of {HELD} kept.[/] A deletion leaves it, until the hold ends."
        )
        person, before = self._person(HELD), snapshot(self.stack.client)
        hold = self._desk("hold", email=HELD, ground="legal_process", reason="Order 12-345 of the court.")
        request_id = person.ask("erasure")
        held = person.wait(request_id)
        self._expect("under a hold nothing is erased", snapshot(self.stack.client) == before)
        self._expect("what is held is told", any(store.get("held") for store in held["result"]["stores"].values()))
        self._desk("release", hold_id=hold["hold_id"])
        followed = self._followed(person, request_id)
        self._hold_erased(HELD, before, _both(held, person.wait(followed)))
        self._receipt(person, followed)

    def report(self) -> dict[str, Any]:
        """The last scene; facts for report.json."""
        self.console.print("\n[bold]10. The DPO's report[/] of the last twelve months, with the records of processing.")
        answer = self._desk("report")
        bucket, _, key = answer["report"].removeprefix("s3://").partition("/")
        page = self.dpo.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        (self.directory / "report.html").write_bytes(page)
        self._expect("the report is a page", page.startswith(b"<!"))
        self._expect("the report counts every request", answer["numbers"]["closed"] >= CLOSED)
        for problem in self.problems:
            self.console.print(f"[red]{problem}")
        return {
            "ok": not self.problems,
            "problems": self.problems,
            "receipts": {request_id: path.name for request_id, path in self.receipts.items()},
        }

    def _person(self, email: str) -> Person:
        return Person(email, self.stack.api_url, self.stack.mailbox_url)

    def _desk(self, action: str, **order: Any) -> dict[str, Any]:
        answer = self.dpo.ask(action, **order)
        self.console.print(
            f"   [bold]DPO:[/] {json.dumps({'action': action, **order})}\n   [dim]desk:[/] {answer['message']}"
        )
        self._expect(f"the desk does as asked: {action}", answer["ok"])
        return answer

    def _wait(self, person: Person, request_id: str, status: str) -> None:
        for _ in until(120):
            if (found := person.status(request_id))["status"] == status:
                return
        raise Unexpected(f"the request is {found['status']}, not {status}")

    def _letter(self, request_id: str, subject: str) -> str:
        for _ in until(30):
            for letter in reversed(self.dpo.letters()):
                if request_id in letter.text and letter.subject.startswith(subject):
                    self.console.print(Panel(letter.said, title=f"mail: {letter.subject}", expand=False))
                    return letter.text
        raise Unexpected("no mail to the DPO came")

    def _followed(self, person: Person, request_id: str) -> str:
        """The request that erases, after the release, what this one had to leave."""
        for _ in until(120):
            newer = [each for each in person.requests() if each["request_id"] != request_id]
            if newer:
                return str(newer[0]["request_id"])
        raise Unexpected("the erasure that was withheld does not run")

    def _hold_erased(self, email: str, before: Snapshot, ended: Mapping[str, Any]) -> None:
        after = snapshot(self.stack.client)
        rows = checks.erasure(self.truth, email.lower(), before, after, ended["result"]["stores"])
        self.problems += [f"{email}: {row.store}: {problem}" for row in rows for problem in row.problems]
        self.problems += checks.bystanders(self.truth, before, after, [email.lower()])
        erased = sum(row.erased + row.anonymised for row in rows)
        self.console.print(f"   [green]{ended['status']}:[/] {erased} records erased, everyone else's as before.")

    def _receipt(self, person: Person, request_id: str) -> None:
        """Fetches it, and has it verified by the command, which calls nobody."""
        folder = self.directory / "receipts"
        folder.mkdir(parents=True, exist_ok=True)
        receipt = folder / f"{request_id}.jws"
        receipt.write_text(person.receipt(request_id), encoding="ascii")
        keys = call("GET", f"{person.api_url}/keys")
        (folder / "keys.json").write_text(json.dumps(keys, indent=2) + "\n", encoding="utf-8")
        verify = [sys.executable, "-m", "rightful", "receipt", "verify", str(receipt)]
        done = subprocess.run(verify, capture_output=True, text=True, check=False)
        self.console.print(Panel((done.stdout or done.stderr).strip(), title="rightful receipt verify", expand=False))
        self._expect("the receipt verifies", done.returncode == 0)
        self.receipts[request_id] = receipt

    def _expect(self, what: str, held: bool) -> None:
        if not held:
            self.problems.append(f"did not hold: {what}")


def _both(first: Mapping[str, Any], followed: Mapping[str, Any]) -> dict[str, Any]:
    """What the person was told of an erasure and of the one that followed it, together."""
    stores = {}
    for name, told in first["result"]["stores"].items():
        more = followed["result"]["stores"].get(name, {})
        counts = {key: told[key] + more.get(key, 0) for key in ("deleted", "anonymised") if key in told}
        stores[name] = {**told, **counts}
    return {"status": followed["status"], "result": {"stores": stores}}


def _pasted(text: str) -> list[dict[str, Any]]:
    """The JSON blocks of a mail."""
    found, decoder, at = [], json.JSONDecoder(), text.find("\n{")
    while at >= 0:
        block, length = decoder.raw_decode(text[at + 1 :])
        found.append(block)
        at = text.find("\n{", at + 1 + length)
    return found
