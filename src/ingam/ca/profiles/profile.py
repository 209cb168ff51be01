"""A profile as data: for whom a certificate is, what it says, which keys it takes, and how long it is valid."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from ingam.kernel.errors import Refusal
from ingam.npki.shapes import Policy, Usage


class ProfileUnknown(Refusal):
    """This authority has no profile of that name."""

    code = "ca-profile-unknown"


class Customer(StrEnum):
    """Whom a profile is for; NONE: a server or a service."""

    PERSONAL = "personal"
    CORPORATE = "corporate"
    ANY = "any"
    NONE = "none"


class KeyRules(NamedTuple):
    """Public keys that a profile takes. `kinds`: `rsa`, `p-256`, `p-384`, `ml-dsa-65`; `rsa_bits`: least and most."""

    kinds: frozenset[str]
    rsa_bits: tuple[int, int] = (2048, 4096)


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of certificate that an authority issues.

    `policy`: dotted; `cps`, `notice` None where it has no qualifiers. `purposes`: dotted extended key usages.
    `units`: organisational units from the root on, and `common`: patterns over `{name}`, `{english}`, `{number}`,
    `{branch}`, `{host}`; `branch`: of whoever names none. `identified`: with realName and VID. `hosts`: with dNSNames.
    `years`, `day_end` (23:59:59 in Korea), `renew_from_days`, `renewal_carries` (the remaining days), `reissue_keeps`
    (the end date): its validity. `renewal_by_ra`: renewed in an RA's envelope alone, since it costs a fee there.
    `supersedes`: a person has one at a time. `lists`: `ldap`, `http`; `access`: `ocsp`,
    `ca-issuers`; `delta`: it names the delta list.
    """

    name: str
    title_ko: str
    title_en: str
    customer: Customer
    policy: str
    cps: str | None
    notice: str | None
    notice_first: bool
    usage: Usage
    purposes: tuple[str, ...]
    keys: KeyRules
    units: tuple[str, ...]
    common: str
    branch: str
    identified: bool
    hosts: bool
    years: int
    day_end: bool
    renew_from_days: int
    renewal_carries: bool
    renewal_by_ra: bool
    reissue_keeps: bool
    supersedes: bool
    lists: tuple[str, ...]
    access: tuple[str, ...]
    delta: bool

    @property
    def information(self) -> Policy:
        """Its PolicyInformation."""
        return Policy(self.policy, self.cps, self.notice, self.notice_first)
