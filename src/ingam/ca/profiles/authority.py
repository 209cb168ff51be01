"""An authority as data: how it calls itself, where its lists and answers lie, and what it may put into a certificate.

Everything here is public and written into certificates; `reading` makes it from `authority.toml` and refuses what
contradicts itself. Generations are numbered from 1; what the names of issuing CAs show begins at `numbering`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ingam.ca.profiles.profile import Profile, ProfileUnknown
from ingam.npki import certificate, shapes
from ingam.npki.shapes import AuthorityKey, Validity
from ingam.npki.signature import KeyKind


class Generation(NamedTuple):
    """One generation of the issuing CA (or of a root), as what it issues depends on it.

    `name`: DER of the subject of its certificate, as received. `algorithm`: DER AlgorithmIdentifier of its signatures.
    """

    number: int
    name: bytes
    authority_key: AuthorityKey
    algorithm: bytes
    validity: Validity
    spki: bytes

    @classmethod
    def of(cls, number: int, der: bytes, algorithm: bytes) -> Generation:
        """From its certificate; `algorithm` is that of its signer. Raises CertificateMalformed."""
        found = certificate.parse(der)
        key_id = found.ski or shapes.key_identifier(found.spki)
        return cls(
            number,
            found.subject.raw,
            AuthorityKey(key_id, found.issuer.raw, found.serial),
            algorithm,
            Validity(found.not_before, found.not_after),
            found.spki,
        )


@dataclass(frozen=True, slots=True)
class RootNames:
    """The root above the issuing CA: what its certificate and the CA's certificate say.

    `common` may hold `{generation}`. `entry`: the directory entry of its list, leaf first. `cps`, `notice`: what the
    root's policy says in the CA's certificate. `years`: of its own validity.
    """

    common: str
    organisation: str
    unit: str
    entry: str
    cps: str
    notice: str
    years: int


@dataclass(frozen=True, slots=True)
class ServiceKeys:
    """Kinds of the authority's own keys, by use; `cmp` protects answers, `encryption` is what R is encrypted to."""

    root: KeyKind
    issuing: KeyKind
    ocsp: KeyKind
    encryption: KeyKind
    cmp: KeyKind
    log: KeyKind


@dataclass(frozen=True, slots=True)
class Authority:
    """Who an authority is.

    `demo`: it says in every certificate that it is one, under an arc of its own. `sandbox`: it stands for another
    authority; only it may have short serials (security D11). `operator`: realName of its own certificates. `country`:
    `KR` or `kr`, as it writes it. `arc`: dotted, policies lie below. `directory`: LDAP host and port. `http`: base of
    HTTP addresses, None where there are none. `partition_size`: certificates to one list. `path_length`: of the issuing
    CA's certificate, None without one. `responder_days`: life of an OCSP responder's certificate (D12: at most 90).
    `service_policy`: dotted, of the certificates of OCSP, CMP and encryption.
    """

    key: str
    demo: bool
    sandbox: bool
    name_ko: str
    name_en: str
    operator: str
    country: str
    organisation: str
    unit: str
    arc: str
    cps: str
    notice: str
    notice_first: bool
    ocsp: str
    directory: str
    http: str | None
    list_suffix: str
    partition_prefix: str
    partition_size: int
    serial_bytes: int
    numbering: int
    issuing_common: str
    issuing_years: int
    path_length: int | None
    responder_days: int
    service_policy: str
    root: RootNames
    keys: ServiceKeys
    profiles: Mapping[str, Profile]

    def profile(self, name: str) -> Profile:
        """The profile of a name. Raises ProfileUnknown."""
        found = self.profiles.get(name)
        if found is None:
            raise ProfileUnknown
        return found

    @property
    def root_service_policy(self) -> str:
        """Policy of what the root issues beside CAs: in a sandbox that of the field's root, else the authority's."""
        return shapes.ROOT_SERVICE_POLICY if self.sandbox else self.service_policy

    # Names of its own certificates: DER, root first.

    def root_name(self, generation: int) -> bytes:
        """The root's."""
        root = self.root
        common = root.common.format(generation=generation)
        return shapes.name(("C", "KR"), ("O", root.organisation), ("OU", root.unit), ("CN", common))

    def issuing_name(self, generation: int) -> bytes:
        """The issuing CA's."""
        return self._own(self.issuing_common.format(generation=self._shown(generation)))

    def service_name(self, use: str, generation: int) -> bytes:
        """Of a service of its own, `ocsp`, `cmp` or `encryption`; a new certificate of it keeps the name."""
        common = self.issuing_common.format(generation=self._shown(generation))
        return self._own(f"{common} {use.upper() if len(use) < 5 else use}")

    def _own(self, common: str) -> bytes:
        return shapes.name(("C", self.country), ("O", self.organisation), ("OU", self.unit), ("CN", common))

    def _shown(self, generation: int) -> int:
        return self.numbering + generation - 1

    # Partitions of the revocation list, and where everything lies.

    def partition_number(self, issued: int) -> int:
        """The partition of the next certificate of a generation that has issued so many, from 1."""
        return issued // self.partition_size + 1

    def partition_name(self, generation: int, number: int) -> str:
        """`dp4p9649`: the entry of a partition."""
        return f"{self.partition_prefix.format(generation=self._shown(generation))}{number}"

    def list_entry(self, name: str) -> str:
        """The directory entry of a partition's list, leaf first."""
        return f"ou={name},ou={self.unit},o={self.organisation},c={self.country}"

    def list_address(self, name: str) -> str:
        """`ldap://…` of a partition's list, as certificates and lists name it (npki.md section 2.1)."""
        return f"ldap://{self.directory}/{self.list_entry(name)}{self.list_suffix}"

    def list_http(self, name: str) -> str | None:
        """The HTTP address of a partition's list, where there is one."""
        return self._http(f"{name}.crl")

    def delta_http(self, name: str) -> str | None:
        """The HTTP address of a partition's delta list."""
        return self._http(f"{name}-delta.crl")

    def root_list(self, generation: int) -> str:
        """`ldap://…` of the root's list, as certificates below the root name it."""
        entry = self.root.entry.format(generation=generation)
        return f"ldap://{self.directory}/{entry}?authorityRevocationList"

    def root_list_http(self, generation: int) -> str | None:
        """The HTTP address of the root's list."""
        return self._http(f"root-{generation}.crl")

    def root_http(self, generation: int) -> str | None:
        """Where the root's certificate lies."""
        return self._http(f"root-{generation}.der")

    def issuer_http(self, generation: int) -> str | None:
        """Where the issuing CA's certificate lies."""
        return self._http(f"issuing-{generation}.der")

    def _http(self, name: str) -> str | None:
        return None if self.http is None else f"{self.http}/{name}"
