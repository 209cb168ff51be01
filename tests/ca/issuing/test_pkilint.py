"""Issued shapes under other people's eyes: pkilint's RFC 5280 linter, `openssl`, `cryptography`."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pkilint import loader  # type: ignore[import-untyped]
from pkilint.pkix import certificate, extension, name  # type: ignore[import-untyped]
from pkilint.validation import ValidationFindingSeverity  # type: ignore[import-untyped]
from tests.ca.issuing.made import ALL, APPLICANT, CA_KEY, ROOT_KEY, Made, issuing, made, root, sign
from tests.ca.issuing.test_lint import KU, own, with_value

from ingam.ca.issuing.template import compile_template
from ingam.ca.profiles import SERVICES, preset, preset_files, read

# Every finding above INFO that the shapes bring with them, and why it stays.
BMP_NOTICE = "pkix.rfc5280_certificate_policies_invalid_explicit_text_encoding"
"""The field's userNotice is a BMPString (npki.md section 2.1); RFC 5280 would have a UTF8String."""
QUALIFIED = "pkix.certificate_policies_policy_has_qualifier"
"""The field's policies carry CPS and notice; RFC 5280 recommends neither."""
LDAP = "pkix.ldap_uri_not_validated"
"""Lists lie in a directory, and this linter looks no further than HTTP."""
LONG_ARC = "itu.invalid_asn1_syntax"
"""Only of the demo's own arc: this linter's decoder holds an arc to 32 bits, and one from a UUID has 128 (X.667)."""

EXPECTED = {BMP_NOTICE, QUALIFIED, LDAP}

LINTER = certificate.create_pkix_certificate_validator_container(
    certificate.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS),
    [
        certificate.create_issuer_validator_container([]),
        certificate.create_validity_validator_container(),
        certificate.create_subject_validator_container([]),
        certificate.create_extensions_validator_container([]),
        certificate.create_spki_validator_container([]),
    ],
)
LOADER = loader.RFC5280CertificateDocumentLoader()


def told(der: bytes) -> set[str]:
    """Codes of all findings above INFO."""
    results = LINTER.validate(LOADER.load_der_document(der, "certificate").root)
    findings = [one.finding for result in results for one in result.finding_descriptions]
    return {one.code for one in findings if one.severity is not ValidationFindingSeverity.INFO}


def in_a_short_arc(profile: str) -> Made:
    """The demo's certificate with an arc that the linter's decoder holds, as a registered one would be."""
    files = preset_files("ingam")
    demo = preset("ingam")
    text = files["authority.toml"].replace(demo.arc, "2.25.1.1")
    authority = read(text, files["profiles.toml"])
    one, found = made("ingam", profile), authority.profile(profile)
    return replace(one, template=compile_template(authority, found, one.generation, 3))


@pytest.mark.parametrize(("key", "profile"), [one for one in ALL if one[0] != "ingam"])
def test_pkilint_finds_nothing_that_the_field_does_not_have(key: str, profile: str) -> None:
    assert told(sign(made(key, profile).tbs, CA_KEY)) <= EXPECTED


@pytest.mark.parametrize("profile", list(preset("ingam").profiles))
def test_pkilint_finds_nothing_else_in_the_demos(profile: str) -> None:
    assert told(sign(in_a_short_arc(profile).tbs, CA_KEY)) <= EXPECTED
    assert told(sign(made("ingam", profile).tbs, CA_KEY)) <= {LONG_ARC, LDAP}


def test_pkilint_sees_a_fault_where_there_is_one() -> None:
    of_a_ca = with_value(made("signkorea"), KU, bytes.fromhex("03020106"), critical=True)
    assert told(sign(of_a_ca, CA_KEY)) - EXPECTED


@pytest.mark.parametrize("key", ["ingam", "signkorea", "yessign", "kica", "crosscert", "tradesign"])
def test_pkilint_reads_roots_and_issuing_authorities(key: str) -> None:
    assert told(root(key)) == set()
    assert told(issuing(key)) <= EXPECTED


@pytest.mark.parametrize("use", [one for one in SERVICES if one not in ("root", "issuing")])
def test_pkilint_reads_the_services_certificates(use: str) -> None:
    signer = ROOT_KEY if use == "root-ocsp" else CA_KEY
    assert told(sign(own("signkorea", use)[0], signer)) <= EXPECTED
    assert told(sign(own("ingam", use)[0], signer)) <= EXPECTED | {LONG_ARC}


@pytest.mark.parametrize(("key", "profile"), ALL)
def test_cryptography_reads_every_extension(key: str, profile: str) -> None:
    one = made(key, profile)
    found = x509.load_der_x509_certificate(sign(one.tbs, CA_KEY))
    found.verify_directly_issued_by(x509.load_der_x509_certificate(issuing(key)))
    policies = found.extensions.get_extension_for_class(x509.CertificatePolicies).value
    assert [policy.policy_identifier.dotted_string for policy in policies] == [one.profile.policy]
    assert found.serial_number == one.serial
    assert not any(isinstance(held.value, x509.UnrecognizedExtension) for held in found.extensions)


def pem(folder: Path, name: str, der: bytes) -> str:
    path = folder / name
    path.write_text(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM).decode())
    return str(path)


@pytest.mark.parametrize(("key", "profile"), ALL)
def test_openssl_verifies_the_chain_with_its_policy(tmp_path: Path, key: str, profile: str) -> None:
    """Strictly (RFC 5280), with the one policy asked for, at an instant within the validity."""
    one = made(key, profile)
    files = [pem(tmp_path, "root", root(key)), pem(tmp_path, "ca", issuing(key))]
    leaf = pem(tmp_path, "leaf", sign(one.tbs, CA_KEY))
    result = subprocess.run(
        ["openssl", "verify", "-x509_strict", "-explicit_policy", "-policy_check", "-policy", one.profile.policy,
         "-attime", str(int(one.times.not_before.timestamp()) + 60), "-CAfile", files[0], "-untrusted", files[1], leaf],
        capture_output=True, text=True,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr


def test_openssl_prints_what_stands_in_a_persons_certificate(tmp_path: Path) -> None:
    leaf = pem(tmp_path, "leaf", sign(made().tbs, CA_KEY))
    text = subprocess.run(
        ["openssl", "x509", "-in", leaf, "-noout", "-text", "-nameopt", "utf8,sep_comma_plus"], check=True,
        capture_output=True,
    ).stdout.decode("utf-8", "replace")  # fmt: skip
    assert f"CN={APPLICANT.name}-{APPLICANT.number}" in text
    for line in ("Digital Signature, Non Repudiation", "CPS: http://www.ingam.test/cps.html",
                 "OCSP - URI:http://ocsp.ingam.test", "CA Issuers - URI:http://dir.ingam.test/issuing-1.der",
                 "URI:http://dir.ingam.test/dp1p3.crl"):  # fmt: skip
        assert line in text
