"""What device key and slot sign around 간편비밀번호: every byte of it, and whose signature counts (security B8)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ingam.protocols import pin
from ingam.protocols.pin import Act, ProofRefused

ROOT = Path(__file__).parents[3]
VECTORS: dict[str, Any] = json.loads((ROOT / "vectors/oprf/pin.json").read_text())


@pytest.mark.parametrize("case", VECTORS["asks"], ids=lambda case: str(case["act"]))
def test_the_text_of_a_request_is_what_the_browser_builds(case: dict[str, Any]) -> None:
    made = pin.text(Act(case["act"]), case["origin"], case["nonce"], case["handle"], bytes.fromhex(case["body"]))
    assert made.decode() == case["text"]


def test_B8_a_proof_is_of_one_record_one_try_and_one_key() -> None:
    proof = VECTORS["proof"]
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(proof["seed"]))
    public = key.public_key().public_bytes_raw()
    signed = pin.proof_text(proof["origin"], proof["handle"], proof["number"])
    assert (signed.decode(), public.hex(), key.sign(signed).hex()) == (
        proof["text"], proof["public"], proof["signature"],
    )  # fmt: skip
    signature = bytes.fromhex(proof["signature"])
    pin.check_proof(public, signature, signed)
    for other in (
        pin.proof_text(proof["origin"], proof["handle"], proof["number"] + 1),
        pin.proof_text(proof["origin"], "0" * 32, proof["number"]),
        pin.proof_text("http://localhost:1", proof["handle"], proof["number"]),
    ):
        with pytest.raises(ProofRefused):
            pin.check_proof(public, signature, other)
    for wrong in (b"", signature[:-1], signature[:-1] + bytes([signature[-1] ^ 1])):
        with pytest.raises(ProofRefused):
            pin.check_proof(public, wrong, signed)
    stranger = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    with pytest.raises(ProofRefused):
        pin.check_proof(stranger, signature, signed)
