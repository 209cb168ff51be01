"""본인확인 추가인증 in the transactions of a flow: what it saves beside a step, and what a refusal of it leaves.

Every flow that asks for it uses this: the tasks, a registration, a copy.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, NoReturn, Protocol, TypeVar

from ingam.center.walks import Walk, With
from ingam.customer.additional_auth.flow import Answered
from ingam.customer.additional_auth.proof import Verified
from ingam.customer.additional_auth.requesting import Requesting
from ingam.customer.additional_auth.service import STOPS, FactorsRefused
from ingam.customer.device import Devices
from ingam.kernel.errors import Failure, Refusal

T = TypeVar("T")
W = TypeVar("W", contravariant=True)


class Locking(Protocol[W]):
    """The walks of a flow that too many failures end."""

    async def refuse(self, walk: W, act: str, failure: Failure, beside: With | None = None) -> NoReturn: ...
    async def lock(self, walk: W, act: str, refusal: Refusal) -> NoReturn: ...


async def heard(walks: Locking[W], walk: W, act: str, asking: Awaitable[T]) -> T:
    """What was asked for or proved. What STOPS locks the flow; any other refusal is recorded, with its causes."""
    try:
        return await asking
    except STOPS as stopped:
        await walks.lock(walk, act, stopped)
    except FactorsRefused as refused:
        causes = {name: one.code for name, one in refused.errors.items()}
        await walks.refuse(walk, act, refused, With(resets=refused.resets, facts=causes))
    except Refusal as refused:
        await walks.refuse(walk, act, refused)


def asked(found: Requesting) -> With:
    """Beside the step of a code or a call."""
    return With(rows=found.rows, ledger=found.ledger, outbox=found.outbox)


async def proved(devices: Devices, walk: Walk[Any], verified: Verified, method: str) -> tuple[Answered, With]:
    """Beside the step of an answer that was right; this browser is confirmed by it (F6)."""
    confirmed = await devices.confirmed(walk.customer, walk.visit.session.device, walk.now)
    rows = [*verified.rows, *confirmed]
    beside = With(rows=rows, ledger=verified.ledger, resets=verified.resets, facts={"method": method})
    return Answered(verified.proof.proof_id, verified.proof.expires_at), beside
