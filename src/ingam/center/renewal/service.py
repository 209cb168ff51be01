"""갱신, carried out: the vault chooses and makes the new key, the person agrees, the center carries and binds (D10).

The center never sees a private key, a password or R. No factor is asked for: the old key signs. Until the authority has
verified that signature, a session by a password alone learns nothing that identifies the person. What was renewed
elsewhere never comes here: only this run's own certificate moves a registration (A17); nothing ends such a run before.
"""

from __future__ import annotations

import base64
import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from ingam.center.carrying import CARRYING_S, refuse_flood
from ingam.center.renewal import carrying
from ingam.center.renewal.flow import (
    RENEWAL,
    Agreed,
    Agreeing,
    CertificateCarried,
    Delivered,
    KeyMade,
    Left,
    Renewed,
    Requested,
    State,
)
from ingam.center.renewal.late import MARGIN, STANDS, late
from ingam.center.renewal.products import Renewable, renewed_here, rows_of
from ingam.center.renewal.standing import Renewals
from ingam.center.renewal.walks import Here, Limits, Ports, Walk, Walks, browser
from ingam.center.walks import TrueStep, Turn, Visit, With
from ingam.customer import payment
from ingam.customer.binding.bindings import Bindings
from ingam.customer.consent import Consents, Document
from ingam.customer.notice import Notices
from ingam.customer.payment import Fees, ToPay
from ingam.kernel.errors import Outage, Refusal
from ingam.kernel.instants import rfc3339
from ingam.kernel.secret import Secret
from ingam.kernel.steps import reach
from ingam.kernel.words import say
from ingam.npki.certificate import Certificate
from ingam.ports.certification import CertificationRefused, IssuedCertificate
from ingam.ports.customers import Customer
from ingam.ports.payment import Payment, PaymentOutage, PaymentRefused, Stage
from ingam.ports.store import Count

CONSENTS: Final = ("T4", "T5", "T6")
LOOKED: Final = 20
"""Questions about a run that is late, in ten minutes."""
_SPKI: Final = re.compile(r"[0-9a-f]{64}")
_LONGEST: Final = timedelta(days=366 + 31)
"""A year, and the days that are carried."""


class RenewalRefused(Refusal):
    """The authority refuses (fact `cause`, its own word); the old certificate stands."""

    code = "renewal-refused"


class DeclinedByDevice(Refusal):
    """The vault did not accept the certificate that came: the authority revoked it, the old one stands."""

    code = "renewal-declined-by-device"


class NotYours(Refusal):
    """It is no valid certificate that our authority issued to this person."""

    code = "renewal-not-yours"


@dataclass(frozen=True, slots=True, repr=False)
class Carried:
    """The authority's answer, as it is. `idn`: 13 or 10 digits, beside the certificate of the registered key alone."""

    message: bytes
    idn: Secret[str] | None = None


class Renewing:
    """The service behind /issuance/renewal."""

    def __init__(
        self, ports: Ports, limits: Limits, consents: Consents, bindings: Bindings, notices: Notices, origin: str,
        fees: Fees | None = None,
    ) -> None:  # fmt: skip
        self._ports, self._limits, self._consents, self._bindings = ports, limits, consents, bindings
        self._origin, self._fees, self._products = origin, fees, renewed_here(fees=fees is not None)
        self._walks, self._renewals = Walks(ports, limits), Renewals(ports, bindings, notices)

    # where a person is

    async def here(self, visit: Visit, *, anew: bool = False) -> Here:
        """The true step. Raises NotLoggedIn, BindingSuspended."""
        await self._look(visit)
        return (await self._walks.settled(visit, anew=anew)).here

    async def customer(self, visit: Visit) -> Customer:
        """Whose session it is. Raises NotLoggedIn."""
        return await self._walks.customer(visit)

    def documents(self) -> Sequence[Document]:
        """T4 to T6."""
        return self._consents.documents(CONSENTS, self._ports.clock.now())

    @property
    def products(self) -> tuple[Renewable, ...]:
        """What is renewed here."""
        return tuple(self._products.values())

    async def _look(self, visit: Visit) -> None:
        """A run whose pkiConf was lost until its time was over: the authority says whether its certificate stands."""
        walk = await self._walks.last(visit)
        state = walk.here.state
        if not isinstance(state, Delivered) or walk.now < walk.here.expires_at:
            return
        looked = Count(f"look:{walk.flow_id}", CARRYING_S, LOOKED, walk.now)
        if await self._ports.store.count(looked) > LOOKED:
            return
        with contextlib.suppress(Outage, CertificationRefused, TrueStep):  # the worker asks as well
            standing, superseded = await self._renewals.standing(walk.customer, state)
            if standing in STANDS:
                await self._renewed(walk, state, superseded=superseded)

    # the vault

    async def told(self, visit: Visit) -> dict[str, object]:
        """What the vault is told when its frame opens (the message `renew`).

        Raises CertificationOutage, …Refused, TrueStep where it runs elsewhere.
        """
        walk = await self._walks.settled(visit)
        if walk.here.elsewhere:
            raise TrueStep
        await self._bindings.refuse_suspended(walk.customer)
        authorities = await self._renewals.authorities()
        ever = await self._ports.certification.issued(walk.customer.idn)
        rows = rows_of(authorities, walk.customer.kind, self._products)
        return {
            "now": rfc3339(walk.now), "flow": walk.public_id, "lang": visit.lang, "origin": self._origin,
            "holder": {"name": walk.customer.name, "kind": str(walk.customer.kind)},
            "encryption": _base64(await self._ports.certification.encryption_certificate()),
            "anchors": [_base64(one.der) for one in authorities], "policies": sorted({row.oid for row in rows}),
            "state": word(walk.here.state), "window_days": self._limits.renew_window_days,
            "own": [{"fingerprint": one.fingerprint, "standing": str(one.standing)} for one in ever[:64]],
        }  # fmt: skip

    async def key_made(self, visit: Visit, run: int, spki: str, old: str) -> tuple[int, str]:
        """The new key is kept, for this certificate: the run's version then, and its product.

        Raises NotYours, TrueStep.
        """
        if not _SPKI.fullmatch(spki) or not _SPKI.fullmatch(old):
            raise Refusal("bad-request")
        async with self._walks.turn_of(visit):
            walk = await self._walks.at_run(visit, run, type(None), Agreeing)
            await self._bindings.refuse_suspended(walk.customer)
            found = await self._renewable(walk, old)
            state = Agreeing(browser(visit), spki, old, self._products[found.profile].key)
            if walk.here.state == state:
                return walk.here.version, state.product
            reach("renewal.1")
            if walk.here.state is None:
                await self._walks.begin(walk, state, "key")
            else:
                await self._walks.save(walk, KeyMade(state), "key", With())
            reach("renewal.2")
            return walk.here.version + 1, state.product

    async def _renewable(self, walk: Walk, old: str) -> IssuedCertificate:
        ever = await self._ports.certification.issued(walk.customer.idn)
        found = next((one for one in ever if one.fingerprint == old and one.profile in self._products), None)
        if found is None or str(found.standing) != "valid" or walk.now > found.not_after:
            await self._walks.refuse(walk, "key", NotYours())
        return found

    async def agree(self, visit: Visit, turn: Turn, ticks: Mapping[str, str]) -> dict[str, str]:
        """확인: the terms; what the vault measures the new certificate by. What costs is allowed by the person first:
        then `pay` is the provider's window, and nothing was agreed to.

        Raises Consent…, PaymentDeclined, PaymentTries, PaymentOutage, PaymentRefused, TrueStep.
        """
        async with self._walks.turn_of(visit):
            walk = await self._walks.at_run(visit, turn.run, Agreeing)
            await self._bindings.refuse_suspended(walk.customer)
            agreed = self._consents.given(walk.customer.customer_id, CONSENTS, dict(ticks), walk.flow_id, walk.now)
            chosen = self._chosen(walk)
            window = await self._to_pay(walk, chosen)
            if window is not None:
                return {"pay": window}
            paid = await payment.used(self._ports.store, walk.flow_id, chosen.key) if chosen.fee else []
            if chosen.fee and not paid:
                raise PaymentRefused(stage="settled")  # meanwhile: nothing is renewed for nothing
            reach("renewal.3")
            await self._walks.save(walk, Agreed(), "agree", With(rows=[*agreed, *paid]))
            reach("renewal.4")
            return self._measured(walk)

    def _chosen(self, walk: Walk) -> Renewable:
        """What the run renews. Raises NotYours: it was begun when this was renewed here."""
        product = getattr(walk.here.state, "product", "")
        found = next((one for one in self.products if one.key == product), None)
        if found is None:
            raise NotYours
        return found

    async def _to_pay(self, walk: Walk, chosen: Renewable) -> str | None:
        """The window in which the person allows the fee; None where nothing is to be paid, or it is allowed."""
        if not chosen.fee or self._fees is None:
            return None
        found = await self._fees.ask(
            ToPay(
                walk.customer.customer_id, walk.flow_id, RENEWAL.name, chosen.key, chosen.fee,
                say(f"payment.title_{chosen.key}_renewal", walk.visit.lang), f"{self._origin}/issuance/renewal",
                walk.now, walk.here.expires_at,
            )
        )  # fmt: skip
        if found.stage is not Stage.OPENED:
            return None
        await self._walks.record(walk, "payment", "ok", With(facts={"won": chosen.fee}))
        return found.window

    async def allowed(self, customer: Customer, here: Here) -> Payment | None:
        """The fee that is allowed in this run and not used yet; None where there is none, or nobody can say."""
        if self._fees is None or not isinstance(here.state, Agreeing):
            return None
        try:
            found = await self._fees.look(self._walks.flow_id(self._walks.key_of(customer), here.run))
        except PaymentOutage:
            return None
        return found if found is not None and found.stage is Stage.AUTHORISED else None

    async def again(self, visit: Visit, run: int) -> dict[str, str]:
        """The same once more, for a vault that lost the answer. Raises TrueStep."""
        return self._measured(await self._walks.at_run(visit, run, Requested, Delivered))

    def _measured(self, walk: Walk) -> dict[str, str]:
        return {"not_after_at_most": rfc3339(walk.now + _LONGEST)}

    async def cancel(self, visit: Visit, run: int) -> None:
        """취소, for as long as nothing was asked for. Raises TrueStep."""
        async with self._walks.turn_of(visit):
            await self._walks.save(await self._walks.at_run(visit, run, Agreeing), Left(), "cancel", With())

    # the authority

    async def carry(self, visit: Visit, run: int, message: bytes) -> Carried:
        """A message of the vault to the authority and its answer back, as they are; on the way the run goes on.

        With the new certificate the vault gets the number to recompute its VID by (B10): that it was issued proves that
        the old key signed. Raises NotCarried, TooOften, CertificationOutage, TrueStep.
        """
        async with self._walks.turn_of(visit):
            walk = await self._walks.at_run(visit, run, Requested, Delivered, Renewed)
            state, authority = walk.here.state, self._ports.certification
            if isinstance(state, Renewed):
                return Carried(await self._repeated(walk, state, message))
            assert isinstance(state, Requested | Delivered)
            confirmed = carrying.confirms(message, state.old)
            if confirmed is not None and not isinstance(state, Delivered):
                raise carrying.NotCarried
            await refuse_flood(self._ports.store, walk.flow_id, walk.now)
            reach("renewal.5")
            answer = await authority.carry(message)
            reach("renewal.6")
            brought = carrying.brought(answer)
            if isinstance(brought, Certificate) and confirmed is None:
                await self._certified(walk, state, brought)
                reach("renewal.8")
                return Carried(answer, walk.customer.idn)
            await self._follow(walk, state, confirmed, brought)
            reach("renewal.10")
            return Carried(answer)

    async def _repeated(self, walk: Walk, state: Renewed, message: bytes) -> bytes:
        """The pkiConf was lost; the authority says it again (D9)."""
        if carrying.confirms(message, None) != state.fingerprint:
            raise carrying.NotCarried
        await refuse_flood(self._ports.store, walk.flow_id, walk.now)
        return await self._ports.certification.carry(message)

    async def _follow(
        self, walk: Walk, state: Requested | Delivered, confirmed: str | None, brought: Certificate | str | None
    ) -> None:
        if brought is None or isinstance(brought, Certificate):
            return
        if brought:
            await self._walks.declined(walk, RenewalRefused(cause=brought))
        elif confirmed == "":
            await self._walks.declined(walk, DeclinedByDevice())
        elif isinstance(state, Delivered) and confirmed == state.fingerprint:
            try:
                await self._renewed(walk, state)
            except TrueStep:
                if not await self._was_renewed(walk, state):
                    raise

    async def _was_renewed(self, walk: Walk, state: Delivered) -> bool:
        """Whether whoever asked the authority meanwhile has recorded the very same."""
        stored = await self._ports.store.flow(walk.flow_id)
        found = None if stored is None else RENEWAL.load(stored.state)
        return isinstance(found, Renewed) and found.fingerprint == state.fingerprint

    async def _certified(self, walk: Walk, state: Requested | Delivered, found: Certificate) -> None:
        """A kup: only this person's certificate by our authority, of the key that the vault told, is remembered."""
        if not await self._renewals.is_of_key(found, state.spki) or not await self._is_theirs(walk, found):
            await self._walks.record(walk, "carry", "renewal-other-key", With())
            raise Outage("certification-outage")
        if isinstance(state, Delivered) and state.fingerprint == found.fingerprint.hex():
            return
        customer_id, fingerprint = walk.customer.customer_id, found.fingerprint.hex()
        sealed = await self._ports.fields.seal(customer_id, "flow", "certificate", walk.flow_id, found.der)
        rows = await payment.carried(self._ports.store, walk.flow_id, fingerprint)
        event = CertificateCarried(_base64(sealed), fingerprint)
        until = walk.now + timedelta(seconds=self._limits.issuance_fetch_s)
        reach("renewal.7")
        beside = With(rows=rows, outbox=[late(walk.flow_id, until + MARGIN)])
        await self._walks.save(walk, event, "certificate", beside)

    async def _is_theirs(self, walk: Walk, found: Certificate) -> bool:
        """Whether the authority, asked for this person, names it: whoever signed, it was then issued to nobody else."""
        ever = await self._ports.certification.issued(walk.customer.idn)
        return any(one.fingerprint == found.fingerprint.hex() for one in ever)

    async def _renewed(self, walk: Walk, state: Delivered, *, superseded: bool = False) -> None:
        """The registration goes over to the new one, its history, notices and Renewed in ONE transaction."""
        event, beside = await self._renewals.renewed(
            walk.customer, walk.flow_id, state, walk.visit.session.session, superseded=superseded
        )
        reach("renewal.9")
        await self._walks.save(walk, event, "renewed", beside)


def word(state: State | None) -> str:
    """How page and vault call the states that they share."""
    return {Agreeing: "product", Requested: "requested", Delivered: "delivered"}.get(type(state), "key")


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
