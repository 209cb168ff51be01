"""CertTemplate (RFC 4211 §5): what a requester wishes, or what names a certificate to revoke. Implicit tags.

Read field by field in place: it stands on the authority's hot path.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from ingam.npki import der, scan
from ingam.npki.certificate import instant
from ingam.npki.der import NotDer
from ingam.protocols.cmp import header, reading

MOST_SERIAL_OCTETS: Final = 21
"""Of an INTEGER: RFC 5280 allows 20, and a leading zero octet is met."""

_NO_KEY: Final = b"\x03\x01\x00"
_VERSION, _SERIAL, _, _ISSUER, _VALIDITY, _SUBJECT, _KEY, _ISSUER_UID, _SUBJECT_UID, _EXTENSIONS = range(10)


class CertTemplate(NamedTuple):
    """CertTemplate (§5). `signing_alg`, `issuer`, `subject`, `public_key`, `extensions`: DER with universal tags.

    `version`: 2 is v3. `public_key` None: absent, or empty because the authority is to make the key; in the latter
    case `key_algorithm` is its DER AlgorithmIdentifier. `issuer_uid`, `subject_uid`: whole elements as received.
    """

    version: int | None = None
    serial_number: int | None = None
    signing_alg: bytes | None = None
    issuer: bytes | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    subject: bytes | None = None
    public_key: bytes | None = None
    issuer_uid: bytes | None = None
    subject_uid: bytes | None = None
    extensions: bytes | None = None
    key_algorithm: bytes | None = None

    def __repr__(self) -> str:
        return "<CertTemplate>"


def read_template(data: bytes, at: int, limit: int) -> CertTemplate:
    """The CertTemplate that fills `at` to `limit`. Raises NotDer, CertificateMalformed."""
    at, limit = reading.only(data, at, limit, der.SEQUENCE)
    found: dict[str, Any] = {}
    last = -1
    while at < limit:
        tag, body, end = scan.head(data, at, limit)
        field = tag & 0x1F
        if not last < field <= _EXTENSIONS or tag != _TEMPLATE_TAGS[field]:
            raise NotDer(expected="the next field of a template", found=f"{tag:02x}")
        if field == _VALIDITY:
            found.update(_validity(data, body, end))
        elif field == _KEY:
            found.update(_public_key(data, body, end))
        else:
            found[_TEMPLATE_NAMES[field]] = _template_field(field, data, at, body, end)
        last, at = field, end
    return CertTemplate(**found)


_TEMPLATE_TAGS: Final = (0x80, 0x81, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0x87, 0x88, 0xA9)
_TEMPLATE_NAMES: Final = (
    "version", "serial_number", "signing_alg", "issuer", "", "subject", "", "issuer_uid", "subject_uid", "extensions",
)  # fmt: skip


def _template_field(field: int, data: bytes, at: int, body: int, end: int) -> bytes | int:
    if field in (_ISSUER, _SUBJECT):
        reading.only(data, body, end, der.SEQUENCE)  # Name is a CHOICE: its tag is explicit
        if end - body > header.MOST_NAME:
            raise NotDer(expected="a name", found=end - body)
        return data[body:end]
    if field in (_VERSION, _SERIAL):
        return _retagged_integer(data, body, end)
    if field in (_ISSUER_UID, _SUBJECT_UID):
        return data[at:end]
    if body == end:
        raise NotDer(expected="extensions or an algorithm", found="nothing")
    return b"\x30" + data[at + 1 : end]


def _retagged_integer(data: bytes, body: int, end: int) -> int:
    if end - body > MOST_SERIAL_OCTETS:
        raise NotDer(expected=f"at most {MOST_SERIAL_OCTETS} octets", found=end - body)
    return scan.integer(der.tlv(der.INTEGER, data[body:end]), 0, end - body + 2)[0]


def _validity(data: bytes, body: int, end: int) -> dict[str, datetime]:
    parts = scan.parts(data, body, end)
    if [tag for tag, *_ in parts] not in ([0xA0], [0xA1], [0xA0, 0xA1]):
        raise NotDer(expected="a validity", found=len(parts))
    found = {}
    for tag, _, start, stop in parts:
        found["not_before" if tag == 0xA0 else "not_after"], last = instant(data, start, stop)
        if last != stop:
            raise NotDer(expected="one instant", found="more")
    return found


def _public_key(data: bytes, body: int, end: int) -> dict[str, bytes]:
    _, algorithm_end = scan.inside(data, body, end, der.SEQUENCE)
    reading.only(data, algorithm_end, end, der.BIT_STRING)
    if data[algorithm_end:end] == _NO_KEY:
        return {"key_algorithm": data[body:algorithm_end]}
    return {"public_key": der.tlv(der.SEQUENCE, data[body:end])}


def write_template(template: CertTemplate) -> bytes:
    """CertTemplate; every field is written as it was read."""
    t = template
    numbered = (
        b"" if t.version is None else b"\x80" + der.integer(t.version)[1:],
        b"" if t.serial_number is None else b"\x81" + der.integer(t.serial_number)[1:],
        b"" if t.signing_alg is None else b"\xa2" + t.signing_alg[1:],
        b"" if t.issuer is None else der.explicit(3, t.issuer),
        _write_validity(t),
        b"" if t.subject is None else der.explicit(5, t.subject),
        _write_key(t),
        t.issuer_uid or b"",
        t.subject_uid or b"",
        b"" if t.extensions is None else b"\xa9" + t.extensions[1:],
    )
    return der.seq(*numbered)


def _write_key(template: CertTemplate) -> bytes:
    if template.public_key is not None:
        return b"\xa6" + template.public_key[1:]
    return b"" if template.key_algorithm is None else der.tlv(0xA6, template.key_algorithm + _NO_KEY)


def _write_validity(template: CertTemplate) -> bytes:
    ends = [
        der.explicit(number, write_time(at))
        for number, at in enumerate((template.not_before, template.not_after))
        if at is not None
    ]
    return der.tlv(0xA4, b"".join(ends)) if ends else b""


def write_time(at: datetime) -> bytes:
    """Time as RFC 5280 §4.1.2.5 wants it: UTCTime through 2049, GeneralizedTime after; whole seconds."""
    utc = at.astimezone(UTC)
    if 1950 <= utc.year < 2050:
        return der.tlv(der.UTC_TIME, utc.strftime("%y%m%d%H%M%SZ").encode())
    return header.generalized_time(utc)
