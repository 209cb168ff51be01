"""Whatever is interrupted goes on with the password alone, and exactly one certificate is issued (security B10, D9)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from tests.journeys.person import enter
from tests.journeys.vault_issue.bench import PASSWORD, Bench
from tests.journeys.vault_issue.walk import Walk

from ingam.npki.certificate import parse
from ingam.ports.books import State
from ingam.protocols.cmp.message import BodyKind

OTHER = "Other-seal!77q"
# Only the vault's own origin loses its storage: the center's page keeps nothing anyway.
NO_STORAGE = "if (window !== top) indexedDB.open = () => { throw new DOMException('no', 'SecurityError') }"


def ready(at: Walk) -> None:
    """⑥ is open."""
    expect(at.page.locator("form[data-product]")).to_be_visible()


def made(at: Walk) -> None:
    """⑤ is done."""
    at.open()
    at.set_password()
    ready(at)


def lose(at: Walk, endpoint: str, act: Callable[[], None]) -> None:
    """The center does it, and its answer never arrives; then the person reloads."""
    before = len(at.bench.bodies)
    at.bench.faults.lost.add(endpoint)
    act()
    at.until(lambda: endpoint not in at.bench.faults.lost and len(at.bench.bodies) > before)
    at.page.reload()


def one_certificate(at: Walk) -> None:
    """It is the only one, it is valid, and it is what the vault keeps."""
    at.issued()
    assert (at.bench.issued(), at.bench.state, at.stored("drafts")) == (1, "issued", [])
    (record,) = at.stored("records")
    found = at.bench.ca.books.standing(1, parse(bytes.fromhex(record["certificate"])).serial)
    assert found is not None and found.state is State.VALID


@pytest.mark.soak
def test_a_reload_at_the_password_begins_it_again(bench: Bench, phone: Callable[..., Page]) -> None:
    at = Walk(phone(), bench)
    at.open()
    at.vault.locator("#new-password").fill(PASSWORD)
    at.page.reload()
    made(at)
    at.confirm()
    one_certificate(at)


def test_a_reload_at_the_choice_asks_the_password_once(bench: Bench, phone: Callable[..., Page]) -> None:
    at = Walk(phone(), bench)
    made(at)
    spki = bench.spki
    at.page.reload()
    at.resume("Wrong!2026x")
    expect(at.vault.locator("#password-wrong")).to_have_text(at.say("wrong", n=1, max=5))
    at.resume()
    ready(at)
    assert bench.spki == spki
    at.confirm()
    one_certificate(at)


def test_five_wrong_passwords_rest_it_and_nothing_is_lost(bench: Bench, phone: Callable[..., Page]) -> None:
    at = Walk(phone(), bench)
    made(at)
    at.page.reload()
    for wrong in range(1, 6):
        at.resume("Wrong!2026x")
        key = "issue-wrong-last" if wrong == 5 else "wrong"
        expect(at.vault.locator("#password-wrong")).to_have_text(at.say(key, n=wrong, max=5))
    at.resume()
    expect(at.vault.locator("#password-wrong")).to_have_text(at.say("issue-resting", m=10))
    assert len(at.stored("drafts")) == 1


@pytest.mark.soak
def test_a_forgotten_password_before_the_choice_makes_another_key(bench: Bench, phone: Callable[..., Page]) -> None:
    at = Walk(phone(), bench)
    made(at)
    first = bench.spki
    at.page.reload()
    enter(at.button("issue-forgotten"))
    at.set_password(OTHER)
    ready(at)
    assert bench.spki != first
    at.confirm()
    one_certificate(at)


@pytest.mark.soak
def test_the_answer_about_the_key_is_lost(bench: Bench, phone: Callable[..., Page]) -> None:
    at = Walk(phone(), bench)
    at.open()
    lose(at, "key", at.set_password)
    at.resume()
    ready(at)
    at.confirm()
    one_certificate(at)


@pytest.mark.soak
def test_the_codes_are_lost_and_are_asked_for_again(bench: Bench, phone: Callable[..., Page]) -> None:
    at = Walk(phone(), bench)
    made(at)
    lose(at, "product", at.confirm)
    at.resume()
    one_certificate(at)
    assert bench.kinds() == [BodyKind.IR, BodyKind.CERT_CONF]


def test_D9_the_certificate_is_lost_on_its_way_and_the_same_bytes_fetch_it_again(
    bench: Bench, phone: Callable[..., Page]
) -> None:
    at = Walk(phone(), bench)
    made(at)
    lose(at, "carry", at.confirm)
    at.resume("Wrong!2026x")
    expect(at.vault.locator("#password-wrong")).to_have_text(at.say("wrong", n=1, max=5))
    at.resume()
    one_certificate(at)
    assert bench.kinds() == [BodyKind.IR, BodyKind.IR, BodyKind.CERT_CONF]
    assert bench.carried[0] == bench.carried[1]


def test_the_request_never_reached_the_authority_and_is_made_anew_once_it_is_too_old(
    bench: Bench, phone: Callable[..., Page]
) -> None:
    at = Walk(phone(), bench)
    made(at)
    bench.faults.down.add("carry")
    at.confirm()
    at.again()
    bench.faults.down.clear()
    bench.ca.clock.forward(600)
    at.page.reload()
    at.resume()
    one_certificate(at)
    assert bench.kinds() == [BodyKind.IR, BodyKind.IR, BodyKind.CERT_CONF]
    assert bench.carried[0] != bench.carried[1]


def test_the_confirmation_never_left_and_goes_out_after_the_reload(bench: Bench, phone: Callable[..., Page]) -> None:
    at = Walk(phone(), bench)
    made(at)
    bench.faults.down_after_ir = True
    at.confirm()
    at.again()
    assert (bench.state, len(at.stored("records"))) == ("delivered", 1)
    bench.faults.down_after_ir = False
    at.page.reload()
    at.resume()
    one_certificate(at)
    assert bench.kinds() == [BodyKind.IR, BodyKind.CERT_CONF]


@pytest.mark.soak
def test_the_last_answer_is_lost_and_the_certificate_is_there_all_the_same(
    bench: Bench, phone: Callable[..., Page]
) -> None:
    at = Walk(phone(), bench)
    made(at)
    bench.faults.lost_after_ir = True
    at.confirm()
    at.until(lambda: bench.state == "issued")
    (record,) = at.stored("records")
    at.page.reload()
    expect(at.page.locator("#done")).to_be_visible()
    at.page.goto(f"{bench.center}/login")
    at.page.locator("#open").click()
    window = at.page.frame_locator("dialog iframe")
    window.locator("#password").fill(PASSWORD)
    window.get_by_role("button", name=at.say("confirm"), exact=True).click()
    expect(at.page.locator("#welcome")).to_be_visible()
    found = bench.ca.books.standing(1, parse(bytes.fromhex(record["certificate"])).serial)
    assert (bench.issued(), found and found.state) == (1, State.VALID)


@pytest.mark.parametrize(
    "endpoint", [*(pytest.param(one, marks=pytest.mark.soak) for one in ("key", "product")), "carry"]
)
def test_a_party_that_is_down_is_asked_again_by_a_button_and_nothing_is_lost(
    bench: Bench, phone: Callable[..., Page], endpoint: str
) -> None:
    at = Walk(phone(), bench)
    at.open()
    bench.faults.down.add(endpoint)
    at.set_password()
    if endpoint != "key":
        ready(at)
        at.confirm()
    at.again()
    expect(at.page.locator(".issue-error")).to_have_text("인증기관의 응답이 없습니다.")
    bench.faults.down.clear()
    at.try_again()
    if endpoint == "key":
        ready(at)
        at.confirm()
    one_certificate(at)


def test_the_center_refuses_for_good_and_the_person_reads_why(bench: Bench, phone: Callable[..., Page]) -> None:
    at = Walk(phone(), bench)
    made(at)
    bench.faults.refuse.add("carry")
    at.confirm()
    expect(at.page.locator(".issue-error")).to_have_text("발급할 수 없습니다.")
    expect(at.vault.get_by_text(at.say("issue-uncertain"))).to_be_visible()
    assert bench.issued() == 0


def test_B10_a_certificate_with_another_name_is_given_back_and_not_kept(
    bench: Bench, phone: Callable[..., Page]
) -> None:
    bench.faults.holder = "김증권"
    at = Walk(phone(), bench)
    made(at)
    at.confirm()
    expect(at.vault.get_by_text(at.say("why-issued-other-name"))).to_be_visible()
    expect(at.vault.get_by_text(at.say("issue-stopped"))).to_be_visible()
    assert (bench.kinds(), at.stored("records"), at.stored("drafts")) == ([BodyKind.IR, BodyKind.CERT_CONF], [], [])


def test_M_COPY_09_where_nothing_can_be_kept_nothing_is_made(bench: Bench, phone: Callable[..., Page]) -> None:
    at = Walk(phone(script=NO_STORAGE), bench)
    at.open()
    expect(at.vault.get_by_text(at.say("why-issue-cannot-keep"))).to_be_visible()
    expect(at.vault.locator("#new-password")).to_have_count(0)
    assert (bench.spki, bench.bodies) == (None, [])
    enter(at.button("cancel"))
    expect(at.page.locator("#cancelled")).to_be_visible()


def test_two_windows_one_of_them_waits(bench: Bench, phone: Callable[..., Page]) -> None:
    first = Walk(phone(), bench)
    made(first)
    second = Walk(phone(context=first.page.context), bench)
    second.open()
    expect(second.vault.get_by_text(second.say("why-issue-elsewhere"))).to_be_visible()
    first.page.close()
    enter(second.button("issue-retry"))
    second.resume()
    ready(second)
    second.confirm()
    one_certificate(second)


def test_D1_a_request_made_in_another_browser_is_not_taken_over(bench: Bench, phone: Callable[..., Page]) -> None:
    first = Walk(phone(), bench)
    made(first)
    lose(first, "product", first.confirm)
    other = Walk(phone(), bench)
    other.open()
    expect(other.vault.get_by_text(other.say("why-issue-draft-missing"))).to_be_visible()
    first.resume()
    one_certificate(first)


def test_the_person_leaves_at_the_password(bench: Bench, phone: Callable[..., Page]) -> None:
    at = Walk(phone(), bench)
    at.open()
    enter(at.button("cancel"))
    expect(at.page.locator("#cancelled")).to_be_visible()
    assert bench.bodies == []
