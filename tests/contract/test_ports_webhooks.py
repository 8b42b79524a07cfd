"""What every way of posting webhooks does: in memory, and over HTTPS to a server on this machine."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from moto import mock_aws

from rightful.aws import webhooks as https
from rightful.aws.clients import Clients
from rightful.aws.outbound import Https, public
from rightful.aws.webhooks import HttpsWebhooks, key_of
from rightful.errors import NeedsAttention, TryAgain
from rightful.ports import Webhooks
from tests.fakes.clock import START, MovableClock
from tests.fakes.receiver import HOST, Receiver, receiver
from tests.fakes.webhooks import MemoryWebhooks

KEY = bytes(range(32))
BODY = b'{"type": "erasure.requested"}'
MESSAGE = "erasure-r1-billing"
HERE = "127.0.0.1"


class Desk(Protocol):
    """One receiver, as a test sees it."""

    url: str
    secret: str

    def answers(self, *statuses: int) -> None: ...

    def took(self) -> list[tuple[str, Any]]:
        """(message id, JSON) of each message it answered 2xx."""


class WebhooksContract:
    """Needs the fixtures `desk` and `webhooks`."""

    def test_a_message_arrives_with_its_id(self, webhooks: Webhooks, desk: Desk) -> None:
        webhooks.post(desk.url, desk.secret, BODY, MESSAGE)
        assert desk.took() == [(MESSAGE, json.loads(BODY))]

    @pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
    def test_another_try_may_help(self, webhooks: Webhooks, desk: Desk, status: int) -> None:
        desk.answers(status)
        with pytest.raises(TryAgain, match=f"^the webhook answered {status}$"):
            webhooks.post(desk.url, desk.secret, BODY, MESSAGE)
        desk.answers(200)
        webhooks.post(desk.url, desk.secret, BODY, MESSAGE)
        assert desk.took() == [(MESSAGE, json.loads(BODY))]

    @pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 403, 404, 410, 422])
    def test_no_other_try_would_help(self, webhooks: Webhooks, desk: Desk, status: int) -> None:
        desk.answers(status)
        with pytest.raises(NeedsAttention, match=f"^the webhook answered {status}$"):
            webhooks.post(desk.url, desk.secret, BODY, MESSAGE)
        assert desk.took() == []

    @pytest.mark.parametrize("status", [200, 201, 202, 204])
    def test_any_success_will_do(self, webhooks: Webhooks, desk: Desk, status: int) -> None:
        desk.answers(status)
        webhooks.post(desk.url, desk.secret, BODY, MESSAGE)
        assert len(desk.took()) == 1


class MemoryDesk:
    url, secret = "https://memory.example/", "arn"

    def __init__(self) -> None:
        self.webhooks = MemoryWebhooks()

    def answers(self, *statuses: int) -> None:
        (self.webhooks.answers[self.url],) = statuses

    def took(self) -> list[tuple[str, Any]]:
        return [(message_id, body) for _, message_id, body in self.webhooks.received]


class TestMemoryWebhooks(WebhooksContract):
    @pytest.fixture
    def desk(self) -> MemoryDesk:
        return MemoryDesk()

    @pytest.fixture
    def webhooks(self, desk: MemoryDesk) -> MemoryWebhooks:
        return desk.webhooks


class HttpsDesk:
    def __init__(self, server: Receiver, secret: str) -> None:
        self.server, self.url, self.secret = server, server.url, secret
        self._answered: list[int] = []

    def answers(self, *statuses: int) -> None:
        self.server.statuses[:] = statuses
        self._answered += statuses

    def took(self) -> list[tuple[str, Any]]:
        answered = [*self._answered, *[200] * len(self.server.came)]
        came = zip(answered, self.server.came, strict=False)
        return [(headers["webhook-id"], json.loads(body)) for status, (_, headers, body) in came if status < 300]


class Names:
    """A DNS whose answers change: each list once, the last for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append((host, port))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class TestHttpsWebhooks(WebhooksContract):
    @pytest.fixture
    def clients(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        with mock_aws():
            yield Clients("us-east-1")

    @pytest.fixture
    def secret(self, clients: Clients) -> str:
        text = "whsec_" + base64.b64encode(KEY).decode()
        made = clients.get("secretsmanager", "eu-west-1").create_secret(Name="rightful/billing", SecretString=text)
        return str(made["ARN"])

    @pytest.fixture
    def server(self, tmp_path: Path) -> Iterator[Receiver]:
        with receiver(tmp_path) as running:
            yield running

    @pytest.fixture
    def desk(self, server: Receiver, secret: str) -> HttpsDesk:
        return HttpsDesk(server, secret)

    @pytest.fixture
    def names(self) -> Names:
        return Names([HERE])

    @pytest.fixture
    def clock(self) -> MovableClock:
        return MovableClock()

    @pytest.fixture
    def webhooks(self, clients: Clients, clock: MovableClock, names: Names, server: Receiver) -> HttpsWebhooks:
        return self.made(clients, clock, names, server)

    def made(self, clients: Clients, clock: MovableClock, names: Names, server: Receiver, **more: Any) -> HttpsWebhooks:
        """With time-outs that a test can wait for; this machine counts as public."""
        options = {
            "resolve": names,
            "allowed": lambda address: address == HERE,
            "tls": lambda: ssl.create_default_context(cadata=server.trust),
            "connect": 2.0,
            "answer": 5.0,
        }
        https = Https("the webhook", **{**options, **more})
        return HttpsWebhooks(lambda region: clients.get("secretsmanager", region), clock, https)

    def test_it_is_signed_as_the_receiver_computes_it(self, webhooks: Webhooks, desk: HttpsDesk) -> None:
        webhooks.post(desk.url, desk.secret, BODY, MESSAGE)
        ((path, headers, body),) = desk.server.came
        signed = b".".join([MESSAGE.encode(), str(int(START.timestamp())).encode(), BODY])
        expected = base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256)).decode()
        assert (path, body) == ("/erasures?team=1", BODY)
        assert headers["webhook-signature"] == f"v1,{expected}"
        assert headers["webhook-timestamp"] == str(int(START.timestamp()))
        assert headers["host"] == f"{HOST}:{desk.server.port}"
        assert headers["content-type"] == "application/json"

    def test_the_signature_is_that_of_the_specifications_example(self) -> None:
        """The example of the reference libraries of Standard Webhooks (`test_sign_function`)."""
        key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        signature = https.sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
        assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

    def test_a_name_is_looked_up_once_and_the_connection_goes_where_it_was_looked_at(
        self, clients: Clients, clock: MovableClock, server: Receiver, desk: HttpsDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """DNS rebinding: the second answer would be another address."""
        connected: list[Any] = []
        connect = socket.create_connection

        def noted(to: Any, *rest: Any) -> socket.socket:
            connected.append(to)
            return connect(to, *rest)

        monkeypatch.setattr(socket, "create_connection", noted)
        names = Names([HERE], ["127.0.0.2"])
        self.made(clients, clock, names, server).post(desk.url, desk.secret, BODY, MESSAGE)
        assert names.asked == [(HOST, server.port)]
        assert connected == [(HERE, server.port)]
        assert len(server.came) == 1

    @pytest.mark.parametrize("answer", [["10.0.0.1"], [HERE, "10.0.0.1"], ["::1", HERE], []])
    def test_of_a_hosts_addresses_every_one_must_be_public(
        self, clients: Clients, clock: MovableClock, server: Receiver, desk: HttpsDesk, answer: list[str]
    ) -> None:
        with pytest.raises(NeedsAttention, match="not public"):
            self.made(clients, clock, Names(answer), server).post(desk.url, desk.secret, BODY, MESSAGE)
        assert server.came == []

    def test_as_it_ships_it_posts_to_no_machine_of_a_network_of_ours(
        self, clients: Clients, clock: MovableClock, server: Receiver, desk: HttpsDesk
    ) -> None:
        shipped = HttpsWebhooks(lambda region: clients.get("secretsmanager", region), clock)
        for host in ("localhost", HERE, "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0177.0.0.1", "0x7f.1"):
            with pytest.raises((NeedsAttention, TryAgain), match=r"not public|not found"):
                shipped.post(f"https://{host}:{server.port}/", desk.secret, BODY, MESSAGE)
        assert server.came == []

    def test_a_certificate_of_another_host_is_refused(
        self, clients: Clients, clock: MovableClock, names: Names, secret: str, tmp_path: Path
    ) -> None:
        with receiver(tmp_path, "hooks.mallory.example") as server:
            with pytest.raises(NeedsAttention, match="certificate"):
                self.made(clients, clock, names, server).post(server.url, secret, BODY, MESSAGE)
            assert server.came == []

    def test_a_certificate_of_an_unknown_authority_is_refused(
        self, clients: Clients, clock: MovableClock, names: Names, server: Receiver, desk: HttpsDesk
    ) -> None:
        webhooks = self.made(clients, clock, names, server, tls=ssl.create_default_context)
        with pytest.raises(NeedsAttention, match="certificate"):
            webhooks.post(desk.url, desk.secret, BODY, MESSAGE)
        assert server.came == []

    def test_a_redirect_is_not_followed(self, webhooks: Webhooks, desk: HttpsDesk) -> None:
        desk.answers(307)
        desk.server.headers["Location"] = desk.url
        with pytest.raises(NeedsAttention, match="307"):
            webhooks.post(desk.url, desk.secret, BODY, MESSAGE)
        assert len(desk.server.came) == 1

    def test_a_proxy_of_the_environment_is_not_asked(
        self, webhooks: Webhooks, desk: HttpsDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        webhooks.post(desk.url, desk.secret, BODY, MESSAGE)
        assert len(desk.server.came) == 1

    @pytest.mark.parametrize(
        "drip",
        [
            b"H",
            b"HTTP/1.1 200 OK\r\nX: ",
            b"HTTP/1.1 100 Continue\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200,
            b"\x00\xff",
        ],
    )
    def test_an_answer_without_an_end_is_cut_off(
        self, clients: Clients, clock: MovableClock, names: Names, server: Receiver, desk: HttpsDesk, drip: bytes
    ) -> None:
        server.drip = drip
        began = time.monotonic()
        with pytest.raises(TryAgain, match=r"^the webhook did not answer$"):
            self.made(clients, clock, names, server, answer=0.3).post(desk.url, desk.secret, BODY, MESSAGE)
        assert time.monotonic() - began < 3

    def test_a_slow_answer_is_cut_off(
        self, clients: Clients, clock: MovableClock, names: Names, server: Receiver, desk: HttpsDesk
    ) -> None:
        server.silent = True
        began = time.monotonic()
        with pytest.raises(TryAgain, match=r"^the webhook did not answer$"):
            self.made(clients, clock, names, server, answer=0.3).post(desk.url, desk.secret, BODY, MESSAGE)
        assert time.monotonic() - began < 3

    def test_the_body_of_an_answer_is_not_waited_for(
        self, clients: Clients, clock: MovableClock, names: Names, server: Receiver, desk: HttpsDesk
    ) -> None:
        server.drip = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + b"x" * 1000
        self.made(clients, clock, names, server).post(desk.url, desk.secret, BODY, MESSAGE)
        assert len(server.came) == 1

    def test_one_that_speaks_no_tls_is_cut_off(
        self, clients: Clients, clock: MovableClock, names: Names, server: Receiver, secret: str
    ) -> None:
        with socket.create_server((HERE, 0)) as mute:
            url = f"https://{HOST}:{mute.getsockname()[1]}/"
            webhooks = self.made(clients, clock, names, server, connect=0.3)
            with pytest.raises(TryAgain, match="cannot be reached"):
                webhooks.post(url, secret, BODY, MESSAGE)

    def test_where_one_address_does_not_answer_the_next_is_tried(
        self, clients: Clients, clock: MovableClock, server: Receiver, desk: HttpsDesk
    ) -> None:
        webhooks = self.made(clients, clock, Names(["::1", HERE]), server, allowed=lambda _: True)
        webhooks.post(desk.url, desk.secret, BODY, MESSAGE)
        assert len(server.came) == 1

    def test_a_host_that_is_not_found_is_tried_again(
        self, clients: Clients, clock: MovableClock, server: Receiver, desk: HttpsDesk
    ) -> None:
        def unknown(host: str, port: int) -> list[str]:
            raise socket.gaierror(socket.EAI_NONAME, host)

        with pytest.raises(TryAgain, match=r"^the webhook's host was not found$"):
            self.made(clients, clock, Names([]), server, resolve=unknown).post(desk.url, desk.secret, BODY, MESSAGE)

    @pytest.mark.parametrize("url", ["http://hooks.billing.example/", "file:///etc/passwd", "https:///x"])
    def test_nothing_is_posted_without_tls(self, webhooks: Webhooks, names: Names, secret: str, url: str) -> None:
        with pytest.raises(NeedsAttention, match="no https address"):
            webhooks.post(url, secret, BODY, MESSAGE)
        assert names.asked == []

    def test_a_secret_is_fetched_for_some_minutes_once(
        self, clients: Clients, webhooks: Webhooks, desk: HttpsDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fetched: list[Any] = []
        clients.get("secretsmanager", "eu-west-1").meta.events.register(
            "provide-client-params.secrets-manager.GetSecretValue", lambda params, **_: fetched.append(params)
        )
        webhooks.post(desk.url, desk.secret, BODY, MESSAGE)
        webhooks.post(desk.url, desk.secret, BODY, MESSAGE)
        assert fetched == [{"SecretId": desk.secret}]
        later = time.monotonic() + https.REMEMBERED + 1
        monkeypatch.setattr(time, "monotonic", lambda: later)
        webhooks.post(desk.url, desk.secret, BODY, MESSAGE)
        assert len(fetched) == 2

    def test_a_secret_that_is_not_there_needs_attention(self, webhooks: Webhooks, desk: HttpsDesk) -> None:
        with pytest.raises(NeedsAttention, match=r"^GetSecretValue answered ResourceNotFoundException$"):
            webhooks.post(desk.url, desk.secret.replace("billing", "filling"), BODY, MESSAGE)
        assert desk.server.came == []


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "whsec_c2hvcnQ=",
        "whsec_not base64 at all!",
        base64.b64encode(KEY).decode(),
        "whsec_" + "QUJD" * 30,
    ],
)
def test_a_secret_that_is_none_is_refused_without_showing_it(secret: str) -> None:
    with pytest.raises(NeedsAttention) as raised:
        key_of(secret)
    assert str(raised.value) == "the webhook's secret is not whsec_ and the base64 of 24 to 64 bytes"


INSIDE = [
    *("0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1"),
    *("172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1"),
    *("203.0.113.7", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "100::1"),
    *("2001:db8::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2002:7f00:1::", "2002:a9fe:a9fe::1"),
    *("3fff::1", "5f00::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:169.254.169.254"),
    *("::ffff:a00:1", "64:ff9b::7f00:1", "64:ff9b::169.254.169.254", "64:ff9b::10.0.0.1", "64:ff9b:1::808:808"),
    *("", "localhost", "8.8.8", "1.2.3.4.5"),
]
OUTSIDE = [
    *("1.1.1.1", "8.8.8.8", "52.95.110.1", "172.15.255.255", "172.32.0.1", "192.169.0.1", "223.255.255.254"),
    *("2606:4700:4700::1111", "2a05:d018::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"),
]


@pytest.mark.parametrize(
    ("address", "open_to_all"), [*((each, False) for each in INSIDE), *((each, True) for each in OUTSIDE)]
)
def test_which_addresses_are_public(address: str, open_to_all: bool) -> None:
    assert public(address) is open_to_all
