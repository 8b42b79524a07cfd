"""What every vault does: in memory, and with KMS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

from rightful.aws.vault import MOST_REMEMBERED, REMEMBERED, KmsVault
from rightful.errors import NeedsAttention, NotFound
from rightful.ports import Vault
from tests.fakes.clock import MovableClock
from tests.fakes.vault import MemoryVault

PAST, SOON, FUTURE = (datetime(year, 1, 1, tzinfo=UTC) for year in (2020, 2080, 2090))
PLAIN = [b"", b"a", "día \U0001f600".encode(), bytes(range(256)) * 2000]


class VaultContract:
    """Needs the fixture `vault`."""

    @pytest.mark.parametrize("plain", PLAIN, ids=len)
    def test_what_was_sealed_opens(self, vault: Vault, plain: bytes) -> None:
        assert vault.open("r1", vault.seal("r1", plain)) == plain

    def test_sealed_bytes_show_nothing_and_never_repeat(self, vault: Vault) -> None:
        secret = b"ada@example.org" * 4
        first, second = vault.seal("r1", secret), vault.seal("r1", secret)
        assert secret[:8] not in first
        assert first != second

    def test_a_request_cannot_open_anothers(self, vault: Vault) -> None:
        sealed = vault.seal("r1", b"secret")
        vault.seal("r2", b"other")
        with pytest.raises(NeedsAttention):
            vault.open("r2", sealed)

    @pytest.mark.parametrize("place", [0, 1, 14, -1])
    def test_tampering_shows(self, vault: Vault, place: int) -> None:
        sealed = bytearray(vault.seal("r1", b"secret"))
        sealed[place] ^= 1
        with pytest.raises(NeedsAttention):
            vault.open("r1", bytes(sealed))

    def test_what_was_cut_off_shows(self, vault: Vault) -> None:
        sealed = vault.seal("r1", b"secret")
        for length in (0, 1, 12, len(sealed) - 1):
            with pytest.raises(NeedsAttention):
                vault.open("r1", sealed[:length])

    def test_nothing_opens_and_nothing_is_sealed_after_the_key_lapsed(self, vault: Vault) -> None:
        sealed = vault.seal("r1", b"secret")
        kept = vault.seal("r2", b"other")
        vault.lapse("r1", PAST)
        vault.lapse("r1", PAST)
        with pytest.raises(NotFound):
            vault.open("r1", sealed)
        with pytest.raises(NotFound):
            vault.seal("r1", b"new")
        assert vault.open("r2", kept) == b"other"

    def test_a_key_lives_until_it_lapses(self, vault: Vault) -> None:
        sealed = vault.seal("r1", b"secret")
        vault.lapse("r1", FUTURE)
        assert vault.open("r1", sealed) == b"secret"

    def test_a_key_can_be_made_with_its_end(self, vault: Vault) -> None:
        kept = vault.seal("r2", b"other", FUTURE)
        assert vault.open("r2", kept) == b"other"
        vault.seal("r2", b"more", PAST)
        assert vault.open("r2", kept) == b"other", "only a key that is made then takes the end"

    def test_a_key_is_spared_its_end_once_and_no_later_one(self, vault: Vault) -> None:
        sealed = vault.seal("r1", b"secret", SOON)
        vault.prolong("r1", SOON)
        vault.prolong("r1", SOON)
        vault.lapse("r1", FUTURE)
        vault.prolong("r1", SOON)
        assert self.end(vault, "r1") == FUTURE
        assert vault.open("r1", sealed) == b"secret"
        vault.prolong("r1", FUTURE)
        assert self.end(vault, "r1") is None

    def test_a_key_that_is_gone_cannot_be_spared(self, vault: Vault) -> None:
        vault.seal("r1", b"secret", PAST)
        for request_id in ("r1", "unknown"):
            with pytest.raises(NotFound):
                vault.prolong(request_id, FUTURE)

    def end(self, vault: Vault, request_id: str) -> datetime | None:
        """When the key lapses. Each implementation is looked into in its own way."""
        raise NotImplementedError

    def test_a_key_that_is_not_there_lapses_without_effect(self, vault: Vault) -> None:
        vault.lapse("unknown", PAST)
        assert vault.open("unknown", vault.seal("unknown", b"new")) == b"new"

    def test_an_unknown_request_has_no_key(self, vault: Vault) -> None:
        with pytest.raises(NotFound):
            vault.open("unknown", vault.seal("r1", b"secret"))

    def test_digests_are_stable_and_apart(self, vault: Vault) -> None:
        digest = vault.digest("person", "ada@example.org")
        assert digest == vault.digest("person", "ada@example.org")
        assert re.fullmatch(r"[A-Za-z0-9_-]{43}", digest)
        others = {vault.digest("source", "ada@example.org"), vault.digest("person", "bob@example.org")}
        assert len(others | {digest}) == 3


class TestMemoryVault(VaultContract):
    @pytest.fixture
    def vault(self) -> MemoryVault:
        return MemoryVault()

    def end(self, vault: Vault, request_id: str) -> datetime | None:
        assert isinstance(vault, MemoryVault)
        return vault.ends.get(request_id)


class TestKmsVault(VaultContract):
    @pytest.fixture
    def aws(self) -> Iterator[dict[str, Any]]:
        with mock_aws():
            kms, dynamodb = boto3.client("kms", "eu-west-1"), boto3.client("dynamodb", "eu-west-1")
            dynamodb.create_table(
                TableName="keys",
                BillingMode="PAY_PER_REQUEST",
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            )
            mac = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
            yield {
                "kms": kms,
                "dynamodb": dynamodb,
                "keys_table": "keys",
                "data_key": kms.create_key()["KeyMetadata"]["KeyId"],
                "mac_key": mac["KeyMetadata"]["KeyId"],
            }

    @pytest.fixture
    def clock(self) -> MovableClock:
        return MovableClock()

    @pytest.fixture
    def vault(self, aws: dict[str, Any], clock: MovableClock) -> KmsVault:
        return KmsVault(**aws, clock=clock)

    def end(self, vault: Vault, request_id: str) -> datetime | None:
        row = boto3.client("dynamodb", "eu-west-1").get_item(TableName="keys", Key={"id": {"S": request_id}})["Item"]
        return datetime.fromtimestamp(int(row["expires_at"]["N"]), UTC) if "expires_at" in row else None

    def test_another_process_opens_and_digests_alike(
        self, aws: dict[str, Any], vault: KmsVault, clock: MovableClock
    ) -> None:
        other = KmsVault(**aws, clock=clock)
        assert other.open("r1", vault.seal("r1", b"secret")) == b"secret"
        assert other.digest("person", "a") == vault.digest("person", "a")

    def test_who_loses_the_race_for_a_key_uses_the_winners(
        self, aws: dict[str, Any], vault: KmsVault, clock: MovableClock
    ) -> None:
        winner = KmsVault(**aws, clock=clock)
        sealed: list[bytes] = []
        hooks = aws["kms"].meta.events

        def overtake(**_: Any) -> None:
            hooks.unregister("after-call.kms.GenerateDataKey", overtake)
            sealed.append(winner.seal("r1", b"first"))

        hooks.register("after-call.kms.GenerateDataKey", overtake)
        late = vault.seal("r1", b"second")
        assert vault.open("r1", sealed[0]) == b"first"
        assert winner.open("r1", late) == b"second"

    def test_the_wrapped_key_is_bound_to_its_request(
        self, aws: dict[str, Any], vault: KmsVault, clock: MovableClock
    ) -> None:
        sealed = vault.seal("r1", b"secret")
        row = aws["dynamodb"].get_item(TableName="keys", Key={"id": {"S": "r1"}})["Item"]
        aws["dynamodb"].put_item(TableName="keys", Item={**row, "id": {"S": "r2"}})
        with pytest.raises(NeedsAttention):
            KmsVault(**aws, clock=clock).open("r2", sealed)

    def test_a_key_is_remembered_for_minutes_only(
        self, aws: dict[str, Any], vault: KmsVault, clock: MovableClock
    ) -> None:
        calls = count(aws, "kms.Decrypt", "kms.GenerateDataKey", "dynamodb.GetItem")
        sealed = vault.seal("r1", b"secret")
        vault.open("r1", sealed)
        assert calls == ["dynamodb.GetItem", "kms.GenerateDataKey"]
        clock.advance(REMEMBERED.total_seconds())
        vault.open("r1", sealed)
        assert calls[2:] == ["dynamodb.GetItem", "kms.Decrypt"]

    def test_few_keys_are_remembered(self, aws: dict[str, Any], vault: KmsVault) -> None:
        sealed = vault.seal("r0", b"secret")
        for number in range(1, MOST_REMEMBERED + 1):
            vault.seal(f"r{number}", b"")
        calls = count(aws, "kms.Decrypt")
        vault.open("r0", sealed)
        assert calls == ["kms.Decrypt"]

    def test_one_call_per_purpose(self, aws: dict[str, Any], vault: KmsVault) -> None:
        calls = count(aws, "kms.GenerateMac")
        for value in ("a", "b", "c"):
            vault.digest("person", value)
        vault.digest("source", "a")
        assert calls == ["kms.GenerateMac"] * 2


def count(aws: dict[str, Any], *operations: str) -> list[str]:
    """A list to which each of these calls is added."""
    calls: list[str] = []
    for operation in operations:
        service = operation.split(".")[0]

        def note(operation: str = operation, **_: Any) -> None:
            calls.append(operation)

        aws[service].meta.events.register(f"before-call.{operation}", note)
    return calls
