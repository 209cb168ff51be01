"""The demo authority's own staff: two persons who enter the console's officers among those who sign 폐지 대행 (D14).

A deployment has people for this, with keys of their own, and `ingam ca operator`. In the demo their two keys lie beside
the authority (DATA/ca/<name>-staff.json) and this process signs with both, so what the authority checks is the same.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ingam.adapters.clock.system import SystemClock
from ingam.adapters.hsm.file import open_keys
from ingam.adapters.store import open_store
from ingam.ca.revoking.statement import Operator, Signed
from ingam.console.operators import Role
from ingam.console.operators.register import Operators
from ingam.kernel.errors import Refusal
from ingam.protocols.webauthn.as_key import pack, unpack
from ingam.run.cli import ca_operators
from ingam.run.cli.ca_operator_acts import entered, founded
from ingam.run.cli.ca_operators import ADD, REMOVE
from ingam.settings import Settings
from ingam.wiring import keys_path
from ingam.wiring.authority import authority_folder, open_authority

STAFF: Final = (("staff-one", "A0001"), ("staff-two", "A0002"))
"""Name and employee number of each."""

OFFICER: Final = "console-"
"""How the name of an officer's passkey begins that was entered here; what a person entered by hand stays."""

EVERY_S: Final = 1.0


def file_of(settings: Settings) -> Path:
    """The keys of both: name → 64 hex."""
    return authority_folder(settings).with_name(f"{settings.ca.name}-staff.json")


def prepare(settings: Settings) -> None:
    """Both are the authority's first operators, where it has none yet."""
    if ca_operators.read(authority_folder(settings)).changes:
        return
    keys = {name: Ed25519PrivateKey.generate() for name, _ in STAFF}
    path = file_of(settings)
    path.unlink(missing_ok=True)
    path.touch(0o600)
    path.write_text(json.dumps({name: key.private_bytes_raw().hex() for name, key in keys.items()}), encoding="ascii")
    founded(settings, [Operator(name, person, keys[name].public_key().public_bytes_raw()) for name, person in STAFF])


class Staff:
    """Looks at the console's register now and then. Without its keys, or refused, it rests."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._keys = _keys(file_of(settings))
        self._runner = asyncio.Runner()
        self._store = open_store(settings.store, open_keys(keys_path(settings)).outbox)
        self._next = 0.0

    def look(self) -> None:
        """Once a second: an officer's new passkey is entered, one that ended is removed; a change at a time."""
        if not self._keys or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + EVERY_S
        try:
            self._enter()
        except Refusal as refused:
            print(f"✗ {refused}", file=sys.stderr, flush=True)
            self._keys = {}

    def close(self) -> None:
        """Lets the store go."""
        self._runner.run(self._store.close())
        self._runner.close()

    def _enter(self) -> None:
        known = ca_operators.read(authority_folder(self._settings)).operators
        by_hand = {one.person for one in known.values() if unpack(one.key) and not one.name.startswith(OFFICER)}
        officers = self._runner.run(self._officers())
        wanted = {one.name: one for one in officers if one.person not in by_hand}
        for name, one in known.items():
            if name.startswith(OFFICER) and wanted.get(name) != one:
                self._sign(REMOVE, one)
        for name, one in wanted.items():
            if known.get(name) != one:
                self._sign(ADD, one)

    async def _officers(self) -> list[Operator]:
        """Security officers by their newest passkey."""
        operators = Operators(self._store)
        found = []
        for one in await operators.all():
            keys = await operators.keys(one.employee) if one.may(Role.SECURITY) else []
            found += [Operator(OFFICER + one.employee.lower(), one.employee, pack(key.credential)) for key in keys[-1:]]
        return found

    def _sign(self, act: str, officer: Operator) -> None:
        settings, now = self._settings, SystemClock().now()
        before = ca_operators.read(authority_folder(settings))
        text = ca_operators.proposed(before, open_authority(settings).key, act, officer, now).text()
        entered(settings, text, [Signed(name, key.sign(text)) for name, key in self._keys.items()])


def _keys(path: Path) -> Mapping[str, Ed25519PrivateKey]:
    if not path.exists():
        return {}
    told = json.loads(path.read_text(encoding="ascii"))
    return {name: Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key)) for name, key in told.items()}
