"""What every night's questions to the authorities work on, whichever certificates they are about (`recheck`, …)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final, Generic, NamedTuple, TypeVar

import structlog

from ingam.customer.binding.silence import Listening
from ingam.customer.notice import Sender
from ingam.kernel.instants import KST, korean_day
from ingam.npki.certificate import Certificate
from ingam.ports.clock import Clock
from ingam.ports.customers import Customers
from ingam.ports.keys import Digests
from ingam.ports.status import Authorities, IssuingAuthority, StatusChecker
from ingam.ports.store import Audit, Conflict, Issue, Save, Store
from ingam.settings import Settings
from ingam.wiring import CenterPorts

log = structlog.get_logger()

DAY_S: Final = 86_400
SPREAD_S: Final = 4 * 3600
LATER: Final = timedelta(hours=1)

B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class Ports(Generic[B]):
    """`bindings`: those that are asked about."""

    store: Store
    clock: Clock
    customers: Customers
    digests: Digests
    authorities: Authorities
    status: StatusChecker
    bindings: B
    sender: Sender
    listening: Listening


class Found(NamedTuple):
    """What a binding becomes, and by which notice the person hears of it."""

    status: str
    notice: str


def issuer_of(authorities: Authorities, person: Certificate) -> IssuingAuthority | None:
    """The authority that issued it; None where we know none of this name."""
    every = authorities.by_fingerprint.values()
    return next((one for one in every if one.certificate.subject.raw == person.issuer.raw), None)


async def tell_operators(store: Store, authority: str, code: str, now: datetime) -> None:
    """Of a silent one, once a day and authority, in the audit that the console shows; bindings stay as they are."""
    log.warning("recheck.silent", authority=authority, code=code)
    line = Audit(now, "recheck.authority", code, None, None, None, {"authority": authority})
    once = Issue("recheck-silent", f"{authority}:{korean_day(now)}", now + timedelta(seconds=DAY_S))
    with suppress(Conflict):  # it was said today
        await store.save(Save(ledger=[once], audit=[line]))


def ports(settings: Settings, given: CenterPorts, bindings: B) -> Ports[B]:
    """Of the center's."""
    return Ports(
        given.store, given.clock, given.customers, given.digests, given.authorities, given.status, bindings,
        Sender(settings.institution), Listening(given.store, timedelta(hours=settings.limits.recheck_silent_h)),
    )  # fmt: skip


def coming_night(binding_id: str, hour: int, now: datetime) -> datetime:
    """The coming night, at the binding's own time in it."""
    offset = timedelta(seconds=int(binding_id[:8], 16) % SPREAD_S)
    day = (now + timedelta(seconds=1)).astimezone(KST).date()
    coming = datetime.combine(day, time(hour % 24), KST).astimezone(UTC) + offset
    return coming if coming > now else coming + timedelta(days=1)
