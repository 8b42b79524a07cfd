"""A whole request through the real workflow definition, over stores in memory."""

from __future__ import annotations

import io
import json
import zipfile

from rightful.model import RequestPolicy
from tests.fakes.company import ADA, BOB, small_map
from tests.fakes.world import make_world


def test_erasure_deletes_anonymises_and_keeps_as_the_map_says() -> None:
    world = make_world()
    world.ask_for("erasure")
    before = world.contents()

    run = world.execution().run()

    assert run.ended
    assert world.request()["status"] == "completed"
    after = world.contents()
    assert [item["id"] for item in after["accounts"]] == ["a2"]
    assert [item["id"] for item in after["subscriptions"]] == ["s3"]
    assert [item["id"] for item in after["invoices"]] == ["i1", "i3", "i4"], (
        "past its seven years goes, unreadable stays"
    )
    assert [item["id"] for item in after["contacts"]] == ["c3"], "the list Ada made, and Ada in Bob's list"
    survey = after["surveys"][0]
    assert survey["score"] == 5
    assert survey["email"] != ADA
    assert "note" not in survey
    for name in before:
        bystanders = [i for i in before[name] if i["id"] in {"a2", "s3", "i4", "v2", "c3"}]
        assert [i for i in after[name] if i in bystanders] == bystanders


def test_waves_put_dependents_before_the_stores_that_locate_them() -> None:
    world = make_world()
    world.ask_for("erasure")
    run = world.execution().run()
    seen = [json.loads(text) for text in run.shown]
    erased = [shown["store"] for shown in seen if isinstance(shown, dict) and shown.keys() == {"request_id", "store"}]
    assert sorted(erased) == sorted(world.stores)
    assert erased.index("invoices") < erased.index("subscriptions") < erased.index("accounts")
    assert erased.index("contacts") < erased.index("accounts")
    waves = run.history.count("Erase from the stores that depend on others first")
    assert waves == 3, "a wave begins when the one before is through"
    rows = world.table.query("REQUEST#r1", "STORE#")
    assert {row["sk"]: (row["deleted"], row["anonymised"], row["kept"]) for row in rows} == {
        "STORE#accounts": (1, 0, 0),
        "STORE#subscriptions": (2, 0, 0),
        "STORE#invoices": (1, 0, 2),
        "STORE#surveys": (0, 1, 0),
        "STORE#contacts": (2, 0, 0),
    }


def test_access_packs_the_persons_records_and_masks_everyone_else() -> None:
    world = make_world()
    world.ask_for("access")
    before = world.contents()

    run = world.execution().run()

    assert run.ended
    assert world.request()["status"] == "completed"
    assert world.contents() == before, "an access changes nothing"
    archive = zipfile.ZipFile(io.BytesIO(world.files.objects["packages/r1.zip"]))
    contacts = json.loads(archive.read("data/contacts.json"))
    assert len(contacts) == 2
    assert BOB not in json.dumps(contacts)
    assert "acct-10" not in json.dumps(contacts)
    assert {item["id"] for item in json.loads(archive.read("data/invoices.json"))} == {"i1", "i2", "i3"}
    assert not [key for key in world.files.objects if key.startswith("work/")], "nothing but the package is left"


def test_an_access_takes_at_most_stores_plus_13_transitions_and_an_erasure_stores_plus_17() -> None:
    counts = {}
    for kind in ("access", "erasure"):
        world = make_world()
        world.ask_for(kind)
        counts[kind] = world.execution().run().transitions
    assert counts["access"] <= 5 + 13
    assert counts["erasure"] <= 5 + 17


def test_a_plan_that_needs_approval_waits_and_runs_only_as_approved() -> None:
    world = make_world(small_map(erasure=RequestPolicy(approval="dpo")))
    world.ask_for("erasure")
    before = world.contents()
    run = world.execution().run()

    assert not run.ended
    assert run.state == "Wait for the DPO's approval"
    assert world.request()["status"] == "awaiting_approval"
    assert world.contents() == before
    assert [mail.to for mail in world.mailer.sent] == [ADA, "dpo@example.org"]
