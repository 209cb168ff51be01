"""Digest authentication to a trunk (RFC 7616 and RFC 8760; RFC 3261 section 22): the credentials for a challenge."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from ingam.kernel.secret import Secret

HASHES: Final[Mapping[str, Callable[[bytes], str]]] = {
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
}
"""By preference; most trunks know MD5 only, and TLS keeps what it cannot."""

_PAIR: Final = re.compile(r'([A-Za-z-]{1,32})\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]+)')


class Challenge(NamedTuple):
    """`realm`, `nonce` and `opaque` are written back as they came; `qop`: whether `auth` is offered."""

    realm: str
    nonce: str
    algorithm: str
    qop: bool
    opaque: str | None
    stale: bool


def challenge(values: Sequence[str]) -> Challenge | None:
    """The best of the challenges of a 401 or 407 that can be answered; None where there is none."""
    found = [one for one in map(_read, values) if one is not None]
    return min(found, key=lambda one: tuple(HASHES).index(one.algorithm), default=None)


def credentials(
    asked: Challenge, *, user: str, password: Secret[str], method: str, uri: str, cnonce: str, count: int = 1
) -> str:
    """The value of Authorization or Proxy-Authorization. `cnonce`: random, hex; `count`: uses of this nonce."""
    told = HASHES[asked.algorithm]
    ha1 = told(f"{user}:{asked.realm}:{password.reveal()}".encode())
    ha2 = told(f"{method}:{uri}".encode())
    nc = f"{count:08x}"
    middle = f"{asked.nonce}:{nc}:{cnonce}:auth" if asked.qop else asked.nonce
    parts = [
        f'username="{user}"', f'realm="{asked.realm}"', f'nonce="{asked.nonce}"', f'uri="{uri}"',
        f'response="{told(f"{ha1}:{middle}:{ha2}".encode())}"', f"algorithm={asked.algorithm}",
    ]  # fmt: skip
    if asked.qop:
        parts += ["qop=auth", f"nc={nc}", f'cnonce="{cnonce}"']
    if asked.opaque is not None:
        parts.append(f'opaque="{asked.opaque}"')
    return "Digest " + ", ".join(parts)


def _read(value: str) -> Challenge | None:
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() != "digest":
        return None
    given = {name.lower(): told.strip('"') for name, told in _PAIR.findall(rest)}
    algorithm = given.get("algorithm", "MD5").upper()
    qop = [one.strip() for one in given.get("qop", "").split(",") if one.strip()]
    if "realm" not in given or "nonce" not in given or algorithm not in HASHES or (qop and "auth" not in qop):
        return None
    return Challenge(
        given["realm"], given["nonce"], algorithm, bool(qop), given.get("opaque"),
        given.get("stale", "").lower() == "true",
    )  # fmt: skip
