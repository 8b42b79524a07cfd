"""What the README shows is true: its commands exist, its data map passes, its answers are understood."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

from rightful.datamap import check
from rightful.service.desk.actions import ACTIONS, mistakes
from rightful.stores.registry import CONNECTORS, SWEEPERS
from tests.functional.sweep.company import company

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


def test_the_store_it_shows_fits_into_the_sample_map() -> None:
    (shown,) = blocks("yaml")
    text = (ROOT / "infra" / "datamap.yaml").read_text("utf-8")
    sample = yaml.safe_load(text)
    store = yaml.safe_load(shown)["subscriptions"]
    sample["stores"]["subscriptions"] |= store
    sample["stores"]["subscriptions"].pop("undeclared_fields", None)
    outcome = check.check(yaml.safe_dump(sample, allow_unicode=True), CONNECTORS, SWEEPERS)
    assert outcome.problems == []


def test_each_thing_the_dpo_may_want_to_do_is_shown_and_understood() -> None:
    section = README[README.index("## For the DPO") : README.index("## Retention")]
    shown = [json.loads(text) for text in re.findall(r"(?m)`({\"action\": .*?})`", section)]
    assert {each["action"] for each in shown} == set(ACTIONS) - {"cancel_sweep"}
    assert "`cancel_sweep`" in section
    for each in [*shown, json.loads(blocks("json")[0])]:
        assert mistakes(each) == {}, each


def test_the_sweep_it_starts_is_one_that_is_understood() -> None:
    world = company()
    _, shown = blocks("json")
    output = world.sweep(**json.loads(shown)).run().value
    assert list(output["stores"]) == ["accounts"]


def test_the_form_it_shows_posts_to_routes_that_exist() -> None:
    (form,) = blocks("html")
    called = set(re.findall(r'["`](/[a-z]+)', form))
    template = (ROOT / "template.yaml").read_text("utf-8")
    assert called == {"/requests", "/verifications"}
    assert all(re.search(rf"Path: \"?{path}[,\s\"]", template) for path in called)
