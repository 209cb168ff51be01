"""What every SMS sender promises (`ingam.ports.sms`): Aligo's form API, and the recording twin."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest

from ingam.adapters.sms.aligo import AligoSms
from ingam.adapters.sms.recording import RecordingSms
from ingam.kernel.secret import Secret
from ingam.ports.sms import Sms, SmsOutage

SMS = Sms(to="01085130001", text="[증권금융] 타기관인증서등록 인증번호 123456", reference="sms:1")
TAKEN = {"result_code": "1", "message": "success", "msg_id": "77"}

Answer = Callable[[httpx2.Request], httpx2.Response]


def aligo(answer: Answer) -> AligoSms:
    return AligoSms(
        "http://localhost:1/aligo/", key=Secret("k3y"), user_id="ingam", sender="15440000",
        transport=httpx2.MockTransport(answer),
    )  # fmt: skip


def send(answer: Answer, sms: Sms = SMS) -> str:
    async def once() -> str:
        async with aligo(answer) as sender:
            return await sender.send(sms)

    return asyncio.run(once())


def test_the_form_is_the_providers_and_the_id_is_its_answer() -> None:
    asked: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(200, json=TAKEN)

    assert send(answer) == "77"
    [request] = asked
    assert (request.method, str(request.url)) == ("POST", "http://localhost:1/aligo/send/")
    form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
    assert form == {
        "key": "k3y", "user_id": "ingam", "sender": "15440000", "receiver": SMS.to, "msg": SMS.text,
        "msg_type": "SMS", "reference": SMS.reference,
    }  # fmt: skip


@pytest.mark.parametrize(("letters", "kind"), [(45, "SMS"), (46, "LMS")])
def test_ninety_bytes_in_euc_kr_go_as_sms_and_more_as_lms(letters: int, kind: str) -> None:
    kinds: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        kinds.append(parse_qs(request.content.decode())["msg_type"][0])
        return httpx2.Response(200, json=TAKEN)

    send(answer, Sms("01085130001", "가" * letters, "r"))
    assert kinds == [kind]


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(503),
        httpx2.Response(302, headers={"location": "http://localhost:2/"}),
        httpx2.Response(200, content=b"<html>"),
        httpx2.Response(200, json=[]),
        httpx2.Response(200, json={}),
        httpx2.Response(200, json={"result_code": "-804"}),
        httpx2.Response(200, content=b" " * 100_000),
    ],
)
def test_any_other_answer_is_an_outage_without_the_number_or_the_text(answer: httpx2.Response) -> None:
    with pytest.raises(SmsOutage) as refused:
        send(lambda _: answer)
    assert_silent(refused.value)


@pytest.mark.parametrize("error", [httpx2.ConnectError, httpx2.ReadTimeout, httpx2.RemoteProtocolError])
def test_H1_no_answer_is_an_outage_without_the_number_or_the_text(error: Callable[[str], Exception]) -> None:
    def fail(request: httpx2.Request) -> httpx2.Response:
        raise error(f"canary {request.content.decode()}")

    with pytest.raises(SmsOutage) as refused:
        send(fail)
    assert_silent(refused.value)


def assert_silent(outage: SmsOutage) -> None:
    told = f"{outage!r} {outage} {outage.facts} {outage.__cause__!r}"
    assert "01085130001" not in told
    assert "123456" not in told
    assert "canary" not in told


def test_the_recording_twin_keeps_a_reference_once() -> None:
    async def walk() -> tuple[str, str, str]:
        twin = RecordingSms()
        first, again = await twin.send(SMS), await twin.send(SMS)
        other = await twin.send(Sms("1", "x", "other"))
        assert list(twin.sent.values()) == [SMS, Sms("1", "x", "other")]
        return first, again, other

    first, again, other = run(walk)
    assert first == again != other


def run(walk: Callable[[], Awaitable[Any]]) -> Any:
    async def walked() -> Any:
        return await walk()

    return asyncio.run(walked())
