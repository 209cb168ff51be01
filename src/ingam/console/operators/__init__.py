"""Operators: natural persons by their employee number, what they may do, and the passkeys that are theirs (G1, G2)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from ingam.kernel.errors import Defect, Refusal
from ingam.ports.store import Row

EMPLOYEE: Final = re.compile(r"[A-Z][0-9]{3,9}")
"""An employee number, as the institution gives one: a capital letter and digits."""


class OperatorUnknown(Refusal):
    """There is no operator of this employee number, or no longer."""

    code = "operator-unknown"


class Role(StrEnum):
    """What an operator may do; a person may have several."""

    CLERK = "clerk"  # 지점 직원: customers, one-time numbers, unlocking
    SECURITY = "security"  # 보안 책임자: policy, limits, trust anchors, revocation
    AUDITOR = "auditor"  # 감사: reads everything that was done, changes nothing
    ADMINISTRATOR = "administrator"  # 관리자: operators, terms, notices, hours


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator as they stand now. `handle`: 32 random bytes that passkeys know the person by."""

    employee: str
    name: str
    branch: str
    roles: frozenset[Role]
    handle: bytes = field(repr=False)
    person_index: bytes | None = field(repr=False, default=None)

    def may(self, *roles: Role) -> bool:
        """Whether one of these roles is theirs; every operator may what asks for none."""
        return not roles or not self.roles.isdisjoint(roles)

    def is_person(self, idn_index: object) -> bool:
        """Whether the customer of this blind index is the operator's own person (E10)."""
        return self.person_index is not None and self.person_index == idn_index


def roles_text(roles: Iterable[Role]) -> str:
    """`clerk,auditor`: in the order of the roles, as the store keeps them."""
    wanted = set(roles)
    return ",".join(role for role in Role if role in wanted)


def operator_of(row: Row) -> Operator:
    """The operator of a row. Raises Defect for a role that no code knows."""
    handle, index = row["handle"], row["person_index"]
    if not isinstance(handle, bytes) or not (index is None or isinstance(index, bytes)):
        raise Defect("operator-row")
    return Operator(
        employee=str(row["employee"]),
        name=str(row["name"]),
        branch=str(row["branch"]),
        roles=frozenset(Role(one) for one in str(row["roles"]).split(",") if one),
        handle=handle,
        person_index=index,
    )


@dataclass(frozen=True, slots=True)
class Invitation:
    """A one-time enrolment link's secret part (43 characters of base64url) and its end; shown once, kept as a hash."""

    token: str = field(repr=False)
    expires_at: datetime
