"""Forms without signed attributes: made as others make them, verified only by name, and never a way in."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.npki import certs
from tests.npki.test_cms import CONTENT, READ, RIGHT, WRONG
from vectors.cms import make

import ingam
from ingam.kernel.errors import Refusal
from ingam.npki import certificate, cms, cms_plain, der

SAMPLE = certs.SAMPLES / "pypinksign"


def test_a_plain_message_is_the_public_sample_byte_for_byte() -> None:
    holder = certificate.parse((SAMPLE / "signCert.der").read_bytes())
    key = load_der_private_key(
        (SAMPLE / "plainSignPri_noattr.p8").read_bytes(), None, unsafe_skip_rsa_key_validation=True
    )
    assert isinstance(key, RSAPrivateKey)
    sample = (SAMPLE / "signedData_TEST_MSG.p7m").read_bytes()

    assert cms_plain.sign_plain(b"TEST_MSG", holder, key) == sample
    assert cms_plain.verify_plain(sample, content=b"TEST_MSG").certificate == holder


@pytest.mark.parametrize("content", [b" ", b"user01", "홍길동".encode("cp949"), b"1", b"1234567890", bytes(10_000)])
def test_plain_and_brief_are_verified_by_their_own_function(content: bytes) -> None:
    person = certs.person()
    plain = cms_plain.sign_plain(content, person.certificate, person.key)
    brief = cms_plain.sign_brief(content, person.certificate, person.key)

    assert cms_plain.verify_plain(plain).content == content
    assert cms_plain.verify_brief(brief, content=content).certificate == person.certificate
    with pytest.raises(cms.CmsRefused, match="cms-content"):
        cms_plain.verify_plain(plain, content=content + b"x")


def test_the_vectors_are_made_again_byte_for_byte() -> None:
    person = certs.person()

    assert cms_plain.sign_plain(CONTENT, person.certificate, person.key).hex() == RIGHT["plain"]
    assert cms_plain.sign_brief(CONTENT, person.certificate, person.key).hex() == RIGHT["brief"]


def test_the_brief_is_a_bare_signed_data_of_version_0_that_names_the_signer_himself() -> None:
    brief = der.whole(bytes.fromhex(RIGHT["brief"])).sequence()
    signer = brief[4].sequence(der.SET)[0].sequence()

    assert brief[0].integer() == 0
    assert signer[0].integer() == 0
    assert "홍길동-6422061".encode("cp949") in signer[1].raw
    assert signer[1].sequence()[0].sequence()[0].raw == der.whole(certs.PERSON_NAME).sequence()[0].raw


@pytest.mark.parametrize("vector", [one for one in WRONG if one["form"] != "signed"], ids=lambda one: one["name"])
def test_A5_each_refusal_of_the_plain_forms_has_its_own_code(vector: dict[str, str]) -> None:
    with pytest.raises(Refusal) as refused:
        READ[vector["form"]](bytes.fromhex(vector["hex"]))
    assert refused.value.code == vector["code"]


def test_A2_A5_the_forgery_from_a_challenge_to_plain_content_holds_a_true_signature_and_is_refused() -> None:
    """The signature over the attributes of a challenge is a true RSA signature over those bytes as content."""
    attributes = b"\x31" + cms.parse(bytes.fromhex(RIGHT["signed"])).signed_attributes[1:]
    forged = next(bytes.fromhex(one["hex"]) for one in WRONG if one["name"].startswith("A5 attributes of a challenge"))
    signature = cms.parse(bytes.fromhex(RIGHT["signed"])).signature

    cms.check_signature(certs.person().certificate, signature, attributes)  # so it would verify
    assert attributes in forged
    with pytest.raises(cms.CmsRefused, match="cms-content-is-attributes"):
        cms_plain.verify_plain(forged)


def test_A2_A5_the_forgery_from_plain_content_to_a_challenge_cannot_be_made() -> None:
    """Who can have attributes signed as plain content could log in with it; so nobody is given that signature."""
    attributes = der.tlv(der.SET, make.Message().attribute_bytes())
    person = certs.person()

    for sign in (cms_plain.sign_plain, cms_plain.sign_brief):
        with pytest.raises(cms.CmsRefused, match="cms-content-is-attributes"):
            sign(attributes, person.certificate, person.key)


def test_A2_a_careless_signer_of_texts_cannot_be_led_to_sign_a_challenge() -> None:
    """A foreign signer refuses nothing, but signs text: the context octets are no text in any of its encodings."""
    attributes = der.tlv(der.SET, make.Message().attribute_bytes())

    for codec in ("cp949", "utf-8"):
        with pytest.raises(UnicodeDecodeError):
            attributes.decode(codec)


def test_A5_what_reads_as_attributes_is_told_apart_from_what_does_not() -> None:
    attribute = make.attribute("1.2.3", der.null)

    assert cms_plain.reads_as_attributes(der.tlv(0x31, attribute))
    assert cms_plain.reads_as_attributes(der.tlv(0x31, attribute + make.attribute("1.2.2", der.null)))  # any order
    assert cms_plain.reads_as_attributes(b"\x31\x81" + bytes([len(attribute)]) + attribute)  # a loose length
    assert cms_plain.reads_as_attributes(der.tlv(0x31, der.seq(der.oid("1.2.3"), der.set_of([]))))
    for harmless in (
        b"", b"1", b"1234567890", b"10", der.tlv(0x31, b""), der.tlv(0x30, attribute), der.tlv(0x31, attribute) + b"\0",
        der.tlv(0x31, der.seq(der.oid("1.2.3"))), der.tlv(0x31, der.seq(der.null, der.set_of([]))),
        der.tlv(0x31, der.seq(der.oid("1.2.3"), der.set_of([]), der.null)), der.tlv(0x31, attribute + der.null),
        b"\x31\x80" + attribute + b"\0\0",
    ):  # fmt: skip
        assert not cms_plain.reads_as_attributes(harmless), harmless.hex()


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_no_printable_text_reads_as_attributes(text: str) -> None:
    assert not cms_plain.reads_as_attributes("".join(one for one in text if one.isprintable()).encode())


def test_A5_only_the_command_line_may_import_the_plain_forms() -> None:
    source = Path(str(ingam.__file__)).parent
    importers = set()
    for path in source.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            if any("cms_plain" in name for name in [*names, module]):
                importers.add(path.relative_to(source).parts[0])

    assert importers <= {"run"}
