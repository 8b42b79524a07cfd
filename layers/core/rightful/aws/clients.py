"""AWS clients, made when first asked for.

botocore is used without boto3: its clients are the same objects, and boto3's resources and transfer threads are not
needed. One session serves all clients of a process, so credentials and data files are loaded once.
"""

from __future__ import annotations

import threading
from typing import Any, Final

from botocore.config import Config
from botocore.loaders import Loader
from botocore.session import Session

CONFIG: Final = Config(
    connect_timeout=2,
    read_timeout=20,
    retries={"mode": "standard", "total_max_attempts": 5},
    tcp_keepalive=True,
    user_agent="rightful",
)
"""Seconds. Five tries with full jitter, at most 20 s apart; what still fails is retried by the workflow. The user agent
is fixed because botocore would put its own together anew for every call, a twentieth of the call's CPU."""

S3_CONFIG: Final = CONFIG.merge(Config(signature_version="s3v4", read_timeout=60))
"""Signature version 4 also for links, which S3 otherwise still signs with version 2 in its oldest regions."""

MAIL_CONFIG: Final = CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))
"""One try: SES has no idempotency token, so a try after a lost answer would send the mail twice. Who sends decides."""

SERVICES: Final = ("dynamodb", "events", "kms", "s3", "secretsmanager", "sesv2", "stepfunctions", "sts")


class KnownServices(Loader):
    """Spares a cold start the listing of botocore's 440 service folders: what is asked for is known beforehand."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002  the signature is botocore's
        return list(SERVICES)


class Clients:
    """One client per service and region. `region` and `endpoint` default to what the environment says (`AWS_REGION`,
    `AWS_ENDPOINT_URL`)."""

    def __init__(self, region: str | None = None, endpoint: str | None = None) -> None:
        self._session = Session()
        self._session.register_component("data_loader", KnownServices())
        self._region = region
        self._endpoint = endpoint
        self._made: dict[tuple[str, str | None, str], Any] = {}
        self._lock = threading.Lock()

    def get(self, service: str, region: str | None = None, use: str = "") -> Any:
        """The process's client for one of SERVICES, here or in another region. One for a `use` is no other's."""
        with self._lock:
            if (service, region, use) not in self._made:
                options = {"region_name": region} if region else {}
                self._made[service, region, use] = self.client(service, **options)
            return self._made[service, region, use]

    def client(self, service: str, **options: Any) -> Any:
        """A client of its own, e.g. with another region or other credentials. Options are botocore's."""
        defaults = {
            "region_name": self._region,
            "endpoint_url": self._endpoint,
            "config": {"s3": S3_CONFIG, "sesv2": MAIL_CONFIG}.get(service, CONFIG),
        }
        return self._session.create_client(service, **{**defaults, **options})
