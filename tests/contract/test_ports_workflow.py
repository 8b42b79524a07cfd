"""What every mailer, event bus and workflow engine does: in memory, and on AWS."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.stub import Stubber
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sesv2.models import sesv2_backends

from rightful.aws.events import BusEvents
from rightful.aws.executions import SfnExecutions
from rightful.aws.mailer import TRIES, SesMailer
from rightful.entry import RESERVE
from rightful.errors import NeedsAttention, TryAgain, Undeliverable
from rightful.ports import Attachment, Events, Executions, Mail, Mailer, Quota
from tests.fakes.events import MemoryEvents
from tests.fakes.executions import MemoryExecutions
from tests.fakes.mailer import MemoryMailer

MAIL = Mail(to="ada@example.org", subject="Día", text="text é", html="<p>é</p>", key="r-1_a:dpo_approval:2")
DATES = Attachment("requests.ics", "text/calendar; charset=utf-8; method=PUBLISH", "SUMMARY:Día\r\n".encode() * 100)
ROLE = f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:role/workflow"
PASS = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}})


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws():
        yield


class MailerContract:
    def test_each_mail_has_its_message_id(self, mailer: Mailer) -> None:
        first, second = mailer.send(MAIL), mailer.send(MAIL)
        assert first
        assert first != second

    def test_a_file_goes_with_it(self, mailer: Mailer) -> None:
        assert mailer.send(replace(MAIL, attachments=(DATES,)))

    def test_what_the_provider_takes_is_told(self, mailer: Mailer) -> None:
        before = mailer.quota()
        mailer.send(MAIL)
        assert before.rate > 0
        assert before.day > 0
        assert mailer.quota().sent >= before.sent

    def test_within_a_rate_it_sends_the_same(self, mailer: Mailer) -> None:
        mailer.at_most(1000)
        assert mailer.send(MAIL)


class TestMemoryMailer(MailerContract):
    @pytest.fixture
    def mailer(self) -> MemoryMailer:
        return MemoryMailer()


class TestSesMailer(MailerContract):
    @pytest.fixture
    def client(self, aws: None) -> Any:
        client = boto3.client("sesv2", "eu-west-1")
        client.create_email_identity(EmailIdentity="privacy@example.com")
        return client

    @pytest.fixture
    def mailer(self, client: Any) -> SesMailer:
        """moto knows no GetAccount."""
        quota = {"Max24HourSend": 200.0, "MaxSendRate": 1.0, "SentLast24Hours": 0.0}
        http: Any = AWSResponse("", 200, {}, None)  # type: ignore[arg-type] # headers that nobody reads
        answer = http, {"SendQuota": quota}
        client.meta.events.register("before-call.sesv2.GetAccount", lambda **_: answer)
        return SesMailer(client, "privacy@example.com", "rightful")

    def test_the_mail_arrives_as_it_was_written(self, mailer: SesMailer) -> None:
        message_id = mailer.send(MAIL)
        [message] = sesv2_backends[DEFAULT_ACCOUNT_ID]["eu-west-1"].core_backend.sent_messages
        assert message.id == message_id
        assert message.source == "privacy@example.com"
        assert message.destinations["ToAddresses"] == ["ada@example.org"]
        assert message.subject == "Día"

    def test_a_file_is_handed_over_byte_for_byte_for_ses_to_encode(self, client: Any, mailer: SesMailer) -> None:
        """What goes over the wire is what botocore makes of it: SES, not we, writes the message and its headers."""
        bodies: list[dict[str, Any]] = []
        client.meta.events.register(
            "before-send.sesv2.SendEmail", lambda request, **_: bodies.append(json.loads(request.body))
        )
        mailer.send(MAIL)
        mailer.send(replace(MAIL, subject="Dates\r\nBcc: eve@example.org", attachments=(DATES,)))
        plain, dated = (body["Content"]["Simple"] for body in bodies)
        assert "Attachments" not in plain
        assert dated["Subject"] == {"Data": "Dates\r\nBcc: eve@example.org", "Charset": "UTF-8"}
        (attached,) = dated["Attachments"]
        assert base64.b64decode(attached.pop("RawContent")) == DATES.body
        assert attached == {
            "FileName": "requests.ics",
            "ContentType": "text/calendar; charset=utf-8; method=PUBLISH",
            "ContentDisposition": "ATTACHMENT",
            "ContentTransferEncoding": "BASE64",
        }

    def test_the_key_travels_in_tags_of_the_providers_alphabet(self, client: Any, mailer: SesMailer) -> None:
        asked: list[dict[str, Any]] = []
        client.meta.events.register("provide-client-params.sesv2.SendEmail", lambda params, **_: asked.append(params))
        mailer.send(MAIL)
        mailer.send(Mail(to="a@b.c", subject="s", text="t", html="h", key="a.b c:code"))
        assert asked[0]["EmailTags"] == [
            {"Name": "subject", "Value": "r-1_a"},
            {"Name": "kind", "Value": "dpo_approval"},
            {"Name": "number", "Value": "2"},
        ]
        assert asked[0]["ConfigurationSetName"] == "rightful"
        assert asked[1]["EmailTags"] == [{"Name": "subject", "Value": "a-b-c"}, {"Name": "kind", "Value": "code"}]

    @pytest.mark.parametrize(
        ("code", "error"),
        [
            ("TooManyRequestsException", TryAgain),
            ("MessageRejected", NeedsAttention),
            ("MailFromDomainNotVerifiedException", NeedsAttention),
            ("AccountSuspendedException", NeedsAttention),
        ],
    )
    def test_a_refusal_says_what_to_do_and_not_to_whom(
        self, client: Any, mailer: SesMailer, code: str, error: type[Exception]
    ) -> None:
        with Stubber(client) as stub:
            stub.add_client_error("send_email", code, "ada@example.org is not verified")
            with pytest.raises(error) as raised:
                mailer.send(MAIL)
        assert "ada" not in str(raised.value)

    @pytest.mark.parametrize("code", ["BadRequestException", "MessageRejected"])
    def test_a_refusal_of_this_one_mail_is_told_apart(self, client: Any, mailer: SesMailer, code: str) -> None:
        with Stubber(client) as stub:
            stub.add_client_error("send_email", code)
            with pytest.raises(Undeliverable):
                mailer.send(MAIL)

    @pytest.mark.parametrize(("said", "meant"), [(200.0, 200.0), (-1.0, math.inf)])
    def test_the_quota_is_the_accounts(self, client: Any, said: float, meant: float) -> None:
        mailer = SesMailer(client, "privacy@example.com")
        quota = {"Max24HourSend": said, "MaxSendRate": 14.0, "SentLast24Hours": 3.0}
        with Stubber(client) as stub:
            stub.add_response("get_account", {"SendQuota": quota})
            assert mailer.quota() == Quota(rate=14, day=meant, sent=3)

    def test_no_faster_than_it_may(self, client: Any) -> None:
        """The first mail goes at once; then each waits for its turn."""
        time = Time()
        mailer = SesMailer(client, "privacy@example.com", "rightful", time.clock, time.sleep)
        mailer.at_most(0.5)
        for _ in range(11):
            mailer.send(MAIL)
        assert time.now == pytest.approx(20, abs=0.1)

    @pytest.mark.parametrize("code", ["TooManyRequestsException", "ThrottlingException", "LimitExceededException"])
    def test_one_of_many_that_came_too_fast_is_tried_again_and_the_next_ones_come_slower(
        self, client: Any, code: str
    ) -> None:
        time = Time()
        mailer = SesMailer(client, "privacy@example.com", clock=time.clock, sleep=time.sleep)
        mailer.at_most(10)
        with Stubber(client) as stub:
            stub.add_client_error("send_email", code)
            for number in range(11):
                stub.add_response("send_email", {"MessageId": f"m{number}"})
            assert mailer.send(MAIL) == "m0"
            begun = time.now
            for _ in range(10):
                mailer.send(MAIL)
        assert time.now - begun > 2, "half of the rate, and then up again"

    def test_where_nothing_is_taken_it_gives_up_before_time_runs_out(self, client: Any) -> None:
        time = Time()
        mailer = SesMailer(client, "privacy@example.com", clock=time.clock, sleep=time.sleep)
        mailer.at_most(0.2)
        with Stubber(client) as stub:
            for _ in range(TRIES):
                stub.add_client_error("send_email", "TooManyRequestsException")
            with pytest.raises(TryAgain):
                mailer.send(MAIL)
        assert time.now < RESERVE


@dataclass
class Time:
    """Passes only while somebody sleeps."""

    now: float = 0.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class EventsContract:
    def test_an_event_is_taken(self, events: Events) -> None:
        events.publish("RequestStatusChanged", {"request_id": "r1", "status": "completed"})

    def test_what_is_no_json_is_refused(self, events: Events) -> None:
        with pytest.raises(TypeError):
            events.publish("RequestStatusChanged", {"at": object()})


class TestMemoryEvents(EventsContract):
    @pytest.fixture
    def events(self) -> MemoryEvents:
        return MemoryEvents()


class TestBusEvents(EventsContract):
    @pytest.fixture
    def client(self, aws: None) -> Any:
        return boto3.client("events", "eu-west-1")

    @pytest.fixture
    def events(self, client: Any) -> BusEvents:
        return BusEvents(client)

    @pytest.mark.parametrize(
        ("code", "error"), [("ThrottlingException", TryAgain), ("NotAuthorizedForSourceException", NeedsAttention)]
    )
    def test_an_entry_that_failed_is_an_error(
        self, client: Any, events: BusEvents, code: str, error: type[Exception]
    ) -> None:
        entry = {
            "Source": "rightful",
            "DetailType": "Changed",
            "Detail": '{"request_id": "r1"}',
            "EventBusName": "default",
        }
        with Stubber(client) as stub:
            stub.add_response(
                "put_events",
                {"FailedEntryCount": 1, "Entries": [{"ErrorCode": code, "ErrorMessage": "..."}]},
                {"Entries": [entry]},
            )
            with pytest.raises(error):
                events.publish("Changed", {"request_id": "r1"})


class ExecutionsContract:
    def test_starting_twice_is_starting_once(self, executions: Executions) -> None:
        executions.start("access", "r1")
        executions.start("access", "r1")
        executions.start("erasure", "r2")
        assert self.names() == ["access-r1", "erasure-r2"]

    def test_telling_of_a_version_twice_is_telling_once(self, executions: Executions) -> None:
        assert executions.announce("policy-v2-1", "v2")
        executions.announce("policy-v2-1", "v2")
        assert self.given("policy-v2-1") == [{"version": "v2"}]

    def given(self, name: str) -> list[dict[str, Any]]:
        """Inputs of the executions of that name."""
        raise NotImplementedError

    def names(self) -> list[str]:
        """Of the executions there are. Each implementation is looked into in its own way."""
        raise NotImplementedError


class TestMemoryExecutions(ExecutionsContract):
    fake: MemoryExecutions

    @pytest.fixture
    def executions(self) -> MemoryExecutions:
        self.fake = MemoryExecutions()
        return self.fake

    def names(self) -> list[str]:
        return sorted(self.fake.started)

    def given(self, name: str) -> list[dict[str, Any]]:
        return [self.fake.started[name]]

    def test_a_token_is_answered_once(self, executions: MemoryExecutions) -> None:
        executions.waiting.add("token")
        assert executions.answer("token", {"decision": "approve"})
        assert not executions.answer("token", {"decision": "reject"})
        assert not executions.answer("unknown", {"decision": "approve"})
        assert executions.answers == {"token": {"decision": "approve"}}


class TestSfnExecutions(ExecutionsContract):
    arn: str
    notice_arn: str

    @pytest.fixture
    def client(self, aws: None) -> Any:
        client = boto3.client("stepfunctions", "eu-west-1")
        self.arn = client.create_state_machine(name="PrivacyRequest", definition=PASS, roleArn=ROLE)["stateMachineArn"]
        return client

    @pytest.fixture
    def executions(self, client: Any) -> SfnExecutions:
        made = client.create_state_machine(name="PolicyNotice", definition=PASS, roleArn=ROLE)
        self.notice_arn = made["stateMachineArn"]
        return SfnExecutions(client, self.arn, notice_arn=self.notice_arn)

    def names(self) -> list[str]:
        client = boto3.client("stepfunctions", "eu-west-1")
        found = client.list_executions(stateMachineArn=self.arn)["executions"]
        inputs = [client.describe_execution(executionArn=each["executionArn"])["input"] for each in found]
        assert all(set(json.loads(given)) == {"request_id"} for given in inputs)
        return sorted(each["name"] for each in found)

    def given(self, name: str) -> list[dict[str, Any]]:
        client = boto3.client("stepfunctions", "eu-west-1")
        found = client.list_executions(stateMachineArn=self.notice_arn)["executions"]
        named = [each["executionArn"] for each in found if each["name"] == name]
        return [json.loads(client.describe_execution(executionArn=arn)["input"]) for arn in named]

    @pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
    def test_a_token_that_no_longer_waits(self, client: Any, executions: SfnExecutions, code: str) -> None:
        with Stubber(client) as stub:
            stub.add_client_error("send_task_success", code)
            assert executions.answer("token", {}) is False

    def test_of_a_round_that_ended_the_name_is_used_up(self, client: Any, executions: SfnExecutions) -> None:
        with Stubber(client) as stub:
            stub.add_client_error("start_execution", "ExecutionAlreadyExists")
            assert executions.announce("policy-v2-1", "v2") is False

    @pytest.mark.parametrize(
        ("code", "error"), [("ThrottlingException", TryAgain), ("AccessDeniedException", NeedsAttention)]
    )
    def test_other_errors_are_translated(
        self, client: Any, executions: SfnExecutions, code: str, error: type[Exception]
    ) -> None:
        with Stubber(client) as stub:
            stub.add_client_error("start_execution", code)
            stub.add_client_error("send_task_success", code)
            with pytest.raises(error):
                executions.start("access", "r1")
            with pytest.raises(error):
                executions.answer("token", {})
