"""The NPKI profile (npki.md §6) from end to end in memory: frames over TCP, the historic MAC, EncryptedVID, pkiconf."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from tests.npki import certs
from tests.protocols.cmp import parties
from tests.protocols.cmp.parties import CODE, NOW, REFERENCE

from ingam.kernel.secret import Secret
from ingam.npki import der, vid
from ingam.npki.signature import RSA_SHA256
from ingam.protocols.cmp import (
    bodies,
    cert_response,
    client,
    crmf,
    des_mac,
    encrypted_vid,
    exchange,
    general,
    header,
    message,
    pop,
    protection,
    status,
    tcp,
)
from ingam.protocols.cmp.exchange import Client, Exchange
from ingam.protocols.cmp.header import Info
from ingam.protocols.cmp.message import Body, BodyKind, PKIMessage, UnverifiedMessage
from ingam.protocols.cmp.protection import MacProtection
from ingam.protocols.cmp.status import CmpRefused

KEY = parties.new_key()
OPENS = certs.key("rsa2048-06")
IDN = "9001011234568"
RANDOM = Secret(der.bits(bytes(range(100, 120))))
TO = header.directory_name(certs.CA_NAME)
OLD = frozenset((0, 1))


def verify(found: UnverifiedMessage) -> PKIMessage:
    return des_mac.verify(found, CODE)


ASKING = Client(
    der.tlv(0x81, b"INI_NEW"), TO, des_mac.DesMacProtection(CODE, des_mac.algorithm(b"saltsalt")), verify,
    sender_kid=REFERENCE, pvno=1,
)  # fmt: skip


@dataclass
class Authority:
    """An authority of the profile: one connection, frames in, frames out."""

    frames: tcp.Frames = field(default_factory=tcp.Frames)
    vids: list[bytes] = field(default_factory=list)
    confirmed: int = 0

    def hear(self, data: bytes) -> bytes:
        return b"".join(tcp.answer(answer, frame) for frame in self.frames.feed(data) for answer in self.answers(frame))

    def answers(self, frame: tcp.Frame) -> list[bytes]:
        asked = des_mac.verify(message.parse(tcp.message_in(frame), versions=OLD), CODE)
        if asked.body.kind is BodyKind.PKICONF:
            bodies.read_pkiconf(asked.body)
            self.confirmed += 1
            return []
        body = self.told(asked) if asked.body.kind is BodyKind.GENM else self.certified(asked)
        answer = header.answer_header(asked.header, sender=TO, nonce=b"a" * 16, at=NOW, sender_kid=REFERENCE)
        assert answer.pvno == 1
        proof = des_mac.DesMacProtection(CODE, asked.header.protection_alg or b"")
        return [message.compose(answer, body, proof)]

    def told(self, asked: PKIMessage) -> Body:
        assert general.read_general(asked.body) == (Info(general.CA_PROT_ENC_CERT),)
        return general.write_general(BodyKind.GENP, [Info(general.CA_PROT_ENC_CERT, certs.ca().certificate.der)])

    def certified(self, asked: PKIMessage) -> Body:
        (request,) = crmf.read_requests(asked.body)
        proven = pop.verify_pop(request, sender=asked.header.sender, secret=CODE)
        given = encrypted_vid.read(crmf.find(request.reg_info, crmf.ENCRYPTED_VID) or b"")
        opened = encrypted_vid.open_content(Secret(OPENS.decrypt(given.ciphertext, PKCS1v15())), bytes(20))
        if not encrypted_vid.agrees(opened, (encrypted_vid.DUMMY_IDN,)):
            raise encrypted_vid.refused()
        self.vids.append(vid.compute_vid(IDN, opened.random.reveal()))
        made = parties.issue(certs.PERSON_NAME, proven.spki, 9)
        return cert_response.write_cert_rep(BodyKind.IP, [cert_response.CertResponse(0, status.ACCEPTED, made)])


def carried(authority: Authority, asked: Exchange, version: int) -> list[bytes]:
    """What comes back over the connection, byte by byte."""
    got: list[bytes] = []
    back = tcp.Frames()
    for octet in tcp.request(asked.outgoing or b"", version):
        got += [tcp.message_in(one) for one in back.feed(authority.hear(bytes([octet])))]
    return got


def encrypted(idn: str = encrypted_vid.DUMMY_IDN) -> encrypted_vid.EncryptedVid:
    content = encrypted_vid.write_content(vid.compute_vid(idn, RANDOM.reveal()), RANDOM)
    return encrypted_vid.encrypt(OPENS.public_key(), content, issuer=certs.CA_NAME, serial_number=77, oaep=False)


def enrolling(given: encrypted_vid.EncryptedVid) -> Exchange:
    mac = MacProtection(CODE, protection.password_based_mac(b"s" * 16, iterations=1024, hash="sha1", mac="sha1"))
    body, question = exchange.npki_enrolment(
        spki=certs.spki(KEY), mac=mac, algorithm=RSA_SHA256, sign=parties.signs(KEY), encrypted=given
    )
    return ASKING.begin(body, question, transaction_id=b"t" * 16, nonce=b"n" * 16, at=NOW)


@pytest.mark.parametrize("version", [0, tcp.VERSION], ids=["rfc2510", "draft"])
def test_a_client_of_the_field_asks_is_certified_and_confirms(version: int) -> None:
    authority = Authority()
    now = ASKING.begin(
        *exchange.inquire(Info(general.CA_PROT_ENC_CERT)), transaction_id=b"g" * 16, nonce=b"n" * 16, at=NOW
    )
    (told,) = carried(authority, now, version)
    state = ASKING.receive(now, told, nonce=b"m" * 16, at=NOW).state
    assert state == client.Informed(((general.CA_PROT_ENC_CERT, certs.ca().certificate.der),))

    now = enrolling(encrypted())
    (answer,) = carried(authority, now, version)
    now = ASKING.receive(now, answer, nonce=b"m" * 16, at=NOW)
    assert isinstance(now.state, client.Offered)
    now = ASKING.accept(now, nonce=b"o" * 16, at=NOW)
    assert isinstance(now.state, client.Issued) and now.outgoing is not None
    assert carried(authority, now, version) == [] and authority.confirmed == 1
    assert authority.vids == [vid.compute_vid(IDN, RANDOM.reveal())]


def test_the_request_holds_nothing_but_the_key_and_the_encrypted_vid() -> None:
    (request,) = crmf.read_requests(message.parse(enrolling(encrypted()).outgoing or b"").body)
    filled = [value for value in request.template if value is not None]
    assert filled == [certs.spki(KEY)] and not request.controls
    assert [one.type for one in request.reg_info] == [crmf.ENCRYPTED_VID]
    assert isinstance(request.pop, crmf.SignaturePop) and request.pop.input is not None and request.pop.input.mac


def test_D6_a_vid_of_another_number_is_refused_as_any_bad_request() -> None:
    with pytest.raises(CmpRefused) as caught:
        carried(Authority(), enrolling(encrypted(IDN)), 0)
    assert str(caught.value) == str(encrypted_vid.refused())


def test_a_declined_certificate_is_never_confirmed() -> None:
    now = enrolling(encrypted())
    assert isinstance(now.state, client.Asking)
    other = replace(now, state=client.Asking(replace(now.state.question, spki=b"another")))
    (answer,) = carried(Authority(), now, 0)
    ended = ASKING.receive(other, answer, nonce=b"m" * 16, at=NOW)
    assert isinstance(ended.state, client.Declined) and not ended.state.implicit and ended.outgoing is None


def test_the_standard_profile_does_not_take_the_historic_mac() -> None:
    with pytest.raises(CmpRefused) as caught:
        protection.verify_mac(message.parse(enrolling(encrypted()).outgoing or b""), CODE)
    assert caught.value.code == "cmp-protection-algorithm"
