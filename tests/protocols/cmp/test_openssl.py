"""`openssl cmp`, a client that we did not write, against an authority made of the codec: every command it has."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificate
from tests.npki import certs
from tests.protocols.cmp import parties
from tests.protocols.cmp.parties import Authority

from ingam.protocols.cmp import crmf, general, header, message
from ingam.protocols.cmp.message import BodyKind

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")

MAC = ["-ref", parties.REFERENCE.decode(), "-secret", f"pass:{parties.CODE.reveal().decode()}"]
SIGNED = ["-cert", "person.pem", "-key", "person.key", "-srvcert", "signer.pem"]
PROOFS = pytest.mark.parametrize("proof", [MAC, SIGNED], ids=["mac", "signature"])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the keys, certificates and the request that the command line takes."""
    place = tmp_path_factory.mktemp("cmp")
    for name, key in (("person", parties.person().key), ("new", parties.new_key())):
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (place / f"{name}.key").write_bytes(pem)
    for name, party in (("person", parties.person()), ("signer", parties.signer()), ("ca", certs.ca())):
        pem = load_der_x509_certificate(party.certificate.der).public_bytes(Encoding.PEM)
        (place / f"{name}.pem").write_bytes(pem)
    run(place, "req", "-new", "-key", "new.key", "-subj", "/C=KR/CN=new", "-out", "new.csr")
    return place


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def port(authority: Authority) -> Iterator[int]:
    with parties.over_http(authority.answer) as port:
        yield port


def run(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    assert OPENSSL is not None
    return subprocess.run([OPENSSL, *arguments], cwd=place, capture_output=True, text=True, timeout=60)


def cmp(place: Path, port: int, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(
        place, "cmp", "-config", "", "-cmd", command, "-server", f"127.0.0.1:{port}/.well-known/cmp",
        "-recipient", "/C=KR/O=SignKorea/CN=CMP", *arguments,
    )  # fmt: skip


def enrol(place: Path, port: int, command: str, proof: list[str], *more: str) -> subprocess.CompletedProcess[str]:
    key = ["-csr", "new.csr"] if command == "p10cr" else ["-newkey", "new.key"]
    subject = [] if command in ("p10cr", "kur") else ["-subject", "/C=KR/CN=new"]
    old = ["-oldcert", "person.pem"] if command == "kur" else []
    return cmp(place, port, command, *proof, *key, *subject, *old, "-certout", "out.pem", *more)


def got(place: Path) -> bytes:
    return load_pem_x509_certificate((place / "out.pem").read_bytes()).public_bytes(Encoding.DER)


@PROOFS
@pytest.mark.parametrize("command", ["ir", "cr", "kur", "p10cr"])
def test_openssl_is_certified_and_confirms(
    place: Path, authority: Authority, port: int, command: str, proof: list[str]
) -> None:
    done = enrol(place, port, command, proof)
    assert done.returncode == 0, done.stderr
    assert authority.confirmed == authority.issued == [got(place)]
    assert [one.body.kind.name.lower() for one in authority.seen] == [command, "cert_conf"]


@PROOFS
def test_openssl_takes_an_implicit_confirmation(place: Path, authority: Authority, port: int, proof: list[str]) -> None:
    done = enrol(place, port, "ir", proof, "-implicit_confirm")
    assert done.returncode == 0, done.stderr
    assert authority.issued == [got(place)] and not authority.confirmed
    assert len(authority.seen) == 1


@PROOFS
@pytest.mark.parametrize("command", ["ir", "p10cr"])
def test_openssl_polls_until_it_is_answered(
    place: Path, authority: Authority, port: int, command: str, proof: list[str]
) -> None:
    authority.delay = 2
    done = enrol(place, port, command, proof)
    assert done.returncode == 0, done.stderr
    kinds = [one.body.kind for one in authority.seen[1:]]
    assert kinds == [BodyKind.POLL_REQ, BodyKind.POLL_REQ, BodyKind.CERT_CONF]


@PROOFS
def test_openssl_revokes(place: Path, authority: Authority, port: int, proof: list[str]) -> None:
    done = cmp(place, port, "rr", *proof, "-oldcert", "person.pem", "-revreason", "4")
    assert done.returncode == 0, done.stderr
    (details,) = authority.revoked
    assert (details.reason, details.template.serial_number) == (4, 0x085221)
    assert details.template.issuer == certs.CA_NAME


@PROOFS
def test_openssl_asks_for_information(place: Path, authority: Authority, port: int, proof: list[str]) -> None:
    done = cmp(place, port, "genm", *proof, "-infotype", "signKeyPairTypes")
    assert done.returncode == 0, done.stderr
    assert [one.type for one in general.read_general(authority.seen[0].body)] == [general.SIGN_KEY_PAIR_TYPES]


def test_openssl_reads_the_error_for_a_wrong_code(place: Path, authority: Authority, port: int) -> None:
    wrong = ["-ref", parties.REFERENCE.decode(), "-secret", "pass:wrong", "-unprotected_errors"]
    done = enrol(place, port, "ir", wrong)
    assert done.returncode != 0 and "badMessageCheck" in done.stderr + done.stdout
    assert not authority.issued


def test_openssl_reads_the_signed_error_for_an_unknown_reference(place: Path, authority: Authority, port: int) -> None:
    unknown = ["-ref", "nobody", "-secret", "pass:nothing", "-srvcert", "signer.pem"]
    done = enrol(place, port, "ir", unknown)
    assert done.returncode != 0 and not authority.issued and not authority.seen


@pytest.mark.parametrize("popo", ["-1", "0", "2"])
def test_openssl_without_a_signature_as_proof_is_refused(
    place: Path, authority: Authority, port: int, popo: str
) -> None:
    done = enrol(place, port, "ir", MAC, "-popo", popo)
    assert done.returncode != 0 and not authority.issued
    assert authority.refused[-1].code in ("cmp-pop-missing", "cmp-pop-ra", "cmp-pop-kind")


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_openssl_protects_with_every_digest(place: Path, authority: Authority, port: int, digest: str) -> None:
    done = enrol(place, port, "cr", SIGNED, "-digest", digest)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("mac", ["hmac-sha1", "hmacWithSHA1", "hmacWithSHA256", "hmacWithSHA384", "hmacWithSHA512"])
def test_openssl_protects_with_every_mac(place: Path, authority: Authority, port: int, mac: str) -> None:
    done = enrol(place, port, "cr", MAC, "-mac", mac, "-digest", "sha512")
    assert done.returncode == 0, done.stderr


def test_what_openssl_asks_for_stands_in_the_template(place: Path, authority: Authority, port: int) -> None:
    done = enrol(
        place, port, "ir", MAC, "-days", "30", "-sans", "test.invalid", "-policy_oids", "1.2.410.200004.5.1.1.9",
        "-issuer", "/CN=Some CA", "-geninfo", "1.2.3.4:int:7",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (request,) = crmf.read_requests(authority.seen[0].body)
    template = request.template
    assert template.not_before is not None and template.not_after is not None
    assert 29 <= (template.not_after - template.not_before).days <= 30
    assert template.extensions is not None and template.issuer == certs.name(("CN", "Some CA"))
    assert authority.seen[0].header.info("1.2.3.4") == header.Info("1.2.3.4", b"\x02\x01\x07")


def test_the_old_certificate_of_a_kur_is_named(place: Path, authority: Authority, port: int) -> None:
    assert enrol(place, port, "kur", SIGNED).returncode == 0
    (request,) = crmf.read_requests(authority.seen[0].body)
    assert crmf.old_cert_id(request) == crmf.CertId(header.directory_name(certs.CA_NAME), 0x085221)


def test_openssl_messages_are_composed_again_to_the_same_bytes(place: Path, authority: Authority, port: int) -> None:
    raw: list[bytes] = []

    def kept(data: bytes) -> bytes:
        raw.append(data)
        return authority.answer(data)

    with parties.over_http(kept) as other:
        for command in ("ir", "kur", "p10cr"):
            assert enrol(place, other, command, MAC).returncode == 0
    for data in raw:
        found = message.parse(data)
        part = message.prepare(found.header, found.body)
        assert part == found.protected
        assert message.finish(part, found.protection, found.extra_certs) == data
