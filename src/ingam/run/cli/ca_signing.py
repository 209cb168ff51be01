"""What operators do with their keys: `ingam ca operator key` makes one, `ingam ca sign` signs a statement with it.

A key is an encrypted PKCS#8 in a file of its owner's; a signature is a small text beside the statement. Only texts that
are statements, to the byte, are signed, and the operator sees what they say.
"""

from __future__ import annotations

import base64
import binascii
import re
from argparse import Namespace
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from ingam.adapters.hsm.key_files import KeyFileRefused
from ingam.adapters.hsm.sealed_keys import MOST_BYTES, Cost, Sealer
from ingam.ca.revoking import statement
from ingam.ca.revoking.statement import Signed, StatementRefused
from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret
from ingam.protocols.webauthn import as_key
from ingam.run.cli import ca_place, ca_telling
from ingam.run.cli.ca_operators import OperatorsRefused, parse_change

COST: Final = Cost()
FIRST_LINE: Final = "INGAM-SIGNATURE/1"

_SIGNATURE: Final = re.compile(
    rf"{FIRST_LINE}\noperator: (?P<operator>[a-z][a-z0-9-]{{0,31}})\nsignature: (?P<octets>[A-Za-z0-9+/]{{86}}==)\n"
)
_OPEN: Final = "운영자 키의 비밀번호 · passphrase of the operator's key: "
_NEW: Final = "운영자 키의 새 비밀번호 · new passphrase of the operator's key: "
_MADE: Final = {"file": "키 파일 · key file", "public_file": "공개키 파일 · public key", "key": "공개키 · public key"}
_SIGNED: Final = {"file": "서명 파일 · signature", "operator": "운영자 · operator"}


class NotAStatement(Refusal):
    """The file is no statement that operators sign; nothing was signed."""

    code = "ca-not-a-statement"


class SignatureMalformed(Refusal):
    """The file is no operator's signature (facts: name)."""

    code = "ca-signature-malformed"


class OperatorKeyRefused(Refusal):
    """This is not an operator's public key: 64 hexadecimal digits of Ed25519 (facts: name)."""

    code = "ca-operator-key"


def make_key(options: Namespace) -> int:
    """`operator key`: FILE, encrypted and for its owner only, and FILE.pub."""
    public_file = options.out.with_name(f"{options.out.name}.pub")
    ca_place.absent(options.out)
    ca_place.absent(public_file)
    passphrase = _chosen(options.passphrase_file)
    key = Ed25519PrivateKey.generate()
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    ca_place.write_new(options.out, Sealer(passphrase, COST).seal(plain), 0o600)
    ca_place.write_new(public_file, f"{public}\n".encode("ascii"))
    told = {"file": str(options.out), "public_file": str(public_file), "key": public}
    ca_telling.tell(told, _MADE, as_json=options.json)
    return ca_telling.DONE


def sign(options: Namespace) -> int:
    """`sign`: shows what the statement says, and writes the operator's signature over exactly its bytes."""
    text = ca_place.contents(options.file)
    shown = _stated(text)
    out = ca_place.absent(options.out or Path(f"{options.file}.{options.operator}.sig"))
    if not options.json:
        print(shown, end="", flush=True)
    key = read_key(options.key, ca_place.passphrase_of(options.passphrase_file, _OPEN))
    ca_place.write_new(out, written(Signed(options.operator, key.sign(text))))
    told = {"file": str(out), "operator": options.operator}
    ca_telling.tell(told | {"statement": shown}, _SIGNED, as_json=options.json)
    return ca_telling.DONE


def read_key(name: str, passphrase: Secret[str]) -> Ed25519PrivateKey:
    """An operator's key. Raises KeysLocked (another passphrase), KeyFileRefused, FileUnreadable."""
    plain = Sealer(passphrase, COST).open(ca_place.contents(name)[: MOST_BYTES + 1])
    try:
        key = load_der_private_key(plain, None)
    except ValueError:
        raise KeyFileRefused(reason="malformed") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileRefused(reason="another-key")
    return key


def written(signed: Signed) -> bytes:
    """The text of a signature's file."""
    octets = base64.b64encode(signed.signature).decode("ascii")
    return f"{FIRST_LINE}\noperator: {signed.operator}\nsignature: {octets}\n".encode("ascii")


def read_signature(name: str) -> Signed:
    """A signature from its file. Raises FileUnreadable, SignatureMalformed."""
    found = _SIGNATURE.fullmatch(ca_place.contents(name).decode("latin-1"))
    if found is None:
        raise SignatureMalformed(name=Path(name).name)
    try:
        octets = base64.b64decode(found["octets"], validate=True)
    except binascii.Error:
        raise SignatureMalformed(name=Path(name).name) from None
    return Signed(found["operator"], octets)


def public_key(told: str) -> bytes:
    """An operator's public key, Ed25519 or a passkey's, told in digits or by the name of its file.

    Raises OperatorKeyRefused, FileUnreadable.
    """
    word = told.lower()
    if not as_key.KEY.fullmatch(word):
        word = ca_place.contents(told).decode("latin-1").strip().lower()
    if not as_key.KEY.fullmatch(word) or not as_key.is_key(bytes.fromhex(word)):
        raise OperatorKeyRefused(name=Path(told).name)
    return bytes.fromhex(word)


def _chosen(file: str | None) -> Secret[str]:
    if file is None:
        return ca_place.new_passphrase(_NEW)
    told = ca_place.passphrase_of(file, _NEW)
    if len(told) < ca_place.SHORTEST:
        raise ca_place.PassphraseShort(least=ca_place.SHORTEST)
    return told


def _stated(text: bytes) -> str:
    """The text of a statement of either kind. Raises NotAStatement."""
    for parse in (statement.parse, parse_change):
        try:
            parse(text)
        except (StatementRefused, OperatorsRefused):
            continue
        return text.decode("ascii")
    raise NotAStatement
