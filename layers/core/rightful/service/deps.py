"""What a use case is given: the ports, the data map, and the few settings of the stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from rightful.model import DataMap
from rightful.ports import (
    Clock,
    Connector,
    Events,
    Evidence,
    Executions,
    Files,
    Limits,
    Mailer,
    OpenIdProvider,
    Signer,
    Sweeper,
    Table,
    Vault,
    Webhooks,
)

TimeLeft = Callable[[], float]
"""Seconds until this process should stop taking on work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Parameters of the stack that change what a use case answers."""

    form_origins: tuple[str, ...] = ()
    """Web origins allowed to post to the API."""
    source_limit_per_hour: int = 60
    """Requests that one source address may make an hour, on each limited route."""
    stage: str = "prod"
    public_url: str = ""
    """Where people reach the API and its privacy centre, without a slash at the end; links in mails begin with it."""
    oidc_issuer: str = ""
    """OpenID provider of the company's own accounts, whose tokens are accepted; empty for none."""
    oidc_audience: str = ""
    """For whom such a token must have been issued (its `aud`); empty: none is accepted."""
    desk_url: str = ""
    """Where the console shows the DPO desk."""
    retention_mode: Literal["preview", "apply"] = "preview"
    """What the daily sweep does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """Built by `rightful.wiring` for Lambda and by `tests.fakes.deps` for tests."""

    clock: Clock
    table: Table
    vault: Vault
    mailer: Mailer
    webhooks: Webhooks
    provider: OpenIdProvider
    """Of the company's own accounts; asked only where the settings name it."""
    files: Files
    """The exports bucket."""
    reports: Files
    """The reports bucket."""
    evidence: Evidence
    """The evidence bucket."""
    signer: Signer
    executions: Executions
    events: Events
    limits: Limits
    connectors: Mapping[str, Connector]
    """Store name -> connector, for every covered store."""
    sweepers: Mapping[str, Sweeper]
    """Store name -> sweeper, for every swept store."""
    accounts: Mapping[str, Sweeper] = field(default_factory=dict)
    """The store that the data map names in `accounts`, if it does: a sweeper that goes through all of it, also where
    retention reaches only what may be due."""
    datamap: DataMap
    settings: Settings = field(default_factory=Settings)
