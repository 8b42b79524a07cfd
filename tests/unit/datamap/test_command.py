"""The command line: exit codes, what is printed, and the shipped map."""

from __future__ import annotations

from pathlib import Path

import pytest

from rightful import compiled
from rightful.__main__ import main
from rightful.datamap.categories import CATEGORIES
from rightful.datamap.check import load_file
from rightful.stores.registry import CONNECTORS, SWEEPERS

SHIPPED = Path(__file__).parents[3] / "infra" / "datamap.yaml"


def test_check_shows_what_was_understood(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["datamap", "check", str(SHIPPED)]) == 0
    printed = capsys.readouterr().out
    assert "10 stores: 9 covered, 1 planned" in printed
    assert "invoices" in printed
    assert "P7Y (accounting)" in printed


def test_check_tells_file_line_what_and_cure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "map.yaml"
    text = SHIPPED.read_text("utf-8").replace("    retention:\n", "    retenton:\n", 1)
    file.write_text(text, "utf-8")
    assert main(["datamap", "check", str(file)]) == 1
    line = text[: text.index("retenton")].count("\n") + 1
    expected = f"{file}:{line}: unknown key `retenton` in stores.accounts. Did you mean `retention`?\n"
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["check", "access", "compile"])
def test_a_wrong_map_makes_nothing(verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = tmp_path / "map.yaml", tmp_path / "out"
    file.write_text("version: 1\n")
    assert main(["datamap", verb, str(file), *([] if verb == "check" else [str(out)])]) == 1
    assert not out.exists()
    assert f"{file}:1: " in capsys.readouterr().err


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"\x00"])
def test_what_cannot_be_read_is_told_without_a_traceback(
    content: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "map.yaml"
    if content is not None:
        file.write_bytes(content)
    assert main(["datamap", "check", str(file)]) == 1
    assert capsys.readouterr().err.startswith(f"{file}:1: ")


def test_access_prints_or_writes_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "made" / "access.yaml"
    assert main(["datamap", "access", str(SHIPPED)]) == 0
    assert main(["datamap", "access", str(SHIPPED), str(out)]) == 0
    assert capsys.readouterr().out == out.read_text("utf-8")


def test_compile_writes_what_a_function_loads(tmp_path: Path) -> None:
    out = tmp_path / "datamap.json"
    assert main(["datamap", "compile", str(SHIPPED), str(out)]) == 0
    assert compiled.load_compiled(out.read_text("utf-8")) == load_file(SHIPPED, CONNECTORS, SWEEPERS)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["datamap", "compile", str(SHIPPED), str(tmp_path)]) == 1
    assert "Name a file that can be written." in capsys.readouterr().err


def test_an_unknown_command_is_a_usage_error() -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["datamap", "guess", "x"])
    assert stopped.value.code == 2


def test_the_shipped_map_walks_three_hops_and_uses_every_strategy_of_anonymising() -> None:
    datamap = load_file(SHIPPED, CONNECTORS, SWEEPERS)
    assert "account_id" in {name for at in datamap.stores["accounts"].locate for name in at.gives}
    assert "customer_id" in {name for at in datamap.stores["subscriptions"].locate for name in at.gives}
    assert {at.by for at in datamap.stores["invoices"].locate} == {"customer_id", "email"}
    used = {strategy.strategy for strategy in datamap.stores["survey_responses"].erasure.fields.values()}
    assert used == {"null", "redact", "hmac", "truncate", "fake"}
    assert all(not at.gives for at in datamap.stores["shared_contacts"].locate)


def test_the_list_of_categories_is_whole() -> None:
    assert len(CATEGORIES) == 85
    assert {"user.contact.email", "user.unique_id", "system.operations"} <= CATEGORIES
