"""The shapes, for `npki.shapes`, of a profile's certificates and of an authority's own."""

from __future__ import annotations

from ingam.ca.profiles.authority import Authority
from ingam.ca.profiles.profile import Profile
from ingam.kernel.errors import Defect
from ingam.npki import shapes
from ingam.npki.shapes import Shape, Usage
from ingam.npki.vid import Vid

SERVICES = ("root", "issuing", "ocsp", "root-ocsp", "cmp", "encryption")
"""An authority's own certificates; `root-ocsp` is a responder that the root issues, as in the field."""


def shape_of(
    authority: Authority,
    profile: Profile,
    generation: int,
    partition: int,
    *,
    real_name: str | None = None,
    vid: Vid | None = None,
    hosts: tuple[str, ...] = (),
) -> Shape:
    """Everything that a certificate says beside its name, key, serial and times. `partition`: number, from 1."""
    name = authority.partition_name(generation, partition)
    return Shape(
        profile.usage,
        profile.information,
        real_name,
        vid,
        crl=authority.list_address(name) if "ldap" in profile.lists else None,
        crl_http=authority.list_http(name) if "http" in profile.lists else None,
        freshest=authority.delta_http(name) if profile.delta else None,
        ocsp=authority.ocsp if "ocsp" in profile.access else None,
        ca_issuers=authority.issuer_http(generation) if "ca-issuers" in profile.access else None,
        hosts=hosts,
        purposes=profile.purposes,
    )


def service_shape(authority: Authority, use: str, generation: int, *, root: int = 1, partition: int = 1) -> Shape:
    """The shape of an authority's own certificate; `use` is one of SERVICES.

    `generation`: of the issuing CA that it belongs to; `root`: of the root; `partition`: whose list would name it.
    """
    name = authority.partition_name(generation, partition)
    if use == "root":
        return shapes.root(Usage.AUTHORITY)
    if use == "issuing":
        return _issuing(authority, root)
    if use == "root-ocsp":
        return _root_responder(authority, root)
    if use == "ocsp":
        return shapes.delegated_responder(authority.service_policy)
    if use == "encryption":
        return shapes.encryption(authority.service_policy, crl=authority.list_address(name), ocsp=authority.ocsp)
    if use == "cmp":
        return shapes.message_signer(authority.service_policy, crl=authority.list_address(name), ocsp=authority.ocsp)
    raise Defect("ca-service")


def _root_responder(authority: Authority, root: int) -> Shape:
    return shapes.responder(
        authority.operator,
        authority.root_list(root),
        notice=authority.root.notice,
        cps=authority.root.cps,
        policy_oid=authority.root_service_policy,
    )


def _issuing(authority: Authority, root: int) -> Shape:
    return shapes.authority(
        authority.operator,
        authority.root_list(root),
        notice=authority.root.notice,
        path_length=authority.path_length,
        cps=authority.root.cps,
        crl_http=authority.root_list_http(root),
        ca_issuers=authority.root_http(root),
    )
