"""Signing keys in encrypted files: what is written, what is refused, and every kind of key."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import unicodedata
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_der_public_key,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.adapters.hsm.places import CHEAP, KINDS, PASSPHRASE, Files, rsa, source

from ingam.adapters.hsm import signing_file
from ingam.adapters.hsm.key_files import KeyFileRefused
from ingam.adapters.hsm.sealed_keys import Cost, Sealer
from ingam.adapters.hsm.signing_file import FileSigningKeys, open_signing_keys, rejects_implicitly
from ingam.kernel.secret import Secret
from ingam.npki import der
from ingam.npki.signature import public_key, verify
from ingam.ports.signing import Intent, KeyKind, KeyKindRefused, KeysLocked, SigningOutage


def fresh(folder: Path) -> FileSigningKeys:
    return FileSigningKeys(folder / "keys", PASSPHRASE, cost=CHEAP, source=source())


def plain_p256() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def put(folder: Path, name: str, plain: bytes) -> FileSigningKeys:
    """A folder whose one key somebody else wrote."""
    path = folder / "keys" / f"{name}.p8"
    path.parent.mkdir(mode=0o700)
    path.touch(mode=0o600)
    path.write_bytes(Sealer(PASSPHRASE, CHEAP).seal(plain))
    return fresh(folder)


@pytest.mark.parametrize("kind", [kind for kind in KeyKind if kind is not KeyKind.RSA_4096])
def test_every_kind_signs_bytes_and_files_before_and_after_a_restart(tmp_path: Path, kind: KeyKind) -> None:
    message, path = bytes(3 << 20), tmp_path / "list"
    path.write_bytes(message)
    for signer in (fresh(tmp_path).make("root-1", kind), fresh(tmp_path).signer("root-1")):
        key = public_key(signer.public.spki)
        assert signer.public.kind is kind
        verify(key, kind.algorithm, signer.sign(Intent.of(b"tbs")), b"tbs")
        verify(key, kind.algorithm, signer.sign(Intent(None, hashlib.sha256(message).digest(), path)), message)


def test_a_file_is_for_its_owner_only_and_nothing_else_is_left(tmp_path: Path) -> None:
    fresh(tmp_path).make("root-1", KeyKind.P_256)
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["root-1.p8"]
    assert stat.S_IMODE((tmp_path / "keys" / "root-1.p8").stat().st_mode) == 0o600


def test_what_is_written_is_scrypt_of_sixteen_megabytes_and_aes_256(tmp_path: Path) -> None:
    keys = FileSigningKeys(tmp_path, PASSPHRASE, source=source())
    for name in ("root-1", "issuing-1"):
        keys.make(name, KeyKind.P_256)
    salts = []
    for path in sorted(tmp_path.glob("*.p8")):
        algorithm, _ = der.whole(path.read_bytes()).exactly(2)
        scheme, parameters = algorithm.exactly(2)
        kdf, cipher = parameters.exactly(2)
        scrypt, settings_ = kdf.exactly(2)
        salt, n, r, p = settings_.exactly(4)
        assert [scheme.oid(), scrypt.oid()] == ["1.2.840.113549.1.5.13", "1.3.6.1.4.1.11591.4.11"]
        assert (n.integer(), r.integer(), p.integer()) == (1 << 14, 8, 5)
        assert cipher.exactly(2)[0].oid() == "2.16.840.1.101.3.4.1.42"
        salts.append(salt.content)
    assert len(salts[0]) == 16
    assert salts[0] == salts[1], "one salt for a folder: a process pays for the passphrase once"


def test_openssl_and_cryptography_read_what_is_written(tmp_path: Path) -> None:
    keys = FileSigningKeys(tmp_path, Secret("canary"), source=source())
    made = keys.make("root-1", KeyKind.P_256)
    data = (tmp_path / "root-1.p8").read_bytes()
    assert load_der_private_key(data, b"canary").public_key() == load_der_public_key(made.public.spki)
    command = ["openssl", "pkey", "-inform", "DER", "-passin", "pass:canary", "-pubout", "-outform", "DER"]
    assert subprocess.run(command, input=data, capture_output=True, check=True).stdout == made.public.spki


def test_a_file_that_openssl_wrote_is_read(tmp_path: Path) -> None:
    words = ["openssl", "pkcs8", "-topk8", "-scrypt", "-inform", "DER", "-outform", "DER", "-passout", "pass:canary"]
    plain = plain_p256()
    data = subprocess.run(words, input=plain, capture_output=True, check=True).stdout
    path = tmp_path / "root-1.p8"
    path.touch(mode=0o600)
    path.write_bytes(data)
    signer = FileSigningKeys(tmp_path, Secret("canary")).signer("root-1")
    verify(public_key(signer.public.spki), KeyKind.P_256.algorithm, signer.sign(Intent.of(b"x")), b"x")


def test_the_passphrase_is_the_same_however_it_was_typed(tmp_path: Path) -> None:
    composed, apart = (unicodedata.normalize(form, "도장") for form in ("NFC", "NFD"))
    assert composed != apart
    FileSigningKeys(tmp_path, Secret(composed), cost=CHEAP).make("root-1", KeyKind.P_256)
    FileSigningKeys(tmp_path, Secret(apart), cost=CHEAP).signer("root-1")


def test_a_folder_has_one_passphrase(files: Files) -> None:
    wrong = files.open(Secret("another"))
    with pytest.raises(KeysLocked):
        wrong.make("cmp-1", KeyKind.P_256)
    assert files.open().names() == tuple(sorted(KINDS))
    for name in ("issuing-1", "root-1"):
        with pytest.raises(KeysLocked):
            wrong.signer(name)


def test_no_passphrase_is_none(tmp_path: Path) -> None:
    with pytest.raises(KeyFileRefused) as refused:
        FileSigningKeys(tmp_path, Secret(""))
    assert refused.value.facts == {"reason": "no-passphrase"}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_may_read_is_refused(files: Files, mode: int) -> None:
    (files.folder / "issuing-1.p8").chmod(mode)
    with pytest.raises(KeyFileRefused) as refused:
        files.open().signer("issuing-1")
    assert refused.value.facts == {"reason": "open-to-others"}


def test_a_file_under_another_name_is_refused(files: Files) -> None:
    (files.folder / "root-1.p8").replace(files.folder / "root-2.p8")
    with pytest.raises(KeyFileRefused) as refused:
        files.open().signer("root-2")
    assert refused.value.facts == {"reason": "another-key"}


def test_an_encryption_key_cannot_be_renamed_into_one_that_signs(files: Files) -> None:
    (files.folder / "encryption-1.p8").replace(files.folder / "cmp-1.p8")
    with pytest.raises(KeyFileRefused):
        files.open().signer("cmp-1")


def test_a_damaged_file_is_told_from_a_wrong_passphrase_once_another_file_has_opened(files: Files) -> None:
    path = files.folder / "issuing-1.p8"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(KeysLocked):
        files.open().signer("issuing-1")
    keys = files.open()
    keys.signer("ocsp-1")
    with pytest.raises(KeyFileRefused) as refused:
        keys.signer("issuing-1")
    assert refused.value.facts == {"reason": "malformed"}


def test_an_rsa_key_whose_numbers_do_not_fit_is_refused(tmp_path: Path) -> None:
    numbers = rsa(0).private_numbers()
    plain = rsa(0).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    wrong = numbers.dmp1.to_bytes(128, "big")
    spoilt = plain.replace(wrong, wrong[:-1] + bytes([wrong[-1] ^ 4]))
    assert spoilt != plain
    with pytest.raises(KeyFileRefused) as refused:
        put(tmp_path, "root-1", spoilt).signer("root-1")
    assert refused.value.facts == {"reason": "malformed"}
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("curve", [ec.SECP521R1(), ec.SECP256K1()])
def test_a_key_of_another_kind_is_refused(tmp_path: Path, curve: ec.EllipticCurve) -> None:
    plain = ec.generate_private_key(curve).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(KeyKindRefused):
        put(tmp_path, "root-1", plain).signer("root-1")


def test_D6_an_encryption_key_that_is_not_rsa_does_not_decrypt(tmp_path: Path) -> None:
    with pytest.raises(KeyKindRefused):
        put(tmp_path, "encryption-1", plain_p256()).decryptor("encryption-1")


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_spoilt_file_is_refused_or_locked_and_never_anything_else(files: Files, data: st.DataObject) -> None:
    path = files.folder / "ocsp-1.p8"
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    spoilt = data.draw(st.sampled_from([whole[:at], whole[:at] + data.draw(st.binary(max_size=8)) + whole[at + 1 :]]))
    path.write_bytes(spoilt)
    try:
        FileSigningKeys(files.folder, PASSPHRASE, cost=CHEAP).signer("ocsp-1")
    except (KeyFileRefused, KeysLocked, KeyKindRefused):
        pass
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize(
    "cost",
    [Cost(1 << 20, 8, 1), Cost(1 << 14, 1 << 20, 1), Cost(1 << 14, 8, 17), Cost(3, 8, 1), Cost(0, 8, 1), Cost(2, 0, 1),
     Cost(2, 1, 0), Cost(-2, 1, 1), Cost(1 << 4000, 8, 1)],
)  # fmt: skip
def test_a_file_that_asks_for_too_much_is_refused_before_anything_is_computed(tmp_path: Path, cost: Cost) -> None:
    sealed = Sealer(PASSPHRASE, CHEAP).seal(plain_p256())
    n, r, p = (der.integer(one) for one in CHEAP)
    asked = b"".join(der.integer(one) for one in cost)
    algorithm, content = der.whole(sealed).exactly(2)
    scheme, parameters = algorithm.exactly(2)
    kdf, cipher = parameters.exactly(2)
    scrypt, settings_ = kdf.exactly(2)
    salt = settings_.content.removesuffix(n + r + p)
    hostile = der.seq(scheme.raw, der.seq(der.seq(scrypt.raw, der.seq(salt, asked)), cipher.raw))
    with pytest.raises(KeyFileRefused):
        Sealer(PASSPHRASE, CHEAP).open(der.seq(hostile, content.raw))


def test_a_crash_while_writing_leaves_no_key_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        fresh(tmp_path).make("root-1", KeyKind.P_256)
    monkeypatch.undo()
    assert fresh(tmp_path).names() == ()
    assert list((tmp_path / "keys").iterdir()) == []
    fresh(tmp_path).make("root-1", KeyKind.P_256)


def test_G7_production_refuses_a_key_file_unless_allowed(files: Files) -> None:
    with pytest.raises(KeyFileRefused) as refused:
        open_signing_keys(files.folder, PASSPHRASE, production=True)
    assert refused.value.facts == {"reason": "not-for-production"}
    keys = open_signing_keys(files.folder, PASSPHRASE, production=True, allowed=True)
    assert keys.signer("ocsp-1").public.kind is KeyKind.P_256


def test_D6_this_library_rejects_implicitly() -> None:
    assert rejects_implicitly(rsa(0))


def test_D6_v15_is_off_where_the_library_does_not_reject_implicitly(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(key: RSAPrivateKey) -> bool:
        return False

    monkeypatch.setattr(signing_file, "rejects_implicitly", never)
    decryptor = files.open().decryptor("encryption-1")
    with pytest.raises(KeyKindRefused):
        decryptor.decrypt(bytes(256), oaep=False)
    assert decryptor.decrypt(bytes(256), oaep=True) is None


def test_the_key_files_hold_no_clear_key(files: Files) -> None:
    for path in files.folder.iterdir():
        with pytest.raises((ValueError, TypeError)):
            load_der_private_key(path.read_bytes(), None)


def test_a_folder_that_cannot_be_read_is_an_outage(files: Files) -> None:
    path = files.folder / "issuing-1.p8"
    path.unlink()
    path.mkdir()
    with pytest.raises(SigningOutage):
        files.open().signer("issuing-1")
