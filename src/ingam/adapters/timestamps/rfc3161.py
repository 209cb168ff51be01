"""`ports.timestamps.Timestamps` over HTTP (RFC 3161 section 3.4), by `rfc3161-client`."""

from __future__ import annotations

import http.client
import urllib.request
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from ingam.kernel.errors import Refusal
from ingam.ports.timestamps import Stamp, TimestampInvalid, TimestampOutage

SECONDS: Final = 10.0
MOST: Final = 65_536


class TsaRootsUnreadable(Refusal):
    """The file of INGAM_AUDIT_TSA_ROOTS holds no certificate in PEM."""

    code = "timestamp-roots"


class Rfc3161:
    """One authority at one address, trusted by its roots."""

    def __init__(self, address: str, roots: Path) -> None:
        if not address.startswith(("http://", "https://")):
            raise ValueError("http or https")
        self._address = address
        self._roots = read_roots(roots)

    def stamp(self, message: bytes) -> Stamp:
        request = TimestampRequestBuilder().data(message).hash_algorithm(HashAlgorithm.SHA256).build()
        der = self._ask(request.as_bytes())
        return Stamp(der, checked(der, message, self._roots, request.nonce))

    def check(self, der: bytes, message: bytes) -> datetime:
        return checked(der, message, self._roots)

    def _ask(self, query: bytes) -> bytes:
        asked = urllib.request.Request(self._address, query, {"content-type": "application/timestamp-query"})  # noqa: S310
        try:
            with urllib.request.urlopen(asked, timeout=SECONDS) as answer:  # noqa: S310 - http(s) only
                found: bytes = answer.read(MOST + 1)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise TimestampOutage(cause=type(error).__name__) from error
        return found


def read_roots(path: Path) -> list[x509.Certificate]:
    """The roots of a PEM file. Raises TsaRootsUnreadable."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):
        raise TsaRootsUnreadable from None


def checked(der: bytes, message: bytes, roots: list[x509.Certificate], nonce: int | None = None) -> datetime:
    """The time of a stamp, once it is one of the roots' authorities' over this message. Raises TimestampInvalid."""
    builder = VerifierBuilder()
    for root in roots:
        builder = builder.add_root_certificate(root)
    if nonce is not None:
        builder = builder.nonce(nonce)
    try:
        response: TimeStampResponse = decode_timestamp_response(der)
        builder.build().verify_message(response, message)
    except (VerificationError, ValueError) as error:
        raise TimestampInvalid(cause=type(error).__name__) from None
    return response.tst_info.gen_time
