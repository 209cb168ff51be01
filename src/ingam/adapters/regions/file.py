"""`ports.regions.Regions` from a file: one network in CIDR form a line, a tab, its Korean name, a tab, its English one.

The longest prefix that holds an address says where it is. Empty lines and lines that begin with # are passed over.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network
from pathlib import Path
from typing import Final

from ingam.kernel.errors import Refusal
from ingam.ports.regions import Region

LINES_MOST: Final = 2_000_000
NAME_MOST: Final = 40


class RegionsRefused(Refusal):
    """The table cannot be read; fact `line`, counted from 1, or 0 for the file itself."""

    code = "regions-refused"


class FileRegions:
    """The table in memory, (IP version, prefix length) → first bits → region; an empty one knows of no address."""

    def __init__(self, networks: Iterable[tuple[IPv4Network | IPv6Network, Region]]) -> None:
        self._regions: dict[tuple[int, int], dict[int, Region]] = {}
        for network, region in networks:
            first = int(network.network_address) >> (network.max_prefixlen - network.prefixlen)
            self._regions.setdefault((network.version, network.prefixlen), {})[first] = region
        self._longest_first = sorted(self._regions, key=lambda one: -one[1])

    def of(self, address: str) -> Region | None:
        network = _network(address)
        if network is None:
            return None
        for version, prefix in self._longest_first:
            if version == network.version and prefix <= network.prefixlen:
                first = int(network.network_address) >> (network.max_prefixlen - prefix)
                found = self._regions[version, prefix].get(first)
                if found is not None:
                    return found
        return None


def read(path: Path) -> FileRegions:
    """The table of a file in UTF-8. Raises RegionsRefused."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise RegionsRefused(line=0) from None
    if len(lines) > LINES_MOST:
        raise RegionsRefused(line=LINES_MOST)
    told = ((number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#"))
    return FileRegions([_row(number, line) for number, line in told])


def _row(number: int, line: str) -> tuple[IPv4Network | IPv6Network, Region]:
    parts = [part.strip() for part in line.split("\t")]
    try:
        cidr, korean, english = parts
        network = ip_network(cidr)
    except ValueError:
        raise RegionsRefused(line=number) from None
    if not all(0 < len(name) <= NAME_MOST and name.isprintable() for name in (korean, english)):
        raise RegionsRefused(line=number)
    return network, Region(korean, english)


def _network(address: str) -> IPv4Network | IPv6Network | None:
    """Of an address the network of itself alone; IPv4 within IPv6 is what it is."""
    try:
        network = ip_network(address, strict=False)
    except ValueError:
        return None
    if isinstance(network, IPv6Network) and network.prefixlen == 128:
        mapped = IPv6Address(int(network.network_address)).ipv4_mapped
        return network if mapped is None else IPv4Network(mapped)
    return network
