"""A union with two heads: the second registers, logs in, sees and releases their own, and the first one's stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect
from tests.journeys import world
from tests.journeys.screens import trouble
from tests.journeys.walks import Walk

FIRST = "union-head"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[world.World]:
    """`INGAM_UNION_HEADS=2 make run`."""
    started = world.start(tmp_path_factory.mktemp("heads") / "data", INGAM_UNION_HEADS="2")
    yield started
    started.stop()


def shots(at: Walk, name: str, *widths: int) -> list[str]:
    """What is wrong with a screen at these widths."""
    wrong = []
    for width in widths or (360, 1280):
        at.page.set_viewport_size({"width": width, "height": 900})
        wrong += trouble(at.page, f"heads-{name}-{width}-{at.lang}")
    return wrong


def second(at: Walk) -> str:
    """This walk is the second head's from here on; the slug of their certificate."""
    (head,) = at.world.demo["heads"]
    own = next(one for one in at.world.demo["people"] if one["key"] == head["key"])
    at.who = {**own, "banking_id": head["banking_id"]}
    return str(head["slug"])


def registered(at: Walk) -> None:
    """④."""
    expect(at.page.get_by_role("link", name=at.say("registration.login"), exact=True)).to_be_visible()


def as_head(at: Walk, slug: str, then: str = "/management") -> None:
    """A new browser's login with a certificate."""
    at.page.context.clear_cookies(name="ingam-center")
    at.log_in_by_certificate(slug, then)


def authenticate(at: Walk) -> None:
    """본인확인 추가인증 by SMS, to the telephone of whoever walks."""
    at.person.type_into(at.field("factor.code"), at.request_code())
    at.person.type_into(at.field("factor.number_back"), at.who["idn"][6:])
    at.person.type_into(at.field("factor.phone_back"), at.who["mobile"][-4:])
    at.person.press(at.button("factor.next"))


def test_a_second_head_registers_logs_in_sees_their_own_alone_and_releases_it(hurry: Callable[..., Walk]) -> None:
    first = hurry("lee")
    first.register(FIRST)
    registered(first)

    at = hurry("lee")
    own = second(at)
    at.page.goto(at.world.sandbox)
    expect(at.page.get_by_text(at.say("heads.demo_how", id=at.who["banking_id"]))).to_be_visible()
    wrong = shots(at, "demo")
    at.log_in_by_id()
    wrong += shots(at, "identify")
    at.identify()
    wrong += shots(at, "factor")
    at.prove_factor()
    expect(at.page.get_by_text(at.say("heads.others_stand"))).to_be_visible()
    assert at.page.get_by_role("checkbox").count() == 0  # nothing is replaced
    wrong += shots(at, "certificate")
    at.open_window()
    at.pick(own)
    at.confirm()
    registered(at)
    wrong += shots(at, "registered")
    at.open("/management")
    expect(at.page.get_by_text(at.say("heads.every_one"))).to_be_visible()
    wrong += shots(at, "overview-id")
    at.open("/management/release")
    wrong += shots(at, "release-id")
    at.open("/cert-center")
    wrong += shots(at, "home-id")

    as_head(at, own)
    expect(at.page.get_by_text(at.say("life.next_registered"))).to_be_visible()
    expect(at.page.get_by_text("김*권", exact=True)).to_be_visible()
    assert "이*합" not in at.page.content()
    wrong += shots(at, "overview")
    at.open("/management/release")
    wrong += shots(at, "release")
    at.person.press(at.button("life.begin_release"))
    expect(at.button("factor.request_code")).to_be_visible()
    wrong += shots(at, "release-factor")
    authenticate(at)
    expect(at.button("protection.sign_certificate")).to_be_visible()
    wrong += shots(at, "release-sign")
    at.open_window("protection.sign_certificate")
    at.pick(own)
    at.confirm()
    expect(at.page.get_by_text(at.say("life.done_release"))).to_be_visible()
    wrong += shots(at, "released")

    as_head(at, own)
    expect(at.page.locator("[data-error-summary]")).to_contain_text(at.say("refusal.login-unregistered"))
    as_head(first, FIRST)
    expect(first.page.get_by_text(first.say("life.next_registered"))).to_be_visible()
    assert wrong == []


def test_a_head_who_has_the_unions_id_alone_says_which_one_they_are(hurry: Callable[..., Walk]) -> None:
    at = hurry("lee")
    second(at)
    at.log_in_by_id(then="/issuance/renewal")
    other = at.page.get_by_role("link", name=at.say("heads.other"))
    expect(at.page.get_by_text(at.say("heads.acting", name="이*합"))).to_be_visible()
    wrong = shots(at, "acting")
    at.open("/finance-cert")
    expect(at.page.get_by_role("heading", name=at.say("heads.head_named", name="김*권"))).to_be_visible()
    wrong += shots(at, "finance")
    at.open("/issuance/renewal")
    at.person.press(other)
    expect(at.page.get_by_text(at.say("heads.choose_lead"))).to_be_visible()
    at.person.press(at.button("heads.next"))
    expect(at.page.locator("[data-error-summary]")).to_contain_text(at.say("heads.need_slot"))
    at.person.press(at.page.get_by_text(at.say("heads.head_named", name="김*권"), exact=True))
    wrong += shots(at, "choose")
    at.person.press(at.button("heads.next"))
    expect(at.button("factor.request_code")).to_be_visible()
    wrong += shots(at, "who")
    authenticate(at)
    expect(at.button("heads.go_on")).to_be_visible()
    assert at.say("heads.task") not in at.page.content()  # that was answered
    wrong += shots(at, "confirmed")
    at.person.press(at.button("heads.go_on"))
    expect(at.page).to_have_url(f"{at.world.center}/issuance/renewal")
    expect(other).to_have_count(0)
    at.open("/management")
    expect(at.page.get_by_text(at.say("heads.alone", name="김*권"))).to_be_visible()
    assert wrong == []
