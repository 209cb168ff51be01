"""pkilint's linters of lists and OCSP answers read what the processes publish; every finding is named here with why."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import OCSPNonce, load_der_x509_certificate
from cryptography.x509.ocsp import OCSPRequestBuilder
from pkilint import loader, pkix  # type: ignore[import-untyped]
from pkilint.pkix import crl, extension, name, ocsp  # type: ignore[import-untyped]
from tests.interop.people import People
from tests.interop.running import Running, fetch

pytestmark = pytest.mark.xdist_group("interop")

LDAP = "pkix.ldap_uri_not_validated"
"""Lists lie in a directory too, and this linter looks no further than HTTP."""

LONG_ARC = "itu.invalid_asn1_syntax"
"""Of the demo's own arc in the responder's certificate: this linter's decoder holds an arc to 32 bits, and one from a
UUID has 128 (X.667)."""

DECODERS = [
    pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
    pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
]
LISTS = crl.create_pkix_crl_validator_container(
    DECODERS,
    [
        crl.create_issuer_validator_container([]),
        crl.create_validity_validator_container([]),
        crl.create_extensions_validator_container([]),
    ],
)
ANSWERS = ocsp.create_pkix_ocsp_response_validator_container([ocsp.create_response_decoder(), *DECODERS], [])


def of_list(der: bytes) -> set[str]:
    """The codes of everything that the linter says of a list."""
    return _codes(LISTS.validate(loader.RFC5280CertificateListDocumentLoader().load_der_document(der, "list").root))


def of_answer(der: bytes) -> set[str]:
    """The same of an OCSP answer."""
    return _codes(ANSWERS.validate(loader.RFC6960OCSPResponseDocumentLoader().load_der_document(der, "answer").root))


def _codes(results: Any) -> set[str]:
    return {one.finding.code for result in results for one in result.finding_descriptions}


EXPECTED: dict[str, set[str]] = {
    "dp1p1": {LDAP},
    "dp1p1-delta": {LDAP},
    "issuing-1": set(),
    "issuing-1-delta": set(),
    "root-1": set(),
}


@pytest.mark.parametrize("one", EXPECTED)
def test_lists_have_no_other_finding(authority: Running, people: People, one: str) -> None:
    assert of_list(fetch(f"{authority.va}/ingam/{one}.crl")) == EXPECTED[one]


@pytest.mark.parametrize("digest", [SHA1(), SHA256()], ids=["sha1", "sha256"])
@pytest.mark.parametrize("nonce", [None, bytes(32)], ids=["ahead", "on demand"])
@pytest.mark.parametrize("who", ["good", "revoked", "held"])
def test_answers_have_no_other_finding(
    authority: Running, people: People, who: str, nonce: bytes | None, digest: HashAlgorithm
) -> None:
    pair = (getattr(people, who).certificate, authority.holdings.issuing[1])
    person, issuer = (load_der_x509_certificate(one.der) for one in pair)
    asked = OCSPRequestBuilder().add_certificate(person, issuer, digest)
    if nonce is not None:
        asked = asked.add_extension(OCSPNonce(nonce), critical=False)
    raw = asked.build().public_bytes(Encoding.DER)
    assert of_answer(fetch(authority.ocsp, raw, "application/ocsp-request")) == {LONG_ARC}


def test_the_linters_see_a_fault_where_there_is_one(authority: Running, people: People) -> None:
    der = fetch(f"{authority.va}/ingam/dp1p1.crl")
    at = der.index(bytes.fromhex("0603551d140403")) + 7  # behind the head of cRLNumber's value
    negative = der[:at] + bytes.fromhex("0201ff") + der[at + 3 :]
    assert of_list(negative) - EXPECTED["dp1p1"]
