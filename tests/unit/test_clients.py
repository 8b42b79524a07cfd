"""AWS clients are made once, when asked for, and behave as their uses need."""

from __future__ import annotations

import subprocess
import sys
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import UnknownServiceError

from rightful.aws.clients import SERVICES, Clients


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Clients:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    return Clients("eu-west-1")


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_that_is_used_can_be_reached(clients: Clients, service: str) -> None:
    client = clients.get(service)
    assert client.meta.region_name == "eu-west-1"
    assert clients.get(service) is client


def test_another_service_is_a_plain_error(clients: Clients) -> None:
    with pytest.raises(UnknownServiceError):
        clients.get("ec2")


def test_a_mail_is_tried_once_and_the_rest_more_often(clients: Clients) -> None:
    assert clients.get("sesv2").meta.config.retries["total_max_attempts"] == 1
    assert clients.get("dynamodb").meta.config.retries["total_max_attempts"] > 1


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_links_are_signed_with_version_4_for_the_region(clients: Clients, region: str) -> None:
    s3 = clients.client("s3", region_name=region)
    link = urlsplit(s3.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"}, ExpiresIn=300))
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in link.query
    assert region in link.query


def test_options_win_over_the_defaults(clients: Clients) -> None:
    client = clients.client("dynamodb", region_name="us-west-2", aws_access_key_id="a", aws_secret_access_key="b")
    assert client.meta.region_name == "us-west-2"
    assert client is not clients.get("dynamodb")


def test_boto3_is_not_loaded() -> None:
    program = (
        "import sys, rightful.aws.clients, rightful.aws.table, rightful.aws.vault, rightful.aws.files;"
        "import rightful.aws.mailer, rightful.aws.events, rightful.aws.executions, rightful.aws.limits;"
        "sys.exit(any(name in sys.modules for name in ('boto3', 'pydantic', 'jinja2')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
