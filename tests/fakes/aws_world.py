"""A small company on AWS, in process: the real adapters over moto, Ada who asks, Bob who must not notice.

One `Aws` serves a test process: clients and keys are made once, `fresh` empties everything else. A `World` is what is
there between two `fresh`: its `deps` stand for the Lambda container of the moment, and `restart` for the next one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any
from unittest.mock import patch

from moto import mock_aws
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.kms.utils import ECDSAPrivateKey
from moto.s3.utils import _VersionedKeyStore
from moto.ses.models import ses_backends

from rightful.aws.clients import Clients
from rightful.aws.events import BusEvents
from rightful.aws.evidence import S3Evidence
from rightful.aws.executions import SfnExecutions
from rightful.aws.files import S3Files
from rightful.aws.limits import TableLimits
from rightful.aws.mailer import SesMailer
from rightful.aws.signer import KmsSigner
from rightful.aws.table import DynamoTable
from rightful.aws.vault import KmsVault
from rightful.model import DataMap, Erasure, Field, Locator, Recipient, Store, Strategy
from rightful.service import asking, completing, discovering, erasing, exporting, notifying, packaging, planning
from rightful.service.deps import Deps
from rightful.stores.registry import CONNECTORS
from tests.fakes.clock import MovableClock
from tests.fakes.company import ADA, BOB, small_map, store
from tests.fakes.executions import MemoryExecutions
from tests.fakes.kms_repairs import sign_digest
from tests.fakes.provider import MemoryProvider
from tests.fakes.s3_repairs import copied_versions
from tests.fakes.state_machine import Execution, Killed, load
from tests.fakes.webhooks import MemoryWebhooks
from tests.fakes.world import forever

REGION = "eu-west-1"
REQUESTS, KEYS, EXPORTS, UPLOADS = "requests", "keys", "example-exports", "example-uploads"
EVIDENCE = "example-evidence"
SENDER = "privacy@example.com"
BACKOFF = 30
"""Seconds the clock moves when a step failed, before it is tried again: a typical wait of the workflow's Retry."""
RESTORED = ("dynamodb", "s3", "ses", "sesv2", "stepfunctions", "events")

TABLES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # table: (primary key, attributes that have an index named by_<attribute>)
    REQUESTS: (("pk", "sk"), ()),
    KEYS: (("id",), ()),
    "accounts": (("account_id",), ("email",)),
    "subscriptions": (("account_id", "subscription_id"), ()),
    "invoices": (("customer_id", "invoice_id"), ()),
    "surveys": (("id",), ("email",)),
}
INDEXES_OF_REQUESTS = {"by_person": ("person", "received_at"), "by_due": ("open", "due_at")}
STORES = ("accounts", "subscriptions", "invoices", "surveys")
"""Tables that hold people; the fifth store is the bucket of uploads."""

ITEMS: dict[str, list[dict[str, str]]] = {
    "accounts": [
        {"account_id": "acct-1", "email": ADA, "name": "Ada"},
        {"account_id": "acct-10", "email": BOB, "name": "Bob"},
    ],
    "subscriptions": [
        {"account_id": "acct-1", "subscription_id": "s1", "customer_id": "cus-1"},
        {"account_id": "acct-1", "subscription_id": "s2", "customer_id": "cus-1"},
        {"account_id": "acct-10", "subscription_id": "s3", "customer_id": "cus-10"},
    ],
    "invoices": [
        {"customer_id": "cus-1", "invoice_id": "i1", "issued_at": "2026-01-05", "total": "10.00"},
        {"customer_id": "cus-1", "invoice_id": "i2", "issued_at": "2012-02-29", "total": "12.00"},
        {"customer_id": "cus-10", "invoice_id": "i3", "issued_at": "2012-02-29", "total": "7.00"},
    ],
    "surveys": [
        {"id": "v1", "email": ADA, "note": "I like it", "score": "5"},
        {"id": "v2", "email": BOB, "note": "me too", "score": "4"},
    ],
}
OBJECTS = [
    ("accounts/acct-1/report.txt", b"first draft"),
    ("accounts/acct-1/report.txt", b"final"),
    ("accounts/acct-1/old.txt", b"deleted later"),
    ("accounts/acct-10/report.txt", b"Bob's"),
]
"""In the order they were written: the second is a new version of the first."""
DELETED, UNFINISHED = "accounts/acct-1/old.txt", "accounts/acct-1/film.bin"


RECIPIENTS = {
    "billing": Recipient(
        title="Billing", webhook="https://billing.example/erased", secret="arn", knows=["customer_id"]
    ),
    "hosting": Recipient(title="Hosting", not_told="It stores what we delete"),
    "support": Recipient(title="Support", mail="privacy@support.example", knows=["email"]),
}
"""Of every table."""


def aws_map(*only: str) -> DataMap:
    """The data map of these stores, or of some: three hops from the e-mail address, every kind of erasure."""
    names = {name for items in ITEMS.values() for item in items for name in item}
    fields = {name: Field(category="user") for name in sorted(names)}

    def table(name: str, erasure: Erasure, *locate: Locator) -> Store:
        made = store(name.title(), erasure, *locate, fields=fields, recipients=list(RECIPIENTS))
        return replace(made, connector="dynamodb", settings={"table": name, "key": list(TABLES[name][0])})

    def key(by: str, **gives: str) -> Locator:
        return Locator(by=by, through={"key": by}, gives=gives)

    def index(by: str, **gives: str) -> Locator:
        return Locator(by=by, through={"key": by, "index": f"by_{by}"}, gives=gives)

    delete = Erasure(action="delete")
    objects = store("Uploads", delete, Locator(by="account_id", through={"prefix": "accounts/{}/"}))
    stores = {
        "accounts": table("accounts", delete, index("email", account_id="account_id")),
        "subscriptions": table("subscriptions", delete, key("account_id", customer_id="customer_id")),
        "invoices": table(
            "invoices",
            Erasure(action="keep", ground="accounting", law="a law", period="P7Y", since="issued_at"),
            key("customer_id"),
        ),
        "surveys": table(
            "surveys",
            Erasure(action="anonymise", fields={"email": Strategy(strategy="hmac"), "note": Strategy(strategy="null")}),
            index("email"),
        ),
        "uploads": replace(objects, connector="s3_objects", settings={"bucket": UPLOADS}),
    }
    return replace(small_map(), stores={name: stores[name] for name in only or stores}, recipients=RECIPIENTS)


@dataclass
class Aws:
    """The account."""

    watched: Clients
    """What the code under test uses; a test may hang its hooks on them before they are first used."""
    own: Clients
    """What the tests look with."""
    data_key: str
    mac_key: str
    receipt_key: str = ""
    """Without one, no request can be completed."""
    workflow: str = ""
    first_day: list[tuple[Any, dict[str, Any]]] = field(default_factory=list)
    """moto's backends, each with its state before anybody did anything: putting it back is quicker than making it."""

    def fresh(self, *stores: str) -> World:
        """A world whose data map has all stores, or those named. Everything is as on the first day but the KMS keys:
        keyed hashes are equal in all worlds of a process."""
        if not self.first_day:
            self._build()
            self.first_day = _copied([(backend, vars(backend)) for name in RESTORED for backend in _backends(name)])
        for backend, state in _copied(self.first_day):
            vars(backend).clear()
            vars(backend).update(state)
        return World(self, aws_map(*stores))

    def _build(self) -> None:
        dynamodb, s3 = self.own.get("dynamodb"), self.own.get("s3")
        for name, (key, indexed) in TABLES.items():
            indexes = {f"by_{attribute}": (attribute,) for attribute in indexed}
            dynamodb.create_table(**table_request(name, key, INDEXES_OF_REQUESTS if name == REQUESTS else indexes))
        for name, items in ITEMS.items():
            puts = [{"PutRequest": {"Item": {key: {"S": text} for key, text in item.items()}}} for item in items]
            dynamodb.batch_write_item(RequestItems={name: puts})
        for bucket in (EXPORTS, UPLOADS):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.create_bucket(
            Bucket=EVIDENCE,
            CreateBucketConfiguration={"LocationConstraint": REGION},
            ObjectLockEnabledForBucket=True,
        )
        s3.put_bucket_versioning(Bucket=UPLOADS, VersioningConfiguration={"Status": "Enabled"})
        for path, body in OBJECTS:
            s3.put_object(Bucket=UPLOADS, Key=path, Body=body)
        s3.delete_object(Bucket=UPLOADS, Key=DELETED)
        s3.create_multipart_upload(Bucket=UPLOADS, Key=UNFINISHED)
        self.own.get("sesv2").create_email_identity(EmailIdentity=SENDER)
        self.workflow = self.own.get("stepfunctions").create_state_machine(
            name="PrivacyRequest",
            definition=json.dumps({"StartAt": "Begun", "States": {"Begun": {"Type": "Succeed"}}}),
            roleArn=f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:role/workflow",
        )["stateMachineArn"]

    def container(
        self, clients: Clients, clock: MovableClock, datamap: DataMap, webhooks: MemoryWebhooks | None = None
    ) -> Deps:
        """What `rightful.wiring` builds in a new Lambda container, with nothing remembered."""
        dynamodb = clients.get("dynamodb")
        table = DynamoTable(dynamodb, REQUESTS, clock)
        return Deps(
            clock=clock,
            table=table,
            vault=KmsVault(clients.get("kms"), dynamodb, KEYS, self.data_key, self.mac_key, clock),
            mailer=SesMailer(clients.get("sesv2"), SENDER),
            webhooks=webhooks or MemoryWebhooks(),
            provider=MemoryProvider(),
            files=S3Files(clients.get("s3"), EXPORTS),
            reports=S3Files(clients.get("s3"), EXPORTS),
            evidence=S3Evidence(clients.get("s3"), EVIDENCE, "COMPLIANCE"),
            signer=KmsSigner(clients.get("kms"), self.receipt_key),
            executions=SfnExecutions(clients.get("stepfunctions"), self.workflow),
            events=BusEvents(clients.get("events")),
            limits=TableLimits(table, clock),
            connectors={
                name: CONNECTORS[store.connector].from_store(store, _Shared(clients), clock=clock)
                for name, store in datamap.stores.items()
            },
            sweepers={},
            datamap=datamap,
        )


@dataclass
class World:
    aws: Aws
    datamap: DataMap
    clock: MovableClock = field(default_factory=MovableClock)
    deps: Deps = field(init=False)
    aside: Deps = field(init=False)
    """Another function's container, whose calls nobody watches: `mail_events`, and the tests' own look."""
    waiting: MemoryExecutions = field(default_factory=MemoryExecutions)
    """Task tokens, should a state wait."""
    webhooks: MemoryWebhooks = field(default_factory=MemoryWebhooks)
    """Receivers outside AWS."""

    def __post_init__(self) -> None:
        self.aside = self.aws.container(self.aws.own, self.clock, self.datamap, self.webhooks)
        self.restart()

    def restart(self) -> None:
        """The container is gone; the next one remembers nothing."""
        self.deps = self.aws.container(self.aws.watched, self.clock, self.datamap, self.webhooks)

    def execution(self, request_id: str) -> Execution:
        """The workflow of a request, not yet run. A step that is killed takes its container along."""

        def function(step: Callable[..., Any], *names: str, timed: bool = False) -> Callable[[dict[str, Any]], Any]:
            def invoke(event: dict[str, Any]) -> Any:
                try:
                    return step(self.deps, *(event[name] for name in names), *([forever] if timed else []))
                except BaseException as error:
                    self.clock.advance(BACKOFF)
                    if isinstance(error, Killed):
                        self.restart()
                    raise

            return invoke

        def notify(deps: Deps, request_id: str, last: bool) -> dict[str, Any]:
            return notifying.step(deps, request_id, forever, last=last)

        return Execution(
            {
                "DiscoverFunctionArn": function(discovering.step, "request_id", timed=True),
                "PlanFunctionArn": function(planning.step, "request_id"),
                "AskFunctionArn": function(asking.ask, "request_id", "task_token", "why", "failed", "problem"),
                "ExportFunctionArn": function(exporting.step, "request_id", "store", timed=True),
                "EraseFunctionArn": function(erasing.step, "request_id", "store", timed=True),
                "NotifyFunctionArn": function(notify, "request_id", "last"),
                "PackageFunctionArn": function(packaging.step, "request_id", timed=True),
                "CompleteFunctionArn": function(completing.step, "request_id"),
            },
            self.clock,
            self.waiting,
            load("privacy_request"),
            {"request_id": request_id},
        )

    # What is there now

    def started(self) -> list[str]:
        """Names of the executions that were started."""
        answer = self.aws.own.get("stepfunctions").list_executions(stateMachineArn=self.aws.workflow)
        return [execution["name"] for execution in answer["executions"]]

    def mails(self) -> list[Any]:
        """What SES accepted, oldest first: moto's messages, with `destinations`, `subject` and `body`."""
        return list(ses_backends[DEFAULT_ACCOUNT_ID][REGION].sent_messages)

    def items(self, table: str) -> list[dict[str, Any]]:
        """All items of a table as DynamoDB holds them, by key."""
        found = self.aws.own.get("dynamodb").scan(TableName=table)["Items"]
        return sorted(found, key=lambda item: [item[name]["S"] for name in TABLES[table][0]])

    def objects(self, bucket: str) -> list[dict[str, Any]]:
        """Every version, delete marker and unfinished upload of a bucket, bytes included."""
        s3 = self.aws.own.get("s3")
        listing = s3.list_object_versions(Bucket=bucket)
        found: list[dict[str, Any]] = []
        for version in listing.get("Versions", []):
            body = s3.get_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])["Body"].read()
            found.append({"key": version["Key"], "version": version["VersionId"], "body": body})
        found += [
            {"key": m["Key"], "version": m["VersionId"], "marker": True} for m in listing.get("DeleteMarkers", [])
        ]
        uploads = s3.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
        return found + [{"key": upload["Key"], "upload": upload["UploadId"]} for upload in uploads]

    def contents(self) -> dict[str, list[dict[str, Any]]]:
        """All that the company stores about people."""
        return {name: self.items(name) for name in STORES} | {"uploads": self.objects(UPLOADS)}


@contextmanager
def account() -> Iterator[Aws]:
    """An AWS account for a test process. The environment must hold credentials of some kind."""
    with (
        mock_aws(),
        patch.object(_VersionedKeyStore, "__deepcopy__", copied_versions, create=True),
        patch.object(ECDSAPrivateKey, "sign", sign_digest),
    ):
        watched, own = Clients(region=REGION), Clients(region=REGION)
        kms = own.get("kms")
        mac = kms.create_key(KeyUsage="GENERATE_VERIFY_MAC", KeySpec="HMAC_256")
        signing = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")
        yield Aws(
            watched,
            own,
            data_key=kms.create_key()["KeyMetadata"]["KeyId"],
            mac_key=mac["KeyMetadata"]["KeyId"],
            receipt_key=signing["KeyMetadata"]["KeyId"],
        )


def _backends(service: str) -> list[Any]:
    """moto's backends of a service, one per region that was used."""
    found: Any = get_backend(service)  # type: ignore[call-overload] # typed for literal names only
    return list(found[DEFAULT_ACCOUNT_ID].values())


def _copied(states: list[tuple[Any, dict[str, Any]]]) -> list[tuple[Any, dict[str, Any]]]:
    """The states of backends, copied; where one names another backend, it still names that one."""
    themselves = {id(backend): backend for backend, _ in states}
    return [(backend, deepcopy(state, themselves)) for backend, state in states]


class _Shared:
    """Gives connectors the process's own clients: making one anew in every container would take most of the time."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def client(self, service: str, **_: Any) -> Any:
        return self._clients.get(service)


def table_request(name: str, key: tuple[str, ...], indexes: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """Of CreateTable. `indexes`: name -> partition key and, perhaps, sort key; all keys are text."""
    names = dict.fromkeys([*key, *(attribute for parts in indexes.values() for attribute in parts)])

    def schema(parts: tuple[str, ...]) -> list[dict[str, str]]:
        kinds = zip(parts, ("HASH", "RANGE"), strict=False)
        return [{"AttributeName": part, "KeyType": kind} for part, kind in kinds]

    request: dict[str, Any] = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": schema(key),
        "AttributeDefinitions": [{"AttributeName": attribute, "AttributeType": "S"} for attribute in names],
    }
    if indexes:
        request["GlobalSecondaryIndexes"] = [
            {"IndexName": index, "KeySchema": schema(parts), "Projection": {"ProjectionType": "KEYS_ONLY"}}
            for index, parts in indexes.items()
        ]
    return request
