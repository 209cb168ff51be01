"""Key files: every variant opened and written, every broken one refused by its own code, R never lost."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given, settings
from hypothesis import strategies as st

from ingam.kernel.errors import Defect, Refusal
from ingam.npki import certificate, der, key_file
from ingam.npki.kdf import Prf
from ingam.npki.key_file import TooManyIterations, Variant, WrongPassword
from ingam.npki.private_key import BadRandom, DamagedKeyFile, KeyMismatch, PrivateKey, open_pkcs8

VECTORS = Path(__file__).parents[2] / "vectors"
SAMPLES = VECTORS / "npki-samples"
FILES = VECTORS / "key-files"
REFUSALS = VECTORS / "refusals"
MANIFEST = json.loads((FILES / "manifest.json").read_text(encoding="utf-8"))
HOSTILE = json.loads((REFUSALS / "manifest.json").read_text(encoding="utf-8"))["files"]
PUBLISHED = json.loads((SAMPLES / "vectors.json").read_text(encoding="utf-8"))["private_key_pbe"]["cases"]
FAST = [entry for entry in MANIFEST["files"] if entry["iterations"] <= 2048]


def by_file(entry: dict[str, Any]) -> str:
    return str(entry["file"])


def opened(key: PrivateKey) -> bytes:
    return bytes(key.pkcs8.reveal())


@pytest.mark.parametrize("entry", MANIFEST["files"], ids=by_file)
def test_every_variant_opens_to_the_very_bytes(entry: dict[str, Any]) -> None:
    data = (FILES / entry["file"]).read_bytes()
    file = key_file.describe(data)
    assert (file.variant, file.iterations, file.prf) == (entry["variant"], entry["iterations"], entry["prf"])
    key = key_file.open_key(data, entry["password"].encode())
    assert hashlib.sha256(opened(key)).hexdigest() == entry["pkcs8_sha256"]
    assert key.bits == entry["bits"]
    assert key.attributes.reveal().hex() == entry["attributes"]
    random = key.random
    assert (random.reveal().hex() if random else None) == entry["random_der"]
    assert key.has_random is (random is not None)


@pytest.mark.parametrize("case", PUBLISHED, ids=by_file)
def test_every_published_sample_opens(case: dict[str, Any]) -> None:
    key = key_file.open_key((SAMPLES / case["file"]).read_bytes(), case["password"].encode())
    assert hashlib.sha256(opened(key)).hexdigest() == case["pkcs8_sha256"]
    random = key.random
    assert (der.whole(random.reveal()).bits().hex() if random else None) == case.get("R")


@pytest.mark.parametrize("entry", HOSTILE, ids=by_file)
def test_hostile_input_is_refused_by_its_own_code_in_bounded_time(entry: dict[str, Any]) -> None:
    data = (REFUSALS / entry["file"]).read_bytes()
    start = time.process_time()
    with pytest.raises(Refusal) as refused:
        key_file.open_key(data, entry["password"].encode())
    assert refused.value.code == entry["code"]
    assert time.process_time() - start < 2


@pytest.mark.parametrize("entry", FAST, ids=by_file)
def test_a_wrong_password_is_told_apart_from_a_damaged_file(entry: dict[str, Any]) -> None:
    data = (FILES / entry["file"]).read_bytes()
    for wrong in (b"", b"wrong", entry["password"].encode() + b" "):
        with pytest.raises(WrongPassword):
            key_file.open_key(data, wrong)
    with pytest.raises(DamagedKeyFile):
        key_file.open_key(data[:-1], entry["password"].encode())


@pytest.mark.parametrize("entry", FAST[:8], ids=by_file)
def test_a_flipped_byte_of_the_ciphertext_is_damage_and_no_wrong_password(entry: dict[str, Any]) -> None:
    data = (FILES / entry["file"]).read_bytes()
    start = len(data) - len(key_file.describe(data).sealed)
    for at in range(start, len(data), 61):
        broken = bytearray(data)
        broken[at] ^= 0x40
        try:
            key = key_file.open_key(bytes(broken), entry["password"].encode())
        except Refusal as refused:
            # 0x40 may also push n or e out of bounds: still no talk of a wrong password.
            assert refused.code in ("key-damaged", "key-unsuitable")
        else:
            # What nothing can prove is R: its bytes are the file's, right or wrong.
            assert opened(key)[: -len(key.attributes)] == opened(open_pkcs8(opened(key)))[: -len(key.attributes)]
            assert key.attributes.reveal().hex() != entry["attributes"]


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_no_bytes_bring_anything_but_a_refusal(data: st.DataObject) -> None:
    source = (FILES / data.draw(st.sampled_from(["a-1.key"]))).read_bytes()
    at = data.draw(st.integers(0, len(source) - 1))
    end = data.draw(st.integers(at, len(source)))
    broken = source[:at] + data.draw(st.binary(max_size=40)) + source[end:]
    try:
        key_file.describe(broken)
        key_file.open_key(broken, b"ingam-Test#2026")
    except Refusal as refused:
        assert refused.code.startswith(("key-", "wrong-password"))


@settings(max_examples=100, deadline=None)
@given(plain=st.binary(max_size=300))
def test_no_plaintext_brings_anything_but_a_refusal(plain: bytes) -> None:
    with pytest.raises(Refusal):
        open_pkcs8(plain)
    with pytest.raises(Refusal):
        open_pkcs8(der.seq(der.integer(0), der.algorithm("1.2.840.113549.1.1.1"), der.octets(plain)))


@pytest.mark.parametrize("entry", [one for one in FAST if one["file"] != "a-3072-bit.key"], ids=by_file)
def test_R_and_every_attribute_survive_a_new_password_byte_for_byte(entry: dict[str, Any]) -> None:
    data, old = (FILES / entry["file"]).read_bytes(), entry["password"].encode()
    changed = key_file.change_password(data, old, b"another-One#1")
    assert opened(key_file.open_key(changed, b"another-One#1")) == opened(key_file.open_key(data, old))
    before, after = key_file.describe(data), key_file.describe(changed)
    assert (after.variant, after.prf, after.iterations) == (before.variant, before.prf, max(before.iterations, 2048))
    assert after.salt != before.salt
    with pytest.raises(WrongPassword):
        key_file.open_key(changed, old)


@pytest.mark.parametrize("variant", list(Variant))
def test_a_key_moves_between_all_variants(variant: Variant) -> None:
    data = (FILES / "two-attributes.key").read_bytes()
    changed = key_file.change_password(data, b"ingam-Test#2026", b"n", variant=variant, iterations=3)
    file = key_file.describe(changed)
    assert (file.variant, file.iterations) == (variant, 3)
    assert opened(key_file.open_key(changed, b"n")) == opened(key_file.open_key(data, b"ingam-Test#2026"))


def test_a_damaged_file_gets_no_new_password() -> None:
    with pytest.raises(DamagedKeyFile):
        key_file.change_password((REFUSALS / "modulus-altered.key").read_bytes(), b"ingam-Test#2026", b"new")


def test_B16_the_default_is_the_interoperable_form() -> None:
    file = key_file.describe(key_file.seal_key(b"\x30\x00", b"p"))
    assert (file.variant, file.iterations, file.prf, len(file.salt)) == (Variant.PBES2_SEED, 2048, Prf.SHA1, 8)
    assert b"\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02" not in key_file.seal_key(b"\x30\x00", b"p")


@pytest.mark.parametrize("iterations", [0, -1, 1_000_001])
def test_absurd_counts_are_not_written(iterations: int) -> None:
    with pytest.raises(TooManyIterations):
        key_file.seal_key(b"\x30\x00", b"p", iterations=iterations)


@pytest.mark.parametrize("folder", ["pypinksign", "kiea-mydata"])
def test_a_key_knows_its_certificate(folder: str) -> None:
    passwords = {"pypinksign": b"WTuA8Ev0lWXVFSiI!", "kiea-mydata": b"11223344"}
    key = key_file.open_key((SAMPLES / folder / "signPri.key").read_bytes(), passwords[folder])
    own = certificate.parse((SAMPLES / folder / "signCert.der").read_bytes())
    key.require_match(*own.public_key)
    signature = key.signing_key().sign(b"text", PKCS1v15(), SHA256())
    own.verifying_key().verify(signature, b"text", PKCS1v15(), SHA256())


def test_a_key_of_another_certificate_is_told_apart() -> None:
    entry = MANIFEST["mismatched"][0]
    key = key_file.open_key((FILES / entry["file"]).read_bytes(), entry["password"].encode())
    other = certificate.parse((FILES / entry["certificate"]).read_bytes())
    with pytest.raises(KeyMismatch):
        key.require_match(*other.public_key)


@pytest.mark.parametrize("entry", MANIFEST["random_refused"], ids=by_file)
def test_A14_R_out_of_its_bounds_is_refused_and_the_key_still_opens(entry: dict[str, Any]) -> None:
    key = key_file.open_key((FILES / entry["file"]).read_bytes(), entry["password"].encode())
    assert key.has_random
    with pytest.raises(BadRandom):
        _ = key.random


def test_H1_an_opened_key_does_not_print_and_does_not_pickle() -> None:
    key = key_file.open_key((FILES / "a-1.key").read_bytes(), b"ingam-Test#2026")
    told = f"{key!r} {key} {key.pkcs8!r} {key.attributes!r} {key._numbers!r}"
    assert str(key.modulus)[:12] not in told
    assert opened(key)[60:80].hex() not in told
    with pytest.raises(TypeError):
        key.__reduce__()


def test_a_wiped_key_signs_no_more() -> None:
    key = key_file.open_key((FILES / "a-1.key").read_bytes(), b"ingam-Test#2026")
    key.wipe()
    assert not any(key.pkcs8.reveal())
    with pytest.raises(Defect):
        key.signing_key()


def test_the_vectors_are_what_their_script_makes() -> None:
    """The same pkcs8, password, salt and IV give the same file: nothing in the format is left to chance."""
    data = (FILES / "c-sha256-2048.key").read_bytes()
    file = key_file.describe(data)
    drawn = iter((file.salt, file.iv or b""))
    plain = opened(key_file.open_key(data, b"ingam-Test#2026"))
    again = key_file.seal_key(
        plain, b"ingam-Test#2026", Variant.PBES2_SEED, prf=Prf.SHA256, random=lambda size: next(drawn)
    )
    assert again == data
