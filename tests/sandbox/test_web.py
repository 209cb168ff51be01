"""The sandbox's pages and switches."""

from __future__ import annotations

import base64
import re
from datetime import timedelta
from pathlib import Path

import pytest
from tests.sandbox.conftest import ORIGIN, Box

from ingam.kernel import words
from ingam.npki import certificate, key_file, vid
from ingam.npki.certificate import Certificate
from ingam.protocols import ocsp
from ingam.sandbox import listing, switches
from ingam.sandbox.authorities import houses
from ingam.sandbox.people import CERTIFICATE_PASSWORD, person

PAGES = ["/", "/phone/01085130001", "/switches"]


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_speaks_both_languages(kept: Box, path: str, lang: str) -> None:
    answer = kept.client.get(path, headers={"cookie": f"lang={lang}"})
    assert answer.status_code == 200
    assert f'<html lang="{lang}"' in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert words.say("sandbox.switches", lang) in answer.text


def test_a_page_runs_and_styles_nothing_inline(kept: Box) -> None:
    for path in PAGES:
        text = kept.client.get(path).text
        assert " style=" not in text
        assert "<style" not in text
        assert " onclick=" not in text


def test_a_message_is_shown_as_text_and_never_as_markup(box: Box) -> None:
    form = {"key": "k", "user_id": "u", "sender": "1544", "receiver": "01085130001", "msg": "<script>alert(1)</script>"}
    box.client.post("/aligo/send/", data=form)
    assert "<script>alert" not in box.client.get("/phone/01085130001").text


def test_a_form_turns_a_switch_and_comes_back(box: Box) -> None:
    form = {"kind": "responder", "name": "signkorea", "position": "off"}
    answer = box.client.post("/switches", data=form, headers={"origin": ORIGIN}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/switches")
    assert box.client.get("/switches.json").json()["responder"]["signkorea"] == "off"
    box.turn("all", "", "normal")
    assert box.client.get("/switches.json").json()["responder"]["signkorea"] == "normal"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.test"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"origin": "http://localhost:8700", "sec-fetch-site": "same-site"},
    ],
)
def test_another_sites_page_turns_nothing(box: Box, headers: dict[str, str]) -> None:
    form = {"kind": "sms", "name": "", "position": "off"}
    assert box.client.post("/switches", data=form, headers=headers).status_code == 403
    assert box.client.get("/switches.json").json()["sms"] == "normal"


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "responder", "name": "nobody", "position": "off"},
        {"kind": "responder", "name": "signkorea", "position": "sideways"},
        {"kind": "slow", "name": "seconds", "position": "3600"},
        {"kind": "certificate", "name": "nobody", "position": "revoke"},
        {"kind": "certificate", "name": "securities", "position": "burn"},
        {"kind": "certificate", "name": "signkorea-ca4", "position": "reissue"},
        {"kind": "certificate", "name": "without-vid", "position": "reissue"},
        {"kind": "certificate", "name": "untrusted", "position": "revoke"},
        {"kind": 7},
        [],
    ],
)
def test_a_switch_that_is_not_there_is_refused(box: Box, given: object) -> None:
    answer = box.client.post("/switches", json=given, headers={"accept": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["code"].startswith("sandbox-unknown")


def test_every_position_has_its_words_and_works(box: Box) -> None:
    for position in switches.RESPONDER:
        box.turn("responder", "signkorea", position)
    for position in switches.LIST:
        box.turn("list", "rootca", position)
    for position in switches.SMS:
        box.turn("sms", "", position)
    for position in {*switches.RESPONDER, *switches.LIST, *switches.SMS}:
        assert words.has(f"sandbox.position_{position.replace('-', '_')}")


@pytest.mark.parametrize("slug", ["securities", "corporate-universal"])
def test_A17_a_reissued_certificate_has_the_same_name_and_another_key(box: Box, slug: str) -> None:
    old = box.world.newest(slug).parsed
    place = box.demo / listing.folder_of(box.world.world, slug)
    told = box.turn("certificate", slug, "reissue")["issued"]
    new = box.world.newest(slug).parsed
    assert new.subject.raw == old.subject.raw
    assert new.serial != old.serial
    assert new.spki != old.spki
    assert (place / "signCert.der").read_bytes() == new.der
    assert isinstance(told, dict)
    assert base64.b64decode(told["files"]["signCert.der"]) == new.der
    assert Path(told["folder"]).name == place.name
    assert new.not_after == old.not_after  # 재발급 keeps the end date
    assert new.issuer.value("CN") == "SignKorea CA5 (sandbox)"  # of the two generations the newer one issues
    assert status_of(box, old, "signkorea-ca4") == ("revoked", "superseded")
    assert status_of(box, new, "signkorea-ca5") == ("good", "unspecified")


def status_of(box: Box, one: Certificate, ca: str) -> tuple[str, str]:
    """As its house's responder says."""
    issuer, nonce = box.world.authority(ca), bytes(16)
    answer = box.client.post("/ocsp/signkorea", content=ocsp.request(ocsp.cert_id(one, issuer), nonce))
    found = ocsp.verify(
        ocsp.parse(answer.content), person=one, issuer=issuer, responders=(box.world.authority(f"{ca}-ocsp"),),
        nonce=nonce, at=box.clock.now(),
    )  # fmt: skip
    return found.status, found.reason


def test_what_was_revoked_is_issued_anew_for_a_year(box: Box) -> None:
    box.turn("certificate", "somebody-elses", "revoke")
    box.turn("certificate", "somebody-elses", "reissue")
    new = box.world.newest("somebody-elses").parsed
    assert timedelta(days=364) < new.not_after - box.clock.now() < timedelta(days=367)


def test_the_switches_offer_what_a_house_would_do(kept: Box) -> None:
    text = kept.client.get("/switches", headers={"cookie": "lang=en"}).text
    offered = {slug: set(re.findall(rf'value="{slug}"><input type="hidden" name="position" value="(\w+)"', text))
               for slug in ("securities", "suspended", "revoked", "without-vid", "untrusted", "kica-ca6")}  # fmt: skip
    assert offered == {
        "securities": {"revoke", "suspend", "reissue"},
        "suspended": {"revoke", "release", "reissue"},
        "revoked": {"reissue"},
        "without-vid": {"revoke", "suspend"},
        "untrusted": set(),
        "kica-ca6": {"revoke", "suspend"},
    }
    for house in houses.HOUSES:
        assert house.shown("en") in text


def test_a_reissued_pair_opens_and_proves_its_owner(box: Box) -> None:
    box.turn("certificate", "securities", "reissue")
    place = box.demo / listing.folder_of(box.world.world, "securities")
    found = certificate.parse((place / "signCert.der").read_bytes())
    key = key_file.open_key((place / "signPri.key").read_bytes(), CERTIFICATE_PASSWORD.encode())
    key.require_match(found.public_key.n, found.public_key.e)
    assert key.random is not None
    assert found.identify_data is not None
    identified = vid.parse_identify_data(found.identify_data)
    vid.check_vid(identified.vid, person("hong").idn, key.random.reveal())


def test_another_name_of_this_machine_is_sent_to_the_one_it_has(kept: Box) -> None:
    answer = kept.client.get("/switches", headers={"host": "127.0.0.1:18706"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (308, f"{ORIGIN}/switches")


@pytest.mark.parametrize("path", ["/aligo/send/", "/ocsp/signkorea"])
def test_another_sites_page_can_send_no_message_and_ask_no_responder(box: Box, path: str) -> None:
    form = {
        "key": "k",
        "user_id": "u",
        "sender": "1544",
        "receiver": "01085130001",
        "msg": "[증권금융] 인증번호 000000",
    }
    answer = box.client.post(path, data=form, headers={"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.test"})
    assert answer.status_code == 403
    assert box.client.get("/phone/01085130001.json").json() == []
