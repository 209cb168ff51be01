"""The parties that say who somebody is, on the sandbox as it runs: addresses, pages, switches, and bad askers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.testclient import TestClient
from tests.ports.outside import Outside, outside
from tests.sandbox.conftest import ORIGIN, Box

from ingam.kernel import words
from ingam.kernel.errors import Failure
from ingam.sandbox import addresses
from ingam.sandbox.parties import party_routes, plain_failure
from ingam.sandbox.people import PEOPLE, Person, person
from ingam.sandbox.phone_identity import KEPT, Identities, Transaction
from ingam.sandbox.switches import EVERY_PARTY, PARTIES, Switches, UnknownSwitch

HONG = person("hong")
AT = "/portone/identity-verifications/" + "a" * 32
AUTHORISED = {"authorization": "PortOne s"}


def send(box: Box, one: Person = HONG, method: str = "APP") -> Any:
    customer = {"name": one.name, "phoneNumber": one.mobile, "identityNumber": one.idn[:7]}
    body = {"channelKey": "c", "customer": customer, "operator": one.carrier, "method": method}
    return box.client.post(f"{AT}/send", json=body, headers=AUTHORISED)


def confirm(box: Box) -> Any:
    return box.client.post(f"{AT}/confirm", json={}, headers=AUTHORISED).json()


def test_their_names_lead_to_the_sandbox() -> None:
    mapped = addresses("http://localhost:8706/")
    assert mapped["realname.ingam.test"] == "http://localhost:8706/realname"
    assert mapped["portone.test"] == "http://localhost:8706/portone"
    assert mapped["idcard.test"] == "http://localhost:8706/idcard"


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_every_party_and_position_has_its_words_and_its_switch(kept: Box, lang: str) -> None:
    text = kept.client.get("/switches", headers={"cookie": f"lang={lang}"}).text
    for name, positions in PARTIES.items():
        assert words.say(f"sandbox.party_{name.replace('-', '_')}", lang) in text
        chosen = re.search(rf'<select id="party-{name}".*?</select>', text, re.DOTALL)
        assert chosen is not None
        assert re.findall(r'value="([a-z-]+)"', chosen[0]) == list(positions)
        for position in positions:
            assert words.say(f"sandbox.position_{position.replace('-', '_')}", lang) in chosen[0]


def test_a_party_is_turned_and_told_and_all_go_back_to_normal(box: Box) -> None:
    for name, positions in PARTIES.items():
        for position in positions:
            told = box.turn("party", name, position)["party"]
            assert isinstance(told, dict)
            assert told[name] == position
    box.turn("all", "", "normal")
    assert box.client.get("/switches.json").json()["party"] == dict.fromkeys(PARTIES, "normal")


@pytest.mark.parametrize(("name", "position"), [("bank", "lost"), ("id-card", "closed"), ("sms", "off"), ("bank", "")])
def test_a_party_has_only_its_own_positions(name: str, position: str) -> None:
    with pytest.raises(UnknownSwitch):
        Switches().turn("party", name, position)


def test_every_party_can_be_slow_off_and_silent() -> None:
    assert all(positions[:4] == EVERY_PARTY for positions in PARTIES.values())


def test_the_app_asks_on_the_telephones_page_and_its_button_confirms(box: Box) -> None:
    assert send(box).status_code == 200
    assert confirm(box)["pgCode"] == "APP_PENDING"
    page = box.client.get(f"/phone/{HONG.mobile}").text
    form = re.search(r'action="(/phone/\d+/approve)">\s*<input type="hidden" name="id" value="(\w+)"', page)
    assert form is not None
    assert "/approve" not in box.client.get("/phone/01085130002").text
    answer = box.client.post(form[1], data={"id": form[2]}, headers={"origin": ORIGIN}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/phone/{HONG.mobile}")
    assert "/approve" not in box.client.get(f"/phone/{HONG.mobile}").text
    customer = confirm(box)["identityVerification"]["verifiedCustomer"]
    assert customer["name"] == HONG.name


@pytest.mark.parametrize("given", ["", "b" * 32])
def test_nothing_else_is_confirmed_by_a_button(box: Box, given: str) -> None:
    send(box)
    answer = box.client.post(
        f"/phone/{HONG.mobile}/approve", data={"id": given}, headers={"accept": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "sandbox-unknown-approval")


def test_another_sites_page_presses_no_button_and_asks_no_party(box: Box) -> None:
    send(box)
    evil = {"sec-fetch-site": "cross-site", "origin": "https://evil.test"}
    answer = box.client.post(f"/phone/{HONG.mobile}/approve", data={"id": "a" * 32}, headers=evil)
    assert answer.status_code == 403
    for path in (f"{AT}/confirm", "/realname/rest/name_rrn_auth", "/idcard/verify/ic"):
        assert box.client.post(path, json={}, headers=evil | AUTHORISED).status_code == 403
    assert box.client.get(AT, headers=AUTHORISED).json()["status"] == "READY"


def test_an_sms_arrives_in_the_inbox_of_its_number_alone(box: Box) -> None:
    send(box, method="SMS")
    [message] = box.client.get(f"/phone/{HONG.mobile}.json").json()
    assert re.search(r"인증번호 \d{6}\n", message["text"])
    assert box.client.get("/phone/01085130002.json").json() == []


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_the_overview_tells_what_is_in_everybodys_wallet(kept: Box, lang: str) -> None:
    text = kept.client.get("/", headers={"cookie": f"lang={lang}"}).text
    for one in PEOPLE:
        assert one.bank is None or one.bank.account in text
        assert one.licence is None or one.licence.serial in text
        assert one.resident_card is None or one.resident_card.issued_on.isoformat() in text


def test_the_list_for_programs_tells_it_too(kept: Box) -> None:
    people = {one["key"]: one for one in kept.client.get("/demo.json").json()["people"]}
    assert people["hong"]["resident_card"] == {"issued_on": "2015-05-05"}
    assert people["hong"]["licence"] == {"number": "119513000101", "serial": "TEST01", "issued": "2020-06-01"}
    assert people["jung"]["carrier"] == "SKT_MVNO"
    assert people["jung"]["home_phone"] is None
    assert people["kim"]["third_phone"] == "0285130002"
    assert people["mia"]["resident_card"] is None
    assert people["gaon"]["bank"] is None
    assert json.dumps(people)


def test_the_new_people_are_what_they_are_there_for() -> None:
    assert len(person("mia").name) == 18
    assert person("mia").foreigner
    assert person("alex").foreigner
    assert not old_check_digit(person("choi").idn)
    assert person("jung").carrier.endswith("_MVNO")
    assert person("jung").home_phone is None
    assert len(person("han").name) == 9


def old_check_digit(idn: str) -> bool:
    """As numbers before October 2020 had it."""
    total = sum(weight * int(digit) for weight, digit in zip((2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), idn, strict=False))
    return (11 - total % 11) % 10 == int(idn[12])


def test_nobodys_papers_are_anybody_elses() -> None:
    bank = [one.bank.account for one in PEOPLE if one.bank]
    licences = [one.licence.number for one in PEOPLE if one.licence]
    assert len({one.mobile for one in PEOPLE}) == len(PEOPLE)
    assert len(set(bank)) == len(bank) == len(set(licences)) == len(PEOPLE) - 1
    assert all(re.fullmatch(r"\d{12}", one) for one in licences)
    assert all(re.fullmatch(r"\d{3}", one.bank.bank_code) for one in PEOPLE if one.bank)


def test_old_transactions_are_forgotten(sandbox: Outside) -> None:
    kept = Identities()
    for number in range(KEPT + 3):
        kept.add(Transaction(str(number), HONG, "APP", "", sandbox.clock.now()))
    assert kept.find("2") is None
    assert kept.find("3") is not None
    assert len(kept.waiting(HONG.mobile, sandbox.clock.now())) == KEPT


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    made = outside(tmp_path_factory.mktemp("outside"))
    yield made
    made.box.phones.close()


@pytest.fixture(scope="module")
def asks(sandbox: Outside) -> Iterator[TestClient]:
    app = Starlette(routes=party_routes(sandbox.box), exception_handlers={Failure: plain_failure})
    with TestClient(app) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "body"),
    [("/realname/rest/name_rrn_auth", {}), ("/idcard/verify/ic", {}), (f"{AT}/send", {}), (f"{AT}/confirm", {})],
)
def test_who_shows_no_key_is_not_served(asks: TestClient, path: str, body: dict[str, str]) -> None:
    assert asks.post(path, json=body).status_code == 401
    assert asks.get(AT).status_code == 401


def test_the_same_transaction_is_not_sent_twice(box: Box) -> None:
    assert send(box).status_code == 200
    assert send(box).json()["type"] == "IDENTITY_VERIFICATION_ALREADY_SENT"


KEYS = {"cl_auth_key": "k", "x-ekyc-secret": "k", **AUTHORISED, "content-type": "application/json"}
PATHS = st.sampled_from(
    ["/realname/rest/name_rrn_auth", "/idcard/verify/ic", "/idcard/verify/dl", f"{AT}/send", f"{AT}/confirm"]
)
NAMES = st.sampled_from(["requestId", "data", "name", "customer", "phoneNumber", "method", "channelKey", "otp", "num"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=12,
)


@given(PATHS, JSON | st.just(b"\xff[") | st.just(b"[" * 3000))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_whatever_is_asked_is_refused_in_form_and_names_nobody(asks: TestClient, path: str, body: Any) -> None:
    answer = asks.post(path, content=body if isinstance(body, bytes) else json.dumps(body), headers=KEYS)
    assert answer.status_code in (200, 400, 404, 502)
    assert isinstance(answer.json(), dict)
    assert HONG.name not in answer.text
    told = answer.json()
    assert told.get("result") != "SUCCESS"
    assert (told.get("data") or {}).get("result") != 1


def test_a_body_that_is_larger_than_any_question_is_not_read(asks: TestClient) -> None:
    assert asks.post("/idcard/verify/ic", content=b" " * 70_000, headers=KEYS).status_code == 413
