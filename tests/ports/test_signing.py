"""What every place of signing keys promises (`ingam.ports.signing`): key files, and a PKCS#11 token (SoftHSM)."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.adapters.hsm import places
from tests.adapters.hsm.places import KINDS, Files, Token

from ingam.kernel.errors import Defect
from ingam.kernel.secret import Secret
from ingam.npki.signature import public_key, verify
from ingam.ports.signing import (
    Decryptor,
    Intent,
    IntentUsed,
    KeyExists,
    KeyKind,
    KeyKindRefused,
    KeyMissing,
    KeysLocked,
    Signer,
    SigningKeys,
    SigningOutage,
)

SIGNING = [name for name in KINDS if name != "encryption-1"]
Place = Files | Token


@pytest.fixture(params=["files", "token"])
def place(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Place]:
    """A place with the keys of KINDS."""
    base = tmp_path_factory.getbasetemp()
    if request.param == "files":
        yield places.files_template(base).copy(tmp_path)
        return
    monkeypatch.setenv("SOFTHSM2_CONF", "")
    token = places.token_template(base).copy(tmp_path)
    yield token
    token.close()


@pytest.fixture
def keys(place: Place) -> SigningKeys:
    """Its keys."""
    return place.open()


def check(signer: Signer, signature: bytes, message: bytes) -> None:
    """By the code that reads everybody's signatures."""
    verify(public_key(signer.public.spki), signer.public.algorithm, signature, message)


def encrypted(decryptor: Decryptor, clear: bytes) -> bytes:
    """With the hash that the place's RSAES-OAEP has."""
    key = public_key(decryptor.public.spki)
    assert isinstance(key, RSAPublicKey)
    hash_ = SHA1() if getattr(decryptor, "oaep_hash", "") == "sha1" else SHA256()
    return key.encrypt(clear, OAEP(MGF1(hash_), hash_, None))


@pytest.mark.parametrize("name", SIGNING)
def test_a_signature_is_the_keys_over_these_bytes(keys: SigningKeys, name: str) -> None:
    signer = keys.signer(name)
    assert signer.public.name == name
    assert signer.public.kind is KINDS[name]
    assert signer.public.algorithm == KINDS[name].algorithm
    for message in (b"", b"tbs", bytes(5000)):
        check(signer, signer.sign(Intent.of(message)), message)


@pytest.mark.parametrize("name", SIGNING)
@pytest.mark.parametrize("size", [0, 1, (1 << 20) + 1])
def test_a_file_is_signed_as_its_bytes_are(keys: SigningKeys, name: str, size: int, tmp_path: Path) -> None:
    signer, path, message = keys.signer(name), tmp_path / "list", bytes(size)
    path.write_bytes(message)
    check(signer, signer.sign(Intent(None, hashlib.sha256(message).digest(), path)), message)


@pytest.mark.parametrize("name", SIGNING)
def test_D12_an_intent_is_signed_once(keys: SigningKeys, name: str) -> None:
    signer, intent = keys.signer(name), Intent.of(b"tbs")
    signer.sign(intent)
    with pytest.raises(IntentUsed):
        signer.sign(intent)


def test_D12_an_intent_that_many_threads_present_is_signed_once(keys: SigningKeys) -> None:
    signer, barrier = keys.signer("ocsp-1"), threading.Barrier(8)

    def present(intent: Intent) -> bool:
        barrier.wait()
        try:
            signer.sign(intent)
        except IntentUsed:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        for _ in range(10):
            assert sum(pool.map(present, [Intent.of(b"tbs")] * 8)) == 1


@pytest.mark.parametrize("name", SIGNING)
def test_D12_bytes_that_changed_since_they_were_recorded_are_not_signed(
    keys: SigningKeys, name: str, tmp_path: Path
) -> None:
    recorded = hashlib.sha256(b"recorded").digest()
    path = tmp_path / "list"
    path.write_bytes(b"changed")
    for intent in (Intent(b"changed", recorded), Intent(None, recorded, path), Intent(None, recorded, tmp_path / "no")):
        with pytest.raises(IntentUsed):
            keys.signer(name).sign(intent)
        with pytest.raises(IntentUsed):
            keys.signer(name).sign(intent)


def test_D6_the_decryption_key_signs_nothing_and_a_signing_key_decrypts_nothing(keys: SigningKeys) -> None:
    with pytest.raises(KeyKindRefused):
        keys.signer("encryption-1")
    for name in SIGNING:
        with pytest.raises(KeyKindRefused):
            keys.decryptor(name)
    with pytest.raises(KeyKindRefused):
        keys.make("encryption-2", KeyKind.P_256)
    assert keys.names() == tuple(sorted(KINDS))


def test_D6_the_decryption_key_signs_nothing_when_it_was_just_made(keys: SigningKeys) -> None:
    made = keys.make("encryption-2", KeyKind.RSA_2048)
    with pytest.raises(KeyKindRefused):
        made.sign(Intent.of(b"tbs"))
    assert keys.decryptor("encryption-2").public == made.public


def test_D6_what_is_encrypted_to_it_opens(keys: SigningKeys) -> None:
    decryptor = keys.decryptor("encryption-1")
    for clear in (b"", b"R", bytes(60)):
        assert decryptor.decrypt(encrypted(decryptor, clear), oaep=True) == Secret(clear)


def test_D6_a_broken_oaep_ciphertext_is_none_whatever_is_broken(keys: SigningKeys) -> None:
    decryptor = keys.decryptor("encryption-1")
    good = encrypted(decryptor, b"R")
    flipped = good[:-1] + bytes([good[-1] ^ 1])
    for broken in (b"", good[:-1], good + b"\0", bytes(256), b"\xff" * 256, bytes(255) + b"\1", flipped):
        assert decryptor.decrypt(broken, oaep=True) is None
    assert decryptor.decrypt(good, oaep=True) == Secret(b"R")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ciphertext=st.one_of(st.binary(max_size=300), st.binary(min_size=256, max_size=256)))
def test_D6_v15_gives_bytes_for_every_ciphertext_or_is_off(keys: SigningKeys, ciphertext: bytes) -> None:
    decryptor = keys.decryptor("encryption-1")
    if getattr(decryptor, "v15", False):
        assert isinstance(decryptor.decrypt(ciphertext, oaep=False), Secret)
    else:
        with pytest.raises(KeyKindRefused):
            decryptor.decrypt(ciphertext, oaep=False)


def test_D6_v15_opens_what_was_encrypted_and_answers_a_broken_one_alike(keys: SigningKeys) -> None:
    decryptor = keys.decryptor("encryption-1")
    key = public_key(decryptor.public.spki)
    assert isinstance(key, RSAPublicKey)
    good = key.encrypt(b"R", PKCS1v15())
    if not getattr(decryptor, "v15", False):
        with pytest.raises(KeyKindRefused):
            decryptor.decrypt(good, oaep=False)
        return
    assert decryptor.decrypt(good, oaep=False) == Secret(b"R")
    broken = good[:-1] + bytes([good[-1] ^ 1])
    first, second = (decryptor.decrypt(broken, oaep=False) for _ in range(2))
    assert first is not None
    assert first == second, "the bytes depend on the ciphertext alone: asking twice tells nothing"


@pytest.mark.parametrize("kind", [KeyKind.P_256, KeyKind.P_384, KeyKind.RSA_2048])
def test_a_key_that_is_made_signs_at_once_and_after_a_restart(place: Place, kind: KeyKind) -> None:
    keys = place.open()
    made = keys.make("issuing-2", kind)
    check(made, made.sign(Intent.of(b"tbs")), b"tbs")
    assert keys.signer("issuing-2").public == made.public
    keys.close()
    again = place.open()
    assert again.names() == tuple(sorted([*KINDS, "issuing-2"]))
    check(made, again.signer("issuing-2").sign(Intent.of(b"tbs")), b"tbs")


def test_a_key_is_never_replaced(keys: SigningKeys) -> None:
    before = keys.signer("issuing-1").public
    with pytest.raises(KeyExists) as refused:
        keys.make("issuing-1", KeyKind.P_256)
    assert refused.value.facts == {"name": "issuing-1"}
    assert keys.signer("issuing-1").public == before


def test_two_who_make_one_name_get_one_key(keys: SigningKeys) -> None:
    barrier = threading.Barrier(4)

    def make(_: int) -> Signer | None:
        barrier.wait()
        try:
            return keys.make("cmp-1", KeyKind.P_256)
        except KeyExists:
            return None

    with ThreadPoolExecutor(4) as pool:
        made = [one for one in pool.map(make, range(4)) if one is not None]
    assert len(made) == 1
    assert keys.signer("cmp-1").public == made[0].public


def test_a_key_that_is_not_there_is_said_to_be_missing(keys: SigningKeys) -> None:
    for ask, name in ((keys.signer, "issuing-7"), (keys.decryptor, "encryption-7")):
        with pytest.raises(KeyMissing) as refused:
            ask(name)
        assert refused.value.facts == {"name": name}


@pytest.mark.parametrize("name", ["", "issuing", "issuing-0", "issuing-01", "../issuing-1", "Issuing-1", "a/b-1", "-1"])
def test_a_name_is_use_and_generation(keys: SigningKeys, name: str) -> None:
    for ask in (keys.signer, keys.decryptor, lambda wrong: keys.make(wrong, KeyKind.P_256)):
        with pytest.raises(Defect) as refused:
            ask(name)
        assert refused.value.code == "signing-key-name"


def test_many_threads_sign_at_once(keys: SigningKeys) -> None:
    signers = [keys.signer(name) for name in SIGNING]
    messages = [str(number).encode() for number in range(60)]

    def sign(number: int) -> bytes:
        return signers[number % 3].sign(Intent.of(messages[number]))

    with ThreadPoolExecutor(6) as pool:
        for number, signature in enumerate(pool.map(sign, range(60))):
            check(signers[number % 3], signature, messages[number])


def test_after_closing_nothing_is_signed_or_opened(keys: SigningKeys) -> None:
    signer, decryptor = keys.signer("issuing-1"), keys.decryptor("encryption-1")
    sealed = encrypted(decryptor, b"R")
    keys.close()
    keys.close()
    acts: tuple[Callable[[], object], ...] = (
        lambda: signer.sign(Intent.of(b"tbs")), lambda: decryptor.decrypt(sealed, oaep=True),
        lambda: keys.signer("ocsp-1"), keys.names, lambda: keys.make("cmp-1", KeyKind.P_256),
    )  # fmt: skip
    for act in acts:
        with pytest.raises(SigningOutage):
            act()


def test_H1_neither_passphrase_nor_pin_stands_in_what_is_printed_or_raised(place: Place) -> None:
    keys = place.open()
    canary = "canary"
    told = [repr(keys), repr(keys.signer("issuing-1")), repr(keys.decryptor("encryption-1")), repr(vars(keys))]
    keys.close()
    wrong = place.open(Secret("canary-9999"))
    acts: tuple[Callable[[], object], ...] = (
        lambda: wrong.signer("issuing-1"), lambda: wrong.make("cmp-1", KeyKind.P_256),
    )  # fmt: skip
    for act in acts:
        with pytest.raises(KeysLocked) as refused:
            act()
        told += [repr(refused.value), str(refused.value), repr(refused.value.__cause__), repr(refused.value.args)]
    assert all(canary not in one for one in told)
