"""`ingam cert show --all`: what a certificate says of itself besides its name and period, as 인증서 보기 has it."""

from __future__ import annotations

from typing import Any

from ingam.kernel.errors import Refusal
from ingam.npki.certificate import Certificate
from ingam.npki.vid import parse_identify_data


def every(owner: Certificate) -> dict[str, Any]:
    """Identifiers in lower hex, addresses and OIDs as they stand; None for what it has not, or not readably."""
    aki, usage = owner.aki, owner.key_usage
    return {
        "policies": list(owner.policies),
        "signature_algorithm": owner.signature_oid,
        "key_usage": sorted(usage or ()),
        "vid_hash": _vid_hash(owner),
        "subject_key_id": owner.ski.hex() if owner.ski else None,
        "authority_key_id": aki.key_id.hex() if aki is not None and aki.key_id else None,
        "crl": list(owner.crl_distribution_points),
        "ocsp": list(owner.ocsp_urls),
    }


def rows(told: dict[str, Any]) -> dict[str, str]:
    """The same as texts, by the names of their headings."""
    texts = {name: ", ".join(value) if isinstance(value, list) else value for name, value in told.items()}
    return {name: str(value or "–") for name, value in texts.items()}


def _vid_hash(owner: Certificate) -> str | None:
    try:
        return None if owner.identify_data is None else parse_identify_data(owner.identify_data).vid.hash
    except Refusal:
        return None
