"""The ground that status tests stand on: a CA with a delegated responder, books in memory, a signer that counts."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple, TypeVar

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import ocsp as peer
from tests.npki import certs

from ingam.ca.status.framing import Signed
from ingam.ca.status.responders import NO_CHECK, Generation, Generations, responder
from ingam.npki import certificate, der
from ingam.npki.signature import RSA_SHA256
from ingam.ports.books import BooksOutage, Change, Standing, State
from ingam.ports.signing import Intent, KeyKind, PublicHalf, SigningOutage
from ingam.protocols import ocsp
from ingam.protocols.ocsp import answering

NOW = certs.NOW
START = NOW.timestamp()
GOOD = peer.OCSPCertStatus.GOOD
REVOKED = peer.OCSPCertStatus.REVOKED
UNKNOWN = peer.OCSPCertStatus.UNKNOWN
T = TypeVar("T")


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


class CountedSigner:
    """An RSA key that counts, and waits where the test says so."""

    waits = True

    def __init__(self, key: RSAPrivateKey) -> None:
        self.public = PublicHalf("ocsp-1", KeyKind.RSA_2048, certs.spki(key), RSA_SHA256)
        self._key = key
        self.signed = 0
        self.waits = True  # a test may hold it up; signers that compute are tested on their own
        self.open = threading.Event()
        self.open.set()
        self.entered = threading.Event()
        self.away = False

    def sign(self, intent: Intent) -> bytes:
        tbs = intent.take()
        assert isinstance(tbs, bytes)
        self.entered.set()
        assert self.open.wait(10)
        if self.away:
            raise SigningOutage
        self.signed += 1
        return self._key.sign(tbs, PKCS1v15(), SHA256())


class LiveBooks:
    """`Standings` in memory."""

    def __init__(self) -> None:
        self.rows: dict[tuple[int, int], Standing] = {}
        self.log: list[Change] = []
        self._asked = -1
        self.away = False
        self.looked = 0

    def issue(self, serial: int, state: State = State.VALID, ca: int = 1) -> None:
        self.rows[ca, serial] = Standing(state, None, None, NOW + timedelta(days=365))

    def change(self, serial: int, state: State, reason: int | None = None, ca: int = 1, at: datetime = NOW) -> None:
        self.rows[ca, serial] = replace(self.rows[ca, serial], state=state, reason=reason, changed_at=at)
        self.log.append(Change(len(self.log) + 1, ca, serial, 1, state, at))

    def standing(self, ca: int, serial: int) -> Standing | None:
        self.looked += 1
        if self.away:
            raise BooksOutage
        return self.rows.get((ca, serial))

    def changed(self) -> bool:
        if self.away:
            raise BooksOutage
        changed, self._asked = self._asked != len(self.log), len(self.log)
        return changed

    def changes(self, after: int, limit: int = 1000) -> list[Change]:
        if self.away:
            raise BooksOutage
        return self.log[after : after + limit]

    def last_change(self) -> int:
        if self.away:
            raise BooksOutage
        return len(self.log)

    def close(self) -> None:
        """Nothing to close."""


class Framed(NamedTuple):
    """What became of an answer. `how`: posted, fetched or once."""

    how: str
    der: bytes
    max_age: int = 0


class TestFraming:
    """`Framing` that a test can look into."""

    __test__ = False

    def posted(self, answer: Signed) -> Framed:
        return Framed("posted", answer.der, answer.max_age)

    def fetched(self, answer: Signed) -> Framed:
        return Framed("fetched", answer.der, answer.max_age)

    def once(self, der: bytes) -> Framed:
        return Framed("once", der)


def responder_der(
    key_name: str = "rsa2048-06",
    issuer: certs.Party | None = None,
    *,
    days: int = 90,
    no_check: bool = True,
    eku: str = ocsp.OCSP_SIGNING,
    ca: bool = False,
    not_before: datetime = NOW - timedelta(days=1),
) -> bytes:
    """A responder's certificate, by default as the issuing CA makes it."""
    by = issuer or certs.ca()
    key = certs.key(key_name)
    extensions = [certs.ski(key), certs.usage(bytes.fromhex("03020780")), certs.eku(eku)]
    extensions += [certs.extension(NO_CHECK, der.null)] if no_check else []
    extensions += [certs.basic(ca=True)] if ca else []
    return certs.build(
        subject=certs.name(("C", "KR"), ("O", "SignKorea"), ("CN", "OCSP")), public=certs.spki(key),
        issuer=by.certificate.subject.raw, signer=by.key, serial=501, extensions=extensions,
        not_before=not_before, not_after=not_before + timedelta(days=days),
    )  # fmt: skip


@cache
def second_ca() -> certs.Party:
    """The next generation of the issuing CA."""
    key = certs.key("rsa2048-09")
    made = certs.build(
        subject=certs.name(("C", "KR"), ("O", "SignKorea"), ("CN", "SignKorea Test CA5")), public=certs.spki(key),
        issuer=certs.ROOT_NAME, signer=certs.root().key, serial=502,
        extensions=[certs.ski(key), certs.usage(certs.AUTHORITY), certs.basic(ca=True, path_len=0)],
    )  # fmt: skip
    return certs.Party(certificate.parse(made), key)


def generation(signer: CountedSigner, ca: int = 1, *, key_name: str = "rsa2048-06", days: int = 90) -> Generation:
    party = certs.ca() if ca == 1 else second_ca()
    made = certificate.parse(responder_der(key_name, party, days=days))
    return Generation(ca, party.certificate, responder(made, signer, party.certificate, NOW))


def generations(signer: CountedSigner) -> Generations:
    return Generations([generation(signer)])


def counted(key_name: str = "rsa2048-06") -> CountedSigner:
    return CountedSigner(certs.key(key_name))


def cert_id(serial: int, *, sha256: bool = False, issuer: certs.Party | None = None) -> bytes:
    hashes = answering.issuer_hashes((issuer or certs.ca()).certificate)[sha256]
    half = len(hashes) // 2
    algorithm = der.algorithm("2.16.840.1.101.3.4.2.1" if sha256 else "1.3.14.3.2.26")
    return der.seq(algorithm, der.octets(hashes[:half]), der.octets(hashes[half:]), der.integer(serial))


def asking(*serials: int, nonce: bytes | None = None, sha256: bool = False, issuer: certs.Party | None = None) -> bytes:
    listed = der.seq(*(der.seq(cert_id(serial, sha256=sha256, issuer=issuer)) for serial in serials))
    nonce_extension = der.seq(der.oid("1.3.6.1.5.5.7.48.1.2"), der.octets(der.octets(nonce or b"")))
    return der.seq(der.seq(listed, b"" if nonce is None else der.explicit(2, der.seq(nonce_extension))))


def read(reply: Framed) -> peer.OCSPResponse:
    """The answer as another implementation reads it, its signature verified."""
    found = peer.load_der_ocsp_response(reply.der)
    if found.response_status is peer.OCSPResponseStatus.SUCCESSFUL:
        key = found.certificates[0].public_key()
        assert isinstance(key, RSAPublicKey)
        key.verify(found.signature, found.tbs_response_bytes, PKCS1v15(), SHA256())
    return found


def status(reply: Framed) -> peer.OCSPCertStatus | str:
    """good, revoked, unknown; or the name of the error."""
    found = peer.load_der_ocsp_response(reply.der)
    if found.response_status is not peer.OCSPResponseStatus.SUCCESSFUL:
        return found.response_status.name
    return next(iter(found.responses)).certificate_status


async def told(found: Framed | Awaitable[Framed]) -> Framed:
    """The reply, whether it was ready or not."""
    return found if isinstance(found, Framed) else await found


async def entered(signer: CountedSigner) -> None:
    """Until the signer is at work."""
    async with asyncio.timeout(10):
        while not signer.entered.is_set():
            await asyncio.sleep(0.001)
