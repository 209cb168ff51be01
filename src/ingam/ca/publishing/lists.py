"""Which lists an authority has, what each is called, and at which entry and under which addresses it stands.

A generation of the issuing CA has one list of everything, one of each partition (one distribution point for N
certificates, `dpNpM` as the field names them) and deltas; a root has its list of CAs. The addresses are the very ones
that certificates name, so that a list's IssuingDistributionPoint matches them (RFC 5280 section 6.3.3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Final, NamedTuple
from urllib.parse import quote

from ingam.ca.profiles import Authority
from ingam.ca.publishing.schedule import Rhythm
from ingam.npki.certificate import Certificate
from ingam.ports.directory import Attribute, Place, dn_of
from ingam.ports.signing import Signer

EVERYTHING: Final = -1
"""The partition of the list of everything, as the books count."""


class Kind(StrEnum):
    """As `ports.books.ListRecord.kind`."""

    FULL = "full"
    PARTITION = "partition"
    DELTA = "delta"


class ListId(NamedTuple):
    """One list. `ca`: the generation in the books; a root's is below zero, see `root_number`."""

    ca: int
    partition: int
    kind: Kind

    @property
    def complete(self) -> ListId:
        """The list that a delta continues, or this one: both count in one sequence (RFC 5280 section 5.2.3)."""
        if self.kind is not Kind.DELTA:
            return self
        return ListId(self.ca, self.partition, Kind.FULL if self.partition == EVERYTHING else Kind.PARTITION)

    @property
    def delta(self) -> ListId:
        """The delta of this scope."""
        return ListId(self.ca, self.partition, Kind.DELTA)


# A list is made anew at half its life, so that a failed publication has the other half to succeed. A reader of the
# field asks daily and takes none older than a day (security A12).
RHYTHMS: Final[Mapping[Kind, Rhythm]] = {
    Kind.FULL: Rhythm(timedelta(hours=12), timedelta(hours=24), None),
    Kind.PARTITION: Rhythm(timedelta(hours=12), timedelta(hours=24), timedelta(seconds=5)),
    Kind.DELTA: Rhythm(timedelta(hours=1), timedelta(hours=24), timedelta(seconds=5)),
}
ROOT_RHYTHM: Final = Rhythm(timedelta(days=7), timedelta(days=14), timedelta(0))


@dataclass(frozen=True, slots=True)
class Plan:
    """The lists of a generation. `partitions`: whether it has them; `deltas`: of which complete lists.

    A revocation is at once on the partition's list and on the delta of everything; the whole list, which may be of
    millions, waits for its interval.
    """

    full: bool = True
    partitions: bool = True
    deltas: tuple[Kind, ...] = (Kind.FULL,)
    rhythms: Mapping[Kind, Rhythm] = field(default_factory=lambda: RHYTHMS)


ROOT_PLAN: Final = Plan(True, False, (), {Kind.FULL: ROOT_RHYTHM})


@dataclass(frozen=True, slots=True)
class ListIssuer:
    """One generation that signs lists. `signer` None: its key is away (a root's); its lists wait for a ceremony."""

    ca: int
    certificate: Certificate
    signer: Signer | None
    plan: Plan


def plan_of(authority: Authority) -> Plan:
    """Deltas of partitions too where a profile's certificates name them (freshestCRL)."""
    named = any(profile.delta for profile in authority.profiles.values())
    return Plan(deltas=(Kind.FULL, Kind.PARTITION) if named else (Kind.FULL,))


def root_number(generation: int) -> int:
    """How the books call a root's generation: below zero, apart from the issuing CAs."""
    return -generation


def lists_of(authority: Authority, issuer: ListIssuer, issued: int) -> Iterator[ListId]:
    """Every list of a generation that issued so many certificates; the first partition is there from the start."""
    plan, ca = issuer.plan, issuer.ca
    if plan.partitions:
        for partition in range(1, authority.partition_number(max(issued - 1, 0)) + 1):
            yield ListId(ca, partition, Kind.PARTITION)
            if Kind.PARTITION in plan.deltas:
                yield ListId(ca, partition, Kind.DELTA)
    if plan.full:
        yield ListId(ca, EVERYTHING, Kind.FULL)
        if Kind.FULL in plan.deltas:
            yield ListId(ca, EVERYTHING, Kind.DELTA)


def attribute_of(one: ListId) -> Attribute:
    """Under what it stands at its place."""
    if one.kind is Kind.DELTA:
        return Attribute.DELTA
    return Attribute.AUTHORITY_LIST if one.ca < 0 else Attribute.LIST


def own_place(authority: Authority, ca: int, certificate: Certificate) -> Place:
    """Where a CA's own certificate and its list of everything stand: `issuing-1`, `root-1`.

    The entry of a CA is its name; that of a root is the one that certificates below it name.
    """
    if ca < 0:
        return Place(f"root-{-ca}", _entry(authority.root.entry.format(generation=-ca)))
    return Place(f"issuing-{ca}", dn_of(certificate.subject))


def place_of(authority: Authority, one: ListId, certificate: Certificate) -> Place:
    """A partition has an entry of its own beside the CA's (npki.md section 7)."""
    if one.partition == EVERYTHING:
        return own_place(authority, one.ca, certificate)
    name = authority.partition_name(one.ca, one.partition)
    return Place(name, _entry(authority.list_entry(name)))


def name_of(authority: Authority, one: ListId, certificate: Certificate) -> str:
    """What its files are called before the ending: `dp1p1`, `issuing-1-delta`, `root-1`."""
    return place_of(authority, one, certificate).file_name(attribute_of(one)).removesuffix(".crl")


def addresses_of(authority: Authority, one: ListId) -> tuple[str, ...]:
    """For the IssuingDistributionPoint: all that certificates name; a list of everything has none, its scope is all."""
    if one.partition == EVERYTHING:
        return ()
    name = authority.partition_name(one.ca, one.partition)
    http = authority.list_http(name)
    return (authority.list_address(name),) if http is None else (authority.list_address(name), http)


def freshest_of(authority: Authority, issuer: ListIssuer, one: ListId) -> tuple[str, ...]:
    """Where the delta of a complete list is, for its freshestCRL: over HTTP, else in the directory."""
    if one.kind is Kind.DELTA or one.kind not in issuer.plan.deltas:
        return ()
    place = place_of(authority, one.delta, issuer.certificate)
    http = authority.delta_http(place.file)
    return (http or f"ldap://{authority.directory}/{quote(place.entry, safe=',=')}?{Attribute.DELTA}",)


def _entry(text: str) -> tuple[tuple[str, str], ...]:
    """`ou=dp1p1,o=…,c=KR` of an authority's settings, which has no escapes, root first."""
    parts = [one.partition("=") for one in text.split(",")]
    return tuple((kind.strip().lower(), value.strip()) for kind, _, value in reversed(parts))
