"""What the center reads of a renewal's PKIMessages: whose old key signs, which body it is, what the answer brings.

It believes nothing of it: the authority checks the vault's messages and the vault the authority's. The center looks in
order to know where the run stands.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from ingam.center.carrying import refused
from ingam.kernel.errors import Refusal
from ingam.npki import certificate
from ingam.npki.certificate import Certificate, CertificateMalformed
from ingam.npki.subject import NameMalformed
from ingam.protocols.cmp import bodies, cert_response, message
from ingam.protocols.cmp.message import BodyKind
from ingam.protocols.cmp.status import CmpRefused, Status

_FROM_VAULT: Final = frozenset((BodyKind.KUR, BodyKind.CERT_CONF, BodyKind.POLL_REQ))


class NotCarried(Refusal):
    """It is no message of this renewal."""

    code = "renewal-not-carried"


def confirms(data: bytes, old: str | None) -> str | None:
    """Of a message under the certificate `old` (SHA-256, hex; None: whichever): the SHA-256 that a certConf accepts, ""
    that it gives the certificate back, None that it is no certConf. Raises NotCarried.
    """
    try:
        found = message.parse(data)
        signer = found.extra_certs[0] if found.extra_certs else b""
        if found.body.kind not in _FROM_VAULT or old not in (None, sha256(signer).hexdigest()):
            raise NotCarried
        if found.body.kind is not BodyKind.CERT_CONF:
            return None
        states = bodies.read_cert_conf(found.body)
    except CmpRefused:
        raise NotCarried from None
    if len(states) != 1 or states[0].status.status is not Status.ACCEPTED:
        return ""
    return states[0].cert_hash.hex()


def brought(data: bytes) -> Certificate | str | None:
    """What an answer brings: a certificate, "" for a pkiConf, the authority's word for a refusal; None for a wait, a
    passing failure, or bytes that only the vault may judge.
    """
    try:
        found = message.parse(data)
        if found.body.kind is BodyKind.PKICONF:
            return ""
        if found.body.kind is BodyKind.ERROR:
            return refused(bodies.read_error(found.body).status)
        if found.body.kind is not BodyKind.KUP:
            return None
        (one,) = cert_response.read_cert_rep(found.body).responses
        return refused(one.status) if one.certificate is None else certificate.parse(one.certificate)
    except (CmpRefused, CertificateMalformed, NameMalformed, ValueError):
        return None
