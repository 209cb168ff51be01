"""The certificates that an authority makes for itself: shaped, linted, signed once, and verified before they count.

Uses: `root`, `issuing`, `ocsp` (by the CA itself), `root-ocsp` (by the root), `encryption`, `cmp`; and a root's key
certified by another root of the same authority.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from ingam.ca.ceremony.plan import CeremonyRefused, Random
from ingam.ca.issuing.lint import Expectation, Rules, lint, service_rules
from ingam.ca.issuing.template import new_serial
from ingam.ca.profiles import Authority, Generation, service_shape
from ingam.npki import certificate as certificates
from ingam.npki import shapes
from ingam.npki.certificate import Certificate
from ingam.npki.shapes import ANY_POLICY, Policy, Shape, Validity
from ingam.npki.signature import public_key, verify
from ingam.ports.signing import Intent, PublicHalf, Signer

CMC_CA: Final = "1.3.6.1.5.5.7.3.27"
"""id-kp-cmcCA (RFC 6402 section 2.10): who holds it answers for the CA (RFC 9810 section 4.5)."""

MOST_RESPONDER_DAYS: Final = 90
"""Of a responder that nobody can ask about (security D12)."""


class Seat(NamedTuple):
    """A root or an issuing CA with its key at hand. `number`: its generation; `root`: that of the root above it."""

    number: int
    certificate: Certificate
    signer: Signer
    root: int

    @property
    def generation(self) -> Generation:
        """As what it signs depends on it."""
        return Generation.of(self.number, self.certificate.der, self.signer.public.algorithm)


class _Wanted(NamedTuple):
    """A certificate that is to be made: what its shape says, what the lint will say, and its facts."""

    shape: Shape
    rules: Rules
    name: bytes
    spki: bytes
    validity: Validity
    real_name: str | None = None


@dataclass(frozen=True, slots=True)
class Notary:
    """Makes certificates of one authority at one instant, which is cut to whole seconds."""

    authority: Authority
    now: datetime
    random: Random

    @property
    def at(self) -> datetime:
        """The first instant of everything that it makes."""
        return self.now.replace(microsecond=0)

    def root(self, number: int, signer: Signer) -> Seat:
        """A self-signed root."""
        authority, public = self.authority, signer.public
        wanted = _Wanted(
            service_shape(authority, "root", 1, root=number),
            service_rules(authority, "root", issuer=None, algorithm=public.algorithm, root=number),
            authority.root_name(number),
            public.spki,
            Validity(self.at, years_later(self.at, authority.root.years)),
        )
        return Seat(number, self._signed(signer, None, wanted), signer, number)

    def issuing(self, number: int, public: PublicHalf, root: Seat) -> Certificate:
        """The certificate of an issuing CA. Raises CeremonyRefused `root-ends`: roll the root over first."""
        authority, end = self.authority, years_later(self.at, self.authority.issuing_years)
        if end > root.certificate.not_after:
            raise CeremonyRefused(reason="root-ends")
        shape = service_shape(authority, "issuing", number, root=root.number)
        rules, name = self._rules("issuing", root), authority.issuing_name(number)
        return self._below(root, _Wanted(shape, rules, name, public.spki, self._until(end), authority.operator))

    def responder(self, issuing: Seat, public: PublicHalf) -> Certificate:
        """An OCSP responder that the CA itself issues, without anybody to ask about it (id-pkix-ocsp-nocheck)."""
        days = min(self.authority.responder_days, MOST_RESPONDER_DAYS)
        end = min(self.at + timedelta(days=days), issuing.certificate.not_after)
        return self._below(issuing, self._service("ocsp", issuing, public, end))

    def responder_by_root(self, root: Seat, issuing: int, public: PublicHalf, end: datetime) -> Certificate:
        """An OCSP responder of the field's kind, to the end of the issuing CA `issuing`."""
        shape = service_shape(self.authority, "root-ocsp", issuing, root=root.number)
        rules, name = self._rules("root-ocsp", root), self.authority.service_name("ocsp", issuing)
        return self._below(root, _Wanted(shape, rules, name, public.spki, self._until(end), self.authority.operator))

    def encryption(self, issuing: Seat, public: PublicHalf) -> Certificate:
        """What R is encrypted to, to the end of the issuing CA."""
        return self._below(issuing, self._service("encryption", issuing, public, issuing.certificate.not_after))

    def cmp(self, issuing: Seat, public: PublicHalf) -> Certificate:
        """What protects CMP answers, to the end of the issuing CA."""
        wanted = self._service("cmp", issuing, public, issuing.certificate.not_after)
        shape, rules = replace(wanted.shape, purposes=(CMC_CA,)), replace(wanted.rules, purposes=(CMC_CA,))
        return self._below(issuing, wanted._replace(shape=shape, rules=rules))

    def cross(self, subject: Seat, by: Seat, validity: Validity) -> Certificate:
        """The key and name of a root, certified by another root (RFC 9810 section 4.4)."""
        authority, name = self.authority, subject.certificate.subject.raw
        above = service_shape(authority, "issuing", 1, root=by.number)
        # The CA below requires an explicit policy, so that a path through another root needs one there too.
        any_policy = Policy(ANY_POLICY, authority.root.cps, authority.root.notice)
        shape = replace(above, policy=any_policy, real_name=None, basic=(True, None), explicit_policy=False)
        rules = replace(
            self._rules("issuing", by),
            country=b"KR",
            organisation=authority.root.organisation.encode(),
            name=None,
            basic=(True, None),
            policy_constraints=None,
            longest=validity.not_after - validity.not_before,
            within=None,  # oldWithNew begins where the old key began, before the new root
        )
        return self._below(by, _Wanted(shape, rules, name, subject.certificate.spki, validity))

    def _service(self, use: str, issuing: Seat, public: PublicHalf, end: datetime) -> _Wanted:
        if end <= self.at:
            raise CeremonyRefused(reason="issuing-ends")
        shape, rules = service_shape(self.authority, use, issuing.number), self._rules(use, issuing)
        return _Wanted(shape, rules, self.authority.service_name(use, issuing.number), public.spki, self._until(end))

    def _until(self, end: datetime) -> Validity:
        return Validity(self.at, end)

    def _rules(self, use: str, issuer: Seat) -> Rules:
        return service_rules(self.authority, use, issuer=issuer.generation, root=issuer.root)

    def _below(self, by: Seat, wanted: _Wanted) -> Certificate:
        return self._signed(by.signer, by.generation, wanted)

    def _signed(self, signer: Signer, issuer: Generation | None, wanted: _Wanted) -> Certificate:
        """Shaped, linted, signed, verified. Raises Defect `ca-lint-failed`, and what the signer raises."""
        serial, public = new_serial(self.random, self.authority.serial_bytes), signer.public
        name, spki, validity = wanted.name, wanted.spki, wanted.validity
        tbs = shapes.tbs_certificate(
            wanted.shape,
            serial=serial,
            issuer=name if issuer is None else issuer.name,
            validity=validity,
            subject=name,
            spki=spki,
            authority_key=None if issuer is None else issuer.authority_key,
            algorithm=public.algorithm,
        )
        first, last = validity.not_before, validity.not_after
        lint(tbs, Expectation(wanted.rules, serial, first, last, name, spki, wanted.real_name))
        signature = signer.sign(Intent.of(tbs))
        verify(public_key(public.spki), public.algorithm, signature, tbs)
        return certificates.parse(shapes.assemble(tbs, signature, public.algorithm))


def years_later(at: datetime, years: int) -> datetime:
    """The same day so many years later; a 29 February has its 28th there."""
    try:
        return at.replace(year=at.year + years)
    except ValueError:
        return at.replace(year=at.year + years, day=28)
