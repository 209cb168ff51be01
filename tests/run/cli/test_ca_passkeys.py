"""Passkeys among the authority's operators: beside a key in a file, never instead of it, and told by their digits."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fido2 import cbor
from tests.authenticator import Authenticator, public_of

from ingam.ca.revoking.statement import Operator, Signed
from ingam.protocols.webauthn import Credential
from ingam.protocols.webauthn.as_key import pack
from ingam.run.cli import ca_operators
from ingam.run.cli.ca_operators import ADD, REMOVE, OperatorsRefused, OperatorsTwo
from ingam.run.cli.ca_signing import OperatorKeyRefused, public_key

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
KEYS = {name: Ed25519PrivateKey.generate() for name in ("kim", "lee", "na")}


def in_file(name: str, person: str) -> Operator:
    return Operator(name, person, KEYS[name].public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))


def passkey(name: str, person: str) -> Operator:
    one = Authenticator("http://localhost:8702")
    return Operator(name, person, pack(Credential(one.credential_id, cbor.encode(public_of(one.key)), 0)))


KIM, LEE, NA = in_file("kim", "E1001"), in_file("lee", "E1002"), in_file("na", "E1003")
KIM_PASSKEY, LEE_PASSKEY = passkey("kim-passkey", "E1001"), passkey("lee-passkey", "E1002")


def test_G1_the_first_operators_have_keys_in_files_and_may_have_passkeys_beside_them(tmp_path: Path) -> None:
    with pytest.raises(OperatorsTwo):
        ca_operators.found(tmp_path, [KIM_PASSKEY, LEE_PASSKEY])
    with pytest.raises(OperatorsTwo):
        ca_operators.found(tmp_path, [KIM, KIM_PASSKEY, LEE_PASSKEY])
    ca_operators.found(tmp_path, [KIM, KIM_PASSKEY, LEE, LEE_PASSKEY])
    read = ca_operators.read(tmp_path).operators
    assert read == {one.name: one for one in (KIM, KIM_PASSKEY, LEE, LEE_PASSKEY)}


def test_a_person_has_one_passkey_and_one_key_in_a_file(tmp_path: Path) -> None:
    with pytest.raises(OperatorsRefused):
        ca_operators.found(tmp_path, [KIM, LEE, KIM_PASSKEY, passkey("kim-second", "E1001")])


def test_G2_a_passkey_is_added_by_two_others_and_the_last_keys_in_files_stay(tmp_path: Path) -> None:
    ca_operators.found(tmp_path, [KIM, LEE, NA])
    before = ca_operators.read(tmp_path)
    text = ca_operators.proposed(before, "ingam", ADD, KIM_PASSKEY, NOW).text()
    by = [Signed(name, KEYS[name].sign(text)) for name in ("lee", "na")]
    ca_operators.apply(tmp_path, text, by, authority="ingam", at=NOW)
    after = ca_operators.read(tmp_path)
    assert after.operators["kim-passkey"] == KIM_PASSKEY
    removed = ca_operators.after(after, ca_operators.proposed(after, "ingam", REMOVE, NA, NOW))
    assert set(removed) == {"kim", "lee", "kim-passkey"}
    two = after._replace(operators=removed)
    with pytest.raises(OperatorsTwo):
        ca_operators.proposed(two, "ingam", REMOVE, LEE, NOW)


def test_a_passkey_signs_no_change_of_the_operators(tmp_path: Path) -> None:
    ca_operators.found(tmp_path, [KIM, LEE, NA, KIM_PASSKEY])
    before = ca_operators.read(tmp_path)
    text = ca_operators.proposed(before, "ingam", REMOVE, NA, NOW).text()
    by = [Signed("kim-passkey", bytes(64)), Signed("lee", KEYS["lee"].sign(text))]
    with pytest.raises(OperatorsRefused) as refused:
        ca_operators.verify(text, by, before, authority="ingam", at=NOW)
    assert refused.value.facts["part"] == "signature"


def test_a_key_is_told_in_digits_or_by_the_name_of_its_file(tmp_path: Path) -> None:
    told = KIM_PASSKEY.key.hex()
    assert public_key(told) == public_key(told.upper()) == KIM_PASSKEY.key
    file = tmp_path / "kim.pub"
    file.write_text(f"{told}\n")
    assert public_key(str(file)) == KIM_PASSKEY.key
    file.write_text("01" + "ff" * 50 + "\n")
    with pytest.raises(OperatorKeyRefused):
        public_key(str(file))
