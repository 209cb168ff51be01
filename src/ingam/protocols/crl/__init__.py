"""CRL v2 (RFC 5280 section 5): `reading` as a relying party, `glance` at one of any size, `writing` as an authority."""

from ingam.protocols.crl.reading import (
    MAX_CRL,
    CrlUnusable,
    Entry,
    RevocationList,
    UnverifiedList,
    parse,
    partition_of,
    verify,
)

__all__ = [
    "MAX_CRL",
    "CrlUnusable",
    "Entry",
    "RevocationList",
    "UnverifiedList",
    "parse",
    "partition_of",
    "verify",
]
