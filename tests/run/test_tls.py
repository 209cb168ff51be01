"""The local authority of a trial: good for one name, for nobody else's, kept, and renewed in time."""

from __future__ import annotations

import ipaddress
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from ingam.run import tls

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
HOST = "demo-pc.example"


def leaf(folder: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / "server.pem").read_bytes())


def verified(folder: Path, host: str, at: datetime = NOW) -> bool:
    """Whether a browser that installed the authority takes the server for `host`."""
    store = Store([x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes())])
    verifier = PolicyBuilder().store(store).time(at).build_server_verifier(x509.DNSName(host))
    try:
        verifier.verify(leaf(folder), [])
    except VerificationError:
        return False
    return True


def test_the_server_is_verified_for_its_name_alone_and_for_thirty_days(tmp_path: Path) -> None:
    made = tls.prepare(tmp_path / "tls", HOST, NOW)
    assert verified(made.certificate.parent, HOST)
    assert not verified(made.certificate.parent, "other.example")
    assert not verified(made.certificate.parent, HOST, NOW + timedelta(days=31))
    assert x509.load_der_x509_certificate(made.authority).fingerprint(hashes.SHA256()).hex(":").upper() == (
        made.fingerprint
    )


def test_the_authority_may_name_this_host_and_nothing_else(tmp_path: Path) -> None:
    made = tls.prepare(tmp_path, HOST, NOW)
    extension = x509.load_der_x509_certificate(made.authority).extensions.get_extension_for_class(x509.NameConstraints)
    assert extension.critical
    assert extension.value.permitted_subtrees == [x509.DNSName(HOST)]
    assert extension.value.excluded_subtrees is not None and len(extension.value.excluded_subtrees) == 2
    # With the key of one name's authority, a server of another name is not believed.
    key = serialization.load_pem_private_key((tmp_path / "ca.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    tls._certify(tmp_path, x509.load_der_x509_certificate(made.authority), key, "bank.example", NOW)
    assert not verified(tmp_path, "bank.example")


def test_what_was_installed_stays_until_it_ends_soon_or_the_name_changes(tmp_path: Path) -> None:
    first = tls.prepare(tmp_path, HOST, NOW)
    serial = leaf(tmp_path).serial_number
    assert tls.prepare(tmp_path, HOST, NOW + timedelta(days=10)) == first
    assert leaf(tmp_path).serial_number == serial
    later = tls.prepare(tmp_path, HOST, NOW + timedelta(days=25))
    assert later.authority == first.authority and leaf(tmp_path).serial_number != serial
    assert verified(tmp_path, HOST, NOW + timedelta(days=40))
    assert tls.prepare(tmp_path, HOST, NOW + timedelta(days=150)).authority != first.authority
    other = tls.prepare(tmp_path, "other.example", NOW)
    assert other.authority != first.authority and verified(tmp_path, "other.example")


def test_an_address_is_taken_where_there_is_no_name(tmp_path: Path) -> None:
    tls.prepare(tmp_path, "192.0.2.7", NOW)
    names = leaf(tmp_path).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("192.0.2.7")]


def test_keys_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    tls.prepare(tmp_path / "tls", HOST, NOW)
    assert stat.S_IMODE((tmp_path / "tls").stat().st_mode) == 0o700
    for name in ("ca.key", "server.key"):
        assert stat.S_IMODE((tmp_path / "tls" / name).stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "a b", "-a", "a_b", "host:80", "http://x", "a" * 64, "é.example", "[::1]", "x/y"])
def test_a_host_that_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(tls.HostMalformed):
        tls.host_name(text)


def test_a_name_is_written_as_browsers_write_it() -> None:
    assert tls.host_name(" Demo-PC.Local ") == "demo-pc.local"
