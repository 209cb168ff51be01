"""`openssl cmp` as the authority (its built-in mock server, no socket): it reads our requests, we read its answers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import load_der_x509_certificate
from tests.npki import certs
from tests.protocols.cmp import parties
from tests.protocols.cmp.parties import CODE, NOW, REFERENCE
from tests.protocols.cmp.test_openssl import OPENSSL

from ingam.npki import certificate, signature
from ingam.npki.signature import RSA_SHA256
from ingam.protocols.cmp import bodies, client, crmf, exchange, general, header, message, protection
from ingam.protocols.cmp.exchange import Client, Exchange
from ingam.protocols.cmp.header import Info
from ingam.protocols.cmp.message import Body, BodyKind, PKIMessage, UnverifiedMessage
from ingam.protocols.cmp.protection import MacProtection, SignatureProtection

pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")

KEY = parties.new_key()
AUTHORITY = header.directory_name(parties.signer().certificate.subject.raw)
MADE = parties.issue(certs.PERSON_NAME, certs.spki(KEY), 0x77)


def by_mac(found: UnverifiedMessage) -> PKIMessage:
    return protection.verify_mac(found, CODE)


def by_signature(found: UnverifiedMessage) -> PKIMessage:
    key = signature.public_key(certificate.parse(found.extra_certs[0]).spki)
    assert found.extra_certs[0] == parties.signer().certificate.der
    return protection.verify_signature(found, key)


def mac_client(algorithm: bytes = protection.password_based_mac(b"s" * 16)) -> Client:
    return Client(header.NULL_DN, AUTHORITY, MacProtection(CODE, algorithm), by_mac, sender_kid=REFERENCE)


def signing_client() -> Client:
    person = parties.person()
    proof = SignatureProtection(RSA_SHA256, parties.signs(person.key))
    sender = header.directory_name(person.certificate.subject.raw)
    return Client(sender, AUTHORITY, proof, by_signature, extra_certs=(person.certificate.der,))


CLIENTS = pytest.mark.parametrize("asking", [mac_client(), signing_client()], ids=["mac", "signature"])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys and certificates of both ends as the command line takes them."""
    place = tmp_path_factory.mktemp("server")
    for name, key in (("new", KEY), ("signer", parties.signer().key), ("person", parties.person().key)):
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (place / f"{name}.key").write_bytes(pem)
    made = {"made": MADE, "ca": certs.ca().certificate.der, "root": certs.root().certificate.der}
    parties_ = {"signer": parties.signer().certificate.der, "person": parties.person().certificate.der}
    for name, der in (made | parties_).items():
        (place / f"{name}.pem").write_bytes(load_der_x509_certificate(der).public_bytes(Encoding.PEM))
    return place


def answers(place: Path, asking: Client, kind: BodyKind, requests: list[bytes], *more: str) -> list[bytes]:
    """What the mock server answers to our requests, one after the other."""
    assert OPENSSL is not None
    sent, got = [], []
    for number, data in enumerate(requests):
        (place / f"ask-{number}.der").write_bytes(data)
        sent.append(f"ask-{number}.der")
        got.append(f"got-{number}.der")
    with_mac = isinstance(asking.protection, MacProtection)
    code = f"pass:{CODE.reveal().decode()}"
    server = ["-srv_ref", REFERENCE.decode(), "-srv_secret", code] if with_mac else [
        "-srv_cert", "signer.pem", "-srv_key", "signer.key", "-srv_trusted", "root.pem", "-srv_untrusted", "ca.pem",
    ]  # fmt: skip
    own = ["-ref", REFERENCE.decode(), "-secret", code] if with_mac else [
        "-cert", "person.pem", "-key", "person.key", "-srvcert", "signer.pem",
    ]  # fmt: skip
    subject = {
        BodyKind.RR: ["-oldcert", "person.pem"],
        BodyKind.GENM: [],
        BodyKind.KUR: ["-newkey", "new.key", "-oldcert", "person.pem", "-certout", "out.pem"],
    }.get(kind, ["-newkey", "new.key", "-subject", "/CN=x", "-certout", "out.pem"])
    command = [
        OPENSSL, "cmp", "-config", "", "-use_mock_srv", *server, "-rsp_cert", "made.pem", "-cmd", kind.name.lower(),
        *own, "-recipient", "/CN=CA", *subject, "-reqin", ",".join(sent), "-rspout", ",".join(got), *more,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=60)
    assert (place / got[-1]).exists(), done.stderr + done.stdout
    found = [(place / name).read_bytes() for name in got]
    for name in got:
        (place / name).unlink()
    return found


def begun(asking: Client, body: Body, question: client.Question, *infos: Info) -> Exchange:
    return asking.begin(body, question, transaction_id=b"t" * 16, nonce=b"n" * 16, at=NOW, infos=infos)


def enrolling(asking: Client, kind: BodyKind = BodyKind.IR, *infos: Info) -> Exchange:
    old = crmf.CertId(header.directory_name(certs.CA_NAME), 0x77)
    body, question = exchange.enrolment(
        kind, spki=certs.spki(KEY), subject=certs.PERSON_NAME, algorithm=RSA_SHA256, sign=parties.signs(KEY),
        controls=(crmf.old_cert_id_control(old),) if kind is BodyKind.KUR else (),
    )  # fmt: skip
    return begun(asking, body, question, *infos)


def heard(asking: Client, now: Exchange, data: bytes) -> Exchange:
    return asking.receive(now, data, nonce=b"m" * 16, at=NOW)


@CLIENTS
@pytest.mark.parametrize("kind", [BodyKind.IR, BodyKind.CR, BodyKind.KUR])
def test_openssl_certifies_us(place: Path, asking: Client, kind: BodyKind) -> None:
    now = enrolling(asking, kind, header.IMPLICIT_CONFIRM_INFO)
    (data,) = answers(place, asking, kind, [now.outgoing or b""], "-grant_implicitconf", "-implicit_confirm")
    now = heard(asking, now, data)
    assert isinstance(now.state, client.Offered) and now.state.certificate == MADE and now.state.implicit
    assert asking.accept(now, nonce=b"o" * 16, at=NOW).state == client.Issued(MADE, ())


@CLIENTS
def test_openssl_takes_our_confirmation(place: Path, asking: Client) -> None:
    now = enrolling(asking)
    # Our certConf is fixed but for the nonce that it answers; openssl puts its own server's nonce there.
    offered = client.Offered(client.Question(0, 0, b""), MADE, (), implicit=False)
    heard_of = Exchange(offered, b"t" * 16, b"n" * 16, b"x" * 16, None)
    confirming = asking.accept(heard_of, nonce=b"o" * 16, at=NOW)
    first, last = answers(place, asking, BodyKind.IR, [now.outgoing or b"", confirming.outgoing or b""])
    assert isinstance(heard(asking, now, first).state, client.Offered)
    found = asking.verify(message.parse(last))
    bodies.read_pkiconf(found.body)
    assert found.header.transaction_id == b"t" * 16


@CLIENTS
def test_openssl_answers_a_pkcs10_request(place: Path, asking: Client) -> None:
    body, question = exchange.from_pkcs10(parties.csr(), certs.spki(KEY))
    now = begun(asking, body, question, header.IMPLICIT_CONFIRM_INFO)
    (data,) = answers(place, asking, BodyKind.CR, [now.outgoing or b""], "-grant_implicitconf", "-implicit_confirm")
    assert isinstance(heard(asking, now, data).state, client.Offered)


@CLIENTS
def test_openssl_revokes_for_us(place: Path, asking: Client) -> None:
    named = certificate.parse(MADE)
    now = begun(asking, *exchange.revoke(named.issuer.raw, named.serial, 1))
    (data,) = answers(place, asking, BodyKind.RR, [now.outgoing or b""])
    assert heard(asking, now, data).state == client.Revoked()


@CLIENTS
def test_openssl_tells_us(place: Path, asking: Client) -> None:
    now = begun(asking, *exchange.inquire(Info(general.SIGN_KEY_PAIR_TYPES)))
    (data,) = answers(place, asking, BodyKind.GENM, [now.outgoing or b""], "-infotype", "signKeyPairTypes")
    state = heard(asking, now, data).state
    assert isinstance(state, client.Informed) and [kind for kind, _ in state.infos] == [general.SIGN_KEY_PAIR_TYPES]


def test_openssl_puts_us_off(place: Path) -> None:
    asking = mac_client()
    now = enrolling(asking)
    (data,) = answers(place, asking, BodyKind.IR, [now.outgoing or b""], "-poll_count", "1", "-check_after", "1")[:1]
    now = heard(asking, now, data)
    assert isinstance(now.state, client.Waiting)
    now = asking.poll(now, nonce=b"o" * 16, at=NOW)
    assert bodies.read_poll_req(message.parse(now.outgoing or b"").body) == (0,)


@CLIENTS
@pytest.mark.parametrize("bit", [9, 19, 26])
def test_openssl_refuses_us_with_its_bits(place: Path, asking: Client, bit: int) -> None:
    now = enrolling(asking)
    (data,) = answers(place, asking, BodyKind.IR, [now.outgoing or b""], "-pkistatus", "2", "-failure", str(bit))
    state = heard(asking, now, data).state
    assert isinstance(state, client.Refused) and state.fail_info == 1 << bit


def test_openssl_takes_every_hash_of_a_password_based_mac(place: Path) -> None:
    for hash in ("sha1", "sha256", "sha384", "sha512"):
        asking = mac_client(protection.password_based_mac(b"s" * 16, iterations=500, hash=hash, mac=hash))
        now = begun(asking, *exchange.inquire(Info(general.SIGN_KEY_PAIR_TYPES)))
        (data,) = answers(place, asking, BodyKind.GENM, [now.outgoing or b""], "-infotype", "signKeyPairTypes")
        assert isinstance(heard(asking, now, data).state, client.Informed)
