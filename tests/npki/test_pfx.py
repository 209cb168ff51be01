"""PFX files: ours, Korean, OpenSSL's and BER ones opened; R kept; every broken one refused by its own code."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import pkcs12
from hypothesis import given, settings
from hypothesis import strategies as st

from ingam.kernel.errors import Refusal
from ingam.npki import ber, certificate, der, key_file, pfx
from ingam.npki.der import NotDer
from ingam.npki.key_file import TooManyIterations, WrongPassword
from ingam.npki.pfx import EmptyPfx
from ingam.npki.private_key import KeyMismatch

VECTORS = Path(__file__).parents[2] / "vectors"
SAMPLES = VECTORS / "npki-samples"
FOLDER = VECTORS / "pfx"
MANIFEST = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))
PINK = b"WTuA8Ev0lWXVFSiI!"
FAST = [entry for entry in MANIFEST["files"] if entry["file"] != "for-backup.pfx"]


def by_file(entry: dict[str, Any]) -> str:
    return str(entry["file"])


def sample() -> tuple[bytes, bytes]:
    key = key_file.open_key((SAMPLES / "pypinksign" / "signPri.key").read_bytes(), PINK)
    return (SAMPLES / "pypinksign" / "signCert.der").read_bytes(), bytes(key.pkcs8.reveal())


@pytest.mark.parametrize("entry", MANIFEST["files"], ids=by_file)
def test_every_form_opens_to_the_very_bytes(entry: dict[str, Any]) -> None:
    held = pfx.open_pfx((FOLDER / entry["file"]).read_bytes(), entry["password"].encode())
    pairs = held.pairs()
    assert [hashlib.sha256(one.certificate).hexdigest() for one in pairs] == entry["certificates_sha256"]
    assert [hashlib.sha256(bytes(one.key.pkcs8.reveal())).hexdigest() for one in pairs] == entry["pkcs8_sha256"]
    assert [one.key.has_random for one in pairs] == entry["has_r"]


@pytest.mark.parametrize("entry", MANIFEST["refused"], ids=by_file)
def test_every_broken_one_is_refused_by_its_own_code_in_bounded_time(entry: dict[str, Any]) -> None:
    start = time.process_time()
    with pytest.raises(Refusal) as refused:
        pfx.open_pfx((FOLDER / entry["file"]).read_bytes(), entry["password"].encode())
    assert refused.value.code == entry["code"]
    assert time.process_time() - start < 2


@pytest.mark.parametrize("entry", FAST, ids=by_file)
def test_a_wrong_password_is_told_apart_from_a_damaged_file(entry: dict[str, Any]) -> None:
    with pytest.raises(WrongPassword):
        pfx.open_pfx((FOLDER / entry["file"]).read_bytes(), b"wrong")


def test_a_korean_export_opens_with_its_R() -> None:
    held = pfx.open_pfx((SAMPLES / "pypinksign" / "test.pfx").read_bytes(), PINK)
    own = sample()
    assert (held.require_pair().certificate, bytes(held.key.pkcs8.reveal())) == own
    assert held.keys[0].local_key_id == certificate.parse(own[0]).ski


def test_B16_our_export_has_the_shape_of_a_korean_one() -> None:
    """Same size and the same elements; only salts, counts of rounds and what follows from them differ."""
    theirs = (SAMPLES / "pypinksign" / "test.pfx").read_bytes()
    ours = pfx.write_pfx([sample()], PINK)
    assert len(ours) == len(theirs)
    assert shape(ours) == shape(theirs)
    assert certificates_in_order(ours) == certificates_in_order(theirs)


def shape(data: bytes) -> list[tuple[int, int]]:
    """Tags and sizes, into the octet strings that hold DER."""
    told: list[tuple[int, int]] = []
    waiting = [der.whole(data)]
    while waiting:
        one = waiting.pop()
        told.append((one.tag, len(one.content)))
        if one.tag & 0x20:
            waiting += one.children()
        elif one.tag == der.OCTET_STRING and len(one.content) > 1500:
            waiting.append(der.whole(one.content))
    return told


def certificates_in_order(data: bytes) -> tuple[bytes, ...]:
    return pfx.open_pfx(data, PINK).certificates


def test_B16_both_forms_keep_the_attributes_and_libraries_read_them() -> None:
    pair = sample()
    for for_backup in (False, True):
        made = pfx.write_pfx([pair], PINK, for_backup=for_backup)
        assert bytes(pfx.open_pfx(made, PINK).key.pkcs8.reveal()) == pair[1]
        assert pkcs12.load_pkcs12(made, PINK).cert is not None


def test_B16_the_form_for_backup_has_600000_rounds_in_key_and_mac() -> None:
    made = pfx.write_pfx([sample()], PINK, for_backup=True, random=bytes)
    assert made.count(der.integer(600_000)) == 2
    assert der.oid("2.16.840.1.101.3.4.1.42") in made
    assert der.oid("1.2.840.113549.1.12.1.3") not in made


def test_the_work_of_one_file_is_bounded_as_a_whole() -> None:
    """Every count for itself is within its bound; together they are refused before the third is computed."""
    _, pkcs8 = sample()
    bag = key_file.seal_key(pkcs8, PINK, iterations=1000)
    many = [der.seq(der.oid("1.2.840.113549.1.12.10.1.2"), der.explicit(0, bag))] * 20
    opening = pfx._Opening(PINK)
    opening.left = 2500
    safe = der.seq(content(der.seq(*many)))
    with pytest.raises(TooManyIterations):
        opening.contents(safe)
    assert opening.left < 0
    with pytest.raises(pfx.DamagedPfx):
        pfx._Opening(PINK).contents(der.seq(content(der.seq(*many * 2))))


def content(octets: bytes) -> bytes:
    return der.seq(der.oid("1.2.840.113549.1.7.1"), der.explicit(0, der.octets(octets)))


def test_a_key_without_its_certificate_is_a_mismatch() -> None:
    _, pkcs8 = sample()
    other = (SAMPLES / "kiea-mydata" / "signCert.der").read_bytes()
    held = pfx.open_pfx(pfx.write_pfx([(other, pkcs8)], b"p"), b"p")
    assert held.pairs() == []
    with pytest.raises(KeyMismatch):
        held.require_pair()


def test_certificates_of_authorities_ride_along() -> None:
    authority = (SAMPLES / "authorities" / "SignKorea_CA4.cer").read_bytes()
    held = pfx.open_pfx(pfx.write_pfx([sample()], b"p", others=[authority]), b"p")
    assert held.certificates == (sample()[0], authority)
    with pytest.raises(EmptyPfx):
        pfx.open_pfx(pfx.write_pfx([], b"p", others=[authority]), b"p")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_bytes_bring_anything_but_a_refusal(data: st.DataObject) -> None:
    source = (FOLDER / data.draw(st.sampled_from(["interoperable.pfx", "ber.pfx"]))).read_bytes()
    at = data.draw(st.integers(0, len(source) - 1))
    broken = source[:at] + data.draw(st.binary(max_size=12)) + source[data.draw(st.integers(at, len(source))) :]
    if broken == source:
        return
    try:
        pfx.open_pfx(broken, PINK)
    except Refusal as refused:
        assert refused.code.startswith(("pfx-", "key-", "wrong-password"))


def test_ber_becomes_the_same_der() -> None:
    broken = (FOLDER / "ber.pfx").read_bytes()
    with pytest.raises(NotDer):
        der.whole(broken)
    assert ber.to_der(broken) == (FOLDER / "interoperable.pfx").read_bytes()


@pytest.mark.parametrize(
    "data",
    [b"", b"\x30", b"\x30\x80", b"\x30\x80\0", b"\x04\x80\0\0", b"\x30\x85\1\1\1\1\1", b"\x1f\1\0", b"\x30\x80" * 40],
)
def test_broken_ber_is_refused(data: bytes) -> None:
    with pytest.raises(NotDer):
        ber.to_der(data)


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=200))
def test_no_ber_brings_anything_but_a_refusal(data: bytes) -> None:
    with contextlib.suppress(NotDer):
        der.whole(ber.to_der(data))


def test_a_pfx_is_known_by_its_beginning() -> None:
    assert pfx.looks_like_pfx((SAMPLES / "pypinksign" / "test.pfx").read_bytes())
    assert pfx.looks_like_pfx((FOLDER / "ber.pfx").read_bytes())
    assert not pfx.looks_like_pfx((SAMPLES / "pypinksign" / "signPri.key").read_bytes())
    assert not pfx.looks_like_pfx((SAMPLES / "pypinksign" / "signCert.der").read_bytes())
