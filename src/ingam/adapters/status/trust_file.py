"""Reads the trust configuration: `authorities.toml` and the certificates beside it (security A7, A11).

[[issuing]]
name = "SignKorea CA4"
certificate = "signkorea-ca4.der"
root = "root4.der"                     # absent: the CA is pinned without its root
responders = ["signkorea-ocsp.der"]    # issued by the root, EKU OCSPSigning
ocsp = "http://ocsp.signkorea.test/"
crl = "http://dir.signkorea.test/crl/{partition}.crl"
root_list = "http://dirsys.rootca.test/root4.arl"
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from ingam.kernel.errors import Refusal
from ingam.npki import certificate, chain
from ingam.npki.certificate import Certificate, CertificateMalformed
from ingam.ports.status import Authorities, IssuingAuthority
from ingam.protocols.ocsp import OCSP_SIGNING


class TrustFileRefused(Refusal):
    """The trust configuration is not usable; the process does not start."""

    code = "trust-file-refused"


def read(path: Path) -> tuple[Authorities, chain.Anchors]:
    """All issuing CAs of a trust file, and the anchors for path validation. Raises TrustFileRefused, AnchorUnfit."""
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8"))["issuing"]
        issuing = [_issuing(path.parent, row) for row in rows]
    except (OSError, KeyError, TypeError, ValueError, CertificateMalformed) as wrong:
        raise TrustFileRefused(file=path.name, reason=type(wrong).__name__) from None
    anchors = chain.Anchors(
        roots={one.root.fingerprint: one.root for one in issuing if one.root}.values(),
        authorities=[one.certificate for one in issuing if one.root],
        pinned=[one.certificate for one in issuing if not one.root],
    )
    for one in issuing:
        _check_responders(one, anchors)
    return Authorities({one.certificate.fingerprint: one for one in issuing}), anchors


def _issuing(folder: Path, row: dict[str, Any]) -> IssuingAuthority:
    return IssuingAuthority(
        name=row["name"],
        certificate=_certificate(folder, row["certificate"]),
        root=_certificate(folder, row["root"]) if row.get("root") else None,
        responders=tuple(_certificate(folder, name) for name in row.get("responders", [])),
        ocsp=row.get("ocsp", ""),
        crl=row.get("crl", ""),
        root_list=row.get("root_list", ""),
    )


def _certificate(folder: Path, name: str) -> Certificate:
    return certificate.parse((folder / name).read_bytes())


def _check_responders(issuing: IssuingAuthority, anchors: chain.Anchors) -> None:
    """A configured responder is for OCSP, no CA, and its root signed it (A11)."""
    for responder in issuing.responders:
        constraints = responder.basic_constraints
        if responder.eku != (OCSP_SIGNING,) or (constraints is not None and constraints.ca):
            raise TrustFileRefused(authority=issuing.name, reason="responder-purpose")
        if issuing.root is None:
            continue
        root = anchors.root_of(responder)
        if root is None or root.certificate.fingerprint != issuing.root.fingerprint:
            raise TrustFileRefused(authority=issuing.name, reason="responder-issuer")
        chain.verify_signed_by(responder, root)
