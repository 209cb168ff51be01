"""The NPKI profile over a real connection: a client composed of `protocols.cmp`, as the field's speak (npki.md 6)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.ca.world import HONG, RANDOM, HeldKey, World, certificates, held, vid_of, world

from ingam.ca.endpoint.npki import Npki
from ingam.kernel.secret import Secret
from ingam.npki import certificate, der
from ingam.npki.signature import public_key
from ingam.npki.vid import compute_vid
from ingam.ports.books import State
from ingam.protocols.cmp import bodies, client, des_mac, encrypted_vid, exchange, general, message, protection, tcp
from ingam.protocols.cmp.crmf import ENCRYPTED_VID, Attribute
from ingam.protocols.cmp.exchange import Client
from ingam.protocols.cmp.header import NULL_DN, Header, Info
from ingam.protocols.cmp.message import BodyKind
from ingam.protocols.cmp.protection import MacProtection, SignatureProtection, verify_signature
from ingam.protocols.cmp.tcp import Frame, FrameKind
from ingam.run import npki as served
from ingam.run.ca import HOST
from ingam.run.exchange import listening
from ingam.run.npki import NpkiServer
from ingam.settings import read

pytestmark = pytest.mark.anyio

KEY = held("hong", 3)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Line:
    """One connection to the authority."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    frames: tcp.Frames = field(default_factory=tcp.Frames)

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def hear(self) -> list[Frame]:
        """The next frames; none where the authority has ended the connection."""
        while data := await asyncio.wait_for(self.reader.read(65536), 10):
            if found := self.frames.feed(data):
                return found
        return []

    async def ask(self, sent: bytes, version: int = 0) -> bytes:
        """The message that answers a message."""
        await self.say(tcp.request(sent, version))
        (frame,) = await self.hear()
        assert (frame.kind, frame.version) == (FrameKind.FINAL_MSG_REP, version)
        return tcp.message_in(frame)


class Served:
    """An authority that listens for clients of the profile."""

    def __init__(self, ca: World) -> None:
        self.ca, self.port, self.defects = ca, 0, list[BaseException]()
        self.server = NpkiServer(ca.endpoint, self.defects.append)
        self.lines: list[Line] = []

    async def line(self) -> Line:
        self.lines.append(Line(*await asyncio.open_connection("127.0.0.1", self.port)))
        return self.lines[-1]

    async def person(self) -> tuple[Client, Secret[bytes]]:
        """A client with a reference number and its code."""
        found = await self.ca.register("securities", HONG, npki=True)
        code = Secret(found.code.reveal().encode())
        proof = des_mac.DesMacProtection(code, des_mac.algorithm(b"saltsalt"))
        sender = der.tlv(0x81, b"INI_NEW")
        kid = found.reference.encode()
        return Client(sender, NULL_DN, proof, lambda given: des_mac.verify(given, code), kid, pvno=1), code


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Served]:
    made = Served(world(tmp_path, practice=lambda _office: Npki()))
    sock = listening("127.0.0.1", 0)
    made.port = sock.getsockname()[1]
    await made.server.start(sock)
    yield made
    for line in made.lines:
        line.writer.close()
        await line.writer.wait_closed()
    await made.server.drain()
    await made.ca.shut()
    assert not made.defects


def enrolling(at: Served, code: Secret[bytes]) -> tuple[message.Body, client.Question]:
    given = encrypted_vid.read(vid_of(at.ca, oaep=False))
    mac = MacProtection(code, protection.password_based_mac(b"s" * 16, iterations=1024, hash="sha1", mac="sha1"))
    return exchange.npki_enrolment(
        spki=KEY.public.spki, mac=mac, algorithm=KEY.public.algorithm, sign=KEY.raw, encrypted=given
    )


async def enrolled(at: Served, line: Line, version: int = 0) -> exchange.Exchange:
    """A person who was issued a certificate and has confirmed it."""
    asking, code = await at.person()
    now, random = at.ca.clock.now(), at.ca.random
    begun = asking.begin(*enrolling(at, code), transaction_id=random(16), nonce=random(16), at=now)
    answer = await line.ask(begun.outgoing or b"", version)
    assert message.parse(answer).header.pvno == 1
    offered = asking.receive(begun, answer, nonce=random(16), at=now)
    assert isinstance(offered.state, client.Offered)
    accepted = asking.accept(offered, nonce=random(16), at=now)
    await line.say(tcp.request(accepted.outgoing or b"", version))
    return accepted


def standing(at: Served, issued: bytes) -> State:
    found = at.ca.books.standing(1, certificate.parse(issued).serial)
    assert found is not None
    return found.state


@pytest.mark.parametrize("version", [0, tcp.VERSION], ids=["rfc2510", "draft"])
async def test_a_client_of_the_field_asks_is_certified_and_confirms_on_one_connection(at: Served, version: int) -> None:
    line = await at.line()
    asking, _ = await at.person()
    asked = asking.begin(
        *exchange.inquire(Info(general.CA_PROT_ENC_CERT), Info(general.YESSIGN_CA_CERT)),
        transaction_id=b"g" * 16, nonce=b"n" * 16, at=at.ca.clock.now(),
    )  # fmt: skip
    told = asking.receive(
        asked, await line.ask(asked.outgoing or b"", version), nonce=b"m" * 16, at=at.ca.clock.now()
    ).state
    assert isinstance(told, client.Informed)
    assert [value for _, value in told.infos] == [certificates("ingam")[3].der, certificates("ingam")[1].der]

    done = await enrolled(at, line, version)
    assert isinstance(done.state, client.Issued)
    issued = done.state.certificate
    await pkiconf_is_heard(line, version)
    assert standing(at, issued) is State.VALID
    assert compute_vid(HONG.idn.reveal(), der.bits(RANDOM)) in issued


async def pkiconf_is_heard(line: Line, version: int = 0) -> None:
    """Nothing answers a pkiConf; what is asked behind it is answered when it was heard."""
    await line.say(tcp.poll(1, version))
    (frame,) = await line.hear()
    assert frame.kind is FrameKind.ERROR_MSG_REP


async def test_a_person_renews_by_the_old_certificate(at: Served) -> None:
    line = await at.line()
    done = await enrolled(at, line)
    assert isinstance(done.state, client.Issued)
    await pkiconf_is_heard(line)
    old = certificate.parse(done.state.certificate)
    at.ca.clock.forward(345 * 86_400)
    renewing = renewal(old, KEY)
    given, new = encrypted_vid.read(vid_of(at.ca, oaep=False)), held("hong", 4)
    body, question = exchange.enrolment(
        BodyKind.KUR, spki=new.public.spki, subject=old.subject.raw, algorithm=new.public.algorithm, sign=new.raw,
        reg_info=(Attribute(ENCRYPTED_VID, encrypted_vid.write(given)),),
    )  # fmt: skip
    begun = renewing.begin(body, question, transaction_id=b"r" * 16, nonce=b"n" * 16, at=at.ca.clock.now())
    offered = renewing.receive(begun, await line.ask(begun.outgoing or b""), nonce=b"m" * 16, at=at.ca.clock.now())
    assert isinstance(offered.state, client.Offered)
    header = Header(1, NULL_DN, NULL_DN, at.ca.clock.now(), None, old.ski, None, b"r" * 16, b"o" * 16)
    confirming = message.compose(header, bodies.PKICONF, renewing.protection, (old.der,))
    await line.say(tcp.request(confirming))
    await pkiconf_is_heard(line)
    assert standing(at, offered.state.certificate) is State.VALID
    assert standing(at, old.der) is State.REVOKED


def renewal(old: certificate.Certificate, key: HeldKey) -> Client:
    speaker = public_key(certificates("ingam")[2].spki)
    proof = SignatureProtection(key.public.algorithm, key.raw)
    return Client(
        der.tlv(0x81, b"INI_RENEW"), NULL_DN, proof, lambda given: verify_signature(given, speaker),
        str(old.serial).encode(), (old.der,), pvno=1,
    )  # fmt: skip


async def test_frames_that_are_none_end_the_connection_with_an_error(at: Served) -> None:
    for data in (b"\xff" * 5, b"\0\0\0\2\x09x", (1 << 24).to_bytes(4, "big") + b"\0"):
        line = await at.line()
        await line.say(data)
        (frame,) = await line.hear()
        assert (frame.kind, frame.value) == (FrameKind.ERROR_MSG_REP, b"cmp-frame")
        assert await line.hear() == []


async def test_bytes_that_are_no_message_are_answered_by_one(at: Served) -> None:
    line = await at.line()
    answer = message.parse(await line.ask(b"no message"))
    assert answer.body.kind is BodyKind.ERROR


async def test_a_connection_that_says_nothing_is_ended(at: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "IDLE_S", 0.05)
    line = await at.line()
    assert await line.hear() == []


async def test_connections_over_the_bound_are_ended(at: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "CONNECTIONS", 1)
    first = await at.line()
    await pkiconf_is_heard(first)
    second = await at.line()
    assert await second.hear() == []
    await pkiconf_is_heard(first)


async def test_a_frame_that_says_so_ends_the_connection_behind_its_answer(at: Served) -> None:
    line = await at.line()
    await line.say(tcp.write(Frame(FrameKind.PKI_REQ, b"no message", tcp.VERSION, close=True)))
    (frame,) = await line.hear()
    assert frame.kind is FrameKind.FINAL_MSG_REP
    assert await line.hear() == []


async def test_a_server_that_ends_leaves_no_idle_connection_waiting(at: Served) -> None:
    line = await at.line()
    await pkiconf_is_heard(line)
    await asyncio.wait_for(at.server.drain(), 2)
    assert await line.hear() == []


async def test_D8_without_a_port_nobody_listens_and_with_one_it_is_the_loopback(tmp_path: Path) -> None:
    assert read({"INGAM_DATA": str(tmp_path)}).ca.npki_port == 0
    assert HOST == "127.0.0.1"
