"""The verifying daemon over real sockets: what it tells counts only in the exact form and about our own certificate."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.npki import certs

from ingam.adapters.skverify.daemon import Daemon, DaemonAddressRefused, Tunnel
from ingam.kernel.errors import Failure
from ingam.npki import cms_plain
from ingam.npki.chain import Anchors
from ingam.protocols import skverify
from ingam.protocols.skverify import DaemonRefused, DaemonUnusable, Told
from ingam.run.cli.cert import main
from ingam.run.skverifyd import Conduct, Server

PERSON = certs.person()
TRUSTED = Anchors.sorted_out([certs.root().certificate, certs.ca().certificate])
RIGHT = Conduct(TRUSTED, at=certs.NOW)
TOLD = Told._make(["3", f"{PERSON.certificate.serial:x}", "i", str(PERSON.certificate.subject), *["x"] * 7, "text"])


def brief(content: bytes = "홍길동".encode("cp949")) -> bytes:
    return cms_plain.sign_brief(content, PERSON.certificate, PERSON.key)


@contextmanager
def serving(conduct: Conduct) -> Iterator[Daemon]:
    """The sandbox's daemon, and our end of it."""
    with Server(0, conduct) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield Daemon("127.0.0.1", server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


def code_of(conduct: Conduct, signed: bytes) -> str:
    with serving(conduct) as daemon, pytest.raises(Failure) as failed:
        daemon.verify(signed, PERSON.certificate)
    return failed.value.code


def test_a_brief_is_confirmed_with_what_it_holds() -> None:
    with serving(RIGHT) as daemon:
        told = daemon.verify(brief(), PERSON.certificate)
    assert (told.plaintext, int(told.serial, 16)) == ("홍길동", PERSON.certificate.serial)


def test_where_the_daemons_ocsp_fails_it_is_asked_for_a_list() -> None:
    with serving(replace(RIGHT, error=4000)) as daemon:
        assert daemon.verify(brief(), PERSON.certificate).plaintext == "홍길동"
    assert code_of(replace(RIGHT, error=3999), brief()) == "daemon-refused"


def test_what_the_daemon_does_not_accept_is_refused() -> None:
    assert code_of(RIGHT, brief()[:-1] + bytes([brief()[-1] ^ 1])) == "daemon-refused"
    assert code_of(replace(RIGHT, anchors=Anchors()), brief()) == "daemon-refused"


def test_A18_a_dollar_too_many_and_nothing_of_the_answer_counts() -> None:
    assert code_of(replace(RIGHT, dollar=True), brief()) == "daemon-malformed"
    assert code_of(RIGHT, brief(b"a$b")) == "daemon-malformed"  # a text of the signer's own moves no field
    with pytest.raises(DaemonUnusable, match="daemon-malformed"):
        skverify.answer(46, b"\x2e\x00" + b"$" * (skverify.FIELDS - 2))


@pytest.mark.parametrize(
    "other",
    [
        {"serial": "1"}, {"serial": ""}, {"serial": "0x85221"}, {"serial": "-1"}, {"subject": "cn=다른 사람,c=kr"},
        {"subject": ""}, {"subject": str(PERSON.certificate.issuer)},
    ],
)  # fmt: skip
def test_A18_subject_and_serial_have_to_be_those_of_our_own_parse(other: dict[str, str]) -> None:
    skverify.check_same(TOLD, PERSON.certificate)
    skverify.check_same(TOLD._replace(serial=TOLD.serial.upper().zfill(16)), PERSON.certificate)
    skverify.check_same(TOLD._replace(subject=TOLD.subject.replace(",", ", ").upper()), PERSON.certificate)
    with pytest.raises(DaemonUnusable, match="daemon-mismatch"):
        skverify.check_same(TOLD._replace(**other), PERSON.certificate)


def test_A18_a_daemon_elsewhere_needs_a_tunnel_with_certificates_on_both_ends(tmp_path: Path) -> None:
    for host in ("10.0.0.7", "daemon.test", "0.0.0.0", "::"):
        with pytest.raises(DaemonAddressRefused):
            Daemon(host)
    with pytest.raises(DaemonAddressRefused):
        Daemon("daemon.test", tunnel=Tunnel(tmp_path / "ca", tmp_path / "certificate", tmp_path / "key"))
    Daemon("localhost"), Daemon("::1"), Daemon("127.0.0.9")


def test_nobody_there_confirms_nothing() -> None:
    with serving(RIGHT) as gone:
        pass
    with pytest.raises(DaemonUnusable):
        gone.verify(brief(), PERSON.certificate)


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_an_answer_of_twelve_fields_or_refused(data: bytes) -> None:
    try:
        told = skverify.answer(skverify.OCSP, data)
    except (DaemonUnusable, DaemonRefused):
        return
    assert len(told) == skverify.FIELDS and data.count(b"$") == skverify.FIELDS - 1


def test_A5_a_message_is_verified_in_the_form_that_is_named_and_in_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trust, file = tmp_path / "trust", tmp_path / "message.ber"
    trust.mkdir()
    (trust / "root.der").write_bytes(certs.root().certificate.der)
    (trust / "ca.der").write_bytes(certs.ca().certificate.der)
    file.write_bytes(brief())
    words = ["verify", str(file), "--anchors", str(trust), "--at", certs.NOW.isoformat(), "--lang", "ko"]
    assert main([*words, "--form", "koscom-brief"]) == 0
    assert "홍길동" in capsys.readouterr().out
    for other in ("plain", "attributes"):
        assert main([*words, "--form", other]) != 0
    content = tmp_path / "content"
    content.write_bytes(b"another")
    assert main([*words, "--form", "koscom-brief", "--in", str(content)]) != 0
    with Server(0, RIGHT) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        port = server.server_address[1]
        assert main([*words, "--form", "koscom-brief", "--daemon", f"127.0.0.1:{port}"]) == 0
        server.shutdown()
        thread.join()
    assert main([*words, "--form", "koscom-brief", "--daemon", "10.0.0.7:24098"]) != 0


def test_A18_through_the_tunnel_both_ends_show_a_certificate(tmp_path: Path) -> None:
    made = _certificates(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(made.ca))
    context.load_cert_chain(made.certificate, made.key)
    context.verify_mode = ssl.CERT_REQUIRED
    with Server(0, RIGHT) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        port = server.server_address[1]
        try:
            assert Daemon("localhost", port, made).verify(brief(), PERSON.certificate).plaintext == "홍길동"
            with pytest.raises(DaemonUnusable):
                Daemon("localhost", port).verify(brief(), PERSON.certificate)
            stranger = _certificates(tmp_path / "stranger")
            with pytest.raises(DaemonUnusable):
                Daemon("localhost", port, replace(stranger, ca=made.ca)).verify(brief(), PERSON.certificate)
        finally:
            server.shutdown()
            thread.join()


def _certificates(folder: Path) -> Tunnel:
    """One certificate of our own making, which is its own authority, in PEM."""
    folder.mkdir(exist_ok=True)
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string("CN=localhost")
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    tunnel = Tunnel(folder / "ca.pem", folder / "own.pem", folder / "own.key")
    for path in (tunnel.ca, tunnel.certificate):
        path.write_bytes(made.public_bytes(Encoding.PEM))
    tunnel.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return tunnel
