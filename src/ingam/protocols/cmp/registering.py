"""An RA's registration of a holder as a general message of our own: the port between center and authority on the wire.

genm and genp carry `id-ingam-registration` (2.25.147690576529670081407829877669301549600.3), whose infoValue is
SEQUENCE SIZE (1..24) OF SEQUENCE { name UTF8String, value UTF8String }. The genm says profile, operation, name, idn …;
the genp reference_number, authorization_code, expires. It travels over TLS or loopback only, under the RA's signature.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ingam.npki import der, scan
from ingam.npki.der import NotDer
from ingam.protocols.cmp import reading, status
from ingam.protocols.cmp.header import Info

REGISTRATION: Final = "2.25.147690576529670081407829877669301549600.3"
MOST_PAIRS: Final = 24
MOST_VALUE: Final = 1024


def write(pairs: Mapping[str, str]) -> Info:
    """The entry of these pairs, in their order."""
    return Info(REGISTRATION, der.seq(*(der.seq(_text(name), _text(value)) for name, value in pairs.items())))


@reading.strict
def read(info: Info) -> dict[str, str]:
    """The pairs, each name once. Raises CmpRefused (cmp-malformed)."""
    value = info.value or b""
    found: dict[str, str] = {}
    for _, _, at, end in reading.items(value, 0, len(value), der.SEQUENCE, MOST_PAIRS):
        name_at, name_end = scan.inside(value, at, end, der.UTF8_STRING)
        value_at, value_end = reading.only(value, name_end, end, der.UTF8_STRING)
        name = status.utf8(value[name_at:name_end])
        if name in found or value_end - value_at > MOST_VALUE:
            raise NotDer(expected="a pair", found="another")
        found[name] = status.utf8(value[value_at:value_end])
    return found


def _text(value: str) -> bytes:
    return der.tlv(der.UTF8_STRING, value.encode())
