"""Certificates that the Korean authorities publish, as data: the anchors of `ingam cert verify` without `--anchors`.

KISA RootCA 4 with its CAs, SignKorea CA5 pinned until the certificate of KISA RootCA 5 is had, and OCSP responders.
The bytes are those of `vectors/npki-samples/authorities`; both generations stay side by side (npki.md section 2.4).
"""

from __future__ import annotations

from importlib.resources import files

from ingam.npki import certificate
from ingam.npki.certificate import Certificate


def published() -> list[Certificate]:
    """Every published certificate that lies here: roots, CAs and OCSP responders."""
    here = files(__package__)
    return [certificate.parse(one.read_bytes()) for one in here.iterdir() if one.name.endswith(".cer")]
