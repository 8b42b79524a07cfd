"""The whole job, played by a person made of markers, with all that can go wrong on the way."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from infra.local import mishaps
from infra.local.person import Person, call
from infra.local.stack import Stack
from infra.sample.keys import bucket_name, table_name
from rightful import receipts
from tests.e2e import driving, visible
from tests.e2e.marked import Markers, Text, settle


@dataclass(frozen=True)
class Played:
    """What the whole job left behind."""

    markers: Markers
    package: bytes
    link: str
    secrets: list[str]
    """Codes and tokens."""
    seen: list[Text]
    """Everything that others may read."""


def play(stack: Stack, person: Callable[[str], Person]) -> Played:
    """An access in several rounds; one that is withdrawn while it waits for the DPO; one of which the DPO leaves out a
    store; and an erasure in which a store fails, with an error that quotes a marked object key, until the DPO has it
    tried again. One object is locked."""
    markers = Markers()
    canary = person(settle(stack, markers))
    lock_one_upload(stack, str(markers.mark("first")))

    with driving.time_budget(stack, 0.05, "PackageFunction"):
        access = canary.ask("access", details=f"I am {markers.word}, {canary.email}")
        codes, tokens = codes_of(canary), [canary.token]
        canary.wait(access)
    package = canary.download(access)
    tokens.append(canary.token)
    link = call("POST", f"{stack.api_url}/requests/{access}/download", {}, canary.token)["url"]
    call("GET", f"{stack.api_url}/requests", token=canary.token)
    report_sent(stack, access)
    choose(stack, canary)
    blunder(stack, markers, canary)

    table = f"arn:aws:dynamodb:*:*:table/{table_name('tickets')}"
    with mishaps.refusing(stack, "ExportFunction", table, "dynamodb:Query"):
        withdrawn = stuck(stack, canary)
        call("DELETE", f"{stack.api_url}/requests/{withdrawn}", token=canary.token)
        skipped = stuck(stack, canary)
    assert driving.decide(stack, skipped, "skip", store="tickets", reason="broken")["ok"]
    assert canary.wait(skipped)["status"] == "completed"

    with driving.forbidding(stack, uploads_bucket(stack), "s3:DeleteObjectVersion", "s3:AbortMultipartUpload"):
        erasure = canary.ask("erasure", details=f"Forget {markers.word}")
        driving.wait_for(canary, erasure, "needs_attention")
    tokens.append(canary.token)
    assert driving.decide(stack, erasure, "retry")["ok"]
    ended = canary.wait(erasure)
    assert ended["status"] == "completed"
    assert ended["result"]["stores"]["uploads"]["blocked"] == 1
    receipt = receipts.verify(canary.receipt(erasure), call("GET", f"{stack.api_url}/keys"))
    assert receipt["stores"]["uploads"]["outcome"] == ["erased", "blocked"]

    codes += codes_of(canary)
    return Played(markers, package, link, [*tokens, *codes], list(visible.texts(stack, canary.email)))


def codes_of(person: Person) -> list[str]:
    return [code for letter in person.letters() for code in re.findall(r"(?m)^\s*(\d{8})\s*$", letter.text)]


def stuck(stack: Stack, canary: Person) -> str:
    """A further access, asked for with a token, that waits for the DPO."""
    asked = call("POST", f"{stack.api_url}/requests", {"type": "access"}, canary.token)
    driving.wait_for(canary, asked["request_id"], "needs_attention")
    return str(asked["request_id"])


def report_sent(stack: Stack, request_id: str) -> None:
    """What the rule makes of the news that SES took a mail, handed to the function: nobody but SES may put such events
    on the bus, and the emulator's puts none."""
    tags = {"subject": [request_id], "kind": ["completed_access"], "number": ["1"]}
    event = {"source": "aws.ses", "detail": {"eventType": "Send", "mail": {"messageId": "m-1", "tags": tags}}}
    name = mishaps.physical(stack, "MailEventsFunction")
    answer = stack.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    assert json.loads(answer["Payload"].read())["status"] == "accepted"


def choose(stack: Stack, canary: Person) -> None:
    """A consent, which the erasure ends, and the company's mailer who asks about it, once with a mistake."""
    call("PUT", f"{stack.api_url}/preferences", {"topics": {"newsletter": True}}, canary.token)
    for email, answered in ((canary.email, "answers"), (f"{canary.email}@", "errorMessage")):
        payload = json.dumps({"contacts": [{"email": email, "topic": "newsletter"}]})
        answer = stack.client("lambda").invoke(FunctionName=stack.outputs["MayContactArn"], Payload=payload)
        assert answered in json.loads(answer["Payload"].read())


def uploads_bucket(stack: Stack) -> str:
    return bucket_name("uploads", stack.client("sts").get_caller_identity()["Account"])


def lock_one_upload(stack: Stack, name: str) -> None:
    """An Object Lock on the file of this name, for an hour."""
    s3, bucket = stack.client("s3"), uploads_bucket(stack)
    (version,) = (v for v in s3.list_object_versions(Bucket=bucket)["Versions"] if name in v["Key"])
    until = datetime.now(UTC) + timedelta(hours=1)
    s3.put_object_retention(
        Bucket=bucket,
        Key=version["Key"],
        VersionId=version["VersionId"],
        Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until},
    )


def blunder(stack: Stack, markers: Markers, canary: Person) -> None:
    """Calls in which personal data stands where it should not, and which are refused."""
    url, word = stack.api_url, markers.word
    call("GET", f"{url}/requests/{word}{'x' * 20}?email={canary.email}", token=canary.token, expect=(404,))
    call("GET", f"{url}/{word}", expect=(403, 404))
    call("POST", f"{url}/requests", {"type": "access", "email": f"{word}@"}, expect=(422,))
    call("POST", f"{url}/requests", {"type": word, "email": canary.email, word: word}, expect=(422,))
    call("POST", f"{url}/verifications/{word}{'x' * 20}", {"code": "12345678"}, expect=(410,))
    call("GET", f"{url}/requests", token=f"{word}{'x' * (43 - len(word))}", expect=(401,))
