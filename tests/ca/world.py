"""An authority at work: real books on disk, keys of vectors/, a clock that stands, and clients of every kind."""

from __future__ import annotations

import hashlib
import itertools
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.clocks import SetClock
from tests.npki import certs

from ingam.adapters.blind_index.in_memory import InMemoryBlindIndex
from ingam.adapters.books.sqlite import SqliteBooks, make
from ingam.adapters.hsm.file import OutboxSealer
from ingam.ca.endpoint.limits import Ceilings
from ingam.ca.endpoint.lists import PublishedLists
from ingam.ca.endpoint.practice import Practice
from ingam.ca.endpoint.service import Endpoint
from ingam.ca.facts import Facts
from ingam.ca.issuing.registering import Asked, Registered, register
from ingam.ca.issuing.service import Issuing
from ingam.ca.notices import opened
from ingam.ca.office import Issuer, Office, Opener, Speaker
from ingam.ca.profiles import Authority, Generation, preset, service_shape
from ingam.ca.revoking.service import Revoking
from ingam.kernel.secret import Secret
from ingam.npki import certificate, der, shapes, signature
from ingam.npki.certificate import Certificate
from ingam.npki.shapes import Validity
from ingam.npki.signature import KeyKind
from ingam.npki.vid import compute_vid
from ingam.ports.signing import Intent, PublicHalf, SigningOutage
from ingam.protocols.cmp import bodies, cert_response, crmf, encrypted_vid, message, revocation, status
from ingam.protocols.cmp.cert_response import CertResponse
from ingam.protocols.cmp.header import IMPLICIT_CONFIRM_INFO, NULL_DN, Header, Info, directory_name
from ingam.protocols.cmp.message import Body, BodyKind, Protection, UnverifiedMessage
from ingam.protocols.cmp.pop import sign_pop
from ingam.protocols.cmp.protection import MacProtection, SignatureProtection, pbmac1, verify_mac, verify_signature
from ingam.protocols.cmp.status import Status
from ingam.protocols.cmp.template import CertTemplate

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
RANDOM = bytes(range(20))
IDN = "7510051000001"
HONG = Facts(name="홍길동", idn=Secret(IDN), mobile="01085130001")
KIM = Facts(name="김증권", idn=Secret("8203152000002"), mobile="01085130002")
RA = Facts(name="center", idn=Secret(""))
SERVER = Facts(name="server", idn=Secret(""), hosts=("center.ingam.test",))


def counting(start: int = 1) -> Callable[[int], bytes]:
    """Bytes that look random, never repeat, and are the same in every run."""
    numbers = itertools.count(start)
    return lambda size: hashlib.shake_256(b"%d" % next(numbers)).digest(size)


class HeldKey:
    """`ports.signing.Signer` and `Decryptor` of a key in memory. `away`: the token does not answer."""

    waits = True

    def __init__(self, name: str, key: RSAPrivateKey | EllipticCurvePrivateKey) -> None:
        self.key = key
        self.away = False
        spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        kind = KeyKind.P_256 if isinstance(key, EllipticCurvePrivateKey) else KeyKind.RSA_2048
        self.public = PublicHalf(name, kind, spki, kind.algorithm)

    def sign(self, intent: Intent) -> bytes:
        if self.away:
            raise SigningOutage
        message = intent.take()
        return self.raw(message.read_bytes() if isinstance(message, Path) else message)

    def raw(self, message: bytes) -> bytes:
        if isinstance(self.key, EllipticCurvePrivateKey):
            return self.key.sign(message, ECDSA(SHA256()))
        return self.key.sign(message, PKCS1v15(), SHA256())

    def decrypt(self, ciphertext: bytes, *, oaep: bool) -> Secret[bytes] | None:
        assert isinstance(self.key, RSAPrivateKey)
        padding = OAEP(MGF1(SHA256()), SHA256(), None) if oaep else PKCS1v15()
        try:
            return Secret(self.key.decrypt(ciphertext, padding))
        except ValueError:
            return None


@cache
def curve_key(number: int) -> EllipticCurvePrivateKey:
    """A P-256 key; the same one for the same number."""
    del number
    return generate_private_key(SECP256R1())


def held(name: str, number: int) -> HeldKey:
    """One of the RSA keys of vectors/keys, or a P-256 key from 100 on."""
    return HeldKey(name, curve_key(number) if number >= 100 else certs.key(f"rsa2048-{number:02}"))


@dataclass
class World:
    """An office, its endpoint, and who speaks to it."""

    office: Office
    endpoint: Endpoint
    issuing: Issuing
    revoking: Revoking
    clock: SetClock
    books: SqliteBooks
    keys: dict[str, HeldKey]
    random: Callable[[int], bytes] = field(default_factory=lambda: counting(1_000_000))

    async def register(self, profile: str, facts: Facts, **more: Any) -> Registered:
        """A registration."""
        return await register(self.office, Asked(profile, facts, **more), by="test")

    async def ask(self, data: bytes, source: str = "198.51.100.1") -> UnverifiedMessage:
        """The answer to a message."""
        _, answer = await self.endpoint.answer(data, source)
        return message.parse(answer)

    def stored(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of the books but the audit lines and how often a code was wrong."""
        with closing(sqlite3.connect(self.books.path)) as db:
            tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            found = {}
            for name in tables:
                if name not in ("audit", "sqlite_sequence"):
                    columns = [row[1] for row in db.execute(f"PRAGMA table_info({name})") if row[1] != "wrong_codes"]
                    found[name] = db.execute(f"SELECT {', '.join(columns)} FROM {name}").fetchall()
            return found

    def audit(self) -> list[tuple[str, str, str]]:
        """Action, result and facts of every audit line."""
        with closing(sqlite3.connect(self.books.path)) as db:
            return db.execute("SELECT action, result, facts FROM audit ORDER BY seq").fetchall()

    def notices(self) -> list[str]:
        """What the authority is about to tell its holders: `01085130001 [text]`."""
        due = self.books.notices(self.clock.now() + timedelta(days=400))
        return [f"{one.to} {one.text}" for one in (opened(self.office, notice) for _, notice in due)]

    async def shut(self) -> None:
        await self.books.shut()
        self.office.threads.shutdown()


@cache
def certificates(preset_name: str) -> tuple[Certificate, Certificate, Certificate, Certificate]:
    """Root, issuing CA, CMP signer and encryption certificate of an authority."""
    authority = preset(preset_name)
    root_key, ca_key, cmp_key, open_key = held("root", 0), held("issuing", 1), held("cmp", 100), held("encryption", 2)
    long = Validity(datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 12, 31, tzinfo=UTC))
    short = Validity(long.not_before, datetime(2036, 1, 1, tzinfo=UTC))

    def made(
        use: str, subject: bytes, key: HeldKey, by: HeldKey, above: Certificate | None, serial: int
    ) -> Certificate:
        issuer = None if above is None else Generation.of(1, above.der, by.public.algorithm)
        tbs = shapes.tbs_certificate(
            service_shape(authority, use, 1), serial=serial, issuer=subject if issuer is None else issuer.name,
            validity=long if issuer is None else short, subject=subject, spki=key.public.spki,
            authority_key=None if issuer is None else issuer.authority_key,
        )  # fmt: skip
        return certificate.parse(shapes.assemble(tbs, by.raw(tbs)))

    root = made("root", authority.root_name(1), root_key, root_key, None, 1)
    ca = made("issuing", authority.issuing_name(1), ca_key, root_key, root, 2)
    cmp = made("cmp", authority.service_name("cmp", 1), cmp_key, ca_key, ca, 3)
    opens = made("encryption", authority.service_name("encryption", 1), open_key, ca_key, ca, 4)
    return root, ca, cmp, opens


def world(
    folder: Path, *, preset_name: str = "ingam", authority: Authority | None = None, ceilings: Ceilings | None = None,
    conformance: str | None = None, practice: Callable[[Office], Practice] | None = None,
    lists: Callable[[Office], PublishedLists] | None = None, clock: SetClock | None = None,
) -> World:  # fmt: skip
    """A world whose books lie in a folder; the same folder gives the same books, and other random bytes."""
    path = folder / "ca" / "books.db"
    make(path)
    starts = folder / "ca" / "starts"
    started = starts.stat().st_size if starts.exists() else 0
    starts.write_bytes(bytes(started + 1))
    clock, books = clock or SetClock(NOW), SqliteBooks(path)
    keys = {"root": held("root", 0), "issuing": held("issuing", 1), "cmp": held("cmp", 100), "open": held("open", 2)}
    root, ca, cmp, opens = certificates(preset_name)
    generation = Generation.of(1, ca.der, keys["issuing"].public.algorithm)
    office = Office(
        authority=authority or preset(preset_name),
        issuers=(Issuer(generation, ca, keys["issuing"]),),
        roots=(root,),
        speaker=Speaker(cmp, keys["cmp"]),
        openers=(Opener(opens, keys["open"]),),
        books=books,
        sealer=OutboxSealer(bytes(32)),
        index=InMemoryBlindIndex(Secret(bytes(32)), clock),
        clock=clock,
        random=counting(int(hashlib.sha256(f"{path.stat().st_ino} {started}".encode()).hexdigest()[:8], 16)),
        threads=ThreadPoolExecutor(2),
    )
    issuing, revoking = Issuing(office), Revoking(office)
    endpoint = Endpoint(
        office, issuing, revoking, ceilings=ceilings, conformance=conformance,
        practice=None if practice is None else practice(office), lists=None if lists is None else lists(office),
    )  # fmt: skip
    return World(office, endpoint, issuing, revoking, clock, books, keys)


@dataclass
class Holder:
    """Somebody who asks: by a code, or by a certificate. Every message is fresh unless `transaction` is given."""

    world: World
    protection: Protection
    sender: bytes
    kid: bytes | None
    extra: tuple[bytes, ...] = ()
    secret: Secret[bytes] | None = None

    def compose(
        self, body: Body, *, transaction: bytes | None = None, infos: tuple[Info, ...] = (), **header: Any
    ) -> bytes:
        """A protected message. `header`: fields in place of the usual ones."""
        fields = Header(
            pvno=2,
            sender=self.sender,
            recipient=NULL_DN,
            message_time=self.world.clock.now(),
            sender_kid=self.kid,
            transaction_id=transaction or self.world.random(16),
            sender_nonce=self.world.random(16),
            general_info=infos,
        )
        return message.compose(replace_header(fields, **header), body, self.protection, self.extra)

    def verified(self, answer: UnverifiedMessage) -> message.PKIMessage:
        """The answer, proven to be the authority's."""
        if self.secret is not None and answer.header.protection_alg != certificates("ingam")[2].signature_algorithm:
            return verify_mac(answer, self.secret)
        speaker = certificate.parse(answer.extra_certs[0])
        return verify_signature(answer, signature.public_key(speaker.spki))


def replace_header(header: Header, **fields: Any) -> Header:
    """A header with other fields."""
    return header._replace(**fields)


def by_code(world: World, registered: Registered, **mac: Any) -> Holder:
    """Somebody with a reference number and its code."""
    secret = Secret(registered.code.reveal().encode())
    algorithm = mac.pop("algorithm", None) or pbmac1(world.random(16), **{"iterations": 1000, **mac})
    return Holder(world, MacProtection(secret, algorithm), NULL_DN, registered.reference.encode(), (), secret)


def by_certificate(world: World, of: bytes, key: HeldKey) -> Holder:
    """The holder of a certificate."""
    found = certificate.parse(of)
    protection = SignatureProtection(key.public.algorithm, key.raw)
    return Holder(world, protection, directory_name(found.subject.raw), found.ski, (of,))


def request(
    key: HeldKey, kind: BodyKind = BodyKind.IR, *, encrypted: bytes | None = None,
    controls: tuple[crmf.Attribute, ...] = (), **template: Any,
) -> Body:  # fmt: skip
    """A request for a certificate of a key, with its proof of possession."""
    wishes = CertTemplate(**{"public_key": key.public.spki, **template})
    asked = crmf.write_cert_request(0, wishes, controls)
    info = () if encrypted is None else (crmf.Attribute(crmf.ENCRYPTED_VID, encrypted),)
    pop = sign_pop(asked, key.public.algorithm, key.raw)
    return crmf.write_requests(kind, crmf.write_cert_req_msg(asked, pop, info))


def vid_of(world: World, idn: str = encrypted_vid.DUMMY_IDN, random: bytes = RANDOM, *, oaep: bool = True) -> bytes:
    """EncryptedVID of R for the authority's encryption certificate."""
    opener = world.office.openers[-1].certificate
    bits = der.bits(random)
    content = encrypted_vid.write_content(compute_vid(idn, bits), Secret(bits))
    key = signature.public_key(opener.spki)
    assert isinstance(key, RSAPublicKey)
    return encrypted_vid.write(
        encrypted_vid.encrypt(key, content, issuer=opener.issuer.raw, serial_number=opener.serial, oaep=oaep)
    )


IMPLICIT = (IMPLICIT_CONFIRM_INFO,)


def responses(answer: UnverifiedMessage) -> tuple[CertResponse, ...]:
    """The CertResponses of an ip, cp or kup."""
    return cert_response.read_cert_rep(answer.body).responses


def only_certificate(answer: UnverifiedMessage) -> bytes:
    """The certificate in an answer."""
    (response,) = responses(answer)
    assert response.certificate is not None
    return response.certificate


def fail_info(answer: UnverifiedMessage) -> str:
    """`badPOP`: the one failInfo of an error."""
    assert answer.body.kind is BodyKind.ERROR
    return refusal(answer)[1]


class Refused(NamedTuple):
    """In which body, with which failInfo, and our code for it."""

    body: BodyKind
    fail_info: str
    code: str


def refusal(answer: UnverifiedMessage) -> Refused:
    """What an answer refuses with: an error, or the rejection in an ip, cp, kup or rp."""
    kind = answer.body.kind
    if kind is BodyKind.ERROR:
        info = bodies.read_error(answer.body).status
    elif kind is BodyKind.RP:
        (info,) = revocation.read_rev_rep(answer.body).statuses
    else:
        info = responses(answer)[0].status
    assert info.status is Status.REJECTION
    (name,), (code, korean, english) = status.names(info.fail_info), info.texts
    assert korean and english.isascii()
    return Refused(kind, name, code)


async def enrolled(world: World, facts: Facts = HONG, key: int = 3, profile: str = "securities") -> bytes:
    """The certificate of a person, confirmed at once."""
    holder = by_code(world, await world.register(profile, facts))
    encrypted = vid_of(world) if facts.idn else None
    body = request(held("person", key), encrypted=encrypted)
    return only_certificate(await world.ask(holder.compose(body, infos=IMPLICIT)))


async def registrar(world: World, key: int = 101) -> Holder:
    """An RA."""
    return by_certificate(world, await enrolled(world, RA, key, "ra"), held("ra", key))
