"""Builds the real things. The only place that knows them all, and the only reader of the environment.

| variable | is |
| --- | --- |
| `REQUESTS_TABLE`, `KEYS_TABLE` | table names |
| `EXPORTS_BUCKET` | bucket name |
| `DATA_KEY_ID`, `HMAC_KEY_ID` | KMS keys: AES (data keys) and HMAC_256 (keyed hashes) |
| `REPORTS_BUCKET` | bucket name |
| `RECEIPT_KEY_ID` | KMS key that signs receipts |
| `EVIDENCE_BUCKET`, `EVIDENCE_LOCK_MODE` | bucket name; COMPLIANCE, or GOVERNANCE for trials |
| `STATE_MACHINE_ARN`, `RETENTION_SWEEP_ARN`, `POLICY_NOTICE_ARN` | PrivacyRequest, RetentionSweep, PolicyNotice |
| `DPO_DESK_ARN` | DpoDesk, to which mails to the DPO link |
| `MAIL_FROM`, `MAIL_CONFIGURATION_SET` | sender address; SES configuration set, may be empty |
| `PUBLIC_URL` | where people reach the API, for links in mails |
| `OIDC_ISSUER`, `OIDC_AUDIENCE` | the company's OpenID provider, and for whom its tokens must be; empty for none |
| `FORM_ORIGINS` | web origins that may post, comma-separated |
| `SOURCE_LIMIT_PER_HOUR`, `STAGE`, `RETENTION_MODE` | see `rightful.service.deps.Settings` |
| `TIME_BUDGET_SECONDS` | seconds of work per invocation, when less than the Lambda's own time-out is wanted |

Each function has the variables it needs and no others; what is missing fails when it is first used.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any, TypeVar

from rightful.aws.clients import Clients
from rightful.aws.events import BusEvents
from rightful.aws.evidence import S3Evidence
from rightful.aws.executions import SfnExecutions
from rightful.aws.files import S3Files
from rightful.aws.limits import TableLimits
from rightful.aws.mailer import SesMailer
from rightful.aws.provider import HttpsProvider
from rightful.aws.signer import KmsSigner
from rightful.aws.table import DynamoTable
from rightful.aws.vault import KmsVault
from rightful.aws.webhooks import HttpsWebhooks
from rightful.compiled import load_compiled, resolve
from rightful.model import DataMap, Store
from rightful.ports import Connector, Sweeper
from rightful.service.deps import Deps, Settings
from rightful.stores.registry import CONNECTORS, SWEEPERS


def now() -> datetime:
    return datetime.now(UTC)


class _Lazy:
    """A client that is made at its first use, so that no function pays for a service it does not call."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __getattr__(self, name: str) -> Any:
        return getattr(clients().get(self._service), name)


def _lazy(service: str) -> Any:
    """Typed as any client: it stands for each."""
    return _Lazy(service)


class _StoreClients:
    """What stores take their clients from: one per service and region, with its connections, for all of them. Those of
    the sweep are apart: they hand over answers as they came."""

    def __init__(self, clients: Clients, use: str = "") -> None:
        self._clients = clients
        self._use = use

    def client(self, service: str, *, region_name: str | None = None, **_: Any) -> Any:
        return self._clients.get(service, region_name, self._use)


Bound = TypeVar("Bound", Connector, Sweeper)


class _Stores(Mapping[str, Bound]):
    """Store name -> what is bound to it, made at first use."""

    def __init__(self, stores: Mapping[str, Store], bind: Callable[[Store], Bound]) -> None:
        self._stores = stores
        self._bind: Callable[[Store], Bound] = bind
        self._made: dict[str, Bound] = {}

    def __getitem__(self, name: str) -> Bound:
        if name not in self._made:
            self._made[name] = self._bind(self._stores[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._stores)

    def __len__(self) -> int:
        return len(self._stores)


@cache
def clients() -> Clients:
    """The clients of this container."""
    return Clients()


@cache
def build() -> Deps:
    """Everything a use case needs, once per container."""
    env = os.environ
    datamap = _datamap(env)
    dynamodb = _lazy("dynamodb")
    table = DynamoTable(dynamodb, env.get("REQUESTS_TABLE", ""), now)
    return Deps(
        clock=now,
        table=table,
        vault=KmsVault(
            _lazy("kms"),
            dynamodb,
            env.get("KEYS_TABLE", ""),
            env.get("DATA_KEY_ID", ""),
            env.get("HMAC_KEY_ID", ""),
            now,
        ),
        mailer=SesMailer(_lazy("sesv2"), env.get("MAIL_FROM", ""), env.get("MAIL_CONFIGURATION_SET", "")),
        webhooks=HttpsWebhooks(lambda region: clients().get("secretsmanager", region), now),
        provider=HttpsProvider(env.get("OIDC_ISSUER", ""), now),
        files=S3Files(_lazy("s3"), env.get("EXPORTS_BUCKET", "")),
        reports=S3Files(_lazy("s3"), env.get("REPORTS_BUCKET", "")),
        evidence=S3Evidence(
            _lazy("s3"),
            env.get("EVIDENCE_BUCKET", ""),
            "GOVERNANCE" if env.get("EVIDENCE_LOCK_MODE") == "GOVERNANCE" else "COMPLIANCE",
        ),
        signer=KmsSigner(_lazy("kms"), env.get("RECEIPT_KEY_ID", "")),
        executions=SfnExecutions(
            _lazy("stepfunctions"),
            env.get("STATE_MACHINE_ARN", ""),
            env.get("RETENTION_SWEEP_ARN", ""),
            env.get("POLICY_NOTICE_ARN", ""),
        ),
        events=BusEvents(_lazy("events"), env.get("EVENT_BUS", "default")),
        limits=TableLimits(table, now),
        connectors=_Stores(
            {name: store for name, store in datamap.stores.items() if store.covered},
            lambda store: CONNECTORS[store.connector].from_store(store, _StoreClients(clients()), clock=now),
        ),
        sweepers=_Stores(
            {name: store for name, store in datamap.stores.items() if store.swept},
            lambda store: SWEEPERS[store.connector].from_store(store, _StoreClients(clients(), "sweep"), clock=now),
        ),
        accounts=_Stores(
            {name: _whole(store) for name, store in datamap.stores.items() if name == datamap.accounts.store},
            lambda store: SWEEPERS[store.connector].from_store(store, _StoreClients(clients(), "sweep"), clock=now),
        ),
        datamap=datamap,
        settings=Settings(
            form_origins=tuple(origin.strip() for origin in env.get("FORM_ORIGINS", "").split(",") if origin.strip()),
            source_limit_per_hour=int(env.get("SOURCE_LIMIT_PER_HOUR", "60")),
            stage=env.get("STAGE", "prod"),
            public_url=env.get("PUBLIC_URL", "").rstrip("/"),
            oidc_issuer=env.get("OIDC_ISSUER", ""),
            oidc_audience=env.get("OIDC_AUDIENCE", ""),
            desk_url=_console(env.get("DPO_DESK_ARN", "")),
            retention_mode="apply" if env.get("RETENTION_MODE") == "apply" else "preview",
        ),
    )


def _whole(store: Store) -> Store:
    """The store as one goes through all of it, and not only through what may be due."""
    return replace(store, retention=replace(store.retention, through={}))


CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
"""Partition -> host of the AWS console."""


def _console(machine_arn: str) -> str:
    """The page of a state machine in the console, from where it is started; empty without one."""
    if not machine_arn:
        return ""
    _, partition, _, region, *_ = machine_arn.split(":")
    host = CONSOLES.get(partition, CONSOLES["aws"])
    return f"https://{region}.{host}/states/home?region={region}#/statemachines/view/{machine_arn}"


def _datamap(env: Mapping[str, str]) -> DataMap:
    """The compiled map that the data map layer ships as package `rightful_datamap`, for this account and region."""
    text = resources.files("rightful_datamap").joinpath("datamap.json").read_text("utf-8")
    region = env.get("AWS_REGION", "")
    partition = "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"
    return resolve(load_compiled(text), env.get("ACCOUNT_ID", ""), region, partition)
