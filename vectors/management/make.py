"""Makes `keys.json`: key files whose PKCS#8 has attributes of every shape, for what may never lose a byte of them.

`python vectors/management/make.py` from the root of the project. Certificate and RSA key are the public samples beside;
the attributes are drawn from fixed labels, so nothing changes unless this file or the format does. Python makes them;
Python and TypeScript change passwords, export and import, and find the same PKCS#8 again.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from ingam.npki import der
from ingam.npki.key_file import Variant, open_key, seal_key
from ingam.npki.private_key import RANDOM_NUMBER, open_pkcs8

HERE: Final = Path(__file__).parent
SAMPLE: Final = HERE.parent / "npki-samples" / "pypinksign"
SAMPLE_PASSWORD: Final = b"WTuA8Ev0lWXVFSiI!"
PASSWORD: Final = "ingam-Test#2026"
COUNT: Final = 7
VARIANTS: Final = tuple(Variant)


def fixed(label: str) -> Callable[[int], bytes]:
    """Bytes that look random and are always the same."""
    drawn = iter(range(1 << 30))
    return lambda size: hashlib.shake_256(f"{label}/{next(drawn)}".encode()).digest(size)


def bare() -> list[bytes]:
    """Version, algorithm and key of the sample, without its attributes."""
    opened = open_key((SAMPLE / "signPri.key").read_bytes(), SAMPLE_PASSWORD)
    return [part.raw for part in der.whole(bytes(opened.pkcs8.reveal())).sequence()[:3]]


def with_attributes(drawn: Callable[[int], bytes]) -> bytes:
    """The key with R, or none, and up to three attributes that nobody knows, in any order and of any content."""
    chosen = drawn(4)
    attributes = []
    if chosen[0] % 5:
        attributes.append(der.seq(RANDOM_NUMBER, der.set_of([der.bits(drawn(20 + chosen[0] % 45))])))
    for number in range(chosen[1] % 4):
        values = [der.octets(drawn(1 + size % 200)) for size in drawn(1 + chosen[2] % 3)]
        attributes.append(der.seq(der.oid(f"1.3.6.1.4.1.99999.{number}.{chosen[3]}"), der.set_of(values)))
    attributes = attributes[::-1] if chosen[3] % 2 else attributes
    parts = bare() + ([der.tlv(0xA0, b"".join(attributes))] if attributes else [])
    return der.seq(*parts)


def case(number: int) -> dict[str, Any]:
    """One key file and what is inside."""
    pkcs8 = with_attributes(fixed(f"management/{number}"))
    key = open_pkcs8(pkcs8)
    variant = VARIANTS[number % len(VARIANTS)]
    sealed = seal_key(pkcs8, PASSWORD.encode(), variant, random=fixed(f"seal/{number}"))
    return {
        "key_file": base64.b64encode(sealed).decode(),
        "variant": variant,
        "has_r": key.has_random,
        "pkcs8_sha256": hashlib.sha256(pkcs8).hexdigest(),
    }


def main() -> None:
    """Writes the file."""
    told = {
        "made_by": "vectors/management/make.py",
        "certificate": "npki-samples/pypinksign/signCert.der",
        "password": PASSWORD,
        "cases": [case(number) for number in range(COUNT)],
    }
    (HERE / "keys.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
