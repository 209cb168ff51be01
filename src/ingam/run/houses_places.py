"""Where the sandbox's other authorities lie: each an authority folder like any other.

    DATA/sandbox/world/ca/<house>/    signkorea, yessign …: as `ingam ca init` makes them, their roots' keys elsewhere
    DATA/sandbox/world/ca/<root>/     root4, root5: a root's certificate, key, books and list
    DATA/sandbox/world/registrar/     the sandbox's own certificate and key as a registration authority of each house
    DATA/sandbox/houses/socket        where their process listens

They take none of the settings of INGAM_CA_…, which are our own authority's: keys in files, no directory service.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from ingam.settings import CaSettings, Settings

ROOTS: Final = {"root4": 1, "root5": 2}
"""Roots by their folders, and the number that each has in the houses below it."""

REGISTRAR_KEY: Final = "cmp-1"
"""A key that signs CMP messages."""


def world_folder(settings: Settings) -> Path:
    """Where all of them lie."""
    return settings.data / "sandbox" / "world"


def house_folder(world: Path, key: str) -> Path:
    """Of a house or a root."""
    return world / "ca" / key


def registrar_folder(world: Path, key: str) -> Path:
    """Of the sandbox as a registration authority of a house: `registrar.der`, and REGISTRAR_KEY below `keys`."""
    return world / "registrar" / key


def socket_path(settings: Settings) -> Path:
    """Of the houses' process."""
    return settings.data / "sandbox" / "houses" / "socket"


def own(settings: Settings) -> Settings:
    """The settings without what belongs to our own authority."""
    return replace(settings, ca=CaSettings())
