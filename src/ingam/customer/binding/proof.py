"""The numbered checks from a signed message to a certificate that is proven to be the customer's (flows.md, "Server
check order"; security A1-A17).

Registration walks 1-12, login 2-8 and 10. Each number has its own code; the cause below it goes to the audit line
as fact `cause`. The server rebuilds every byte that was to be signed from its own record (A1).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from ingam.customer.person import number_named
from ingam.kernel.errors import Refusal
from ingam.kernel.instants import korean_day
from ingam.kernel.secret import Secret
from ingam.npki import chain, cms, policies, vid
from ingam.npki.certificate import Certificate, CertificateKeyKind, CertificateMalformed, SeveralIdentifyData
from ingam.npki.chain import Anchors, PathRefused, RevokedAuthorities, SignatureCache
from ingam.npki.cms import CmsRefused, UnverifiedSignedData
from ingam.npki.policies import Acceptance, Policy
from ingam.npki.private_key import BadRandom
from ingam.ports.customers import Customer, CustomerKind
from ingam.ports.status import Authorities, Good, IssuingAuthority, Revoked, StatusChecker, StatusUnavailable, Suspended
from ingam.protocols.challenge import Challenge, text

CHECKS: Final = (
    (1, "the flow's state, and a live proof of additional authentication bound to this purpose", ("flow-expired",)),
    (2, "the nonce: known, unused, of this session, origin and purpose; claimed before all else", ("nonce-invalid",)),
    (3, "the certificate's form, digitalSignature, RSA 2048-4096", ("cert-malformed",)),
    (4, "the signature over the rebuilt text: one signer, five signed attributes", ("signature-invalid",)),
    (5, "the path to a configured root, and the CA's own status (A7, A8, A10)", ("untrusted-issuer",)),
    (
        6,
        "the policy under this issuer for this kind of customer (A9)",
        ("policy-not-accepted", "bank-only", "kind-clash"),
    ),
    (7, "the certificate's validity at the server's instant", ("cert-expired", "cert-not-yet-valid")),
    (8, "the certificate's status; cannot confirm is not good", ("cert-revoked", "cert-suspended", "status-unknown")),
    (9, "the VID of the stored number and R (A14, A15, A16)", ("vid-missing", "owner-mismatch")),
    (10, "whom this certificate is bound to", ("already-bound", "bound-to-other", "binding-suspended")),
    (11, "the yes to replace came before signing and names the current binding", ("replace-confirm",)),
    (12, "binding, history, proof, flow, audit and notice in one transaction", ()),
)
"""Number, what is checked, its codes. Check 8 also ends in the StatusUnavailable codes (`status-…`), an outage."""
REGISTRATION: Final = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
LOGIN: Final = (2, 3, 4, 5, 6, 7, 8, 10)

SIGNED_MAX: Final = 32 * 1024
SEALED_MAX: Final = 1024
_NUMBERS: Final = {code: number for number, _, codes in CHECKS for code in codes}

# What the path says of the certificate's own form belongs to check 3, what it says of the issuers to check 5.
_FORM: Final = frozenset(
    ("cert-extension-duplicate", "cert-extension-unknown", "cert-weak-signature", "cert-key-bounds",
     "cert-is-ca", "cert-no-digital-signature", "cert-has-eku")
)  # fmt: skip
_TIME: Final = frozenset(("cert-expired", "cert-not-yet-valid"))


class CheckFailed(Refusal):
    """A numbered check refused; facts `check` (its number) and `cause` (the finer code), `date` where one is said."""

    def __init__(self, code: str, *, cause: str | None = None, **facts: str | int) -> None:
        super().__init__(code, check=_NUMBERS[code], cause=cause or code, **facts)


@dataclass(frozen=True, slots=True)
class UnverifiedPresentation:
    """What a request brought for a claimed challenge; nothing in it is believed yet."""

    challenge: Challenge
    signed: bytes = field(repr=False)
    sealed: bytes | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class ProvenCertificate:
    """Checks 3-8 passed: its key signed this challenge, and it is good here and now. It is nobody's yet."""

    presentation: UnverifiedPresentation
    certificate: Certificate
    authority: IssuingAuthority
    policy: Policy
    status: Good
    at: datetime


@dataclass(frozen=True, slots=True)
class OwnedCertificate:
    """Check 9 passed as well: it is the certificate of the person with this customer's number (A16, H5)."""

    proven: ProvenCertificate
    customer: Customer


class SealOpener(Protocol):
    """Opens R in the request that brought it; the key pair lives in the center's memory (A15)."""

    def open(self, blob: bytes, challenge: Challenge, certificate: bytes) -> Secret[bytes]:
        """The DER of R's BIT STRING. Raises SealUnreadable."""


class Accepting(Protocol):
    """What two operators may have withdrawn of what the tables and the file of trust accept (G2)."""

    def takes(self, authority: str, oid: str | None) -> bool:
        """Whether this policy of this authority (its key in npki/policies.toml) is accepted."""

    def trusts(self, fingerprint: bytes) -> bool:
        """Whether the issuing CA of this SHA-256 is trusted."""


class Prover:
    """Checks 3-8 against the configured authorities. One per process: it remembers CA signatures (A10)."""

    def __init__(self, authorities: Authorities, status: StatusChecker, accepting: Accepting | None = None) -> None:
        self._accepting = accepting
        self._authorities = authorities
        self._status = status
        self._anchors = _anchors(authorities)
        self._cache = SignatureCache()
        self._revoked: dict[bytes, RevokedAuthorities] = {}

    async def prove(
        self, presentation: UnverifiedPresentation, *, kind: CustomerKind | None, fresh: bool, at: datetime
    ) -> ProvenCertificate:
        """The certificate, proven. `kind` None (login: the binding knows) accepts what any kind may use.

        `fresh` asks for a status without our cache: registration and re-binding (A11). Raises CheckFailed,
        and StatusUnavailable (an outage) where the status cannot be confirmed.
        """
        signed = _check_3_form(presentation)
        _check_4_signature(presentation, signed)
        authority, out_of_time = await self._check_5_path(signed.certificate, at)
        policy = check_6_policy(signed.certificate, kind)
        self._check_withdrawn(authority, policy)
        _check_7_validity(out_of_time, signed.certificate)
        status = await self._check_8_status(signed.certificate, authority, fresh, at)
        return ProvenCertificate(presentation, signed.certificate, authority, policy, status, at)

    async def path(self, person: Certificate, at: datetime) -> tuple[IssuingAuthority, str | None]:
        """Check 5 (and of 3 what the path says) of one that nobody presents: its issuer, and of 7 the code."""
        try:
            return await self._check_5_path(person, at)
        except (CertificateMalformed, CertificateKeyKind) as wrong:
            raise CheckFailed("cert-malformed", cause=wrong.code) from None

    def policy(self, person: Certificate, authority: IssuingAuthority) -> Policy:
        """Check 6 for whichever kind of customer. Raises CheckFailed."""
        found = check_6_policy(person, None)
        self._check_withdrawn(authority, found)
        return found

    async def status(self, person: Certificate, authority: IssuingAuthority, at: datetime) -> Good:
        """Check 8, after `path`. Raises CheckFailed, StatusUnavailable."""
        return await self._check_8_status(person, authority, False, at)

    def accepted(self, kind: CustomerKind) -> tuple[Policy, ...]:
        """Every row of the table that check 6 takes of this kind of customer here and now (A9, G2)."""
        ours = {policies.authority(one.certificate.subject) for one in self._trusted()}
        kind_of_table, now = policies.CustomerKind(str(kind)), self._accepting
        rows = (row for row in policies.policies() if policies.judged(row, kind_of_table) is Acceptance.ACCEPTED)
        return tuple(row for row in rows if row.ca in ours and (now is None or now.takes(row.ca.key, row.oid)))

    def _trusted(self) -> list[IssuingAuthority]:
        now, every = self._accepting, self._authorities.by_fingerprint.values()
        return [one for one in every if now is None or now.trusts(one.certificate.fingerprint)]

    async def standing(self, person: Certificate, policy: Policy, *, fresh: bool, at: datetime) -> Good:
        """Checks 5, 7 and 8 of a certificate whose form, signature and policy somebody else checked (금융인증서).

        Raises CheckFailed, StatusUnavailable.
        """
        authority, out_of_time = await self._check_5_path(person, at)
        self._check_withdrawn(authority, policy)
        _check_7_validity(out_of_time, person)
        return await self._check_8_status(person, authority, fresh, at)

    async def _check_5_path(self, person: Certificate, at: datetime) -> tuple[IssuingAuthority, str | None]:
        """The issuer, and the code of check 7 if the validity alone failed, which the path checks last."""
        out_of_time: str | None = None
        try:
            chain.validate(person, self._anchors, at, revoked=self._revoked, cache=self._cache)
        except PathRefused as refused:
            if refused.code not in _TIME:
                raise _path_failure(refused) from None
            out_of_time = refused.code
        authority = self._issuer(person)
        await self._check_root_list(authority, at)
        return authority, out_of_time

    def _check_withdrawn(self, authority: IssuingAuthority, policy: Policy) -> None:
        """What two operators withdrew is accepted no more: of check 5 the authority, of check 6 the policy."""
        if self._accepting is None:
            return
        if not self._accepting.trusts(authority.certificate.fingerprint):
            raise CheckFailed("untrusted-issuer", cause="ca-withdrawn")
        if not self._accepting.takes(policy.ca.key, policy.oid):
            raise CheckFailed("policy-not-accepted", cause="policy-withdrawn")

    def _issuer(self, person: Certificate) -> IssuingAuthority:
        """The configured CA whose path just held; its key id is that of the certificate, which the path compared."""
        aki = person.aki
        for anchor in self._anchors.authorities_named(person.issuer):
            if aki is not None and aki.key_id == anchor.certificate.ski:
                return self._authorities.by_fingerprint[anchor.certificate.fingerprint]
        raise CheckFailed("untrusted-issuer")

    async def _check_root_list(self, authority: IssuingAuthority, at: datetime) -> None:
        """A10: the CA's own status. A pinned CA has no root to ask; only a list in force acquits."""
        if authority.root is None:
            return
        serials, next_update = await self._status.root_list(authority.certificate, at)
        self._revoked[authority.root.fingerprint] = RevokedAuthorities(serials, next_update)
        if authority.certificate.serial in serials:
            raise CheckFailed("untrusted-issuer", cause="ca-revoked")
        if at > next_update:
            raise StatusUnavailable("root-list-unavailable")

    async def _check_8_status(
        self, person: Certificate, authority: IssuingAuthority, fresh: bool, at: datetime
    ) -> Good:
        status = await self._status.check(person, authority.certificate, fresh=fresh, at=at)
        if isinstance(status, Good):
            return status
        if isinstance(status, Revoked):
            raise CheckFailed("cert-revoked", source=str(status.source))
        if isinstance(status, Suspended):
            raise CheckFailed("cert-suspended", source=str(status.source))
        raise CheckFailed("status-unknown", source=str(status.source))


def vid_of(proven: ProvenCertificate) -> vid.Vid:
    """The half of check 9 without R: one VID by SHA-256, and a sealed R beside it. Raises CheckFailed vid-missing."""
    try:
        value = proven.certificate.identify_data
        if value is None:
            raise CheckFailed("vid-missing", cause="no-identify-data")
        found = vid.parse_identify_data(value).vid
    except (vid.VidMissing, vid.VidMalformed, SeveralIdentifyData, CertificateMalformed) as wrong:
        raise CheckFailed("vid-missing", cause=wrong.code) from None
    if found.hash != "sha256":
        raise CheckFailed("vid-missing", cause="vid-hash")
    if proven.presentation.sealed is None:
        raise CheckFailed("vid-missing", cause="no-random")
    return found


def prove_ownership(proven: ProvenCertificate, customer: Customer, keys: SealOpener) -> OwnedCertificate:
    """Check 9: the VID of the customer's own number and R. The one place where VID and R meet (H2); R ends here.

    Only a proven presentation gets this far: the same message carries a signature by the same certificate (A16).
    Raises CheckFailed vid-missing or owner-mismatch, SealUnreadable for a blob of another key or challenge.
    """
    presentation, ours = proven.presentation, vid_of(proven)
    assert presentation.sealed is not None
    random_der = keys.open(presentation.sealed, presentation.challenge, proven.certificate.der)
    try:
        vid.check_vid(ours, customer.idn.reveal(), random_der.reveal())
    except (vid.VidMismatch, BadRandom) as wrong:
        raise CheckFailed("owner-mismatch", cause=wrong.code, named=number_named(customer.idn)) from None
    return OwnedCertificate(proven, customer)


def _check_3_form(presentation: UnverifiedPresentation) -> UnverifiedSignedData:
    """The certificate is looked at before its signature: bounds first (A4)."""
    if len(presentation.signed) > SIGNED_MAX:
        raise CheckFailed("signature-invalid", cause="cms-too-large")
    try:
        signed = cms.parse(presentation.signed)
        person = signed.certificate
        bits, usage = person.public_key.bits, person.key_usage
    except (CertificateMalformed, CertificateKeyKind) as wrong:
        raise CheckFailed("cert-malformed", cause=wrong.code) from None
    except CmsRefused as wrong:
        raise CheckFailed("signature-invalid", cause=wrong.code) from None
    if not 2048 <= bits <= 4096:
        raise CheckFailed("cert-malformed", cause="cert-key-bounds")
    if usage is None or "digitalSignature" not in usage:
        raise CheckFailed("cert-malformed", cause="cert-no-digital-signature")
    return signed


def _check_4_signature(presentation: UnverifiedPresentation, signed: UnverifiedSignedData) -> None:
    challenge = presentation.challenge
    expected = text(challenge, signed.certificate.der, presentation.sealed)
    try:
        cms.verify(signed, content=expected, purpose=str(challenge.purpose))
    except CmsRefused as wrong:
        raise CheckFailed("signature-invalid", cause=wrong.code) from None


def check_6_policy(person: Certificate, kind: CustomerKind | None) -> Policy:
    """The policy, where a customer of this kind may use it. Raises CheckFailed."""
    oid = _policy_oid(person)
    kinds = [kind] if kind is not None else list(CustomerKind)
    found = [policies.accepts(person.issuer, oid, policies.CustomerKind(str(one))) for one in kinds]
    policy = policies.lookup(person.issuer, oid)
    if Acceptance.ACCEPTED not in found:
        raise CheckFailed(str(found[0]), cause=str(found[0]))
    if policy is None:
        raise CheckFailed("policy-not-accepted")
    return policy


def _policy_oid(person: Certificate) -> str | None:
    try:
        return person.policy_oid
    except CertificateMalformed as wrong:
        raise CheckFailed("cert-malformed", cause=wrong.code) from None


def _check_7_validity(out_of_time: str | None, person: Certificate) -> None:
    if out_of_time is not None:
        at = person.not_after if out_of_time == "cert-expired" else person.not_before
        raise CheckFailed(out_of_time, date=korean_day(at))


def _path_failure(refused: PathRefused) -> CheckFailed:
    if refused.code in _FORM:
        return CheckFailed("cert-malformed", cause=refused.code)
    if refused.code == "cert-no-policy":
        return CheckFailed("policy-not-accepted", cause=refused.code)
    return CheckFailed("untrusted-issuer", cause=refused.code)


def _anchors(authorities: Authorities) -> Anchors:
    every = authorities.by_fingerprint.values()
    roots = {one.root.fingerprint: one.root for one in every if one.root is not None}
    return Anchors(
        roots=roots.values(),
        authorities=[one.certificate for one in every if one.root is not None],
        pinned=[one.certificate for one in every if one.root is None],
    )
