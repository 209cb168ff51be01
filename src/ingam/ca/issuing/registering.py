"""Registration (등록): what an RA says of a holder, before the holder's own request comes with its key.

It gives a reference number (참조번호) and an authorization code (인가코드): 128 bits, used once, 14 days (security D3).
The RA is trusted to have identified the person (D2); the CA trusts nothing that the later request says of them.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from ingam.ca import facts as sealed
from ingam.ca.facts import Facts
from ingam.ca.issuing.names import Applicant, real_name_of, subject_of
from ingam.ca.notices import contact_notice
from ingam.ca.office import Office
from ingam.ca.profiles import Customer, Operation, Profile
from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret
from ingam.ports.books import AuditLine, Notice, Registration

CODE_BYTES: Final = 16
REFERENCE_DIGITS: Final = 20
"""66 random bits (D3: 64 or more)."""

MOST_REFERENCE: Final = 64
MOST_CODE: Final = 64
"""Characters of a reference number and a code that are told."""

LIFE: Final = timedelta(days=14)
NUMBER_DIGITS: Final = 9
"""Of what makes a person's name unique."""


class RegistrationRefused(Refusal):
    """What the RA said does not fit the profile (facts: part); nothing was registered."""

    code = "ca-registration-refused"


@dataclass(frozen=True, slots=True, repr=False)
class Asked:
    """What an RA asks. `spki_hash`: SHA-256 of the key that alone will be certified (D1), or None.

    `operation`: ISSUE, or REISSUE of the person's certificate that stands under the profile's policy. `reusable`, and
    with it a `reference` and a `code` that are told and not made: only in a sandbox, where a suite of tests knows them.
    `npki`: the code is for the raw TCP profile and for nothing else (security D8).
    """

    profile: str
    facts: Facts
    operation: Operation = Operation.ISSUE
    spki_hash: bytes | None = None
    reusable: bool = False
    reference: str | None = None
    code: Secret[str] | None = None
    npki: bool = False


@dataclass(frozen=True, slots=True)
class Registered:
    """What the holder needs; shown once."""

    reference: str
    code: Secret[str]
    expires: datetime


async def register(office: Office, asked: Asked, *, by: str) -> Registered:
    """Enter a registration. `by`: who says so, for the audit line (an RA's serial, or `cli`).

    Raises RegistrationRefused, ProfileUnknown, NameRefused, BlindIndexOutage, BooksOutage.
    """
    profile = office.authority.profile(asked.profile)
    _check(office, profile, asked)
    person = await _person(office, profile, asked)
    known = _known(office, person)
    facts = asked.facts if person is None else _completed(office, asked.facts, known)
    # The names are tried now, so that the RA hears of a bad one and not the person.
    subject_of(office.authority, profile, applicant(facts))
    real_name_of(profile, applicant(facts))
    at = office.now()
    reference, code = asked.reference or _reference(office), asked.code or _code(office)
    one = Registration(
        reference=reference,
        profile=profile.name,
        operation=asked.operation.value,
        person=person,
        sealed=sealed.seal_registration(office.sealer, reference, code, None if person else facts),
        spki_hash=asked.spki_hash,
        created_at=at,
        expires_at=at + LIFE,
        not_after=_kept_end(office, profile, person, asked.operation),
        reusable=asked.reusable,
        npki=asked.npki,
    )
    line = AuditLine(at, "register", "ok", json.dumps({"profile": profile.name, "by": by, "reference": reference}))
    kept = None if person is None else sealed.seal_person(office.sealer, person, facts)
    await office.books.register(one, line, kept, _moved(office, known, facts, reference))
    return Registered(reference, code, one.expires_at)


def applicant(facts: Facts) -> Applicant:
    """What names are made of."""
    return Applicant(facts.name, facts.number, facts.english, facts.branch, facts.hosts)


def _check(office: Office, profile: Profile, asked: Asked) -> None:
    idn = asked.facts.idn.reveal()
    sizes = {Customer.PERSONAL: (13,), Customer.CORPORATE: (10, 13), Customer.ANY: (10, 13), Customer.NONE: (0,)}
    if len(idn) not in sizes[profile.customer] or (idn and not (idn.isascii() and idn.isdigit())):
        raise RegistrationRefused(part="idn")
    if asked.spki_hash is not None and len(asked.spki_hash) != 32:
        raise RegistrationRefused(part="spki")
    if asked.operation is Operation.RENEW:
        raise RegistrationRefused(part="operation")  # a renewal is signed by the old key, and needs no code
    if asked.reusable and not office.authority.sandbox:
        raise RegistrationRefused(part="reusable")
    if asked.npki and not profile.identified:
        raise RegistrationRefused(part="npki")  # what comes that way always brings an EncryptedVID
    _check_told(office, asked)


def _check_told(office: Office, asked: Asked) -> None:
    """A code that somebody chose is no secret of 128 bits (D3)."""
    reference, code = asked.reference, asked.code
    if (reference is not None or code is not None) and not asked.reusable:
        raise RegistrationRefused(part="reusable")
    if code is not None and not (0 < len(code) <= MOST_CODE and code.reveal().isascii()):
        raise RegistrationRefused(part="code")
    if reference is None:
        return
    if not (reference.isascii() and reference.isprintable() and 0 < len(reference) <= MOST_REFERENCE):
        raise RegistrationRefused(part="reference")
    if office.books.registration(reference) is not None:
        raise RegistrationRefused(part="reference-taken")


async def _person(office: Office, profile: Profile, asked: Asked) -> bytes | None:
    """Whoever has one certificate at a time is known by a keyed digest of the number (H7)."""
    if not asked.facts.idn or asked.reusable:
        return None
    del profile
    return await office.index.index("idn", asked.facts.idn)


def _known(office: Office, person: bytes | None) -> Facts | None:
    """What was registered of the person before."""
    kept = None if person is None else office.books.person(person)
    return None if person is None or kept is None else sealed.open_person(office.sealer, person, kept)


def _completed(office: Office, given: Facts, known: Facts | None) -> Facts:
    """A person keeps the number in the name through reissues and renewals, and the contact where none is told (D2)."""
    if known is not None:
        mobile, email = given.mobile or known.mobile, given.email or known.email
        given = replace(given, number=given.number or known.number, mobile=mobile, email=email)
    return given if given.number else replace(given, number=_number(office))


def _moved(office: Office, known: Facts | None, facts: Facts, reference: str) -> list[Notice]:
    """What the contact that stood is told when another one takes its place (D2)."""
    if known is None or known.mobile in ("", facts.mobile):
        return []
    return [contact_notice(office, known.mobile, reference, office.now())]


def _number(office: Office) -> str:
    return f"{int.from_bytes(office.random(8), 'big') % 10**NUMBER_DIGITS:0{NUMBER_DIGITS}}"


def _kept_end(office: Office, profile: Profile, person: bytes | None, operation: Operation) -> datetime | None:
    """재발급 keeps the end date of the certificate that stands (facts.md section 2)."""
    if operation is not Operation.REISSUE:
        return None
    old = None if person is None else office.books.standing_of(person, profile.policy)
    if old is None or old.not_after <= office.now():
        raise RegistrationRefused(part="nothing-to-reissue")
    return old.not_after


def _reference(office: Office) -> str:
    return f"{int.from_bytes(office.random(16), 'big') % 10**REFERENCE_DIGITS:0{REFERENCE_DIGITS}}"


def _code(office: Office) -> Secret[str]:
    """26 characters of base32: they survive being typed."""
    return Secret(base64.b32encode(office.random(CODE_BYTES)).decode("ascii").rstrip("="))
