"""What botocore raises, translated once into what the caller does about it.

Messages name the operation and the error code, never AWS's own text: that text may quote keys and values.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from botocore import exceptions as botocore
from botocore.parsers import ResponseParserError

from rightful.errors import NeedsAttention, TryAgain

THROTTLES: Final = frozenset(
    {
        "BandwidthLimitExceeded",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
PASSING: Final = THROTTLES | {
    "ExpiredToken",
    "ExpiredTokenException",
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "OperationAborted",
    "RequestExpired",
    "RequestTimeTooSlow",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "TransactionConflictException",
}
"""Error codes after which the same call may succeed. Credentials that ran out are renewed before the next try.
Sources: "Error codes" in the API references of S3, DynamoDB and STS; botocore's `data/_retry.json`."""

_PASSING_FAULTS: Final = (
    botocore.HTTPClientError,  # a connection that was cut or fell silent
    botocore.ConnectionError,  # one that did not come about: time-out, refused, TLS, proxy
    botocore.IncompleteReadError,
    ResponseParserError,  # a 5xx whose body is a proxy's page
    botocore.ChecksumError,
    botocore.FlexibleChecksumError,
    botocore.CredentialRetrievalError,
    botocore.MetadataRetrievalError,
)


def error_code(error: botocore.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


def from_code(operation: str, code: str, status: int = 400) -> TryAgain | NeedsAttention:
    """The error for an AWS error code. `status` is the HTTP status; 5xx and 429 pass whatever the code."""
    message = f"{operation} answered {code}"
    if code in PASSING or status >= 500 or status == 429:
        return TryAgain(message)
    return NeedsAttention(message)


def translate(error: botocore.ClientError | botocore.BotoCoreError | ResponseParserError) -> TryAgain | NeedsAttention:
    if isinstance(error, botocore.ClientError):
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400))
        return from_code(error.operation_name, error_code(error), status)
    kind = type(error).__name__
    return TryAgain(kind) if isinstance(error, _PASSING_FAULTS) else NeedsAttention(kind)


@contextmanager
def translated() -> Iterator[None]:
    """Raises TryAgain or NeedsAttention in place of botocore's errors, whose texts stay out of every traceback."""
    try:
        yield
    except (botocore.ClientError, botocore.BotoCoreError, ResponseParserError) as error:
        raise translate(error) from None
