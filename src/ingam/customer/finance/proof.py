"""The numbered checks of a 금융인증서 (flows.md): the same numbers, another container and policy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ingam.customer.binding.proof import SIGNED_MAX, CheckFailed, Prover
from ingam.customer.finance.asking import Returned
from ingam.customer.person import birth_date, same_name
from ingam.kernel.errors import Refusal
from ingam.npki import cms, policies, vid
from ingam.npki.certificate import Certificate, CertificateKeyKind, CertificateMalformed, SeveralIdentifyData
from ingam.npki.cms import CmsRefused, UnverifiedSignedData
from ingam.npki.policies import Policy
from ingam.npki.private_key import BadRandom
from ingam.ports.customers import Customer
from ingam.ports.finance_cert import Signed
from ingam.ports.status import Good
from ingam.protocols.finance_challenge import text

USE = "finance"


class Foreign(Refusal):
    """Name, birth date or VID are not this customer's (E7, check 9). Fact `cause` for the audit line."""

    code = "finance-cert-foreign"


@dataclass(frozen=True, slots=True)
class ProvenFinance:
    """Checks 3-8 passed: its key signed this very text, and it is good here and now. It is nobody's yet."""

    certificate: Certificate
    policy: Policy
    status: Good
    at: datetime


async def prove(prover: Prover, returned: Returned, *, fresh: bool, at: datetime) -> ProvenFinance:
    """Raises CheckFailed, StatusUnavailable."""
    parsed = _check_3_form(returned.signed.signed)
    try:
        cms.verify_data(parsed, content=text(returned.challenge))
    except CmsRefused as wrong:
        raise CheckFailed("signature-invalid", cause=wrong.code) from None
    policy = _check_6_policy(parsed.certificate)
    status = await prover.standing(parsed.certificate, policy, fresh=fresh, at=at)
    return ProvenFinance(parsed.certificate, policy, status, at)


def prove_ownership(proven: ProvenFinance, signed: Signed, customer: Customer) -> None:
    """Check 9: name and birth date as the provider identified them, and the VID of the customer's own number (A14).

    Raises Foreign.
    """
    number = customer.idn.reveal()
    if len(number) != 13 or not same_name(signed.name, customer.name):
        raise Foreign(cause="name")
    if signed.birth_date != birth_date(number):
        raise Foreign(cause="birth-date")
    try:
        value = proven.certificate.identify_data
        found = None if value is None else vid.parse_identify_data(value).vid
        if found is None or found.hash != "sha256" or signed.random is None:
            raise Foreign(cause="vid-missing")
        vid.check_vid(found, number, signed.random.reveal())
    except (vid.VidMissing, vid.VidMalformed, vid.VidMismatch, BadRandom) as wrong:
        raise Foreign(cause=wrong.code) from None
    except (SeveralIdentifyData, CertificateMalformed) as wrong:
        raise Foreign(cause=wrong.code) from None


def _check_3_form(signed: bytes) -> UnverifiedSignedData:
    if len(signed) > SIGNED_MAX:
        raise CheckFailed("signature-invalid", cause="cms-too-large")
    try:
        parsed = cms.parse(signed)
        bits, usage = parsed.certificate.public_key.bits, parsed.certificate.key_usage
    except (CertificateMalformed, CertificateKeyKind) as wrong:
        raise CheckFailed("cert-malformed", cause=wrong.code) from None
    except CmsRefused as wrong:
        raise CheckFailed("signature-invalid", cause=wrong.code) from None
    if not 2048 <= bits <= 4096 or usage is None or "digitalSignature" not in usage:
        raise CheckFailed("cert-malformed", cause="cert-key-bounds")
    return parsed


def _check_6_policy(person: Certificate) -> Policy:
    """A 금융인증서 under the arc of whoever issued it, and nothing else (A9)."""
    try:
        policy = policies.lookup(person.issuer, person.policy_oid)
    except CertificateMalformed as wrong:
        raise CheckFailed("cert-malformed", cause=wrong.code) from None
    if policy is None or policy.use != USE or policy.ca.ended:
        raise CheckFailed("policy-not-accepted")
    return policy
