"""The changes of policy: each says what is so now, and what will be (security G2, A7, A9)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ingam.console.changes.flow import Approved
from ingam.console.changes.kinds import Applying, Described, Line, Values
from ingam.console.operators import Role
from ingam.customer import policy
from ingam.customer.policy.limits import BOUNDS, in_force
from ingam.kernel.errors import Refusal
from ingam.npki import policies
from ingam.ports.store import Store

READERS: Final = (Role.SECURITY, Role.ADMINISTRATOR, Role.AUDITOR)
ON: Final = "accepted"
OFF: Final = "withdrawn"
_OFFICERS: Final = frozenset({Role.SECURITY})


class NothingChanges(Refusal):
    """The change would leave everything as it is."""

    code = "change-nothing"


class OutOfBounds(Refusal):
    """A limit outside what no approval may leave (facts: name, least, most)."""

    code = "change-out-of-bounds"


class NothingOfThat(Refusal):
    """There is no such limit, policy or authority to change."""

    code = "change-unknown"


class LimitsKind:
    """Limits: `values` are names of BOUNDS and whole numbers."""

    name: Final = "limits"
    makers: Final = _OFFICERS
    checkers: Final = _OFFICERS
    at_once: Final = True

    def __init__(self, store: Store, ground: object) -> None:
        self._store = store
        self._ground = ground

    async def now(self) -> dict[str, int]:
        """Every limit that may be moved, as it is in force."""
        approved = (await policy.approved(self._store, policy.LIMITS)).value
        return {name: in_force(name, getattr(self._ground, name), approved) for name in BOUNDS}

    async def describe(self, values: Values) -> Described:
        now, lines = await self.now(), []
        for name, text in sorted(values.items()):
            bound = BOUNDS.get(name)
            if bound is None:
                raise NothingOfThat
            if not (text.isascii() and text.isdigit() and len(text) < 9 and bound.holds(int(text))):
                raise OutOfBounds(name=name, least=bound.least, most=bound.most)
            if int(text) != now[name]:
                lines.append(Line(name, str(now[name]), str(int(text))))
        if not lines:
            raise NothingChanges
        return Described(tuple(lines))

    async def apply(self, approved: Approved, now: datetime) -> Applying:
        before = await policy.approved(self._store, policy.LIMITS)
        value = {**before.value, **{name: int(text) for name, text in approved.change.values.items()}}
        row = policy.approving(before, value, approved.change.change_id, now)
        return Applying(rows=[row], facts={"version": before.version + 1})


class WithdrawalKind:
    """What the tables accept and operators may withdraw and take back: `values` are {what: accepted or withdrawn}."""

    makers: Final = _OFFICERS
    checkers: Final = _OFFICERS
    at_once: Final = True

    def __init__(self, store: Store, name: str, known: Mapping[str, str]) -> None:
        self._store = store
        self.name = name
        self.known = known

    async def now(self) -> dict[str, str]:
        """Every thing of the table by its name, accepted or withdrawn."""
        withdrawn = (await policy.approved(self._store, self.name)).value.get(OFF, ())
        return {one: OFF if one in withdrawn else ON for one in self.known}

    async def describe(self, values: Values) -> Described:
        now, lines = await self.now(), []
        for name, wanted in sorted(values.items()):
            if name not in now or wanted not in (ON, OFF):
                raise NothingOfThat
            if wanted != now[name]:
                lines.append(Line(f"{self.known[name]} [{name}]", now[name], wanted))
        if not lines:
            raise NothingChanges
        return Described(tuple(lines))

    async def apply(self, approved: Approved, now: datetime) -> Applying:
        before = await policy.approved(self._store, self.name)
        wanted: dict[str, Any] = dict.fromkeys(before.value.get(OFF, ()), OFF) | dict(approved.change.values)
        withdrawn = sorted(name for name, state in wanted.items() if state == OFF)
        row = policy.approving(before, {OFF: withdrawn}, approved.change.change_id, now)
        return Applying(rows=[row], facts={"version": before.version + 1, "withdrawn": len(withdrawn)})


APPROVED: Final = "approved"
WAITS: Final = "waits"


@dataclass(frozen=True, slots=True)
class Version:
    """A later version of a consent document. `sha256`: of the exact Korean text, 64 lower hex."""

    code: str
    version: str
    title: str
    sha256: str

    @property
    def name(self) -> str:
        """`T1 2026-12-01`."""
        return f"{self.code} {self.version}"


class TermsKind:
    """Versions of consent documents: `values` are {`T1 2026-12-01`: approved or waits}; what is signed is the text."""

    name: Final = policy.TERMS
    makers: Final = frozenset({Role.ADMINISTRATOR, Role.SECURITY})
    checkers: Final = makers
    at_once: Final = True

    def __init__(self, store: Store, versions: Iterable[Version]) -> None:
        self._store = store
        self._versions = {one.name: one for one in versions}
        self.known: Mapping[str, str] = {name: f"{one.title} {one.version}" for name, one in self._versions.items()}

    async def now(self) -> dict[str, str]:
        """Every later version, approved or waiting; one whose text changed since waits again."""
        value = (await policy.approved(self._store, self.name)).value
        return {name: APPROVED if value.get(name) == one.sha256 else WAITS for name, one in self._versions.items()}

    async def describe(self, values: Values) -> Described:
        now, lines = await self.now(), []
        for name, wanted in sorted(values.items()):
            if name not in now or wanted not in (APPROVED, WAITS):
                raise NothingOfThat
            if wanted != now[name]:
                lines.append(Line(f"{self.known[name]} [{self._versions[name].sha256}]", now[name], wanted))
        if not lines:
            raise NothingChanges
        return Described(tuple(lines))

    async def apply(self, approved: Approved, now: datetime) -> Applying:
        before = await policy.approved(self._store, self.name)
        value = dict(before.value)
        for name, wanted in approved.change.values.items():
            value.pop(name, None)
            if wanted == APPROVED:
                value[name] = self._versions[name].sha256
        row = policy.approving(before, value, approved.change.change_id, now)
        return Applying(rows=[row], facts={"version": before.version + 1})


def accepted_policies() -> dict[str, str]:
    """`koscom 1.2.410.…` → `코스콤 범용(개인)`: every row that registration and login may accept (A9)."""
    return {
        f"{row.ca.key} {row.oid}": f"{row.ca.name_ko} {row.name_ko}"
        for row in policies.policies()
        if row.use in ("universal", "securities") and not row.ca.ended
    }
