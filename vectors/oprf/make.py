"""Makes `pin.json`: the texts that are signed around a PIN, and a whole run of it under values that protect nothing.

`python vectors/oprf/make.py` from the root of the project. `rfc9497.json` beside it holds values of the RFC.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import shake_256
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ingam.protocols import oprf, pin
from ingam.protocols.pin import Act

HERE: Final = Path(__file__).parent
ORIGIN: Final = "http://localhost:8700"
HANDLE: Final = "00112233445566778899aabbccddeeff"


def fixed(label: str, size: int) -> bytes:
    """Bytes that look random and are always the same."""
    return shake_256(f"pin/{label}".encode()).digest(size)


def drawing(label: str) -> Callable[[int], bytes]:
    """Randomness of a label."""
    return lambda size: fixed(label, size)


def asks() -> list[dict[str, Any]]:
    """Every act's text."""
    made = []
    for act in Act:
        handle = None if act is Act.SET else HANDLE
        body = {Act.SET: fixed("element", 32) + fixed("proves", 32), Act.ASK: fixed("element", 32), Act.REMOVE: b""}[
            act
        ]
        nonce = fixed(f"nonce {act}", 32).hex()
        text = pin.text(act, ORIGIN, nonce, handle, body).decode()
        made.append(
            {"act": str(act), "origin": ORIGIN, "nonce": nonce, "handle": handle, "body": body.hex(), "text": text}
        )  # fmt: skip
    return made


def proof() -> dict[str, Any]:
    """A proof and its key."""
    key = Ed25519PrivateKey.from_private_bytes(fixed("seed", 32))
    text = pin.proof_text(ORIGIN, HANDLE, 7)
    return {
        "seed": fixed("seed", 32).hex(),
        "public": key.public_key().public_bytes_raw().hex(),
        "origin": ORIGIN,
        "handle": HANDLE,
        "number": 7,
        "text": text.decode(),
        "signature": key.sign(text).hex(),
    }


def runs() -> list[dict[str, str]]:
    """Inputs under keys: what both languages make of them."""
    made = []
    for number in range(6):
        text, key = fixed(f"text {number}", number * 31), oprf.new_key(drawing(f"key {number}"))
        blinded = oprf.blind(text, drawing(f"blind {number}"))
        evaluated = oprf.evaluate(key, blinded.element, drawing("any"))
        made.append(
            {
                "input": text.hex(),
                "key": key.hex(),
                "blind": blinded.blind.hex(),
                "blinded": blinded.element.hex(),
                "evaluated": evaluated.hex(),
                "output": oprf.finalize(text, blinded.blind, evaluated).hex(),
            }
        )
    return made


if __name__ == "__main__":
    told = {"asks": asks(), "proof": proof(), "runs": runs()}
    (HERE / "pin.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
