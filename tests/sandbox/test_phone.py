"""The SMS provider and the telephones, as the center's adapter and a person meet them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx2
import pytest
from tests.sandbox.conftest import ORIGIN, Box

from ingam.adapters.sms.aligo import AligoSms
from ingam.kernel.secret import Secret
from ingam.page import Bundle
from ingam.ports.sms import Sms, SmsOutage
from ingam.run import sandbox
from ingam.sandbox.phone import Phones

FORM = {"key": "k", "user_id": "u", "sender": "15440000", "receiver": "010-8513-0001", "msg": "인증번호 482913"}
INBOX = "/phone/01085130001.json"


def test_a_message_arrives_newest_first(box: Box) -> None:
    for text in ("첫째", "둘째"):
        answer = box.client.post("/aligo/send/", data={**FORM, "msg": text})
        assert answer.json()["result_code"] == "1"
    found = box.client.get(INBOX).json()
    assert [one["text"] for one in found] == ["둘째", "첫째"]
    assert found[0]["from"] == "15440000"
    assert box.client.get("/phone/01085130002.json").json() == []


def test_the_same_reference_is_delivered_once(box: Box) -> None:
    answers = [box.client.post("/aligo/send/", data={**FORM, "reference": "r-1"}).json() for _ in range(3)]
    assert len({one["msg_id"] for one in answers}) == 1
    assert len(box.client.get(INBOX).json()) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [({"key": ""}, "-101"), ({"receiver": "12"}, "-201"), ({"msg": ""}, "-202"), ({"msg": "가" * 1001}, "-202")],
)
def test_a_wrong_form_is_refused_in_the_providers_way(box: Box, change: dict[str, str], code: str) -> None:
    answer = box.client.post("/aligo/send/", data={**FORM, **change})
    assert (answer.status_code, answer.json()["result_code"]) == (200, code)
    assert box.client.get(INBOX).json() == []


def test_a_long_message_goes_as_lms(box: Box) -> None:
    assert box.client.post("/aligo/send/", data={**FORM, "msg": "가" * 45}).json()["msg_type"] == "SMS"
    assert box.client.post("/aligo/send/", data={**FORM, "msg": "가" * 46}).json()["msg_type"] == "LMS"


def send(box: Box, reference: str) -> str:
    """As the center's worker sends, through the adapter."""
    app = sandbox.app(box.settings, bundle=Bundle.empty(), clock=box.clock, demo=box.demo)
    app.state.box.switches.sms = box.client.get("/switches.json").json()["sms"]

    async def through() -> str:
        transport = httpx2.ASGITransport(app)
        key = Secret("k")
        async with AligoSms(f"{ORIGIN}/aligo", key=key, user_id="u", sender="15440000", transport=transport) as sender:
            return await sender.send(Sms("01085130001", "인증번호 482913", reference))

    return asyncio.run(through())


def test_the_centers_adapter_is_understood(box: Box) -> None:
    assert send(box, "r-9")
    assert [one["text"] for one in box.client.get(INBOX).json()] == ["인증번호 482913"]


@pytest.mark.parametrize("position", ["off", "refusing"])
def test_a_provider_that_does_not_send_is_an_outage(box: Box, position: str) -> None:
    box.turn("sms", "", position)
    with pytest.raises(SmsOutage):
        send(box, "r-1")
    assert box.client.get(INBOX).json() == []


def test_a_lost_acknowledgement_and_a_retry_make_one_message(box: Box) -> None:
    box.turn("sms", "", "lost-acknowledgement")
    with pytest.raises(SmsOutage):
        send(box, "r-1")
    assert send(box, "r-1")
    assert len(box.client.get(INBOX).json()) == 1


def test_an_inbox_does_not_grow_without_end(box: Box, tmp_path: Path) -> None:
    phones = Phones(tmp_path / "phone.db", kept=5)
    for number in range(8):
        phones.deliver("01000000000", "1", str(number), None, box.clock.now())
    assert [one.text for one in phones.inbox("01000000000")] == ["7", "6", "5", "4", "3"]
    phones.close()
