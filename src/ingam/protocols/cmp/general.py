"""genm and genp (RFC 9810 §5.3.19, §5.3.20) and the support messages of RFC 9483 §4.3."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from ingam.npki import der, scan
from ingam.npki.certificate import instant
from ingam.npki.der import NotDer
from ingam.protocols.cmp import header, reading
from ingam.protocols.cmp.header import Info
from ingam.protocols.cmp.message import Body, BodyKind, content
from ingam.protocols.cmp.template import CertTemplate, read_template, write_template, write_time

MOST_CERTIFICATES: Final = 32
MOST_CRL_STATUSES: Final = 32

CA_PROT_ENC_CERT: Final = "1.3.6.1.5.5.7.4.1"
SIGN_KEY_PAIR_TYPES: Final = "1.3.6.1.5.5.7.4.2"
ENC_KEY_PAIR_TYPES: Final = "1.3.6.1.5.5.7.4.3"
PREFERRED_SYMM_ALG: Final = "1.3.6.1.5.5.7.4.4"
CA_KEY_UPDATE_INFO: Final = "1.3.6.1.5.5.7.4.5"
CURRENT_CRL: Final = "1.3.6.1.5.5.7.4.6"
UNSUPPORTED_OIDS: Final = "1.3.6.1.5.5.7.4.7"
KEY_PAIR_PARAM_REQ: Final = "1.3.6.1.5.5.7.4.10"
KEY_PAIR_PARAM_REP: Final = "1.3.6.1.5.5.7.4.11"
REV_PASSPHRASE: Final = "1.3.6.1.5.5.7.4.12"
SUPP_LANG_TAGS: Final = "1.3.6.1.5.5.7.4.16"
CA_CERTS: Final = "1.3.6.1.5.5.7.4.17"
ROOT_CA_KEY_UPDATE: Final = "1.3.6.1.5.5.7.4.18"
CERT_REQ_TEMPLATE: Final = "1.3.6.1.5.5.7.4.19"
ROOT_CA_CERT: Final = "1.3.6.1.5.5.7.4.20"
CRL_STATUS_LIST: Final = "1.3.6.1.5.5.7.4.22"
CRLS: Final = "1.3.6.1.5.5.7.4.23"
YESSIGN_PC_INFO: Final = "1.2.410.200005.1.4.1.1"
YESSIGN_CA_CERT: Final = "1.2.410.200005.1.10.1"


class RootCaKeyUpdate(NamedTuple):
    """RootCaKeyUpdateValue: DER certificates of the new root, and the links between old and new."""

    new_with_new: bytes
    new_with_old: bytes | None = None
    old_with_new: bytes | None = None


class CrlStatus(NamedTuple):
    """CRLStatus: which list the asker has. `source`: DER of the CRLSource's element ([0] dpn or [1] issuer)."""

    source: bytes
    this_update: datetime | None = None


@reading.strict
def read_general(body: Body) -> tuple[Info, ...]:
    """The entries of a genm or genp: none to 32. Raises CmpRefused (cmp-malformed)."""
    at, limit = content(body, (BodyKind.GENM, BodyKind.GENP))
    if body.element[at:limit] == der.seq():
        return ()
    return header.read_infos(body.element, at, limit)


def write_general(kind: BodyKind, infos: Sequence[Info]) -> Body:
    """The body of a genm or genp."""
    return Body(kind, der.explicit(kind, der.seq(*map(header.write_info, infos))))


@reading.strict
def read_certificates(value: bytes | None) -> tuple[bytes, ...]:
    """DER certificates of a caCerts (or lists of a crls) answer; none for an absent value. Raises CmpRefused."""
    if value is None:
        return ()
    found = reading.items(value, 0, len(value), der.SEQUENCE, MOST_CERTIFICATES)
    return tuple(value[start:end] for _, start, _, end in found)


def certificates(kind: str, found: Sequence[bytes]) -> Info:
    """The answer to caCerts or crls: absent value where there are none (RFC 9483 §4.3.1)."""
    return Info(kind, der.seq(*found) if found else None)


@reading.strict
def read_root_ca_key_update(value: bytes) -> RootCaKeyUpdate:
    """RootCaKeyUpdateValue (§5.3.19.15). Raises CmpRefused (cmp-malformed)."""
    at, limit = scan.whole(value, der.SEQUENCE)
    _, end = scan.inside(value, at, limit, der.SEQUENCE)
    links: dict[int, bytes] = {}
    for tag, _, start, last in scan.parts(value, end, limit):
        if tag not in (0xA0, 0xA1) or any(seen >= tag for seen in links):
            raise NotDer(expected="a link certificate", found=f"{tag:02x}")
        reading.only(value, start, last, der.SEQUENCE)
        links[tag] = value[start:last]
    return RootCaKeyUpdate(value[at:end], links.get(0xA0), links.get(0xA1))


def root_ca_key_update(update: RootCaKeyUpdate) -> Info:
    """The answer to rootCaCert."""
    old = b"" if update.new_with_old is None else der.explicit(0, update.new_with_old)
    new = b"" if update.old_with_new is None else der.explicit(1, update.old_with_new)
    return Info(ROOT_CA_KEY_UPDATE, der.seq(update.new_with_new, old, new))


@reading.strict
def read_cert_req_template(value: bytes | None) -> tuple[CertTemplate, bytes | None] | None:
    """The blueprint that an authority offers, and DER keySpec; None for an absent value (§5.3.19.16)."""
    if value is None:
        return None
    at, limit = scan.whole(value, der.SEQUENCE)
    _, end = scan.inside(value, at, limit, der.SEQUENCE)
    if end < limit:
        reading.only(value, end, limit, der.SEQUENCE)
    return read_template(value, at, end), value[end:limit] or None


def cert_req_template(template: CertTemplate, key_spec: bytes = b"") -> Info:
    """The answer to certReqTemplate; `key_spec`: DER Controls (algId, rsaKeyLen) or nothing."""
    return Info(CERT_REQ_TEMPLATE, der.seq(write_template(template), key_spec))


@reading.strict
def read_crl_status_list(value: bytes) -> tuple[CrlStatus, ...]:
    """Which lists the asker of crlStatusList has (§5.3.19.17): 1 to 32. Raises CmpRefused (cmp-malformed)."""
    found = reading.items(value, 0, len(value), der.SEQUENCE, MOST_CRL_STATUSES)
    return tuple(_crl_status(value, first, last) for _, _, first, last in found)


def _crl_status(data: bytes, at: int, limit: int) -> CrlStatus:
    tag, _, end = scan.head(data, at, limit)
    if tag not in (0xA0, 0xA1):
        raise NotDer(expected="a CRLSource", found=f"{tag:02x}")
    if end == limit:
        return CrlStatus(data[at:end])
    this_update, last = instant(data, end, limit)
    if last != limit:
        raise NotDer(expected="one instant", found="more")
    return CrlStatus(data[at:end], this_update)


def crl_status_list(*statuses: CrlStatus) -> Info:
    """The question for newer lists than these."""
    return Info(CRL_STATUS_LIST, der.seq(*map(_write_crl_status, statuses)))


def _write_crl_status(one: CrlStatus) -> bytes:
    return der.seq(one.source, b"" if one.this_update is None else write_time(one.this_update))
