"""The receiving end: it announces itself, shows or reads a number, asks whether what arrived may be kept, keeps it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from ingam.center.copying.devices import device_text
from ingam.center.copying.flow import (
    Allowed,
    Announced,
    ArrivalRefused,
    Arrived,
    AwaitingFactor,
    CertificateArrived,
    CertificateStored,
    Cleared,
    Confirmed,
    Copied,
    Device,
    LeftBy,
    Proved,
    Receiver,
    ReceiverAnnounced,
    Role,
    State,
)
from ingam.center.copying.mailboxes import Mailboxes
from ingam.center.copying.refusals import NotRegistered, OtherCertificate, OutOfOrder
from ingam.center.copying.tickets import ID_BYTES, Tickets
from ingam.center.copying.walks import Walk, Walks
from ingam.center.walks import Visit, With, told
from ingam.customer.binding.bindings import Bindings, BoundToOther
from ingam.customer.device import Devices
from ingam.customer.notice import Notices
from ingam.kernel.errors import Refusal
from ingam.kernel.steps import reach
from ingam.ports.store import Outgoing

UNFINISHED: Final[tuple[type[State], ...]] = (Announced, Confirmed, AwaitingFactor, Cleared, Proved, Allowed, Arrived)


class Receiving:
    """What a receiver posts; `mails`: whether notices leave by e-mail as well."""

    def __init__(
        self,
        walks: Walks,
        tickets: Tickets,
        mailboxes: Mailboxes,
        bindings: Bindings,
        devices: Devices,
        notices: Notices,
        *,
        mails: bool,
        token: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._walks = walks
        self._tickets = tickets
        self._mailboxes = mailboxes
        self._bindings = bindings
        self._devices = devices
        self._notices = notices
        self._mails = mails
        self._token = token

    async def begin(self, visit: Visit, device: Device) -> None:
        """A receiving page is open: the sender's page sees it from now on.

        The same session goes on with its copy while what is known of it is the same, since that is what the sender's
        person said yes to; else an unfinished copy is over. Raises OpensSpent, TrueStep.
        """
        async with self._walks.acting(visit, "copying.announced"):
            walk = await self._walks.walk(visit)
            if not walk.here.ended and _same(walk.receiver, visit, device):
                await self._walks.renew(walk)
                return
            receiver = Receiver(
                self._token(ID_BYTES).hex(), visit.session.session, visit.session.device, device, walk.now
            )
            reach("copying.1")
            await self._announce(walk, receiver)
            reach("copying.2")

    async def _announce(self, walk: Walk, receiver: Receiver) -> None:
        await self._tickets.count_announcement(walk)
        if walk.here.ended:
            await self._walks.begin(walk, receiver)
        else:
            await self._walks.save(walk, ReceiverAnnounced(receiver), "copying.announced", With(), "replaced")

    async def open(self, visit: Visit) -> str:
        """A ticket for a new number; see Mailboxes."""
        return await self._mailboxes.open(visit, Role.RECEIVER)

    async def opened(self, visit: Visit, ticket: str, mailbox: str) -> None:
        """The mailbox of that number."""
        await self._mailboxes.opened(visit, Role.RECEIVER, ticket, mailbox)

    async def join(self, visit: Visit, mailbox: str) -> str:
        """A ticket for the mailbox of a QR code that the sender shows."""
        return await self._mailboxes.join(visit, Role.RECEIVER, mailbox)

    async def arrived(self, visit: Visit, fingerprint: str) -> None:
        """May this certificate be stored here? A wrong one ends the copy: nobody learns by trying whose it is (C14).

        Raises BoundToOther, OtherCertificate, NotRegistered, OutOfOrder, OtherSession, CopyOver, TrueStep.
        """
        async with self._walks.acting(visit, "copying.arrived"):
            walk = await self._walks.at(visit, Role.RECEIVER, Allowed, Arrived)
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
                await self._walks.save(walk, event, "copying.arrived", With(facts=told(refused)), refused.code)
                raise refused
            await self._walks.save(walk, CertificateArrived(), "copying.arrived", With())
            reach("copying.16")

    async def _refused(self, walk: Walk, proved: str, arrived: str) -> Refusal | None:
        bound = await self._bindings.by_fingerprint(arrived)
        if bound is not None and bound.customer_id != walk.customer.customer_id:
            return BoundToOther()
        if arrived != proved:
            return OtherCertificate()
        return None if bound is not None else NotRegistered()

    async def stored(self, visit: Visit, fingerprint: str) -> None:
        """Stored and read back: the copy is complete, and only this word makes it so (C13).

        State, known device, notices and both audit lines in one transaction; a second word of it changes nothing.
        Raises OtherCertificate, OutOfOrder, OtherSession, CopyOver, TrueStep.
        """
        async with self._walks.acting(visit, "copying.received"):
            walk = await self._walks.at(visit, Role.RECEIVER, Arrived, Copied)
            state = walk.here.state
            assert isinstance(state, Arrived | Copied)
            if fingerprint != state.fingerprint:
                raise OtherCertificate
            if isinstance(state, Copied):
                return
            known = await self._devices.proved(walk.customer, visit.session.device, walk.now)
            sent = replace(self._walks.line(walk, "copying.sent"), session=state.sender.session, address=None)
            beside = With(rows=known, outbox=await self._told_of(walk, state), audit=[sent])
            reach("copying.17")
            await self._walks.save(walk, CertificateStored(walk.now), "copying.received", beside)
            reach("copying.18")

    async def _told_of(self, walk: Walk, state: Arrived) -> list[Outgoing]:
        """To the registered contact, in the language of whoever sent (C3)."""
        lang, dedup = state.sender.lang, f"copied:{state.receiver.id}"
        ever = await self._bindings.history(walk.customer.customer_id)  # it may have been replaced in these seconds
        details = await self._bindings.details(next(one for one in ever if one.fingerprint == state.fingerprint))
        return self._notices.copied(
            walk.customer,
            lang=lang,
            use=details.use_ko if lang == "ko" else details.use_en,
            device=device_text(state.receiver.device, lang),
            at=walk.now,
            dedup=dedup,
            mails=self._mails,
        )

    async def leave(self, visit: Visit) -> None:
        """취소 on the receiver; nothing is sent or stored any more. Raises OtherSession, CopyOver, TrueStep."""
        async with self._walks.acting(visit, "copying.receiver.leave"):
            walk = await self._walks.at(visit, Role.RECEIVER, *UNFINISHED)
            reach("copying.19")
            await self._walks.save(walk, LeftBy(Role.RECEIVER), "copying.receiver.leave", With())
            reach("copying.20")


def _same(receiver: Receiver, visit: Visit, device: Device) -> bool:
    return receiver.session == visit.session.session and receiver.device == device
