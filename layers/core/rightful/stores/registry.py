"""Kinds of stores. A new one is a file beside this one and a line below, and inherits the contract suite."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Protocol

from rightful.model import Permission, Store, SweepVerb, Verb
from rightful.ports import Clock, Connector, Sweeper
from rightful.stores.dynamodb import DynamoDB
from rightful.stores.dynamodb_sweep import DynamoDBSweeper
from rightful.stores.s3_objects import S3Objects
from rightful.stores.s3_sweep import S3Sweeper
from rightful.stores.sessions import Session


class ConnectorKind(Protocol):
    """What a connector class offers before it is bound to a store. All but `from_store` is pure."""

    name: str
    Settings: type[Any]
    """Shape of `Store.settings`."""
    Through: type[Any]
    """Shape of `Locator.through`."""

    def check(self, store: Store) -> Iterator[tuple[str, str, str]]:
        """(path inside the store, what is wrong, cure) of a store whose settings and look-ups have the right shape."""

    def permissions(self, store: Store, verb: Verb) -> list[Permission]:
        """For exactly the calls that a verb makes; empty when it makes none."""

    def from_store(self, store: Store, session: Session, clock: Clock = ...) -> Connector:
        """Bound to a store; makes no call."""


class SweeperKind(Protocol):
    """What the class for sweeping a kind of store offers before it is bound to one."""

    name: str
    """That of the store's connector."""
    Due: type[Any]
    """Shape of `Retention.through`."""

    def check(self, store: Store) -> Iterator[tuple[str, str, str]]:
        """As of a connector: what is wrong with the store's retention for this kind of store."""

    def permissions(self, store: Store, verb: SweepVerb) -> list[Permission]:
        """For exactly the calls that splitting or sweeping makes."""

    def from_store(self, store: Store, session: Session, clock: Clock = ...) -> Sweeper:
        """Bound to a store; makes no call."""


CONNECTORS: Final[dict[str, ConnectorKind]] = {kind.name: kind for kind in (DynamoDB, S3Objects)}
SWEEPERS: Final[dict[str, SweeperKind]] = {kind.name: kind for kind in (DynamoDBSweeper, S3Sweeper)}
