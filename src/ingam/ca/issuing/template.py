"""A compiled template: the to-be-signed bytes of one profile under one generation and partition, all but what differs.

`npki.shapes` says how a certificate is built; a template has built once whatever is the same in every one of them, and
`fill` puts the rest in: the same bytes as `shapes.tbs_certificate`, in a quarter of the time (a test holds both to it).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from ingam.ca.issuing import lint
from ingam.ca.profiles import Authority, Generation, Profile, shape_of
from ingam.kernel.errors import Defect
from ingam.npki import der, shapes
from ingam.npki.vid import Vid, encode_identify_data

_VERSION_3: Final = der.explicit(0, der.integer(2))
_SUBJECT_KEY: Final = der.oid("2.5.29.14")
_ALTERNATIVE_NAME: Final = der.oid("2.5.29.17")
_STAND_IN: Final = bytes(20)


class Template:
    """One profile under one generation and partition; immutable, shared by threads."""

    __slots__ = ("_behind", "_between", "_front", "_hosts", "_identified", "_issuer", "_rules")

    def __init__(self, authority: Authority, profile: Profile, generation: Generation, partition: int) -> None:
        self._identified, self._hosts = profile.identified, profile.hosts
        self._issuer = generation.algorithm + generation.name
        self._rules = lint.rules_of(authority, profile, generation, partition)
        # A stand-in for what differs shows where it stands among the extensions.
        named = profile.identified or profile.hosts
        shape = shape_of(authority, profile, generation.number, partition, real_name="-" if named else None)
        parts = shapes.extensions(shape, generation.authority_key, _STAND_IN)
        key, name = _place(parts, _SUBJECT_KEY), _place(parts, _ALTERNATIVE_NAME)
        assert key is not None
        cut = len(parts) if name is None else name
        self._front = b"".join(parts[:key]) + parts[key][: -len(_STAND_IN)]
        self._between = b"".join(parts[key + 1 : cut])
        self._behind = b"".join(parts[cut + 1 :])

    def fill(
        self,
        serial: int,
        not_before: datetime,
        not_after: datetime,
        subject: bytes,
        spki: bytes,
        subject_key_id: bytes,
        real_name: str | None,
        vid: bytes | None,
        hosts: tuple[str, ...] = (),
    ) -> bytes:
        """DER of the TBSCertificate. `subject`, `spki`: DER; `subject_key_id`: 20 octets; `vid`: 32 octets (SHA-256).

        `hosts` is for profiles that have them and is ignored elsewhere. Raises Defect `template-facts` where a fact is
        missing or too much, `shape-serial`, `shape-instant`.
        """
        if serial <= 0 or serial.bit_length() > 159:
            raise Defect("shape-serial")
        if len(subject_key_id) != 20:
            raise Defect("template-facts")
        extensions = b"".join(
            (self._front, subject_key_id, self._between, self._alternative_name(real_name, vid, hosts), self._behind)
        )
        return der.tlv(
            der.SEQUENCE,
            _VERSION_3
            + der.integer(serial)
            + self._issuer
            + _validity(not_before, not_after)
            + subject
            + spki
            + der.tlv(0xA3, der.tlv(der.SEQUENCE, extensions)),
        )

    def expect(
        self,
        serial: int,
        not_before: datetime,
        not_after: datetime,
        subject: bytes,
        spki: bytes,
        real_name: str | None,
        vid: bytes | None,
        hosts: tuple[str, ...] = (),
    ) -> lint.Expectation:
        """What `lint` holds the bytes to, from the same facts but not from the template's bytes."""
        known = hosts if self._hosts else ()
        return lint.Expectation(self._rules, serial, not_before, not_after, subject, spki, real_name, vid, known)

    def _alternative_name(self, real_name: str | None, vid: bytes | None, hosts: tuple[str, ...]) -> bytes:
        if self._identified != (real_name is not None) or self._identified != (vid is not None):
            raise Defect("template-facts")
        if vid is not None and len(vid) != 32:
            raise Defect("template-facts")
        if self._hosts:
            if not hosts:
                raise Defect("template-facts")
            return shapes.alternative_name(None, None, hosts)
        return b"" if real_name is None or vid is None else _identified(real_name.encode(), vid)


def compile_template(authority: Authority, profile: Profile, generation: Generation, partition: int) -> Template:
    """A template; there is one for each generation, profile and partition, made once."""
    return Template(authority, profile, generation, partition)


def new_serial(random: Callable[[int], bytes], size: int = 16) -> int:
    """A positive serial of exactly `size` octets: all bits random but the first one (security D11, RFC 5280 §4.1.2.2).

    `random`: a CSPRNG. A first octet of zero would be left out by DER, so those are drawn again.
    """
    while True:
        serial = int.from_bytes(random(size), "big") & (1 << 8 * size - 1) - 1
        if serial >> 8 * (size - 1):
            return serial


def _place(parts: list[bytes], oid: bytes) -> int | None:
    return next((place for place, one in enumerate(parts) if oid in one[:12]), None)


# identifyData with one VID: what is constant in it, once.

_OTHER: Final = der.oid("1.2.410.200004.10.1.1")
_VID_HEAD: Final = der.whole(encode_identify_data("", Vid("sha256", bytes(32)))).content[2:-32]


def _identified(name: bytes, vid: bytes) -> bytes:
    value = der.tlv(der.SEQUENCE, der.tlv(der.UTF8_STRING, name) + _VID_HEAD + vid)
    other = der.tlv(0xA0, _OTHER + der.tlv(0xA0, value))
    return der.tlv(der.SEQUENCE, _ALTERNATIVE_NAME + der.tlv(der.OCTET_STRING, der.tlv(der.SEQUENCE, other)))


def _validity(not_before: datetime, not_after: datetime) -> bytes:
    return der.tlv(der.SEQUENCE, shapes.instant(not_before) + shapes.instant(not_after))
