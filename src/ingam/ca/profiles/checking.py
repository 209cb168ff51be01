"""What in an authority's data may not stand beside what: each contradiction has a name, the `rule` of its refusal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

from ingam.ca.profiles.authority import Authority
from ingam.ca.profiles.profile import Customer, Profile
from ingam.ca.profiles.table import ProfileRefused
from ingam.npki.shapes import SERVER_AUTH, Usage

LEAST_SERIAL = 9
"""Octets that hold 64 random bits beside the cleared sign bit (security D11)."""

_DEMO_WORDS = ("demo", "시연")
_UUID_ARC = "2.25."  # arcs from a UUID (X.667) belong to whoever drew them


def authority(one: Authority) -> None:
    """Raises ProfileRefused `ca-profile-clash`."""
    for rule in _of_authority(one):
        raise ProfileRefused("ca-profile-clash", at="authority", rule=rule)


def profiles(one: Authority) -> None:
    """Raises ProfileRefused `ca-profile-clash`."""
    for profile in one.profiles.values():
        for rule in _of_profile(one, profile):
            raise ProfileRefused("ca-profile-clash", at=f"profile.{profile.name}", rule=rule)
    used = Counter([one.service_policy, *(profile.policy for profile in one.profiles.values())])
    for profile in one.profiles.values():
        if used[profile.policy] > 1:
            raise ProfileRefused("ca-profile-clash", at=f"profile.{profile.name}", rule="policy-twice")


def _of_authority(one: Authority) -> Iterator[str]:
    if one.demo and one.sandbox:
        yield "demo-and-sandbox"
    if one.serial_bytes < LEAST_SERIAL and not one.sandbox:
        yield "serial-too-short"
    if one.demo and not one.arc.startswith(_UUID_ARC):
        yield "demo-in-a-foreign-arc"
    if one.demo and not all(_says_demo(text) for text in (one.issuing_common, one.root.common, one.notice)):
        yield "demo-does-not-say-so"
    if one.sandbox and not all("(sandbox)" in text for text in (one.issuing_common, one.root.common)):
        yield "sandbox-does-not-say-so"
    if (one.sandbox or one.demo) and not all(map(_invented, _hosts(one))):
        yield "address-outside-test"
    if not one.keys.encryption.value.startswith("rsa-"):
        yield "encryption-needs-rsa"


def _invented(host: str) -> bool:
    """A name that nobody can have (RFC 6761), or this very machine, where a conformance suite looks things up."""
    return host.endswith(".test") or host in ("localhost", "127.0.0.1")


def _of_profile(one: Authority, profile: Profile) -> Iterator[str]:
    if profile.identified and (profile.purposes or profile.hosts or profile.usage is Usage.ENCRYPT):
        yield "person-with-purposes"  # security A8: a person's certificate has no extended key usage
    if profile.identified and profile.customer is Customer.NONE:
        yield "identified-nobody"
    if profile.identified and "{number}" not in profile.common:
        yield "name-not-unique"
    if profile.usage is Usage.ENCRYPT and profile.keys.kinds != {"rsa"}:
        yield "encryption-needs-rsa"
    if profile.hosts != (SERVER_AUTH in profile.purposes) or (("{host}" in profile.common) > profile.hosts):
        yield "hosts-without-server"
    if one.http is None and ("http" in profile.lists or "ca-issuers" in profile.access or profile.delta):
        yield "no-http-address"
    if not profile.lists:
        yield "no-list"


def _says_demo(text: str) -> bool:
    return any(word in text.lower() for word in _DEMO_WORDS)


def _hosts(one: Authority) -> list[str]:
    addresses = [one.ocsp, f"ldap://{one.directory}", *([] if one.http is None else [one.http])]
    return [urlsplit(address).hostname or "" for address in addresses]
