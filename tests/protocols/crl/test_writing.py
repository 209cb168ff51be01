"""Lists as we write them: byte for byte those of `cryptography`, believed by our own reader and by openssl."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.npki import certs
from tests.protocols.crl.issuers import (
    ADDRESS,
    DAY,
    HTTP,
    NOW,
    PARTITION,
    Issuer,
    authority,
    below_root,
    decade,
    issuer,
    outline,
    signed,
)

from ingam.kernel.errors import Defect
from ingam.npki import shapes
from ingam.npki.shapes import Shape, Usage
from ingam.npki.signature import KeyKind
from ingam.protocols import crl
from ingam.protocols.crl import glance, writing
from ingam.protocols.crl.writing import Reason
from ingam.protocols.ocsp import REASONS

KINDS = [KeyKind.RSA_2048, KeyKind.RSA_3072, KeyKind.P_256, KeyKind.P_384, KeyKind.ML_DSA_65]
FLAGS = {
    Reason.KEY_COMPROMISE: x509.ReasonFlags.key_compromise,
    Reason.CA_COMPROMISE: x509.ReasonFlags.ca_compromise,
    Reason.AFFILIATION_CHANGED: x509.ReasonFlags.affiliation_changed,
    Reason.SUPERSEDED: x509.ReasonFlags.superseded,
    Reason.CESSATION_OF_OPERATION: x509.ReasonFlags.cessation_of_operation,
    Reason.CERTIFICATE_HOLD: x509.ReasonFlags.certificate_hold,
    Reason.REMOVE_FROM_CRL: x509.ReasonFlags.remove_from_crl,
    Reason.PRIVILEGE_WITHDRAWN: x509.ReasonFlags.privilege_withdrawn,
    Reason.AA_COMPROMISE: x509.ReasonFlags.aa_compromise,
}


def by_cryptography(
    by: Issuer, entries: list[x509.RevokedCertificate], number: int = 7, base: int | None = None, freshest: bool = False
) -> bytes:
    """The list of the same facts, as `cryptography` builds it."""
    theirs = x509.load_der_x509_certificate(by.certificate.der)
    name = [x509.DirectoryName(theirs.issuer)]
    ski = theirs.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(theirs.subject)
        .last_update(NOW - timedelta(hours=1))
        .next_update(NOW + timedelta(hours=23))
        .add_extension(x509.AuthorityKeyIdentifier(ski, name, theirs.serial_number), critical=False)
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    uris = [x509.UniformResourceIdentifier(one) for one in (ADDRESS, HTTP)]
    if base is not None:
        builder = builder.add_extension(x509.DeltaCRLIndicator(base), critical=True)
    point = x509.IssuingDistributionPoint(uris, None, False, False, None, False, False)
    builder = builder.add_extension(point, critical=True)
    if freshest:
        delta = x509.DistributionPoint([x509.UniformResourceIdentifier(HTTP)], None, None, None)
        builder = builder.add_extension(x509.FreshestCRL([delta]), critical=False)
    for one in entries:
        builder = builder.add_revoked_certificate(one)
    return builder.sign(certs.key("rsa2048-01"), SHA256()).public_bytes(Encoding.DER)


def their_entry(serial: int, at: datetime, reason: Reason, invalid_since: datetime | None) -> x509.RevokedCertificate:
    entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at)
    if reason in FLAGS:
        entry = entry.add_extension(x509.CRLReason(FLAGS[reason]), critical=False)
    if invalid_since is not None:
        entry = entry.add_extension(x509.InvalidityDate(invalid_since.replace(tzinfo=None)), critical=False)
    return entry.build()


ENTRIES = [
    (0x085221 + place, NOW - DAY, reason, NOW - 2 * DAY if place % 2 else None) for place, reason in enumerate(Reason)
] + [((1 << 158) + 5, datetime(2050, 1, 1, tzinfo=UTC), Reason.SUPERSEDED, None)]


def test_a_list_is_byte_for_byte_that_of_another_maker() -> None:
    by = issuer()
    ours = signed(by, outline(by), *(writing.entry(*each) for each in ENTRIES))
    assert ours == by_cryptography(by, [their_entry(*each) for each in ENTRIES])


def test_a_list_of_nobody_has_no_entries_at_all() -> None:
    by = issuer()
    assert signed(by, outline(by)) == by_cryptography(by, [])


def test_a_delta_and_the_list_that_names_it_are_those_of_another_maker() -> None:
    by = issuer()
    assert signed(by, outline(by, base=5)) == by_cryptography(by, [], base=5)
    assert signed(by, outline(by, freshest=(HTTP,))) == by_cryptography(by, [], freshest=True)


@pytest.mark.parametrize("kind", KINDS)
def test_lists_of_every_kind_of_key_are_believed_by_our_own_reader(kind: KeyKind) -> None:
    by = issuer(kind)
    data = signed(by, outline(by), writing.entry(0x085221, NOW - DAY, Reason.CERTIFICATE_HOLD))
    found = crl.verify(
        crl.parse(data), issuer=by.certificate, partition=PARTITION, lowest_number=7, at=NOW, max_age=DAY
    )
    assert (found.number, found.entries) == (7, {0x085221: crl.Entry(NOW - DAY, "certificateHold")})


@pytest.mark.parametrize("kind", KINDS[1:])
def test_A12_a_list_of_another_key_of_the_same_kind_is_refused(kind: KeyKind) -> None:
    by, stranger = issuer(kind), issuer(KeyKind.RSA_2048)
    data = bytearray(signed(by, outline(by)))
    data[data.index(PARTITION.encode()) + 7] ^= 1  # within the signed bytes
    for list_, issuing in ((bytes(data), by), (signed(by, outline(by)), stranger)):
        with pytest.raises(crl.CrlUnusable) as refused:
            crl.verify(
                crl.parse(list_), issuer=issuing.certificate, partition=None, lowest_number=0, at=NOW, max_age=DAY
            )
        assert refused.value.code == "status-crl-untrusted"


@pytest.mark.parametrize("kind", KINDS[:-1])
def test_cryptography_verifies_what_we_wrote(kind: KeyKind) -> None:
    by = issuer(kind)
    theirs = x509.load_der_x509_crl(signed(by, outline(by), writing.entry(5, NOW)))
    key = x509.load_der_x509_certificate(by.certificate.der).public_key()
    assert isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey)
    assert theirs.is_signature_valid(key)
    assert [one.serial_number for one in theirs] == [5]


def pem(path: Path, *certificates: bytes) -> Path:
    text = b"".join(x509.load_der_x509_certificate(one).public_bytes(Encoding.PEM) for one in certificates)
    path.write_bytes(text)
    return path


def openssl(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=False, timeout=30)


@pytest.mark.parametrize("kind", KINDS[:-1])
def test_openssl_reads_the_list_and_verifies_its_signature(kind: KeyKind, tmp_path: Path) -> None:
    by = issuer(kind)
    list_ = tmp_path / "list.crl"
    list_.write_bytes(
        signed(by, outline(by, freshest=(HTTP,)), writing.entry(5, NOW, Reason.KEY_COMPROMISE, NOW - DAY))
    )
    ca = pem(tmp_path / "ca.pem", by.certificate.der)
    told = openssl("crl", "-inform", "DER", "-in", list_, "-noout", "-text", "-CAfile", ca)
    assert told.returncode == 0
    assert "verify OK" in told.stderr
    for part in ("X509v3 CRL Number", "Issuing Distribution Point: critical", ADDRESS, HTTP, "Key Compromise",
                 "Invalidity Date", "Freshest CRL", "DirName:/C=KR/O=KISA", "serial:10:2B"):  # fmt: skip
        assert part in told.stdout, part


class Openssl:
    """`openssl verify -crl_check_all` of a person's certificate, with the root's list and whatever lists are given."""

    def __init__(self, folder: Path, by: Issuer, serial: int) -> None:
        self._folder = folder
        root = certs.root()
        key_id = by.certificate.ski or b""
        person = Shape(Usage.SIGN, crl=ADDRESS, crl_http=HTTP, freshest=HTTP)
        tbs = shapes.tbs_certificate(
            person, serial=serial, issuer=by.certificate.subject.raw, validity=decade(), subject=certs.PERSON_NAME,
            spki=certs.spki(certs.key("rsa2048-02")), algorithm=shapes.SHA256_WITH_RSA,
            authority_key=shapes.AuthorityKey(key_id, by.certificate.issuer.raw, by.certificate.serial),
        )  # fmt: skip
        pem(folder / "root.pem", root.certificate.der)
        pem(folder / "ca.pem", by.certificate.der)
        pem(folder / "person.pem", shapes.sign(tbs, certs.key("rsa2048-01")))
        root_key = writing.authority_key(root.certificate)
        about = outline(by, issuer=root.certificate.subject.raw, authority_key=root_key, addresses=())
        root_tbs = writing.tbs(about)
        self._lists = [certs_signed(root_tbs)]

    def verify(self, *lists: bytes, deltas: bool = False) -> str:
        """What it prints; the second line names what is wrong."""
        path = self._folder / "lists.pem"
        every = (*self._lists, *lists)
        path.write_bytes(b"".join(x509.load_der_x509_crl(one).public_bytes(Encoding.PEM) for one in every))
        told = openssl(
            "verify", "-crl_check_all", "-attime", str(int(NOW.timestamp())), "-CAfile", self._folder / "root.pem",
            "-untrusted", self._folder / "ca.pem", "-CRLfile", path,
            *(("-extended_crl", "-use_deltas") if deltas else ()), self._folder / "person.pem",
        )  # fmt: skip
        return told.stdout + told.stderr


def certs_signed(tbs: bytes) -> bytes:
    """A list that the root signed."""
    return writing.assemble(tbs, shapes.SHA256_WITH_RSA, certs.root().key.sign(tbs, PKCS1v15(), SHA256()))


def test_openssl_decides_by_our_lists_along_the_whole_path(tmp_path: Path) -> None:
    by = issuer()
    world = Openssl(tmp_path, by, serial=0x085221)
    good, other = signed(by, outline(by)), signed(by, outline(by), writing.entry(0x085222, NOW - DAY))
    revoked = signed(by, outline(by), writing.entry(0x085221, NOW - DAY))
    assert ": OK" in world.verify(good)
    assert ": OK" in world.verify(other)
    assert "certificate revoked" in world.verify(revoked)
    assert "unable to get certificate CRL" in world.verify()
    elsewhere = (ADDRESS.replace(PARTITION, "dp4p1"),)
    assert ": OK" not in world.verify(signed(by, outline(by, addresses=elsewhere)))
    whole = signed(by, outline(by, addresses=()), writing.entry(0x085221, NOW - DAY))
    assert "certificate revoked" in world.verify(whole)


def test_openssl_applies_our_deltas_to_their_base(tmp_path: Path) -> None:
    by = issuer()
    world = Openssl(tmp_path, by, serial=0x085221)
    base = signed(by, outline(by, freshest=(HTTP,)))
    delta = outline(by, number=8, base=7, this_update=NOW - timedelta(minutes=1))
    assert ": OK" in world.verify(base, signed(by, delta), deltas=True)
    assert "certificate revoked" in world.verify(
        base,
        signed(by, delta, writing.entry(0x085221, NOW - timedelta(minutes=2), Reason.CERTIFICATE_HOLD)),
        deltas=True,
    )
    held = signed(by, outline(by, freshest=(HTTP,)), writing.entry(0x085221, NOW - DAY, Reason.CERTIFICATE_HOLD))
    released = signed(by, delta, writing.entry(0x085221, NOW - timedelta(minutes=2), Reason.REMOVE_FROM_CRL))
    assert "certificate revoked" in world.verify(held)
    assert ": OK" in world.verify(held, released, deltas=True)


# From 1990 to 2090: both forms of time.
INSTANTS = st.integers(631_152_000, 3_786_912_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
SERIALS = st.integers(1, (1 << 159) - 1)
CHOSEN = st.sampled_from([each for each in Reason if each is not Reason.REMOVE_FROM_CRL])


@settings(max_examples=60, deadline=None)
@given(
    entries=st.dictionaries(SERIALS, st.tuples(INSTANTS, CHOSEN, st.none() | INSTANTS), max_size=40),
    number=st.integers(0, (1 << 159) - 1),
    begins=INSTANTS,
    life=st.timedeltas(timedelta(seconds=1), timedelta(days=400)),
)
def test_what_is_written_is_what_is_read(
    entries: dict[int, tuple[datetime, Reason, datetime | None]], number: int, begins: datetime, life: timedelta
) -> None:
    by = issuer(KeyKind.P_256)
    ends = (begins + life).replace(microsecond=0) + timedelta(seconds=1)
    data = signed(
        by,
        outline(by, number=number, this_update=begins, next_update=ends),
        *(writing.entry(serial, *facts) for serial, facts in entries.items()),
    )
    found = crl.verify(
        crl.parse(data), issuer=by.certificate, partition=PARTITION, lowest_number=number, at=begins, max_age=None
    )
    assert (found.number, found.this_update, found.next_update) == (number, begins, ends)
    assert found.entries == {serial: crl.Entry(at, REASONS[reason]) for serial, (at, reason, _) in entries.items()}
    seen = glance.of(data)
    assert (seen.number, seen.base, seen.this_update, seen.issuer) == (number, None, begins, by.certificate.subject.raw)
    assert data[seen.entries[0] : seen.entries[1]] == b"".join(writing.entry(s, *f) for s, f in entries.items())


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65_535, 65_536, (1 << 24) - 1, 1 << 24, (1 << 32) - 4096])
def test_ends_fit_around_entries_of_any_size(size: int) -> None:
    by = issuer()
    head, tail = writing.ends(outline(by), size)
    whole = len(head) + size + len(tail)
    length = head[1] & 0x7F if head[1] >= 0x80 else 0
    assert int.from_bytes(head[2 : 2 + length], "big") == whole - 2 - length
    if size:
        at = head.rindex(b"\x30", 0, len(head) - (0 if size < 0x80 else 1))
        assert der_length(head[at:]) == size


def der_length(head: bytes) -> int:
    return head[1] if head[1] < 0x80 else int.from_bytes(head[2:], "big")


def test_what_no_reader_would_take_is_a_defect() -> None:
    by = issuer()
    for serial in (0, -1, 1 << 159):
        with pytest.raises(Defect, match="crl-serial"):
            writing.entry(serial, NOW)
    with pytest.raises(ValueError, match="7"):
        writing.entry(1, NOW, 7)
    for at in (NOW.replace(tzinfo=None), NOW.replace(microsecond=1)):
        with pytest.raises(Defect, match="crl-instant"):
            writing.entry(1, at)
    for code, changes in (
        ("crl-number", {"number": 1 << 159}),
        ("crl-number", {"number": -1}),
        ("crl-instant", {"next_update": NOW - DAY}),
        ("crl-delta", {"base": 7}),
        ("crl-delta", {"base": 6, "freshest": (HTTP,)}),
    ):
        with pytest.raises(Defect, match=code):
            writing.ends(outline(by, **changes), 0)
    with pytest.raises(Defect, match="crl-too-large"):
        writing.ends(outline(by), 1 << 32)


def test_the_authority_key_names_key_issuer_and_serial_of_the_signer() -> None:
    by = issuer()
    theirs = x509.load_der_x509_crl(signed(by, outline(by)))
    found = theirs.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert found.key_identifier == by.certificate.ski
    assert found.authority_cert_serial_number == 4139
    assert below_root(certs.CA_NAME, by.signer.public.spki, authority(), 4139) == by.certificate.der
