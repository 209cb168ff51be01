"""From the holder's registration to the certificate: the vault's messages are carried to the authority and back.

What the authority may have issued is fetched again and never issued twice: the vault repeats its very bytes, and the
authority its answer (security D9).
"""

from __future__ import annotations

from hashlib import sha256

from ingam.center.carrying import refuse_flood
from ingam.center.issuance import carrying
from ingam.center.issuance.account import Accounting
from ingam.center.issuance.carrying import Asked, RefusedByAuthority
from ingam.center.issuance.flow import CertificateCarried, Confirmed
from ingam.center.issuance.identity import Parts
from ingam.center.issuance.sealed import Sealed
from ingam.center.issuance.states import Delivered, Issued, Kind, Requested
from ingam.center.issuance.walks import ISSUED, Walk, Walks
from ingam.center.walks import Visit, With
from ingam.customer import payment
from ingam.customer.binding.bindings import Binding, Bindings, ToBind
from ingam.customer.device import Devices
from ingam.customer.notice import Notices, Words
from ingam.kernel.errors import Outage, Refusal
from ingam.kernel.steps import reach
from ingam.npki import certificate, policies
from ingam.npki.certificate import Certificate
from ingam.npki.policies import Policy
from ingam.ports.certification import Certification
from ingam.ports.store import Outgoing


class DeclinedByDevice(Refusal):
    """The vault did not accept the certificate that came: the authority revoked it, the old one stands."""

    code = "issuance-declined-by-device"


class Delivery:
    """The steps that follow ⑥."""

    def __init__(
        self, walks: Walks, parts: Parts, certification: Certification, accounting: Accounting, bindings: Bindings,
        notices: Notices,
    ) -> None:  # fmt: skip
        self._walks, self._parts, self._certification, self._accounting = walks, parts, certification, accounting
        self._bindings, self._notices = bindings, notices
        self._sealed = Sealed(parts.fields)
        self._devices = Devices(parts.store, parts.digests)

    async def carry(self, visit: Visit, run: int, message: bytes) -> bytes:
        """A message of the vault to the authority and its answer back, both as they are; on the way the run goes on.

        Raises NotCarried, TooOften, CertificationOutage, TrueStep.
        """
        async with self._walks.turn_of(visit):
            here = await self._walks.settled(visit)
            if here.run == run and isinstance(here.state, Issued):
                if not carrying.is_confirmation_of(message, here.state.fingerprint):
                    raise carrying.NotCarried
                await self._refuse_flood(visit, run)
                return await self._certification.carry(message)  # its pkiConf was lost; the authority says it again
            walk = await self._walks.at_run(visit, run, Requested, Delivered)
            asked = carrying.from_vault(message, (await self._sealed.codes(walk))["reference"])
            if asked is not Asked.CERTIFICATE and not isinstance(walk.here.state, Delivered):
                raise carrying.NotCarried
            await self._refuse_flood(visit, run)
            reach("issuance.30")
            answer = await self._certification.carry(message)
            reach("issuance.31")
            await self._follow(walk, asked, carrying.from_authority(answer))
            reach("issuance.33")
            return answer

    async def _refuse_flood(self, visit: Visit, run: int) -> None:
        flow_id = self._walks.flow_id(self._walks.whose(visit), run)
        await refuse_flood(self._parts.store, flow_id, self._walks.now())

    async def _follow(self, walk: Walk, asked: Asked, brought: carrying.Brought) -> None:
        match asked, brought:
            case Asked.CERTIFICATE, carrying.Certified(found):
                await self._certified(walk, found)
            case Asked.CONFIRMATION, carrying.Confirmed():
                await self._confirmed(walk)
            case Asked.REJECTION, carrying.Confirmed():
                await self._walks.declined(walk, "carry", DeclinedByDevice())
            case _, carrying.Rejected(word):
                failure = RefusedByAuthority(cause=word)
                await self._walks.declined(walk, "carry", failure)

    async def _certified(self, walk: Walk, found: Certificate) -> None:
        """An ip: only a certificate of the key that was registered is remembered; the vault checks all else (B10)."""
        state = walk.here.state
        assert isinstance(state, Requested | Delivered)
        if sha256(found.spki).hexdigest() != state.spki:
            await self._walks.record(walk, "carry", "issuance-other-key", With())
            raise Outage("certification-outage")
        if isinstance(state, Delivered) and state.fingerprint == found.fingerprint.hex():
            return
        sealed = await self._sealed.seal(walk, "certificate", found.der)
        rows = await payment.carried(self._parts.store, walk.flow_id, found.fingerprint.hex())
        reach("issuance.32")
        event = CertificateCarried(walk.now, sealed, found.fingerprint.hex())
        await self._walks.save(walk, event, "certificate", With(rows=rows))

    async def _confirmed(self, walk: Walk) -> None:
        """pkiConf: binding, its history, notices and Issued in ONE transaction, before the vault hears of it."""
        state = walk.here.state
        assert isinstance(state, Delivered)
        found = certificate.parse(await self._sealed.open(walk, "certificate", state.certificate))
        policy = policies.lookup(found.issuer, found.policy_oid)
        if policy is None:
            raise Outage("certification-outage")
        replaces = await self._bindings.standing(walk.customer)
        ours = ToBind(walk.customer, found, policy, walk.now, walk.visit.session.session)
        change = await self._bindings.change(ours, replaces)
        notices = await self._told_of(walk, found, policy, replaces, change.binding_id)
        known = await self._devices.proved(walk.customer, walk.visit.session.device, walk.now)
        reach("issuance.34")
        event = Confirmed(f"{found.serial:x}", found.not_after, replaces is not None)
        beside = With(rows=[*change.rows, *known], outbox=notices)
        await self._walks.save(walk, event, ISSUED[state.door.kind], beside)

    async def _told_of(
        self, walk: Walk, found: Certificate, policy: Policy, replaces: Binding | None, binding_id: str
    ) -> list[Outgoing]:
        """Of the new one; and of the registered one where it was of the same policy and stood: the authority ended it.

        Of one that was never registered here the authority tells by itself (security D2).
        """
        contact = await self._accounting.contact(walk.customer)
        again, ended = walk.kind is Kind.REISSUE, None  # the text of a reissue says that the former one ended
        if replaces is not None and replaces.policy_oid == policy.oid and walk.now <= replaces.not_after and not again:
            details = await self._bindings.details(replaces)
            ended = Words(details.use_ko, details.use_en)
        return self._notices.issued(
            walk.customer, email=contact.email, use=Words(policy.name_ko, policy.name_en), not_after=found.not_after,
            at=walk.now, replaced=ended, dedup=f"issued:{binding_id}", again=again,
        )  # fmt: skip
