"""What every OpenID provider that is asked for keys does: in memory, and over HTTPS on this machine."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest

from rightful.aws import provider as https
from rightful.aws.outbound import Https
from rightful.aws.provider import HttpsProvider
from rightful.errors import NeedsAttention, TryAgain
from rightful.ports import OpenIdProvider
from tests.fakes.clock import MovableClock
from tests.fakes.provider import MemoryProvider, pair
from tests.fakes.receiver import Receiver, receiver

HERE, HOST = "127.0.0.1", "login.example.org"
OLD, NEW = pair("old").published, pair("new").published
DISCOVERY, JWKS = "/realms/one/.well-known/openid-configuration", "/realms/one/keys?v=2"


class Company(Protocol):
    """The provider, as a test sees it."""

    def publishes(self, *keys: Mapping[str, Any]) -> None: ...

    def goes_down(self) -> None: ...

    def later(self, **by: float) -> None:
        """Time passes (keywords of timedelta)."""


class ProviderContract:
    """Needs the fixtures `company` and `provider`."""

    def test_it_shows_the_keys_that_sign_now(self, provider: OpenIdProvider, company: Company) -> None:
        company.publishes(OLD, NEW)
        assert list(provider.keys("old")) == [OLD, NEW]
        assert list(provider.keys("")) == [OLD, NEW]

    def test_a_key_that_comes_is_found_and_one_that_left_is_gone(
        self, provider: OpenIdProvider, company: Company
    ) -> None:
        company.publishes(OLD)
        assert list(provider.keys("old")) == [OLD]
        company.publishes(OLD, NEW)
        company.later(minutes=1)
        assert list(provider.keys("new")) == [OLD, NEW]
        company.publishes(NEW)
        company.later(hours=2)
        assert list(provider.keys("old")) == [NEW]

    def test_of_one_that_was_never_reached_nothing_is_known(self, provider: OpenIdProvider, company: Company) -> None:
        company.publishes(OLD)
        company.goes_down()
        with pytest.raises(TryAgain, match="sign-in provider"):
            provider.keys("old")

    def test_of_one_that_is_down_for_long_nothing_is_known(self, provider: OpenIdProvider, company: Company) -> None:
        company.publishes(OLD)
        provider.keys("old")
        company.goes_down()
        company.later(hours=3)
        with pytest.raises(TryAgain, match="sign-in provider"):
            provider.keys("old")


class MemoryCompany:
    def __init__(self) -> None:
        self.provider = MemoryProvider()

    def publishes(self, *keys: Mapping[str, Any]) -> None:
        self.provider.published[:] = keys

    def goes_down(self) -> None:
        self.provider.down = True

    def later(self, **by: float) -> None:
        """Nothing is remembered here."""


class TestMemoryProvider(ProviderContract):
    @pytest.fixture
    def company(self) -> MemoryCompany:
        return MemoryCompany()

    @pytest.fixture
    def provider(self, company: MemoryCompany) -> MemoryProvider:
        return company.provider


class HttpsCompany:
    def __init__(self, server: Receiver, clock: MovableClock) -> None:
        self.server, self.clock = server, clock
        self.base = f"https://{HOST}:{server.port}"
        self.issuer = f"{self.base}/realms/one"
        self.describes(issuer=self.issuer, jwks_uri=self.base + JWKS)

    def describes(self, **itself: Any) -> None:
        self.server.pages[DISCOVERY] = json.dumps({"response_types_supported": ["code"], **itself}).encode()

    def publishes(self, *keys: Any) -> None:
        self.server.pages[JWKS] = json.dumps({"keys": keys}).encode()

    def goes_down(self) -> None:
        self.server.pages.clear()

    def later(self, **by: float) -> None:
        self.clock.advance(timedelta(**by).total_seconds())

    def asked(self) -> int:
        """How often for its keys."""
        return [path for path, _, _ in self.server.came].count(JWKS)


class TestHttpsProvider(ProviderContract):
    @pytest.fixture
    def server(self, tmp_path: Path) -> Iterator[Receiver]:
        with receiver(tmp_path, HOST) as running:
            yield running

    @pytest.fixture
    def company(self, server: Receiver) -> HttpsCompany:
        return HttpsCompany(server, MovableClock())

    @pytest.fixture
    def provider(self, company: HttpsCompany) -> HttpsProvider:
        return self.made(company)

    def made(self, company: HttpsCompany, issuer: str = "", **more: Any) -> HttpsProvider:
        """This machine counts as public."""
        options = {
            "resolve": lambda host, port: [HERE],
            "allowed": lambda address: address == HERE,
            "tls": lambda: ssl.create_default_context(cadata=company.server.trust),
            "connect": 2.0,
            "answer": 5.0,
        }
        return HttpsProvider(issuer or company.issuer, company.clock, Https(https.WAY.what, **{**options, **more}))

    def test_keys_stay_for_ten_minutes(self, provider: HttpsProvider, company: HttpsCompany) -> None:
        company.publishes(OLD)
        for _ in range(3):
            provider.keys("old")
        company.later(minutes=9, seconds=59)
        provider.keys("old")
        assert company.asked() == 1
        company.later(seconds=1)
        provider.keys("old")
        assert company.asked() == 2

    @pytest.mark.parametrize(
        ("said", "seconds"),
        [
            ("max-age=120", 120),
            ("public, max-age=900, must-revalidate", 900),
            ("max-age=1", 60),
            ("max-age=0", 60),
            ("max-age=99999999", 3600),
            ("no-store", 60),
            ("no-cache, max-age=900", 60),
            ("s-maxage=5", 600),
            ("max-age=-1", 600),
            ("max-age=9999999999999999999999", 600),
            ("private", 600),
        ],
    )
    def test_or_for_as_long_as_it_says_within_bounds(
        self, provider: HttpsProvider, company: HttpsCompany, said: str, seconds: int
    ) -> None:
        company.server.headers["Cache-Control"] = said
        company.publishes(OLD)
        provider.keys("old")
        company.later(seconds=seconds - 1)
        provider.keys("old")
        assert company.asked() == 1
        company.later(seconds=1)
        provider.keys("old")
        assert company.asked() == 2

    def test_keys_that_do_not_exist_make_nobody_ask_more_often(
        self, provider: HttpsProvider, company: HttpsCompany
    ) -> None:
        company.publishes(OLD)
        for n in range(100):
            assert list(provider.keys(f"../../{n}")) == [OLD]
        assert company.asked() == 1
        company.later(seconds=30)
        for n in range(100):
            provider.keys(f"k{n}")
        assert company.asked() == 2
        assert {path for path, _, _ in company.server.came} == {DISCOVERY, JWKS}

    def test_nor_do_they_while_it_is_down(self, provider: HttpsProvider, company: HttpsCompany) -> None:
        company.goes_down()
        for n in range(20):
            with pytest.raises(TryAgain):
                provider.keys(f"k{n}")
        assert len(company.server.came) == 1
        company.later(seconds=30)
        with pytest.raises(TryAgain):
            provider.keys("old")
        assert len(company.server.came) == 2

    def test_while_it_is_down_its_last_keys_go_on_for_an_hour(
        self, provider: HttpsProvider, company: HttpsCompany
    ) -> None:
        company.publishes(OLD)
        provider.keys("old")
        company.goes_down()
        company.later(hours=1, minutes=9)
        assert list(provider.keys("old")) == [OLD]
        company.later(minutes=1)
        with pytest.raises(TryAgain, match="answered 404"):
            provider.keys("old")

    def test_while_it_is_down_a_key_that_is_not_known_is_not_called_wrong(
        self, provider: HttpsProvider, company: HttpsCompany
    ) -> None:
        company.publishes(OLD)
        provider.keys("old")
        company.goes_down()
        company.later(minutes=1)
        with pytest.raises(TryAgain):
            provider.keys("new")
        assert list(provider.keys("old")) == [OLD]

    def test_it_is_asked_again_when_it_is_back(self, provider: HttpsProvider, company: HttpsCompany) -> None:
        company.goes_down()
        with pytest.raises(TryAgain):
            provider.keys("old")
        company.describes(issuer=company.issuer, jwks_uri=company.base + JWKS)
        company.publishes(OLD)
        company.later(seconds=30)
        assert list(provider.keys("old")) == [OLD]

    def test_an_issuer_that_ends_in_a_slash_is_described_where_the_standard_says(self, company: HttpsCompany) -> None:
        company.publishes(OLD)
        company.describes(issuer=f"{company.issuer}/", jwks_uri=company.base + JWKS)
        assert list(self.made(company, f"{company.issuer}/").keys("old")) == [OLD]

    @pytest.mark.parametrize("issuer", ["https://mallory.example", "", None, 7])
    def test_it_must_call_itself_as_we_call_it(
        self, provider: HttpsProvider, company: HttpsCompany, issuer: Any
    ) -> None:
        company.publishes(OLD)
        company.describes(issuer=issuer, jwks_uri=company.base + JWKS)
        with pytest.raises(NeedsAttention, match="by another name"):
            provider.keys("old")
        assert company.asked() == 0

    @pytest.mark.parametrize(
        "where", [None, 7, "", "http://{}/keys", "file:///etc/passwd", "//{}/keys", "https://{}/k k"]
    )
    def test_its_keys_are_where_https_reaches_them(
        self, provider: HttpsProvider, company: HttpsCompany, where: Any
    ) -> None:
        if isinstance(where, str):
            where = where.format(company.base.removeprefix("https://"))
        company.describes(issuer=company.issuer, jwks_uri=where)
        with pytest.raises(NeedsAttention):
            provider.keys("old")
        assert [path for path, _, _ in company.server.came] == [DISCOVERY]

    @pytest.mark.parametrize("inside", ["169.254.169.254", "localhost", "[::1]", "10.0.0.7", HERE])
    def test_as_it_ships_it_asks_no_machine_of_a_network_of_ours(self, company: HttpsCompany, inside: str) -> None:
        shipped = HttpsProvider(f"https://{inside}:{company.server.port}/realms/one", company.clock)
        with pytest.raises((NeedsAttention, TryAgain), match=r"not public|not found"):
            shipped.keys("old")
        assert company.server.came == []

    def test_keys_in_a_network_of_ours_are_not_fetched_either(self, company: HttpsCompany) -> None:
        company.describes(issuer=company.issuer, jwks_uri="https://inside.example/keys")
        addresses = {HOST: [HERE], "inside.example": ["10.0.0.7"]}
        provider = self.made(company, resolve=lambda host, port: addresses[host])
        with pytest.raises(NeedsAttention, match="not public"):
            provider.keys("old")

    @pytest.mark.parametrize("status", [201, 204, 301, 302, 307, 400, 403, 404, 429, 500, 503])
    def test_only_200_is_an_answer_and_no_redirect_is_followed(
        self, provider: HttpsProvider, company: HttpsCompany, status: int
    ) -> None:
        company.publishes(OLD)
        company.server.headers["Location"] = company.base + JWKS
        company.server.statuses[:] = [200, status]
        with pytest.raises(TryAgain, match=f"answered {status}"):
            provider.keys("old")
        assert len(company.server.came) == 2

    @pytest.mark.parametrize(
        "body", [b"", b"{", b"[]", b"null", b"<html>", b"\xff", b'{"keys": {}}', b'{"keys": 7}', b"{}", b"[" * 9000]
    )
    def test_what_shows_no_keys_shows_none(self, provider: HttpsProvider, company: HttpsCompany, body: bytes) -> None:
        company.server.pages[JWKS] = body
        with pytest.raises(TryAgain, match=r"no keys|something else than JSON"):
            provider.keys("old")

    def test_what_is_no_key_among_the_keys_is_passed_over(self, provider: HttpsProvider, company: HttpsCompany) -> None:
        company.publishes(7, None, "old", [], OLD)
        assert list(provider.keys("old")) == [OLD]

    def test_keys_without_an_end_are_not_read(self, provider: HttpsProvider, company: HttpsCompany) -> None:
        company.server.pages[JWKS] = b" " * (https.MOST_BYTES + 1)
        with pytest.raises(NeedsAttention, match="more than"):
            provider.keys("old")
        company.publishes(*[OLD] * 300)
        company.later(seconds=30)
        assert len(provider.keys("old")) == https.MOST_KEYS

    def test_an_answer_that_never_ends_is_cut_off(self, company: HttpsCompany) -> None:
        company.server.drip = b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\nX: "
        began = time.monotonic()
        with pytest.raises(TryAgain, match="did not answer"):
            self.made(company, answer=0.3).keys("old")
        assert time.monotonic() - began < 3

    def test_both_answers_fit_into_the_time_of_a_call(self) -> None:
        one = https.WAY.most_addresses * 2 * https.WAY.connect + https.WAY.answer
        assert 2 * one < 15
        assert https.PAUSE < https.SHORTEST <= https.LIFE <= https.LONGEST

    def test_nothing_is_sent_but_the_question(self, provider: HttpsProvider, company: HttpsCompany) -> None:
        company.publishes(OLD)
        provider.keys("a-kid-of-a-token")
        for path, headers, body in company.server.came:
            assert "a-kid-of-a-token" not in path + str(headers)
            assert set(headers) == {"host", "accept", "accept-encoding", "user-agent"}
            assert body == b""
