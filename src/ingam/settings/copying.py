"""The blind mailbox of copying; INGAM_RELAY_…."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ingam.settings.refused import SettingsRefused


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """The blind mailbox of copying: a process, or several nodes on one Valkey."""

    origin: str = "http://localhost:8705"  # as browsers reach it; part of what both devices agree on (C6)
    store: str = field(default="", repr=False)  # "" is in process; valkey://host:port/0 where there are several nodes
    ticket_keys: Path | None = None  # public keys of the center, one in hex a line; None: DATA/relay/tickets.pub
    drain_s: int = 200  # how long running copies may finish after SIGTERM


def read_relay(environment: Mapping[str, str], origin: str) -> RelaySettings:
    """INGAM_RELAY_ORIGIN, INGAM_RELAY_STORE, INGAM_RELAY_TICKET_KEYS, INGAM_RELAY_DRAIN_S."""
    keys, drain = environment.get("INGAM_RELAY_TICKET_KEYS"), environment.get("INGAM_RELAY_DRAIN_S", "200")
    if not (drain.isascii() and drain.isdigit() and len(drain) < 5):
        raise SettingsRefused(variable="INGAM_RELAY_DRAIN_S")
    return RelaySettings(
        origin=environment.get("INGAM_RELAY_ORIGIN", origin).rstrip("/"),
        store=environment.get("INGAM_RELAY_STORE", ""),
        ticket_keys=Path(keys) if keys else None,
        drain_s=int(drain),
    )
