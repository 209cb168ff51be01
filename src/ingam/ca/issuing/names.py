"""The subject of a certificate from what was registered: patterns of the profile, filled with checked parts.

A part is letters and a few marks: none that ends a component in any written form of a name (`,` `+` `=` `/` `\\` …), so
that nothing registered can become a component of its own, in DER, in a folder's name or in a directory. The pattern of
the common name ends with digits behind a separator, so that two different people never share a name by accident.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NamedTuple

from ingam.ca.profiles import Authority, Profile
from ingam.kernel.errors import Refusal
from ingam.npki import shapes

MOST: Final = 64
"""Characters of O, OU and CN (X.520: ub-organization-name, ub-organizational-unit-name, ub-common-name)."""

_MARKS: Final = frozenset(" ().-&'·㈜")
_ENGLISH: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .&'-]*")
_NUMBER: Final = re.compile(r"[0-9]{1,20}")
_LABEL: Final = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_HOST: Final = re.compile(rf"(?=.{{1,253}}\Z)(\*\.)?({_LABEL}\.)+{_LABEL}")
# Letters and marks that nobody sees: fillers of Hangul, joiners, variation selectors, inherent vowels of Khmer.
_UNSEEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U0001d159\U000e0000-\U000e0fff]"
)


class NameRefused(Refusal):
    """A part of what was registered cannot stand in a name. `part`: `name`, `number` …; `reason`: a word."""

    code = "ca-name-refused"


class Applicant(NamedTuple):
    """What was registered for a name. `number`: digits that make it unique; `hosts`: of a server, first one first."""

    name: str
    number: str = ""
    english: str = ""
    branch: str = ""
    hosts: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "<Applicant>"  # a person's name stands in it (security H9)


def subject_of(authority: Authority, profile: Profile, applicant: Applicant) -> bytes:
    """DER of the subject, root first. Raises NameRefused."""
    hosts_of(profile, applicant)
    branch = _text("branch", applicant.branch or profile.branch)
    units = [_bounded("unit", one.format(branch=branch)) for one in profile.units]
    common = _bounded("common-name", profile.common.format_map(_Parts(profile, applicant)))
    return shapes.name(
        ("C", authority.country), ("O", authority.organisation), *(("OU", one) for one in units), ("CN", common)
    )


def real_name_of(profile: Profile, applicant: Applicant) -> str | None:
    """realName of identifyData, in normal form C; None where the profile has none. Raises NameRefused."""
    return _text("name", applicant.name) if profile.identified else None


def hosts_of(profile: Profile, applicant: Applicant) -> tuple[str, ...]:
    """The dNSNames; () where the profile has none. Raises NameRefused."""
    if not profile.hosts:
        return ()
    if not applicant.hosts or len(set(applicant.hosts)) != len(applicant.hosts):
        raise NameRefused(part="host", reason="missing" if not applicant.hosts else "twice")
    return tuple(_formed("host", host, _HOST) for host in applicant.hosts)


class _Parts(dict[str, str]):
    """The parts that a pattern asks for, each checked when it is asked for."""

    def __init__(self, profile: Profile, applicant: Applicant) -> None:
        super().__init__()
        self._profile, self._applicant = profile, applicant

    def __missing__(self, place: str) -> str:
        one = self._applicant
        if place == "host":
            return hosts_of(self._profile, one)[0]
        if place == "number":
            return _formed("number", one.number, _NUMBER)
        if place == "english":
            return _formed("english", one.english, _ENGLISH)
        return _text("name", one.name)


def _formed(part: str, value: str, form: re.Pattern[str]) -> str:
    if not form.fullmatch(value):
        raise NameRefused(part=part, reason="missing" if not value else "characters")
    return _bounded(part, value) if part != "host" else value


def _text(part: str, value: str) -> str:
    """In normal form C, without spaces around or doubled; letters, ASCII digits and a few marks."""
    found = unicodedata.normalize("NFC", value)
    if not found:
        raise NameRefused(part=part, reason="missing")
    if found != found.strip(" ") or "  " in found:
        raise NameRefused(part=part, reason="spaces")
    if not found.isascii() and _UNSEEN.search(found):
        raise NameRefused(part=part, reason="unseen")
    if not all(map(_allowed, found)) or found[0] in ").-&'·" or unicodedata.category(found[0])[0] == "M":
        raise NameRefused(part=part, reason="characters")
    return _bounded(part, found)


def _allowed(one: str) -> bool:
    if one.isascii():
        return one.isalnum() or one in _MARKS
    return one in _MARKS or unicodedata.category(one) in ("Lu", "Ll", "Lo", "Lt", "Mn", "Mc")


def _bounded(part: str, value: str) -> str:
    if len(value) > MOST:
        raise NameRefused(part=part, reason="length")
    return value
