"""Mail through Amazon SES."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from rightful.aws.errors import THROTTLES, error_code, translated
from rightful.errors import TryAgain, Undeliverable
from rightful.pace import Pace
from rightful.ports import Attachment, Mail, Quota

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

TAGS: Final = ("subject", "kind", "number")
"""Names of the tags that carry a mail's key, `<request id>:<kind>[:<number>]`, into the provider's events."""
_NOT_IN_A_TAG: Final = re.compile(r"[^A-Za-z0-9_-]")
"""Source: SES API v2, MessageTag: letters, digits, `_` and `-`, at most 256 characters."""
TOO_FAST: Final = THROTTLES | {"LimitExceededException"}
"""Error codes that say that SES did not take the mail because it has taken enough for now: of the second, or of the
day. Source: SES developer guide, "Errors related to the sending quotas"."""
OF_THIS_MAIL: Final = frozenset({"BadRequestException", "MessageRejected"})
"""Error codes that speak of the one mail. Source: SES API v2, SendEmail."""
TRIES: Final = 4
"""Of a mail that came too fast, where it is one of many."""
LEAST_RATE: Final = 0.1
"""Mails a second that coming too fast never takes away."""


class SesMailer:
    """`sender` is an address, or `Name <address>`, of an identity verified in SES."""

    def __init__(
        self,
        client: SESV2Client,
        sender: str,
        configuration_set: str = "",
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._sender = sender
        self._configuration_set = {"ConfigurationSetName": configuration_set} if configuration_set else {}
        self._clock, self._sleep = clock, sleep
        self._pace: Pace | None = None

    def send(self, mail: Mail) -> str:
        parts = zip(TAGS, mail.key.split(":"), strict=False)
        content: Any = {
            "Subject": {"Data": mail.subject, "Charset": "UTF-8"},
            "Body": {
                "Text": {"Data": mail.text, "Charset": "UTF-8"},
                "Html": {"Data": mail.html, "Charset": "UTF-8"},
            },
        }
        if mail.attachments:
            content["Attachments"] = [_attached(attachment) for attachment in mail.attachments]
        if mail.headers:
            content["Headers"] = [{"Name": name, "Value": value} for name, value in mail.headers]
        question = {
            "FromEmailAddress": self._sender,
            "Destination": {"ToAddresses": [mail.to]},
            "Content": {"Simple": content},
            "EmailTags": [{"Name": name, "Value": _NOT_IN_A_TAG.sub("-", part)[:256]} for name, part in parts],
            **self._configuration_set,
        }
        with translated():
            return self._in_turn(question, self._pace) if self._pace else self._hand_over(question)

    def quota(self) -> Quota:
        with translated():
            said = self._client.get_account()["SendQuota"]
        day = said["Max24HourSend"]
        return Quota(said["MaxSendRate"], math.inf if day < 0 else day, said["SentLast24Hours"])

    def at_most(self, rate: float) -> None:
        if self._pace is None:
            self._pace = Pace(rate, self._clock, self._sleep, least=LEAST_RATE)
        self._pace.limit(rate)

    def _in_turn(self, question: dict[str, Any], pace: Pace) -> str:
        """A refusal because of the rate is known not to have sent anything, so it may be tried again here."""
        for tries in range(TRIES):
            pace.wait()
            try:
                message_id = self._hand_over(question)
            except ClientError as error:
                if error_code(error) not in TOO_FAST:
                    raise
                pace.throttled()
                pace.back_off(tries)
            else:
                pace.spent(1)
                return message_id
        raise TryAgain("SendEmail took no more")

    def _hand_over(self, question: dict[str, Any]) -> str:
        try:
            return str(self._client.send_email(**question)["MessageId"])
        except ClientError as error:
            code = error_code(error)
            if code in OF_THIS_MAIL:
                raise Undeliverable(f"SendEmail answered {code}") from None
            raise


def _attached(attachment: Attachment) -> Any:
    """SES itself makes the MIME message. Base64, because its default takes 7-bit text only."""
    return {
        "FileName": attachment.name,
        "ContentType": attachment.media_type,
        "ContentDisposition": "ATTACHMENT",
        "ContentTransferEncoding": "BASE64",
        "RawContent": attachment.body,
    }
