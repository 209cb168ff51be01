"""PKIHeader (RFC 9810 §5.1.1): read with a bound for every field, written, and what stands in its generalInfo."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from ingam.kernel.errors import Defect
from ingam.npki import der, scan
from ingam.npki.certificate import CertificateMalformed, instant
from ingam.npki.der import NotDer
from ingam.protocols.cmp import reading, status
from ingam.protocols.cmp.status import CmpRefused, FailInfo

MOST_TRANSACTION_ID: Final = 128
MOST_NONCE: Final = 128
MOST_KEY_ID: Final = 4096
MOST_INFO: Final = 32
MOST_NAME: Final = 4096
"""Bytes of a GeneralName."""

VERSIONS: Final = frozenset((1, 2, 3))
"""cmp1999, cmp2000, cmp2021; RFC 9483 §3.1 allows the last two."""

IMPLICIT_CONFIRM: Final = "1.3.6.1.5.5.7.4.13"
CONFIRM_WAIT_TIME: Final = "1.3.6.1.5.5.7.4.14"
ORIG_PKI_MESSAGE: Final = "1.3.6.1.5.5.7.4.15"
CERT_PROFILE: Final = "1.3.6.1.5.5.7.4.21"

NULL_DN: Final = bytes.fromhex("a4023000")
"""GeneralName directoryName without any attribute: a sender that has no name yet (RFC 9810 §5.1.1)."""

_GENERAL_NAMES: Final = frozenset((0xA0, 0x81, 0x82, 0xA3, 0xA4, 0xA5, 0x86, 0x87, 0x88))
_DIRECTORY_NAME: Final = 0xA4
_FREE_TEXT, _GENERAL_INFO = 7, 8
_FRACTION: Final = re.compile(rb"([0-9]{14})\.([0-9]{0,5}[1-9])Z")
_MOST_OCTETS: Final = (0, 0, MOST_KEY_ID, MOST_KEY_ID, MOST_TRANSACTION_ID, MOST_NONCE, MOST_NONCE)


class Info(NamedTuple):
    """InfoTypeAndValue: dotted type; `value` the DER of infoValue as received, or None."""

    type: str
    value: bytes | None = None


class Header(NamedTuple):
    """PKIHeader. `sender`, `recipient`: DER GeneralName; `protection_alg`: DER AlgorithmIdentifier.

    `sender_kid` … `recip_nonce`: contents of the OCTET STRINGs; `message_time`: aware, UTC. None: absent.
    """

    pvno: int
    sender: bytes
    recipient: bytes
    message_time: datetime | None = None
    protection_alg: bytes | None = None
    sender_kid: bytes | None = None
    recip_kid: bytes | None = None
    transaction_id: bytes | None = None
    sender_nonce: bytes | None = None
    recip_nonce: bytes | None = None
    free_text: tuple[str, ...] = ()
    general_info: tuple[Info, ...] = ()

    def __repr__(self) -> str:
        # Names of persons and reference numbers stand in it, and a repr ends up in logs (security H9).
        return f"<Header {(self.transaction_id or b'')[:4].hex()}>"

    def info(self, kind: str) -> Info | None:
        """The first entry of generalInfo of a dotted type, or None."""
        for one in self.general_info:
            if one.type == kind:
                return one
        return None


def read_header(data: bytes, at: int, limit: int) -> Header:
    """The PKIHeader whose content is `at` to `limit`. Raises NotDer, CertificateMalformed."""
    pvno, at = reading.number(data, at, limit)
    sender_end = general_name_end(data, at, limit)
    recipient_end = general_name_end(data, sender_end, limit)
    fields: list[Any] = [None] * 9
    fields[_FREE_TEXT] = fields[_GENERAL_INFO] = ()
    last, end = -1, recipient_end
    while end < limit:
        tag, body, stop = scan.head(data, end, limit)
        field = tag - 0xA0
        if not last < field <= _GENERAL_INFO:
            raise NotDer(expected="the next field of a header", found=f"{tag:02x}")
        fields[field] = _field(data, field, body, stop)
        last, end = field, stop
    return Header(pvno, data[at:sender_end], data[sender_end:recipient_end], *fields)


def _field(data: bytes, field: int, at: int, limit: int) -> Any:
    """The value inside `[field] EXPLICIT`."""
    if 2 <= field <= 6:
        size = limit - at - 2
        # Nearly every one is short: 04 size value. It is read in place; anything else goes the general way.
        if 0 <= size < 0x80 and data[at] == der.OCTET_STRING and data[at + 1] == size:
            body = at + 2
        else:
            body, _ = reading.only(data, at, limit, der.OCTET_STRING)
        if limit - body > _MOST_OCTETS[field]:
            raise NotDer(expected=f"at most {_MOST_OCTETS[field]} octets", found=limit - body)
        return data[body:limit]
    if field == 0:
        return _message_time(data, at, limit)
    if field == 1:
        reading.only(data, at, limit, der.SEQUENCE)
        return data[at:limit]
    if field == _FREE_TEXT:
        return status.read_free_text(data, at, limit)
    return read_infos(data, at, limit)


def _message_time(data: bytes, at: int, limit: int) -> datetime:
    body, end = reading.only(data, at, limit, der.GENERALIZED_TIME)
    if end - body == 15:
        return instant(data, at, limit)[0]
    found = _FRACTION.fullmatch(data[body:end])  # RFC 5280's ban on fractions is for certificates
    if found is None:
        raise NotDer(expected="an instant", found="other text")
    whole, fraction = found.groups()
    second = instant(der.tlv(der.GENERALIZED_TIME, whole + b"Z"), 0, 17)[0]
    return second + timedelta(microseconds=int(fraction.ljust(6, b"0")))


def generalized_time(at: datetime) -> bytes:
    """GeneralizedTime of an aware instant, in whole seconds."""
    return b"\x18\x0f" + at.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode()


def read_infos(data: bytes, at: int, limit: int) -> tuple[Info, ...]:
    """SEQUENCE OF InfoTypeAndValue that fills `at` to `limit`: 1 to 32. Raises NotDer."""
    return tuple(_info(data, body, end) for _, _, body, end in reading.items(data, at, limit, der.SEQUENCE, MOST_INFO))


def _info(data: bytes, at: int, limit: int) -> Info:
    body, end = scan.inside(data, at, limit, der.OID)
    kind = der.decode_oid(data[body:end])
    if end == limit:
        return Info(kind)
    if scan.head(data, end, limit)[2] != limit:
        raise NotDer(expected="type and value", found="more")
    return Info(kind, data[end:limit])


def write_info(info: Info) -> bytes:
    """InfoTypeAndValue."""
    return der.seq(der.oid(info.type), info.value or b"")


def general_name_end(data: bytes, at: int, limit: int) -> int:
    """Where the GeneralName at `at` ends; at most 4,096 bytes. Raises NotDer."""
    tag, body, end = scan.head(data, at, limit)
    if tag not in _GENERAL_NAMES or end - at > MOST_NAME:
        raise NotDer(expected="a GeneralName", found=f"{tag:02x}")
    if tag == _DIRECTORY_NAME:
        reading.only(data, body, end, der.SEQUENCE)
    return end


def directory_name(name: bytes) -> bytes:
    """GeneralName directoryName of a DER Name."""
    return der.tlv(_DIRECTORY_NAME, name)


def name_in(general_name: bytes) -> bytes | None:
    """DER of the Name in a GeneralName that was read, or None where it is not a directoryName."""
    if general_name[0] != _DIRECTORY_NAME:
        return None
    return general_name[scan.head(general_name, 0, len(general_name))[1] :]


def write_header(header: Header) -> bytes:
    """PKIHeader; raises Defect for a field over its bound."""
    parts = [der.integer(header.pvno), header.sender, header.recipient]
    if header.message_time is not None:
        parts.append(der.explicit(0, generalized_time(header.message_time)))
    if header.protection_alg is not None:
        parts.append(der.explicit(1, header.protection_alg))
    for field, value in enumerate(header[5:10], 2):
        if value is not None:
            size = len(value)
            if size > _MOST_OCTETS[field]:
                raise Defect(field=field)
            short = bytes((0xA0 | field, size + 2, der.OCTET_STRING, size)) + value if size < 0x7E else None
            parts.append(short or der.explicit(field, der.octets(value)))
    if header.free_text:
        parts.append(der.explicit(_FREE_TEXT, status.write_free_text(header.free_text)))
    if header.general_info == _IMPLICIT:
        parts.append(_IMPLICIT_DER)
    elif header.general_info:
        parts.append(_write_infos(header.general_info))
    return der.seq(*parts)


def _write_infos(infos: tuple[Info, ...]) -> bytes:
    return der.explicit(_GENERAL_INFO, der.seq(*map(write_info, infos)))


IMPLICIT_CONFIRM_INFO: Final = Info(IMPLICIT_CONFIRM, der.null)
_IMPLICIT: Final = (IMPLICIT_CONFIRM_INFO,)
_IMPLICIT_DER: Final = _write_infos(_IMPLICIT)  # what nearly every answer to an enrolment says


def implicit_confirm(header: Header) -> bool:
    """Whether generalInfo asks for, or grants, implicit confirmation (RFC 9810 §5.1.1.1).

    Raises CmpRefused (cmp-header-info, badRequest) where its value is not NULL.
    """
    found = header.info(IMPLICIT_CONFIRM)
    if found is not None and found.value not in (None, der.null):
        raise CmpRefused("cmp-header-info", FailInfo.BAD_REQUEST, found="implicitConfirm")
    return found is not None


def confirm_wait_time(header: Header) -> datetime | None:
    """Until when the sender waits for the confirmation (RFC 9810 §5.1.1.2), or None.

    Raises CmpRefused (cmp-header-info, badDataFormat) where it is no GeneralizedTime.
    """
    found = header.info(CONFIRM_WAIT_TIME)
    if found is None:
        return None
    try:
        return _message_time(found.value or b"", 0, len(found.value or b""))
    except (NotDer, CertificateMalformed):
        raise CmpRefused("cmp-header-info", found="confirmWaitTime") from None


def cert_profiles(header: Header) -> tuple[str, ...]:
    """Names of the certificate profiles that the sender asks for (RFC 9810 §5.1.1.4), in order.

    Raises CmpRefused (cmp-header-info, badDataFormat) where they are no SEQUENCE OF UTF8String.
    """
    found = header.info(CERT_PROFILE)
    if found is None:
        return ()
    try:
        return status.read_free_text(found.value or b"", 0, len(found.value or b""))
    except NotDer:
        raise CmpRefused("cmp-header-info", found="certProfile") from None


def confirm_wait_time_info(until: datetime) -> Info:
    """The entry of generalInfo that says until when a confirmation is waited for."""
    return Info(CONFIRM_WAIT_TIME, generalized_time(until))


def cert_profile_info(*profiles: str) -> Info:
    """The entry of generalInfo that names certificate profiles."""
    return Info(CERT_PROFILE, status.write_free_text(profiles))


def answer_header(
    request: Header, *, sender: bytes, nonce: bytes, at: datetime, sender_kid: bytes | None = None
) -> Header:
    """The header of an answer: same version and transactionID, the request's senderNonce as recipNonce (§5.1.1).

    `sender`: DER GeneralName of whoever answers; `nonce`: its fresh senderNonce, 16 bytes.
    """
    return Header(
        pvno=request.pvno if request.pvno in VERSIONS else 2,
        sender=sender,
        recipient=request.sender,
        message_time=at,
        sender_kid=sender_kid,
        transaction_id=request.transaction_id,
        sender_nonce=nonce,
        recip_nonce=request.sender_nonce,
    )
