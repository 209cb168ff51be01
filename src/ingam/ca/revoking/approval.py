"""Revocation on behalf that two operators of the console signed with their passkeys (security D14, G2, G3).

The text is the console's own change (`INGAM-CHANGE/1`), to the byte what both were shown; the challenge of each passkey
is its SHA-256. The authority knows the passkeys from its own list and believes nothing else that the console says.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from ingam.ca.revoking.statement import BY_NAME, LIFE, NEEDED, SKEW, Operator, StatementRefused
from ingam.protocols import webauthn
from ingam.protocols.cmp.on_behalf import OperatorSignature
from ingam.protocols.webauthn import RelyingParty, WebAuthnRefused
from ingam.protocols.webauthn.as_key import unpack

FIRST_LINE: Final = "INGAM-CHANGE/1"
KIND: Final = "revocation"
MOST_TEXT: Final = 2048
_HEAD: Final = ("change", "kind", "maker", "subjects", "drafted", "expires", "nonce")
_LINES: Final = ("authority", "certificate", "serial", "reason", "basis")
_BASIS: Final = re.compile(r"[a-z][a-z-]{1,39}")


@dataclass(frozen=True, slots=True)
class Approval:
    """What is approved. `fingerprint`: SHA-256 of the certificate; `subjects`: employee numbers of whom it is about."""

    authority: str
    fingerprint: bytes
    serial: int
    reason: str
    basis: str
    maker: str
    subjects: tuple[str, ...]
    drafted: datetime
    expires: datetime


def parse(text: bytes) -> Approval:
    """An approval from a change's text: the head in its order, then exactly these lines. Raises StatementRefused."""
    if len(text) > MOST_TEXT:
        raise StatementRefused(part="text")
    try:
        first, *rest = text.decode("utf-8").split("\n")
        head = dict(line.split(": ", 1) for line in rest[: len(_HEAD)])
        divider, *lines, last = rest[len(_HEAD) :]
        found = [json.loads(line) for line in lines]
        names = tuple(name for name, _, _ in found)
        values = {name: after for name, _, after in found}
        approval = Approval(
            values["authority"], bytes.fromhex(values["certificate"]), int(values["serial"], 16), values["reason"],
            values["basis"], head["maker"], tuple(one for one in head["subjects"].split(",") if one != "-"),
            _instant(head["drafted"]), _instant(head["expires"]),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, RecursionError):
        raise StatementRefused(part="text") from None
    whole = (first, divider, last, names, tuple(head)) == (FIRST_LINE, "---", "", _LINES, _HEAD)
    if not whole or head["kind"] != KIND or len(approval.fingerprint) != 32:
        raise StatementRefused(part="text")
    if approval.reason not in BY_NAME or not _BASIS.fullmatch(approval.basis):
        raise StatementRefused(part="reason")
    return approval


def verify(
    text: bytes, signatures: Sequence[OperatorSignature], operators: Mapping[str, Operator], console: RelyingParty,
    *, authority: str, at: datetime,
) -> tuple[Approval, tuple[Operator, ...]]:  # fmt: skip
    """What is approved and by whom. Raises StatementRefused with the part of the first check that it fails."""
    # 1. The text is a change of this kind, to the byte, and speaks of this authority.
    approval = parse(text)
    if approval.authority != authority:
        raise StatementRefused(part="authority")
    # 2. It is of today, and its own end has not passed (G3).
    if not at - LIFE <= approval.drafted <= at + SKEW or at >= approval.expires:
        raise StatementRefused(part="time")
    # 3. Every signature is a passkey of a known operator over these bytes; one that is not spoils all.
    challenge = hashlib.sha256(text).digest()
    persons = tuple(_checked(challenge, one, operators.values(), console) for one in signatures)
    # 4. They are two natural persons, one of them its maker, and it is about neither (G2).
    named = {one.person for one in persons}
    if len(named) < NEEDED or approval.maker not in named or not named.isdisjoint(approval.subjects):
        raise StatementRefused(part="two-persons")
    return approval, persons


def _checked(
    challenge: bytes, signed: OperatorSignature, operators: Iterable[Operator], console: RelyingParty
) -> Operator:
    for operator in operators:
        credential = unpack(operator.key)
        if credential is None or operator.person != signed.employee:
            continue
        if webauthn.encode(credential.credential_id) != signed.credential:
            continue
        try:
            webauthn.check(console, challenge, credential, _answer(signed))
        except WebAuthnRefused:
            raise StatementRefused(part="signature") from None
        return operator
    raise StatementRefused(part="operator-unknown")


def _answer(signed: OperatorSignature) -> dict[str, object]:
    """AuthenticationResponseJSON."""
    response = {
        "clientDataJSON": signed.client_data,
        "authenticatorData": signed.authenticator_data,
        "signature": signed.signature,
    }
    return {"id": signed.credential, "rawId": signed.credential, "type": "public-key", "response": response}


def _instant(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
