"""Seeding and fingerprints against moto: what the truth says is there, is there, and no change goes unseen."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer

from infra.sample.clients import Clients, maker
from infra.sample.digest import Snapshot, item_digest, snapshot, totals, without
from infra.sample.keys import STORES, TABLES, table_name
from infra.sample.truth import Truth
from tests.unit.sample.moto_stores import REGION, described


def test_what_the_truth_says_is_in_the_stores_and_nothing_else(seeded: Snapshot, truth: Truth) -> None:
    nobodys = {"accounts/acct-0", "accounts/acct-0.txt", "accounts/", "public/logo.png"}
    for store in STORES:
        owned = {key for email in truth.people() for key in truth.person(email)[store]["keys"]}
        assert set(seeded[store]) == (owned | nobodys if store == "uploads" else owned), store
        if store in TABLES:
            assert len(seeded[store]) == truth.totals[store]


def test_versions_markers_and_unfinished_uploads_are_counted(stores: Clients, truth: Truth) -> None:
    (ada,) = truth.people("everything")
    prefix, bucket = "accounts/acct-0/", stores.bucket("uploads")
    listed = stores.s3.list_object_versions(Bucket=bucket, Prefix=prefix)
    uploads = stores.s3.list_multipart_uploads(Bucket=bucket, Prefix=prefix)
    there = len(listed["Versions"]) + len(listed["DeleteMarkers"]) + len(uploads["Uploads"])
    assert there == truth.person(ada)["uploads"]["records"]


def test_the_template_has_the_stores_that_the_sample_fills() -> None:
    tables = {
        table["TableName"]: tuple(key["AttributeName"] for key in table["KeySchema"])
        for table in described("AWS::DynamoDB::Table")
    }
    assert tables == {table_name(store): keys for store, keys in TABLES.items()}


def test_an_untouched_sample_has_the_same_fingerprints(seeded: Snapshot) -> None:
    again = snapshot(maker(None, REGION))
    assert again == seeded
    assert totals(again) == totals(seeded)
    assert tuple(totals(again)) == STORES


def change_an_attribute(stores: Clients) -> None:
    stores.dynamodb.update_item(
        TableName=stores.table("accounts"),
        Key={"account_id": {"S": "acct-1"}},
        UpdateExpression="SET first_name = :name",
        ExpressionAttributeValues={":name": {"S": "Sinead"}},
    )


def hide_a_file(stores: Clients) -> None:
    stores.s3.delete_object(Bucket=stores.bucket("uploads"), Key="accounts/acct-0/report-0.csv")


def rewrite_a_file(stores: Clients) -> None:
    stores.s3.put_object(Bucket=stores.bucket("uploads"), Key="accounts/acct-0/history.txt", Body=b"again")


def abort_an_upload(stores: Clients) -> None:
    at = {"Bucket": stores.bucket("uploads"), "Key": "accounts/acct-0/unfinished.bin"}
    upload = stores.s3.list_multipart_uploads(Bucket=at["Bucket"])["Uploads"][0]
    stores.s3.abort_multipart_upload(Bucket=at["Bucket"], Key=upload["Key"], UploadId=upload["UploadId"])


def change_a_line(stores: Clients) -> None:
    bucket = stores.bucket("usage_events")
    key = stores.s3.list_objects_v2(Bucket=bucket)["Contents"][0]["Key"]
    lines = gzip.decompress(stores.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    stores.s3.put_object(Bucket=bucket, Key=key, Body=gzip.compress(lines.replace(b"Mozilla", b"Opera", 1)))


@pytest.mark.parametrize(
    ("change", "store"),
    [
        (change_an_attribute, "accounts"),
        (hide_a_file, "uploads"),
        (rewrite_a_file, "uploads"),
        (abort_an_upload, "uploads"),
        (change_a_line, "usage_events"),
    ],
)
def test_one_change_changes_one_record_and_its_stores_total(
    change: Callable[[Clients], None], store: str, stores: Clients, truth: Truth
) -> None:
    before = snapshot(maker(None, REGION))
    change(stores)
    after = snapshot(maker(None, REGION))
    changed = [key for key in before[store] | after[store] if before[store].get(key) != after[store].get(key)]
    assert len(changed) == 1
    differing = {name for name in STORES if totals(before)[name] != totals(after)[name]}
    assert differing == {store}
    assert without(before, {store: changed}) == without(after, {store: changed})


def item(**values: Any) -> dict[str, Any]:
    serialise = TypeSerializer().serialize
    return {name: serialise(value) for name, value in values.items()}


def test_order_of_names_and_of_set_elements_does_not_count() -> None:
    one = {"a": {"SS": ["x", "y"]}, "b": {"BS": [b"1", b"2"]}, "c": {"M": {"SS": {"S": "x"}, "d": {"N": "1"}}}}
    other = {"c": {"M": {"d": {"N": "1"}, "SS": {"S": "x"}}}, "b": {"BS": [b"2", b"1"]}, "a": {"SS": ["y", "x"]}}
    assert item_digest(one) == item_digest(other)  # type: ignore[arg-type]  # bare literals


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (item(a="1"), item(a=1)),
        (item(a=["x", "y"]), item(a=["y", "x"])),
        (item(a=["x"]), item(a={"x"})),
        (item(a=None), item()),
        (item(a=b"x"), item(a="eA==")),
        (item(a="é"), item(a="e\u0301")),
        (item(a={}), item(a=[])),
    ],
)
def test_types_and_order_of_lists_count(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert item_digest(one) != item_digest(other)
