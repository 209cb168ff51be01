"""What a certificate of a profile, or one of an authority's own, has to say: what the lint compares with.

Written from the data (`ca/profiles`) and the profile of the field (npki.md §2), not from what the template or
`npki.shapes` make of them: a fault there has to show here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from ingam.ca.issuing import found
from ingam.ca.profiles import Authority, Generation, Profile
from ingam.ca.profiles.checking import LEAST_SERIAL
from ingam.kernel.errors import Defect
from ingam.npki.shapes import Usage, Validity

CPS: Final = "1.3.6.1.5.5.7.2.1"
NOTICE: Final = "1.3.6.1.5.5.7.2.2"
OCSP: Final = "1.3.6.1.5.5.7.48.1"
CA_ISSUERS: Final = "1.3.6.1.5.5.7.48.2"
OCSP_SIGNING: Final = "1.3.6.1.5.5.7.3.9"
ANY_POLICY: Final = "2.5.29.32.0"
ROOT_SERVICE_POLICY: Final = "1.2.410.200004.2.1"

IA5: Final = 0x16
BMP: Final = 0x1E

_BITS: Final = {Usage.SIGN: b"\x06\xc0", Usage.ENCRYPT: b"\x05\x20", Usage.DIGITAL_SIGNATURE: b"\x07\x80"}
_CA_BITS: Final = b"\x01\x06"
_NO_CHECK: Final = b"\x05\x00"
_EXPLICIT_POLICY: Final = b"\x30\x03\x80\x01\x00"
_ALWAYS_CRITICAL: Final = frozenset((found.KEY_USAGE, found.POLICIES, found.BASIC, found.POLICY_CONSTRAINTS))
_YEAR: Final = timedelta(days=366)

Policies = tuple[tuple[str, tuple[tuple[str, int, bytes], ...]], ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """What all certificates of one kind have in common; None or () where they have no such extension.

    The forms are those of `found`. `name`: `person` (realName and VID), `authority` (realName alone), `hosts` or None.
    `least_serial`: octets; `longest`: from first to last instant.
    """

    algorithm: bytes
    issuer: bytes | None
    within: Validity | None
    least_serial: int
    day_end: bool
    longest: timedelta
    country: bytes
    organisation: bytes
    authority_key: tuple[tuple[int, bytes], ...] | None
    usage: bytes | None
    policies: Policies | None
    name: str | None
    basic: tuple[bool, int | None] | None
    policy_constraints: bytes | None
    purposes: tuple[str, ...] | None
    lists: tuple[tuple[str, ...], ...] | None
    delta: tuple[tuple[str, ...], ...] | None
    access: tuple[tuple[str, str], ...] | None
    no_check: bytes | None
    critical: frozenset[bytes]


def rules_of(authority: Authority, profile: Profile, generation: Generation, partition: int) -> Rules:
    """Of the certificates of a profile under a generation and partition."""
    name = authority.partition_name(generation.number, partition)
    addresses = {"ldap": authority.list_address(name), "http": authority.list_http(name)}
    access = {"ocsp": (OCSP, authority.ocsp), "ca-issuers": (CA_ISSUERS, authority.issuer_http(generation.number))}
    delta = authority.delta_http(name) if profile.delta else None
    return Rules(
        algorithm=generation.algorithm,
        issuer=generation.name,
        within=generation.validity,
        least_serial=_least_serial(authority),
        day_end=profile.day_end,
        longest=profile.years * _YEAR + timedelta(days=profile.renew_from_days + 1),
        country=authority.country.encode(),
        organisation=authority.organisation.encode(),
        authority_key=_authority_key(generation),
        usage=_BITS[profile.usage],
        policies=_policies(profile.policy, profile.cps, profile.notice, profile.notice_first),
        name="person" if profile.identified else "hosts" if profile.hosts else None,
        basic=None,
        policy_constraints=None,
        purposes=profile.purposes or None,
        lists=(tuple(one for kind in ("ldap", "http") if kind in profile.lists and (one := addresses[kind])),),
        delta=None if delta is None else ((delta,),),
        access=tuple(
            (method, address)
            for kind in ("ocsp", "ca-issuers")
            if kind in profile.access
            for method, address in (access[kind],)
            if address is not None
        )
        or None,
        no_check=None,
        critical=_ALWAYS_CRITICAL,
    )


def service_rules(
    authority: Authority,
    use: str,
    *,
    issuer: Generation | None,
    algorithm: bytes | None = None,
    root: int = 1,
    partition: int = 1,
) -> Rules:
    """Of an authority's own certificate: `root`, `issuing`, `ocsp`, `root-ocsp`, `cmp` or `encryption`.

    `issuer` None for a root, which then says its own `algorithm`; `root`, `partition`: whose lists it names.
    """
    if use == "root" and issuer is None and algorithm is not None:
        return _root(authority, algorithm)
    if issuer is None:
        raise Defect("ca-service")
    if use in ("issuing", "root-ocsp"):
        return _below_root(authority, use, issuer, root)
    if use in ("ocsp", "cmp", "encryption"):
        return _below_issuing(authority, use, issuer, partition)
    raise Defect("ca-service")


def _root(authority: Authority, algorithm: bytes) -> Rules:
    return _own(
        authority,
        None,
        algorithm,
        country=b"KR",
        organisation=authority.root.organisation.encode(),
        longest=authority.root.years * _YEAR,
        usage=_CA_BITS,
        basic=(True, None),
    )


def _below_root(authority: Authority, use: str, issuer: Generation, root: int) -> Rules:
    names, lists = authority.root, (authority.root_list(root), authority.root_list_http(root))
    if use == "root-ocsp":
        return _own(
            authority,
            issuer,
            longest=authority.issuing_years * _YEAR,
            usage=_BITS[Usage.SIGN],
            policies=_policies(
                ROOT_SERVICE_POLICY if authority.sandbox else authority.service_policy, names.cps, names.notice, False
            ),
            name="authority",
            purposes=(OCSP_SIGNING,),
            lists=(lists[:1],),
        )
    where = authority.root_http(root)
    return _own(
        authority,
        issuer,
        longest=authority.issuing_years * _YEAR,
        usage=_CA_BITS,
        policies=_policies(ANY_POLICY, names.cps, names.notice, False),
        name="authority",
        basic=(True, authority.path_length),
        policy_constraints=_EXPLICIT_POLICY,
        lists=(tuple(one for one in lists if one is not None),),
        access=None if where is None else ((CA_ISSUERS, where),),
    )


def _below_issuing(authority: Authority, use: str, issuer: Generation, partition: int) -> Rules:
    policies = _policies(authority.service_policy, None, None, False)
    if use == "ocsp":  # nobody asks about it, so that it lives shortly (security D12)
        return _own(
            authority,
            issuer,
            longest=timedelta(days=min(authority.responder_days, 90)),
            usage=_BITS[Usage.DIGITAL_SIGNATURE],
            policies=policies,
            purposes=(OCSP_SIGNING,),
            no_check=_NO_CHECK,
        )
    return _own(
        authority,
        issuer,
        longest=authority.issuing_years * _YEAR,
        usage=_BITS[Usage.DIGITAL_SIGNATURE if use == "cmp" else Usage.ENCRYPT],
        policies=policies,
        lists=((authority.list_address(authority.partition_name(issuer.number, partition)),),),
        access=((OCSP, authority.ocsp),),
    )


def _own(
    authority: Authority,
    issuer: Generation | None,
    algorithm: bytes = b"",
    *,
    longest: timedelta,
    usage: bytes,
    country: bytes | None = None,
    organisation: bytes | None = None,
    policies: Policies | None = None,
    name: str | None = None,
    basic: tuple[bool, int | None] | None = None,
    policy_constraints: bytes | None = None,
    purposes: tuple[str, ...] | None = None,
    lists: tuple[tuple[str, ...], ...] | None = None,
    access: tuple[tuple[str, str], ...] | None = None,
    no_check: bytes | None = None,
) -> Rules:
    return Rules(
        algorithm=algorithm if issuer is None else issuer.algorithm,
        issuer=None if issuer is None else issuer.name,
        within=None if issuer is None else issuer.validity,
        least_serial=1 if authority.sandbox else LEAST_SERIAL,
        day_end=False,
        longest=longest,
        country=authority.country.encode() if country is None else country,
        organisation=authority.organisation.encode() if organisation is None else organisation,
        authority_key=None if issuer is None else _authority_key(issuer),
        usage=usage,
        policies=policies,
        name=name,
        basic=basic,
        policy_constraints=policy_constraints,
        purposes=purposes,
        lists=lists,
        delta=None,
        access=access,
        no_check=no_check,
        critical=_ALWAYS_CRITICAL | ({found.PURPOSES} if purposes == (OCSP_SIGNING,) else set()),
    )


def _least_serial(authority: Authority) -> int:
    return authority.serial_bytes if authority.sandbox else max(authority.serial_bytes, LEAST_SERIAL)


def _authority_key(issuer: Generation) -> tuple[tuple[int, bytes], ...]:
    """The full form: key id, [4] directoryName of the issuer's issuer, the issuer's serial (npki.md section 2.1)."""
    key, serial = issuer.authority_key, issuer.authority_key.serial
    size = len(key.issuer)
    head = bytes((0xA4, size)) if size < 0x80 else bytes((0xA4, 0x81, size)) if size < 0x100 else b""
    if not head:
        head = bytes((0xA4, 0x82)) + size.to_bytes(2, "big")
    return (0x80, key.key_id), (0xA1, head + key.issuer), (0x82, serial.to_bytes(serial.bit_length() // 8 + 1, "big"))


def _policies(oid: str, cps: str | None, notice: str | None, notice_first: bool) -> Policies:
    address = () if cps is None else ((CPS, IA5, cps.encode("ascii")),)
    text = () if notice is None else ((NOTICE, BMP, notice.encode("utf-16-be")),)
    return ((oid, text + address if notice_first else address + text),)
