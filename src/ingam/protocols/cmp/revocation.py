"""Revocation: RevReqContent of rr and RevRepContent of rp (RFC 9810 §5.3.9, §5.3.10, RFC 9483 §4.2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from ingam.npki import der, scan
from ingam.npki.certificate import instant
from ingam.npki.der import NotDer
from ingam.protocols.cmp import reading, status
from ingam.protocols.cmp.crmf import CertId, read_cert_id, write_cert_id
from ingam.protocols.cmp.header import generalized_time
from ingam.protocols.cmp.message import Body, BodyKind, content
from ingam.protocols.cmp.status import CmpRefused, FailInfo, StatusInfo
from ingam.protocols.cmp.template import CertTemplate, read_template, write_template

MOST_DETAILS: Final = 16
MOST_EXTENSIONS: Final = 16

REASONS: Final = frozenset((0, 1, 2, 3, 4, 5, 6, 8, 9, 10))
"""CRLReason (RFC 5280 §5.3.1); 6 holds, 8 (removeFromCRL) asks to resume."""

_ENUMERATED: Final = 0x0A
_REASON: Final = der.oid("2.5.29.21")
_INVALIDITY_DATE: Final = der.oid("2.5.29.24")


class RevDetails(NamedTuple):
    """RevDetails. `template` names the certificate (issuer and serial number); `reason`: a CRLReason or None.

    `invalidity_date`: since when the key is to be mistrusted. `other_extensions`: DER Extensions not read here.
    """

    template: CertTemplate
    reason: int | None = None
    invalidity_date: datetime | None = None
    other_extensions: tuple[bytes, ...] = ()


class RevRepContent(NamedTuple):
    """RevRepContent: one status a request, in order; `crls`: DER CertificateLists."""

    statuses: tuple[StatusInfo, ...]
    cert_ids: tuple[CertId, ...] = ()
    crls: tuple[bytes, ...] = ()


@reading.strict
def read_rev_req(body: Body) -> tuple[RevDetails, ...]:
    """The RevDetails of an rr: 1 to 16.

    Raises CmpRefused: cmp-malformed (badDataFormat: also a reason that no RFC knows), cmp-revocation-reasons
    (badRequest: the reason or the date twice).
    """
    data = body.element
    found = reading.items(data, *content(body, (BodyKind.RR,)), der.SEQUENCE, MOST_DETAILS)
    return tuple(_details(data, first, last) for _, _, first, last in found)


def _details(data: bytes, at: int, limit: int) -> RevDetails:
    _, end = scan.inside(data, at, limit, der.SEQUENCE)
    details = RevDetails(read_template(data, at, end))
    if end == limit:
        return details
    for _, start, first, last in reading.items(data, end, limit, der.SEQUENCE, MOST_EXTENSIONS):
        details = _extension(details, data, start, first, last)
    return details


def _extension(details: RevDetails, data: bytes, start: int, at: int, limit: int) -> RevDetails:
    _, oid_end = scan.inside(data, at, limit, der.OID)
    kind = data[at:oid_end]
    value = oid_end + 3 if data[oid_end:limit].startswith(b"\x01\x01\xff") else oid_end
    body, end = reading.only(data, value, limit, der.OCTET_STRING)
    if kind == _REASON:
        if details.reason is not None:
            raise CmpRefused("cmp-revocation-reasons", FailInfo.BAD_REQUEST)
        return details._replace(reason=_reason(data, body, end))
    if kind == _INVALIDITY_DATE:
        if details.invalidity_date is not None:
            raise CmpRefused("cmp-revocation-reasons", FailInfo.BAD_REQUEST)
        reading.only(data, body, end, der.GENERALIZED_TIME)
        return details._replace(invalidity_date=instant(data, body, end)[0])
    return details._replace(other_extensions=(*details.other_extensions, data[start:limit]))


def _reason(data: bytes, at: int, limit: int) -> int:
    body, _ = reading.only(data, at, limit, _ENUMERATED)
    if limit - body != 1 or data[body] not in REASONS:
        raise NotDer(expected="a CRLReason", found=data[body:limit][:4].hex())
    return data[body]


def write_rev_req(*details: RevDetails) -> Body:
    """The body of an rr."""
    inner = der.seq(*(der.seq(write_template(one.template), _write_extensions(one)) for one in details))
    return Body(BodyKind.RR, der.explicit(BodyKind.RR, inner))


def _write_extensions(details: RevDetails) -> bytes:
    found = []
    if details.reason is not None:
        found.append(der.seq(_REASON, der.octets(bytes((_ENUMERATED, 1, details.reason)))))
    if details.invalidity_date is not None:
        found.append(der.seq(_INVALIDITY_DATE, der.octets(generalized_time(details.invalidity_date))))
    found.extend(details.other_extensions)
    return der.seq(*found) if found else b""


@reading.strict
def read_rev_rep(body: Body) -> RevRepContent:
    """The RevRepContent of an rp. Raises CmpRefused (cmp-malformed)."""
    data = body.element
    at, limit = reading.only(data, *content(body, (BodyKind.RP,)), der.SEQUENCE)
    _, end = scan.inside(data, at, limit, der.SEQUENCE)
    found = reading.items(data, at, end, der.SEQUENCE, MOST_DETAILS)
    statuses = tuple(status.read_status_info(data, start, last)[0] for _, start, _, last in found)
    cert_ids: tuple[CertId, ...] = ()
    crls: tuple[bytes, ...] = ()
    if end < limit and data[end] == 0xA0:
        inner, end = scan.inside(data, end, limit, 0xA0)
        ids = reading.items(data, inner, end, der.SEQUENCE, MOST_DETAILS)
        cert_ids = tuple(read_cert_id(data[start:last]) for _, start, _, last in ids)
    if end < limit:
        inner, end = reading.only(data, end, limit, 0xA1)
        lists = reading.items(data, inner, end, der.SEQUENCE, MOST_DETAILS)
        crls = tuple(data[start:last] for _, start, _, last in lists)
    return RevRepContent(statuses, cert_ids, crls)


def write_rev_rep(statuses: Sequence[StatusInfo], cert_ids: Sequence[CertId] = (), crls: Sequence[bytes] = ()) -> Body:
    """The body of an rp."""
    inner = der.seq(
        der.seq(*map(status.write_status_info, statuses)),
        der.explicit(0, der.seq(*map(write_cert_id, cert_ids))) if cert_ids else b"",
        der.explicit(1, der.seq(*crls)) if crls else b"",
    )
    return Body(BodyKind.RP, der.explicit(BodyKind.RP, inner))
