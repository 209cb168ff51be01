"""The operators who sign on behalf (폐지 대행): `operators.toml` of an authority's folder, and how it changes.

The first ones come two at once (security G1). Later changes are statements that two other operators sign, in the manner
of `ca/revoking/statement`: one person alone can neither become an operator nor remove one (G2).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import secrets
import stat
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ingam.ca.revoking.statement import LIFE, MOST_TEXT, NEEDED, SKEW, Operator, Signed
from ingam.kernel.errors import Refusal
from ingam.kernel.instants import rfc3339
from ingam.protocols.webauthn.as_key import ED25519_BYTES, KEY, is_key

FILE: Final = "operators.toml"
FIRST_LINE: Final = "INGAM-OPERATORS/1"
ADD: Final = "add"
REMOVE: Final = "remove"

_LINES: Final = ("authority", "act", "name", "person", "key", "before", "time")
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")
_PERSON: Final = re.compile(r"[0-9A-Za-z-]{1,32}")
_HEAD: Final = """\
# The operators who sign on behalf (security D14). Written by `ingam ca operator`; two of them sign a change.
"""


class OperatorsMalformed(Refusal):
    """operators.toml cannot be used (facts: reason: toml, operator, twice, open-to-others)."""

    code = "ca-operators-malformed"


class OperatorsTwo(Refusal):
    """The first operators are two or more persons at once, and two always remain; nothing was changed."""

    code = "ca-operators-two"


class OperatorsRefused(Refusal):
    """A change of the operators does not carry; nothing was changed (facts: part).

    Parts: text, authority, time, before (operators.toml is not the one that was changed), known (name, person or key
    stands there), unknown (no such operator), operator-unknown, signature, two-persons, own-change.
    """

    code = "ca-operators-refused"


class Operators(NamedTuple):
    """By name. `changes`: how many there were; `digest`: SHA-256 of the file, of nothing where there is none."""

    operators: Mapping[str, Operator]
    changes: int
    digest: bytes


class Change(NamedTuple):
    """One operator more or less. `before`: digest of the file that it changes."""

    authority: str
    act: str
    operator: Operator
    before: bytes
    time: datetime

    def text(self) -> bytes:
        """The exact bytes that are signed. Raises OperatorsRefused for what no change can say."""
        one = self.operator
        fit = _NAME.fullmatch(one.name) and _PERSON.fullmatch(one.person) and is_key(one.key)
        if self.act not in (ADD, REMOVE) or not fit or not self.authority.isascii():
            raise OperatorsRefused(part="text")
        values = (self.authority, self.act, one.name, one.person, one.key.hex(), self.before.hex(), rfc3339(self.time))
        lines = [FIRST_LINE, *(f"{name}: {value}" for name, value in zip(_LINES, values, strict=True))]
        return ("\n".join(lines) + "\n").encode("ascii")


def read(folder: Path) -> Operators:
    """The operators of an authority. Raises OperatorsMalformed."""
    try:
        with (folder / FILE).open("rb") as file:
            open_to_others = stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o022
            octets = file.read()
    except FileNotFoundError:
        return Operators({}, 0, hashlib.sha256().digest())
    except OSError:
        raise OperatorsMalformed(reason="toml") from None
    if open_to_others:
        raise OperatorsMalformed(reason="open-to-others")
    return _parsed(octets)


def found(folder: Path, first: Sequence[Operator]) -> None:
    """The first operators. Raises OperatorsTwo, OperatorsRefused (there are some already; one stands there twice)."""
    if _persons(first) < NEEDED:
        raise OperatorsTwo
    with _alone(folder):
        before = read(folder)
        if before.operators or before.changes:
            raise OperatorsRefused(part="known")
        chosen: dict[str, Operator] = {}
        for one in first:
            _check_new(one, chosen)
            chosen[one.name] = one
        _write(folder, chosen, 1)


def proposed(before: Operators, authority: str, act: str, operator: Operator, time: datetime) -> Change:
    """The change that is to be signed. Raises OperatorsTwo, OperatorsRefused (part: known, unknown)."""
    after(before, Change(authority, act, operator, before.digest, time))
    return Change(authority, act, operator, before.digest, time)


def apply(
    folder: Path, text: bytes, signatures: Sequence[Signed], *, authority: str, at: datetime
) -> tuple[Change, tuple[Operator, ...]]:
    """The change and who signed it, once it stands in the file. Raises OperatorsTwo, OperatorsRefused."""
    with _alone(folder):
        before = read(folder)
        change, persons = verify(text, signatures, before, authority=authority, at=at)
        _write(folder, after(before, change), before.changes + 1)
    return change, persons


def verify(
    text: bytes, signatures: Sequence[Signed], before: Operators, *, authority: str, at: datetime
) -> tuple[Change, tuple[Operator, ...]]:
    """The change and who signed it. Raises OperatorsRefused with the part of the first check that it fails."""
    # 1. The text is a change, to the byte, of this authority's operators.
    change = parse_change(text)
    if change.authority != authority:
        raise OperatorsRefused(part="authority")
    # 2. It is of today (G3), and of the operators as they stand: none is applied twice.
    if not at - LIFE <= change.time <= at + SKEW:
        raise OperatorsRefused(part="time")
    if change.before != before.digest:
        raise OperatorsRefused(part="before")
    # 3. Every signature is a known operator's over these bytes; one that is not spoils all.
    persons = tuple(_signed(text, one, before.operators) for one in signatures)
    # 4. They are two natural persons, and it is about neither of them (G2).
    if len({one.person for one in persons}) < NEEDED:
        raise OperatorsRefused(part="two-persons")
    if any(one.person == change.operator.person for one in persons):
        raise OperatorsRefused(part="own-change")
    return change, persons


def parse_change(text: bytes) -> Change:
    """A change from its text, which must be to the byte what `Change.text` makes. Raises OperatorsRefused."""
    if len(text) > MOST_TEXT:
        raise OperatorsRefused(part="text")
    try:
        first, *lines, last = text.decode("ascii").split("\n")
        told = dict(line.split(": ", 1) for line in lines)
        change = Change(
            told["authority"], told["act"], Operator(told["name"], told["person"], bytes.fromhex(told["key"])),
            bytes.fromhex(told["before"]), datetime.strptime(told["time"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC),
        )  # fmt: skip
        canonical = change.text()
    except (ValueError, KeyError):
        raise OperatorsRefused(part="text") from None
    if first != FIRST_LINE or last or canonical != text:
        raise OperatorsRefused(part="text")
    return change


def after(before: Operators, change: Change) -> dict[str, Operator]:
    """The operators after a change. Raises OperatorsTwo, OperatorsRefused (part: known, unknown)."""
    chosen, one = dict(before.operators), change.operator
    if change.act == ADD:
        _check_new(one, chosen)
        chosen[one.name] = one
    elif chosen.pop(one.name, None) != one:
        raise OperatorsRefused(part="unknown")
    if _persons(chosen.values()) < NEEDED:
        raise OperatorsTwo
    return chosen


def _check_new(one: Operator, known: Mapping[str, Operator]) -> None:
    """A person has one key of each kind, each under a name of its own; a new key comes after the old one went."""
    for other in known.values():
        same = one.person == other.person and _in_file(one) == _in_file(other)
        if one.name == other.name or one.key == other.key or same:
            raise OperatorsRefused(part="known")


def _in_file(one: Operator) -> bool:
    """Whether it is a key in a file of its owner's, which signs statements; else a passkey at the console."""
    return len(one.key) == ED25519_BYTES


def _persons(operators: Iterable[Operator]) -> int:
    """How many persons can sign a change of the operators."""
    return len({one.person for one in operators if _in_file(one)})


def _signed(text: bytes, one: Signed, operators: Mapping[str, Operator]) -> Operator:
    operator = operators.get(one.operator)
    if operator is None:
        raise OperatorsRefused(part="operator-unknown")
    try:
        Ed25519PublicKey.from_public_bytes(operator.key).verify(one.signature, text)
    except (InvalidSignature, ValueError):
        raise OperatorsRefused(part="signature") from None
    return operator


def _parsed(octets: bytes) -> Operators:
    try:
        told = tomllib.loads(octets.decode("utf-8"))
        rows, changes = told["operator"], told["changes"]
        chosen: dict[str, Operator] = {}
        for row in rows:
            one = _operator(row)
            _check_new(one, chosen)
            chosen[one.name] = one
    except (ValueError, KeyError, TypeError, AttributeError):
        raise OperatorsMalformed(reason="toml") from None
    except OperatorsRefused:
        raise OperatorsMalformed(reason="twice") from None
    if not isinstance(changes, int):
        raise OperatorsMalformed(reason="toml")
    return Operators(chosen, changes, hashlib.sha256(octets).digest())


def _operator(row: Mapping[str, Any]) -> Operator:
    name, person, key = row["name"], row["person"], row["key"]
    if not (_NAME.fullmatch(name) and _PERSON.fullmatch(person) and KEY.fullmatch(key)):
        raise OperatorsMalformed(reason="operator")
    return Operator(name, person, bytes.fromhex(key))


def _write(folder: Path, operators: Mapping[str, Operator], changes: int) -> None:
    """Whole or not at all. The names and numbers have no letter that TOML would have to escape."""
    rows = [
        f'\n[[operator]]\nname = "{one.name}"\nperson = "{one.person}"\nkey = "{one.key.hex()}"\n'
        for one in operators.values()
    ]
    text = f"{_HEAD}changes = {changes}\n" + "".join(rows)
    draft = folder / f".{FILE}.{secrets.token_hex(8)}"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text.encode("ascii"))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / FILE)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One change at a time."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
