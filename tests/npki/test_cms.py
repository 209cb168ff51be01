"""Signed messages with attributes: one form is made and accepted, and every other one is refused by its own code."""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import cms as asn1_cms
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.npki import certs
from vectors.cms import make

from ingam.kernel.errors import Refusal
from ingam.npki import certificate, cms, cms_plain, der

RIGHT: dict[str, str] = json.loads((certs.VECTORS / "cms" / "signed.json").read_text(encoding="utf-8"))
WRONG: list[dict[str, str]] = json.loads((certs.VECTORS / "cms" / "refusals.json").read_text(encoding="utf-8"))[
    "refusals"
]
CONTENT = RIGHT["content"].encode()
READ: dict[str, Callable[[bytes], Any]] = {
    "signed": lambda raw: cms.verify(cms.parse(raw), content=CONTENT, purpose="login"),
    "plain": cms_plain.verify_plain,
    "brief": cms_plain.verify_brief,
}


def signed(content: bytes = CONTENT, **changed: Any) -> bytes:
    person = certs.person()
    given: dict[str, Any] = {"purpose": "login", "signing_time": make.TIME} | changed
    return cms.sign(content, person.certificate, person.key, **given)


def test_A2_the_signed_challenge_is_the_vector_byte_for_byte() -> None:
    assert signed().hex() == RIGHT["signed"]


def test_A2_a_signed_challenge_is_verified_and_tells_who_and_when() -> None:
    found = cms.verify(cms.parse(bytes.fromhex(RIGHT["signed"])), content=CONTENT, purpose="login")

    assert found.certificate.fingerprint == certs.person().certificate.fingerprint
    assert found.signing_time == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert found.content == CONTENT


def test_A2_an_independent_reader_finds_exactly_the_five_attributes() -> None:
    info = asn1_cms.ContentInfo.load(bytes.fromhex(RIGHT["signed"]), strict=True)["content"]
    signer = info["signer_infos"][0]
    kinds = [one["type"].dotted for one in signer["signed_attrs"]]

    assert info["version"].native == "v3"
    assert info["encap_content_info"]["content_type"].dotted == cms.OID_CHALLENGE
    assert sorted(kinds) == sorted([make.CONTENT_TYPE, make.DIGEST, make.TIME_OID, make.ESS, cms.OID_CONTEXT])
    assert all(len(one["values"]) == 1 for one in signer["signed_attrs"])


def test_A2_the_context_octets_cannot_stand_in_a_korean_text() -> None:
    for codec in ("cp949", "utf-8", "ascii"):
        with pytest.raises(UnicodeDecodeError):
            (b"\xff\xff" + b"login").decode(codec)


def test_A2_a_signature_for_one_purpose_is_refused_for_another() -> None:
    with pytest.raises(cms.CmsRefused) as refused:
        cms.verify(cms.parse(signed()), content=CONTENT, purpose="registration")
    assert refused.value.code == "cms-context"


@pytest.mark.parametrize("vector", [one for one in WRONG if one["form"] == "signed"], ids=lambda one: one["name"])
def test_A3_A4_every_other_form_is_refused_by_its_own_code(vector: dict[str, str]) -> None:
    with pytest.raises(Refusal) as refused:
        READ["signed"](bytes.fromhex(vector["hex"]))
    assert refused.value.code == vector["code"]


def test_the_refusal_vectors_are_what_the_script_makes() -> None:
    made = {**{name: raw.hex() for name, (raw, _) in make.refusals().items()}}
    made |= {name: raw.hex() for name, (_, raw, _) in make.plain_refusals().items()}

    assert {one["name"]: one["hex"] for one in WRONG} == made


def test_A4_a_key_out_of_bounds_is_refused_before_it_is_computed_with(monkeypatch: pytest.MonkeyPatch) -> None:
    def computed(_: certificate.Certificate) -> None:
        raise AssertionError("the key was loaded")

    monkeypatch.setattr(certificate.Certificate, "verifying_key", computed)
    for vector in (one for one in WRONG if one["code"] == "cms-key-bounds"):
        with pytest.raises(cms.CmsRefused, match="cms-key-bounds"):
            READ["signed"](bytes.fromhex(vector["hex"]))


def test_both_signature_algorithm_names_and_both_digest_forms_are_accepted() -> None:
    for message in (
        make.Message(algorithm=make.RSA),
        make.Message(digest=der.algorithm("2.16.840.1.101.3.4.2.1")),
        make.Message(digests=(der.algorithm("2.16.840.1.101.3.4.2.1"),)),
    ):
        assert READ["signed"](message.encoded()).content == CONTENT


def test_the_signing_time_is_written_in_utc_and_from_2050_on_with_four_digits() -> None:
    seoul = timezone(timedelta(hours=9))
    for at in (datetime(2026, 11, 22, 19, 0, 5, tzinfo=seoul), datetime(2050, 1, 1, tzinfo=UTC)):
        found = cms.verify(cms.parse(signed(signing_time=at)), content=CONTENT, purpose="login")
        assert found.signing_time == at
    assert b"\x18\x0f20500101000000Z" in signed(signing_time=datetime(2050, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("purpose", ["", "Login", "log in", "로그인", "x" * 33, "-login", "login\n"])
def test_a_purpose_that_cannot_be_is_our_own_mistake(purpose: str) -> None:
    with pytest.raises(ValueError, match="purpose"):
        signed(purpose=purpose)


def test_an_instant_without_a_zone_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="aware"):
        signed(signing_time=datetime(2026, 11, 22))  # noqa: DTZ001


def test_nothing_is_signed_with_a_key_that_is_not_the_certificate_s() -> None:
    with pytest.raises(cms.CmsRefused, match="cms-key-mismatch"):
        cms.sign(
            CONTENT, certs.person().certificate, certs.somebody_else().key, purpose="login", signing_time=make.TIME
        )


def test_a_message_that_is_too_large_is_refused_before_it_is_read() -> None:
    with pytest.raises(cms.CmsRefused, match="cms-too-large"):
        cms.parse(bytes(cms.MAX_CONTENT + cms.MAX_AROUND + 1))
    with pytest.raises(cms.CmsRefused, match="cms-too-large"):
        signed(content=bytes(cms.MAX_CONTENT + 1))


@pytest.mark.parametrize("content", [b"", b"text", "홍길동".encode("cp949"), bytes(100_000)])
def test_a_file_is_signed_as_id_data_and_verified(content: bytes) -> None:
    person = certs.person()
    raw = cms.sign_data(content, person.certificate, person.key, signing_time=make.TIME)

    assert cms.verify_data(cms.parse(raw)).content == content
    assert cms.verify_data(cms.parse(raw), content=content).certificate == person.certificate
    with pytest.raises(cms.CmsRefused, match="cms-content"):
        cms.verify_data(cms.parse(raw), content=content + b"x")


def test_a_signed_file_is_never_a_challenge_and_a_challenge_never_a_signed_file() -> None:
    person = certs.person()
    raw = cms.sign_data(CONTENT, person.certificate, person.key, signing_time=make.TIME)

    with pytest.raises(cms.CmsRefused, match="cms-content-type"):
        cms.verify(cms.parse(raw), content=CONTENT, purpose="login")
    with pytest.raises(cms.CmsRefused, match="cms-content-type"):
        cms.verify_data(cms.parse(signed()))


def test_openssl_verifies_a_signed_file(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    assert openssl is not None, "the openssl command is part of Debian's base of this project"
    (tmp_path / "signed.der").write_bytes(bytes.fromhex(RIGHT["signed_file"]))
    (tmp_path / "ca.pem").write_bytes(_pem(certs.root().certificate.der) + _pem(certs.ca().certificate.der))
    command = [openssl, "cms", "-verify", "-inform", "DER", "-in", "signed.der", "-noverify", "-out", "content"]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)

    assert done.returncode == 0, done.stderr.decode()
    assert (tmp_path / "content").read_bytes() == CONTENT


def _pem(raw: bytes) -> bytes:
    return b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(raw) + b"-----END CERTIFICATE-----\n"


def test_A3_the_openssl_made_file_with_other_attributes_is_refused(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    assert openssl is not None
    (tmp_path / "person.pem").write_bytes(_pem(certs.person().certificate.der))
    (tmp_path / "content").write_bytes(CONTENT)
    key = certs.VECTORS / "keys" / "rsa2048-02.p8"
    command = [
        openssl, "cms", "-sign", "-binary", "-nodetach", "-md", "sha256", "-signer", "person.pem",
        "-inkey", str(key), "-keyform", "DER", "-in", "content", "-outform", "DER", "-out", "signed.der",
    ]  # fmt: skip

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)

    assert done.returncode == 0, done.stderr.decode()
    with pytest.raises(cms.CmsRefused, match="cms-attributes"):
        cms.verify_data(cms.parse((tmp_path / "signed.der").read_bytes()))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_A3_a_changed_byte_anywhere_is_never_accepted(data: st.DataObject) -> None:
    raw = bytearray(bytes.fromhex(RIGHT["signed"]))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))

    with pytest.raises(Refusal):
        READ["signed"](bytes(raw))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_at_all_are_refused_in_order(raw: bytes) -> None:
    for read in READ.values():
        with contextlib.suppress(Refusal):
            read(raw)
