"""What `openssl cmp` does to a certificate and what our own pages do: the same dates, the same end of the old one."""

from __future__ import annotations

import asyncio
import json
import secrets
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from tests.interop.openssl import OpenSsl
from tests.interop.people import Person, curve_key, enrol, rsa_key
from tests.interop.running import Running, Standing, fetch
from tests.protocols.cmp.test_typescript_twin import NODE, ROOT, R, vault

from ingam.adapters.certification.cmp import CmpCertification, RegistrationAuthority
from ingam.adapters.clock.system import SystemClock
from ingam.npki import certificate
from ingam.npki.signature import KeyKind
from ingam.ports.signing import Intent, PublicHalf

pytestmark = pytest.mark.xdist_group("interop")
SIGNED = ("-cert", "own.pem", "-key", "own.key", "-own_trusted", "root.pem", "-untrusted", "ca.pem")
TRUSTED = ("-trusted", "root.pem")


def member(authority: Running) -> Person:
    """Somebody with an RSA key's certificate, as the vault has them."""
    return enrol(authority, "member", key=rsa_key())


def by_openssl(authority: Running, openssl: OpenSsl, one: Person) -> certificate.Certificate:
    """`openssl cmp -cmd kur`."""
    openssl.pem("own", one.certificate)
    openssl.key("own", one.key)
    openssl.key("new", curve_key())
    words = ("-newkey", "new.key", "-certout", "new.pem")
    openssl.cmp(authority, "kur", *words, *SIGNED, *TRUSTED).well()
    return openssl.read("new.pem")


def step(authority: Running, openssl: OpenSsl, one: Person, key: str, name: str, **more: Any) -> Any:
    """One step of the vault's own renewal, in a process of its own, as after a reload."""
    pkcs8 = one.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    given = {
        "step": name, "anchors": [openssl.read(f"{each}.pem").der.hex() for each in ("ca", "root")],
        "encryption": opener(authority).der.hex(), "at": datetime.now(UTC).isoformat(),
        "old": {"certificate": one.certificate.der.hex(), "key": pkcs8.hex()},
        "key": key, "answers": [], "certificate": "", **more,
    }  # fmt: skip
    emit = ROOT / "browser/test/pure/kur_emit.ts"
    done = subprocess.run(
        [NODE, "--no-warnings", emit], input=json.dumps(given).encode(), capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return json.loads(done.stdout)


def by_the_page(authority: Running, openssl: OpenSsl, one: Person) -> certificate.Certificate:
    """What 갱신 does in the browser: kur, kup, certConf, pkiConf."""
    (made,) = vault("make", [{"pkcs8": rsa_pkcs8().hex(), "random": R.hex()}])
    key = made["key"]

    def carried(composed: dict[str, Any]) -> list[str]:
        data = bytes.fromhex(composed["bytes"])
        return [fetch(f"http://{authority.cmp}", data, "application/pkixcmp").hex()]

    asked = step(authority, openssl, one, key, "ask")
    (found,) = step(authority, openssl, one, key, "receive", exchange=asked["exchange"], answers=carried(asked))
    assert found.get("kind") == "offered", found
    confirming = step(
        authority, openssl, one, key, "accept", exchange=found["exchange"], certificate=found["certificate"]
    )
    told = step(authority, openssl, one, key, "confirm", exchange=confirming["exchange"], answers=carried(confirming))
    assert told == [{"kind": "confirmed"}]
    return certificate.parse(bytes.fromhex(found["certificate"]))


def opener(authority: Running) -> certificate.Certificate:
    """What R is encrypted to."""
    return authority.holdings.service("encryption", 1, SystemClock().now()).certificate


def rsa_pkcs8() -> bytes:
    return rsa_key().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def test_D10_a_renewal_by_openssl_and_one_by_the_page_end_the_same(authority: Running, openssl: OpenSsl) -> None:
    ways = [by_openssl, by_the_page]
    olds = [member(authority) for _ in ways]
    news = [way(authority, openssl, one) for way, one in zip(ways, olds, strict=True)]
    assert olds[0].certificate.not_after == olds[1].certificate.not_after
    assert news[0].not_after == news[1].not_after
    for old, new in zip(olds, news, strict=True):
        assert new.subject == old.certificate.subject
        assert authority.standing(new) == Standing("valid", None)
        assert authority.standing(old.certificate) == Standing("revoked", "superseded")


@pytest.mark.parametrize(
    ("number", "state", "reason"),
    [(1, "revoked", "keyCompromise"), (3, "revoked", "affiliationChanged"), (5, "revoked", "cessationOfOperation"),
     (6, "held", "certificateHold")],
)  # fmt: skip
def test_a_revocation_by_openssl_and_one_by_the_center_end_the_same(
    authority: Running, openssl: OpenSsl, number: int, state: str, reason: str
) -> None:
    holder, center = (enrol(authority, "member") for _ in range(2))
    openssl.pem("own", holder.certificate)
    openssl.key("own", holder.key)
    openssl.cmp(authority, "rr", *SIGNED, *TRUSTED, "-oldcert", "own.pem", "-revreason", str(number)).well()
    as_registrar(authority, openssl, center.certificate, number)
    ended = [authority.standing(one.certificate) for one in (holder, center)]
    assert ended == [Standing(state, reason)] * 2


def as_registrar(authority: Running, openssl: OpenSsl, one: certificate.Certificate, number: int) -> None:
    """What 폐지 and 효력정지 of the center send: an rr under the RA's signature."""
    key = curve_key()
    openssl.key("ra", key)
    openssl("req", "-new", "-key", "ra.key", "-subj", "/CN=ra", "-out", "ra.csr")
    files = ("--csr", f"{openssl.folder}/ra.csr", "--out", f"{openssl.folder}/ra.pem")
    authority.cli("issue", "--profile", "ra", "--name", "center", *files)
    ra = openssl.read("ra.pem")
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    signer = Held(PublicHalf("ra", KeyKind.P_256, spki, KeyKind.P_256.algorithm), key)
    who = RegistrationAuthority(ra, (openssl.read("ca.pem").der,), signer)
    speakers, clock = (openssl.read("cmp.pem"),), SystemClock()
    here = "http://localhost:1"
    asking = CmpCertification(authority.cmp, here, Posting(), who, speakers, clock, secrets.token_bytes)
    asyncio.run(asking.revoke(one.issuer.raw, one.serial, number, one.subject.raw))


@dataclass(frozen=True)
class Held:
    """`ports.signing.Signer` of a key in memory."""

    public: PublicHalf
    key: EllipticCurvePrivateKey
    waits: bool = False

    def sign(self, intent: Intent) -> bytes:
        message = intent.take()
        assert isinstance(message, bytes)
        return self.key.sign(message, ECDSA(SHA256()))


class Posting:
    """`HttpPost` to the authority's process."""

    async def post(self, url: str, body: bytes, content_type: str, limit: int) -> bytes:
        answer = fetch(f"http://{url}", body, content_type)
        assert len(answer) <= limit
        return answer
