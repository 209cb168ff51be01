"""The operators' register on the store: who there is, whose passkey it is, and one-time invitations (security G1).

Changes are values for one `Save`: an operator, their role or their invitation becomes true with what approved it.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from ingam.console.operators import Invitation, Operator, OperatorUnknown, Role, operator_of, roles_text
from ingam.console.operators.halves import CODE_BYTES, half_of, invitation_id, written_code
from ingam.kernel.errors import Refusal
from ingam.ports.store import Change, Insert, Issue, NotIssued, Row, Store, Update, Use, Void
from ingam.protocols.webauthn import Credential, decode, encode

INVITATION: Final = "operator-invitation"
HANDOVER: Final = "operator-handover"
TOKEN_BYTES: Final = 32
MOST: Final = 1000
"""Operators that a list shows."""


class InvitationOver(Refusal):
    """The enrolment link was used, is over, never was one, or does not go with the code."""

    code = "invitation-over"


@dataclass(frozen=True, slots=True)
class Key:
    """A passkey of an operator."""

    employee: str
    credential: Credential
    added_at: datetime
    used_at: datetime | None
    ended_at: datetime | None

    @property
    def name(self) -> str:
        """The credential id in base64url: the row's key."""
        return encode(self.credential.credential_id)


@dataclass(frozen=True, slots=True)
class Invited:
    """A fresh invitation and the ledger move that makes it one."""

    invitation: Invitation
    issue: Issue


class Operators:
    """Look-ups and the changes of the register. `token` gives random bytes."""

    def __init__(self, store: Store, token: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._store = store
        self._token = token

    async def find(self, employee: str) -> Operator | None:
        """The operator, unless they never were or no longer are one."""
        row = await self._store.one("operator", {"employee": employee, "ended_at": None})
        return None if row is None else operator_of(row)

    async def get(self, employee: str) -> Operator:
        """The operator. Raises OperatorUnknown."""
        operator = await self.find(employee)
        if operator is None:
            raise OperatorUnknown
        return operator

    async def all(self) -> list[Operator]:
        """Everybody who is an operator now, by employee number."""
        return [operator_of(row) for row in await self._store.many("operator", {"ended_at": None}, limit=MOST)]

    async def ever(self, employee: str) -> bool:
        """Whether this employee number was given to an operator at any time; it stays theirs."""
        return await self._store.one("operator", {"employee": employee}) is not None

    async def keys(self, employee: str) -> list[Key]:
        """The live passkeys of an operator, oldest first."""
        where: Row = {"employee": employee, "ended_at": None}
        return [_key(row) for row in await self._store.many("operator_key", where, order="added_at")]

    async def key(self, credential_id: bytes) -> Key | None:
        """The live passkey of this credential id."""
        row = await self._store.one("operator_key", {"credential": encode(credential_id), "ended_at": None})
        return None if row is None else _key(row)

    def new(
        self, employee: str, name: str, branch: str, roles: frozenset[Role], now: datetime, index: bytes | None = None
    ) -> Insert:
        """A new operator; Conflict when saved if the employee number was ever given."""
        row: Row = {
            "employee": employee, "name": name, "branch": branch, "roles": roles_text(roles),
            "handle": self._token(TOKEN_BYTES), "person_index": index, "created_at": now, "ended_at": None,
        }  # fmt: skip
        return Insert("operator", row)

    def changed(self, operator: Operator, branch: str, roles: frozenset[Role], index: bytes | None = None) -> Update:
        """Other roles, another branch, a number that was not known; Stale when saved if they changed meanwhile."""
        where: Row = {"employee": operator.employee, "roles": roles_text(operator.roles), "branch": operator.branch}
        values: Row = {"roles": roles_text(roles), "branch": branch, "person_index": index or operator.person_index}
        return Update("operator", {**where, "ended_at": None}, values)

    def unchanged(self, operator: Operator) -> Update:
        """Changes nothing; Stale when saved if they ended or have other roles by then."""
        roles: Row = {"roles": roles_text(operator.roles)}
        return Update("operator", {"employee": operator.employee, **roles, "ended_at": None}, roles)

    async def ended(self, employee: str, now: datetime) -> tuple[Update, list[Change]]:
        """Somebody is no operator any more (the first); their passkeys and sessions end with it."""
        gone = Update("operator", {"employee": employee, "ended_at": None}, {"ended_at": now})
        return gone, await self.without_keys(employee, now)

    async def without_keys(self, employee: str, now: datetime) -> list[Change]:
        """Every passkey of theirs ends, and every session that one opened."""
        changes: list[Change] = [
            Update("operator_key", {"credential": key.name, "ended_at": None}, {"ended_at": now})
            for key in await self.keys(employee)
        ]
        live = await self._store.many("operator_session", {"employee": employee, "ended_at": None}, limit=MOST)
        ended: Row = {"ended_at": now, "ended_by": "operator"}
        return changes + [Update("operator_session", {"session": row["session"]}, ended) for row in live]

    def handover(self, signed: bytes, until: datetime) -> tuple[str, Issue]:
        """The maker's half of an enrolment, and the ledger move that keeps its hash for the text of this SHA-256."""
        code = written_code(self._token(CODE_BYTES))
        facts = msgspec.json.encode({"half": half_of(code)}).decode()
        return code, Issue(HANDOVER, signed.hex(), until, facts)

    async def handed(self, signed: bytes, now: datetime) -> tuple[str, Use]:
        """The hash of that half and its one use, for the Save that makes the link. Raises NotIssued."""
        row = await self._store.issued(HANDOVER, signed.hex())
        if row is None:
            raise NotIssued
        return str(msgspec.json.decode(row.facts)["half"]), Use(HANDOVER, signed.hex(), now)

    def invited(self, employee: str, now: datetime, ttl_s: int, half: str = "") -> Invited:
        """An enrolment link for one passkey of this operator; with `half`, it takes the code of that hash too."""
        token = base64.urlsafe_b64encode(self._token(TOKEN_BYTES)).rstrip(b"=").decode()
        expires = now + timedelta(seconds=ttl_s)
        return Invited(
            Invitation(token, expires), Issue(INVITATION, invitation_id(token, half), expires, _invites(employee))
        )

    async def uninvited(self, employee: str, now: datetime) -> list[Void]:
        """What ends every link of theirs that is out, for the Save that makes another: one was lost, or read."""
        where: Row = {"kind": INVITATION, "facts": _invites(employee)}
        rows = await self._store.many("ledger_issued", where, order="expires_at", descending=True, limit=MOST)
        return [Void(INVITATION, str(row["id"]), now) for row in rows]

    async def invitee(self, token: str, code: str, now: datetime) -> Operator:
        """Whom a link invites, with the code that goes with it ("" if none does). Raises InvitationOver."""
        row = await self._store.issued(INVITATION, invitation_id(token, half_of(code)))
        if row is None or row.used_at is not None or row.expires_at <= now:
            raise InvitationOver
        operator = await self.find(str(msgspec.json.decode(row.facts)["employee"]))
        if operator is None:
            raise InvitationOver
        return operator


def _invites(employee: str) -> str:
    """The facts of an invitation."""
    return msgspec.json.encode({"employee": employee}).decode()


def new_key(employee: str, credential: Credential, now: datetime) -> Insert:
    """A registered passkey; Conflict when saved if the credential is somebody's already."""
    row: Row = {
        "credential": encode(credential.credential_id), "employee": employee, "public_key": credential.public_key,
        "counter": credential.counter, "backed_up": credential.backed_up, "aaguid": credential.aaguid,
        "added_at": now, "used_at": None, "ended_at": None,
    }  # fmt: skip
    return Insert("operator_key", row)


def used_key(key: Key, counter: int, now: datetime) -> Update:
    """The passkey was used; Stale when saved if it was used meanwhile (its counter moved) or ended."""
    where: Row = {"credential": key.name, "counter": key.credential.counter, "ended_at": None}
    return Update("operator_key", where, {"counter": counter, "used_at": now})


def _key(row: Row) -> Key:
    public, counter, aaguid, added = row["public_key"], row["counter"], row["aaguid"], row["added_at"]
    used, ended = row["used_at"], row["ended_at"]
    assert isinstance(public, bytes) and isinstance(counter, int) and isinstance(aaguid, bytes)
    assert isinstance(added, datetime) and not isinstance(used, str | int | bytes)
    assert not isinstance(ended, str | int | bytes)
    credential = Credential(decode(str(row["credential"])), public, counter, bool(row["backed_up"]), aaguid)
    return Key(str(row["employee"]), credential, added, used, ended)
