"""Revocation lists, made by `cryptography` and by KISA, believed only when every numbered check holds (A10, A12)."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.npki import certs

from ingam.kernel.errors import Failure
from ingam.npki import certificate, der
from ingam.protocols import crl

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
REVOKED = 0x085221


def revocation_list(
    *,
    number: int = 7,
    partition: str | None = "dp4p9649",
    signer: certs.Party | None = None,
    this_update: datetime = certs.NOW - HOUR,
    next_update: datetime = certs.NOW + HOUR,
    critical: bool = False,
) -> bytes:
    issuer = x509.load_der_x509_certificate(certs.ca().certificate.der)
    entry = (
        x509.RevokedCertificateBuilder()
        .serial_number(REVOKED)
        .revocation_date(certs.NOW - DAY)
        .add_extension(x509.CRLReason(x509.ReasonFlags.certificate_hold), critical=False)
    )
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(this_update)
        .next_update(next_update)
        .add_revoked_certificate(entry.build())
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    if partition is not None:
        uri = x509.UniformResourceIdentifier(
            f"ldap://dir.signkorea.test:389/ou={partition},ou=AccreditedCA,o=SignKorea"
        )
        point = x509.IssuingDistributionPoint([uri], None, False, False, None, False, False)
        builder = builder.add_extension(point, critical=True)
    if critical:
        strange = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
        builder = builder.add_extension(strange, critical=True)
    return builder.sign((signer or certs.ca()).key, hashes.SHA256()).public_bytes(Encoding.DER)


def believe(
    data: bytes, *, at: datetime = certs.NOW, lowest: int = -1, partition: str | None = "dp4p9649"
) -> crl.RevocationList:
    return crl.verify(
        crl.parse(data), issuer=certs.ca().certificate, partition=partition, lowest_number=lowest, at=at, max_age=DAY
    )


def refusal(data: bytes, *, at: datetime = certs.NOW, lowest: int = -1, partition: str | None = "dp4p9649") -> str:
    with pytest.raises(Failure) as refused:
        believe(data, at=at, lowest=lowest, partition=partition)
    return refused.value.code


def test_entries_carry_instant_and_reason() -> None:
    found = believe(revocation_list())
    assert found.number == 7
    assert found.entries[REVOKED] == crl.Entry(certs.NOW - DAY, "certificateHold")


def test_the_published_root_list_is_read_and_its_signature_holds() -> None:
    authorities = certs.SAMPLES / "authorities"
    root = certificate.parse((authorities / "KISA_RootCA_4.cer").read_bytes())
    given_list = crl.parse((authorities / "KISA_RootCA_4_ARL.crl").read_bytes())
    at = datetime(2021, 11, 20, tzinfo=UTC)
    found = crl.verify(given_list, issuer=root, partition=None, lowest_number=-1, at=at, max_age=None)
    assert found.number == 595


def test_a_certificate_selects_its_partition_and_nothing_else() -> None:
    assert crl.partition_of(certs.person().certificate) == "dp4p1"


def test_A12_a_list_of_another_partition_is_refused() -> None:
    assert refusal(revocation_list(), partition="dp1p1") == "status-crl-partition"
    assert refusal(revocation_list(partition=None)) == "status-crl-partition"


def test_A12_a_list_signed_by_somebody_else_is_refused() -> None:
    assert refusal(revocation_list(signer=certs.somebody_else())) == "status-crl-untrusted"


def test_A12_old_and_future_lists_are_refused() -> None:
    assert refusal(revocation_list(), at=certs.NOW + 2 * HOUR) == "status-crl-stale"
    old = revocation_list(this_update=certs.NOW - 2 * DAY, next_update=certs.NOW + 5 * DAY)
    assert refusal(old) == "status-crl-stale"
    assert refusal(revocation_list(), at=certs.NOW - 2 * HOUR) == "status-crl-future"


def test_A12_a_number_below_one_seen_is_refused() -> None:
    assert refusal(revocation_list(number=7), lowest=8) == "status-crl-older"
    assert believe(revocation_list(number=7), lowest=7).number == 7


def test_a_critical_extension_that_nobody_knows_is_refused() -> None:
    assert refusal(revocation_list(critical=True)) == "status-crl-untrusted"


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_an_altered_list_is_never_believed_differently(data: st.DataObject) -> None:
    given_list = bytearray(revocation_list())
    place = data.draw(st.integers(0, len(given_list) - 1))
    given_list[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Failure):
        believe(bytes(given_list))


def forged(entries: bytes) -> bytes:
    """A list in the name of the CA that nobody signed, as anybody between us and the directory can send it."""
    algorithm, when = der.algorithm("1.2.840.113549.1.1.11"), b"\x17\x0d260101000000Z"
    number = der.explicit(0, der.seq(der.seq(der.oid("2.5.29.20"), der.octets(der.integer(7)))))
    tbs = der.seq(der.integer(1), algorithm, certs.ca().certificate.subject.raw, when, when, entries, number)
    return der.seq(tbs, algorithm, der.bits(bytes(256)))


@pytest.mark.parametrize("step", [1, (1 << 61) - 1], ids=["many-entries", "serials-that-collide"])
def test_A12_entries_that_nobody_signed_cost_no_time(step: int) -> None:
    when = b"\x17\x0d260101000000Z"
    entries = der.seq(*(der.seq(der.integer(step * each), when) for each in range(1, 20_000)))
    data = forged(entries)
    started = time.process_time()
    assert refusal(data, partition=None) == "status-crl-untrusted"
    assert time.process_time() - started < 0.05


def test_A12_what_was_not_signed_is_called_so_even_where_its_entries_are_no_der() -> None:
    assert refusal(forged(der.seq(b"\x02\x00")), partition=None) == "status-crl-untrusted"


def test_A10_a_roots_list_of_users_alone_acquits_no_authority() -> None:
    assert refusal(_whole_list(only_users=True), partition=None) == "status-crl-partition"
    assert believe(_whole_list(only_users=False), partition=None).number == 7


def test_A12_a_list_of_changes_alone_is_no_list_even_where_it_is_not_marked_critical() -> None:
    assert refusal(_whole_list(only_users=False, delta=True), partition=None) == "status-crl-untrusted"


def _whole_list(*, only_users: bool, delta: bool = False) -> bytes:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(x509.load_der_x509_certificate(certs.ca().certificate.der).subject)
        .last_update(certs.NOW - HOUR)
        .next_update(certs.NOW + HOUR)
        .add_extension(x509.CRLNumber(7), critical=False)
    )
    if only_users:
        point = x509.IssuingDistributionPoint(None, None, True, False, None, False, False)
        builder = builder.add_extension(point, critical=True)
    if delta:
        builder = builder.add_extension(x509.DeltaCRLIndicator(6), critical=False)
    return builder.sign(certs.ca().key, hashes.SHA256()).public_bytes(Encoding.DER)
