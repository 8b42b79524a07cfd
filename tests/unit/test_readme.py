"""What the README shows is true: its commands exist, its data map passes, its answers are understood."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from rightful.datamap import check
from rightful.service.asking import ANSWERS
from rightful.stores.registry import CONNECTORS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_every_make_target_that_is_named_exists() -> None:
    named = set(re.findall(r"make ([a-z]+)", README))
    targets = set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text("utf-8")))
    assert named
    assert named <= targets


def test_every_file_that_is_linked_exists() -> None:
    links = {link for link in re.findall(r"\]\(([^)#]+)\)", README) if not link.startswith("http")}
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("line", [line for text in blocks("sh") for line in text.splitlines() if line[:6] == "python"])
def test_every_python_command_runs(line: str) -> None:
    arguments = line.split("#")[0].split()[1:]
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_store_it_shows_fits_into_the_sample_map() -> None:
    (shown,) = blocks("yaml")
    text = (ROOT / "infra" / "datamap.yaml").read_text("utf-8")
    sample = yaml.safe_load(text)
    store = yaml.safe_load(shown)["subscriptions"]
    sample["stores"]["subscriptions"] |= store
    known = sample["stores"]["subscriptions"]["fields"]
    known["last_used_at"] = {"category": "user.behavior"}
    sample["stores"]["subscriptions"].pop("undeclared_fields", None)
    outcome = check.check(yaml.safe_dump(sample, allow_unicode=True), CONNECTORS)
    assert outcome.problems == []


def test_the_answer_of_the_dpo_it_shows_is_one_that_is_understood() -> None:
    (shown,) = blocks("json")
    answer = json.loads(shown)
    assert answer["action"] in {decision for decisions in ANSWERS.values() for decision in decisions}
    assert set(answer) == {"action", "request_id", "store"}


def test_the_form_it_shows_posts_to_routes_that_exist() -> None:
    (form,) = blocks("html")
    assert len(form.splitlines()) <= 40
    called = set(re.findall(r'send\(["`](/[a-z]+)', form))
    template = (ROOT / "template.yaml").read_text("utf-8")
    assert called == {"/requests", "/verifications"}
    assert all(re.search(rf"Path: \"?{path}[,\s\"]", template) for path in called)
