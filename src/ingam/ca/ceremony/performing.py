"""The ceremonies: a new authority, the next issuing CA, the next root, a responder's next certificate.

They make keys and certificates and write nothing: place of keys, instant and randomness are parameters, the folder is
`folder`'s. Whatever may refuse does so before the first key is made, as far as it can be known then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ingam.ca.ceremony.certifying import Notary, Seat, years_later
from ingam.ca.ceremony.holdings import Holdings
from ingam.ca.ceremony.keyring import Keyring
from ingam.ca.ceremony.plan import Above, CeremonyRefused, Keys, Plan, Random
from ingam.ca.ceremony.record import Made, Record
from ingam.ca.profiles import Authority
from ingam.npki.certificate import Certificate
from ingam.npki.shapes import Validity
from ingam.npki.signature import KeyKind
from ingam.ports.signing import PublicHalf
from ingam.protocols.log import keys as log_keys


@dataclass(frozen=True)
class Ceremony:
    """What one made. `made`: an issuing CA's certificate stands last. `log`: DER SubjectPublicKeyInfo, or None."""

    made: tuple[Made, ...]
    log: bytes | None
    record: Record


def founding(authority: Authority, keys: Keys, plan: Plan, now: datetime, random: Random) -> Ceremony:
    """Root, issuing CA, OCSP responder, encryption certificate for R, CMP signer, and the key of the log: all first.

    Raises KeysLeftOver, CeremonyRefused, and what SigningKeys raises.
    """
    notary, kinds = Notary(authority, now, random), authority.keys
    _outlives(authority, notary, plan.above)
    wanted = {"issuing-1": kinds.issuing, "log-1": kinds.log} | _services(authority, 1, 1, 1)
    ring = Keyring(keys, plan, wanted if plan.above else {"root-1": kinds.root, **wanted})
    root = _above(ring, plan.above) if plan.above else notary.root(1, ring.signer("root-1"))
    issued = list(_issuing(notary, ring, root, 1, ("ocsp-1", "encryption-1", "cmp-1")))
    log = ring.signer("log-1").public.spki
    text = None if plan.log_origin is None else log_keys.log_key(plan.log_origin, log).text
    made = (_of_root(root), *issued)
    return Ceremony(made, log, Record("founding", notary.at, authority, plan, ring.made, made, text))


def root_founding(
    authority: Authority, keys: Keys, plan: Plan, now: datetime, random: Random, *, number: int
) -> Ceremony:
    """A root of this generation alone, to stand above several authorities. Raises KeysLeftOver, what keys raise."""
    notary, name = Notary(authority, now, random), f"root-{number}"
    ring = Keyring(keys, plan, {name: authority.keys.root})
    made = (_of_root(notary.root(number, ring.signer(name))),)
    return Ceremony(made, None, Record("root-founding", notary.at, authority, plan, ring.made, made))


def roll_over(
    authority: Authority, holdings: Holdings, keys: Keys, plan: Plan, now: datetime, random: Random
) -> Ceremony:
    """The next issuing CA under the newest root (or under the plan's), with services of its own; the earlier one stays
    valid beside it.

    Raises CeremonyRefused (`root-ends`: roll the root over first), KeysLeftOver, and what SigningKeys raises.
    """
    notary, above = Notary(authority, now, random), plan.above or _newest(holdings)
    _outlives(authority, notary, above)
    number = holdings.next_number("issuing")
    names = tuple(f"{use}-{holdings.next_number(use)}" for use in ("ocsp", "encryption", "cmp"))
    numbers = [int(name.rpartition("-")[2]) for name in names]
    ring = Keyring(keys, plan, {f"issuing-{number}": authority.keys.issuing, **_services(authority, *numbers)})
    root = _above(ring, above)
    new_root = () if holdings.roots.get(above.number) == above.certificate else (_of_root(root),)
    made = (*new_root, *_issuing(notary, ring, root, number, names))
    return Ceremony(made, None, Record("roll-over", notary.at, authority, plan, ring.made, made))


def root_roll_over(
    authority: Authority, holdings: Holdings, keys: Keys, plan: Plan, now: datetime, random: Random
) -> Ceremony:
    """The next root, and both roots certified by each other, so that who trusts one may come to trust the other.

    `root-2-by-1` is newWithOld, `root-1-by-2` oldWithNew (RFC 9810 section 4.4). Whoever has verified the one adopts
    the root itself: a path *through* a cross certificate does not hold with verifiers that compare issuer and serial
    of an authorityKeyIdentifier, because certificates of this field name both of their issuer's. Raises as `roll_over`.
    """
    notary, number = Notary(authority, now, random), _newest_root(holdings)
    after, kind = number + 1, authority.keys.root
    if holdings.roots[number].not_after <= notary.at:
        raise CeremonyRefused(reason="root-ends")
    ring = Keyring(keys, plan, {f"root-{after}": kind})
    old = _root_seat(holdings, ring, number)
    new = notary.root(after, ring.signer(f"root-{after}"))
    first, last = old.certificate.not_before, old.certificate.not_after
    new_with_old = notary.cross(new, old, Validity(notary.at, min(last, new.certificate.not_after)))
    old_with_new = notary.cross(old, new, Validity(first, last))
    made = (
        Made(f"root-{after}-by-{number}", new_with_old, kind),
        Made(f"root-{number}-by-{after}", old_with_new, old.signer.public.kind),
        Made(f"root-{after}", new.certificate, kind),
    )
    return Ceremony(made, None, Record("root-roll-over", notary.at, authority, plan, ring.made, made))


def responder_renewal(
    authority: Authority,
    holdings: Holdings,
    keys: Keys,
    plan: Plan,
    now: datetime,
    random: Random,
    *,
    issuing: int,
    new_key: bool = False,
) -> Ceremony:
    """The next certificate of the OCSP responder of an issuing CA: for its key, or for a new one under the next number.

    Raises CeremonyRefused, HoldingsMissing, KeysLeftOver, and what SigningKeys raises.
    """
    notary, found = Notary(authority, now, random), holdings.services_of("ocsp", issuing)
    if not found:
        raise CeremonyRefused(reason="no-responder")
    name = f"ocsp-{holdings.next_number('ocsp')}" if new_key else found[-1].name
    ring = Keyring(keys, plan, {name: authority.keys.ocsp} if new_key else {})
    public = ring.public(name) if new_key else ring.known(name, found[-1].certificate).public
    certificate = _responder(notary, ring, holdings, issuing, public)
    made = (Made(name, certificate, public.kind),)
    return Ceremony(made, None, Record("responder", notary.at, authority, plan, ring.made, made))


def _issuing(notary: Notary, ring: Keyring, root: Seat, number: int, services: tuple[str, ...]) -> Iterator[Made]:
    """Services first and the issuing CA last: a folder that gets them one by one never has a CA without services."""
    signer = ring.signer(f"issuing-{number}")
    seat = Seat(number, notary.issuing(number, signer.public, root), signer, root.number)
    for name in services:
        public, use = ring.public(name), name.rpartition("-")[0]
        if use == "encryption":
            certificate = notary.encryption(seat, public)
        elif use == "cmp":
            certificate = notary.cmp(seat, public)
        elif ring.responder_by_root:
            certificate = notary.responder_by_root(root, number, public, seat.certificate.not_after)
        else:
            certificate = notary.responder(seat, public)
        yield Made(name, certificate, public.kind)
    yield Made(f"issuing-{number}", seat.certificate, signer.public.kind)


def _responder(notary: Notary, ring: Keyring, holdings: Holdings, issuing: int, public: PublicHalf) -> Certificate:
    own = holdings.issuing[issuing]
    if own.not_after <= notary.at:
        raise CeremonyRefused(reason="issuing-ends")
    above = holdings.root_of(issuing)
    if ring.responder_by_root:
        return notary.responder_by_root(_root_seat(holdings, ring, above), issuing, public, own.not_after)
    return notary.responder(Seat(issuing, own, ring.known(f"issuing-{issuing}", own), above), public)


def _root_seat(holdings: Holdings, ring: Keyring, number: int) -> Seat:
    return _above(ring, Above(number, holdings.roots[number]))


def _above(ring: Keyring, above: Above) -> Seat:
    number, certificate = above
    return Seat(number, certificate, ring.known(f"root-{number}", certificate), number)


def _of_root(root: Seat) -> Made:
    return Made(f"root-{root.number}", root.certificate, root.signer.public.kind)


def _outlives(authority: Authority, notary: Notary, above: Above | None) -> None:
    """The root that signs is there to the end of what it signs."""
    if above is None:
        ends = authority.issuing_years > authority.root.years
    else:
        ends = years_later(notary.at, authority.issuing_years) > above.certificate.not_after
    if ends:
        raise CeremonyRefused(reason="root-ends")


def _newest(holdings: Holdings) -> Above:
    number = _newest_root(holdings)
    return Above(number, holdings.roots[number])


def _newest_root(holdings: Holdings) -> int:
    if not holdings.roots:
        raise CeremonyRefused(reason="no-root")
    return max(holdings.roots)


def _services(authority: Authority, ocsp: int, encryption: int, cmp: int) -> dict[str, KeyKind]:
    kinds = authority.keys
    return {f"ocsp-{ocsp}": kinds.ocsp, f"encryption-{encryption}": kinds.encryption, f"cmp-{cmp}": kinds.cmp}
