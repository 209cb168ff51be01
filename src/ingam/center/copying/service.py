"""인증서복사 at the center: the two ends, what the sender sees, and the screens' facts; put together from its ports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ingam.center.copying import walks as walking
from ingam.center.copying.devices import Devices as Descriptions
from ingam.center.copying.looking import Looking
from ingam.center.copying.mailboxes import Mailboxes
from ingam.center.copying.receivers import Receivers
from ingam.center.copying.receiving import Receiving
from ingam.center.copying.sending import Sending
from ingam.center.copying.telling import Telling
from ingam.center.copying.tickets import TicketLimits, Tickets
from ingam.center.copying.walks import Walks
from ingam.center.walks import Visit
from ingam.customer.additional_auth.service import AdditionalAuth
from ingam.customer.binding.bindings import Bindings, Details
from ingam.customer.binding.challenges import Challenges
from ingam.customer.binding.proof import Prover
from ingam.customer.device import Devices
from ingam.customer.notice import Notices, Sender
from ingam.ports.clock import Clock
from ingam.ports.customers import Customers
from ingam.ports.keys import Digests, TicketSigner
from ingam.ports.regions import Regions
from ingam.ports.store import Store


class Limits(walking.Limits, TicketLimits, Protocol):
    """Every limit of a copy."""


@dataclass(frozen=True, slots=True)
class CopyPorts:
    """What a copy is given. `relay`: the relay's origin, which tickets are good for; `mails`: e-mails can leave."""

    store: Store
    clock: Clock
    customers: Customers
    digests: Digests
    tickets: TicketSigner
    regions: Regions
    relay: str
    mails: bool


class Copying:
    """The service behind /copying."""

    def __init__(
        self,
        ports: CopyPorts,
        limits: Limits,
        *,
        bindings: Bindings,
        challenges: Challenges,
        prover: Prover,
        auth: AdditionalAuth,
        notices: Notices,
        sender: Sender,
    ) -> None:
        store = ports.store
        self._bindings = bindings
        self.walks = Walks(ports, limits)
        self.relay = ports.relay
        self.descriptions = Descriptions(ports.digests, ports.regions)
        devices, tickets = (
            Devices(store, ports.digests),
            Tickets(store, ports.digests, ports.tickets, ports.relay, limits),
        )
        telling, receivers = Telling(notices, bindings, mails=ports.mails), Receivers(self.walks, tickets)
        mailboxes = Mailboxes(self.walks, receivers, tickets, telling)
        self.receiving = Receiving(self.walks, receivers, mailboxes, bindings, devices, telling)
        self.sending = Sending(store, self.walks, mailboxes, bindings, devices, auth, challenges, prover, sender)
        self.looking = Looking(store, ports.clock, self.walks, devices)

    async def registered(self, visit: Visit) -> Details | None:
        """The one certificate that may leave, if one is registered. Raises NotLoggedIn."""
        customer = await self.walks.customer(visit)
        binding = await self._bindings.active(customer)
        return None if binding is None else await self._bindings.details(binding)
