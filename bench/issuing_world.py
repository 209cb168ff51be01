"""The authority that `bench.issuing` loads: a ceremony in a folder, registrations, prepared messages, its processes.

Keys of RSA come from vectors/keys. Messages are composed beforehand: each is for a registration of its own and a fresh
P-256 key, signed as proof of possession; registrations are entered here, many in one commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Final, TypeAlias

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bench.issuing_load import Job, Place, Server, reads, running
from bench.ocsp_world import free_port, vector
from ingam.adapters.blind_index.in_memory import InMemoryBlindIndex
from ingam.adapters.books.reading import BooksReader
from ingam.adapters.books.sqlite import make
from ingam.adapters.clock.system import SystemClock
from ingam.adapters.hsm.sealed_keys import Cost
from ingam.adapters.hsm.signing_file import FileSigningKeys, PrivateKey, generated
from ingam.ca import ceremony
from ingam.ca.ceremony import Keys, Participant, Places, Plan
from ingam.ca.endpoint.service import Endpoint
from ingam.ca.facts import Facts
from ingam.ca.issuing.registering import Asked, Registered, register
from ingam.ca.profiles import ServiceKeys, preset, preset_files
from ingam.kernel.secret import Secret
from ingam.npki import certificate, der, signature
from ingam.npki.certificate import Certificate
from ingam.npki.signature import KeyKind
from ingam.npki.vid import compute_vid
from ingam.protocols.cmp import bodies, cert_response, crmf, encrypted_vid, message
from ingam.protocols.cmp.header import IMPLICIT_CONFIRM_INFO, NULL_DN, Header, directory_name
from ingam.protocols.cmp.message import BodyKind, Protection
from ingam.protocols.cmp.pop import sign_pop
from ingam.protocols.cmp.protection import MacProtection, SignatureProtection, password_based_mac, pbmac1
from ingam.protocols.cmp.template import CertTemplate
from ingam.run.ca import endpoint
from ingam.settings import PORTS, Settings, read
from ingam.wiring.authority import CaPorts, authority_folder, ca_ports, passphrase

CMP: Final = "application/pkixcmp"
PLAN: Final = Plan(
    (Participant("Bench", "operator"),), Places("encrypted files", "encrypted files"), {"ingam": "bench"}
)
Exchange: TypeAlias = tuple[bytes, Callable[[bytes], bytes] | None]
"""A request, and what makes the next one of its answer, if anything follows."""

_ECDSA: Final = ECDSA(SHA256())
_RSA: Final = {KeyKind.RSA_2048: ("rsa2048-00", "rsa2048-01"), KeyKind.RSA_3072: ("rsa3072-00",)}


class Way(Enum):
    """How a request is protected."""

    PBMAC1 = "PBMAC1 (1,000 rounds)"
    PASSWORD_BASED_MAC = "PasswordBasedMac (500 rounds)"  # OpenSSL's default
    REGISTRAR = "RA signature (P-256)"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for. `person`: with EncryptedVID; `confirm`: by certConf instead of implicitConfirm."""

    way: Way
    person: bool = False
    confirm: bool = False


def subject_key() -> tuple[EllipticCurvePrivateKey, bytes]:
    """A fresh P-256 key and its SubjectPublicKeyInfo."""
    key = generate_private_key(SECP256R1())
    return key, key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def sealed(way: Way, secret: Secret[bytes], mac: str = "sha1") -> MacProtection:
    """The protection by a shared secret, its key derived already. `mac`: the HMAC's hash of a PasswordBasedMac."""
    salt = os.urandom(16)
    made = pbmac1(salt, iterations=1000) if way is Way.PBMAC1 else password_based_mac(salt, iterations=500, mac=mac)
    protection = MacProtection(secret, made)
    protection.protect(b"")
    return protection


def asking(key: EllipticCurvePrivateKey, wishes: CertTemplate, *, token: str = "", vid: bytes | None = None) -> bytes:
    """CertReqMsg with a signed proof of possession. `token`: an RA's regToken; `vid`: EncryptedVID."""
    controls = (crmf.Attribute(crmf.REG_TOKEN, der.tlv(der.UTF8_STRING, token.encode())),) if token else ()
    asked = crmf.write_cert_request(0, wishes, controls)
    info = () if vid is None else (crmf.Attribute(crmf.ENCRYPTED_VID, vid),)
    algorithm = KeyKind.P_256.algorithm
    return crmf.write_cert_req_msg(asked, sign_pop(asked, algorithm, lambda data: key.sign(data, _ECDSA)), info)


def header(sender: bytes, kid: bytes | None) -> Header:
    """Of a request that begins an exchange."""
    return Header(
        pvno=2, sender=sender, recipient=NULL_DN, message_time=SystemClock().now(), sender_kid=kid,
        transaction_id=os.urandom(16), sender_nonce=os.urandom(16),
    )  # fmt: skip


def issued(answer: bytes) -> Certificate | None:
    """The certificate in an ip, if it was granted."""
    read = message.parse(answer)
    if read.body.kind is not BodyKind.IP:
        return None
    (one,) = cert_response.read_cert_rep(read.body).responses
    return None if one.certificate is None else certificate.parse(one.certificate)


def granted(answer: bytes) -> bool:
    """Whether an answer is an ip with a certificate, or the pkiConf behind one."""
    return message.parse(answer).body.kind is BodyKind.PKICONF or issued(answer) is not None


class Ground:
    """One authority on disk, `FOLDER/ca/ingam`, with an issuing key of a kind."""

    def __init__(self, folder: Path, kind: KeyKind) -> None:
        self.folder, self.kind = folder, kind
        self.log = folder / "server.log"
        self._environment = {"INGAM_DATA": str(folder), "INGAM_MODE": "test", "INGAM_CA_MESSAGES_A_MINUTE": "99999999"}
        folder.mkdir(mode=0o700)
        settings = self.settings(1, free_port())
        place = authority_folder(settings)
        place.parent.mkdir(mode=0o700)
        secret, left = passphrase(settings, place), {one: list(names) for one, names in _RSA.items()}
        keys = ServiceKeys(
            root=KeyKind.P_256, issuing=kind, ocsp=KeyKind.P_256, encryption=KeyKind.RSA_2048, cmp=KeyKind.P_256,
            log=KeyKind.P_256,
        )  # fmt: skip

        def source(wanted: KeyKind) -> PrivateKey:
            return vector(left[wanted].pop()) if wanted in left else generated(wanted)

        def opened(draft: Path) -> Keys:
            made = FileSigningKeys(draft / "keys", secret, cost=Cost(2, 1, 1), source=source)
            return Keys(made, made)

        authority, now = replace(preset("ingam"), keys=keys), SystemClock().now()
        ceremony.found(place, authority, preset_files("ingam"), opened, PLAN, now, os.urandom)
        make(place / "books.db")

    def settings(self, workers: int, port: int) -> Settings:
        """Of a process that answers CMP on a port."""
        return read(self.environment(workers, port))

    def environment(self, workers: int, port: int) -> dict[str, str]:
        """The same, as a process is told it."""
        told = {"INGAM_PORT": str(port - PORTS.index("ca")), "INGAM_CA_WORKERS": str(workers)}
        return self._environment | told

    @contextlib.contextmanager
    def process(self, workers: int) -> Iterator[tuple[Server, Place]]:
        """`python -m ingam.run.ca`, every worker of it ready."""
        port = free_port()
        url = f"http://127.0.0.1:{port}/readyz"
        environment = self.environment(workers, port) | {"PYTHONPATH": "src"}
        with running([sys.executable, "-m", "ingam.run.ca"], self.log, lambda: reads(url), environment) as server:
            # The kernel spreads connections over the workers: enough of them meet each.
            if not all(reads(url) for _ in range(16 * workers)):
                raise RuntimeError("not ready")
            yield server, Place("127.0.0.1", port, "/.well-known/cmp")


class Desk:
    """The office of an authority in this process, for one run of a loop: it registers, and writes what holders send."""

    def __init__(self, ground: Ground) -> None:
        clock = SystemClock()
        index = InMemoryBlindIndex(Secret(bytes(32)), clock, ceiling=1_000_000)
        settings = ground.settings(1, free_port())
        self.ports: CaPorts = ca_ports(settings, index=index)
        self.endpoint: Endpoint = endpoint(settings, self.ports)[0]
        self._number = int.from_bytes(os.urandom(4), "big")
        self._opener = self.ports.office.openers[-1].certificate

    async def messages(self, wish: Wish, count: int) -> list[Exchange]:
        """So many exchanges."""
        speaker = await self._registrar() if wish.way is Way.REGISTRAR else None
        known = await asyncio.gather(*(self._register(wish.person) for _ in range(count)))
        return [self._coded(wish, one) if speaker is None else (speaker(one), None) for one in known]

    async def shut(self) -> None:
        await self.ports.shut()

    async def _register(self, person: bool) -> Registered:
        self._number += 1
        facts = Facts(name=f"server {self._number}", idn=Secret(""), hosts=(f"host-{self._number}.ingam.test",))
        if person:
            facts = Facts(name="홍길동", idn=Secret(f"99{self._number:011}"), mobile="01085130001")
        asked = Asked("securities" if person else "server", facts)
        return await register(self.ports.office, asked, by="bench")

    def _coded(self, wish: Wish, known: Registered) -> Exchange:
        key, spki = subject_key()
        secret, kid = Secret(known.code.reveal().encode()), known.reference.encode()
        asked = asking(key, CertTemplate(public_key=spki), vid=self._encrypted() if wish.person else None)
        fields = header(NULL_DN, kid)._replace(general_info=() if wish.confirm else (IMPLICIT_CONFIRM_INFO,))
        first = message.compose(fields, crmf.write_requests(BodyKind.IR, asked), sealed(wish.way, secret))
        if not wish.confirm:
            return first, None
        return first, _confirming(fields, sealed(wish.way, secret))

    async def _registrar(self) -> Callable[[Registered], bytes]:
        """An RA, enrolled: from a registration to its request for that holder."""
        key, spki = subject_key()
        known = await register(self.ports.office, Asked("ra", Facts(name="bench", idn=Secret(""))), by="bench")
        code = sealed(Way.PBMAC1, Secret(known.code.reveal().encode()))
        fields = header(NULL_DN, known.reference.encode())._replace(general_info=(IMPLICIT_CONFIRM_INFO,))
        own = crmf.write_requests(BodyKind.IR, asking(key, CertTemplate(public_key=spki)))
        enrolled = issued((await self.endpoint.answer(message.compose(fields, own, code), "bench"))[1])
        assert enrolled is not None
        sender, kid, chain = directory_name(enrolled.subject.raw), enrolled.ski, (enrolled.der,)
        protection = SignatureProtection(KeyKind.P_256.algorithm, lambda part: key.sign(part, _ECDSA))

        def request(of: Registered) -> bytes:
            theirs, public = subject_key()
            asked = asking(theirs, CertTemplate(public_key=public), token=of.reference)
            fields = header(sender, kid)._replace(general_info=(IMPLICIT_CONFIRM_INFO,))
            return message.compose(fields, crmf.write_requests(BodyKind.IR, asked), protection, chain)

        return request

    def _encrypted(self) -> bytes:
        """EncryptedVID of a fresh R under RSAES-OAEP."""
        bits = der.bits(os.urandom(encrypted_vid.RANDOM_OCTETS))
        content = encrypted_vid.write_content(compute_vid(encrypted_vid.DUMMY_IDN, bits), Secret(bits))
        key, opener = signature.public_key(self._opener.spki), self._opener
        assert isinstance(key, RSAPublicKey)
        found = encrypted_vid.encrypt(key, content, issuer=opener.issuer.raw, serial_number=opener.serial, oaep=True)
        return encrypted_vid.write(found)


def _confirming(asked: Header, protection: Protection) -> Callable[[bytes], bytes]:
    """From the ip to the certConf."""

    def confirm(answer: bytes) -> bytes:
        found, told = issued(answer), message.parse(answer).header
        if found is None:
            raise RuntimeError("no certificate to confirm")
        fields = asked._replace(
            sender_nonce=os.urandom(16),
            recip_nonce=told.sender_nonce,
            general_info=(),
            message_time=SystemClock().now(),
        )
        return message.compose(fields, bodies.write_cert_conf(bodies.confirm(found, 0)), protection)

    return confirm


def jobs(ground: Ground, place: Place, wish: Wish, count: int) -> list[Job]:
    """Prepared requests to a process of the authority."""

    async def go() -> list[Exchange]:
        desk = Desk(ground)
        try:
            return await desk.messages(wish, count)
        finally:
            await desk.shut()

    def posted(first: bytes, then: Callable[[bytes], bytes] | None) -> Job:
        return Job(place.post(first, CMP), None if then is None else lambda body: place.post(then(body), CMP))

    return [posted(*one) for one in asyncio.run(go())]


def sample(ground: Ground) -> bytes:
    """DER of a certificate that the authority has issued in this process."""

    async def go() -> bytes:
        desk = Desk(ground)
        try:
            ((first, _),) = await desk.messages(Wish(Way.PBMAC1), 1)
            found = issued((await desk.endpoint.answer(first, "bench"))[1])
        finally:
            await desk.shut()
        if found is None:
            raise RuntimeError("no certificate")
        return found.der

    return asyncio.run(go())


def recorded(ground: Ground) -> int:
    """How many certificates of holders stand in the books."""
    books = BooksReader(authority_folder(ground.settings(1, free_port())) / "books.db")
    try:
        return books.count_of(1)
    finally:
        books.close()
