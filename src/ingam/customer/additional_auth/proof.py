"""A proof of additional authentication: a row for five minutes, consumed in the transaction it authorises (E1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec

from ingam.customer.additional_auth import Purpose
from ingam.kernel.errors import Refusal
from ingam.ports.store import Change, Issue, LedgerMove, Store, Use, Void

KIND: Final = "proof"
PROOF_BYTES: Final = 16


class ProofLimits(Protocol):
    """How long a proof lives, in seconds."""

    @property
    def proof_ttl_s(self) -> int: ...


class ProofMissing(Refusal):
    """There is no live proof for this person, purpose, flow and session (any of them differing is the same as none)."""

    code = "proof-missing"


@dataclass(frozen=True, slots=True)
class Bound:
    """What a proof is good for, and nothing else: all of it has to be equal when it is used.

    `slot`: which head of a union proved it.
    """

    customer_id: str
    purpose: Purpose
    flow_id: str
    session: str
    slot: int = 1


@dataclass(frozen=True, slots=True)
class Proof:
    """A fresh proof; save `issue` in the transaction that uses up what proved it."""

    proof_id: str
    expires_at: datetime
    issue: Issue


@dataclass(frozen=True, slots=True)
class Verified:
    """What a right answer gives: save all of it in one transaction with the flow's next state.

    `ledger` uses the code up and issues the proof; `resets` are counters that a right answer clears.
    """

    proof: Proof
    ledger: Sequence[LedgerMove]
    rows: Sequence[Change] = ()
    resets: Sequence[str] = ()


def new_proof(bound: Bound, now: datetime, ttl_s: int, token: Callable[[int], bytes]) -> Proof:
    """A proof that lives `ttl_s` seconds from `now`. `token` gives random bytes."""
    proof_id, expires = token(PROOF_BYTES).hex(), now + timedelta(seconds=ttl_s)
    return Proof(proof_id, expires, Issue(KIND, proof_id, expires, msgspec.json.encode(asdict(bound)).decode()))


async def consume(store: Store, proof_id: str, bound: Bound, at: datetime) -> Use:
    """The ledger move that uses the proof up; save it with what it authorises.

    Raises ProofMissing for a proof that is used, over, unknown, or bound to anything else. The move itself decides
    when it is saved: two uses of one proof end in AlreadyUsed for the second.
    """
    row = await store.issued(KIND, proof_id)
    if row is None or row.used_at is not None or row.expires_at <= at:
        raise ProofMissing
    if msgspec.json.decode(row.facts) != msgspec.to_builtins(bound):
        raise ProofMissing
    return Use(KIND, proof_id, at)


def void(proof_id: str, at: datetime) -> Void:
    """The move that makes a proof worthless: the person went back."""
    return Void(KIND, proof_id, at)
