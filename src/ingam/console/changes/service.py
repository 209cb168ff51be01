"""Walks changes: drafts, both signatures, and the ONE transaction that makes a change true (security G2, G3)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from ingam.console.changes.flow import (
    HEAD_END,
    MACHINE,
    Agreed,
    Approved,
    Change,
    ChangeExpired,
    Done,
    Drafted,
    Edited,
    Event,
    Expired,
    Refused,
    Signature,
    Signed,
    State,
    Submitted,
    TakenBack,
    Text,
    TimeOver,
    Why,
    written,
)
from ingam.console.changes.kinds import Applying, ChangeKind, Described, Handing, Values
from ingam.console.operators import Role
from ingam.console.operators.register import Key, Operators, used_key
from ingam.console.trail import Trail, Visit
from ingam.console.web import Forbidden
from ingam.kernel.errors import Refusal
from ingam.kernel.instants import rfc3339
from ingam.ports.clock import Clock
from ingam.ports.store import Change as RowChange
from ingam.ports.store import FlowSave, Insert, Row, Save, Stale, Store, Update
from ingam.protocols.webauthn import (
    RelyingParty,
    WebAuthnRefused,
    check,
    credential_id,
    decode,
    encode,
    request_options,
)

KEPT: Final = timedelta(days=5 * 365)
"""How long a change and its signatures are kept: as long as the audit."""

MOST: Final = 200
"""Changes that a list shows."""


class ChangeUnknown(Refusal):
    """There is no change of this name."""

    code = "not-found"


class ChangeOvertaken(Refusal):
    """What the change was to change is no longer as it says; it is void, make another one."""

    code = "change-overtaken"


@dataclass(frozen=True, slots=True)
class Stored:
    """A change as it stands, and the version it was read at."""

    version: int
    state: State

    @property
    def change(self) -> Change:
        """What is to change."""
        return self.state.change

    @property
    def status(self) -> str:
        """The state's name in lower case, as lists and words have it."""
        return type(self.state).__name__.lower()


@dataclass(frozen=True, slots=True)
class Agreement:
    """What signing gave: what whoever signed is shown once."""

    shown: Mapping[str, str] = field(default_factory=dict, repr=False)


class Changes:
    """The service. `approval_s`: how long a change waits for its second person. `token` gives random bytes."""

    def __init__(
        self, store: Store, clock: Clock, operators: Operators, trail: Trail, rp: RelyingParty,
        kinds: Iterable[ChangeKind], approval_s: int, token: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:  # fmt: skip
        self._store = store
        self._clock = clock
        self._operators = operators
        self._trail = trail
        self._rp = rp
        self.kinds: Mapping[str, ChangeKind] = {kind.name: kind for kind in kinds}
        self._approval_s = approval_s
        self._token = token

    async def draft(self, visit: Visit, kind: str, values: Values) -> str:
        """A new change of this operator, to be read and signed; its id. Raises Forbidden, and what the kind refuses."""
        await self._may(visit, self.kinds[kind].makers)
        described = await self.kinds[kind].describe(values)
        change = Change(self._token(16).hex(), kind, visit.operator.employee, dict(values))
        state = Drafted(change, self._text(change, described))
        row: Row = {
            "change_id": change.change_id, "kind": kind, "status": "drafted", "maker": change.maker,
            "checker": None, "at": self._clock.now(),
        }  # fmt: skip
        await self._save(visit, Stored(0, state), state, "console.change-draft", described, [Insert(_TABLE, row)])
        return change.change_id

    async def edit(self, visit: Visit, change_id: str, values: Values) -> None:
        """Other values: a draft again, and every signature of before is void (G3)."""
        stored = await self._still(change_id, Drafted, Submitted)
        await self._makes(visit, stored)
        described = await self.kinds[stored.change.kind].describe(values)
        text = self._text(Change(change_id, stored.change.kind, stored.change.maker, values), described)
        await self._move(visit, stored, Edited(dict(values), text), "console.change-edit", described)

    async def submit(self, visit: Visit, change_id: str, answer: Mapping[str, object]) -> Agreement:
        """The maker signs what the page shows. Raises WebAuthnRefused, ChangeExpired, ChangeOvertaken."""
        stored = await self._still(change_id, Drafted)
        await self._makes(visit, stored)
        described = await self._as_shown(visit, stored)
        key, signature, used = await self._signed(visit, stored, answer)
        kind, rows = self.kinds[stored.change.kind], [used_key(key, used, signature.at)]
        given = await kind.hand(stored.state.text) if isinstance(kind, Handing) else Applying()
        await self._move(visit, stored, Signed(signature), "console.change-submit", described, rows, given)
        return Agreement(given.shown)

    async def approve(self, visit: Visit, change_id: str, answer: Mapping[str, object]) -> Agreement:
        """The checker signs what the page shows, and it becomes true.

        Raises WebAuthnRefused, SamePerson, ChangeExpired, ChangeOvertaken, Forbidden, Stale.
        """
        stored = await self._still(change_id, Submitted)
        kind = self.kinds[stored.change.kind]
        await self._may(visit, kind.checkers)
        await self._maker_may(visit, stored, kind)
        described = await self._as_shown(visit, stored)
        key, signature, used = await self._signed(visit, stored, answer)
        try:
            approved = MACHINE.advance(stored.state, Agreed(signature)).state
        except Refusal as refusal:
            await self._refused(visit, stored, "console.change-approve", refusal)
            raise
        assert isinstance(approved, Approved)
        given = await kind.apply(approved, signature.at) if kind.at_once else Applying()
        state = MACHINE.advance(approved, Done(signature.at)).state if kind.at_once else approved
        rows = [used_key(key, used, signature.at)]
        await self._save(visit, stored, state, "console.change-approve", described, rows, given)
        return Agreement(given.shown)

    async def decline(self, visit: Visit, change_id: str) -> None:
        """The second person says no; that needs no signature."""
        stored = await self._still(change_id, Submitted)
        await self._may(visit, self.kinds[stored.change.kind].checkers)
        await self._move(visit, stored, Refused(visit.operator.employee, self._clock.now()), "console.change-decline")

    async def withdraw(self, visit: Visit, change_id: str) -> None:
        """The maker takes it back."""
        stored = await self._still(change_id, Drafted, Submitted)
        await self._makes(visit, stored)
        await self._move(visit, stored, TakenBack("withdrawn", self._clock.now()), "console.change-withdraw")

    async def applied(self, visit: Visit, change_id: str, given: Applying) -> None:
        """What a kind that is not `at_once` brought about is done: Approved → Applied, with these rows."""
        stored = await self._still(change_id, Approved)
        state = MACHINE.advance(stored.state, Done(self._clock.now())).state
        await self._save(visit, stored, state, "console.change-apply", None, (), given)

    async def get(self, change_id: str) -> Stored:
        """The change; one whose day is over is expired, whoever looks. Raises ChangeUnknown."""
        flow = await self._store.flow(change_id)
        if flow is None or flow.machine != MACHINE.name:
            raise ChangeUnknown
        state = MACHINE.load(flow.state)
        now = self._clock.now()
        if isinstance(state, Drafted | Submitted) and now >= state.text.expires_at:
            return Stored(flow.version, Expired(state.change, state.text, state.text.expires_at))
        return Stored(flow.version, state)

    async def _still(self, change_id: str, *expected: type[State]) -> Stored:
        """The change, where it still is as a page showed it. Raises ChangeUnknown, ChangeExpired, Stale."""
        stored = await self.get(change_id)
        if isinstance(stored.state, Expired):
            raise ChangeExpired
        if not isinstance(stored.state, expected):
            raise Stale
        return stored

    async def every(self, *statuses: str) -> list[Row]:
        """Rows of the list, newest first: of these statuses, or all."""
        rows: list[Row] = []
        for where in [{"status": one} for one in statuses] or [{}]:
            rows += await self._store.many(_TABLE, where, order="at", descending=True, limit=MOST)
        return rows

    async def tidy(self, visit: Visit) -> None:
        """Writes down which waiting changes are over."""
        for row in await self.every("drafted", "submitted"):
            at = row["at"]
            assert isinstance(at, datetime)
            if at + timedelta(seconds=self._approval_s) <= self._clock.now():
                await self._expire(visit, str(row["change_id"]))

    async def options(self, visit: Visit, stored: Stored) -> dict[str, Any]:
        """What this operator's passkey is asked to sign: the SHA-256 of the text (G3)."""
        keys = await self._operators.keys(visit.operator.employee)
        return request_options(self._rp, stored.state.text.challenge, [key.credential.credential_id for key in keys])

    def may_check(self, visit: Visit, stored: Stored) -> bool:
        """Whether this operator could be the second person."""
        kind = self.kinds.get(stored.change.kind)
        persons = (stored.change.maker, *stored.state.text.subjects)
        return kind is not None and visit.operator.may(*kind.checkers) and visit.operator.employee not in persons

    # -- what both signatures go through -------------------------------------------------------------------------------

    async def _signed(self, visit: Visit, stored: Stored, answer: Mapping[str, object]) -> tuple[Key, Signature, int]:
        """The operator's own passkey over the stored text, and no other. Raises WebAuthnRefused."""
        try:
            key = await self._operators.key(credential_id(answer))
            if key is None or key.employee != visit.operator.employee:
                raise WebAuthnRefused(cause="credential")
            counter = check(self._rp, stored.state.text.challenge, key.credential, answer)
        except WebAuthnRefused as refusal:
            await self._refused(visit, stored, "console.change-sign", refusal)
            raise
        response = answer["response"]
        assert isinstance(response, Mapping)
        signature = Signature(
            employee=visit.operator.employee,
            at=self._clock.now(),
            credential=encode(key.credential.credential_id),
            client_data=str(response["clientDataJSON"]),
            authenticator_data=str(response["authenticatorData"]),
            signature=str(response["signature"]),
        )
        return key, signature, counter

    async def _as_shown(self, visit: Visit, stored: Stored) -> Described | None:
        """What the text says is still so; else the change is void. A state that nobody signs is left to the machine."""
        if not isinstance(stored.state, Drafted | Submitted):
            return None
        text = stored.state.text
        try:
            described = await self.kinds[stored.change.kind].describe(stored.change.values)
            now = [(one.name, one.before, one.after) for one in described.lines]
            same = text.lines == now and described.subjects == text.subjects
        except Refusal:
            same, described = False, None
        if not same:
            await self._move(visit, stored, TakenBack("overtaken", self._clock.now()), "console.change-void")
            raise ChangeOvertaken
        return described

    async def _maker_may(self, visit: Visit, stored: Stored, kind: ChangeKind) -> None:
        """Whoever made it is still an operator who may, and the passkey that signed it is still theirs."""
        if not isinstance(stored.state, Submitted):
            return
        maker = await self._operators.find(stored.change.maker)
        key = await self._operators.key(decode(stored.state.made.credential))
        why: Why | None = None
        if maker is None or not maker.may(*kind.makers):
            why = "maker-gone"
        elif key is None or key.employee != maker.employee:
            why = "key-gone"
        elif not self._made(stored.state, key):
            why = "unsigned"
        if why is not None:
            await self._move(visit, stored, TakenBack(why, self._clock.now()), "console.change-void")
            raise ChangeOvertaken

    def _made(self, state: Submitted, key: Key) -> bool:
        """Whether the maker's passkey signed this very text, and the text says the rest: flows are not ours alone."""
        change, text, made = state.change, state.text, state.made
        said = {
            "change": change.change_id, "kind": change.kind, "maker": change.maker,
            "subjects": ",".join(text.subjects) or "-", "expires": rfc3339(text.expires_at),
        }  # fmt: skip
        if made.employee != change.maker or not said.items() <= text.head.items():
            return False
        response = {
            "clientDataJSON": made.client_data, "authenticatorData": made.authenticator_data,
            "signature": made.signature,
        }  # fmt: skip
        answer = {"id": made.credential, "rawId": made.credential, "type": "public-key", "response": response}
        try:
            check(self._rp, text.challenge, replace(key.credential, counter=0), answer)
        except WebAuthnRefused:
            return False
        return True

    def _text(self, change: Change, described: Described) -> Text:
        """The canonical text: fixed line order, values as JSON, so that no value can look like another line."""
        now = self._clock.now()
        expires = now + timedelta(seconds=self._approval_s)
        head = [
            "INGAM-CHANGE/1",
            f"change: {change.change_id}",
            f"kind: {change.kind}",
            f"maker: {change.maker}",
            f"subjects: {','.join(described.subjects) or '-'}",
            f"drafted: {rfc3339(now)}",
            f"expires: {rfc3339(expires)}",
            f"nonce: {self._token(16).hex()}",
            HEAD_END,
        ]
        return Text("\n".join([*head, *_lines(described), ""]), described.subjects, expires)

    # -- saving --------------------------------------------------------------------------------------------------------

    async def _move(
        self, visit: Visit, stored: Stored, event: Event, action: str, described: Described | None = None,
        rows: Iterable[RowChange] = (), given: Applying | None = None,
    ) -> None:  # fmt: skip
        try:
            state = MACHINE.advance(stored.state, event).state
        except Refusal as refusal:
            await self._refused(visit, stored, action, refusal)
            raise
        await self._save(visit, stored, state, action, described, rows, given)

    async def _save(
        self, visit: Visit, stored: Stored, state: State, action: str, described: Described | None,
        rows: Iterable[RowChange] = (), given: Applying | None = None,
    ) -> None:  # fmt: skip
        """ONE transaction: the state, the list's row, what makes it true, the audit line. Raises Stale."""
        given, now = given or Applying(), self._clock.now()
        change = state.change
        flow = FlowSave(
            change.change_id, MACHINE.name, stored.version, MACHINE.dump(state), visit.session.session, None, now + KEPT
        )
        listed = [] if stored.version == 0 else [_listed(state, visit.operator.employee)]
        facts: dict[str, str | int] = {
            "change": change.change_id, "kind": change.kind, "text": state.text.challenge.hex(), **given.facts,
        }  # fmt: skip
        banking_id = None if described is None else described.banking_id
        line = self._trail.line(visit, action, banking_id=banking_id, facts=facts)
        every = [*listed, *given.rows, *rows]
        await self._store.save(Save(flow=flow, rows=every, ledger=given.ledger, outbox=given.outbox, audit=[line]))

    async def _expire(self, visit: Visit, change_id: str) -> None:
        flow = await self._store.flow(change_id)
        if flow is None:
            return
        state = MACHINE.load(flow.state)
        if isinstance(state, Drafted | Submitted) and self._clock.now() >= state.text.expires_at:
            event = TimeOver(state.text.expires_at)
            await self._move(visit, Stored(flow.version, state), event, "console.change-expire")

    async def _refused(self, visit: Visit, stored: Stored, action: str, refusal: Refusal) -> None:
        facts: dict[str, str | int] = {"change": stored.change.change_id, "code": refusal.code}
        facts |= {name: fact for name, fact in refusal.facts.items() if name == "cause"}
        await self._trail.write(visit, action, "refused", facts=facts)

    async def _makes(self, visit: Visit, stored: Stored) -> None:
        """It is this operator's own change, and they still may."""
        mine = stored.change.maker == visit.operator.employee
        await self._may(visit, self.kinds[stored.change.kind].makers if mine else frozenset())

    async def _may(self, visit: Visit, roles: frozenset[Role]) -> None:
        """One of these roles; without any it is nobody's. What was tried is written down."""
        if visit.operator.roles.isdisjoint(roles):
            await self._trail.write(visit, "console.forbidden", "refused", facts={"route": "change"})
            raise Forbidden


_TABLE: Final = "operator_change"


def _lines(described: Described) -> list[str]:
    return [written(one.name, one.before, one.after) for one in described.lines]


def _listed(state: State, employee: str) -> Update:
    """The row of the list follows the state."""
    checker = state.checked.employee if isinstance(state, Approved) or hasattr(state, "checked") else None
    status = type(state).__name__.lower()
    if status == "declined":
        checker = employee
    where: Row = {"change_id": state.change.change_id}
    return Update(_TABLE, where, {"status": status, "checker": checker})
