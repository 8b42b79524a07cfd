"""docs/guarantees.md names a test for each promise, and each exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROMISES = [line for line in (ROOT / "docs/guarantees.md").read_text("utf-8").splitlines() if line.startswith("- ")]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_every_promise_names_a_test() -> None:
    assert len(PROMISES) > 40
    assert [promise for promise in PROMISES if not NAMED.search(promise)] == []


@pytest.mark.parametrize(("path", "name"), sorted({named for line in PROMISES for named in NAMED.findall(line)}))
def test_every_named_test_exists(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text("utf-8"))

    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_everything_in_code_type_is_a_test() -> None:
    """A misspelt name would not be looked for."""
    quoted = [text for line in PROMISES for text in re.findall(r"`[^`]*`", line)]

    assert [text for text in quoted if not NAMED.fullmatch(text)] == []
