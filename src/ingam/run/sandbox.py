"""The sandbox process: other authorities, phone inbox and switches, on loopback."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from ingam.kernel.errors import Refusal
from ingam.sandbox import addresses, listing
from ingam.sandbox.authorities import trust
from ingam.sandbox.authorities.keys import FolderKeys, FreshKeys, KeySource
from ingam.sandbox.founding import found
from ingam.sandbox.world import World
from ingam.settings import Settings


def prepare(settings: Settings, say: Callable[[str], None], demo: Path | None = None) -> dict[str, str]:
    """Founds the outside world if it is not there, and lays out what others need of it.

    Writes DATA/sandbox, DATA/trust (the center's trust configuration) and `demo` (INGAM_DEMO, else ./demo). Returns the
    map of names under `.test` to addresses. Refused in production. Keys of INGAM_SANDBOX_KEYS, a folder of test keys,
    are used where it is set.
    """
    if settings.production:
        raise Refusal("sandbox-in-production")
    folder = settings.data / "sandbox"
    where = demo or demo_folder()
    found(world_folder(settings), key_source(), now=datetime.now(UTC), random=secrets.token_bytes, told=_telling(say))
    world = World(world_folder(settings))
    try:
        trust.export(world, settings.data / "trust")
        listing.spread(world, where)
        listing.write(world, folder, where)
    finally:
        world.close()
    return addresses(settings.sandbox_origin)


def world_folder(settings: Settings) -> Path:
    """Where the other authorities keep their keys and books."""
    return settings.data / "sandbox" / "world"


def demo_folder() -> Path:
    """Where the demo people's certificate files are laid out."""
    return Path(os.environ.get("INGAM_DEMO", "demo"))


def key_source() -> KeySource:
    """Fresh keys, or a folder of test keys where INGAM_SANDBOX_KEYS names one."""
    folder = os.environ.get("INGAM_SANDBOX_KEYS")
    return FolderKeys(Path(folder)) if folder else FreshKeys()


def _telling(say: Callable[[str], None]) -> Callable[[int, int], None]:
    def told(made: int, of: int) -> None:
        if made in (1, of) or made % 10 == 0:
            say(f"바깥 기관의 키 만드는 중 · making the other authorities' keys {made}/{of}")

    return told
