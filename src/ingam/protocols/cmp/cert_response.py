"""What answers a certification request (RFC 9810 §5.3.4): CertRepMessage of ip, cp, kup, ccp; KeyRecRepContent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from ingam.npki import der, scan
from ingam.npki.der import NotDer
from ingam.protocols.cmp import reading, status
from ingam.protocols.cmp.message import Body, BodyKind, content
from ingam.protocols.cmp.status import StatusInfo

MOST_RESPONSES: Final = 16
MOST_CERTIFICATES: Final = 16
MOST_RSP_INFO: Final = 16 * 1024

ANSWERS: Final = {
    BodyKind.IR: BodyKind.IP,
    BodyKind.CR: BodyKind.CP,
    BodyKind.P10CR: BodyKind.CP,
    BodyKind.KUR: BodyKind.KUP,
    BodyKind.KRR: BodyKind.KRP,
    BodyKind.CCR: BodyKind.CCP,
    BodyKind.RR: BodyKind.RP,
    BodyKind.GENM: BodyKind.GENP,
    BodyKind.CERT_CONF: BodyKind.PKICONF,
    BodyKind.POLL_REQ: BodyKind.POLL_REP,
}
"""Which body answers which."""

P10CR_CERT_REQ_ID: Final = -1
"""certReqId where the request had none (RFC 9810 §5.3.4)."""

_CERT_REP: Final = frozenset((BodyKind.IP, BodyKind.CP, BodyKind.KUP, BodyKind.CCP))


class CertResponse(NamedTuple):
    """CertResponse. `certificate`: DER; `encrypted_cert`, `private_key`: DER EncryptedKey as received.

    `publication_info`: DER PKIPublicationInfo; `rsp_info`: content of the OCTET STRING. None: absent.
    """

    cert_req_id: int
    status: StatusInfo
    certificate: bytes | None = None
    encrypted_cert: bytes | None = None
    private_key: bytes | None = None
    publication_info: bytes | None = None
    rsp_info: bytes | None = None

    def __repr__(self) -> str:
        return f"<CertResponse {self.cert_req_id} {self.status.status.name}>"


class CertRepMessage(NamedTuple):
    """CertRepMessage. `ca_pubs`: DER certificates that an ip may carry as trust anchors."""

    responses: tuple[CertResponse, ...]
    ca_pubs: tuple[bytes, ...] = ()


class KeyRecRepContent(NamedTuple):
    """KeyRecRepContent. `new_sig_cert`, `ca_certs`: DER; `key_pair_hist`: DER CertifiedKeyPairs as received."""

    status: StatusInfo
    new_sig_cert: bytes | None = None
    ca_certs: tuple[bytes, ...] = ()
    key_pair_hist: tuple[bytes, ...] = ()


@reading.strict
def read_cert_rep(body: Body) -> CertRepMessage:
    """The CertRepMessage of an ip, cp, kup or ccp. Raises CmpRefused (cmp-malformed)."""
    data = body.element
    at, limit = reading.only(data, *content(body, _CERT_REP), der.SEQUENCE)
    ca_pubs: tuple[bytes, ...] = ()
    if at < limit and data[at] == 0xA1:
        inner, at = scan.inside(data, at, limit, 0xA1)
        ca_pubs = _certificates(data, inner, at)
    responses = reading.items(data, at, limit, der.SEQUENCE, MOST_RESPONSES)
    return CertRepMessage(tuple(_response(data, first, last) for _, _, first, last in responses), ca_pubs)


def _certificates(data: bytes, at: int, limit: int) -> tuple[bytes, ...]:
    found = reading.items(data, at, limit, der.SEQUENCE, MOST_CERTIFICATES)
    return tuple(data[first:last] for _, first, _, last in found)


def _response(data: bytes, at: int, limit: int) -> CertResponse:
    cert_req_id, at = reading.number(data, at, limit)
    info, at = status.read_status_info(data, at, limit)
    response = CertResponse(cert_req_id, info)
    if at < limit and data[at] == der.SEQUENCE:
        body, at = scan.inside(data, at, limit, der.SEQUENCE)
        response = _certified_key_pair(response, data, body, at)
    if at < limit:
        body, _ = reading.only(data, at, limit, der.OCTET_STRING)
        if limit - body > MOST_RSP_INFO:
            raise NotDer(expected=f"at most {MOST_RSP_INFO} octets", found=limit - body)
        response = response._replace(rsp_info=data[body:limit])
    return response


def _certified_key_pair(response: CertResponse, data: bytes, at: int, limit: int) -> CertResponse:
    tag, body, end = scan.head(data, at, limit)
    if tag == 0xA0:
        reading.only(data, body, end, der.SEQUENCE)
        response = response._replace(certificate=data[body:end])
    elif tag == 0xA1:
        response = response._replace(encrypted_cert=_one(data, body, end))
    else:
        raise NotDer(expected="a certificate", found=f"{tag:02x}")
    if end < limit and data[end] == 0xA0:
        body, end = scan.inside(data, end, limit, 0xA0)
        response = response._replace(private_key=_one(data, body, end))
    if end < limit:
        body, end = reading.only(data, end, limit, 0xA1)
        response = response._replace(publication_info=_one(data, body, end))
    return response


def _one(data: bytes, at: int, limit: int) -> bytes:
    if scan.head(data, at, limit)[2] != limit:
        raise NotDer(expected="one element", found="more")
    return data[at:limit]


def write_response(response: CertResponse) -> bytes:
    """CertResponse."""
    rsp_info = b"" if response.rsp_info is None else der.octets(response.rsp_info)
    return der.seq(
        der.integer(response.cert_req_id),
        status.write_status_info(response.status),
        _write_key_pair(response),
        rsp_info,
    )


def _write_key_pair(response: CertResponse) -> bytes:
    if response.certificate is not None:
        given = der.explicit(0, response.certificate)
    elif response.encrypted_cert is not None:
        given = der.explicit(1, response.encrypted_cert)
    else:
        return b""
    key = b"" if response.private_key is None else der.explicit(0, response.private_key)
    info = b"" if response.publication_info is None else der.explicit(1, response.publication_info)
    return der.seq(given, key, info)


def write_cert_rep(kind: BodyKind, responses: Sequence[CertResponse], ca_pubs: Sequence[bytes] = ()) -> Body:
    """The body of an ip, cp, kup or ccp."""
    pubs = der.explicit(1, der.seq(*ca_pubs)) if ca_pubs else b""
    return Body(kind, der.explicit(kind, der.seq(pubs, der.seq(*map(write_response, responses)))))


@reading.strict
def read_key_rec_rep(body: Body) -> KeyRecRepContent:
    """The KeyRecRepContent of a krp. Raises CmpRefused (cmp-malformed)."""
    data = body.element
    at, limit = reading.only(data, *content(body, (BodyKind.KRP,)), der.SEQUENCE)
    info, at = status.read_status_info(data, at, limit)
    found = KeyRecRepContent(info)
    if at < limit and data[at] == 0xA0:
        inner, at = scan.inside(data, at, limit, 0xA0)
        reading.only(data, inner, at, der.SEQUENCE)
        found = found._replace(new_sig_cert=data[inner:at])
    if at < limit and data[at] == 0xA1:
        inner, at = scan.inside(data, at, limit, 0xA1)
        found = found._replace(ca_certs=_certificates(data, inner, at))
    if at < limit:
        inner, at = reading.only(data, at, limit, 0xA2)
        found = found._replace(key_pair_hist=_certificates(data, inner, at))
    return found


def write_key_rec_rep(given: KeyRecRepContent) -> Body:
    """The body of a krp."""
    inner = der.seq(
        status.write_status_info(given.status),
        b"" if given.new_sig_cert is None else der.explicit(0, given.new_sig_cert),
        der.explicit(1, der.seq(*given.ca_certs)) if given.ca_certs else b"",
        der.explicit(2, der.seq(*given.key_pair_hist)) if given.key_pair_hist else b"",
    )
    return Body(BodyKind.KRP, der.explicit(BodyKind.KRP, inner))
