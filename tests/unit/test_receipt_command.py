"""`python -m rightful receipt verify`: exit codes, and what is said."""

from __future__ import annotations

import io
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rightful import jws, ledger, receipts
from rightful.__main__ import main
from tests.fakes.signer import MemorySigner

SIGNER = MemorySigner()
ENTRIES = [ledger.entry("r1", 1, "", at="2027-01-31T09:30:00Z", what="We received it", status="in_progress")]
REQUEST = {
    "request_id": "r1",
    "type": "erasure",
    "regime": "gdpr",
    "status": "completed",
    "received_at": "2027-01-31T09:30:00Z",
    "verified_at": "2027-01-31T09:31:00Z",
    "due_at": "2027-03-01T23:59:59Z",
    "changed_at": "2027-02-01T10:00:00Z",
    "map_version": "7",
    "plan_hash": "ab12",
}
OUTCOMES: dict[str, dict[str, Any]] = {
    "accounts": {"title": "Accounts", "covered": True, "done": True, "at": "2027-02-01T09:59:00Z", "deleted": 2}
    | {"left": 0, "blocked": 1, "blocked_until": "2028-01-01T00:00:00Z", "held": 3},
    "invoices": {"title": "Invoices", "covered": True, "done": True, "at": "2027-02-01T09:59:00Z", "left": 0, "kept": 4}
    | {"kept_by": {"accounting": "2034-01-01T00:00:00Z"}, "ground": "accounting", "law": "Article 10"},
    "crm": {"title": "CRM", "covered": True, "pending_at_vendor": True},
    "usage": {"title": "Usage", "covered": False},
}
TOLD = {"name": "mailer", "title": "Mailer, Inc.", "how": "mail", "status": "told", "at": "2027-02-01", "why": "secret"}


def signed(**changed: Any) -> str:
    claims = receipts.payload(
        REQUEST | changed,
        OUTCOMES,
        ENTRIES,
        issuer="Example\x1b[2J GmbH",
        at=datetime(2027, 2, 1, 10, 0, 1, tzinfo=UTC),
        recipients=[TOLD],
    )
    made = jws.signing_input(claims, SIGNER.key()["kid"], receipts.TYP)
    return jws.compact(made, SIGNER.sign(made))


@pytest.fixture
def receipt(tmp_path: Path) -> Path:
    """A receipt, with its ledger and the keys beside it."""
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [dict(SIGNER.key())]}))
    (tmp_path / "ledger.json").write_bytes(receipts.ledger_file(ENTRIES))
    (tmp_path / "receipt.jws").write_text(signed() + "\n")
    return tmp_path / "receipt.jws"


def test_a_good_receipt_is_shown(receipt: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["receipt", "verify", str(receipt)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Signed by Example\N{REPLACEMENT CHARACTER}[2J GmbH, 2027-02-01 10:00:01 UTC",
        "erasure request r1 (gdpr): completed",
        "received 2027-01-31T09:30:00Z, due 2027-03-01T23:59:59Z, closed 2027-02-01T10:00:00Z",
        "data map 7, plan ab12",
        f"ledger of 1 entries, head {ENTRIES[0]['hash']}",
        "accounts: erased 2, blocked 1 until 2028-01-01T00:00:00Z, held 3, read back 2027-02-01T09:59:00Z: 1 found",
        "crm: pending at vendor",
        "invoices: kept 4, accounting (Article 10) until 2034-01-01T00:00:00Z, read back 2027-02-01T09:59:00Z: 0 found",
        "usage: not covered",
        "recipient Mailer, Inc.: told",
        receipts.BACKUPS,
        receipts.NOT_COVERED,
    ]


def test_a_refusal_is_shown_with_its_law(receipt: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refusal = {"ground": "excessive", "law": "Article 12(5) GDPR", "reason": "Eve asks daily"}
    receipt.write_text(signed(status="rejected", refusal=refusal))
    assert main(["receipt", "verify", str(receipt)]) == 0
    shown = capsys.readouterr().out
    assert "refused: excessive, Article 12(5) GDPR\n" in shown
    assert "accounts: not done\n" in shown
    assert "Eve" not in shown


def test_the_keys_lie_beside_it_or_are_named(receipt: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys = receipt.with_name("keys.json")
    moved = keys.rename(receipt.with_name("jwks.json"))
    assert main(["receipt", "verify", str(receipt)]) == 0
    elsewhere = moved.rename(tmp_path / "of-example.json")
    assert main(["receipt", "verify", str(receipt), "--jwks", str(elsewhere)]) == 0
    assert capsys.readouterr().err == ""
    assert main(["receipt", "verify", str(receipt)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert f"/keys > {keys}" in said.err
    assert "--jwks" in said.err


def test_a_receipt_comes_through_standard_input(receipt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = str(receipt.with_name("keys.json"))
    for text, code in ((receipt.read_bytes(), 0), (receipt.read_bytes()[1:], 1)):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text)))
        assert main(["receipt", "verify", "-", "--jwks", keys]) == code


def test_a_changed_receipt_is_not_verified(receipt: Path, capsys: pytest.CaptureFixture[str]) -> None:
    receipt.write_text(receipt.read_text().replace(".", ".e", 1))
    assert main(["receipt", "verify", str(receipt)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"{receipt}: NOT VERIFIED: ")


def test_anything_else_that_the_key_signed_is_no_receipt(receipt: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = jws.signing_input({"request_id": "r1"}, SIGNER.key()["kid"], receipts.TYP)
    receipt.write_text(jws.compact(made, SIGNER.sign(made)))
    assert main(["receipt", "verify", str(receipt)]) == 1
    assert "not that of a receipt" in capsys.readouterr().err


def test_a_ledger_is_held_against_it(receipt: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = receipt.with_name("ledger.json")
    assert main(["receipt", "verify", str(receipt), "--ledger", str(file)]) == 0
    assert capsys.readouterr().out.endswith("is the one that this receipt names.\n")
    file.write_text(file.read_text().replace("We received it", "We lost it"))
    assert main(["receipt", "verify", str(receipt), "--ledger", str(file)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"{file}: NOT VERIFIED: entry 1 of the ledger was changed.\n"


@pytest.mark.parametrize("name", ["receipt.jws", "keys.json", "ledger.json"])
@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"{", b'{"keys": [], "keys": []}'])
def test_what_cannot_be_read_is_told_without_a_traceback(
    receipt: Path, name: str, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    file = receipt.with_name(name)
    file.unlink() if content is None else file.write_bytes(content)
    arguments = ["--jwks", str(receipt.with_name("keys.json")), "--ledger", str(receipt.with_name("ledger.json"))]
    assert main(["receipt", "verify", str(receipt), *arguments]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert str(file) in said.err


@pytest.mark.parametrize("arguments", [["receipt"], ["receipt", "verify"], ["receipt", "sign", "x"]])
def test_a_wrong_command_line_is_a_usage_error(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
