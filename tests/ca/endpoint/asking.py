"""What clients send: the bodies that `tests.ca.world` has no short way to, and the messages that go on with others."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.ca.world import HeldKey, Holder, only_certificate, responses

from ingam.npki import certificate, der, shapes
from ingam.protocols.cmp import bodies, general, message, revocation
from ingam.protocols.cmp.bodies import CertStatus
from ingam.protocols.cmp.header import Info
from ingam.protocols.cmp.message import Body, BodyKind, UnverifiedMessage
from ingam.protocols.cmp.revocation import RevDetails
from ingam.protocols.cmp.template import CertTemplate

WISH = shapes.name(("C", "KR"), ("CN", "whatever they wish"))


def p10cr(key: HeldKey, subject: bytes = WISH, *, version: int = 0, signed_by: HeldKey | None = None) -> Body:
    """A PKCS #10 request of a key."""
    info = der.seq(der.integer(version), subject, key.public.spki, der.explicit(0, b""))
    by = signed_by or key
    return bodies.write_p10cr(der.seq(info, key.public.algorithm, der.bits(by.raw(info))))


def revoke(of: bytes, reason: int | None = 0, **template: Any) -> Body:
    """An rr for a certificate; `template`: fields in place of issuer and serial number, or besides them."""
    found = certificate.parse(of)
    named = CertTemplate(**{"serial_number": found.serial, "issuer": found.issuer.raw, **template})
    return revocation.write_rev_req(RevDetails(named, reason))


def around(ra: Holder, inner: bytes, **header: Any) -> bytes:
    """An envelope that adds the RA's protection to a message."""
    given = message.parse(inner).header
    fields = {"transaction_id": given.transaction_id, "sender_nonce": given.sender_nonce,
              "recip_nonce": given.recip_nonce, **header}  # fmt: skip
    return ra.compose(bodies.write_nested([inner]), **fields)


def genm(*asked: Info) -> Body:
    """A general message."""
    return general.write_general(BodyKind.GENM, asked)


def following(holder: Holder, answer: UnverifiedMessage, body: Body, **header: Any) -> bytes:
    """What goes on with the exchange of an answer."""
    fields = {"transaction": answer.header.transaction_id, "recip_nonce": answer.header.sender_nonce, **header}
    return holder.compose(body, **fields)


def status_of(answer: UnverifiedMessage, **changes: Any) -> CertStatus:
    """A CertStatus that accepts the certificate in an answer; `changes`: what it says otherwise."""
    digest = hashlib.sha256(only_certificate(answer)).digest()
    return CertStatus(digest, responses(answer)[0].cert_req_id)._replace(**changes)


def confirmation(holder: Holder, answer: UnverifiedMessage, *statuses: CertStatus, **header: Any) -> bytes:
    """A certConf of an answer: accepting, unless statuses are given."""
    return following(holder, answer, bodies.write_cert_conf(*(statuses or (status_of(answer),))), **header)


def polling(holder: Holder, answer: UnverifiedMessage, request_id: int = 0, **header: Any) -> bytes:
    """A pollReq for what an answer put off."""
    return following(holder, answer, bodies.write_poll_req(request_id), **header)
