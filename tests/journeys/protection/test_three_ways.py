"""본인확인 추가인증 in a real browser: a call and a number of the branch; the code by SMS is walked elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import expect
from tests.journeys.screens import trouble
from tests.journeys.telephone import Telephone
from tests.journeys.walks import Walk
from tests.journeys.world import World

from ingam.adapters.clock.system import SystemClock
from ingam.adapters.hsm.file import open_keys
from ingam.adapters.store import open_store
from ingam.customer.additional_auth import Purpose
from ingam.customer.additional_auth.branch import BranchNumbers
from ingam.customer.notice import Sender
from ingam.kernel.secret import Secret
from ingam.ports.customers import Customer, CustomerKind
from ingam.ports.store import Row
from ingam.settings import Institution, Limits

LOOKS = [(1280, "ko", "light"), (360, "ko", "dark"), (360, "en", "light")]


def at_factor(at: Walk) -> None:
    """From the login to ②."""
    at.log_in_by_id()
    at.start_anew()
    at.identify()


def choose(at: Walk, method: str) -> None:
    """A way: its whole card can be pressed."""
    at.page.locator(f"label[for=method-{method}]").click()


def call(at: Walk) -> str:
    """2채널 인증, to the mobile telephone; the digits of the screen."""
    choose(at, "ars")
    at.person.press(at.button("factor.request_call"))
    digits = at.page.locator(".call-code strong")
    expect(digits).to_be_visible()
    return digits.inner_text()


def fill_beside(at: Walk) -> None:
    at.person.type_into(at.page.locator("#number_back"), at.who["idn"][6:])
    at.person.type_into(at.page.locator("#phone_back"), at.who["mobile"][-4:])


def test_a_call_is_followed_on_the_screen_and_its_digits_approve(
    hurry: Callable[..., Walk], normal: World, complaints: list[str]
) -> None:
    at = hurry("kim")
    at_factor(at)
    telephone = Telephone(normal, at.who["mobile"])
    asked: list[str] = []
    at.page.on("request", lambda one: asked.append(one.url) if "/factor/call" in one.url else None)
    digits = call(at)
    fill_beside(at)
    call_now = telephone.ringing()
    assert digits not in str([call_now[name] for name in ("state", "said", "keyed")])  # its id has digits of its own
    state = at.page.locator(".call-state")
    expect(state).to_have_text(at.say("factor.call-ringing"))
    telephone.act("answer")
    expect(state).to_have_text(at.say("factor.call-answered"))
    for digit in digits:
        telephone.act("key", key=digit)
    expect(state).to_contain_text(at.say("factor.call-approved"))
    expect(at.page.locator("#number_back")).not_to_have_value("")  # following the call lost nothing that was typed
    assert len(asked) == 1  # the one stream of its events
    at.person.press(at.button("registration.next"))
    expect(at.button("registration.register")).to_be_visible()


def test_a_call_is_asked_for_where_its_events_do_not_come_through(
    hurry: Callable[..., Walk], normal: World, complaints: list[str]
) -> None:
    at = hurry("kim")
    at.page.route("**/factor/call/events", lambda route: route.abort())
    at_factor(at)
    digits = call(at)
    Telephone(normal, at.who["mobile"]).answer(digits)
    expect(at.page.locator(".call-state")).to_contain_text(at.say("factor.call-approved"))
    complaints[:] = [one for one in complaints if "net::ERR_FAILED" not in one]  # the line that was cut


def test_a_call_that_is_declined_may_be_asked_for_again(hurry: Callable[..., Walk], normal: World) -> None:
    at = hurry("kim")
    at_factor(at)
    telephone = Telephone(normal, at.who["mobile"])
    call(at)
    telephone.ringing()
    telephone.act("decline")
    again = at.button("factor.request_call_again")
    expect(again).to_be_visible()
    expect(at.page.locator(".call-state")).to_be_focused()  # who read the digits reads what became of them
    at.person.press(again)
    digits = at.page.locator(".call-code strong")
    expect(digits).to_be_visible()
    telephone.answer(digits.inner_text())
    expect(at.page.locator(".call-state")).to_contain_text(at.say("factor.call-approved"))


def test_zero_on_the_telephone_stops_the_registration_before_the_eyes(
    hurry: Callable[..., Walk], normal: World
) -> None:
    at = hurry("kim")
    at_factor(at)
    call(at)
    before = len(at.inbox())
    Telephone(normal, at.who["mobile"]).answer("0")
    expect(at.page.get_by_role("alert")).to_contain_text(at.say("registration.lock-ars-refused")[:20])
    at.told("0번", since=before)


def test_a_number_of_the_branch_leads_on_once(hurry: Callable[..., Walk], normal: World) -> None:
    at = hurry("kim")
    at_factor(at)
    with ThreadPoolExecutor(1) as elsewhere:  # the browser has this thread's loop
        code = elsewhere.submit(lambda: asyncio.run(issued(normal, at.who))).result()
    choose(at, "branch-otp")
    at.person.type_into(at.page.locator("#branch"), code)
    fill_beside(at)
    at.person.press(at.button("registration.next"))
    expect(at.button("registration.register")).to_be_visible()
    at.person.press(at.button("registration.previous"))
    choose(at, "branch-otp")
    at.person.type_into(at.page.locator("#branch"), code)
    fill_beside(at)
    at.person.press(at.button("registration.next"))
    expect(at.page.locator("#branch-error")).to_be_visible()


async def issued(world: World, who: dict[str, str]) -> str:
    """A number as the console issues it, on the center's own database."""
    keys = open_keys(world.data / "center" / "keys" / "center.keys")
    store = open_store(f"sqlite:///{world.data / 'center' / 'center.db'}", keys.outbox)
    try:
        numbers = BranchNumbers(store, SystemClock(), keys.digests, Limits(), Sender(Institution()))
        row = await store.one("customer", {"banking_id": who["banking_id"]})
        assert row is not None
        customer = Customer(
            str(row["customer_id"]), CustomerKind.PERSONAL, who["banking_id"], "", Secret(who["idn"]), who["mobile"]
        )
        where: Row = {"customer_id": customer.customer_id}
        held = await store.many("binding", where, order="bound_at", descending=True, limit=1)
        # Another journey may have registered one, or ended it.
        again = any(row["status"] in ("ACTIVE", "SUSPENDED", "STALE") for row in held)
        purpose = Purpose.REBIND if again else Purpose.REGISTRATION
        made = await numbers.issue(customer, purpose, "E1001", "여의도")
        return made.code.reveal()
    finally:
        await store.close()


@pytest.mark.parametrize(("width", "lang", "scheme"), LOOKS)
def test_the_screen_of_the_three_ways_is_whole_at_every_width(
    hurry: Callable[..., Walk], normal: World, width: int, lang: str, scheme: str
) -> None:
    at = hurry("kim", width, lang, scheme)
    at_factor(at)
    name = f"factor-{width}-{lang}-{scheme}"
    found = trouble(at.page, f"{name}-choice")
    call(at)
    found += trouble(at.page, f"{name}-calling")
    Telephone(normal, at.who["mobile"]).ringing()
    Telephone(normal, at.who["mobile"]).act("decline")
    expect(at.button("factor.request_call_again")).to_be_visible()
    found += trouble(at.page, f"{name}-ended")
    choose(at, "branch-otp")
    found += trouble(at.page, f"{name}-branch")
    assert found == []
