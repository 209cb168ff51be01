"""1회용 인증번호: eight digits that a branch gives a person for one purpose, good once within a day (E3, E10).

Kept as a keyed digest, so that nobody reads one after the screen that showed it. A newer one for the same person and
purpose voids the older; of a union with several heads the person is the one whom the branch saw. Wrong ones are
counted per person, over all numbers and purposes, before they are compared.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec

from ingam.customer.additional_auth import Purpose
from ingam.customer.additional_auth.proof import Bound, ProofLimits, Verified, new_proof
from ingam.customer.heads import counter
from ingam.customer.notice import Notices, Sender, Words
from ingam.kernel.errors import Refusal
from ingam.kernel.instants import korean_day
from ingam.kernel.secret import Secret
from ingam.kernel.words import say
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer
from ingam.ports.keys import Digests
from ingam.ports.store import Audit, Count, Insert, Issue, Outgoing, Row, Save, Stale, Store, Update, Use
from ingam.ports.store import Void as VoidMove

DIGITS: Final = 8
DAY_S: Final = 86_400
NUMBER_BYTES: Final = 16
ISSUED: Final = "issued"
USED: Final = "used"
VOID: Final = "void"
WRONG: Final = "branch-wrong"
"""The counter of wrong numbers; reset it to unlock."""


class BranchLimits(ProofLimits, Protocol):
    """The settings of 1회용 인증번호; seconds and counts."""

    @property
    def branch_ttl_s(self) -> int: ...
    @property
    def branch_tries(self) -> int: ...


class BranchNumberWrong(Refusal):
    """No live number of this person and purpose has these digits (M-ADD-09); fact `n`, tries left today."""

    code = "branch-number-wrong"


class BranchNumberSpent(Refusal):
    """Too many wrong numbers today; another way or the branch. Fact `max`."""

    code = "branch-number-spent"


class BranchNumberOwn(Refusal):
    """An operator asked for a number for their own record (E10)."""

    code = "branch-number-own"


class BranchNumberOver(Refusal):
    """A number that is used, void or over cannot be voided."""

    code = "branch-number-over"


@dataclass(frozen=True, slots=True)
class Issued:
    """A number that was just issued: `code` is shown once, on the operator's screen, and nowhere else."""

    number_id: str
    code: Secret[str]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class BranchNumber:
    """One line of the list of a day. `state`: issued, used, void or over."""

    number_id: str
    customer_id: str
    purpose: Purpose
    operator_id: str
    branch: str
    state: str
    issued_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    slot: int = 1
    """Which head of a union the branch saw."""


class BranchNumbers:
    """Numbers on the store. `issue` and `void` save by themselves; what `verify` gives is saved by the caller."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        digests: Digests,
        limits: BranchLimits,
        sender: Sender,
        token: Callable[[int], bytes] = secrets.token_bytes,
        below: Callable[[int], int] = secrets.randbelow,
    ) -> None:
        self._store = store
        self._clock = clock
        self._digests = digests
        self._limits = limits
        self._sender = sender
        self._token = token
        self._below = below

    # ── at the branch ──

    async def issue(
        self,
        customer: Customer,
        purpose: Purpose,
        operator_id: str,
        branch: str,
        *,
        own: str | None = None,
        audit: Sequence[Audit] = (),
    ) -> Issued:
        """A new number; older ones of this person and purpose are void, and the customer is told.

        `customer`: as the head whom the branch saw sees the account; nobody else's act is proved by it.
        `branch`: its name, as the notice says it. `own`: the operator's own customer_id, if they are a customer.
        `audit`: the operator's line, in the same transaction. Raises BranchNumberOwn.
        """
        if own == customer.customer_id:
            raise BranchNumberOwn
        now = self._clock.now()
        number_id, expires = self._token(NUMBER_BYTES).hex(), now + timedelta(seconds=self._limits.branch_ttl_s)
        code = Secret(f"{self._below(10**DIGITS):0{DIGITS}d}")
        older = [one for one in await self._live(customer, now) if one.purpose == purpose]
        row: Row = {
            "number_id": number_id,
            "customer_id": customer.customer_id,
            "slot": customer.slot,
            "purpose": str(purpose),
            "digest": self._digest(number_id, code),
            "branch": branch,
            "operator_id": operator_id,
            "day": korean_day(now),
            "state": ISSUED,
            "issued_at": now,
            "expires_at": expires,
            "ended_at": None,
        }
        facts = msgspec.json.encode({"purpose": str(purpose)}).decode()
        save = Save(
            rows=[*(_ended(one, VOID, now) for one in older), Insert("branch_number", row)],
            ledger=[
                *(VoidMove(_kind(customer.customer_id), one.number_id, now) for one in older),
                Issue(_kind(customer.customer_id), number_id, expires, facts),
            ],
            outbox=self._notice(customer, purpose, branch, number_id, now),
            audit=audit,
        )
        await self._store.save(save)
        return Issued(number_id, code, expires)

    async def void(self, number_id: str, *, audit: Sequence[Audit] = ()) -> None:
        """Takes a number back. Raises BranchNumberOver."""
        now = self._clock.now()
        row = await self._store.one("branch_number", {"number_id": number_id})
        if row is None or _number(row, now).state != ISSUED:
            raise BranchNumberOver
        one = _number(row, now)
        moves = [VoidMove(_kind(one.customer_id), number_id, now)]
        try:
            await self._store.save(Save(rows=[_ended(one, VOID, now)], ledger=moves, audit=audit))
        except Stale:  # used in this very moment
            raise BranchNumberOver from None

    async def of_day(self, branch: str, day: str | None = None) -> list[BranchNumber]:
        """What a branch issued on a day in Korea (`2026-11-26`; None is today), newest first."""
        now = self._clock.now()
        where: Row = {"branch": branch, "day": day or korean_day(now)}
        rows = await self._store.many("branch_number", where, order="issued_at", descending=True, limit=500)
        return [_number(row, now) for row in rows]

    async def one(self, number_id: str) -> BranchNumber | None:
        """A number by its id."""
        row = await self._store.one("branch_number", {"number_id": number_id})
        return None if row is None else _number(row, self._clock.now())

    # ── at the center ──

    async def spent(self, customer: Customer) -> bool:
        """Whether today's tries are used up."""
        hits = await self._store.counted(counter(WRONG, customer), DAY_S, self._clock.now())
        return hits >= self._limits.branch_tries

    async def verify(self, customer: Customer, bound: Bound, typed: Secret[str]) -> Verified:
        """What a right number gives. The try is counted first; a right one clears the count when it is saved.

        Raises BranchNumberWrong {n}, BranchNumberSpent {max}.
        """
        now, most = self._clock.now(), self._limits.branch_tries
        hits = await self._store.count(Count(counter(WRONG, customer, bound.slot), DAY_S, most, now))
        if hits > most:
            raise BranchNumberSpent(max=most)
        found = None
        for one, digest in await self._comparable(customer.customer_id, bound.slot, now):
            right = hmac.compare_digest(digest, self._digest(one.number_id, typed))
            found = one if right and one.purpose == bound.purpose else found
        if found is None:
            if hits == most:
                raise BranchNumberSpent(max=most)
            raise BranchNumberWrong(n=most - hits)
        proof = new_proof(bound, now, self._limits.proof_ttl_s, self._token)
        return Verified(
            proof,
            ledger=(Use(_kind(customer.customer_id), found.number_id, now), proof.issue),
            rows=(_ended(found, USED, now),),
            resets=(counter(WRONG, customer, bound.slot),),
        )

    # ── small facts ──

    async def _live(self, customer: Customer, now: datetime) -> list[BranchNumber]:
        return [one for one, _ in await self._comparable(customer.customer_id, customer.slot, now)]

    async def _comparable(self, customer_id: str, slot: int, now: datetime) -> list[tuple[BranchNumber, str]]:
        where: Row = {"customer_id": customer_id, "slot": slot, "state": ISSUED}
        rows = await self._store.many("branch_number", where, order="issued_at", descending=True, limit=20)
        found = [(_number(row, now), str(row["digest"])) for row in rows]
        return [(one, digest) for one, digest in found if one.state == ISSUED]

    def _digest(self, number_id: str, code: Secret[str]) -> str:
        return self._digests.digest("branch-number", f"{number_id}:{code.reveal()}")

    def _notice(
        self, customer: Customer, purpose: Purpose, branch: str, number_id: str, now: datetime
    ) -> list[Outgoing]:  # fmt: skip
        called = Words(*(say(f"notice.purpose-{purpose}", lang) for lang in ("ko", "en")))
        return Notices(self._sender).tell(
            customer, "branch-number", at=now, dedup=f"branch-number:{number_id}", branch=branch, purpose=called
        )  # fmt: skip


def _kind(customer_id: str) -> str:
    return f"branch-number:{customer_id}"


def _ended(one: BranchNumber, state: str, at: datetime) -> Update:
    where: Row = {"number_id": one.number_id, "state": ISSUED}
    return Update("branch_number", where, {"state": state, "ended_at": at})


def _number(row: Row, now: datetime) -> BranchNumber:
    issued, expires, ended = row["issued_at"], row["expires_at"], row["ended_at"]
    assert isinstance(issued, datetime) and isinstance(expires, datetime)
    state = str(row["state"])
    return BranchNumber(
        number_id=str(row["number_id"]),
        customer_id=str(row["customer_id"]),
        purpose=Purpose(str(row["purpose"])),
        operator_id=str(row["operator_id"]),
        branch=str(row["branch"]),
        state="over" if state == ISSUED and expires <= now else state,
        issued_at=issued,
        expires_at=expires,
        ended_at=ended if isinstance(ended, datetime) else None,
        slot=int(str(row["slot"])),
    )
