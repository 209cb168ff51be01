"""Coming in by passkey, making a passkey by invitation, and going out again; each is written down (security G1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ingam.console.login.challenges import AN_HOUR, Challenges, ChallengesCrowded
from ingam.console.operators import Operator
from ingam.console.operators.halves import half_of, invitation_id
from ingam.console.operators.register import (
    INVITATION,
    InvitationOver,
    Key,
    Operators,
    new_key,
    used_key,
)
from ingam.console.sessions import Opened, OperatorSession, OperatorSessions, ending
from ingam.console.trail import Trail, Visit
from ingam.kernel.errors import Refusal
from ingam.ports.clock import Clock
from ingam.ports.store import AlreadyUsed, Count, NotIssued, Save, Stale, Store, Use
from ingam.protocols.webauthn import (
    RelyingParty,
    WebAuthnRefused,
    check,
    credential_id,
    register,
    registration_options,
    request_options,
)

LOGIN: Final = "login"
ENROL: Final = "enrol"


@dataclass(frozen=True, slots=True)
class Entered:
    """Who came in, and the session of it."""

    operator: Operator
    opened: Opened


class Login:
    """The service over the register, the sessions and the ledger of challenges."""

    def __init__(
        self, store: Store, clock: Clock, operators: Operators, sessions: OperatorSessions, trail: Trail,
        rp: RelyingParty,
    ) -> None:  # fmt: skip
        self._store = store
        self._clock = clock
        self._operators = operators
        self._sessions = sessions
        self._trail = trail
        self._rp = rp
        self._challenges = Challenges(store, clock)

    async def options(self, session: OperatorSession) -> dict[str, Any]:
        """What the browser asks any passkey of this place to sign: nobody's name is asked, none is told."""
        return request_options(self._rp, await self._challenges.give(session, LOGIN))

    async def enter(self, session: OperatorSession, address: str, answer: Mapping[str, object]) -> Entered:
        """A signed challenge becomes a session of its own. Raises WebAuthnRefused."""
        try:
            challenge = await self._challenges.take(session, LOGIN, answer)
            key, operator = await self._owner(answer)
            counter = check(self._rp, challenge, key.credential, answer)
            opened = self._sessions.rise(session, operator.employee)
            visit = Visit(operator, opened.session, address, "ko")
            line = self._trail.line(visit, "console.login")
            rows = (*opened.changes, used_key(key, counter, self._clock.now()))
            await self._store.save(Save(rows=rows, audit=[line]))
        except Stale:  # two at once with one counter: a copy of the key, or a page of before
            raise WebAuthnRefused(cause="counter") from None
        except Refusal as refusal:
            await self._refused(session, address, "console.login", refusal)
            raise
        return Entered(operator, opened)

    async def _owner(self, answer: Mapping[str, object]) -> tuple[Key, Operator]:
        """Whose live passkey answers; an unknown one is told from a wrong signature by the audit alone."""
        key = await self._operators.key(credential_id(answer))
        operator = None if key is None else await self._operators.find(key.employee)
        if key is None or operator is None:
            raise WebAuthnRefused(cause="credential")
        return key, operator

    async def invited(
        self, session: OperatorSession, address: str, token: str, code: str
    ) -> tuple[Operator, dict[str, Any]]:
        """Whom link and code invite, and what the browser makes their passkey by. Raises InvitationOver."""
        try:
            operator = await self._operators.invitee(token, code, self._clock.now())
        except Refusal as refusal:
            await self._refused(session, address, "console.enrol", refusal)
            raise
        challenge = await self._challenges.give(session, ENROL)
        exclude = [key.credential.credential_id for key in await self._operators.keys(operator.employee)]
        name = f"{operator.employee} {operator.name}"
        options = registration_options(
            self._rp, operator.handle, name, challenge, exclude, platform=False, resident=True
        )
        return operator, options

    async def enrol(
        self, session: OperatorSession, address: str, token: str, code: str, answer: Mapping[str, object]
    ) -> Operator:
        """The passkey is theirs and the link is used, in one transaction. Raises InvitationOver, WebAuthnRefused."""
        try:
            now = self._clock.now()
            challenge = await self._challenges.take(session, ENROL, answer)
            operator = await self._operators.invitee(token, code, now)
            credential = register(self._rp, challenge, answer)
            facts: dict[str, str | int] = {"operator": operator.employee, "backed-up": int(credential.backed_up)}
            line = self._trail.of_visitor(session, address, "console.enrol", "ok", facts)
            use = Use(INVITATION, invitation_id(token, half_of(code)), now)
            await self._store.save(Save(rows=[new_key(operator.employee, credential, now)], ledger=[use], audit=[line]))
        except (AlreadyUsed, NotIssued):
            raise InvitationOver from None
        except Refusal as refusal:
            await self._refused(session, address, "console.enrol", refusal)
            raise
        return operator

    async def leave(self, visit: Visit) -> None:
        """The session ends on the server (F2)."""
        change = ending(visit.session, "logout", self._clock.now())
        await self._store.save(Save(rows=[change], audit=[self._trail.line(visit, "console.logout")]))

    async def _refused(self, session: OperatorSession, address: str, action: str, refusal: Refusal) -> None:
        """Written down, up to a ceiling: what anybody may send fills no audit. Raises ChallengesCrowded."""
        count = Count(f"operator-refused:{session.session}", 3600, AN_HOUR, self._clock.now())
        if await self._store.count(count) > AN_HOUR:
            raise ChallengesCrowded
        facts: dict[str, str | int] = {"code": refusal.code}
        facts |= {name: fact for name, fact in refusal.facts.items() if name == "cause"}
        line = self._trail.of_visitor(session, address, action, "refused", facts)
        await self._store.save(Save(audit=[line]))
