"""The receiving end: it announces itself, shows or reads a number, asks whether what arrived may be kept, keeps it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ingam.center.copying.flow import ArrivalRefused, CertificateArrived, CertificateStored, LeftBy
from ingam.center.copying.mailboxes import Mailboxes
from ingam.center.copying.receivers import Receivers
from ingam.center.copying.refusals import NotRegistered, OtherCertificate, OutOfOrder
from ingam.center.copying.states import (
    Allowed,
    Announced,
    Arrived,
    AwaitingFactor,
    Cleared,
    Confirmed,
    Copied,
    Device,
    Proved,
    Role,
    State,
)
from ingam.center.copying.telling import Telling
from ingam.center.copying.walks import Walk, Walks
from ingam.center.walks import Visit, With, told
from ingam.customer.binding.bindings import Bindings, BoundToOther
from ingam.customer.device import Devices
from ingam.kernel.errors import Refusal
from ingam.kernel.steps import reach

UNFINISHED: Final[tuple[type[State], ...]] = (Announced, Confirmed, AwaitingFactor, Cleared, Proved, Allowed, Arrived)


class Receiving:
    """What a receiver posts; `device`: of each post, which is held to the announced one."""

    def __init__(
        self,
        walks: Walks,
        receivers: Receivers,
        mailboxes: Mailboxes,
        bindings: Bindings,
        devices: Devices,
        telling: Telling,
    ) -> None:
        self._walks = walks
        self._receivers = receivers
        self._mailboxes = mailboxes
        self._bindings = bindings
        self._devices = devices
        self._telling = telling

    async def begin(self, visit: Visit, device: Device) -> None:
        """A receiving page is open; see Receivers."""
        await self._receivers.begin(visit, device)

    async def open(self, visit: Visit, device: Device) -> str:
        """A ticket for a new number; see Mailboxes."""
        return await self._mailboxes.open(visit, device)

    async def opened(self, visit: Visit, device: Device, ticket: str, mailbox: str) -> None:
        """The mailbox of that number."""
        await self._mailboxes.opened(visit, device, ticket, mailbox)

    async def join(self, visit: Visit, device: Device, mailbox: str) -> str:
        """A ticket for the mailbox of a QR code that the sender shows."""
        return await self._mailboxes.join(visit, device, mailbox)

    async def arrived(self, visit: Visit, device: Device, fingerprint: str) -> None:
        """May this certificate be stored here? A wrong one ends the copy: nobody learns by trying whose it is (C14).

        Raises BoundToOther, OtherCertificate, NotRegistered, and the refusals of Receivers.at.
        """
        async with self._walks.acting(visit, "arrived"):
            walk = await self._receivers.at(visit, device, Allowed, Arrived)
            state = walk.here.state
            assert isinstance(state, Allowed | Arrived)
            if isinstance(state, Arrived):
                if fingerprint != state.fingerprint:
                    raise OutOfOrder(cause="Arrived")
                return
            refused = await self._refused(walk, state.fingerprint, fingerprint)
            reach("copying.15")
            if refused is not None:
                event = ArrivalRefused(refused.code)
                await self._walks.save(walk, event, "arrived", With(facts=told(refused)), refused.code)
                raise refused
            await self._walks.save(walk, CertificateArrived(), "arrived", With())
            reach("copying.16")

    async def _refused(self, walk: Walk, proved: str, arrived: str) -> Refusal | None:
        bound = await self._bindings.by_fingerprint(arrived)
        whose = walk.customer
        if bound is not None and (bound.customer_id, bound.slot) != (whose.customer_id, whose.slot):
            return BoundToOther()
        if arrived != proved:
            return OtherCertificate()
        return None if bound is not None else NotRegistered()

    async def stored(self, visit: Visit, device: Device, fingerprint: str) -> None:
        """Stored and read back: the copy is complete, and only this word makes it so (C13).

        State, notices and both audit lines in one transaction, and the device becomes known where the sender has said
        the same (C2); a second word of it changes nothing. Raises OtherCertificate, and the refusals of Receivers.at.
        """
        async with self._walks.acting(visit, "received"):
            walk = await self._receivers.at(visit, device, Arrived, Copied)
            state = walk.here.state
            assert isinstance(state, Arrived | Copied)
            if fingerprint != state.fingerprint:
                raise OtherCertificate
            if isinstance(state, Copied):
                return
            known = await self._devices.proved(walk.customer, state.receiver.mark, walk.now) if state.reported else []
            sent = replace(self._walks.line(walk, "sent"), session=state.sender.session, address=None)
            beside = With(rows=known, outbox=await self._telling.copied(walk, state), audit=[sent])
            reach("copying.17")
            await self._walks.save(walk, CertificateStored(walk.now), "received", beside)
            reach("copying.18")

    async def leave(self, visit: Visit) -> None:
        """취소 on the receiver; nothing is sent or stored any more. Raises OtherSession, CopyOver, TrueStep."""
        async with self._walks.acting(visit, "receiver.leave"):
            walk = await self._walks.at(visit, Role.RECEIVER, *UNFINISHED)
            reach("copying.19")
            await self._walks.save(walk, LeftBy(Role.RECEIVER), "receiver.leave", With())
            reach("copying.20")
