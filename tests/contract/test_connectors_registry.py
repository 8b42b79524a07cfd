"""What is promised of every kind of store: its shapes, its words on a wrong data map, its errors, how it signs in."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import is_dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from botocore import exceptions as botocore

from rightful.aws.errors import translated
from rightful.errors import NeedsAttention, RightfulError, TryAgain
from rightful.model import Erasure, Locator, Retention, Store, Strategy, Verb
from rightful.stores import sessions
from rightful.stores.registry import CONNECTORS
from tests.contract.connector_suite import store

TABLE = {"table": "people", "key": ["pk", "sk"]}
BUCKET = {"bucket": "uploads", "prefix": "app/"}
KEY = "arn:${AWS::Partition}:kms:eu-west-1:${AWS::AccountId}:key/1234abcd-12ab"


@pytest.mark.parametrize("name", CONNECTORS)
def test_every_kind_names_itself_and_its_shapes(name: str) -> None:
    kind = CONNECTORS[name]
    assert kind.name == name
    for shape in (kind.Settings, kind.Through):
        assert is_dataclass(shape)
        assert shape.__pydantic_config__ == {"extra": "forbid"}  # type: ignore[attr-defined] # set by each class


def test_the_registry_loads_without_boto3() -> None:
    code = "import sys, rightful.stores.registry; sys.exit('boto3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("connector", "settings", "through", "path"),
    [
        ("dynamodb", {"table": "", "key": ["pk"]}, {"key": "pk"}, "settings.table"),
        ("dynamodb", {"table": "t", "key": []}, {"key": "pk"}, "settings.key"),
        ("dynamodb", {"table": "t", "key": ["a", "a"]}, {"key": "a"}, "settings.key"),
        ("dynamodb", TABLE, {}, "locate.0.through"),
        ("dynamodb", TABLE, {"key": "pk", "attribute": "email", "scan": "allowed"}, "locate.0.through"),
        ("dynamodb", TABLE, {"key": "email"}, "locate.0.through.key"),
        ("dynamodb", TABLE, {"key": "sk"}, "locate.0.through.key"),
        ("dynamodb", TABLE, {"attribute": "email"}, "locate.0.through.attribute"),
        ("dynamodb", TABLE, {"attribute": "a..b", "scan": "allowed"}, "locate.0.through.attribute"),
        ("dynamodb", TABLE, {"attribute": "a", "scan": "allowed", "index": "i"}, "locate.0.through.index"),
        ("dynamodb", TABLE, {"key": "pk", "scan": "allowed"}, "locate.0.through.scan"),
        ("dynamodb", TABLE, {"key": "pk", "value": "ACCOUNT#"}, "locate.0.through.value"),
        ("dynamodb", TABLE, {"key": "pk", "value": "{}#", "type": "N"}, "locate.0.through.value"),
        ("dynamodb", TABLE, {"key": "pk", "sort_key": "sk"}, "locate.0.through.sort_prefix"),
        ("dynamodb", TABLE, {"key": "pk", "sort_key": "x", "sort_prefix": "y"}, "locate.0.through.sort_key"),
        ("dynamodb", {**TABLE, "kms_key": f"{KEY}/abc/d"}, {"key": "pk"}, "settings.kms_key"),
        ("dynamodb", {**TABLE, "kms_key": "alias/mine"}, {"key": "pk"}, "settings.kms_key"),
        ("s3_objects", {"bucket": ""}, {"prefix": "{}/"}, "settings.bucket"),
        ("s3_objects", {**BUCKET, "kms_key": "1234abcd"}, {"prefix": "{}/"}, "settings.kms_key"),
        ("s3_objects", {"bucket": "b", "prefix": "app"}, {"prefix": "{}/"}, "settings.prefix"),
        ("s3_objects", BUCKET, {}, "locate.0.through"),
        ("s3_objects", BUCKET, {"prefix": "{}/", "tag": "owner"}, "locate.0.through"),
        ("s3_objects", BUCKET, {"prefix": "accounts/{}"}, "locate.0.through.prefix"),
        ("s3_objects", BUCKET, {"prefix": "accounts/{}-/"}, "locate.0.through.prefix"),
        ("s3_objects", BUCKET, {"prefix": "accounts/"}, "locate.0.through.prefix"),
        ("s3_objects", BUCKET, {"prefix": "{}/{}/"}, "locate.0.through.prefix"),
        ("s3_objects", BUCKET, {"prefix": "{}/", "scan": "allowed"}, "locate.0.through.scan"),
        ("s3_objects", BUCKET, {"tag": "owner"}, "locate.0.through.tag"),
        ("s3_objects", BUCKET, {"metadata": "owner"}, "locate.0.through.metadata"),
    ],
)
def test_a_wrong_map_is_told_where_and_how_to_mend_it(
    connector: str, settings: dict[str, Any], through: dict[str, Any], path: str
) -> None:
    problems = list(CONNECTORS[connector].check(store(connector, settings, through)))
    assert [problem[0] for problem in problems] == [path]
    assert all(what and cure for _, what, cure in problems)


def test_keys_cannot_be_anonymised_nor_objects_at_all() -> None:
    redact = {"sk.part": Strategy(strategy="redact"), "name": Strategy(strategy="null")}
    table = replace(
        store("dynamodb", TABLE, {"key": "pk"}),
        erasure=Erasure(action="anonymise", fields=redact),
        retention=Retention(period="P1Y", since="at", action="anonymise", fields=redact),
    )
    assert [problem[0] for problem in CONNECTORS["dynamodb"].check(table)] == [
        "erasure.fields.sk.part",
        "retention.fields.sk.part",
    ]
    bucket = store("s3_objects", BUCKET, {"prefix": "{}/"}, "anonymise")
    assert [problem[0] for problem in CONNECTORS["s3_objects"].check(bucket)] == ["erasure.action"]


def actions(of: Store) -> set[str]:
    grants = CONNECTORS[of.connector].permissions(of, "erase")
    return {action.partition(":")[2] for grant in grants for action in grant["actions"]}


def test_what_is_kept_for_good_needs_no_leave_to_change_it() -> None:
    table = store("dynamodb", TABLE, {"key": "pk"}, "keep")
    bucket = store("s3_objects", BUCKET, {"prefix": "{}/"}, "keep")
    assert actions(table) == {"Query"}
    assert actions(bucket) == {"ListBucketVersions", "ListBucketMultipartUploads"}
    until = Erasure(action="keep", period="P10Y", since="at")
    assert "DeleteItem" in actions(replace(table, erasure=until))
    assert "DeleteObjectVersion" in actions(replace(bucket, erasure=until))
    assert "UpdateItem" in actions(store("dynamodb", TABLE, {"key": "pk"}, "anonymise"))


def test_each_way_to_look_up_adds_what_it_calls() -> None:
    table = store("dynamodb", TABLE, {"key": "pk"})
    ways = [*table.locate, Locator(by="email", through={"key": "email", "index": "by_email"})]
    prefix = "arn:${AWS::Partition}:dynamodb:eu-west-1:${AWS::AccountId}:table/people"
    assert CONNECTORS["dynamodb"].permissions(replace(table, locate=ways), "discover") == [
        {"actions": ["dynamodb:BatchGetItem", "dynamodb:Query"], "resources": [prefix]},
        {"actions": ["dynamodb:Query"], "resources": [f"{prefix}/index/by_email"]},
    ]
    assert "dynamodb:${AWS::Region}:" in str(CONNECTORS["dynamodb"].permissions(replace(table, region=""), "discover"))


@pytest.mark.parametrize(
    ("connector", "settings", "through", "service", "verbs"),
    [
        ("dynamodb", TABLE, {"key": "pk"}, "dynamodb", {"discover", "export", "erase"}),
        ("s3_objects", BUCKET, {"prefix": "{}/"}, "s3", {"package"}),
    ],
)
def test_a_store_under_a_key_of_the_operators_may_be_decrypted_where_it_is_read(
    connector: str, settings: dict[str, Any], through: dict[str, Any], service: str, verbs: set[Verb]
) -> None:
    """And through that service only: the functions cannot use the key on anything else."""
    kind, plain = CONNECTORS[connector], store(connector, settings, through)
    encrypted = replace(plain, settings={**settings, "kms_key": KEY})
    assert list(kind.check(encrypted)) == []
    allowed = {"actions": ["kms:Decrypt"], "resources": [KEY], "via": f"{service}.eu-west-1.${{AWS::URLSuffix}}"}
    for verb in get_args(Verb):
        more = [allowed] if verb in verbs else []
        assert kind.permissions(encrypted, verb) == [*kind.permissions(plain, verb), *more], verb


def client_error(code: str, status: int = 400) -> botocore.ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": "ada@example.com"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return botocore.ClientError(response, "PutItem")


@pytest.mark.parametrize(
    ("error", "expected", "message"),
    [
        (client_error("ProvisionedThroughputExceededException"), TryAgain, "PutItem answered Provisioned"),
        (client_error("ThrottlingException"), TryAgain, "PutItem"),
        (client_error("SlowDown", 503), TryAgain, "PutItem"),
        (client_error("Unheard", 500), TryAgain, "PutItem"),
        (client_error("Unheard", 429), TryAgain, "PutItem"),
        (client_error("ExpiredTokenException"), TryAgain, "PutItem"),
        (client_error("AccessDeniedException"), NeedsAttention, "PutItem answered AccessDenied"),
        (client_error("AccessDenied", 403), NeedsAttention, "PutItem"),
        (client_error("ResourceNotFoundException"), NeedsAttention, "PutItem"),
        (client_error("ValidationException"), NeedsAttention, "PutItem"),
        (botocore.ReadTimeoutError(endpoint_url="https://x/ada@example.com"), TryAgain, "ReadTimeoutError"),
        (botocore.ConnectTimeoutError(endpoint_url="https://x/ada@example.com"), TryAgain, "ConnectTimeoutError"),
        (botocore.EndpointConnectionError(endpoint_url="https://x/ada@example.com"), TryAgain, "EndpointConnection"),
        (botocore.ConnectionClosedError(endpoint_url="https://x/ada@example.com"), TryAgain, "ConnectionClosed"),
        (botocore.ParamValidationError(report="ada@example.com"), NeedsAttention, "ParamValidationError"),
        (botocore.NoCredentialsError(), NeedsAttention, "NoCredentialsError"),
    ],
)
def test_botocores_errors_become_what_the_caller_does(
    error: Exception, expected: type[RightfulError], message: str
) -> None:
    with pytest.raises(expected, match=message) as raised, translated():
        raise error
    assert type(raised.value) is expected
    assert "ada@" not in str(raised.value)
    assert raised.value.__suppress_context__


def test_errors_of_our_own_and_mistakes_in_the_code_pass_unchanged() -> None:
    for error in (NeedsAttention("x"), KeyError("x")):
        with pytest.raises(type(error)) as raised, translated():
            raise error
        assert raised.value is error


class Sts:
    """Gives credentials that end before they are used again."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []

    def client(self, service: str, **options: Any) -> Sts:
        assert (service, options["region_name"]) == ("sts", "eu-west-1")
        return self

    def assume_role(self, **asked: str) -> dict[str, Any]:
        self.asked.append(asked)
        number = len(self.asked)
        return {
            "Credentials": {
                "AccessKeyId": f"key-{number}",
                "SecretAccessKey": "secret",
                "SessionToken": "token",
                "Expiration": datetime.now(UTC) + timedelta(seconds=1 if number == 1 else 3600),
            }
        }


def test_a_store_in_another_account_is_reached_through_its_role_and_credentials_are_renewed() -> None:
    sts = Sts()
    there = replace(store("dynamodb", TABLE, {"key": "pk"}), role_arn="arn:aws:iam::1:role/r", external_id="ours")
    made = sessions.client(there, sts, "dynamodb")
    assert made.meta.region_name == "eu-west-1"
    assert sts.asked == []
    credentials = made._get_credentials()
    assert [credentials.get_frozen_credentials().access_key for _ in range(3)] == ["key-1", "key-2", "key-2"]
    assert sts.asked[0] == {"RoleArn": there.role_arn, "RoleSessionName": "rightful", "ExternalId": "ours"}
