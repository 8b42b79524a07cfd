"""An account with Rightful's own resources and the sample's stores, made by hand: on an emulator, or in moto."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from tests.unit.sample.moto_stores import described

REGION: Final = "eu-west-1"
SENDER: Final = "privacy@example.com"
REQUESTS, KEYS, EXPORTS, EVIDENCE = "bench-requests", "bench-keys", "bench-exports", "bench-evidence"
CONTROL: Final = (REQUESTS, KEYS)
"""Tables of Rightful's own."""
OWN_BUCKETS: Final = (EXPORTS, EVIDENCE)
_IN_REGION: Any = {"LocationConstraint": REGION}

MakeClient = Callable[[str], Any]
"""Service name -> client."""


def prepare(client: MakeClient) -> dict[str, str]:
    """Makes everything; the environment that `rightful.wiring` reads."""
    account = client("sts").get_caller_identity()["Account"]
    _stores(client, account)
    client("dynamodb").create_table(
        **_table(REQUESTS, ("pk", "sk"), by_person=("person", "received_at"), by_due=("open", "due_at"))
    )
    client("dynamodb").create_table(**_table(KEYS, ("id",)))
    client("s3").create_bucket(Bucket=EXPORTS, CreateBucketConfiguration=_IN_REGION)
    client("s3").create_bucket(Bucket=EVIDENCE, CreateBucketConfiguration=_IN_REGION, ObjectLockEnabledForBucket=True)
    client("sesv2").create_email_identity(EmailIdentity=SENDER)
    role = client("iam").create_role(RoleName="workflow", AssumeRolePolicyDocument="{}")["Role"]
    machine = client("stepfunctions").create_state_machine(
        name="PrivacyRequest",
        definition=json.dumps({"StartAt": "Begun", "States": {"Begun": {"Type": "Succeed"}}}),
        roleArn=role["Arn"],
    )
    keys = client("kms")
    return {
        "ACCOUNT_ID": account,
        "AWS_REGION": REGION,
        "REQUESTS_TABLE": REQUESTS,
        "KEYS_TABLE": KEYS,
        "EXPORTS_BUCKET": EXPORTS,
        "DATA_KEY_ID": keys.create_key()["KeyMetadata"]["KeyId"],
        "HMAC_KEY_ID": keys.create_key(KeyUsage="GENERATE_VERIFY_MAC", KeySpec="HMAC_256")["KeyMetadata"]["KeyId"],
        "RECEIPT_KEY_ID": keys.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")["KeyMetadata"]["KeyId"],
        "EVIDENCE_BUCKET": EVIDENCE,
        "STATE_MACHINE_ARN": machine["stateMachineArn"],
        "MAIL_FROM": SENDER,
        "SOURCE_LIMIT_PER_HOUR": "100000",
    }


def _stores(client: MakeClient, account: str) -> None:
    """The stores of infra/sample/template.yaml, without what costs time and changes no call."""
    for table in described("AWS::DynamoDB::Table"):
        kept = ("TableName", "BillingMode", "KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes")
        client("dynamodb").create_table(**{name: table[name] for name in kept if name in table})
    for bucket in described("AWS::S3::Bucket"):
        name = bucket["BucketName"].replace("${AWS::AccountId}", account)
        client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=_IN_REGION)
        if versioning := bucket.get("VersioningConfiguration"):
            client("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration=versioning)


def _table(name: str, key: tuple[str, ...], **indexes: tuple[str, str]) -> dict[str, Any]:
    def schema(names: tuple[str, ...]) -> list[dict[str, str]]:
        return [{"AttributeName": n, "KeyType": kind} for n, kind in zip(names, ("HASH", "RANGE"), strict=False)]

    used = dict.fromkeys([*key, *(attribute for names in indexes.values() for attribute in names)])
    request: dict[str, Any] = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": schema(key),
        "AttributeDefinitions": [{"AttributeName": attribute, "AttributeType": "S"} for attribute in used],
    }
    if indexes:
        request["GlobalSecondaryIndexes"] = [
            {"IndexName": index, "KeySchema": schema(names), "Projection": {"ProjectionType": "KEYS_ONLY"}}
            for index, names in indexes.items()
        ]
    return request
