"""What the center says of a device: its kind, its system and its browser as it tells them, and where its network is.

A device may lie about the first three; every word is out of a closed list, so that nothing of its own is ever shown.
The address itself is not kept: of the network there is a keyed digest, to tell "the same" from "another" (C3, H9).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Network, ip_network
from typing import Final

from ingam.center.copying.states import Device
from ingam.kernel.words import say
from ingam.ports.keys import Digests
from ingam.ports.regions import Regions

LOOKED_AT: Final = 512
"""Characters of a User-Agent that are looked at."""

_SYSTEMS: Final = (
    ("iPadOS", r"\biPad\b"),
    ("iOS", r"\b(?:iPhone|iPod)\b"),
    ("Android", r"\bAndroid\b"),
    ("Windows", r"\bWindows\b"),
    ("ChromeOS", r"\bCrOS\b"),
    ("macOS", r"\bMac(?:intosh| OS)"),
    ("Linux", r"\bLinux\b"),
)
# In this order: browsers made of others name those as well.
_BROWSERS: Final = (
    ("Whale", r"\bWhale/"),
    ("Samsung Internet", r"\bSamsungBrowser/"),
    ("Edge", r"\bEdg(?:A|iOS)?/"),
    ("Opera", r"\b(?:OPR|Opera)/"),
    ("Firefox", r"\b(?:Firefox|FxiOS)/"),
    ("KakaoTalk", r"\bKAKAOTALK\b"),
    ("Naver", r"\bNAVER\b"),
    ("Chrome", r"\b(?:Chrome|Chromium|CriOS)/"),
    ("Safari", r"\bVersion/[0-9.]+ .*Safari/"),
)
_OURS: Final = re.compile(r"ingam/[0-9]")
_OTHER: Final = "other"


@dataclass(frozen=True, slots=True)
class Headers:
    """What a request says of its device: User-Agent, and the two client hints that every Chromium sends unasked."""

    agent: str
    mobile: str = ""
    platform: str = ""


class Devices:
    """Describes the device of a request."""

    def __init__(self, digests: Digests, regions: Regions) -> None:
        self._digests = digests
        self._regions = regions

    def of(self, headers: Headers, address: str) -> Device:
        """`address`: as the doorway tells it, an IPv4 address or the /64 of an IPv6 one."""
        region = self._regions.of(address)
        kind, system, browser = described(headers)
        return Device(
            kind,
            system,
            browser,
            region.name_ko if region else "",
            region.name_en if region else "",
            self._digests.digest("copy-network", network_of(address)),
        )


def described(headers: Headers) -> tuple[str, str, str]:
    """Kind, system, browser."""
    agent = headers.agent[:LOOKED_AT]
    if _OURS.match(agent):
        return "command-line", _first(_SYSTEMS, agent), "ingam"
    system = _hinted(headers.platform) or _first(_SYSTEMS, agent)
    return _kind(system, agent, headers.mobile), system, _first(_BROWSERS, agent)


def _kind(system: str, agent: str, mobile: str) -> str:
    if system == "iPadOS":
        return "tablet"
    if system == "Android":
        return "phone" if mobile == "?1" or re.search(r"\bMobile\b", agent) else "tablet"
    return "phone" if system == "iOS" or mobile == "?1" else "pc"


def _hinted(platform: str) -> str:
    names = {"Chrome OS": "ChromeOS", "Chromium OS": "ChromeOS"}
    told = names.get(platform.strip('"'), platform.strip('"'))
    return told if told in {name for name, _ in _SYSTEMS} else ""


def _first(names: tuple[tuple[str, str], ...], agent: str) -> str:
    return next((name for name, pattern in names if re.search(pattern, agent)), _OTHER)


def network_of(address: str) -> str:
    """The /24 of an IPv4 address, the /64 of an IPv6 one; anything else is its own network."""
    try:
        network = ip_network(address, strict=False)
    except ValueError:
        return address
    wide = 64 if isinstance(network, IPv6Network) else 24
    return str(network.supernet(new_prefix=wide)) if network.prefixlen > wide else str(network)


def device_text(device: Device, lang: str) -> str:
    """`휴대폰 · Android · Chrome`: at most 120 octets in UTF-8, as the devices tell it each other."""
    known = [word for word in (device.system, device.browser) if word != _OTHER]
    return " · ".join(_said(word, lang) for word in (f"kind_{device.kind}", *(known or (_OTHER,))))


def browser_text(device: Device, lang: str) -> str:
    """`Android · Chrome`."""
    known = [word for word in (device.system, device.browser) if word != _OTHER]
    return " · ".join(_said(word, lang) for word in known or (_OTHER,))


def region_text(device: Device, lang: str) -> str:
    """The place, or that there is none."""
    return (device.region_ko if lang == "ko" else device.region_en) or say("copying.region_unknown", lang)


def _said(word: str, lang: str) -> str:
    """Names of products are the same in every language."""
    names = {_OTHER: "copying.device_other", "ingam": "copying.device_ingam"}
    if word.startswith("kind_"):
        return say(f"copying.{word}", lang)
    return say(names[word], lang) if word in names else word


def headers_of(headers: Mapping[str, str]) -> Headers:
    """Of a request's headers, by their lower-case names."""
    return Headers(
        headers.get("user-agent", ""),
        headers.get("sec-ch-ua-mobile", ""),
        headers.get("sec-ch-ua-platform", ""),
    )
