"""The Lambda that tells people, called with the event in events/, as the machine calls it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from functions.announce.app import handler
from rightful import wiring
from rightful.errors import NeedsAttention
from tests.functional.announcing.people import company, people, publish, told

EVENT = Path(__file__).parents[3] / "events" / "announce_begin.json"
CONTEXT: Any = SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000)


def test_a_notice_from_its_first_event_to_its_last(monkeypatch: pytest.MonkeyPatch) -> None:
    world = company(people(9))
    monkeypatch.setattr(wiring, "build", lambda: world.deps)
    event = json.loads(EVENT.read_text())
    with pytest.raises(NeedsAttention, match="no such version"):
        handler(event, CONTEXT)
    publish(world)
    begun = handler(event, CONTEXT)
    assert begun == {"notice_id": "2027-03", "round": 1, "segments": [0, 1, 2, 3]}
    of = {"notice_id": begun["notice_id"], "round": begun["round"]}
    for segment in begun["segments"]:
        assert handler({"step": "tell", **of, "segment": segment}, CONTEXT) == {"done": True, "until": ""}
    assert handler({"step": "end", **of}, CONTEXT)["told"] == 9
    assert len(told(world)) == 9
