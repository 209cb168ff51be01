"""`ingam cert verify`: the path to an anchor, and the status by a CRL file or by asking the OCSP responder.

Offline unless asked, and "cannot confirm" is never good: a status that was asked for and not confirmed is a refusal.
"""

from __future__ import annotations

import base64
import secrets
import urllib.error
import urllib.request
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from ingam.kernel.errors import Outage, Refusal
from ingam.kernel.instants import rfc3339
from ingam.npki import authorities, certificate, chain
from ingam.npki.certificate import MAX_CERTIFICATE, Certificate, CertificateMalformed
from ingam.npki.chain import Anchor, Anchors, PathRefused
from ingam.npki.chain import Path as TrustPath
from ingam.npki.folder import FolderRefused
from ingam.protocols import crl as crls
from ingam.protocols import ocsp

TIMEOUT: Final = 10
MOST_ANCHORS: Final = 200
_ENDINGS: Final = (".cer", ".crt", ".der", ".pem")
_OCSP_SIGNING: Final = (ocsp.OCSP_SIGNING,)
_HOLD: Final = "certificateHold"


class NotGood(Refusal):
    """The status is known and not good: cert-revoked, cert-suspended or status-unknown."""

    code = "cert-revoked"


def check(
    owner: Certificate,
    *,
    anchors: Path | None,
    at: datetime,
    crl: Path | None,
    online: bool,
    address: str | None,
) -> dict[str, Any]:
    """Path, instant and status as `verify --json` tells them.

    Raises PathRefused, NotGood, Outage (a status that was asked for could not be confirmed), FolderRefused.
    """
    held = trusted(anchors)
    responders = [one for one in held if is_responder(one)]
    known = Anchors.sorted_out(one for one in held if not is_responder(one) and is_authority(one))
    path = chain.validate(owner, known, at)
    status: dict[str, Any] = {"checked": False, "source": None, "result": None}
    if crl is not None:
        status = _by_list(path, crl, at)
    elif online:
        status = _by_responder(path, _vouched(responders, known), at, address)
    return {
        "path": [str(one.subject) for one in (path.person, path.authority, path.root) if one is not None],
        "at": rfc3339(at),
        "authority_status": str(path.authority_status),
        "status": status,
    }


def _by_list(path: TrustPath, file: Path, at: datetime) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            data = opened.read(crls.MAX_CRL + 1)
    except OSError:
        raise FolderRefused("folder-unreadable") from None
    partition = crls.partition_of(path.person)
    given = crls.parse(data)
    found = crls.verify(
        given, issuer=path.authority, partition=partition, lowest_number=-1, at=at, max_age=None
    )  # fmt: skip
    entry = found.entries.get(path.person.serial)
    if entry is not None:
        raise NotGood("cert-suspended" if entry.reason == _HOLD else "cert-revoked", date=rfc3339(entry.at))
    return {"checked": True, "source": "crl", "result": "good", "as_of": rfc3339(found.this_update)}


def _by_responder(
    path: TrustPath, responders: tuple[Certificate, ...], at: datetime, address: str | None
) -> dict[str, Any]:
    asked = address or next(iter(path.person.ocsp_urls), None)
    if asked is None:
        raise Outage("status-unavailable")
    nonce = secrets.token_bytes(16)
    answer = _post(asked, ocsp.request(ocsp.cert_id(path.person, path.authority), nonce))
    found = ocsp.verify(
        ocsp.parse(answer), person=path.person, issuer=path.authority, responders=responders, nonce=nonce, at=at
    )
    if found.status == "revoked":
        when = rfc3339(found.revoked_at) if found.revoked_at else ""
        raise NotGood("cert-suspended" if found.reason == _HOLD else "cert-revoked", date=when)
    if found.status != "good":
        raise NotGood("status-unknown")
    return {"checked": True, "source": "ocsp", "result": "good", "as_of": rfc3339(found.this_update)}


def _post(address: str, question: bytes) -> bytes:
    """One OCSP question over HTTP (RFC 6960 appendix A.1). No redirects: an answer comes from who was asked."""
    if urlsplit(address).scheme not in ("http", "https"):
        raise Outage("status-unavailable")
    asked = urllib.request.Request(  # noqa: S310 - the scheme is checked above
        address, question, {"Content-Type": "application/ocsp-request", "Accept": "application/ocsp-response"}
    )
    try:
        with urllib.request.build_opener(_NoRedirect).open(asked, timeout=TIMEOUT) as answer:
            body: bytes = answer.read(ocsp.MAX_ANSWER + 1)
    except (OSError, ValueError, urllib.error.URLError):
        raise Outage("status-unavailable") from None
    return body


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def _vouched(responders: list[Certificate], trusted: Anchors) -> tuple[Certificate, ...]:
    """The responders that a configured root signed (security A11)."""
    return tuple(one for one in responders if _signed_by_root(one, trusted.root_of(one)))


def _signed_by_root(one: Certificate, root: Anchor | None) -> bool:
    if root is None:
        return False
    try:
        chain.verify_signed_by(one, root)
    except PathRefused:
        return False
    return True


def trusted(anchors: Path | None) -> list[Certificate]:
    """Certificates of a folder, else the published ones of the authorities. Raises FolderRefused."""
    return authorities.published() if anchors is None else _read_folder(anchors)


def is_responder(one: Certificate) -> bool:
    """Whether it is for OCSP answers alone."""
    return one.eku == _OCSP_SIGNING


def is_authority(one: Certificate) -> bool:
    constraints = one.basic_constraints
    return constraints is not None and constraints.ca


def _read_folder(place: Path) -> list[Certificate]:
    """Every certificate file of a folder, DER or PEM. Raises FolderRefused (folder-missing, anchors-missing)."""
    if not place.is_dir():
        raise FolderRefused("folder-missing")
    files = sorted(one for one in place.iterdir() if one.suffix.lower() in _ENDINGS and one.is_file())
    found = [one for file in files[:MOST_ANCHORS] if (one := _read_certificate(file)) is not None]
    if not found:
        raise FolderRefused("anchors-missing")
    return found


def _read_certificate(file: Path) -> Certificate | None:
    """The certificate, or None where the file is something else."""
    try:
        with file.open("rb") as opened:
            data = opened.read(2 * MAX_CERTIFICATE)
        if data.startswith(b"-----BEGIN CERTIFICATE-----"):
            data = base64.b64decode(data.split(b"-----")[2])
        return certificate.parse(data)
    except (OSError, ValueError, CertificateMalformed):
        return None
