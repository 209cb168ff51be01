"""The lint: a numbered list of checks over the exact bytes that are about to be signed; one failure, and nothing is.

It reads the bytes with eyes of its own (`found`), and holds them to what data and registration say (`rules`), so that
a fault of the template, of a shape or of a profile never leaves as a certificate. RFC 5280; npki.md section 2; security
A8, A14, D11. Every failure is ours: whoever asked has done nothing wrong.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from ingam.ca.issuing import found as place
from ingam.ca.issuing.found import Attribute, Found, Names, read
from ingam.ca.issuing.rules import Rules, rules_of, service_rules
from ingam.kernel.errors import Defect
from ingam.npki import der, shapes
from ingam.npki.certificate import CertificateMalformed
from ingam.npki.der import NotDer

__all__ = ["CHECKS", "Expectation", "LintFailed", "Rules", "findings", "lint", "rules_of", "service_rules"]

MOST_OCTETS: Final = 8192
"""Of a to-be-signed certificate; an ML-DSA-65 key makes them about 3,000."""

_VERSION_3: Final = bytes.fromhex("a003020102")
_SHA256: Final = bytes.fromhex("300b0609608648016503040201")
_COUNTRY, _ORGANISATION, _UNIT, _COMMON = (bytes.fromhex(f"5504{one}") for one in ("06", "0a", "0b", "03"))
_KNOWN: Final = frozenset(
    (place.AUTHORITY_KEY, place.SUBJECT_KEY, place.KEY_USAGE, place.POLICIES, place.ALTERNATIVE_NAME, place.BASIC,
     place.POLICY_CONSTRAINTS, place.PURPOSES, place.LISTS, place.DELTA, place.ACCESS, place.NO_CHECK)
)  # fmt: skip


class LintFailed(Defect):
    """The bytes are not what they have to be; nothing was signed. `number` and `check` say which check it was."""

    code = "ca-lint-failed"

    def __init__(self, number: int, check: str) -> None:
        super().__init__(number=number, check=check)
        self.number, self.check = number, check


class Expectation(NamedTuple):
    """The facts that one certificate was made from. `subject`, `spki`: DER; `vid`: 32 octets; `hosts`: dNSNames."""

    rules: Rules
    serial: int
    not_before: datetime
    not_after: datetime
    subject: bytes
    spki: bytes
    real_name: str | None = None
    vid: bytes | None = None
    hosts: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "<Expectation>"  # a person's name and VID stand in it


def lint(tbs: bytes, expectation: Expectation) -> None:
    """Raises LintFailed at the first check that the DER of a TBSCertificate does not pass."""
    try:
        seen = read(tbs)
    except (NotDer, CertificateMalformed):
        raise LintFailed(1, "der") from None
    for number, check, passes in _REST:
        if not passes(seen, expectation):
            raise LintFailed(number, check)


def findings(tbs: bytes, expectation: Expectation) -> list[str]:
    """Names of all checks that the bytes do not pass."""
    try:
        seen = read(tbs)
    except (NotDer, CertificateMalformed):
        return ["der"]
    return [check for _, check, passes in _REST if not passes(seen, expectation)]


# 1 to 16: what stands before the extensions.


def _serial_form(seen: Found, _: Expectation) -> bool:
    return seen.serial > 0 and seen.serial_size <= 20


def _serial_size(seen: Found, expected: Expectation) -> bool:
    """Octets that hold the random bits (security D11)."""
    return seen.serial_size >= expected.rules.least_serial


def _issuer(seen: Found, expected: Expectation) -> bool:
    """The CA's subject byte for byte; a root's own."""
    wanted = expected.rules.issuer
    return seen.issuer == (seen.subject if wanted is None else wanted)


def _time_form(seen: Found, _: Expectation) -> bool:
    """UTCTime through 2049, GeneralizedTime from then on (RFC 5280 section 4.1.2.5)."""
    return seen.time_tags == (_time_tag(seen.not_before), _time_tag(seen.not_after))


def _time_tag(at: datetime) -> int:
    return der.UTC_TIME if at.year < 2050 else der.GENERALIZED_TIME


def _time_within(seen: Found, expected: Expectation) -> bool:
    within = expected.rules.within
    if within is None:
        return True
    return within.not_before <= seen.not_before and seen.not_after <= within.not_after


def _time_length(seen: Found, expected: Expectation) -> bool:
    return seen.not_before < seen.not_after <= seen.not_before + expected.rules.longest


def _day_end(seen: Found, expected: Expectation) -> bool:
    """23:59:59 in Korea."""
    if not expected.rules.day_end:
        return True
    at = seen.not_after.astimezone(UTC)
    return (at.hour, at.minute, at.second) == (14, 59, 59)


def _subject_order(seen: Found, expected: Expectation) -> bool:
    """C, O, units, CN: one attribute to a step, of this country and organisation."""
    steps = seen.rdns
    if len(steps) < 3 or any(len(step) != 1 for step in steps):
        return False
    kinds = [step[0].kind for step in steps]
    if kinds[:2] != [_COUNTRY, _ORGANISATION] or kinds[-1] != _COMMON or any(one != _UNIT for one in kinds[2:-1]):
        return False
    rules = expected.rules
    return steps[0][0].value == rules.country and steps[1][0].value == rules.organisation


def _subject_strings(seen: Found, _: Expectation) -> bool:
    """C a PrintableString of two, all else visible UTF8Strings of 1 to 64 characters in normal form C (X.520)."""
    return all((_string if one.kind == _COMMON else _shared)(one) for step in seen.rdns for one in step)


def _string(one: Attribute) -> bool:
    if one.kind == _COUNTRY:
        return one.tag == der.PRINTABLE_STRING and len(one.value) == 2
    if one.tag != der.UTF8_STRING:
        return False
    try:
        text = one.value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return 1 <= len(text) <= 64 and text.isprintable() and unicodedata.is_normalized("NFC", text)


_shared = lru_cache(maxsize=1024)(_string)  # country, firm and branch; never a person's name


# 17 to 34: the extensions.


def _critical(seen: Found, expected: Expectation) -> bool:
    """Critical is what the profile marks so, and nothing else; what nobody knows is refused by another check."""
    return seen.critical & _KNOWN == expected.rules.critical & seen.says.keys()


def _identify_data(seen: Found, expected: Expectation) -> bool:
    """Exactly one identifyData where a person or an authority is named, none elsewhere; no other kind of name."""
    names = _names(seen)
    wanted = 1 if expected.rules.name in ("person", "authority") else 0
    if names is None:
        return wanted == 0
    return len(names.identities) == wanted and not names.others


def _real_name(seen: Found, expected: Expectation) -> bool:
    wanted = None if expected.real_name is None else (der.UTF8_STRING, expected.real_name.encode("utf-8"))
    return all((one.tag, one.real_name) == wanted for one in _identities(seen))


def _vid(seen: Found, expected: Expectation) -> bool:
    """Exactly one VID, of SHA-256 without NULL, in a person's (security A14); none in an authority's."""
    person = expected.rules.name == "person"
    if person and (expected.vid is None or len(expected.vid) != 32):
        return False
    wanted = ((place.VID, _SHA256, expected.vid),) if person else ()
    return all(one.items == wanted for one in _identities(seen))


def _hosts(seen: Found, expected: Expectation) -> bool:
    names = _names(seen)
    wanted = expected.hosts if expected.rules.name == "hosts" else ()
    if expected.rules.name == "hosts" and not wanted:
        return False
    return (() if names is None else names.hosts) == wanted


def _names(seen: Found) -> Names | None:
    held = seen.says.get(place.ALTERNATIVE_NAME)
    return held if isinstance(held, Names) else None


def _identities(seen: Found) -> tuple[place.Identity, ...]:
    names = _names(seen)
    return () if names is None else names.identities


def _policy(seen: Found, expected: Expectation) -> bool:
    """Exactly one, and the one that this authority issues under this profile."""
    return _without_qualifiers(seen.says.get(place.POLICIES)) == _without_qualifiers(expected.rules.policies)


def _without_qualifiers(policies: object) -> object:
    return tuple(one[0] for one in policies) if isinstance(policies, tuple) else None


def _qualifiers(seen: Found, expected: Expectation) -> bool:
    """Each qualifier's type, string type (CPS an IA5String, notice a BMPString), text and place."""
    return _of_each(seen.says.get(place.POLICIES)) == _of_each(expected.rules.policies)


def _of_each(policies: object) -> object:
    """Of one policy; how many there are is another check's."""
    return policies[0][1] if isinstance(policies, tuple) and policies else ()


Check = Callable[[Found, Expectation], bool]

CHECKS: Final[tuple[tuple[str, Check], ...]] = (
    ("der", lambda _, __: True),  # `read` has done it
    ("size", lambda seen, _: seen.size <= MOST_OCTETS),
    ("version", lambda seen, _: seen.version == _VERSION_3),
    ("serial-form", _serial_form),
    ("serial-size", _serial_size),
    ("serial-value", lambda seen, expected: seen.serial == expected.serial),
    ("algorithm", lambda seen, expected: seen.algorithm == expected.rules.algorithm),
    ("issuer", _issuer),
    ("time-form", _time_form),
    ("time-value", lambda seen, expected: (seen.not_before, seen.not_after) == expected[2:4]),
    ("time-within-ca", _time_within),
    ("time-length", _time_length),
    ("time-day-end", _day_end),
    ("subject-value", lambda seen, expected: seen.subject == expected.subject),
    ("subject-order", _subject_order),
    ("subject-strings", _subject_strings),
    ("key", lambda seen, expected: seen.spki == expected.spki),
    ("nothing-behind-the-key", lambda seen, _: seen.behind == (0xA3,)),
    ("extension-twice", lambda seen, _: not seen.twice),
    ("extension-known", lambda seen, _: seen.says.keys() <= _KNOWN),
    ("extension-critical", _critical),
    ("authority-key", lambda seen, expected: seen.says.get(place.AUTHORITY_KEY) == expected.rules.authority_key),
    ("subject-key", lambda seen, _: seen.says.get(place.SUBJECT_KEY) == shapes.key_identifier(seen.spki)),
    ("key-usage", lambda seen, expected: seen.says.get(place.KEY_USAGE) == expected.rules.usage),
    ("policy", _policy),
    ("policy-qualifiers", _qualifiers),
    ("identify-data", _identify_data),
    ("real-name", _real_name),
    ("vid", _vid),
    ("hosts", _hosts),
    ("basic-constraints", lambda seen, expected: seen.says.get(place.BASIC) == expected.rules.basic),
    (
        "policy-constraints",
        lambda seen, expected: seen.says.get(place.POLICY_CONSTRAINTS) == expected.rules.policy_constraints,
    ),
    ("purposes", lambda seen, expected: seen.says.get(place.PURPOSES) == expected.rules.purposes),
    ("lists", lambda seen, expected: seen.says.get(place.LISTS) == expected.rules.lists),
    ("delta", lambda seen, expected: seen.says.get(place.DELTA) == expected.rules.delta),
    ("access", lambda seen, expected: seen.says.get(place.ACCESS) == expected.rules.access),
    ("no-check", lambda seen, expected: seen.says.get(place.NO_CHECK) == expected.rules.no_check),
)
"""Number and name of each check are its place and its word here; both are permanent."""

_REST: Final = tuple((number, check, passes) for number, (check, passes) in enumerate(CHECKS, 1))[1:]
