"""What every e-mail sender promises (`ingam.ports.email`): SMTP against the sandbox's own server on loopback."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import TypeVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from tests.ports.outside import SLOW_S, WAIT_S, Outside, outside, run

from ingam.adapters.email.smtp import SmtpEmail, Tls, message_id
from ingam.adapters.outgoing import Breaker
from ingam.kernel.secret import Secret
from ingam.ports.email import Email, EmailOutage
from ingam.sandbox.mail import Mail, MailServer
from ingam.sandbox.people import person
from ingam.sandbox.switches import PARTIES

HONG = person("hong")
TEXT = "공동인증서가 발급되었습니다.\n.\n..점으로 시작하는 줄\n" + "긴 줄 " * 400 + "\n끝"
EMAIL = Email(HONG.email, "[증권금융] 공동인증서가 발급되었습니다", TEXT, "issuance:7:mail")
ENVELOPE = b"EHLO me\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<hong@example.test>\r\nDATA\r\n"
SENDER = "no-reply@ingam.test"

T = TypeVar("T")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Outside]:
    made = outside(tmp_path)
    yield made
    made.box.phones.close()
    made.box.deposits.close()
    made.box.mails.close()


@asynccontextmanager
async def served(world: Outside) -> AsyncIterator[int]:
    server = MailServer(world.box.mails, world.switches, world.clock)
    port = await server.start(0)
    try:
        yield port
    finally:
        await server.close()


def sender(world: Outside, port: int, **more: object) -> SmtpEmail:
    given: dict[str, object] = {"tls": Tls.NONE, "answer_s": 5.0} | more
    return SmtpEmail("127.0.0.1", port, sender=SENDER, name="증권금융", clock=world.clock, **given)  # type: ignore[arg-type]


def with_server(world: Outside, walk: Callable[[int], Awaitable[T]]) -> T:
    async def walked() -> T:
        async with served(world) as port:
            return await walk(port)

    return run(walked)


def box(world: Outside) -> list[Mail]:
    return world.box.mails.box(HONG.email)


def refused(world: Outside, email: Email = EMAIL, **more: object) -> EmailOutage:
    async def walk(port: int) -> EmailOutage:
        with pytest.raises(EmailOutage) as outage:
            await sender(world, port, **more).send(email)
        return outage.value

    found = with_server(world, walk)
    told = f"{found!r} {found} {found.facts} {found.__cause__!r}"
    assert not [value for value in (HONG.email, "증권", "발급", "s3cret", EMAIL.reference) if value in told]
    return found


def test_a_message_arrives_as_it_was_written(world: Outside) -> None:
    with_server(world, lambda port: sender(world, port).send(EMAIL))
    [one] = box(world)
    assert (one.sender, one.subject, one.text) == (SENDER, EMAIL.subject, TEXT)
    assert one.reference == message_id(EMAIL.reference, SENDER)
    assert one.at == world.clock.now()


def test_the_same_reference_is_the_same_message(world: Outside) -> None:
    async def walk(port: int) -> None:
        for _ in range(3):
            await sender(world, port).send(EMAIL)
        await sender(world, port).send(Email(HONG.email, "다른 제목", "다른 글", "other"))

    with_server(world, walk)
    assert [one.subject for one in box(world)] == ["다른 제목", EMAIL.subject]


def test_a_message_id_tells_nothing_of_its_reference() -> None:
    assert message_id("issuance:7", SENDER) == message_id("issuance:7", SENDER) != message_id("issuance:8", SENDER)
    assert "issuance" not in message_id("issuance:7", SENDER)
    assert message_id("r", SENDER).endswith("@ingam.test>")


@pytest.mark.parametrize(
    "email",
    [
        Email("hong@example.test\r\nBcc: kim@example.test", "제목", "글", "r"),
        Email(HONG.email, "제목\r\nBcc: kim@example.test", "글", "r"),
        Email("hong@example.test, kim@example.test", "제목", "글", "r"),
        Email("", "제목", "글", "r"),
    ],
)
def test_no_text_becomes_a_header_or_a_second_recipient(world: Outside, email: Email) -> None:
    refused(world, email)
    assert box(world) == []
    assert world.box.mails.box("kim@example.test") == []


@pytest.mark.parametrize("to", ["nobody@example.test", "증권@example.test"])
def test_an_address_of_nobody_is_an_outage(world: Outside, to: str) -> None:
    refused(world, Email(to, "제목", "글", "r"))


def test_H1_a_server_that_refuses_is_an_outage_with_its_number_alone(world: Outside) -> None:
    world.switches.turn("party", "email", "refusing")
    assert refused(world).facts == {"cause": "refused", "status": 550}
    world.switches.turn("party", "email", "normal")
    with_server(world, lambda port: sender(world, port).send(EMAIL))
    assert len(box(world)) == 1


def test_a_slow_server_is_waited_for(world: Outside) -> None:
    world.switches.turn("party", "email", "slow")
    assert SLOW_S < WAIT_S
    with_server(world, lambda port: sender(world, port).send(EMAIL))
    assert len(box(world)) == 1


@pytest.mark.parametrize(
    ("position", "facts"), [("off", {"cause": "status", "status": 421}), ("timeout", {"cause": "timeout"})]
)
def test_a_silent_server_is_an_outage(world: Outside, position: str, facts: dict[str, object]) -> None:
    world.switches.turn("party", "email", position)
    assert refused(world, answer_s=WAIT_S if position == "timeout" else 5.0).facts == facts
    assert box(world) == []


def test_no_server_is_an_outage(world: Outside) -> None:
    async def walk() -> None:
        async with served(world) as port:
            pass
        with pytest.raises(EmailOutage):
            await sender(world, port).send(EMAIL)

    run(walk)


def test_a_fallen_server_is_left_alone_for_a_while(world: Outside) -> None:
    world.switches.turn("party", "email", "off")

    async def walk(port: int) -> list[object]:
        one = sender(world, port, breaker=Breaker(in_a_row=2, clock=lambda: 0.0))
        causes: list[object] = []
        for _ in range(3):
            with pytest.raises(EmailOutage) as outage:
                await one.send(EMAIL)
            causes.append(outage.value.facts["cause"])
        return causes

    assert with_server(world, walk) == ["status", "status", "breaker-open"]


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """Of 127.0.0.1, signed by itself."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    now, here = datetime.now(UTC), x509.IPAddress(IPv4Address("127.0.0.1"))
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([here]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = tmp_path / "mail.pem", tmp_path / "mail.key"
    files[0].write_bytes(made.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


@pytest.mark.parametrize("trusted", [True, False])
def test_starttls_is_spoken_with_a_server_whose_certificate_is_trusted(
    world: Outside, certificate: tuple[Path, Path], trusted: bool
) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*certificate)
    trust = ssl.create_default_context(cafile=str(certificate[0])) if trusted else None

    async def walk() -> None:
        server = MailServer(world.box.mails, world.switches, world.clock, tls)
        one = sender(world, await server.start(0), tls=Tls.STARTTLS, trust=trust)
        try:
            await one.send(EMAIL)
        finally:
            await server.close()

    if trusted:
        run(walk)
        assert len(box(world)) == 1
    else:
        with pytest.raises(EmailOutage):
            run(walk)
        assert box(world) == []


def test_nothing_is_sent_in_clear_where_starttls_is_required(world: Outside) -> None:
    assert refused(world, tls=Tls.STARTTLS, user="u", password=Secret("s3cret")).facts["cause"]
    assert box(world) == []


def test_every_position_is_tried_here() -> None:
    assert set(PARTIES["email"]) == {"normal", "slow", "off", "timeout", "refusing"}


@pytest.mark.parametrize(
    "lines",
    [
        b"DATA\r\nRCPT TO:<hong@example.test>\r\nMAIL nonsense\r\nXYZ\r\n\r\nQUIT\r\n",
        b"MAIL FROM:<a@b.test>\r\nDATA\r\nQUIT\r\n",
        b"\xff\xfe\x00\r\nQUIT\r\n",
        b"X" * 10_000 + b"\r\n",
        ENVELOPE + b"half a messa",
        ENVELOPE + b"x\r\n" * 100_000 + b".\r\nQUIT\r\n",
    ],
)
def test_nonsense_delivers_nothing_and_the_server_goes_on(world: Outside, lines: bytes) -> None:
    async def walk(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(lines)
            writer.write_eof()
            await asyncio.wait_for(reader.read(), 5)
        except ConnectionError:
            pass
        finally:
            writer.close()
        assert box(world) == []
        await sender(world, port).send(EMAIL)

    with_server(world, walk)
    assert len(box(world)) == 1
