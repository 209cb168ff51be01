"""`authority.toml` and `profiles.toml` into an Authority: unknown keys and contradictions are refused, with where.

Nothing has a silent default: what several profiles share stands in `[defaults]` of `profiles.toml`. A profile's own
keys come first.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from ingam.ca.profiles import checking
from ingam.ca.profiles.authority import Authority, RootNames, ServiceKeys
from ingam.ca.profiles.profile import Customer, KeyRules, Profile
from ingam.ca.profiles.table import ProfileRefused, Table
from ingam.npki.shapes import CMC_RA, SERVER_AUTH, Usage
from ingam.npki.signature import KeyKind

PRESETS: Final = ("ingam", "signkorea", "yessign", "kica", "crosscert", "tradesign")
CONFORMANCE: Final = "conformance"
"""For suites of the protocol, not for people: no house of the field."""
"""The demo authority, and the sandbox's in the shape of the five that issue."""

_FILES: Final = ("authority.toml", "profiles.toml")
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,30}")
_ARC: Final = re.compile(r"[0-2](\.(0|[1-9][0-9]{0,38})){2,20}")
_ENTRY: Final = re.compile(r"CN=[A-Za-z0-9{} .,=-]{1,200}")
_SUFFIX: Final = re.compile(r"(0|[1-9][0-9]{0,8})(\.(0|[1-9][0-9]{0,8})){0,4}")
_USAGES: Final = {
    ("digitalSignature", "nonRepudiation"): Usage.SIGN,
    ("digitalSignature",): Usage.DIGITAL_SIGNATURE,
    ("keyEncipherment",): Usage.ENCRYPT,
}
_PURPOSES: Final = {
    "server-auth": SERVER_AUTH,
    "client-auth": "1.3.6.1.5.5.7.3.2",
    "cmc-ra": CMC_RA,
}
_KINDS: Final = frozenset(("rsa", "p-256", "p-384", "ml-dsa-65"))


def load(path: Path) -> Authority:
    """The authority of an `authority.toml`, whose `profiles` names the file beside it. Raises ProfileRefused."""
    text = path.read_text(encoding="utf-8")
    name = Table("authority", _parsed(text).get("authority")).text("profiles")
    if Path(name).name != name:
        raise ProfileRefused("ca-profile-value", at="authority.profiles")
    return read(text, path.with_name(name).read_text(encoding="utf-8"))


def preset(key: str) -> Authority:
    """An authority of PRESETS. KeyError for none."""
    return read(*preset_files(key).values())


def preset_files(key: str) -> dict[str, str]:
    """`authority.toml` and `profiles.toml` of a preset, by name: what a new authority is made from. KeyError."""
    if key not in (*PRESETS, CONFORMANCE):
        raise KeyError(key)
    folder = files("ingam.ca.profiles") / "presets" / key
    return {name: (folder / name).read_text(encoding="utf-8") for name in _FILES}


def read(authority: str, profiles: str) -> Authority:
    """The authority of two TOML texts.

    Raises ProfileRefused: `ca-profile-syntax`, `ca-profile-unknown-key`, `ca-profile-missing-key`,
    `ca-profile-value` (fact `at`: table and key), `ca-profile-clash` (facts `at`, `rule`).
    """
    outer = Table("", _parsed(authority))
    table = outer.table("authority")
    root, keys = _root(outer.table("root")), _keys(outer.table("keys"))
    outer.done()
    found = _authority(table, root, keys)
    table.done()
    checking.authority(found)
    found = replace(found, profiles=MappingProxyType(_profiles(profiles, found)))
    checking.profiles(found)
    return found


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise ProfileRefused("ca-profile-syntax", at=str(wrong)) from None


def _authority(table: Table, root: RootNames, keys: ServiceKeys) -> Authority:
    table.text("profiles")
    arc = table.text("arc", _ARC)
    return Authority(
        key=table.text("key", _NAME),
        demo=table.flag("demo"),
        sandbox=table.flag("sandbox"),
        name_ko=table.text("name_ko"),
        name_en=table.text("name_en"),
        operator=table.text("operator"),
        country=table.text("country", re.compile(r"KR|kr")),
        organisation=table.text("organisation"),
        unit=table.text("unit"),
        arc=arc,
        cps=table.address("cps"),
        notice=table.notice("notice"),
        notice_first=table.flag("notice_first"),
        ocsp=table.address("ocsp"),
        directory=table.text("directory", re.compile(r"[a-z0-9.-]{1,100}:[0-9]{1,5}")),
        http=table.address("http") if table.has("http") else None,
        list_suffix=table.text("list_suffix", re.compile(r"(\?certificateRevocationList(;binary)?)?")),
        partition_prefix=table.text("partition_prefix", re.compile(r"dp(\{generation\}|[0-9]{1,6})p")),
        partition_size=table.number("partition_size", 1, 10_000_000),
        serial_bytes=table.number("serial_bytes", 3, 20),
        numbering=table.number("numbering", 1, 100_000),
        issuing_common=table.pattern("issuing_common", {"generation"}),
        issuing_years=table.number("issuing_years", 1, 40),
        path_length=table.number("path_length", 0, 10) if table.has("path_length") else None,
        responder_days=table.number("responder_days", 1, 90),
        service_policy=f"{arc}.{table.text('service_suffix', _SUFFIX)}",
        root=root,
        keys=keys,
        profiles=MappingProxyType({}),
    )


def _root(table: Table) -> RootNames:
    found = RootNames(
        common=table.pattern("common", {"generation"}),
        organisation=table.text("organisation"),
        unit=table.text("unit"),
        entry=table.pattern("entry", {"generation"}, _ENTRY),
        cps=table.address("cps"),
        notice=table.notice("notice"),
        years=table.number("years", 1, 60),
    )
    table.done()
    return found


def _keys(table: Table) -> ServiceKeys:
    found = {use: KeyKind(table.choice(use, tuple(KeyKind))) for use in ServiceKeys.__slots__}
    table.done()
    return ServiceKeys(**found)


def _profiles(text: str, authority: Authority) -> dict[str, Profile]:
    outer = Table("", _parsed(text))
    defaults, profiles = outer.mapping("defaults"), outer.mapping("profile")
    outer.done()
    for name in profiles:
        if not _NAME.fullmatch(name):
            raise ProfileRefused("ca-profile-value", at="profile")
    tables = {name: Table(f"profile.{name}", one, defaults) for name, one in profiles.items()}
    found = {name: _profile(table, name, authority) for name, table in tables.items()}
    asked = set().union(*(table.asked for table in tables.values()))
    Table("defaults", {key: value for key, value in defaults.items() if key not in asked}).done()
    return found


def _profile(table: Table, name: str, authority: Authority) -> Profile:
    qualified = table.flag("qualified")
    found = Profile(
        name=name,
        title_ko=table.text("title_ko"),
        title_en=table.text("title_en"),
        customer=Customer(table.choice("customer", tuple(Customer))),
        policy=f"{authority.arc}.{table.text('suffix', _SUFFIX)}",
        cps=authority.cps if qualified else None,
        notice=authority.notice if qualified else None,
        notice_first=authority.notice_first,
        usage=_usage(table),
        purposes=tuple(_PURPOSES[table.one_of("purposes", one, _PURPOSES)] for one in table.texts("purposes")),
        keys=_key_rules(table),
        units=tuple(table.patterns("units", {"branch"})),
        common=table.pattern("common", {"name", "english", "number", "host"}),
        branch=table.text("branch"),
        identified=table.flag("identified"),
        hosts=table.flag("hosts"),
        years=table.number("years", 1, 5),
        day_end=table.flag("day_end"),
        renew_from_days=table.number("renew_from_days", 0, 366),
        renewal_carries=table.flag("renewal_carries"),
        renewal_by_ra=table.has("renewal_by_ra") and table.flag("renewal_by_ra"),
        reissue_keeps=table.flag("reissue_keeps"),
        supersedes=table.flag("supersedes"),
        lists=tuple(table.one_of("lists", one, ("ldap", "http")) for one in table.texts("lists")),
        access=tuple(table.one_of("access", one, ("ocsp", "ca-issuers")) for one in table.texts("access")),
        delta=table.flag("delta"),
    )
    table.done()
    return found


def _usage(table: Table) -> Usage:
    found = _USAGES.get(tuple(table.texts("key_usage")))
    if found is None:
        raise table.wrong("key_usage")
    return found


def _key_rules(table: Table) -> KeyRules:
    kinds = frozenset(table.one_of("keys", one, _KINDS) for one in table.texts("keys"))
    least, most = table.numbers("rsa_bits", 2)
    if not kinds or not 2048 <= least <= most <= 4096:
        raise table.wrong("rsa_bits" if kinds else "keys")
    return KeyRules(kinds, (least, most))
