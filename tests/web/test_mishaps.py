"""What goes wrong on the way: the page says so, keeps what was typed, and does nothing twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, BrowserContext, Route, expect

from rightful.errors import TryAgain
from tests.fakes.company import ADA, BOB
from tests.fakes.world import World
from tests.web.served import Served
from tests.web.states import opened, seeded
from tests.web.visiting import Visitor

PROBLEM = '{"type": "about:blank", "title": "Busy", "status": 503, "detail": "Later."}'


def posts(answer: Callable[[Route], None]) -> Callable[[Route], None]:
    """Answers forms so, and lets all else through."""
    return lambda route: answer(route) if route.request.method == "POST" else route.fallback()


def problem(status: int) -> Callable[[Route], None]:
    """What API Gateway answers by itself."""
    headers = {"Content-Type": "application/problem+json", "Retry-After": "5"}
    return posts(lambda route: route.fulfill(status=status, headers=headers, body=PROBLEM))


@pytest.mark.parametrize(
    "failing",
    [posts(lambda route: route.abort("connectionfailed")), problem(500), problem(503), problem(429)],
    ids=["no connection", "500", "503", "429"],
)
def test_when_it_fails_it_says_so_keeps_what_was_typed_and_works_the_next_time(
    failing: Callable[[Route], None], visitor: Visitor
) -> None:
    visitor.open("delete").at("delete")
    visitor.field("email").fill(ADA)
    visitor.field("confirm").check()
    visitor.page.route("**/*", failing)
    visitor.press()
    expect(visitor.told()).to_contain_text("Nothing you typed is lost")
    expect(visitor.field("email")).to_have_value(ADA)
    expect(visitor.field("confirm")).to_be_checked()
    visitor.page.unroute_all()
    visitor.press().at("code")
    assert len(visitor.world.mailer.to(ADA)) == 1


def test_when_a_store_of_ours_is_busy_the_form_comes_again_and_acts_once(visitor: Visitor) -> None:
    """The code was mailed, and then the answer was lost: the same form sent again mails no second code."""
    failing = iter([TryAgain("busy")])

    def fault(name: str, moment: str) -> None:
        if (name, moment) == ("mailer.send", "after"):
            for error in failing:
                raise error

    visitor.world.mailer.fault = fault
    visitor.open("download").at("download")
    visitor.field("email").fill(ADA)
    visitor.press()
    expect(visitor.told()).to_be_visible()
    expect(visitor.field("email")).to_have_value(ADA)
    visitor.press().at("code")
    visitor.prove().at("request")
    assert len(visitor.world.executions.started) == 1


def test_a_double_click_acts_once(visitor: Visitor) -> None:
    visitor.open("download").at("download")
    visitor.field("email").fill(ADA)
    visitor.page.locator("form#ask button").dblclick()
    visitor.at("code")
    assert len(visitor.world.mailer.to(ADA)) == 1
    visitor.field("code").fill(visitor.code())
    visitor.page.locator("form#ask button").dblclick()
    visitor.at("request")
    assert len(visitor.world.executions.started) == 1


def test_without_script_a_form_that_is_sent_twice_acts_once(browser: Browser, centre: Served, world: World) -> None:
    """The key that the form was rendered with makes the two one."""
    context = browser.new_context(java_script_enabled=False)
    visitor = Visitor(context.new_page(), centre.url, ADA, world).ask("access")
    visitor.page.go_back()
    visitor.at("download")
    visitor.field("email").fill(ADA)
    visitor.press().at("code")
    assert len(world.mailer.to(ADA)) == 1
    context.close()


def test_back_and_forward_lead_through_what_was_shown(visitor: Visitor) -> None:
    visitor.ask("erasure")
    visitor.page.go_back()
    visitor.at("delete")
    expect(visitor.field("email")).to_have_value(ADA)
    expect(visitor.field("confirm")).to_be_checked()
    visitor.page.go_forward()
    visitor.at("code").prove().at("request")
    assert len(visitor.world.mailer.to(ADA)) >= 1
    assert len(visitor.world.executions.started) == 1


def test_who_was_signed_out_on_the_way_signs_in_and_goes_on_where_they_were(visitor: Visitor) -> None:
    made = seeded(visitor, "access", "working")
    opened(visitor, "en", made)
    visitor.world.clock.advance(31 * 60)
    visitor.press("refresh").at("sign_in")
    expect(visitor.page.locator("main")).to_contain_text("signed out after 30 minutes")
    expect(visitor.field("email")).to_have_value(ADA)
    visitor.press().at("code").prove().at("request")
    expect(visitor.page.locator("main .reference")).to_have_text(made)


def test_two_people_in_two_tabs_of_one_browser_see_their_own(
    context: BrowserContext, centre: Served, world: World
) -> None:
    ada, bob = (Visitor(context.new_page(), centre.url, email, world) for email in (ADA, BOB))
    his = seeded(bob, "access", "of-bob")
    hers = seeded(ada, "access", "of-ada")
    for one, made in ((ada, hers), (bob, his)):
        one.page.bring_to_front()
        opened(one, "en", made)
    for one, made in ((ada, hers), (bob, his), (ada, hers)):
        one.page.bring_to_front()
        one.press("refresh")
        expect(one.page.locator("main .reference")).to_have_text(made)
        expect(one.page.locator("header")).to_contain_text(one.email)
        expect(one.page.locator("main")).not_to_contain_text(his if one is ada else hers)


def test_back_shows_nothing_of_whoever_signed_out(visitor: Visitor) -> None:
    """Even where the browser kept the page as it was, which the one of these tests does not: so it is told that it
    did."""
    made = seeded(visitor, "access", "working")
    opened(visitor, "en", made)
    visitor.page.route("**/*", posts(lambda route: route.fulfill(status=204)))
    visitor.page.get_by_role("button", name="Sign out").click()
    visitor.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    visitor.page.unroute_all()
    expect(visitor.page.locator("header")).not_to_contain_text(ADA)
    expect(visitor.page.locator("main")).not_to_contain_text(made)


def test_signed_out_there_is_no_way_back(visitor: Visitor) -> None:
    made = seeded(visitor, "access", "working")
    opened(visitor, "en", made)
    visitor.page.get_by_role("button", name="Sign out").click()
    visitor.at("start")
    visitor.page.go_back()
    expect(visitor.page.locator("header")).not_to_contain_text(ADA)
    expect(visitor.page.locator("main")).not_to_contain_text(made)
