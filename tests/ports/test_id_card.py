"""What every verification of identity cards promises (`ingam.ports.id_card`): CLOVA's shape against the sandbox."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ports.outside import WAIT_S, Outside, assert_silent, outside, run

from ingam.adapters.id_card.http import HttpIdCards
from ingam.kernel.secret import Secret
from ingam.ports.id_card import (
    REGIONS,
    Card,
    DriverLicence,
    IdCardOutage,
    ResidentCard,
    Verdict,
    licence_number,
)
from ingam.sandbox.people import PEOPLE, Person, person
from ingam.sandbox.switches import PARTIES


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Outside]:
    made = outside(tmp_path)
    yield made
    made.box.phones.close()


def verify(transport: httpx2.AsyncBaseTransport, card: Card) -> Verdict:
    async def once() -> Verdict:
        async with HttpIdCards(
            "http://localhost:1/idcard/", secret=Secret("s3cret"), transport=transport, answer_s=WAIT_S
        ) as cards:
            return await cards.verify(card)

    return run(once)


def resident(one: Person) -> ResidentCard:
    assert one.resident_card is not None
    return ResidentCard(one.name, Secret(one.idn), one.resident_card.issued_on)


def licence(one: Person) -> DriverLicence:
    assert one.licence is not None
    return DriverLicence(one.name, one.birth_date, one.licence.number, one.licence.serial)


HONG = person("hong")
CARDS = pytest.mark.parametrize("card", [resident(HONG), licence(HONG)], ids=["resident", "licence"])


@pytest.mark.parametrize("one", [one for one in PEOPLE if one.resident_card], ids=lambda one: one.key)
def test_a_resident_card_is_genuine_as_it_was_issued(sandbox: Outside, one: Person) -> None:
    assert verify(sandbox.transport, resident(one)) is Verdict.GENUINE


@pytest.mark.parametrize("one", [one for one in PEOPLE if one.licence], ids=lambda one: one.key)
def test_a_licence_is_genuine_with_its_serial_and_known_without(sandbox: Outside, one: Person) -> None:
    assert verify(sandbox.transport, licence(one)) is Verdict.GENUINE
    assert verify(sandbox.transport, replace(licence(one), serial=None)) is Verdict.GENUINE


@pytest.mark.parametrize(
    "card",
    [
        replace(resident(HONG), name="홍길순"),
        replace(resident(HONG), idn=Secret(person("kim").idn)),
        replace(resident(HONG), issued_on=date(2015, 5, 6)),
        ResidentCard("Alex Sample", Secret("9001015000005"), date(2020, 1, 1)),
        replace(licence(HONG), name="홍길순"),
        replace(licence(HONG), birth_date=date(1975, 10, 6)),
        replace(licence(HONG), number="119513000102"),
        replace(licence(HONG), serial="TEST02"),
        DriverLicence("", date(2000, 1, 1), "", ""),
    ],
)
def test_a_card_that_differs_in_one_field_is_not_genuine(sandbox: Outside, card: Card) -> None:
    assert verify(sandbox.transport, card) is Verdict.MISMATCH


@CARDS
@pytest.mark.parametrize(("position", "verdict"), [("mismatch", Verdict.MISMATCH), ("lost", Verdict.LOST)])
def test_the_issuer_says_what_the_switch_says(sandbox: Outside, card: Card, position: str, verdict: Verdict) -> None:
    sandbox.switches.turn("party", "id-card", position)
    assert verify(sandbox.transport, card) is verdict
    sandbox.switches.turn("party", "id-card", "slow")
    assert verify(sandbox.transport, card) is Verdict.GENUINE


@CARDS
@pytest.mark.parametrize(("position", "cause"), [("off", "status"), ("timeout", "timeout")])
def test_H1_a_silent_issuer_is_an_outage_that_names_nobody(
    sandbox: Outside, card: Card, position: str, cause: str
) -> None:
    sandbox.switches.turn("party", "id-card", position)
    with pytest.raises(IdCardOutage) as raised:
        verify(sandbox.transport, card)
    assert raised.value.facts["cause"] == cause
    assert_silent(raised.value)


def test_every_position_is_tried_here() -> None:
    assert set(PARTIES["id-card"]) == {"normal", "slow", "off", "timeout", "mismatch", "lost"}


def test_a_request_id_is_used_once(sandbox: Outside) -> None:
    sent: list[httpx2.Request] = []

    class Twice(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            await request.aread()
            sent.append(request)
            await sandbox.transport.handle_async_request(request)
            return await sandbox.transport.handle_async_request(request)

    with pytest.raises(IdCardOutage, match="refused"):
        verify(Twice(), resident(HONG))
    assert len(sent) == 1
    assert verify(sandbox.transport, resident(HONG)) is Verdict.GENUINE


@pytest.mark.parametrize(
    ("card", "path", "data"),
    [
        (resident(HONG), "ic", {"name": "홍길동", "personalNum": "7510051000001", "issueDate": "20150505"}),
        (
            licence(HONG),
            "dl",
            {"name": "홍길동", "birthDate": "19751005", "num": "119513000101", "code": "TEST01"},
        ),
        (
            replace(licence(HONG), serial=None),
            "dl",
            {"name": "홍길동", "birthDate": "19751005", "num": "119513000101"},
        ),
    ],
)
def test_the_message_is_the_providers(card: Card, path: str, data: dict[str, str]) -> None:
    asked: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(200, json={"result": "SUCCESS", "response": {"code": "OK"}})

    assert verify(httpx2.MockTransport(answer), card) is Verdict.GENUINE
    [request] = asked
    assert (request.method, str(request.url)) == ("POST", f"http://localhost:1/idcard/verify/{path}")
    assert request.headers["x-ekyc-secret"] == "s3cret"
    body = json.loads(request.content)
    assert body == {"requestId": body["requestId"], "data": [data]}
    assert len(body["requestId"]) == 32


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"result": "FAILURE"},
        {"result": "FAILURE", "response": {}},
        {"result": "FAILURE", "response": {"code": 7}},
        {"result": "FAILURE", "response": {"code": "SYSTEM"}},
        {"result": "success", "response": {"code": "MISMATCH"}},
    ],
)
def test_what_is_no_verdict_is_an_outage(answer: dict[str, object]) -> None:
    with pytest.raises(IdCardOutage) as raised:
        verify(httpx2.MockTransport(lambda _: httpx2.Response(200, json=answer)), resident(HONG))
    assert_silent(raised.value)


@pytest.mark.parametrize(
    ("printed", "digits"),
    [
        ("11-95-130001-01", "119513000101"),
        ("119513000101", "119513000101"),
        ("서울-95-130001-01", "119513000101"),
        ("경기북부 95-130001-01", "289513000101"),
        (" 26 - 08 - 130008 - 08 ", "260813000808"),
        ("10-95-130001-01", None),
        ("27-95-130001-01", None),
        ("한양-95-130001-01", None),
        ("11-95-13001-01", None),
        ("11-95-130001-01\n7", None),
        ("١١-95-130001-01", None),
        ("", None),
    ],
)
def test_a_licence_number_is_read_as_it_is_printed(printed: str, digits: str | None) -> None:
    assert licence_number(printed) == digits


@given(st.text(max_size=30))
def test_whatever_is_typed_becomes_twelve_digits_of_a_region_or_nothing(printed: str) -> None:
    found = licence_number(printed)
    assert found is None or (len(found) == 12 and found.isascii() and found.isdigit())
    assert found is None or found[:2] in REGIONS.values()


@given(st.sampled_from(sorted(REGIONS)), st.from_regex(r"\A[0-9]{10}\Z"))
def test_both_ways_of_printing_a_region_are_the_same_number(region: str, rest: str) -> None:
    assert licence_number(region + rest) == licence_number(REGIONS[region] + rest) == REGIONS[region] + rest
