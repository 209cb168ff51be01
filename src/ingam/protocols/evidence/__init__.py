"""A signed act as it is kept and handed out: the text, the signature, and why the certificate was good at that moment.

One JSON object, `ingam-evidence/1`, bytes in base64 (RFC 4648 §4), instants in RFC 3339. It is complete in itself but
for the trust: whoever examines it brings the certificates of the authorities (`examining`). Nobody has to be asked.
"""

from __future__ import annotations

import re
from datetime import datetime
from hashlib import sha256
from typing import Final

import msgspec

from ingam.kernel.errors import Refusal
from ingam.kernel.instants import rfc3339
from ingam.protocols.challenge import Challenge, Purpose, body_of

FORM: Final = "ingam-evidence/1"
MOST: Final = 32 * 1024 * 1024
"""Bytes of a file that is looked at: a list of revoked certificates is the largest part."""

_FIRST_LINE: Final = "INGAM-EVIDENCE/1"
_NUMBER: Final = re.compile(r"[0-9]{8}-[0-9]{10}")


class EvidenceUnreadable(Refusal):
    """It is no evidence of this form (facts: cause)."""

    code = "evidence-unreadable"


class Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The challenge that was signed, but for what follows from the text. `nonce`, `session`: 64 lower hex (A1)."""

    origin: str
    nonce: str
    issued: datetime
    expires: datetime
    session: str


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One signed act.

    `number`: of its receipt, which `text` holds as well; `act`: the purpose that was signed for; `at`: when the center
    checked all of it, which nobody but the center says where there is no stamp; `text`: what the person was shown and
    signed; `cms`: the signature with the person's certificate in it; `authority`, `root`
    and `responders`: DER; `source`: `ocsp` or `crl`; `status`: that answer or list as it came; `stamp`: the
    TimeStampResp over `stamped(…)`, or None where no time-stamp authority is configured.
    """

    form: str = FORM
    number: str
    act: str
    at: datetime
    text: str
    signed: Signed
    cms: bytes
    authority: bytes
    root: bytes | None
    responders: tuple[bytes, ...]
    source: str
    status: bytes
    stamp: bytes | None = None

    def __repr__(self) -> str:
        return f"<evidence {self.number}>"

    def challenge(self) -> Challenge:
        """What was signed, rebuilt from here: `body` is the hash of the very text (A19). Raises EvidenceUnreadable."""
        told = self.signed
        if self.act not in list(Purpose):
            raise EvidenceUnreadable(cause="act")
        return Challenge(
            Purpose(self.act), told.origin, told.nonce, told.issued, told.expires, told.session, body_of(self.text)
        )


def written(evidence: Evidence) -> bytes:
    """The file."""
    return msgspec.json.format(msgspec.json.encode(evidence), indent=1) + b"\n"


def read(data: bytes) -> Evidence:
    """What a file says; nothing of it is believed yet. Raises EvidenceUnreadable."""
    if len(data) > MOST:
        raise EvidenceUnreadable(cause="too-large")
    try:
        found = msgspec.json.decode(data, type=Evidence)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise EvidenceUnreadable(cause="form") from None
    if found.form != FORM:
        raise EvidenceUnreadable(cause="form")
    if any(at.tzinfo is None for at in (found.at, found.signed.issued, found.signed.expires)):
        raise EvidenceUnreadable(cause="instant")
    return found


def numbered(text: str, number: str) -> bool:
    """Whether the text that is signed holds this receipt's number, as the end of a line `word: number` (A19)."""
    return _NUMBER.fullmatch(number) is not None and any(line.endswith(f": {number}") for line in text.split("\n"))


def digest(evidence: Evidence) -> str:
    """SHA-256 of everything, stamp included, 64 lower hex: what the audit line of the act carries."""
    stamp = "-" if evidence.stamp is None else sha256(evidence.stamp).hexdigest()
    return sha256(stamped(evidence) + f"stamp: {stamp}\n".encode()).hexdigest()


def stamped(evidence: Evidence) -> bytes:
    """What a time-stamp authority stamps: a line for each part, so that no two evidences read alike."""
    told = evidence.signed
    root = "-" if evidence.root is None else sha256(evidence.root).hexdigest()
    return "".join(
        f"{line}\n"
        for line in (
            _FIRST_LINE,
            f"number: {_line(evidence.number)}",
            f"act: {_line(evidence.act)}",
            f"at: {rfc3339(evidence.at)}",
            f"text: {body_of(evidence.text)}",
            f"origin: {_line(told.origin)}",
            f"nonce: {_line(told.nonce)}",
            f"issued: {rfc3339(told.issued)}",
            f"expires: {rfc3339(told.expires)}",
            f"session: {_line(told.session)}",
            f"cms: {sha256(evidence.cms).hexdigest()}",
            f"authority: {sha256(evidence.authority).hexdigest()}",
            f"root: {root}",
            *(f"responder: {sha256(one).hexdigest()}" for one in evidence.responders),
            f"{_line(evidence.source)}: {sha256(evidence.status).hexdigest()}",
        )
    ).encode()


def _line(text: str) -> str:
    """A text that stays in its line."""
    return msgspec.json.encode(text).decode()
