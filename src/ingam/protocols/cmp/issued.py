"""Every certificate ever issued to a person, as a general message of our own: an RA asks, the authority tells.

genm and genp carry `id-ingam-issued` (2.25.147690576529670081407829877669301549600.4) under the RA's signature.

    question   UTF8String, the person's number: 13 or 10 digits
    answer     SEQUENCE { more BOOLEAN, SEQUENCE SIZE (0..100) OF IssuedCertificate }, newest first
    IssuedCertificate ::= SEQUENCE {
        serialNumber INTEGER, fingerprint OCTET STRING (SIZE (32)), issuer Name, subject Name, profile UTF8String,
        policy OBJECT IDENTIFIER, issuedAt, notBefore, notAfter GeneralizedTime,
        state ENUMERATED { pending (0), valid (1), held (2), revoked (3) },
        ended SEQUENCE {                                                      -- of held and revoked ones
            reason CRLReason, at GeneralizedTime, neverStood BOOLEAN DEFAULT FALSE } OPTIONAL }

`more`: there are older ones that the answer leaves out. It is a person's, so it travels as registrations do.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import IntEnum
from typing import Final, NamedTuple

from ingam.kernel.secret import Secret
from ingam.npki import der, scan
from ingam.npki.certificate import instant
from ingam.npki.der import NotDer
from ingam.npki.subject import MAX_NAME
from ingam.protocols.cmp import reading, status
from ingam.protocols.cmp.header import Info, generalized_time
from ingam.protocols.cmp.message import MOST_MESSAGE

ISSUED: Final = "2.25.147690576529670081407829877669301549600.4"
MOST_ISSUED: Final = 100
MOST_PROFILE: Final = 64
"""Octets of a profile's word."""

MOST_ANSWER: Final = MOST_MESSAGE - 24 * 1024
"""Octets of an answer's value: a message holds the header, the protection and a chain besides."""

_ENUMERATED: Final = 0x0A
_NUMBERS: Final = (10, 13)
_MOST_SERIAL: Final = 21
_TRUE: Final = der.tlv(der.BOOLEAN, b"\xff")
_FALSE: Final = der.tlv(der.BOOLEAN, b"\x00")


class Standing(IntEnum):
    """What became of a certificate; one that ended by time alone stays what it was."""

    PENDING = 0
    VALID = 1
    HELD = 2
    REVOKED = 3


class Ended(NamedTuple):
    """Since when it is held or revoked, and the CRLReason. `never_stood`: nobody confirmed it, or it was given back."""

    reason: int
    at: datetime
    never_stood: bool = False


class One(NamedTuple):
    """An issued certificate. `fingerprint`: SHA-256 of its DER; `issuer`, `subject`: DER Names; `policy`: dotted."""

    serial: int
    fingerprint: bytes
    issuer: bytes
    subject: bytes
    profile: str
    policy: str
    issued_at: datetime
    not_before: datetime
    not_after: datetime
    standing: Standing
    ended: Ended | None = None


class Told(NamedTuple):
    """An answer."""

    certificates: tuple[One, ...]
    more: bool


def ask(idn: Secret[str]) -> Info:
    """The question for a person's number."""
    return Info(ISSUED, der.tlv(der.UTF8_STRING, idn.reveal().encode()))


@reading.strict
def read_asked(info: Info) -> Secret[str]:
    """The number that is asked for: 13 or 10 digits. Raises CmpRefused (cmp-malformed)."""
    value = info.value or b""
    body, end = scan.whole(value, der.UTF8_STRING)
    digits = value[body:end]
    if len(digits) not in _NUMBERS or not digits.isdigit():
        raise NotDer(expected="a number of 13 or 10 digits", found="other text")
    return Secret(digits.decode("ascii"))


def tell(certificates: Iterable[One], *, more: bool = False) -> Info:
    """The answer: as many as it may hold, and whether any were left out. `more`: some were left out before."""
    parts: list[bytes] = []
    size = 0
    for one in certificates:
        part = _write(one)
        size += len(part)
        if len(parts) == MOST_ISSUED or size > MOST_ANSWER:
            more = True
            break
        parts.append(part)
    return Info(ISSUED, der.seq(_TRUE if more else _FALSE, der.seq(*parts)))


@reading.strict
def read_told(info: Info) -> Told:
    """An answer. Raises CmpRefused (cmp-malformed)."""
    value = info.value or b""
    at, limit = scan.whole(value, der.SEQUENCE)
    flag, after = scan.inside(value, at, limit, der.BOOLEAN)
    if value[at:after] not in (_TRUE, _FALSE):
        raise NotDer(expected="true or false", found=after - flag)
    body, end = reading.only(value, after, limit, der.SEQUENCE)
    found = scan.parts(value, body, end)
    if len(found) > MOST_ISSUED or any(tag != der.SEQUENCE for tag, *_ in found):
        raise NotDer(expected=f"at most {MOST_ISSUED} certificates", found=len(found))
    return Told(tuple(_read(value, first, last) for _, _, first, last in found), value[at:after] == _TRUE)


def _write(one: One) -> bytes:
    times = map(generalized_time, (one.issued_at, one.not_before, one.not_after))
    return der.seq(
        der.integer(one.serial), der.octets(one.fingerprint), one.issuer, one.subject,
        der.tlv(der.UTF8_STRING, one.profile.encode()), der.oid(one.policy), *times, _enumerated(one.standing),
        b"" if one.ended is None else _write_ended(one.ended),
    )  # fmt: skip


def _write_ended(ended: Ended) -> bytes:
    never = _TRUE if ended.never_stood else b""
    return der.seq(_enumerated(ended.reason), generalized_time(ended.at), never)


def _read(data: bytes, at: int, limit: int) -> One:
    number, after = scan.integer(data, at, limit)
    if number <= 0 or after - at > 2 + _MOST_SERIAL:
        raise NotDer(expected="a serial number", found=after - at)
    print_at, print_end = scan.inside(data, after, limit, der.OCTET_STRING)
    if print_end - print_at != 32:
        raise NotDer(expected="a fingerprint", found=print_end - print_at)
    issuer, name_at = _name(data, print_end, limit)
    subject, name_end = _name(data, name_at, limit)
    word_at, word_end = scan.inside(data, name_end, limit, der.UTF8_STRING)
    if word_end - word_at > MOST_PROFILE:
        raise NotDer(expected="a profile", found="a longer word")
    oid_at, oid_end = scan.inside(data, word_end, limit, der.OID)
    issued_at, behind = _time(data, oid_end, limit)
    not_before, behind = _time(data, behind, limit)
    not_after, behind = _time(data, behind, limit)
    standing, behind = _standing(data, behind, limit)
    return One(
        number, data[print_at:print_end], issuer, subject, status.utf8(data[word_at:word_end]),
        der.decode_oid(data[oid_at:oid_end]), issued_at, not_before, not_after, standing,
        _ended(data, behind, limit, standing),
    )  # fmt: skip


def _name(data: bytes, at: int, limit: int) -> tuple[bytes, int]:
    _, end = scan.inside(data, at, limit, der.SEQUENCE)
    if end - at > MAX_NAME:
        raise NotDer(expected="a name", found="a longer one")
    return data[at:end], end


def _standing(data: bytes, at: int, limit: int) -> tuple[Standing, int]:
    number, end = _number(data, at, limit)
    if number >= len(Standing):
        raise NotDer(expected="a state", found=number)
    return Standing(number), end


def _ended(data: bytes, at: int, limit: int, standing: Standing) -> Ended | None:
    """There for what is held or revoked, and for nothing else."""
    if (at < limit) != (standing in (Standing.HELD, Standing.REVOKED)):
        raise NotDer(expected="an end of what ended", found=standing.name)
    if at == limit:
        return None
    body, end = reading.only(data, at, limit, der.SEQUENCE)
    reason, after = _number(data, body, end)
    ended_at, last = _time(data, after, end)
    never = data[last:end] == _TRUE
    if last != end and not never:
        raise NotDer(expected="reason and instant", found="more")
    return Ended(reason, ended_at, never)


def _time(data: bytes, at: int, limit: int) -> tuple[datetime, int]:
    found, end = instant(data, at, limit)
    if data[at] != der.GENERALIZED_TIME:
        raise NotDer(expected="GeneralizedTime", found=f"{data[at]:02x}")
    return found, end


def _number(data: bytes, at: int, limit: int) -> tuple[int, int]:
    """An ENUMERATED of one octet below 128."""
    body, end = scan.inside(data, at, limit, _ENUMERATED)
    if end - body != 1 or data[body] >= 0x80:
        raise NotDer(expected="a small number", found=end - body)
    return data[body], end


def _enumerated(value: int) -> bytes:
    return der.tlv(_ENUMERATED, bytes((value,)))
