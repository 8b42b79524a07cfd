"""Texts that would run where they are not treated as texts, in every place where a person, the DPO or an operator can
put one. None of them runs, and none leaves a mark on what the page is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rightful.model import Controller, DataMap, Erasure, Recipient, Topic
from tests.fakes.company import ADA, by, store
from tests.fakes.memory_store import MemoryStore
from tests.fakes.world import World
from tests.web.states import opened, seeded
from tests.web.visiting import Visitor
from tests.web.watching import Watched

PAYLOADS = [
    line
    for line in Path(__file__).with_name("payloads.txt").read_text("utf-8").split("\n")
    if line and not line.startswith("# ")
]
PLAIN = "harmless"
STORES = 48
STEPS = ("ask", "enter", "code", "code_page", "sign_in", "delete", "download", "issue", "requests", "request", "fetch")
FIELDS = (
    *("email", "code", "verification_id", "request_id", "kind", "key", "who", "message", "website", "confirm"),
    *("then.request_id", "then.x", "then.email", "again.step", "again.email", "again.kind"),
)
"""What a form of the page, or one that a stranger made, may send."""
POST = """([url, fields, inPlace]) => {
    const form = document.createElement("form");
    form.method = "post";
    form.action = url;
    form.id = "sent";
    for (const [name, value] of Object.entries(fields)) {
        const input = document.createElement("input");
        input.type = "hidden";
        input.name = name;
        input.value = value;
        form.append(input);
    }
    document.querySelector("main").append(form);
    if (inPlace) form.requestSubmit(); else form.submit();
}"""


def test_there_are_two_hundred() -> None:
    assert len(set(PAYLOADS)) == len(PAYLOADS) >= 200


def hostile_map(world: World) -> DataMap:
    """The sample map with one more store kept, one deleted, one recipient and one topic for each payload."""
    datamap = world.deps.datamap
    stores, recipients, topics = dict(datamap.stores), dict(datamap.recipients), dict(datamap.topics)
    for n, text in enumerate(PAYLOADS):
        stores[f"gone{n}"] = store(text, Erasure(action="delete"), by("email"), recipients=[f"told{n}"])
        kept = Erasure(action="keep", ground="accounting", law=text, period="P7Y", since="issued_at")
        stores[f"kept{n}"] = store(text, kept, by("email"))
        recipients[f"told{n}"] = Recipient(title=text, mail="privacy@example.org", knows=["email"])
        topics[f"topic{n}"] = Topic(title=text, text=text, kind="mandatory" if n % 2 else "optional")
    return replace(datamap, stores=stores, recipients=recipients, topics=topics)


def plain(datamap: DataMap) -> DataMap:
    """The same map with harmless texts in the place of the payloads."""

    def told(text: str) -> str:
        return PLAIN if text in PAYLOADS else text

    return replace(
        datamap,
        stores={
            name: replace(each, title=told(each.title), erasure=replace(each.erasure, law=told(each.erasure.law)))
            for name, each in datamap.stores.items()
        },
        recipients={name: replace(each, title=told(each.title)) for name, each in datamap.recipients.items()},
        topics={
            name: replace(each, title=told(each.title), text=told(each.text)) for name, each in datamap.topics.items()
        },
    )


def post(visitor: Visitor, fields: dict[str, str], *, in_place: bool) -> None:
    """Sends a form; returns when its answer is shown, in the place of the page or as a page of its own."""
    if in_place:
        with visitor.page.expect_response(visitor.url):
            visitor.page.evaluate(POST, [visitor.url, fields, True])
        visitor.page.locator("form#sent").wait_for(state="detached")
    else:
        with visitor.page.expect_navigation():
            visitor.page.evaluate(POST, [visitor.url, fields, False])


@pytest.fixture
def watched(visitor: Visitor) -> Watched:
    return Watched(visitor.page)


@pytest.mark.parametrize("card", ["delete", "preferences"])
def test_what_an_operator_writes_into_the_data_map(card: str, visitor: Visitor, watched: Watched) -> None:
    hostile = hostile_map(visitor.world)
    made = {}
    for kind, datamap in (("plain", plain(hostile)), ("hostile", hostile)):
        visitor.world.deps = replace(visitor.world.deps, datamap=datamap)
        if card == "delete":
            visitor.open(card)
        else:
            visitor.sign_in(card)
        made[kind] = watched.skeleton()
    assert made["hostile"] == made["plain"]
    assert watched.faults == []
    shown = visitor.page.evaluate("document.querySelector('main').textContent")
    assert [text for text in PAYLOADS if text not in shown] == []


def test_what_becomes_of_hostile_stores_is_told_to_the_person(visitor: Visitor, watched: Watched) -> None:
    """An erasure over some fifty stores, each with several payloads as its title."""
    world = visitor.world
    titles = [" ".join(PAYLOADS[n::STORES]) for n in range(STORES)]
    stores = {}
    for n, title in enumerate(titles):
        kept = Erasure(action="keep", ground="accounting", law=title, period="P7Y", since="issued_at")
        stores[f"hostile{n}"] = store(title, kept if n % 2 else Erasure(action="delete"), by("email"))
        world.stores[f"hostile{n}"] = MemoryStore([{"id": "1", "email": ADA, "issued_at": "2026-01-01"}])
    hostile = replace(world.deps.datamap, stores=stores)
    world.deps = replace(world.deps, datamap=hostile)
    request_id = seeded(visitor, "erasure", "hostile")
    world.execution(request_id).run()
    opened(visitor, "en", request_id)
    made = watched.skeleton()
    shown = visitor.page.evaluate("document.querySelector('main').textContent")
    assert [title for title in titles if title not in shown] == []
    harmless = {
        name: replace(each, title=PLAIN, erasure=replace(each.erasure, law=each.erasure.law and PLAIN))
        for name, each in stores.items()
    }
    world.deps = replace(world.deps, datamap=replace(hostile, stores=harmless))
    visitor.page.reload()
    opened(visitor, "en", request_id)
    assert watched.skeleton() == made
    assert watched.faults == []


def dealt(round_: int, places: int) -> Iterator[list[str]]:
    """All payloads, so many at a time; each stands in another place in another round."""
    for start in range(0, len(PAYLOADS), places):
        hand = [PAYLOADS[(start + n) % len(PAYLOADS)] for n in range(places)]
        yield hand[round_:] + hand[:round_]


def test_what_the_dpo_and_the_operator_say_to_one_person(visitor: Visitor, watched: Watched) -> None:
    """A refusal with its reasons, on a page that names a hostile controller and whoever signed in as."""
    world = visitor.world
    request_id = seeded(visitor, "erasure", "refused", status="rejected", refusal={})
    visitor.sign_in()
    token = visitor.page.locator("input[name=token]").first.input_value()
    made: list[list[str]] = []
    hands = [[PLAIN] * 8, *(hand for turn in (0, 3, 6) for hand in dealt(turn, 8))]
    for n, (name, contact, url, complaint, ground, law, reason, who) in enumerate(hands):
        said = Controller(name=name, contact=contact, policy_url=url, complaint=complaint)
        world.deps = replace(world.deps, datamap=replace(world.deps.datamap, controller=said))
        refusal = {"ground": ground, "law": law, "reason": reason}
        world.table.update(f"REQUEST#{request_id}", "REQUEST", {"refusal": refusal})
        fields = {"step": "request", "request_id": request_id, "token": token, "who": who}
        post(visitor, fields, in_place=n % 2 == 1)
        shown = visitor.page.evaluate("document.body.textContent")
        assert [text for text in (name, ground, law, reason, who) if text not in shown] == []
        made.append(watched.skeleton())
    assert [hand for hand, skeleton in zip(hands, made, strict=True) if skeleton != made[0]] == []
    assert watched.faults == []


@pytest.mark.parametrize("step", STEPS)
def test_what_anybody_sends_in_a_form(step: str, visitor: Visitor, watched: Watched) -> None:
    """By each step of the page, in every field, as a stranger's page could make a reader send it."""
    visitor.open()
    hands = [[PLAIN] * len(FIELDS), *dealt(STEPS.index(step), len(FIELDS))]
    made = []
    for hand in hands:
        post(visitor, {**dict(zip(FIELDS, hand, strict=True)), "step": step}, in_place=False)
        made.append(watched.skeleton())
    assert [hand for hand, skeleton in zip(hands, made, strict=True) if skeleton != made[0]] == []
    assert watched.faults == []
