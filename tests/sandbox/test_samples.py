"""Every demo certificate is what it says it is: by our own reading, by cryptography's and by openssl's."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from tests.sandbox.conftest import Box

from ingam.adapters.status import trust_file
from ingam.npki import certificate, chain, key_file, pfx, policies, subject, vid
from ingam.npki.certificate import Certificate
from ingam.npki.chain import PathRefused
from ingam.npki.policies import CustomerKind
from ingam.npki.private_key import KeyMismatch, PrivateKey
from ingam.npki.vid import VidMissing
from ingam.sandbox import listing
from ingam.sandbox.people import CERTIFICATE_PASSWORD, PEOPLE, for_center, person
from ingam.sandbox.samples import SAMPLES, Sample, sample

PASSWORD = CERTIFICATE_PASSWORD.encode()
EVERY = pytest.mark.parametrize("one", SAMPLES, ids=lambda one: one.slug)
TRUSTED = pytest.mark.parametrize("one", [one for one in SAMPLES if one.ca.configured], ids=lambda one: one.slug)


def folder(box: Box, one: Sample) -> Path:
    return box.demo / listing.folder_of(box.world.world, one.slug)


def read(box: Box, one: Sample) -> Certificate:
    return certificate.parse((folder(box, one) / "signCert.der").read_bytes())


def opened(box: Box, one: Sample) -> PrivateKey:
    return key_file.open_key((folder(box, one) / "signPri.key").read_bytes(), PASSWORD)


@EVERY
def test_it_opens_in_the_variant_that_it_shows(kept: Box, one: Sample) -> None:
    told = key_file.describe((folder(kept, one) / "signPri.key").read_bytes())
    assert (told.variant, told.iterations) == (one.variant, one.iterations)
    public = read(kept, one).public_key
    key = opened(kept, one)
    assert key.has_random is one.has_r
    if one.matches:
        key.require_match(public.n, public.e)
    else:
        with pytest.raises(KeyMismatch):
            key.require_match(public.n, public.e)


@EVERY
def test_its_vid_is_its_owners_and_nobody_elses(kept: Box, one: Sample) -> None:
    data = read(kept, one).identify_data
    assert data is not None
    if not one.has_vid:
        with pytest.raises(VidMissing):
            vid.parse_identify_data(data)
        return
    found = vid.parse_identify_data(data)
    assert found.real_name == person(one.person).name
    if not (one.has_r and one.matches):
        return
    random = opened(kept, one).random
    assert random is not None
    for other in PEOPLE:
        same = found.vid.octets == vid.compute_vid(other.idn, random.reveal())
        assert same is (other.key == one.person)


@EVERY
def test_its_policy_is_accepted_where_it_says_so(kept: Box, one: Sample) -> None:
    found = read(kept, one)
    kind = CustomerKind(person(one.tried_by or one.person).kind)
    expected = {"bank-only": "bank-only", "kind-clash": "kind-clash"}.get(one.expected, "accepted")
    assert policies.accepts(found.issuer, found.policy_oid, kind).value == expected


@EVERY
def test_its_path_ends_at_a_configured_root_or_is_refused(kept: Box, one: Sample) -> None:
    _, anchors = trust_file.read(kept.trust / "authorities.toml")
    if one.expected not in ("cert-expired", "untrusted-issuer"):
        chain.validate(read(kept, one), anchors, kept.clock.now())
        return
    with pytest.raises(PathRefused) as caught:
        chain.validate(read(kept, one), anchors, kept.clock.now())
    # The stranger bears the name of a trusted CA: only its key gives it away.
    assert caught.value.code == {"untrusted-issuer": "cert-aki-mismatch"}.get(one.expected, one.expected)


@TRUSTED
def test_openssl_verifies_its_path(kept: Box, one: Sample, tmp_path: Path) -> None:
    before = int(min(read(kept, one).not_after, kept.clock.now()).timestamp()) - 60
    names = {"root": one.ca.root, "ca": one.ca.key}
    files = {name: pem(tmp_path / name, (kept.trust / f"{key}.der").read_bytes()) for name, key in names.items()}
    leaf = pem(tmp_path / "leaf", read(kept, one).der)
    command = ["openssl", "verify", "-x509_strict", "-explicit_policy", "-policy", read(kept, one).policy_oid or ""]
    command += ["-attime", str(before), "-CAfile", files["root"], "-untrusted", files["ca"], leaf]
    told = subprocess.run(command, capture_output=True, check=False)
    assert told.returncode == 0, told.stderr.decode("utf-8", "replace")


def pem(path: Path, content: bytes) -> str:
    path.write_bytes(x509.load_der_x509_certificate(content).public_bytes(Encoding.PEM))
    return str(path)


@EVERY
def test_it_has_the_profile_of_its_house(kept: Box, one: Sample) -> None:
    found = x509.load_der_x509_certificate(read(kept, one).der)
    oids = [extension.oid.dotted_string for extension in found.extensions]
    assert oids == ["2.5.29.35", "2.5.29.14", "2.5.29.15", "2.5.29.32", "2.5.29.17", "2.5.29.31", "1.3.6.1.5.5.7.1.1"]
    assert found.not_valid_after_utc.strftime("%H%M%S") == "145959"
    key = found.public_key()
    assert isinstance(key, RSAPublicKey)
    assert key.key_size == one.bits
    (policy,) = found.extensions.get_extension_for_class(x509.CertificatePolicies).value
    kinds = [type(qualifier) for qualifier in policy.policy_qualifiers or []]
    yessign = one.ca.house.key == "yessign"  # npki.md section 2.1: the notice first, and the country in small letters
    assert kinds == ([x509.UserNotice, str] if yessign else [str, x509.UserNotice])
    country = next(iter(found.subject)).value
    assert country == ("kr" if yessign else "KR")
    points = read(kept, one).crl_distribution_points
    suffix = "" if one.ca.house.organisation in ("SignKorea", "KICA") else "?certificateRevocationList"
    assert points[0].endswith(f"c={country}{suffix}")


@EVERY
def test_its_number_makes_its_name_unique(kept: Box, one: Sample) -> None:
    common = read(kept, one).subject.value("CN") or ""
    separator = {"SignKorea": "-", "yessign": ")0099"}.get(one.ca.house.organisation, "_")
    assert common.endswith(f"{separator}{one.number}")


@pytest.mark.parametrize(
    ("slug", "policy", "subject_text"),
    [
        ("kica-securities", "1.2.410.200004.5.2.1.7.2", "ou=RA센터,ou=가온,ou=등록기관,ou=licensedCA,o=KICA,c=KR"),
        ("kica-bank", "1.2.410.200004.5.2.1.7.1", "ou=RA센터,ou=가온,ou=등록기관,ou=licensedCA,o=KICA,c=KR"),
        ("crosscert-securities", "1.2.410.200004.5.4.1.102", "ou=가온,ou=AccreditedCA,o=CrossCert,c=KR"),
        ("tradesign-securities", "1.2.410.200012.1.1.103", "ou=가온,ou=AccreditedCA,o=TradeSign,c=KR"),
    ],
)
def test_the_shapes_of_the_other_three_houses(kept: Box, slug: str, policy: str, subject_text: str) -> None:
    found = read(kept, sample(slug))
    assert found.policy_oid == policy
    assert subject.folder_name(found.subject).endswith(f",{subject_text}")
    assert found.issuer.value("CN") == sample(slug).ca.common


def test_a_person_has_one_certificate_of_a_policy_at_a_time(kept: Box) -> None:
    """As with a real authority; what carries a mistake is not in the houses' count."""
    standing = [
        (one.person, read(kept, one).policy_oid, one.ca.house.key)
        for one in SAMPLES
        if one.by_house and one.act in (None, "suspend")
    ]
    assert len(standing) == len(set(standing))


@EVERY
def test_it_lies_where_windows_would_have_it(kept: Box, one: Sample) -> None:
    place = folder(kept, one)
    assert place.name == subject.folder_name(read(kept, one).subject)
    assert place.parts[-3:-1] == (one.ca.house.organisation, "USER")
    names = {"signCert.der", "signPri.key"} | ({"kmCert.der", "kmPri.key"} if one.km else set())
    assert {path.name for path in place.iterdir()} == names


def test_every_variant_of_key_files_occurs() -> None:
    assert {one.variant for one in SAMPLES} == set(key_file.Variant)


def test_the_pfx_holds_the_same_pair_with_r(kept: Box) -> None:
    one = sample("securities")
    found = pfx.open_pfx((kept.demo / "securities.pfx").read_bytes(), PASSWORD)
    assert found.certificates[0] == read(kept, one).der
    assert found.key.pkcs8.reveal() == opened(kept, one).pkcs8.reveal()
    assert found.key.has_random


def test_the_km_pair_encrypts_and_names_nobody(kept: Box) -> None:
    place = folder(kept, sample("corporate-universal"))
    km = certificate.parse((place / "kmCert.der").read_bytes())
    key = key_file.open_key((place / "kmPri.key").read_bytes(), PASSWORD)
    key.require_match(km.public_key.n, km.public_key.e)
    assert km.policy_oid == "1.2.410.200004.5.1.1.13"
    assert km.identify_data is None
    assert not key.has_random
    assert km.subject.raw == read(kept, sample("corporate-universal")).subject.raw


def test_the_people_are_invented_and_their_numbers_are_well_formed() -> None:
    for number, one in enumerate(PEOPLE, 1):
        if one.kind == "corporate":
            assert one.idn == "0000000015"
            continue
        century = "19" if one.idn[6] in "1256" else "20"
        born = datetime.strptime(century + one.idn[:6], "%Y%m%d").replace(tzinfo=UTC)
        assert born.year > 1900
        assert one.idn.endswith(f"00000{number}")
    assert [entry["idn"] for entry in for_center()] == [one.idn for one in PEOPLE]
    assert all((entry["email"] or "").endswith("@example.test") for entry in for_center())
