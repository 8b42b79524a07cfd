"""One request from the first call of the person's browser to the mail that closes it, however often something breaks;
and what the world looks like afterwards, in a form in which two runs can be compared."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

from rightful import receipts
from rightful.aws.items import from_item
from rightful.clocks import moment
from rightful.errors import Conflict, Gone, TryAgain
from rightful.model import RequestType
from rightful.service import intake, mail_events, receipting, verifying, viewing
from rightful.service.deps import Deps
from rightful.service.verifying import Proof
from tests.fakes.aws_world import EVIDENCE, EXPORTS, REQUESTS, World
from tests.fakes.clock import START
from tests.fakes.company import ADA
from tests.fakes.state_machine import Killed

T = TypeVar("T")

SOURCE, KEY = "192.0.2.1", "key-of-this-form"
TRIES = 10
CODE = re.compile(r"\b\d{8}\b")
WORDS = (
    (re.compile(rf"{START:%Y-%m-%d}T[0-9:.]+Z"), "<today>"),
    (re.compile(rf"{START + timedelta(days=7):%Y-%m-%d}T[0-9:.]+Z"), "<in a week>"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "<hash>"),
)
THEIRS = re.compile(r"bob@|Bob|(acct|cus)-10")
OF_ONE_RUN = frozenset({"_write", "contact", "first", "iat", "jws", "message_id", "sent_at", "size", "version"})
"""Attributes that are random, sealed, the time of day, or depend on ids (the size of a compressed package); and
`sent_at`, which a sender who was killed cannot note: `accepted_at` stands for it."""


def travel(world: World, kind: RequestType) -> str:
    """Asks, proves the address with the mailed code, and lets the workflow run; the request's id.
    Fails when somebody who does what the answers tell them does not get to the end."""
    asked = intake.Asked(type=kind, email=ADA)
    answer = _insist(world, lambda deps: intake.submit(deps, asked, SOURCE, None, KEY))
    verification, request_id = answer["verification_id"], answer["request_id"]
    with suppress(Gone):  # the code was used up and only the answer was lost: the request has begun all the same
        _insist(world, lambda deps: verifying.check(deps, verification, newest_code(world)))
    assert world.started() == [f"{kind}-{request_id}"]
    assert world.execution(request_id).run().ended
    return str(request_id)


def _insist(world: World, call: Callable[[Deps], T]) -> T:
    """As a client does: the same call again after a 5xx, a lost connection, or an answer that says `Retry-After`."""
    for _ in range(TRIES):
        try:
            return call(world.deps)
        except Killed:
            world.restart()
        except TryAgain:
            world.clock.advance(1)
        except Conflict as busy:
            if busy.retry_after is None:
                raise
            world.clock.advance(busy.retry_after)
    raise AssertionError("the person never got through")


def newest_code(world: World) -> str:
    match = CODE.search(world.mails()[-1].body)
    assert match, "the newest mail holds no code"
    return match[0]


def deliver_event(world: World, mail: dict[str, Any], message_id: str) -> None:
    """What SES tells the bus of a mail it accepted, as the rule hands it to `mail_events`."""
    tags = {tag["Name"]: [tag["Value"]] for tag in mail["EmailTags"]}
    told = {"detail": {"eventType": "Send", "mail": {"messageId": message_id, "tags": tags}}}
    mail_events.note(world.aside, told)


def outcome(world: World, request_id: str) -> dict[str, Any]:
    """Everything that two runs of the same request must agree on. What differs from run to run (ids, the time of day,
    ciphertext, and hashes over them) is replaced by words."""
    items = [from_item(item) for item in world.items(REQUESTS)]
    requests = [item for item in items if item["sk"] == "REQUEST"]
    assert [item["request_id"] for item in requests] == [request_id]
    proof = Proof(requests[0]["person"], verifying.SIGN_IN, "", moment(requests[0]["verified_at"]), b"")
    tell = [mail for mail in world.mails() if not CODE.search(mail.body)]
    state = {
        "people's data": [
            {**item, "version": "", "upload": ""} for records in world.contents().values() for item in records
        ],
        "the request": [item for item in items if item["pk"] == f"REQUEST#{request_id}"],
        "all else": Counter(item["pk"].partition("#")[0] for item in items if item["sk"] not in ("TOKEN", "LIMIT")),
        "what the person sees": viewing.one(world.aside, proof, request_id),
        "webhooks": list({message_id: body for _, message_id, body in world.webhooks.received}.values()),
        "mails": [[mail.destinations, mail.subject, mail.body] for mail in tell],
        "files": [{**file, "version": "", "body": _unzipped(file.get("body"))} for file in world.objects(EXPORTS)],
        "evidence": _evidence(world, request_id),
    }
    return {name: _neutral(value, request_id) for name, value in state.items()}


def bystanders(world: World) -> list[dict[str, Any]]:
    """What is not Ada's, to the byte and the version."""
    return [item for items in world.contents().values() for item in items if THEIRS.search(str(item))]


def _evidence(world: World, request_id: str) -> list[Any]:
    """What the one receipt claims, and the ledger beside it; each is the only version, and they agree."""
    files = {file["key"]: file["body"] for file in world.objects(EVIDENCE)}
    assert len(files) == len(world.objects(EVIDENCE)) == 2
    ledger, receipt = (files[f"requests/{request_id}/{name}"] for name in ("ledger.json", "receipt.jws"))
    claims = receipts.verify(receipt, receipting.keys(world.aside))
    receipts.check_ledger(claims, ledger)
    stored = receipting.issued(world.aside, request_id)
    assert stored
    assert receipt.decode() == stored["jws"] + "\n"
    return [claims, *json.loads(ledger)]


def _unzipped(body: bytes | None) -> Any:
    """Name -> content of a package's files."""
    if body is None or not zipfile.is_zipfile(io.BytesIO(body)):
        return body
    archive = zipfile.ZipFile(io.BytesIO(body))
    assert archive.testzip() is None
    return {name: archive.read(name).decode() for name in archive.namelist()}


def _neutral(value: Any, request_id: str) -> Any:
    if isinstance(value, dict):
        return {key: _neutral(each, request_id) for key, each in value.items() if key not in OF_ONE_RUN}
    if isinstance(value, list):
        return [_neutral(each, request_id) for each in value]
    if isinstance(value, str):
        text = value.replace(request_id, "<request>")
        for pattern, word in WORDS:
            text = pattern.sub(word, text)
        return text
    return value
