"""Clients for stores, wherever they live: this account, another region, or another account through its role."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from rightful.model import Store

MakeClient = Callable[..., Any]
"""(service name, **options) -> client."""
SESSION_NAME = "rightful"
"""Seen in the other account's CloudTrail."""


class Session(Protocol):
    """`rightful.aws.clients.Clients`, the `boto3` module and `boto3.Session` are of this shape."""

    @property
    def client(self) -> MakeClient: ...


def client(store: Store, session: Session, service: str) -> Any:
    """A client for `service` where the store lives; makes no call yet."""
    from botocore.config import Config

    config = Config(retries={"mode": "standard", "total_max_attempts": 4}, connect_timeout=5, read_timeout=30)
    make = _assumed(store, session) if store.role_arn else session.client
    return make(service, config=config, region_name=store.region or None)


def _assumed(store: Store, session: Session) -> MakeClient:
    """Clients whose credentials come from the store's role, fetched at the first call and again before they end."""
    from botocore.credentials import CredentialProvider, DeferredRefreshableCredentials
    from botocore.session import get_session

    def fetch() -> dict[str, str]:
        asked = {"RoleArn": store.role_arn, "RoleSessionName": SESSION_NAME}
        if store.external_id:
            asked["ExternalId"] = store.external_id
        given = session.client("sts", region_name=store.region or None).assume_role(**asked)["Credentials"]
        return {
            "access_key": given["AccessKeyId"],
            "secret_key": given["SecretAccessKey"],
            "token": given["SessionToken"],
            "expiry_time": given["Expiration"].isoformat(),
        }

    class StoreRole(CredentialProvider):
        METHOD = "store-role"

        def load(self) -> DeferredRefreshableCredentials:
            return DeferredRefreshableCredentials(refresh_using=fetch, method=self.METHOD)

    core = get_session()
    core.get_component("credential_provider").insert_before("env", StoreRole())
    return core.create_client
