"""The console's and the auditor's processes; INGAM_CONSOLE_…, INGAM_AUDIT_…."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from ingam.settings.refused import SettingsRefused

CONSOLE_IDLE_MOST_S: Final = 900  # rule G1
APPROVAL_MOST_S: Final = 24 * 3600  # rule G3
CHECKPOINT_MOST_S: Final = 300  # rule G6
AUDIT_ORIGIN: Final = "audit.ingam.test/center"  # the demo's


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """The operators' and the branches' screens: an origin and a database role of their own (security G1)."""

    origin: str = "http://localhost:8702"
    store: str = field(default="", repr=False)  # the center's database, by a role of its own; "" is the center's
    idle_s: int = CONSOLE_IDLE_MOST_S
    max_s: int = 8 * 3600  # a working day; then the passkey is asked for again
    invitation_s: int = 24 * 3600  # how long an enrolment link waits
    approval_s: int = APPROVAL_MOST_S  # how long a change waits for its second person
    searches_a_day: int = 200  # of one operator
    unmaskings_a_day: int = 30  # fields, of one operator
    unlocks_a_day: int = 50  # releases of locks, by one operator
    address_visits_an_hour: int = 1200


def read_console(environment: Mapping[str, str], origin: str) -> ConsoleSettings:
    """INGAM_CONSOLE_ORIGIN, INGAM_CONSOLE_STORE, INGAM_CONSOLE_IDLE_S …: each by its name in capitals."""
    chosen: dict[str, Any] = {"origin": origin}
    for one in fields(ConsoleSettings):
        text = environment.get(f"INGAM_CONSOLE_{one.name.upper()}")
        if text is None:
            continue
        if one.type == "int":
            if not (text.isascii() and text.isdigit() and len(text) < 9 and int(text) > 0):
                raise SettingsRefused(variable=f"INGAM_CONSOLE_{one.name.upper()}")
            chosen[one.name] = int(text)
        else:
            chosen[one.name] = text.rstrip("/") if one.name == "origin" else text
    return ConsoleSettings(**chosen)


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """The auditor's process: what it reads by, how often it signs, and who outside remembers that it did (G6)."""

    store: str = field(default="", repr=False)  # the center's database, by the auditor's role; "" is the center's
    origin: str = AUDIT_ORIGIN  # the audit's name in every checkpoint, for ever
    every_s: int = 60  # between two checkpoints where there is something new; 300 at most
    witnesses: tuple[str, ...] = ()  # of each `<key's text> <address>`
    needed: int = 0  # co-signatures without which no checkpoint is signed
    tsa: str = ""  # address of a time-stamp authority (RFC 3161)
    tsa_roots: Path | None = None  # PEM: the roots that its certificate is trusted by


_AUDIT_NUMBERS: Final = (("every_s", "60"), ("needed", "0"))


def read_audit(environment: Mapping[str, str]) -> AuditSettings:
    """INGAM_AUDIT_WITNESSES: `<key> <address>, …`; the others by their names in capitals."""
    numbers = {name: environment.get(f"INGAM_AUDIT_{name.upper()}", default) for name, default in _AUDIT_NUMBERS}
    for name, text in numbers.items():
        if not (text.isascii() and text.isdigit() and len(text) < 5):
            raise SettingsRefused(variable=f"INGAM_AUDIT_{name.upper()}")
    roots = environment.get("INGAM_AUDIT_TSA_ROOTS")
    witnesses = environment.get("INGAM_AUDIT_WITNESSES", "")
    return AuditSettings(
        store=environment.get("INGAM_AUDIT_STORE", ""),
        origin=environment.get("INGAM_AUDIT_ORIGIN", AUDIT_ORIGIN),
        every_s=int(numbers["every_s"]),
        witnesses=tuple(" ".join(one.split()) for one in witnesses.split(",") if one.strip()),
        needed=int(numbers["needed"]),
        tsa=environment.get("INGAM_AUDIT_TSA", ""),
        tsa_roots=Path(roots) if roots else None,
    )


_WITNESS: Final = re.compile(r"[!-*,-~]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+ https?://\S+")


def refuse_audit(audit: AuditSettings) -> None:
    """G6: its bounds. Raises SettingsRefused."""
    if not 1 <= audit.every_s <= CHECKPOINT_MOST_S:
        raise SettingsRefused(variable="INGAM_AUDIT_EVERY_S")
    if not re.fullmatch(r"[!-*,-~]{1,255}", audit.origin):
        raise SettingsRefused(variable="INGAM_AUDIT_ORIGIN")
    if not all(_WITNESS.fullmatch(one) for one in audit.witnesses) or audit.needed > len(audit.witnesses):
        raise SettingsRefused(variable="INGAM_AUDIT_WITNESSES")
    if not re.fullmatch(r"|https?://\S+", audit.tsa) or bool(audit.tsa) != bool(audit.tsa_roots):
        raise SettingsRefused(variable="INGAM_AUDIT_TSA")
