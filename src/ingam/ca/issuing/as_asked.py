"""To-be-signed bytes as the requester asks: for conformance suites, on a sandbox's authority, and nowhere else.

A suite of the protocol checks that subject, validity and extensions come back as asked; our own profiles never
grant such wishes (security D4). Nothing of this module is reached unless INGAM_CA_CONFORMANCE is set, which production
refuses.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from ingam.ca.office import Office
from ingam.ca.profiles import Profile
from ingam.kernel.errors import Defect, Refusal
from ingam.npki import certificate, der, extensions, scan, shapes
from ingam.npki.certificate import CertificateMalformed
from ingam.npki.der import NotDer
from ingam.npki.shapes import Shape
from ingam.npki.subject import NameMalformed
from ingam.protocols.cmp.template import CertTemplate

KEY_USAGE, PURPOSES, ALTERNATIVE_NAME, BASIC = "2.5.29.15", "2.5.29.37", "2.5.29.17", "2.5.29.19"
GRANTED: Final = frozenset((KEY_USAGE, PURPOSES, ALTERNATIVE_NAME, BASIC))
OUR_OWN: Final = frozenset(("2.5.29.14", "2.5.29.35"))
"""Key identifiers, which the authority writes itself whatever is asked."""

LIFE: Final = timedelta(days=365)


_AUTHORITIES: Final = tuple(der.oid(f"1.3.6.1.5.5.7.3.{number}") for number in (27, 28, 32))
"""id-kp-cmcCA, id-kp-cmcRA, id-kp-cmKGA: what a profile gives, and no wish."""


class WishRefused(Refusal):
    """The template asks for what no certificate of ours can be (facts: part)."""

    code = "ca-wish-refused"


class WishNotAuthorized(Refusal):
    """The template asks for an authority of its own; that is given in a ceremony or by a profile (facts: part)."""

    code = "ca-wish-not-authorized"


def tbs(
    office: Office, profile: Profile, asked: CertTemplate, *, serial: int, spki: bytes, partition: int
) -> tuple[bytes, datetime, datetime]:
    """DER of the TBSCertificate, and its validity. Raises WishRefused."""
    if not office.authority.sandbox:
        raise Defect("ca-as-asked-outside-sandbox")
    generation = office.issuer.generation
    wanted, name_asked = _extensions(asked.extensions), asked.subject or der.seq()
    if name_asked == der.seq() and ALTERNATIVE_NAME not in wanted:
        raise WishRefused(part="subject")
    now = office.now()
    times = shapes.Validity(asked.not_before or now, asked.not_after or (asked.not_before or now) + LIFE)
    if not generation.validity.not_before <= times.not_before < times.not_after <= generation.validity.not_after:
        raise WishRefused(part="validity")
    name = office.authority.partition_name(generation.number, partition)
    shape = Shape(crl_http=office.authority.list_http(name), ocsp=office.authority.ocsp)
    del profile
    own = shapes.extensions(shape, generation.authority_key, shapes.key_identifier(spki))
    made = shapes.tbs_certificate(
        shape, serial=serial, issuer=generation.name, validity=times, subject=name_asked, spki=spki,
        authority_key=generation.authority_key, algorithm=generation.algorithm,
    )  # fmt: skip
    return _with(made, [*own, *wanted.values()]), times.not_before, times.not_after


def lint(made: bytes) -> None:
    """What even such a certificate must be: read back by our own strict reader. Raises Defect."""
    try:
        found = certificate.parse(shapes.assemble(made, bytes(256)))
        if found.duplicate_extensions:
            raise Defect("ca-lint-failed", check="duplicates")
    except (CertificateMalformed, NameMalformed):
        raise Defect("ca-lint-failed", check="form") from None


def _extensions(asked: bytes | None) -> dict[str, bytes]:
    """The wishes that are granted, as they were asked: dotted type → DER Extension."""
    found: dict[str, bytes] = {}
    try:
        for _, start, at, end in scan.sequence(asked) if asked is not None else ():
            assert asked is not None
            kind_at, kind_end = scan.inside(asked, at, end, der.OID)
            kind = der.decode_oid(asked[kind_at:kind_end])
            critical = asked[kind_end : kind_end + 3] == b"\x01\x01\xff"
            if kind in found:
                raise WishRefused(part="twice")
            if kind in GRANTED:
                found[kind] = asked[start:end]
            elif critical and kind not in OUR_OWN:
                raise WishRefused(part="critical")
        _check_authority(found)
    except (NotDer, CertificateMalformed):
        raise WishRefused(part="extensions") from None
    return found


def _check_authority(found: dict[str, bytes]) -> None:
    basic = _value(found, BASIC)
    parts = [] if basic is None else [one.tag for one in der.whole(basic).sequence()]
    if basic is not None and der.BOOLEAN in parts:
        extensions.basic_constraints(basic)
        raise WishNotAuthorized(part="authority")
    if parts:
        raise WishRefused(part="path-length")
    usage = _value(found, KEY_USAGE)
    if usage is not None and "keyCertSign" in extensions.key_usage(usage):
        raise WishRefused(part="key-cert-sign")
    if any(one in found.get(PURPOSES, b"") for one in _AUTHORITIES):
        raise WishNotAuthorized(part="purpose")


def _value(found: dict[str, bytes], kind: str) -> bytes | None:
    """What stands inside an extension's OCTET STRING."""
    return None if kind not in found else der.whole(found[kind]).sequence()[-1].content


def _with(made: bytes, wanted: list[bytes]) -> bytes:
    """The same bytes with these extensions."""
    *parts, _ = der.whole(made).sequence()
    return der.seq(*(one.raw for one in parts), der.explicit(3, der.seq(*wanted)))
