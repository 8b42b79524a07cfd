"""What a run of the sweep does to each record, and what it says of it."""

from __future__ import annotations

import json

from tests.functional.sweep.company import NEW, OLD, company, left


def test_deletes_what_is_due_and_nothing_else() -> None:
    world = company(
        accounts=[
            {"id": "old", "used_at": OLD, "status": "closed"},
            {"id": "paid for", "used_at": OLD, "status": "active"},
            {"id": "new", "used_at": NEW, "status": "closed"},
            {"id": "no date", "status": "closed"},
            {"id": "odd date", "used_at": "2026-13-45", "status": "closed"},
        ],
        invoices=[
            {"id": "i1", "used_at": OLD, "issued_at": OLD},
            {"id": "i2", "used_at": OLD, "issued_at": "2018-05-05"},
        ],
        answers=[{"id": "a1", "used_at": OLD, "email": "ada@example.org", "note": "ring me", "score": 5}],
    )
    output = world.sweep("apply").run().value
    assert left(world, "accounts") == ["new", "no date", "odd date", "paid for"]
    assert left(world, "invoices") == ["i1"]
    (answer,) = world.stores["answers"].items
    assert (answer.get("email"), answer["note"], answer["score"]) == (None, "[redacted]", 5)
    assert output["run_id"] == "by-hand"
    assert output["stores"]["accounts"] == {
        "scanned": 5,
        "due": 1,
        "deleted": 1,
        "anonymised": 0,
        "kept": {"active_service": 1, "in_use": 1},
        "held": 0,
        "changed_meanwhile": 0,
        "resurrected": 0,
        "braked": False,
        "malformed": 2,
        "blocked": 0,
        "failed": 0,
        "failed_segments": 0,
    }
    assert output["stores"]["invoices"]["kept"] == {"accounting": 1}
    assert output["stores"]["answers"]["anonymised"] == 1


def test_a_second_run_finds_nothing() -> None:
    world = company(
        accounts=[{"id": str(n), "used_at": OLD if n % 3 else NEW} for n in range(1000)],
        answers=[{"id": str(n), "used_at": OLD, "email": f"{n}@example.org"} for n in range(250)],
    )
    first = world.sweep("apply", "one").run().value["stores"]
    second = world.sweep("apply", "two").run().value["stores"]
    assert first["accounts"]["deleted"] == 666
    assert first["answers"]["anonymised"] == 250
    assert [store["due"] for store in second.values()] == [0, 0, 0, 0]
    assert second["answers"]["kept"] == {"anonymised": 250}


def test_a_preview_changes_nothing_and_counts_the_same() -> None:
    world = company(accounts=[{"id": str(n), "used_at": OLD if n % 3 else NEW} for n in range(100)])
    before = world.contents()
    preview = world.sweep("preview", "one").run().value["stores"]["accounts"]
    assert world.contents() == before
    applied = world.sweep("apply", "two").run().value["stores"]["accounts"]
    assert preview["due"] == applied["due"] == applied["deleted"] == 66
    assert preview["deleted"] == 0


def test_a_preview_shows_some_keys_where_they_do_not_stay_long() -> None:
    world = company(accounts=[{"id": f"a{n}", "used_at": OLD} for n in range(50)])
    output = world.sweep("preview").run().value
    (key,) = (key for key in world.reports.list("previews/") if key.endswith(".json"))
    sample = json.loads(b"".join(world.reports.read(key)))["stores"]["accounts"]["sample"]
    assert len(sample) == 5
    assert set(sample) <= {world.stores["accounts"].key_of({"id": f"a{n}"}) for n in range(50)}
    assert "sample" not in output["stores"]["accounts"]
    assert not [item for item in world.table.items.values() if sample[0] in str(item)]


def test_what_was_counted_without_anything_due_is_not_read_again() -> None:
    world = company(
        accounts=[{"id": str(n), "used_at": NEW} for n in range(50)],
        events=[{"id": str(n), "used_at": OLD if n == 7 else NEW} for n in range(50)],
    )
    run = world.sweep("apply").run()
    assert run.history.count("Count what is due in this segment") == 16  # four stores of four segments
    assert run.history.count("Delete or anonymise what is due in this segment") == 1
    assert run.value["stores"]["events"]["scanned"] == 50
    assert run.value["stores"]["events"]["deleted"] == 1


def test_counting_does_not_ask_for_what_is_dearer_and_acting_does() -> None:
    world = company(events=[{"id": "e1", "used_at": OLD}])
    world.sweepers["events"].parts = 1
    world.sweep("apply").run()
    assert [wanted.fresh for wanted in world.sweepers["events"].asked] == [False, True]


def test_the_report_says_how_long_each_store_took() -> None:
    world = company(accounts=[{"id": "a1", "used_at": OLD}], events=[{"id": "e1", "used_at": NEW}])
    turns = []

    def work() -> None:
        turns.append(1)
        world.clock.advance(7)

    world.sweepers["accounts"].between = work
    world.sweep("apply").run()
    (key,) = (key for key in world.reports.list("retention/") if key.endswith(".json"))
    stores = json.loads(b"".join(world.reports.read(key)))["stores"]
    assert (stores["accounts"]["seconds"], stores["events"]["seconds"]) == (7 * len(turns), 0)
