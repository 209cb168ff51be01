"""The changes of the operators' register: who is one, what they may do, by which passkey (security G1, G2).

The person whom a change is about is its subject: they neither make it nor approve it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from ingam.console.changes.flow import Approved, Text
from ingam.console.changes.kinds import Applying, Described, Line, Values
from ingam.console.operators import EMPLOYEE, Operator, Role, roles_text
from ingam.console.operators.register import Operators
from ingam.kernel.errors import Refusal
from ingam.ports.store import Change, Conflict, LedgerMove, Update

_OFFICERS: Final = frozenset({Role.ADMINISTRATOR})
NAME_MOST: Final = 40
KEPT: Final = frozenset({Role.ADMINISTRATOR, Role.SECURITY})
"""Roles without two holders of which nothing can be approved any more."""

LEAST: Final = 2


class OperatorForm(Refusal):
    """An employee number, name, branch or role that is none."""

    code = "operator-form"


class OperatorPerson(Refusal):
    """A clerk's own number is missing: without it nobody could tell their own customer record (E10)."""

    code = "operator-person"


class OperatorTwice(Refusal):
    """This natural person is an operator already, under another employee number (G2)."""

    code = "operator-twice"


class LastOfTheirKind(Refusal):
    """Two administrators and two security officers must remain."""

    code = "operator-last"


class OperatorKind:
    """What the four kinds share. `link`: the enrolment page's address, to which an invitation's secret is added."""

    name: str
    makers: Final = _OFFICERS
    checkers: Final = frozenset({Role.ADMINISTRATOR, Role.SECURITY})
    at_once: Final = True

    def __init__(self, operators: Operators, link: str, invitation_s: int) -> None:
        self._operators = operators
        self._link = link
        self._invitation_s = invitation_s

    async def remains(self, operator: Operator, roles: frozenset[Role]) -> list[Update]:
        """Who stays behind an operator who is left with `roles`: two of each kind that it takes from them.

        The updates change nothing and hold only while those stay, so that two approvals at once do not both apply.
        Raises LastOfTheirKind.
        """
        left = [one for one in await self._operators.all() if one.employee != operator.employee]
        held: dict[str, Operator] = {}
        for role in sorted(KEPT & (operator.roles - roles)):
            having = [one for one in left if role in one.roles]
            if len(having) < LEAST:
                raise LastOfTheirKind
            held |= {one.employee: one for one in having[:LEAST]}
        return [self._operators.unchanged(one) for one in held.values()]

    async def person(self, values: Values, roles: frozenset[Role], employee: str, known: bytes | None) -> list[Line]:
        """The line of whose number it is, as its blind index; clerks need one. Raises OperatorPerson, OperatorTwice."""
        index = values.get("person", "")
        if not index:
            if Role.CLERK in roles and known is None:
                raise OperatorPerson
            return []
        for one in await self._operators.all():
            if one.employee != employee and one.is_person(bytes.fromhex(index)):
                raise OperatorTwice
        return [Line("person", "-" if known is None else known.hex(), index)]


class Inviting(OperatorKind):
    """A kind that ends in a passkey: the maker is shown a code, the checker a link, and it takes both (G2)."""

    async def hand(self, text: Text) -> Applying:
        """With the maker's half, shown to them alone as they sign; the other person gets it from their hand."""
        code, issue = self._operators.handover(text.challenge, text.expires_at)
        return Applying(ledger=[issue], shown={"code": code})

    async def invite(self, approved: Approved, now: datetime, rows: Sequence[Change]) -> Applying:
        """With a link that is shown to the checker alone; older ones of this person end. Raises NotIssued."""
        employee = approved.change.values["employee"]
        half, use = await self._operators.handed(approved.text.challenge, now)
        invited = self._operators.invited(employee, now, self._invitation_s, half)
        shown = {"link": f"{self._link}?with=code#{invited.invitation.token}"}
        ledger: list[LedgerMove] = [*await self._operators.uninvited(employee, now), use, invited.issue]
        return Applying(rows=rows, ledger=ledger, facts={"subject": employee}, shown=shown)


class NewOperator(Inviting):
    """`values`: employee, name, branch, roles, and for clerks person (the blind index of their number, hex)."""

    name = "operator-new"

    async def describe(self, values: Values) -> Described:
        employee, roles = values.get("employee", ""), read_roles(values.get("roles", ""))
        name, branch = values.get("name", ""), values.get("branch", "")
        if not EMPLOYEE.fullmatch(employee) or not _short(name) or not _short(branch):
            raise OperatorForm
        if await self._operators.ever(employee):
            raise Conflict(table="operator")
        lines = {"employee": employee, "name": name, "branch": branch, "roles": roles_text(roles)}
        told = [Line(line, "-", text) for line, text in lines.items()]
        told += await self.person(values, roles, employee, None)
        return Described(tuple(told), (employee,))

    async def apply(self, approved: Approved, now: datetime) -> Applying:
        values = approved.change.values
        row = self._operators.new(
            values["employee"], values["name"], values["branch"], read_roles(values["roles"]), now, _index(values)
        )
        return await self.invite(approved, now, [row])


class OtherRoles(OperatorKind):
    """`values`: employee, branch, roles, and for whoever becomes a clerk person."""

    name = "operator-roles"

    async def describe(self, values: Values) -> Described:
        operator = await self._operators.get(values.get("employee", ""))
        roles, branch = read_roles(values.get("roles", "")), values.get("branch", "")
        if not _short(branch):
            raise OperatorForm
        await self.remains(operator, roles)
        changed = [Line("operator", operator.employee, operator.employee)]
        if roles != operator.roles:
            changed.append(Line("roles", roles_text(operator.roles), roles_text(roles)))
        if branch != operator.branch:
            changed.append(Line("branch", operator.branch, branch))
        changed += await self.person(values, roles, operator.employee, operator.person_index)
        if len(changed) == 1:
            raise Refusal("change-nothing")
        return Described(tuple(changed), (operator.employee,))

    async def apply(self, approved: Approved, now: datetime) -> Applying:  # noqa: ARG002 - the port's
        values = approved.change.values
        operator = await self._operators.get(values["employee"])
        index = _index(values) or operator.person_index
        roles = read_roles(values["roles"])
        changed = self._operators.changed(operator, values["branch"], roles, index)
        rows = in_order([changed, *await self.remains(operator, roles)])
        return Applying(rows=rows, facts={"subject": operator.employee, "roles": values["roles"]})


class EndOfOperator(OperatorKind):
    """`values`: employee. Their passkeys and sessions end with it."""

    name = "operator-end"

    async def describe(self, values: Values) -> Described:
        operator = await self._operators.get(values.get("employee", ""))
        await self.remains(operator, frozenset())
        return Described((Line("operator", f"{operator.employee} {operator.name}", "-"),), (operator.employee,))

    async def apply(self, approved: Approved, now: datetime) -> Applying:
        employee = approved.change.values["employee"]
        staying = await self.remains(await self._operators.get(employee), frozenset())
        gone, rest = await self._operators.ended(employee, now)
        return Applying(rows=[*in_order([gone, *staying]), *rest], facts={"subject": employee})


class NewKey(Inviting):
    """`values`: employee. Every passkey and session of before ends; link and code make the new one."""

    name = "operator-key"

    async def describe(self, values: Values) -> Described:
        operator = await self._operators.get(values.get("employee", ""))
        kept = len(await self._operators.keys(operator.employee))
        lines = (Line("operator", operator.employee, operator.employee), Line("passkeys", str(kept), "0 + link"))
        return Described(lines, (operator.employee,))

    async def apply(self, approved: Approved, now: datetime) -> Applying:
        employee = approved.change.values["employee"]
        return await self.invite(approved, now, await self._operators.without_keys(employee, now))


def in_order(rows: Sequence[Update]) -> list[Update]:
    """Rows of the register by employee number: two saves take them in one order and cannot wait for each other."""
    return sorted(rows, key=lambda row: str(row.where["employee"]))


def read_roles(text: str) -> frozenset[Role]:
    """`clerk,auditor`. Raises OperatorForm for none or for another word."""
    names = [one for one in text.split(",") if one]
    if not names or not set(names) <= set(Role):
        raise OperatorForm
    return frozenset(Role(one) for one in names)


def _index(values: Values) -> bytes | None:
    return bytes.fromhex(values.get("person", "")) or None


def _short(text: str) -> bool:
    return 0 < len(text.strip()) <= NAME_MOST and text.isprintable()
