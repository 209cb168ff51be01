"""What a renewed certificate does here once it stands: the registration of the very one that was renewed goes over.

The authority's word is enough for that, and nothing else is: the pkiConf of this run, or, where that was lost, its own
list of what it issued to the person. Another name, another policy or another certificate moves nothing (D10, A17).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Final

from ingam.center.renewal.flow import Confirmed, Delivered
from ingam.center.renewal.walks import Ports
from ingam.center.walks import With
from ingam.customer.binding.bindings import STALE, Binding, Bindings, ToBind
from ingam.customer.notice import Notices, Words
from ingam.kernel.errors import Outage, Refusal
from ingam.kernel.instants import korean_day
from ingam.npki import certificate, policies
from ingam.npki.certificate import Certificate
from ingam.npki.policies import Policy
from ingam.npki.signature import known_key, verify
from ingam.ports.certification import EverIssued, Standing
from ingam.ports.customers import Customer
from ingam.ports.store import Outgoing

SUPERSEDED: Final = 4
"""CRLReason: a newer one took its place."""


class Renewals:
    """What the authority says of a run's certificate, and what follows from it; whoever asks saves it."""

    def __init__(self, ports: Ports, bindings: Bindings, notices: Notices) -> None:
        self._ports, self._bindings, self._notices = ports, bindings, notices

    async def is_ours(self, found: Certificate) -> bool:
        """Whether one of the authority's own certificates has signed it."""
        for issuer in await self.authorities():
            if issuer.subject.raw == found.issuer.raw:
                try:
                    verify(known_key(issuer.spki), found.signature_algorithm, found.signature, found.tbs)
                except Refusal:
                    continue
                return True
        return False

    async def is_of_key(self, found: Certificate, spki: str) -> bool:
        """Whether it is the authority's, for the key that the vault told."""
        return hashlib.sha256(found.spki).hexdigest() == spki and await self.is_ours(found)

    async def authorities(self) -> list[Certificate]:
        """The authority's own certificates."""
        return [certificate.parse(der) for der in await self._ports.certification.authorities()]

    async def standing(self, customer: Customer, state: Delivered) -> tuple[Standing | None, bool]:
        """What the authority says of a run's certificate (None: nothing), and whether one superseded the old one.

        Raises CertificationOutage, CertificationRefused.
        """
        ever = await self._ports.certification.issued(customer.idn)
        found = next((one.standing for one in ever if one.fingerprint == state.fingerprint), None)
        return found, _was_superseded(ever, state.old)

    async def renewed(
        self, customer: Customer, walk_id: str, state: Delivered, session: str, *, superseded: bool = False
    ) -> tuple[Confirmed, With]:
        """The event, and what is saved with it: the registration, its history and the notice.

        `superseded`: the authority said that the old one is; then a registration that this ended meanwhile goes over.
        """
        at = self._ports.clock.now()
        sealed = base64.b64decode(state.certificate)
        der = await self._ports.fields.open(customer.customer_id, "flow", "certificate", walk_id, sealed)
        found = certificate.parse(der)
        policy = policies.lookup(found.issuer, found.policy_oid)
        if policy is None:
            raise Outage("certification-outage")
        registered = await self._registered(customer, state.old, superseded=superseded)
        bound = registered is not None and registered.policy_oid == found.policy_oid
        rows = []
        if registered is not None and bound:
            ours = ToBind(customer, found, policy, at, session)
            replaces = None if registered.status == STALE else registered
            rows = list((await self._bindings.change(ours, replaces)).rows)
        event = Confirmed(f"{found.serial:x}", found.not_after, bound)
        notices = self._told_of(customer, found, policy) if bound else []
        return event, With(rows=rows, outbox=notices, facts={"bound": int(bound)})

    async def _registered(self, customer: Customer, old: str, *, superseded: bool) -> Binding | None:
        """The registration of the very certificate that this run renewed; a suspended one stays what it is.

        Of a union it must be this very head's: the place alone may be the next one's (A17).
        """
        found = await self._bindings.active(customer)
        if found is None and superseded and await self._bindings.standing(customer) is None:
            mine = [one for one in await self._bindings.history(customer.customer_id) if one.slot == customer.slot]
            # Only the newest: whoever released or replaced it since meant that.
            found = mine[0] if mine and mine[0].status == STALE else None
        if found is None or found.fingerprint != old or not await self._bindings.belongs(found, customer):
            return None
        return found

    def _told_of(self, customer: Customer, found: Certificate, policy: Policy) -> Sequence[Outgoing]:
        """Where nothing changed here, the authority tells its holder by itself (D10)."""
        return self._notices.tell(
            customer, "renewed", at=self._ports.clock.now(), dedup=f"renewed:{found.fingerprint.hex()}",
            date=korean_day(found.not_after), use=Words(policy.name_ko, policy.name_en),
        )  # fmt: skip


def _was_superseded(ever: EverIssued, old: str) -> bool:
    return any(one.fingerprint == old and one.reason == SUPERSEDED for one in ever)
