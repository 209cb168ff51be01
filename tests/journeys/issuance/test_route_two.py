"""The manual's second route on a phone: from the banking password to a login with the certificate that was issued.

And 폐지 of a certificate of our own authority that another broker asked for: shown, and begun with 추가인증.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import expect
from tests.journeys.issuance.conftest import Handset
from tests.journeys.issuance.walk import PhoneWalk
from tests.journeys.screens import trouble
from tests.journeys.walks import Walk

from ingam.adapters.clock.system import SystemClock
from ingam.adapters.status import trust_file
from ingam.npki import certificate
from ingam.npki.certificate import Certificate
from ingam.protocols import ocsp

# The other broker's certificate is offered for 폐지 while it stands, and ends in the journey after that.
pytestmark = pytest.mark.xdist_group("other-broker")


def looking(at: PhoneWalk) -> list[str]:
    """Hold every screen to the rules of all screens; what is wrong with them."""
    found: list[str] = []
    at.look = lambda screen: found.extend(trouble(at.page, f"new-{screen}-360-{at.lang}"))
    return found


def to_choice(at: PhoneWalk, kind: str) -> None:
    """① to ⑥, where nothing is issued yet."""
    at.to_card()
    at.look("2-card")
    at.to_details(kind)
    assert len(at.misread) <= 1
    at.to_product()


def to_login(at: PhoneWalk) -> str:
    """[확인] at ⑥, and a login; the serial number of the certificate."""
    at.choose_product()
    serial = at.issued()
    at.done()
    at.log_in_by_new_certificate()
    return serial


def standing(at: PhoneWalk, one: Certificate) -> ocsp.CertStatus:
    """What the authority's responder says now."""
    authorities, _ = trust_file.read(at.world.data / "trust" / "authorities.toml")
    own = next(each for each in authorities.by_fingerprint.values() if each.certificate.subject.raw == one.issuer.raw)
    nonce = secrets.token_bytes(16)
    asked = ocsp.request(ocsp.cert_id(one, own.certificate), nonce)
    headers = {"content-type": "application/ocsp-request"}
    with urlopen(Request(f"http://localhost:{at.world.port + 4}/ocsp/ingam", asked, headers), timeout=10) as answer:
        said = ocsp.parse(answer.read())
    return ocsp.verify(
        said, person=one, issuer=own.certificate, responders=own.responders, nonce=nonce, at=SystemClock().now()
    )


def told(at: PhoneWalk) -> None:
    """The person was told on the phone and by mail, in the language of the pages that they logged in on."""
    start = at.say("notice.issued").split("{use}")[0].split("] ")[-1]
    at.until(lambda: [one for one in at.inbox() if start in one["text"]])
    subject = at.say("notice.issued-subject").split("] ")[-1]
    at.until(lambda: [one for one in at.world.get(f"/mail/{at.who['key']}.json") if subject in one["subject"]])


@pytest.mark.parametrize(("width", "lang", "scheme"), [(1280, "ko", "light"), (360, "en", "dark")])
def test_a_certificate_that_is_not_registered_here_is_offered_for_revocation(
    hurry: Callable[..., Walk], width: int, lang: str, scheme: str
) -> None:
    at, name = hurry("kim", width, lang, scheme), f"{width}-{lang}-{scheme}"
    at.log_in_by_id(then="/management/revocation")
    expect(at.page.get_by_role("heading", name=at.say("life.unregistered_title"))).to_be_visible()
    wrong = trouble(at.page, f"revocation-unregistered-{name}")
    card = at.page.locator("section.card").filter(has_text=at.say("life.issued_at")).first
    begin = card.get_by_role("button", name=at.say("life.begin_revocation"), exact=True)
    at.person.press(begin)
    expect(at.page.locator("[data-error-summary]")).to_contain_text(at.say("life.need_reason"))
    wrong += trouble(at.page, f"revocation-unregistered-reason-{name}")
    at.person.press(card.get_by_text(at.say("life.reason_unused"), exact=True))
    at.person.press(begin)
    expect(at.button("factor.request_code")).to_be_visible()
    at.person.press(at.button("protection.leave"))
    expect(at.page).to_have_url(f"{at.world.center}/management")
    assert wrong == []


def test_a_person_gets_a_certificate_and_another_brokers_ends(
    phone: Callable[..., PhoneWalk], handset: Handset
) -> None:
    handset.see("kim")
    at = phone("kim")
    found = looking(at)
    old = certificate.parse(at.files("other-broker")[0].read_bytes())
    assert standing(at, old).status == "good"
    to_choice(at, "resident")
    ending = at.page.get_by_role("note").filter(has_text=at.say("issuance.ending_through", through="예시증권"))
    expect(ending).to_contain_text(f"{old.serial:x}")
    serial = to_login(at)
    assert standing(at, old).status == "revoked"
    told(at)
    both_are_listed(at, serial, f"{old.serial:x}")
    assert not found, "\n".join(found)
    refused_at_registration(at)


def both_are_listed(at: PhoneWalk, new: str, old: str) -> None:
    """마이뱅크."""
    at.open("/mybank")
    cards = at.page.get_by_role("article")
    expect(cards.filter(has_text=new).first).to_contain_text(at.say("mybank.state_valid"))
    expect(cards.filter(has_text=old).first).to_contain_text(at.say("mybank.state_revoked"))
    at.look("9-mybank")


def refused_at_registration(at: PhoneWalk) -> None:
    """타기관인증서등록 of the one that ended."""
    at.at_certificate()
    at.agree_to_replace()
    at.open_window()
    at.pick("other-broker")
    at.choose("other-broker")
    assert at.answered() == ("/registration/certificate", "cert-revoked")
    expect(at.page.locator("#certificate-error")).to_have_text(at.say("refusal.cert-revoked"))


def test_a_person_gets_a_certificate_with_a_licence_in_english(
    phone: Callable[..., PhoneWalk], handset: Handset
) -> None:
    handset.see("choi", "licence")
    at = phone("choi", "en")
    found = looking(at)
    to_choice(at, "licence")
    serial = to_login(at)
    told(at)
    at.open("/mybank")
    expect(at.page.get_by_role("article").filter(has_text=serial).first).to_contain_text(at.say("mybank.state_valid"))
    assert not found, "\n".join(found)
