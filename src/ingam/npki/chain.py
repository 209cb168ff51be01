"""Path validation (RFC 5280 §6, cut to the one Korean shape): root → CA → person at a given instant, nothing longer.

Issuers come from configuration alone, by SHA-256; a certificate inside a message is never one (security A7). Where a
root is not to be had, its CA may be pinned as an anchor itself. The status of the person's certificate is not looked
up here; that of the CA is, against the root's list of revoked authorities (ARL) that the caller hands in (A10).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

from ingam.kernel.errors import Refusal
from ingam.kernel.instants import korean_day
from ingam.npki import der
from ingam.npki.certificate import Certificate
from ingam.npki.subject import Name, NameKey, same_name

_PKCS1: Final = PKCS1v15()
_HASHES: Final[dict[bytes, HashAlgorithm]] = {
    der.algorithm("1.2.840.113549.1.1.11"): SHA256(),
    der.algorithm("1.2.840.113549.1.1.12"): SHA384(),
    der.algorithm("1.2.840.113549.1.1.13"): SHA512(),
}


class PathRefused(Refusal):
    """A certificate is not valid here at this instant; `code` names the one check that it failed.

    Person: untrusted-issuer, cert-issued-by-root, cert-aki-mismatch, cert-extension-duplicate,
    cert-extension-unknown, cert-weak-signature, cert-key-bounds, cert-is-ca, cert-no-digital-signature, cert-has-eku,
    cert-no-policy, cert-signature-invalid, cert-not-yet-valid, cert-expired. Authority: ca-expired, ca-not-yet-valid,
    root-expired, root-not-yet-valid, ca-revoked, ca-signature-invalid.
    """

    code = "untrusted-issuer"


class AnchorUnfit(Refusal):
    """A configured certificate cannot be an authority here; `reason` says why."""

    code = "anchor-unfit"


class AuthorityStatus(StrEnum):
    """What the root's ARL says about the CA at the instant; the caller decides what it can live with (A10)."""

    GOOD = "good"
    STALE = "stale"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class RevokedAuthorities:
    """A root's ARL as its caller verified and parsed it: serials of revoked CAs, and until when the list counts."""

    serials: frozenset[int]
    next_update: datetime


@dataclass(frozen=True, slots=True, eq=False)
class Anchor:
    """A configured certificate with its key loaded; `root` is None for a root and for a pinned CA."""

    certificate: Certificate
    key: RSAPublicKey
    root: Anchor | None = None


class Path(NamedTuple):
    """A valid path at the instant it was asked for. `root` is None where the CA itself is the pinned anchor."""

    person: Certificate
    authority: Certificate
    root: Certificate | None
    authority_status: AuthorityStatus


class SignatureCache:
    """CA signatures verified before: SHA-256 of both certificates → the instant the answer ends (A10).

    Owned by the caller, one per process; holds successes only and at most `limit` of them, the oldest going first.
    """

    __slots__ = ("_ends", "_limit")

    def __init__(self, limit: int = 256) -> None:
        self._ends: OrderedDict[tuple[bytes, bytes], datetime] = OrderedDict()
        self._limit = limit

    def holds(self, pair: tuple[bytes, bytes], at: datetime) -> bool:
        """Whether the pair was verified and its answer still counts at the instant."""
        ends = self._ends.get(pair)
        return ends is not None and at <= ends

    def keep(self, pair: tuple[bytes, bytes], ends: datetime) -> None:
        """Remember a success until `ends`."""
        self._ends[pair] = ends
        self._ends.move_to_end(pair)
        while len(self._ends) > self._limit:
            self._ends.popitem(last=False)

    def __len__(self) -> int:
        return len(self._ends)


class Anchors:
    """The configured roots and CAs, of every generation in force. Raises AnchorUnfit for one that can be no authority.

    `authorities` need their root among `roots`; `pinned` CAs are anchors themselves (SignKorea CA5, until the
    certificate of KISA RootCA 5 is had). Keys are loaded once, here.
    """

    __slots__ = ("_by_key", "_by_raw", "_roots", "by_fingerprint")

    def __init__(
        self,
        roots: Iterable[Certificate] = (),
        authorities: Iterable[Certificate] = (),
        pinned: Iterable[Certificate] = (),
    ) -> None:
        self._roots = [_root(one) for one in roots]
        held = [self._under_root(one) for one in authorities]
        held += [_anchor(one) for one in pinned]
        self._by_key: dict[NameKey, list[Anchor]] = {}
        for one in held:
            self._by_key.setdefault(one.certificate.subject.key, []).append(one)
        self._by_raw = {one.certificate.subject.raw: self._by_key[one.certificate.subject.key] for one in held}
        self.by_fingerprint: dict[bytes, Anchor] = {one.certificate.fingerprint: one for one in [*self._roots, *held]}

    @classmethod
    def sorted_out(cls, certificates: Iterable[Certificate]) -> Anchors:
        """Anchors from one heap: self-issued ones are roots, others stand under theirs or, without one, are pinned."""
        given = list({one.fingerprint: one for one in certificates}.values())
        roots = [one for one in given if one.self_issued]
        rest = [one for one in given if not one.self_issued]
        rooted = [one for one in rest if any(_names(one, root) for root in roots)]
        return cls(roots, rooted, [one for one in rest if one not in rooted])

    @property
    def roots(self) -> tuple[Anchor, ...]:
        """The configured roots, for what they sign besides CAs: ARLs and responders' certificates."""
        return tuple(self._roots)

    def root_of(self, certificate: Certificate) -> Anchor | None:
        """The configured root that a certificate names as its issuer, or None; proves no signature."""
        return next((one for one in self._roots if _names(certificate, one.certificate)), None)

    def authorities_named(self, issuer: Name) -> list[Anchor]:
        """The configured CAs of this name, all generations."""
        found = self._by_raw.get(issuer.raw)
        return self._by_key.get(issuer.key, []) if found is None else found

    def _under_root(self, certificate: Certificate) -> Anchor:
        root = self.root_of(certificate)
        if root is None:
            raise AnchorUnfit(reason="no-root")
        return _anchor(certificate, root)


def validate(
    person: Certificate,
    anchors: Anchors,
    at: datetime,
    *,
    revoked: Mapping[bytes, RevokedAuthorities] | None = None,
    cache: SignatureCache | None = None,
) -> Path:
    """The person's path at the instant `at` (aware). Raises PathRefused; each numbered check has its code.

    A broken extension or a foreign kind of key raises as `certificate` says (cert-malformed, cert-key-kind).

    `revoked`: ARLs by the SHA-256 of the root that signed them; `cache`: the caller's memory of CA signatures.
    """
    # 1. No extension twice, and none critical that we do not act on (A8).
    _check_extensions(person)
    # 2. The issuer is a configured CA, by name and by the full authority key identifier (A7).
    authority = _issuer(person, anchors)
    # 3. SHA-256 or better (A8).
    scheme = _scheme(person, "cert-weak-signature")
    # 4. The key is RSA within bounds (A4).
    if not person.public_key.within_bounds:
        raise PathRefused("cert-key-bounds", bits=person.public_key.bits)
    # 5. A person: no CA, may sign, and made for no special purpose (A8).
    _check_purpose(person)
    # 6. The root and the CA are valid at the instant.
    _check_authority_validity(authority, at)
    # 7. The CA is not among those its root revoked (A10).
    status, until = _authority_status(authority, revoked, at)
    # 8. The root signed the CA.
    _check_authority_signature(authority, at, until, cache)
    # 9. The CA signed the person.
    _check_signature(person, authority.key, scheme, "cert-signature-invalid")
    # 10. The person's certificate is valid at the instant; last, so that a forgery is never called merely old.
    _check_validity(person, at, "cert")
    root = None if authority.root is None else authority.root.certificate
    return Path(person, authority.certificate, root, status)


def verify_signed_by(certificate: Certificate, issuer: Anchor) -> None:
    """Whether a configured authority's key signed a certificate, SHA-256 or better. Raises PathRefused.

    For what roots sign besides CAs: responders' certificates (A11). Says nothing about validity or purpose.
    """
    _check_signature(certificate, issuer.key, _scheme(certificate, "cert-weak-signature"), "cert-signature-invalid")


def _check_extensions(certificate: Certificate) -> None:
    if certificate.duplicates:
        raise PathRefused("cert-extension-duplicate", oid=certificate.duplicate_extensions[0])
    if certificate.unknown:
        raise PathRefused("cert-extension-unknown", oid=certificate.critical_unknown[0])


def _issuer(person: Certificate, anchors: Anchors) -> Anchor:
    named = anchors.authorities_named(person.issuer)
    if not named:
        # A root issues authorities and responders, never people (A8).
        raise PathRefused("untrusted-issuer" if anchors.root_of(person) is None else "cert-issued-by-root")
    for one in named:
        if _matches_key(person, one.certificate):
            return one
    raise PathRefused("cert-aki-mismatch")


def _matches_key(certificate: Certificate, issuer: Certificate) -> bool:
    """The profile's full form (npki.md §2.1): key id, and where they stand the issuer's own issuer and serial."""
    aki = certificate.aki
    if aki is None or aki.key_id is None or aki.key_id != issuer.ski:
        return False
    if aki.serial is not None and aki.serial != issuer.serial:
        return False
    return aki.issuer is None or same_name(aki.issuer, issuer.issuer)


def _scheme(certificate: Certificate, code: str) -> HashAlgorithm:
    scheme = _HASHES.get(certificate.signature_algorithm)
    if scheme is None:
        raise PathRefused(code)
    return scheme


def _check_purpose(person: Certificate) -> None:
    constraints = person.basic_constraints
    if constraints is not None and constraints.ca:
        raise PathRefused("cert-is-ca")
    usage = person.key_usage
    if usage is None or "digitalSignature" not in usage:
        raise PathRefused("cert-no-digital-signature")
    if "keyCertSign" in usage or "cRLSign" in usage:
        raise PathRefused("cert-is-ca")
    if person.eku is not None:
        raise PathRefused("cert-has-eku")
    if not person.policies:
        # Every CA's policyConstraints ask for an explicit policy from its own certificate on (RFC 5280 §4.2.1.11).
        raise PathRefused("cert-no-policy")


def _check_authority_validity(authority: Anchor, at: datetime) -> None:
    if authority.root is not None:
        _check_validity(authority.root.certificate, at, "root")
    _check_validity(authority.certificate, at, "ca")


def _check_validity(certificate: Certificate, at: datetime, who: str) -> None:
    """Both ends included, as RFC 5280 §4.1.2.5 says."""
    if at < certificate.not_before:
        raise PathRefused(f"{who}-not-yet-valid", date=korean_day(certificate.not_before))
    if at > certificate.not_after:
        raise PathRefused(f"{who}-expired", date=korean_day(certificate.not_after))


def _authority_status(
    authority: Anchor, revoked: Mapping[bytes, RevokedAuthorities] | None, at: datetime
) -> tuple[AuthorityStatus, datetime]:
    """The CA's status, and until when what we say about it counts (A10)."""
    root = authority.root
    if root is None:
        return AuthorityStatus.UNCHECKED, authority.certificate.not_after
    ends = min(authority.certificate.not_after, root.certificate.not_after)
    known = None if revoked is None else revoked.get(root.certificate.fingerprint)
    if known is None:
        return AuthorityStatus.UNCHECKED, ends
    # Revocation of a CA is never taken back: an old list still condemns, it only no longer acquits.
    if authority.certificate.serial in known.serials:
        raise PathRefused("ca-revoked")
    if at > known.next_update:
        return AuthorityStatus.STALE, at
    return AuthorityStatus.GOOD, min(ends, known.next_update)


def _check_authority_signature(authority: Anchor, at: datetime, until: datetime, cache: SignatureCache | None) -> None:
    root = authority.root
    if root is None:
        return
    pair = (root.certificate.fingerprint, authority.certificate.fingerprint)
    if cache is not None and cache.holds(pair, at):
        return
    scheme = _scheme(authority.certificate, "ca-signature-invalid")
    _check_signature(authority.certificate, root.key, scheme, "ca-signature-invalid")
    if cache is not None:
        cache.keep(pair, until)


def _check_signature(certificate: Certificate, key: RSAPublicKey, scheme: HashAlgorithm, code: str) -> None:
    try:
        key.verify(certificate.signature, certificate.tbs, _PKCS1, scheme)
    except InvalidSignature:
        raise PathRefused(code) from None


def _names(certificate: Certificate, issuer: Certificate) -> bool:
    """Whether a certificate names `issuer` as its issuer, and its key by key id where both say one."""
    if not same_name(certificate.issuer, issuer.subject):
        return False
    aki = certificate.aki
    return aki is None or aki.key_id is None or issuer.ski is None or aki.key_id == issuer.ski


def _root(certificate: Certificate) -> Anchor:
    if not certificate.self_issued:
        raise AnchorUnfit(reason="not-self-issued")
    return _anchor(certificate, depth=1)


def _anchor(certificate: Certificate, root: Anchor | None = None, depth: int = 0) -> Anchor:
    """A configured authority; `depth` is how many CAs have to fit below it (a root: one)."""
    constraints, usage = certificate.basic_constraints, certificate.key_usage
    if constraints is None or not constraints.ca:
        raise AnchorUnfit(reason="not-ca")
    if constraints.path_len is not None and constraints.path_len < depth:
        raise AnchorUnfit(reason="path-length")
    # KISA's roots have no key usage at all (npki.md §2.4); whoever has one must be allowed to sign certificates.
    if usage is not None and "keyCertSign" not in usage:
        raise AnchorUnfit(reason="key-usage")
    if certificate.duplicates or certificate.unknown or certificate.eku is not None:
        raise AnchorUnfit(reason="extensions")
    if not certificate.public_key.within_bounds:
        raise AnchorUnfit(reason="key-bounds")
    if root is not None and certificate.signature_algorithm not in _HASHES:
        raise AnchorUnfit(reason="weak-signature")
    return Anchor(certificate, certificate.verifying_key(), root)
