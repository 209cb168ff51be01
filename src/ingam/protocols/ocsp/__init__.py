"""OCSP (RFC 6960, 5019, 9654): `reading` as a relying party, `answering` as a responder."""

from ingam.protocols.ocsp.reading import (
    CLOCK_SKEW,
    HOLD,
    MAX_ANSWER,
    OCSP_SIGNING,
    REASONS,
    CertStatus,
    OcspTryLater,
    OcspUnusable,
    UnverifiedAnswer,
    cert_id,
    parse,
    request,
    verify,
    verify_relayed,
)

__all__ = [
    "CLOCK_SKEW",
    "HOLD",
    "MAX_ANSWER",
    "OCSP_SIGNING",
    "REASONS",
    "CertStatus",
    "OcspTryLater",
    "OcspUnusable",
    "UnverifiedAnswer",
    "cert_id",
    "parse",
    "request",
    "verify",
    "verify_relayed",
]
