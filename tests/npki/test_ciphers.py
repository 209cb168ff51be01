"""Block ciphers against the RFCs' vectors, OpenSSL against plain Python, and derivations against libraries."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import pkcs12
from hypothesis import given, settings
from hypothesis import strategies as st

from ingam.npki import aria, ciphers, kdf, libcrypto, rc2, seed
from ingam.npki.ciphers import BadPadding, BlockCipher

VECTORS = Path(__file__).parents[2] / "vectors"
PUBLISHED = json.loads((VECTORS / "npki-samples" / "vectors.json").read_text(encoding="utf-8"))
ARIA = (BlockCipher.ARIA_128, BlockCipher.ARIA_192, BlockCipher.ARIA_256)
WRITTEN = [one for one in BlockCipher if one not in (BlockCipher.RC2_40, BlockCipher.RC2_128)]


@pytest.mark.parametrize("case", PUBLISHED["seed128_ecb"]["cases"])
def test_plain_seed_gives_the_blocks_of_rfc_4269(case: dict[str, str]) -> None:
    key, plain, sealed = (bytes.fromhex(case[name]) for name in ("key", "pt", "ct"))
    pairs = seed.schedule(key)
    assert seed.crypt_block(plain, pairs) == sealed
    assert seed.crypt_block(sealed, pairs[::-1]) == plain


@pytest.mark.parametrize("case", PUBLISHED["aria_ecb"]["cases"])
def test_plain_aria_gives_the_blocks_of_rfc_5794(case: dict[str, str]) -> None:
    key, plain, sealed = (bytes.fromhex(value) for value in (case["key"], PUBLISHED["aria_ecb"]["pt"], case["ct"]))
    assert aria.crypt_block(plain, aria.encryption_keys(key)) == sealed
    assert aria.crypt_block(sealed, aria.decryption_keys(key)) == plain


@pytest.mark.parametrize("case", PUBLISHED["aria_ecb"]["cases"])
def test_either_way_of_aria_cbc_gives_the_blocks_of_rfc_5794(case: dict[str, str]) -> None:
    key, plain, sealed = (bytes.fromhex(value) for value in (case["key"], PUBLISHED["aria_ecb"]["pt"], case["ct"]))
    # One block with a zero IV is the ECB block; the library may be missing, then ciphers falls back to the same code.
    assert ciphers.decrypt_blocks(BlockCipher(f"aria-{8 * len(key)}"), key, bytes(16), sealed) == plain
    assert libcrypto.aria_cbc(key, bytes(16), plain, encrypt=True) in (sealed, None)


def test_the_published_seed_cbc_text_opens() -> None:
    case = PUBLISHED["seed_cbc_pkcs7"]
    key, iv, sealed = case["key_ascii"].encode(), case["iv_ascii"].encode(), bytes.fromhex(case["ct"])
    assert ciphers.decrypt(BlockCipher.SEED, key, iv, sealed) == case["pt_ascii"].encode()
    assert ciphers.encrypt(BlockCipher.SEED, key, iv, case["pt_ascii"].encode()) == sealed


@settings(max_examples=25, deadline=None)
@given(key=st.binary(min_size=16, max_size=16), iv=st.binary(min_size=16, max_size=16), blocks=st.integers(1, 5))
def test_plain_seed_and_openssl_agree(key: bytes, iv: bytes, blocks: int) -> None:
    data = hashlib.shake_128(key + iv).digest(16 * blocks)
    for encrypt in (True, False):
        expected = ciphers._cbc(BlockCipher.SEED, key, iv, data, encrypt=encrypt)
        assert ciphers.plain_seed(key, iv, data, encrypt=encrypt) == expected


@settings(max_examples=25, deadline=None)
@given(size=st.sampled_from((16, 24, 32)), iv=st.binary(min_size=16, max_size=16), blocks=st.integers(1, 5))
def test_plain_aria_and_the_systems_library_agree(size: int, iv: bytes, blocks: int) -> None:
    key, data = hashlib.shake_128(iv).digest(size), hashlib.shake_256(iv).digest(16 * blocks)
    for encrypt in (True, False):
        plain = ciphers.plain_aria(key, iv, data, encrypt=encrypt)
        assert libcrypto.aria_cbc(key, iv, data, encrypt=encrypt) in (plain, None)


def test_seed_opens_where_openssl_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = ciphers.encrypt(BlockCipher.SEED, b"k" * 16, b"i" * 16, b"the same text")
    monkeypatch.setattr(ciphers, "openssl_has_seed", lambda: False)
    assert ciphers.decrypt(BlockCipher.SEED, b"k" * 16, b"i" * 16, sealed) == b"the same text"


@pytest.mark.parametrize("cipher", ARIA)
def test_aria_opens_where_the_system_has_none(cipher: BlockCipher, monkeypatch: pytest.MonkeyPatch) -> None:
    key = b"k" * ciphers.KEY_SIZE[cipher]
    sealed = ciphers.encrypt(cipher, key, b"i" * 16, b"the same text")
    monkeypatch.setattr(libcrypto, "aria_cbc", lambda *given, **more: None)
    assert ciphers.decrypt(cipher, key, b"i" * 16, sealed) == b"the same text"


@pytest.mark.parametrize("cipher", WRITTEN)
@settings(max_examples=20, deadline=None)
@given(plain=st.binary(max_size=70))
def test_what_was_encrypted_comes_back(cipher: BlockCipher, plain: bytes) -> None:
    key, iv = b"k" * ciphers.KEY_SIZE[cipher], b"i" * ciphers.BLOCK_SIZE[cipher]
    assert ciphers.decrypt(cipher, key, iv, ciphers.encrypt(cipher, key, iv, plain)) == plain


RFC_2268 = [
    ("0000000000000000", 63, "0000000000000000", "ebb773f993278eff"),
    ("ffffffffffffffff", 64, "ffffffffffffffff", "278b27e42e2f0d49"),
    ("3000000000000000", 64, "1000000000000001", "30649edf9be7d2c2"),
    ("88", 64, "0000000000000000", "61a8a244adacccf0"),
    ("88bca90e90875a", 64, "0000000000000000", "6ccf4308974c267f"),
    ("88bca90e90875a7f0f79c384627bafb2", 64, "0000000000000000", "1a807d272bbe5db1"),
    ("88bca90e90875a7f0f79c384627bafb2", 128, "0000000000000000", "2269552ab0f85ca6"),
]


@pytest.mark.parametrize(("key", "bits", "plain", "sealed"), RFC_2268)
def test_rc2_gives_the_blocks_of_rfc_2268(key: str, bits: int, plain: str, sealed: str) -> None:
    assert rc2.decrypt_block(bytes.fromhex(sealed), rc2.schedule(bytes.fromhex(key), bits)).hex() == plain


def test_rc2_is_for_reading_only() -> None:
    with pytest.raises(ValueError, match="reading"):
        ciphers.encrypt(BlockCipher.RC2_40, bytes(5), bytes(8), b"new")


@pytest.mark.parametrize("tail", [b"\0", b"\x11", b"\x02\x03", b"\x00" * 16, b"\x10" * 15 + b"\x0f"])
def test_bad_padding_is_refused(tail: bytes) -> None:
    with pytest.raises(BadPadding):
        ciphers.unpad(bytes(32 - len(tail)) + tail, 16)


@pytest.mark.parametrize("data", [b"", bytes(15), bytes(17)])
def test_blocks_that_are_not_whole_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="whole blocks"):
        ciphers.decrypt_blocks(BlockCipher.SEED, bytes(16), bytes(16), data)


@settings(max_examples=50, deadline=None)
@given(password=st.binary(max_size=90), salt=st.binary(min_size=1, max_size=64), rounds=st.integers(1, 60))
def test_pbkdf1_by_the_library_and_by_hashlib_agree(password: bytes, salt: bytes, rounds: int) -> None:
    plain = kdf.plain_pbkdf1_sha1(password, salt, rounds)
    assert libcrypto.pbkdf1_sha1(password, salt, rounds) in (plain, None)
    assert kdf.pbkdf1_sha1(password, salt, rounds) == plain


@pytest.mark.parametrize("case", PUBLISHED["private_key_pbe"]["cases"])
def test_the_published_keys_are_derived(case: dict[str, str | int]) -> None:
    password, salt, rounds = str(case["password"]).encode(), bytes.fromhex(str(case["salt"])), int(case["iterations"])
    if "pbkdf1_dk" in case:
        assert kdf.pbkdf1_sha1(password, salt, rounds).hex() == case["pbkdf1_dk"]
    else:
        assert kdf.pbkdf2(kdf.Prf.SHA1, password, salt, rounds, 16).hex() == case["key"]


def test_the_pkcs12_derivation_is_the_librarys() -> None:
    """`cryptography` verifies the MAC and opens the bag that this derivation made."""
    loaded = pkcs12.load_pkcs12((VECTORS / "pfx" / "interoperable.pfx").read_bytes(), b"WTuA8Ev0lWXVFSiI!")
    assert loaded.key is not None


def test_pkcs12_passwords_are_utf_16_with_two_zero_bytes_and_cp949_where_they_are_no_utf_8() -> None:
    assert kdf.pkcs12_password(b"a") == b"\0a\0\0"
    assert kdf.pkcs12_password("한".encode()) == kdf.pkcs12_password("한".encode("cp949")) == b"\xd5\x5c\0\0"
