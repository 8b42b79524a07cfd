"""What the API shows of receipts: to its person the receipt, to everybody the keys."""

from __future__ import annotations

import base64
from collections.abc import Callable

from rightful import receipts
from rightful.api import bodies
from rightful.service import completing, requests
from tests.fakes.company import BOB
from tests.fakes.world import World
from tests.functional.api.bridge import call
from tests.functional.api.conftest import Person


def ended(world: World, person: Person) -> tuple[str, str]:
    request_id, token = person.begun("erasure")
    requests.transition(world.deps, request_id, "withdrawn", what="You withdrew the request")
    completing.step(world.deps, request_id)
    return request_id, token


def test_the_receipt_verifies_with_the_keys_that_are_served(world: World, ada: Person) -> None:
    request_id, token = ended(world, ada)
    shown = call("GET", f"/requests/{request_id}/receipt", token=token)
    assert (shown.status, shown.headers["content-type"]) == (200, "application/jose")
    assert shown.headers["cache-control"] == "no-store"
    claims = receipts.verify(shown.text, call("GET", "/keys").json)
    assert (claims["request_id"], claims["status"]) == (request_id, "withdrawn")
    assert call("GET", f"/requests/{request_id}/receipt", token=token).text == shown.text


def test_keys_are_public_may_be_kept_an_hour_and_outlive_a_rotation(world: World, ada: Person) -> None:
    request_id, token = ended(world, ada)
    old = world.signer.key()
    world.signer.rotate()
    shown = call("GET", "/keys")
    assert shown.headers["content-type"] == "application/json"
    assert shown.headers["cache-control"] == "public, max-age=3600"
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert [key["kid"] for key in shown.json["keys"]] == [world.signer.key()["kid"], old["kid"]]
    assert bodies.KeySet.model_validate(shown.json).model_dump() == shown.json
    receipt = call("GET", f"/requests/{request_id}/receipt", token=token).text
    assert receipts.verify(receipt, shown.json)["request_id"] == request_id


def test_keys_hold_nothing_private(world: World) -> None:
    [key] = call("GET", "/keys").json["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "use", "alg", "kid"}
    assert {len(base64.urlsafe_b64decode(key[name] + "=")) for name in "xy"} == {32}


def test_keys_that_cannot_be_had_are_not_kept(world: World) -> None:
    def fail(*_: object) -> None:
        raise OSError

    world.signer.fault = fail
    shown = call("GET", "/keys")
    assert (shown.status, shown.headers["cache-control"]) == (500, "no-store")


def test_a_request_that_has_not_ended_has_no_receipt(world: World, ada: Person) -> None:
    request_id, token = ada.begun("access")
    refused = call("GET", f"/requests/{request_id}/receipt", token=token)
    assert refused.status == 409
    assert refused.json["detail"] == "The request is in_progress: its receipt is signed when it has ended."
    requests.transition(world.deps, request_id, "completed", what="Done")
    refused = call("GET", f"/requests/{request_id}/receipt", token=token)
    assert (refused.status, "being signed" in refused.json["detail"]) == (409, True)


def test_nobody_elses_receipt_is_shown(world: World, ada: Person, other: Callable[[str], Person]) -> None:
    request_id, token = ended(world, ada)
    strange = call("GET", f"/requests/{request_id}/receipt", token=other(BOB).sign_in())
    unknown = call("GET", f"/requests/{'A' * 32}/receipt", token=token)
    assert (strange.status, strange.text) == (unknown.status, unknown.text) == (404, unknown.text)
    assert call("GET", f"/requests/{request_id}/receipt").status == 401
