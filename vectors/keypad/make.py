"""Makes layouts.json and sealed.json: layouts from given bytes, and a blob that Python sealed. Run it from the root."""

from __future__ import annotations

import json
from hashlib import sha256, shake_256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from ingam.protocols.keypad import KeypadKey, Kind, Layout, Pressed, Where, layout, packed, seal, seal_info

HERE = Path(__file__).parent
SECRET = int.from_bytes(sha256(b"ingam keypad vector").digest(), "big") >> 1
WHERE = Where("00112233445566778899aabbccddeeff", "registration", "password")


def drawn(kind: Kind, name: str) -> dict[str, object]:
    stream = shake_256(name.encode()).digest(1024)
    at = 0

    def take(count: int) -> bytes:
        nonlocal at
        at += count
        return stream[at - count : at]

    return {"kind": str(kind), "random": stream.hex(), **told(layout(kind, take))}


def told(found: Layout) -> dict[str, object]:
    pages = {
        name: [[None if key is None else [key.id, key.glyph] for key in row] for row in rows]
        for name, rows in found.pages.items()
    }
    return {"pages": pages, "space": None if found.space is None else [found.space.id, found.space.glyph]}


def sealed() -> dict[str, object]:
    key = KeypadKey(ec.derive_private_key(SECRET, ec.SECP256R1()))
    items: list[Pressed | str] = [Pressed("0a1b"), "한 글자", Pressed("ffff")]
    return {
        "private": f"{SECRET:064x}",
        "public": key.public.hex(),
        "where": {"keypad": WHERE.keypad, "flow": WHERE.flow, "field": WHERE.field},
        "info": seal_info(key.key_id, WHERE).hex(),
        "items": [{"key": one.id} if isinstance(one, Pressed) else {"text": one} for one in items],
        "plain": packed(items).hex(),
        "blob": seal(key.public, items, WHERE).hex(),
    }


def main() -> None:
    layouts = [drawn(kind, f"{kind} {turn}") for kind in Kind for turn in range(3)]
    for name, found in (("layouts", layouts), ("sealed", sealed())):
        text = json.dumps(found, ensure_ascii=False, indent=1) + "\n"
        (HERE / f"{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
