"""BouncyCastle, another implementation: PBMAC1, PasswordBasedMac and every proof of possession, both ways."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.npki import certs
from tests.protocols.cmp import parties
from tests.protocols.cmp.parties import CODE, NOW

from ingam.npki.signature import RSA_SHA256
from ingam.protocols.cmp import bodies, crmf, header, message, pop, protection
from ingam.protocols.cmp.message import Body, BodyKind
from ingam.protocols.cmp.protection import MacProtection
from ingam.protocols.cmp.template import CertTemplate

JAVA = shutil.which("java")
JARS = [Path("/usr/share/java") / f"{name}.jar" for name in ("bcpkix", "bcprov", "bcutil")]
pytestmark = pytest.mark.skipif(
    JAVA is None or not all(jar.exists() for jar in JARS), reason="BouncyCastle (libbcpkix-java) is not installed"
)

KEY_FILE = certs.VECTORS / "keys" / "rsa2048-05.p8"
KEY = parties.new_key()
SPKI = certs.spki(KEY)
SENDER = header.directory_name(certs.PERSON_NAME)
SALT = b"s" * 16
ALGORITHMS = {
    "pbm-sha1": protection.password_based_mac(SALT, hash="sha1", mac="sha1"),
    "pbm-sha256": protection.password_based_mac(SALT),
    # BouncyCastle 1.72 derives with HMAC-SHA256 whatever prf the parameters name.
    "pbmac1-sha1": protection.pbmac1(SALT, mac="sha1"),
    "pbmac1-sha256": protection.pbmac1(SALT),
    "pbmac1-sha384": protection.pbmac1(SALT, mac="sha384"),
    "pbmac1-sha512": protection.pbmac1(SALT, mac="sha512"),
}
MAC = MacProtection(CODE, protection.password_based_mac(SALT, hash="sha1", mac="sha1"))
SIGNS = parties.signs(KEY)
PROOFS: dict[str, Callable[[bytes], crmf.Pop]] = {
    "plain": lambda asked: pop.sign_pop(asked, RSA_SHA256, SIGNS),
    "sender": lambda _: pop.sign_pop_as_sender(SPKI, SENDER, RSA_SHA256, SIGNS),
    "mac": lambda _: pop.sign_pop_with_mac(SPKI, MAC, RSA_SHA256, SIGNS),
}


def written(body: Body, algorithm: bytes) -> bytes:
    head = header.Header(2, SENDER, header.NULL_DN, NOW, None, b"4711", None, b"t" * 16, b"n" * 16)
    return message.compose(head, body, MacProtection(CODE, algorithm))


def asking(proof: str) -> Body:
    subject = certs.PERSON_NAME if proof == "plain" else None
    asked = crmf.write_cert_request(0, CertTemplate(subject=subject, public_key=SPKI))
    return crmf.write_requests(BodyKind.IR, crmf.write_cert_req_msg(asked, PROOFS[proof](asked)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """One run of the other implementation: what it says of our messages, and a folder with its own."""
    place = tmp_path_factory.mktemp("bouncy")
    for name, algorithm in ALGORITHMS.items():
        (place / f"ask-{name}.der").write_bytes(written(bodies.PKICONF, algorithm))
    for proof in PROOFS:
        (place / f"ask-{proof}.der").write_bytes(written(asking(proof), ALGORITHMS["pbmac1-sha256"]))
    changed = bytearray(written(bodies.PKICONF, ALGORITHMS["pbmac1-sha256"]))
    changed[-1] ^= 1
    (place / "ask-changed.der").write_bytes(changed)
    assert JAVA is not None
    done = subprocess.run(
        [JAVA, "-cp", ":".join(map(str, JARS)), str(Path(__file__).with_name("Bouncy.java")),
         CODE.reveal().decode(), str(KEY_FILE), str(place)],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return place, dict(line.split(" ", 1) for line in done.stdout.splitlines())


@pytest.mark.parametrize("name", ALGORITHMS)
def test_bouncycastle_verifies_our_macs(folder: tuple[Path, dict[str, str]], name: str) -> None:
    assert folder[1][f"ask-{name}.der"] == "verified=true"


def test_bouncycastle_refuses_a_changed_mac(folder: tuple[Path, dict[str, str]]) -> None:
    assert folder[1]["ask-changed.der"] == "verified=false"


@pytest.mark.parametrize("proof", PROOFS)
def test_bouncycastle_believes_our_proofs(folder: tuple[Path, dict[str, str]], proof: str) -> None:
    assert folder[1][f"ask-{proof}.der"] == "verified=true proven=true"


@pytest.mark.parametrize("proof", PROOFS)
@pytest.mark.parametrize("mac", ["pbm", "pbmac1", "pbmac1-sha512"])
def test_we_verify_what_bouncycastle_sends(folder: tuple[Path, dict[str, str]], mac: str, proof: str) -> None:
    found = message.parse((folder[0] / f"bc-{mac}-{proof}.der").read_bytes())
    proven = protection.verify_mac(found, CODE)
    (request,) = crmf.read_requests(proven.body)
    assert pop.verify_pop(request, sender=proven.header.sender, secret=CODE).spki == SPKI
    assert message.prepare(found.header, found.body) == found.protected
    assert proven.header.sender_kid == b"4711"
