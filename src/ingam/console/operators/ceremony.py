"""The first two operators, made at once (security G1): from then on every change to operators takes two persons.

It is done once for a database. Somebody invited then who let the link run out gets another, until their first passkey.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from ingam.console.operators import EMPLOYEE, Invitation, Role
from ingam.console.operators.register import Operators
from ingam.kernel.errors import Refusal
from ingam.ports.clock import Clock
from ingam.ports.store import Audit, Conflict, Issue, Save, Store

FIRST: Final = frozenset({Role.SECURITY, Role.ADMINISTRATOR})
"""What both may do: propose, and approve what the other proposes."""

_ONCE: Final = "operator-ceremony"
_FOR_EVER: Final = timedelta(days=365 * 200)


class CeremonyDone(Refusal):
    """There are operators already; more are made in the console, by two of them."""

    code = "ceremony-done"


class CeremonyPersons(Refusal):
    """Not two natural persons with employee numbers of their own and names."""

    code = "ceremony-persons"


class PasskeyThere(Refusal):
    """This operator had a passkey before; a new one takes two operators."""

    code = "passkey-there"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the institution: employee number, name, branch."""

    employee: str
    name: str
    branch: str


class Ceremony:
    """Makes the first two, and their links anew while they have no passkey."""

    def __init__(self, store: Store, operators: Operators, clock: Clock, invitation_s: int) -> None:
        self._store = store
        self._operators = operators
        self._clock = clock
        self._invitation_s = invitation_s

    async def perform(self, persons: Sequence[Person]) -> list[Invitation]:
        """Both operators and a link for each, in one transaction. Raises CeremonyDone, CeremonyPersons."""
        if len(persons) != 2 or persons[0].employee == persons[1].employee or not all(map(_named, persons)):
            raise CeremonyPersons
        if await self._operators.all():
            raise CeremonyDone
        now = self._clock.now()
        links = [self._operators.invited(one.employee, now, self._invitation_s) for one in persons]
        rows = [self._operators.new(one.employee, one.name, one.branch, FIRST, now) for one in persons]
        audit = [_line(self._clock, "console.operator-ceremony", one.employee) for one in persons]
        once = Issue(_ONCE, "first", now + _FOR_EVER)
        try:
            await self._store.save(Save(rows=rows, ledger=[once, *(link.issue for link in links)], audit=audit))
        except Conflict:
            raise CeremonyDone from None
        return [link.invitation for link in links]

    async def invite_again(self, employee: str) -> Invitation:
        """Another link for somebody who never had a passkey; older ones end. Raises OperatorUnknown, PasskeyThere."""
        operator = await self._operators.get(employee)
        if await self._store.many("operator_key", {"employee": employee}, limit=1):
            raise PasskeyThere
        now = self._clock.now()
        link = self._operators.invited(operator.employee, now, self._invitation_s)
        line = _line(self._clock, "console.operator-invite", employee)
        await self._store.save(Save(ledger=[*await self._operators.uninvited(employee, now), link.issue], audit=[line]))
        return link.invitation


def _named(person: Person) -> bool:
    return bool(EMPLOYEE.fullmatch(person.employee) and person.name.strip() and person.branch.strip())


def _line(clock: Clock, action: str, employee: str) -> Audit:
    return Audit(clock.now(), action, "ok", None, None, None, {"operator": employee, "by": "cli"})
