"""Mail through Amazon SES."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from rightful.aws.errors import translated
from rightful.ports import Attachment, Mail

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

TAGS: Final = ("subject", "kind", "number")
"""Names of the tags that carry a mail's key, `<request id>:<kind>[:<number>]`, into the provider's events."""
_NOT_IN_A_TAG: Final = re.compile(r"[^A-Za-z0-9_-]")
"""Source: SES API v2, MessageTag: letters, digits, `_` and `-`, at most 256 characters."""


class SesMailer:
    """`sender` is an address, or `Name <address>`, of an identity verified in SES."""

    def __init__(self, client: SESV2Client, sender: str, configuration_set: str = "") -> None:
        self._client = client
        self._sender = sender
        self._configuration_set = {"ConfigurationSetName": configuration_set} if configuration_set else {}

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
        with translated():
            answer = self._client.send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [mail.to]},
                Content={"Simple": content},
                EmailTags=[{"Name": name, "Value": _NOT_IN_A_TAG.sub("-", part)[:256]} for name, part in parts],
                **self._configuration_set,  # type: ignore[arg-type]  # either empty or the one text option
            )
        return answer["MessageId"]


def _attached(attachment: Attachment) -> Any:
    """SES itself makes the MIME message. Base64, because its default takes 7-bit text only."""
    return {
        "FileName": attachment.name,
        "ContentType": attachment.media_type,
        "ContentDisposition": "ATTACHMENT",
        "ContentTransferEncoding": "BASE64",
        "RawContent": attachment.body,
    }
