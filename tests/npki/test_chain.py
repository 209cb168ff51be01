"""Paths: the real authorities and a small world of our own, each numbered check failing by its own code."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA512
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import InvalidCertificateError, PathError, ValidationError
from tests.npki import certs

from ingam.npki import certificate, chain, der
from ingam.npki.certificate import Certificate
from ingam.npki.chain import Anchors, AnchorUnfit, AuthorityStatus, PathRefused, RevokedAuthorities, SignatureCache

AUTHORITIES = ("SignKorea_CA4", "yessignCA_Class_3", "signGATE_CA6", "CrossCertCA4", "TradeSignCA4")
THEN = datetime(2026, 11, 22, tzinfo=UTC)


def published(name: str) -> Certificate:
    return certificate.parse((certs.SAMPLES / "authorities" / f"{name}.cer").read_bytes())


def anchors() -> Anchors:
    return Anchors(roots=[certs.root().certificate], authorities=[certs.ca().certificate])


def made(**changed: Any) -> Certificate:
    return certificate.parse(certs.person_der(**changed))


def refused(person: Certificate, trusted: Anchors | None = None, at: datetime = certs.NOW, **more: Any) -> str:
    with pytest.raises(PathRefused) as found:
        chain.validate(person, trusted or anchors(), at, **more)
    return found.value.code


def test_A7_a_person_under_a_configured_authority_has_a_path_of_three() -> None:
    path = chain.validate(certs.person().certificate, anchors(), certs.NOW)

    assert path.person == certs.person().certificate
    assert path.authority == certs.ca().certificate
    assert path.root == certs.root().certificate
    assert path.authority_status is AuthorityStatus.UNCHECKED


@pytest.mark.parametrize("name", AUTHORITIES)
def test_the_published_authorities_are_signed_by_kisa_root_ca_4(name: str) -> None:
    trusted = Anchors(roots=[published("KISA_RootCA_4")], authorities=[published(name)])
    anchor = trusted.by_fingerprint[published(name).fingerprint]

    assert anchor.root is not None
    chain.verify_signed_by(anchor.certificate, anchor.root)


@pytest.mark.parametrize("name", ["SignGATEOCSP05", "CrossCertOCSP3"])
def test_A11_the_published_responders_are_signed_by_the_root_and_are_nobody_s_path(name: str) -> None:
    root = published("KISA_RootCA_4")
    trusted = Anchors(roots=[root], authorities=[published(one) for one in AUTHORITIES])
    found = trusted.root_of(published(name))

    assert found is not None
    chain.verify_signed_by(published(name), found)
    assert refused(published(name), trusted, THEN) == "cert-issued-by-root"


def test_both_generations_stand_side_by_side_and_signkorea_ca5_is_pinned() -> None:
    given = [published(one) for one in ("KISA_RootCA_4", *AUTHORITIES, "SignKorea_CA5")]
    trusted = Anchors.sorted_out([*given, given[0]])
    ca5 = trusted.by_fingerprint[published("SignKorea_CA5").fingerprint]

    assert len(trusted.by_fingerprint) == 7
    assert [one.certificate.subject.value("CN") for one in trusted.roots] == ["KISA RootCA 4"]
    assert ca5.root is None
    with pytest.raises(PathRefused, match="cert-signature-invalid"):
        chain.verify_signed_by(published("SignKorea_CA4"), ca5)


def test_a_pinned_authority_of_3072_bits_is_the_end_of_its_path() -> None:
    pinned = certs.ca("rsa3072-00", serial=0x115FB855)
    person = certificate.parse(certs.person_der(pinned))
    path = chain.validate(person, Anchors(pinned=[pinned.certificate]), certs.NOW)

    assert path.root is None
    assert path.authority.public_key.bits == 3072


def test_two_generations_of_one_name_are_told_apart_by_the_authority_key_identifier() -> None:
    old, new = certs.ca(), certs.ca("rsa2048-04", serial=5001)
    trusted = Anchors(roots=[certs.root().certificate], authorities=[old.certificate, new.certificate])

    for issuer in (old, new):
        path = chain.validate(certificate.parse(certs.person_der(issuer)), trusted, certs.NOW)
        assert path.authority == issuer.certificate


def test_the_issuer_s_name_may_come_in_another_string_type_and_letter_case() -> None:
    other = certs.name(
        ("C", "kr"), ("O", "SIGNKOREA"), ("OU", "AccreditedCA"), ("CN", "SignKorea Test CA4"), tag=der.BMP_STRING
    )

    assert chain.validate(made(issuer_name=other), anchors(), certs.NOW).authority == certs.ca().certificate


def test_A7_a_person_of_an_unknown_authority_is_refused() -> None:
    stranger = certs.ca("rsa2048-05", subject=certs.name(("C", "KR"), ("O", "SignKorea"), ("CN", "SignKorea CA9")))

    assert refused(certificate.parse(certs.person_der(stranger))) == "untrusted-issuer"
    assert refused(certs.person().certificate, Anchors()) == "untrusted-issuer"


def test_A7_an_authority_of_the_same_name_but_another_key_is_refused() -> None:
    impostor = certs.ca("rsa2048-05", serial=4139)
    full = certs.aki(certs.key_id(certs.ca().key), certs.ROOT_NAME, 4139)

    assert refused(certificate.parse(certs.person_der(impostor))) == "cert-aki-mismatch"
    assert refused(certificate.parse(certs.person_der(impostor, put={"aki": full}))) == "cert-signature-invalid"


def test_A8_a_person_straight_under_the_root_is_refused() -> None:
    assert refused(certificate.parse(certs.person_der(certs.root()))) == "cert-issued-by-root"


@pytest.mark.parametrize(
    "aki",
    [
        certs.aki(certs.key_id(certs.key("rsa2048-09"))),
        certs.aki(certs.key_id(certs.ca().key), certs.ROOT_NAME, 4140),
        certs.aki(certs.key_id(certs.ca().key), certs.CA_NAME, 4139),
        certs.extension("2.5.29.35", der.seq()),
    ],
    ids=["another key id", "another serial", "another issuer", "empty"],
)
def test_A7_the_authority_key_identifier_has_to_name_the_authority(aki: bytes) -> None:
    assert refused(made(put={"aki": aki})) == "cert-aki-mismatch"


def test_A7_without_an_authority_key_identifier_there_is_no_path() -> None:
    assert refused(made(without=["aki"])) == "cert-aki-mismatch"
    assert chain.validate(made(put={"aki": certs.aki(certs.key_id(certs.ca().key))}), anchors(), certs.NOW)


REFUSED_PEOPLE: dict[str, tuple[dict[str, Any], str]] = {
    "an extension twice": ({"extra": [certs.usage(certs.SIGN)]}, "cert-extension-duplicate"),
    "a critical extension nobody knows": (
        {"extra": [certs.extension("1.2.3.4", der.null, critical=True)]},
        "cert-extension-unknown",
    ),
    "critical name constraints": (
        {"extra": [certs.extension("2.5.29.30", der.seq(), critical=True)]},
        "cert-extension-unknown",
    ),
    "sha-1": ({"algorithm": certs.SHA1_RSA, "digest": SHA1()}, "cert-weak-signature"),
    "pss": ({"algorithm": der.algorithm("1.2.840.113549.1.1.10", der.seq())}, "cert-weak-signature"),
    "a ca": ({"put": {"basic": certs.basic(ca=True)}}, "cert-is-ca"),
    "may sign certificates": ({"put": {"usage": certs.usage(bytes.fromhex("03020284"))}}, "cert-is-ca"),
    "may sign lists": ({"put": {"usage": certs.usage(bytes.fromhex("03020182"))}}, "cert-is-ca"),
    "a km certificate": ({"put": {"usage": certs.usage(certs.CRYPT)}}, "cert-no-digital-signature"),
    "no key usage": ({"without": ["usage"]}, "cert-no-digital-signature"),
    "an ocsp responder": ({"put": {"eku": certs.eku("1.3.6.1.5.5.7.3.9")}}, "cert-has-eku"),
    "for tls clients": ({"put": {"eku": certs.eku("1.3.6.1.5.5.7.3.2")}}, "cert-has-eku"),
    "no policy": ({"without": ["policy"]}, "cert-no-policy"),
    "signed by somebody else": ({"signer": certs.key("rsa2048-06")}, "cert-signature-invalid"),
    "signed by himself": ({"signer": certs.key("rsa2048-02")}, "cert-signature-invalid"),
    "expired": ({"not_after": certs.NOW - timedelta(seconds=1)}, "cert-expired"),
    "not yet valid": ({"not_before": certs.NOW + timedelta(seconds=1)}, "cert-not-yet-valid"),
    "expired and forged": (
        {"not_after": certs.NOW - timedelta(seconds=1), "signer": certs.key("rsa2048-06")},
        "cert-signature-invalid",
    ),
}


@pytest.mark.parametrize(("changed", "code"), REFUSED_PEOPLE.values(), ids=REFUSED_PEOPLE.keys())
def test_A8_each_thing_that_is_wrong_with_a_person_has_its_own_code(changed: dict[str, Any], code: str) -> None:
    assert refused(made(**changed)) == code


@pytest.mark.parametrize(("n", "e"), [((1 << 1024) - 105, 65537), ((1 << 2048) - 1, 3), ((1 << 4100) - 1, 65537)])
def test_A4_a_key_out_of_bounds_is_refused(n: int, e: int) -> None:
    rsa = der.seq(der.integer(n), der.integer(e))
    public = der.seq(der.algorithm("1.2.840.113549.1.1.1"), der.bits(rsa))

    assert refused(made(public=public)) == "cert-key-bounds"


def test_A8_a_harmless_basic_constraints_and_a_stronger_hash_are_accepted() -> None:
    sha512 = der.algorithm("1.2.840.113549.1.1.13")
    person = made(put={"basic": certs.basic(ca=False)}, algorithm=sha512, digest=SHA512())

    assert chain.validate(person, anchors(), certs.NOW).person == person


def test_both_ends_of_the_validity_belong_to_it() -> None:
    person = certs.person().certificate

    for at in (person.not_before, person.not_after):
        assert chain.validate(person, anchors(), at)
    assert refused(person, at=person.not_before - timedelta(seconds=1)) == "cert-not-yet-valid"
    assert refused(person, at=person.not_after + timedelta(seconds=1)) == "cert-expired"


def authority(**changed: Any) -> certs.Party:
    """A CA like `certs.ca`, with what is changed."""
    private = certs.key("rsa2048-01")
    given: dict[str, Any] = {
        "subject": certs.CA_NAME, "public": certs.spki(private), "issuer": certs.ROOT_NAME,
        "signer": certs.root().key, "serial": 4139, "extensions": certs.ca_extensions(private),
        "not_before": datetime(2020, 6, 2, tzinfo=UTC), "not_after": datetime(2036, 6, 2, tzinfo=UTC),
    }  # fmt: skip
    return certs.Party(certificate.parse(certs.build(**given | changed)), private)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"not_after": certs.NOW - timedelta(seconds=1)}, "ca-expired"),
        ({"not_before": certs.NOW + timedelta(seconds=1)}, "ca-not-yet-valid"),
        ({"signer": certs.key("rsa2048-07")}, "ca-signature-invalid"),
    ],
)
def test_A7_an_authority_that_is_not_valid_now_is_refused(changed: dict[str, Any], code: str) -> None:
    trusted = Anchors(roots=[certs.root().certificate], authorities=[authority(**changed).certificate])

    assert refused(certs.person().certificate, trusted) == code


@pytest.mark.parametrize(
    ("before", "after", "code"), [(2010, 2026, "root-expired"), (2027, 2040, "root-not-yet-valid")]
)
def test_A7_a_root_that_is_not_valid_now_is_refused(before: int, after: int, code: str) -> None:
    private = certs.root().key
    raw = certs.build(
        subject=certs.ROOT_NAME, public=certs.spki(private), issuer=certs.ROOT_NAME, signer=private, serial=1,
        extensions=[certs.ski(private), certs.basic(ca=True)],
        not_before=datetime(before, 1, 1, tzinfo=UTC), not_after=datetime(after, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    trusted = Anchors(roots=[certificate.parse(raw)], authorities=[certs.ca().certificate])

    assert refused(certs.person().certificate, trusted) == code


def arl(*serials: int, until: datetime) -> dict[bytes, RevokedAuthorities]:
    return {certs.root().certificate.fingerprint: RevokedAuthorities(frozenset(serials), until)}


def test_A10_the_root_s_list_acquits_while_it_is_fresh_and_condemns_for_ever() -> None:
    person, soon, past = certs.person().certificate, certs.NOW + timedelta(days=14), certs.NOW - timedelta(seconds=1)

    def status(revoked: dict[bytes, RevokedAuthorities]) -> AuthorityStatus:
        return chain.validate(person, anchors(), certs.NOW, revoked=revoked).authority_status

    assert status(arl(4140, until=soon)) is AuthorityStatus.GOOD
    assert status(arl(4140, until=past)) is AuthorityStatus.STALE
    assert status({}) is AuthorityStatus.UNCHECKED
    assert status({b"another root": RevokedAuthorities(frozenset({4139}), soon)}) is AuthorityStatus.UNCHECKED
    assert refused(person, revoked=arl(4139, until=soon)) == "ca-revoked"
    assert refused(person, revoked=arl(4139, until=past)) == "ca-revoked"


class Counted(SignatureCache):
    """A cache that tells what it was given."""

    __slots__ = ("kept",)

    def __init__(self, limit: int = 256) -> None:
        super().__init__(limit)
        self.kept: list[tuple[tuple[bytes, bytes], datetime]] = []

    def keep(self, pair: tuple[bytes, bytes], ends: datetime) -> None:
        self.kept.append((pair, ends))
        super().keep(pair, ends)


def test_A10_the_signature_cache_ends_at_the_list_s_next_update_or_at_not_after() -> None:
    person, cache, soon = certs.person().certificate, Counted(), certs.NOW + timedelta(days=14)
    pair = (certs.root().certificate.fingerprint, certs.ca().certificate.fingerprint)

    chain.validate(person, anchors(), certs.NOW, revoked=arl(until=soon), cache=cache)
    chain.validate(person, anchors(), soon, revoked=arl(until=soon), cache=cache)
    assert cache.kept == [(pair, soon)]

    later = soon + timedelta(seconds=1)
    chain.validate(person, anchors(), later, revoked=arl(until=datetime(2050, 1, 1, tzinfo=UTC)), cache=cache)
    assert cache.kept[1:] == [(pair, certs.ca().certificate.not_after)]


def test_A10_a_revoked_authority_is_refused_although_its_signature_is_remembered() -> None:
    person, cache = certs.person().certificate, SignatureCache()
    chain.validate(person, anchors(), certs.NOW, cache=cache)

    assert len(cache) == 1
    assert refused(person, cache=cache, revoked=arl(4139, until=certs.NOW)) == "ca-revoked"


def test_A10_a_failed_signature_is_never_remembered_and_another_certificate_never_profits() -> None:
    cache = SignatureCache()
    forged = authority(signer=certs.key("rsa2048-07"))
    trusted = Anchors(roots=[certs.root().certificate], authorities=[forged.certificate])

    chain.validate(certs.person().certificate, anchors(), certs.NOW, cache=cache)
    for _ in range(2):
        assert refused(certs.person().certificate, trusted, cache=cache) == "ca-signature-invalid"
    assert len(cache) == 1


def test_A10_the_signature_cache_is_bounded() -> None:
    cache = SignatureCache(limit=2)
    for one in (b"a", b"b", b"c"):
        cache.keep((one, one), certs.NOW)

    assert len(cache) == 2
    assert not cache.holds((b"a", b"a"), certs.NOW)
    assert cache.holds((b"c", b"c"), certs.NOW)


def test_a_remembered_authority_costs_one_verification_less(monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[RSAPublicKey] = []
    original = chain._check_signature

    def counted(certificate: Certificate, key: RSAPublicKey, *more: Any) -> None:
        verified.append(key)
        original(certificate, key, *more)

    monkeypatch.setattr(chain, "_check_signature", counted)
    cache, trusted = SignatureCache(), anchors()
    for _ in range(3):
        chain.validate(certs.person().certificate, trusted, certs.NOW, cache=cache)

    assert len(verified) == 4  # the CA once, the person three times


CA_KEY = certs.key("rsa2048-01")
UNFIT: dict[str, tuple[list[bytes], str]] = {
    "a person": (list(certs.person_extensions(certs.root(), CA_KEY).values()), "not-ca"),
    "no key usage for certificates": (
        [certs.aki(certs.key_id(certs.root().key)), certs.ski(CA_KEY), certs.basic(ca=True), certs.usage(certs.SIGN)],
        "key-usage",
    ),
    "for a special purpose": ([*certs.ca_extensions(CA_KEY), certs.eku("1.3.6.1.5.5.7.3.9")], "extensions"),
    "a critical extension nobody knows": (
        [*certs.ca_extensions(CA_KEY), certs.extension("1.2.3.4", der.null, critical=True)],
        "extensions",
    ),
}


@pytest.mark.parametrize(("extensions", "reason"), UNFIT.values(), ids=UNFIT.keys())
def test_A7_what_can_be_no_authority_cannot_be_configured_as_one(extensions: list[bytes], reason: str) -> None:
    unfit = authority(extensions=extensions).certificate

    for given in ({"authorities": [unfit], "roots": [certs.root().certificate]}, {"pinned": [unfit]}):
        with pytest.raises(AnchorUnfit) as found:
            Anchors(**given)
        assert found.value.facts == {"reason": reason}


def test_A7_an_authority_without_its_root_is_pinned_expressly_or_not_at_all() -> None:
    with pytest.raises(AnchorUnfit) as found:
        Anchors(authorities=[certs.ca().certificate])
    assert found.value.facts == {"reason": "no-root"}
    with pytest.raises(AnchorUnfit):
        Anchors(roots=[certs.ca().certificate])


def test_A8_a_root_that_allows_no_authority_below_it_and_a_sha_1_authority_are_unfit() -> None:
    private = certs.root().key
    closed = certs.build(
        subject=certs.ROOT_NAME, public=certs.spki(private), issuer=certs.ROOT_NAME, signer=private, serial=1,
        extensions=[certs.ski(private), certs.basic(ca=True, path_len=0)],
    )  # fmt: skip
    weak = authority(algorithm=certs.SHA1_RSA, digest=SHA1())

    with pytest.raises(AnchorUnfit):
        Anchors(roots=[certificate.parse(closed)])
    with pytest.raises(AnchorUnfit):
        Anchors(roots=[certs.root().certificate], authorities=[weak.certificate])


def test_A7_an_authority_below_an_authority_is_no_issuer() -> None:
    """Root → CA → CA → person: the lower CA is a person's issuer by nobody's configuration."""
    lower_name = certs.name(("C", "KR"), ("O", "SignKorea"), ("CN", "SignKorea Test CA8"))
    lower = authority(subject=lower_name, issuer=certs.CA_NAME, signer=certs.ca().key)

    with pytest.raises(AnchorUnfit):
        Anchors(roots=[certs.root().certificate], authorities=[certs.ca().certificate, lower.certificate])
    assert refused(certificate.parse(certs.person_der(lower))) == "untrusted-issuer"


def oracle(person: Certificate, ca: Certificate, root: Certificate, at: datetime) -> bool:
    """What pyhanko-certvalidator says of the same three certificates; it knows RFC 5280, not our own rules."""
    context = ValidationContext(
        trust_roots=[asn1_x509.Certificate.load(root.der)],
        other_certs=[asn1_x509.Certificate.load(ca.der)],
        moment=at,
        time_tolerance=timedelta(0),
        allow_fetching=False,
        revocation_mode="soft-fail",
    )
    validator = CertificateValidator(asn1_x509.Certificate.load(person.der), validation_context=context)
    try:
        asyncio.run(validator.async_validate_usage({"digital_signature"}))  # type: ignore[no-untyped-call]
    except (InvalidCertificateError, PathError, ValidationError):
        return False
    return True


ORACLE: dict[str, dict[str, Any]] = {
    "right": {},
    "expired": REFUSED_PEOPLE["expired"][0],
    "not yet valid": REFUSED_PEOPLE["not yet valid"][0],
    "forged": REFUSED_PEOPLE["signed by somebody else"][0],
    "sha-1": REFUSED_PEOPLE["sha-1"][0],
    "km": REFUSED_PEOPLE["a km certificate"][0],
    "critical unknown": REFUSED_PEOPLE["a critical extension nobody knows"][0],
    "no policy": REFUSED_PEOPLE["no policy"][0],
}


@pytest.mark.parametrize("changed", ORACLE.values(), ids=ORACLE.keys())
def test_an_independent_validator_comes_to_the_same_answer(changed: dict[str, Any]) -> None:
    # asn1crypto cannot read the otherName of identifyData, so these people come without one.
    person = made(**changed | {"without": ["san", *changed.get("without", [])]})
    try:
        chain.validate(person, anchors(), certs.NOW)
        ours = True
    except PathRefused:
        ours = False

    assert ours == oracle(person, certs.ca().certificate, certs.root().certificate, certs.NOW)
