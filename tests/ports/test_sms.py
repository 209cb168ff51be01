"""What every SMS sender promises (`ingam.ports.sms`): Aligo's form API, SMPP with a foreign SMSC, a recording twin."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.smsc import Smsc, smsc

from ingam.adapters.sms.aligo import AligoSms
from ingam.adapters.sms.recording import RecordingSms
from ingam.adapters.sms.smpp import SmppSms, parts
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


# SMPP


@pytest.fixture(scope="module")
def running() -> Iterator[Smsc]:
    with smsc() as it:
        yield it


@pytest.fixture
def center(running: Smsc) -> Smsc:
    running.forget()
    return running


KOREAN = "[증권금융] 인증서복사 인증번호 482913 (타인에게 알리지 마세요)\n@localhost #482913"
LONG = "증권금융 인증센터입니다. 고객님의 공동인증서를 다른 기기로 복사하였습니다. 똠방각하 펲시콜라 🔑 " * 3


def smpp(port: int, **words: Any) -> SmppSms:
    return SmppSms(
        "127.0.0.1", port, **WORDS | {"answer_s": 10.0} | words
    )  # fmt: skip


def sent(sender: SmppSms, *messages: Sms) -> list[str]:
    async def walk() -> list[str]:
        try:
            return list(await asyncio.gather(*(sender.send(one) for one in messages)))
        finally:
            await sender.aclose()

    found: list[str] = run(walk)
    return found


def test_smpp_binds_and_the_korean_text_arrives_as_it_was(center: Smsc) -> None:
    assert sent(smpp(center.port), Sms("01085130001", KOREAN, "r1")) == ["id-2"]
    [bound] = center.got("bind_transmitter")
    assert (bound["known"], bound["version"]) == (True, 0x34)
    [got] = center.got("submit_sm")
    assert (got["from"], got["to"], got["text"], got["coding"]) == ("15440000", "01085130001", KOREAN, 8)
    center.got("unbind")


def test_smpp_plain_letters_go_in_the_default_alphabet(center: Smsc) -> None:
    sent(smpp(center.port), Sms("01085130001", "Ingam code 482913.", "r2"))
    [got] = center.got("submit_sm")
    assert (got["text"], got["coding"]) == ("Ingam code 482913.", 0)


def test_smpp_a_long_text_goes_in_parts_that_join_to_it(center: Smsc) -> None:
    sent(smpp(center.port), Sms("01085130001", LONG, "r3"))
    expected = parts(LONG, "r3")
    got = center.got("submit_sm", len(expected))
    assert len(got) == 3
    assert all(one["esm"] == 0x40 and len(one["text"]) <= 67 for one in got)
    headers = [bytes.fromhex(one["udh"]) for one in got]
    assert [(header[-2], header[-1]) for header in headers] == [(3, 1), (3, 2), (3, 3)]
    assert len({header[-3] for header in headers}) == 1
    assert "".join(one["text"] for one in got) == LONG


def test_smpp_a_long_text_goes_as_one_payload_where_the_smsc_wants_that(center: Smsc) -> None:
    sent(smpp(center.port, long="payload"), Sms("01085130001", LONG, "r4"), Sms("01085130002", KOREAN, "r5"))
    by_number = {one["to"]: one for one in center.got("submit_sm", 2)}
    assert (by_number["01085130001"]["payload"], by_number["01085130001"]["text"]) == (True, LONG)
    assert (by_number["01085130002"]["payload"], by_number["01085130002"]["text"]) == (False, KOREAN)


@given(text=st.text(max_size=400), reference=st.text())
def test_smpp_parts_fit_join_and_never_cut_a_character(text: str, reference: str) -> None:
    assume(not any("\ud800" <= letter <= "\udfff" for letter in text))
    found = parts(text, reference)
    assert "".join(one.body.decode("utf-16-be" if one.ucs2 else "ascii") for one in found) == text
    for one in found:
        assert len(one.header) + len(one.body) <= (140 if one.ucs2 else 160)
    assert parts(text, reference) == found


def test_smpp_two_hundred_messages_at_once_share_one_line(center: Smsc) -> None:
    messages = [Sms(f"0108513{number:04d}", f"{KOREAN} {number}", f"m{number}") for number in range(200)]
    assert len(set(sent(smpp(center.port), *messages))) == 200
    got = center.got("submit_sm", 200)
    assert {(one["to"], one["text"]) for one in got} == {(one.to, one.text) for one in messages}
    center.got("unbind")
    assert center.bound == 1


def test_smpp_a_reference_that_was_taken_is_not_sent_again(center: Smsc) -> None:
    async def walk() -> tuple[str, str]:
        sender = smpp(center.port)
        first, again = await sender.send(SMS), await sender.send(SMS)
        await sender.send(Sms("01085130002", "end", "end"))
        await sender.aclose()
        return first, again

    first, again = run(walk)
    assert first == again
    assert [one["to"] for one in center.got("submit_sm", 2)] == [SMS.to, "01085130002"]


def test_H1_smpp_an_smsc_that_is_silent_is_an_outage(center: Smsc) -> None:
    with pytest.raises(SmsOutage) as refused:
        sent(smpp(center.port, answer_s=0.5), Sms("01085139003", SMS.text, "r"))
    assert_silent(refused.value)
    assert "9003" not in f"{refused.value!r} {refused.value.facts}"


@pytest.mark.parametrize("ending", ["9001", "9002"])
def test_H1_smpp_a_refused_or_lost_answer_is_an_outage_and_the_next_message_leaves(center: Smsc, ending: str) -> None:
    async def walk() -> None:
        sender = smpp(center.port)
        with pytest.raises(SmsOutage) as refused:
            await sender.send(Sms(f"0108513{ending}", SMS.text, "r"))
        assert_silent(refused.value)
        assert ending not in f"{refused.value!r} {refused.value.facts}"
        await sender.send(Sms("01085130003", SMS.text, "after"))
        await sender.aclose()

    run(walk)
    assert center.got("submit_sm", 2)[1]["to"] == "01085130003"


def test_smpp_what_was_cut_off_in_the_middle_goes_on_where_it_stopped(center: Smsc) -> None:
    async def walk() -> None:
        sender = smpp(center.port)
        with pytest.raises(SmsOutage):
            await sender.send(Sms("01085139005", LONG, "cut"))
        await sender.send(Sms("01085139005", LONG, "cut"))
        await sender.aclose()

    run(walk)
    assert [bytes.fromhex(one["udh"])[-1] for one in center.got("submit_sm", 4)] == [1, 2, 2, 3]


def test_smpp_an_smsc_that_unbinds_is_answered_and_bound_anew(center: Smsc) -> None:
    async def walk() -> None:
        sender = smpp(center.port)
        await sender.send(Sms("01085139004", SMS.text, "unbinds"))
        await asyncio.to_thread(center.got, "unbind_resp")
        await sender.send(SMS)
        await sender.aclose()

    run(walk)
    center.got("bind_transmitter")
    center.got("submit_sm")


def test_smpp_each_side_asks_whether_the_other_is_there(center: Smsc) -> None:
    async def walk() -> None:
        sender = smpp(center.port, enquire_s=0.05)
        await sender.send(SMS)
        await asyncio.to_thread(center.got, "enquire_link", 2)
        await sender.aclose()

    run(walk)
    assert center.answered


def test_smpp_a_wrong_password_and_a_closed_port_are_outages(center: Smsc) -> None:
    with pytest.raises(SmsOutage) as refused:
        sent(smpp(center.port, password=Secret("other")), SMS)
    assert refused.value.facts["cause"] == "bind-refused"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(SmsOutage):
        sent(smpp(port), SMS)


@pytest.mark.parametrize(
    "noise", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff" * 64, b"\0" * 64, (b"\0" * 3 + b"\x10") * 4]
)
def test_smpp_noise_in_the_place_of_an_answer_is_an_outage(noise: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(noise)
        writer.close()

    async def walk() -> None:
        async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
            sender = smpp(server.sockets[0].getsockname()[1], answer_s=1.0)
            with pytest.raises(SmsOutage):
                await sender.send(SMS)
            await sender.aclose()

    run(walk)


def test_smpp_over_tls_only_a_trusted_smsc_is_spoken_to(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    written(key, certificate)
    trusting = ssl.create_default_context(cafile=str(certificate))
    with smsc(key, certificate) as over_tls:
        sent(SmppSms("localhost", over_tls.port, **WORDS, tls=trusting), Sms("01085130001", KOREAN, "tls"))
        assert over_tls.got("submit_sm")[0]["text"] == KOREAN
        with pytest.raises(SmsOutage) as refused:
            sent(SmppSms("localhost", over_tls.port, **WORDS, tls=ssl.create_default_context()), SMS)
        assert refused.value.facts["cause"] == "SSLCertVerificationError"
        assert over_tls.bound == 1


WORDS: dict[str, Any] = {"system_id": "ingam", "password": Secret("pa55word"), "sender": "15440000"}


def written(key: Path, certificate: Path) -> None:
    """A certificate for localhost that vouches for itself."""
    secret, name = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string("CN=localhost")
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, secret.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(secret, SHA256())
    )  # fmt: skip
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    key.write_bytes(secret.private_bytes(*form))
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
