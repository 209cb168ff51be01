"""Where a network is, roughly: what the sender of a copy is told of the receiving device (security C3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Region:
    """A place as people call it, e.g. 서울 / Seoul."""

    name_ko: str
    name_en: str


class Regions(Protocol):
    """From an address to a place; nothing is asked outside, nothing is kept."""

    def of(self, address: str) -> Region | None:
        """The region of an IPv4 or IPv6 address, or of a network in CIDR form; None: not known. Never raises."""
