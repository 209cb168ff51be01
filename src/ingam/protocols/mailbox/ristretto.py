"""The group ristretto255 (RFC 9496) in Python: bytes in, bytes out, and nothing but canonical elements.

Own values come back as they should by the RFC's vectors; it stands alone, and `group` prefers libsodium where that is
installed. Python's integers do not take constant time: a scalar lives for one run of the protocol, on the person's
own device.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ingam.kernel.errors import Refusal

ELEMENT: Final = 32
UNIFORM: Final = 64
SCALAR: Final = 32
IDENTITY: Final = bytes(ELEMENT)
ORDER: Final = 2**252 + 27742317777372353535851937790883648493

_P: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _P) % _P
_SQRT_M1: Final = pow(2, (_P - 1) // 4, _P)


class PointRefused(Refusal):
    """The bytes are no element (not canonical, or not of the group), or an operation gave the identity."""

    code = "copy-broken"


class _Point(NamedTuple):
    """Extended coordinates (x, y, z, t = xy/z) on the twisted Edwards curve with a = -1."""

    x: int
    y: int
    z: int
    t: int


_NEUTRAL: Final = _Point(0, 1, 1, 0)


def _negative(value: int) -> bool:
    return value & 1 == 1


def _absolute(value: int) -> int:
    return _P - value if _negative(value) else value


def _sqrt_ratio(u: int, v: int) -> tuple[bool, int]:
    """SQRT_RATIO_M1 (RFC 9496 §4.2): whether u/v is a square, and the non-negative root of u/v or of i·u/v."""
    root = u * pow(v, 3, _P) * pow(u * pow(v, 7, _P) % _P, (_P - 5) // 8, _P) % _P
    check = v * root * root % _P
    flipped = check == -u % _P
    if flipped or check == -u * _SQRT_M1 % _P:
        root = root * _SQRT_M1 % _P
    return check == u % _P or flipped, _absolute(root)


_INVSQRT_A_MINUS_D: Final = _sqrt_ratio(1, (-1 - _D) % _P)[1]
_ONE_MINUS_D_SQ: Final = (1 - _D * _D) % _P
_D_MINUS_ONE_SQ: Final = (_D - 1) ** 2 % _P
# RFC 9496 §4.1 fixes the sign of this root: it is the odd one.
_SQRT_AD_MINUS_ONE: Final = _P - _sqrt_ratio((-_D - 1) % _P, 1)[1]


def _decode(element: bytes) -> _Point:
    """RFC 9496 §4.3.1. Raises PointRefused."""
    s = int.from_bytes(element, "little")
    if len(element) != ELEMENT or s >= _P or _negative(s):
        raise PointRefused
    ss = s * s % _P
    u1, u2 = (1 - ss) % _P, (1 + ss) % _P
    u2_sqr = u2 * u2 % _P
    v = (-(_D * u1 * u1) - u2_sqr) % _P
    was_square, inverse = _sqrt_ratio(1, v * u2_sqr % _P)
    den_x = inverse * u2 % _P
    x = _absolute(2 * s * den_x % _P)
    y = u1 * inverse * den_x * v % _P
    t = x * y % _P
    if not was_square or _negative(t) or y == 0:
        raise PointRefused
    return _Point(x, y, 1, t)


def _encode(point: _Point) -> bytes:
    """RFC 9496 §4.3.2."""
    x, y, z, t = point
    u1, u2 = (z + y) * (z - y) % _P, x * y % _P
    inverse = _sqrt_ratio(1, u1 * u2 * u2 % _P)[1]
    den1, den2 = inverse * u1 % _P, inverse * u2 % _P
    z_inverse = den1 * den2 * t % _P
    den = den2
    if _negative(t * z_inverse % _P):
        x, y, den = y * _SQRT_M1 % _P, x * _SQRT_M1 % _P, den1 * _INVSQRT_A_MINUS_D % _P
    if _negative(x * z_inverse % _P):
        y = -y % _P
    return _absolute(den * (z - y) % _P).to_bytes(ELEMENT, "little")


def _map(half: bytes) -> _Point:
    """MAP of RFC 9496 §4.3.4: 32 bytes, the top bit of which is masked, to a point."""
    t = int.from_bytes(half, "little") % 2**255 % _P
    r = _SQRT_M1 * t * t % _P
    u = (r + 1) * _ONE_MINUS_D_SQ % _P
    v = (-1 - r * _D) * (r + _D) % _P
    was_square, s = _sqrt_ratio(u, v)
    c = -1
    if not was_square:
        s, c = -_absolute(s * t % _P) % _P, r
    n = (c * (r - 1) * _D_MINUS_ONE_SQ - v) % _P
    w0, w1 = 2 * s * v % _P, n * _SQRT_AD_MINUS_ONE % _P
    w2, w3 = (1 - s * s) % _P, (1 + s * s) % _P
    return _Point(w0 * w3 % _P, w2 * w1 % _P, w1 * w3 % _P, w0 * w2 % _P)


def _add(one: _Point, other: _Point) -> _Point:
    """The complete addition law for a = -1 (Hisil, Wong, Carter, Dawson 2008); it also doubles."""
    a = (one.y - one.x) * (other.y - other.x)
    b = (one.y + one.x) * (other.y + other.x)
    c = 2 * _D * one.t * other.t
    d = 2 * one.z * other.z
    e, f, g, h = (b - a) % _P, (d - c) % _P, (d + c) % _P, (b + a) % _P
    return _Point(e * f % _P, g * h % _P, f * g % _P, e * h % _P)


def _times(scalar: int, point: _Point) -> _Point:
    """Windows of four bits, one addition each whatever the bits are."""
    table = [_NEUTRAL]
    for _ in range(15):
        table.append(_add(table[-1], point))
    product = _NEUTRAL
    for shift in range(252, -1, -4):
        for _ in range(4):
            product = _add(product, product)
        product = _add(product, table[scalar >> shift & 15])
    return product


def derive(uniform: bytes) -> bytes:
    """The element of 64 uniform bytes (RFC 9496 §4.3.4), encoded: 32 bytes."""
    if len(uniform) != UNIFORM:
        raise ValueError("element derivation takes 64 bytes")
    return _encode(_add(_map(uniform[:32]), _map(uniform[32:])))


def multiply(scalar: bytes, element: bytes) -> bytes:
    """scalar · element, encoded. `scalar`: 32 bytes, little-endian, below 2^255.

    Raises PointRefused for bytes that are no element, and where the product is the identity.
    """
    if len(scalar) != SCALAR or scalar[31] >= 128:
        raise ValueError("a scalar is 32 bytes with a clear top bit")
    product = _encode(_times(int.from_bytes(scalar, "little") % ORDER, _decode(element)))
    if product == IDENTITY:
        raise PointRefused
    return product
