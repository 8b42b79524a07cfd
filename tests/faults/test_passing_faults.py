"""What the network and AWS do now and then is told from what only a person can mend, and says nothing of anybody."""

from __future__ import annotations

import pytest
from botocore import exceptions as botocore

from rightful.aws.errors import PASSING, translate, translated
from rightful.errors import NeedsAttention, TryAgain

SECRET = "ada@example.org"
URL = f"https://dynamodb.eu-west-1.amazonaws.com/{SECRET}"


def answer(code: str, status: int = 400) -> botocore.ClientError:
    return botocore.ClientError(
        {"Error": {"Code": code, "Message": SECRET}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item] # real answers hold no more
        "PutItem",
    )


@pytest.mark.parametrize(
    "error",
    [
        botocore.ConnectTimeoutError(endpoint_url=URL),
        botocore.ReadTimeoutError(endpoint_url=URL),
        botocore.EndpointConnectionError(endpoint_url=URL, error=SECRET),
        botocore.ConnectionClosedError(endpoint_url=URL),
        botocore.SSLError(endpoint_url=URL, error=ValueError(SECRET)),
        botocore.ProxyConnectionError(proxy_url=URL, error=SECRET),
        botocore.HTTPClientError(error=SECRET),
        botocore.IncompleteReadError(actual_bytes=1, expected_bytes=2),
        *(answer(code) for code in sorted(PASSING)),
        answer("AnythingNew", 503),
        answer("AnythingNew", 429),
    ],
    ids=lambda error: str(error.response["Error"]["Code"] if isinstance(error, botocore.ClientError) else type(error)),
)
def test_a_fault_that_passes_is_tried_again(error: botocore.BotoCoreError | botocore.ClientError) -> None:
    translation = translate(error)
    assert type(translation) is TryAgain
    assert SECRET not in str(translation)


@pytest.mark.parametrize(
    "error",
    [
        answer("AccessDeniedException"),
        answer("ResourceNotFoundException"),
        answer("ValidationException"),
        answer("ConditionalCheckFailedException"),
        botocore.NoCredentialsError(),
        botocore.ParamValidationError(report=SECRET),
    ],
    ids=lambda error: str(error.response["Error"]["Code"] if isinstance(error, botocore.ClientError) else type(error)),
)
def test_a_fault_that_lasts_needs_a_person(error: botocore.BotoCoreError | botocore.ClientError) -> None:
    translation = translate(error)
    assert type(translation) is NeedsAttention
    assert SECRET not in str(translation)


def test_the_foreign_error_is_not_shown_with_its_translation() -> None:
    with pytest.raises(TryAgain) as raised, translated():
        raise botocore.ConnectTimeoutError(endpoint_url=URL)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__
