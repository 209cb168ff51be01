"""The two ends of CMP tests: keys and certificates, and an authority in a hundred lines, made of the codec alone.

It decides nothing that a real one would: whoever has a code or a certificate of the CA gets what he asks for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import CertificateSigningRequestBuilder, DNSName, Name, SubjectAlternativeName
from cryptography.x509.oid import AttributeOID
from tests.npki import certs

from ingam.kernel.secret import Secret
from ingam.npki import certificate, signature
from ingam.npki.signature import RSA_SHA256
from ingam.protocols.cmp import (
    bodies,
    cert_response,
    crmf,
    general,
    header,
    message,
    pkcs10,
    pop,
    protection,
    revocation,
    status,
)
from ingam.protocols.cmp.header import Header
from ingam.protocols.cmp.message import Body, BodyKind, PKIMessage, Protection, UnverifiedMessage
from ingam.protocols.cmp.status import CmpRefused, FailInfo, Status, StatusInfo

NOW: Final = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
CODE: Final = Secret(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
REFERENCE: Final = b"1234567890123456"
FROM, UNTIL = datetime(2020, 6, 2, tzinfo=UTC), datetime(2036, 6, 2, tzinfo=UTC)
DIGITAL_SIGNATURE: Final = bytes.fromhex("03020780")


def signs(key: RSAPrivateKey) -> Callable[[bytes], bytes]:
    """PKCS #1 v1.5 with SHA-256 by a key of the vectors."""
    return lambda data: key.sign(data, PKCS1v15(), SHA256())


def issue(subject: bytes, spki: bytes, serial: int, usage: bytes = certs.SIGN) -> bytes:
    """DER of a certificate of the test CA, good for years."""
    return certs.build(
        subject=subject, public=spki, issuer=certs.CA_NAME, signer=certs.ca().key, serial=serial,
        extensions=[certs.usage(usage), certs.aki(certs.ca().certificate.ski or b"")],
        not_before=FROM, not_after=UNTIL,
    )  # fmt: skip


@cache
def signer() -> certs.Party:
    """Who signs the authority's messages."""
    key = certs.key("rsa2048-04")
    name = certs.name(("C", "KR"), ("O", "SignKorea"), ("CN", "CMP"))
    return certs.Party(certificate.parse(issue(name, certs.spki(key), 77, DIGITAL_SIGNATURE)), key)


@cache
def person() -> certs.Party:
    """A holder of a certificate of the test CA."""
    key = certs.key("rsa2048-02")
    return certs.Party(certificate.parse(issue(certs.PERSON_NAME, certs.spki(key), 0x085221)), key)


def new_key() -> RSAPrivateKey:
    """The key that a certificate is asked for."""
    return certs.key("rsa2048-05")


def csr(extensions: bool = False) -> bytes:
    """A PKCS #10 request for `new_key`, with an attribute that nobody reads."""
    builder = CertificateSigningRequestBuilder().subject_name(Name([]))
    builder = builder.add_attribute(AttributeOID.CHALLENGE_PASSWORD, b"not read")
    if extensions:
        builder = builder.add_extension(SubjectAlternativeName([DNSName("test.invalid")]), critical=False)
    return builder.sign(new_key(), SHA256()).public_bytes(Encoding.DER)


@dataclass
class Authority:
    """Answers one message with one. `delay`: how often an enrolment is put off before it is answered."""

    codes: dict[bytes, Secret[bytes]] = field(default_factory=lambda: {REFERENCE: CODE})
    delay: int = 0
    issued: list[bytes] = field(default_factory=list)
    confirmed: list[bytes] = field(default_factory=list)
    revoked: list[revocation.RevDetails] = field(default_factory=list)
    seen: list[PKIMessage] = field(default_factory=list)
    refused: list[CmpRefused] = field(default_factory=list)
    put_off: PKIMessage | None = None
    nonces: Iterator[int] = field(default_factory=lambda: iter(range(1, 1000)))
    cache: protection.KeyCache = field(default_factory=protection.KeyCache)

    def answer(self, data: bytes) -> bytes:
        """The answer, an error where the message is refused."""
        found: UnverifiedMessage | None = None
        try:
            found = message.parse(data)
            asked = self.verified(found)
            self.seen.append(asked)
            body, granted = self.body(asked)
        except CmpRefused as refused:
            self.refused.append(refused)
            known = found.header if found else refused.header
            return self.compose(known or Header(2, header.NULL_DN, header.NULL_DN), bodies.error(refused), False)
        return self.compose(found.header, body, granted)

    def verified(self, found: UnverifiedMessage) -> PKIMessage:
        if protection.is_mac(protection.protection_alg(found)):
            code = self.codes.get(found.header.sender_kid or b"")
            if code is None:
                raise CmpRefused("cmp-protection-wrong", FailInfo.BAD_MESSAGE_CHECK)
            return protection.verify_mac(found, code, self.cache)
        if not found.extra_certs:
            raise CmpRefused("cmp-protection-wrong", FailInfo.BAD_MESSAGE_CHECK)
        sender = certificate.parse(found.extra_certs[0])
        signature.verify(certs.ca().key.public_key(), sender.signature_algorithm, sender.signature, sender.tbs)
        return protection.verify_signature(found, signature.public_key(sender.spki))

    def body(self, asked: PKIMessage) -> tuple[Body, bool]:
        kind = asked.body.kind
        if kind in (BodyKind.IR, BodyKind.CR, BodyKind.KUR, BodyKind.P10CR) and self.delay:
            self.put_off = asked
            waiting = cert_response.CertResponse(_cert_req_id(asked), StatusInfo(Status.WAITING))
            return cert_response.write_cert_rep(cert_response.ANSWERS[kind], [waiting]), False
        if kind is BodyKind.POLL_REQ and self.delay and self.put_off is not None:
            self.delay -= 1
            if self.delay:
                return bodies.write_poll_rep(bodies.PollRep(bodies.read_poll_req(asked.body)[0], 1)), False
        if kind is BodyKind.POLL_REQ and self.put_off is not None:
            return self.certify(self.put_off)
        if kind in (BodyKind.IR, BodyKind.CR, BodyKind.KUR, BodyKind.P10CR):
            return self.certify(asked)
        if kind is BodyKind.CERT_CONF:
            return self.confirm(asked), False
        if kind is BodyKind.RR:
            self.revoked.extend(revocation.read_rev_req(asked.body))
            return revocation.write_rev_rep([status.ACCEPTED] * len(self.revoked)), False
        if kind is BodyKind.GENM:
            return general.write_general(
                BodyKind.GENP, [self.told(one) for one in general.read_general(asked.body)]
            ), False
        raise CmpRefused("cmp-request", FailInfo.BAD_REQUEST)

    def certify(self, asked: PKIMessage) -> tuple[Body, bool]:
        if asked.body.kind is BodyKind.P10CR:
            csr = pkcs10.parse(bodies.read_p10cr(asked.body))
            subject, proven, number = csr.subject, pkcs10.verify(csr), cert_response.P10CR_CERT_REQ_ID
        else:
            (request,) = crmf.read_requests(asked.body)
            code = self.codes.get(asked.header.sender_kid or b"")
            proven = pop.verify_pop(request, sender=asked.header.sender, secret=code, cache=self.cache)
            subject, number = request.template.subject or certs.PERSON_NAME, request.cert_req_id
        made = issue(subject, proven.spki, 0x1000 + len(self.issued))
        self.issued.append(made)
        response = cert_response.CertResponse(number, status.ACCEPTED, made)
        kind = cert_response.ANSWERS[asked.body.kind]
        pubs = [certs.ca().certificate.der] if kind is BodyKind.IP else []
        return cert_response.write_cert_rep(kind, [response], pubs), header.implicit_confirm(asked.header)

    def confirm(self, asked: PKIMessage) -> Body:
        (one,) = bodies.read_cert_conf(asked.body)
        made = self.issued[-1]
        if not bodies.confirms(one, made, RSA_SHA256):
            raise CmpRefused("cmp-request", FailInfo.BAD_CERT_ID)
        if one.status.status is Status.ACCEPTED:
            self.confirmed.append(made)
        return bodies.PKICONF

    def told(self, one: header.Info) -> header.Info:
        if one.type == general.CA_CERTS:
            return general.certificates(general.CA_CERTS, [certs.ca().certificate.der])
        return header.Info(one.type)

    def compose(self, asked: Header, body: Body, granted: bool) -> bytes:
        nonce = hashlib.sha256(str(next(self.nonces)).encode()).digest()[:16]
        sender = header.directory_name(signer().certificate.subject.raw)
        answer = header.answer_header(asked, sender=sender, nonce=nonce, at=NOW, sender_kid=asked.sender_kid)
        if granted:
            answer = answer._replace(general_info=(header.IMPLICIT_CONFIRM_INFO,))
        proof: Protection = protection.SignatureProtection(RSA_SHA256, signs(signer().key))
        extra = [signer().certificate.der]
        if asked.protection_alg is not None and protection.is_mac(asked.protection_alg):
            code = self.codes.get(asked.sender_kid or b"")
            if code is not None:
                return message.compose(answer, body, protection.MacProtection(code, asked.protection_alg, self.cache))
        return message.compose(answer._replace(sender_kid=signer().certificate.ski), body, proof, extra)


def _cert_req_id(asked: PKIMessage) -> int:
    if asked.body.kind is BodyKind.P10CR:
        return cert_response.P10CR_CERT_REQ_ID
    return crmf.read_requests(asked.body)[0].cert_req_id


@contextmanager
def over_http(answer: Callable[[bytes], bytes]) -> Iterator[int]:
    """The authority behind a free port of the loopback, one POST a message."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one write for an answer

        def do_POST(self) -> None:
            given = self.rfile.read(int(self.headers["Content-Length"]))
            answered = answer(given)
            self.send_response(200)
            self.send_header("Content-Type", "application/pkixcmp")
            self.send_header("Content-Length", str(len(answered)))
            self.end_headers()
            self.wfile.write(answered)
            self.wfile.flush()

        def log_message(self, format: str, *args: object) -> None:
            """Tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
