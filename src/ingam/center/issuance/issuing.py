"""⑤공동인증서 비밀번호 등록 and ⑥발급 확인: the vault makes the key, the center registers its holder at the authority.

The center never sees a private key, a password or R.
"""

from __future__ import annotations

import base64
import re
from datetime import timedelta
from typing import Final

import msgspec

from ingam.center.issuance.account import Accounting
from ingam.center.issuance.carrying import RefusedByAuthority
from ingam.center.issuance.flow import ISSUANCE, HolderRegistered, KeyMade
from ingam.center.issuance.identity import Parts
from ingam.center.issuance.products import Offer, Product, ProductUnknown
from ingam.center.issuance.sealed import Sealed
from ingam.center.issuance.states import (
    AwaitingKey,
    ChoosingProduct,
    Delivered,
    Kind,
    Requested,
    State,
)
from ingam.center.issuance.walks import Walk, Walks
from ingam.center.walks import Turn, Visit, With
from ingam.customer import payment
from ingam.customer.payment import Fees, ToPay
from ingam.kernel.errors import Refusal
from ingam.kernel.instants import rfc3339
from ingam.kernel.steps import reach
from ingam.kernel.words import say
from ingam.npki import certificate
from ingam.ports.certification import (
    Certification,
    CertificationRefused,
    ToRegister,
)
from ingam.ports.customers import Customer
from ingam.ports.payment import Payment, PaymentOutage, PaymentRefused, Stage

_SPKI: Final = re.compile(r"[0-9a-f]{64}")
_LONGEST: Final = timedelta(days=366 + 31)
"""A year, and the days that a renewal may carry."""


class EndNotAgreed(Refusal):
    """A certificate would be revoked, and that was not agreed to."""

    code = "issuance-end-not-agreed"


class Issuing:
    """The steps of ⑤ and ⑥."""

    def __init__(
        self, walks: Walks, parts: Parts, certification: Certification, accounting: Accounting, offer: Offer,
        origin: str, institution: str, fees: Fees | None = None,
    ) -> None:  # fmt: skip
        self._walks, self._parts, self._certification, self._accounting = walks, parts, certification, accounting
        self._offer, self._origin, self._institution, self._fees = offer, origin, institution, fees
        self._sealed = Sealed(parts.fields)

    # ⑤

    async def told(self, visit: Visit) -> dict[str, object]:
        """What the vault is told when its frame opens (the message `issue`). Raises TrueStep, CertificationOutage."""
        here = await self._walks.settled(visit)
        walk = await self._walks.at_run(visit, here.run, AwaitingKey, ChoosingProduct, Requested, Delivered)
        authorities = [certificate.parse(der) for der in await self._certification.authorities()]
        state, rows = walk.here.state, self._offer.rows(authorities)
        return {
            "now": rfc3339(walk.now),
            "flow": walk.public_id,
            "lang": visit.lang,
            "origin": self._origin,
            "holder": {"name": walk.customer.name, "kind": str(walk.customer.kind)},
            "encryption": _base64(await self._certification.encryption_certificate()),
            "anchors": [_base64(one.der) for one in authorities],
            "policies": sorted({row.oid for row in rows}),
            "profile_ko": rows[0].name_ko if rows else "",
            "profile_en": rows[0].name_en if rows else "",
            "state": _word(state),
            "spki": getattr(state, "spki", None),
        }

    async def key_made(self, visit: Visit, turn: Turn, spki: str) -> int:
        """The hash of a key that the vault wrote and read back: the flow's next version. Raises TrueStep."""
        async with self._walks.turn_of(visit):
            here = await self._walks.settled(visit)
            if here.run == turn.run and isinstance(here.state, ChoosingProduct) and here.state.spki == spki:
                return here.version
            walk = await self._walks.at_run(visit, turn.run, AwaitingKey, ChoosingProduct)
            if not _SPKI.fullmatch(spki):
                raise Refusal("bad-request")
            reach("issuance.25")
            await self._walks.save(walk, KeyMade(walk.now, spki), "key", With())
            reach("issuance.26")
            return walk.here.version + 1

    # ⑥

    async def choose(self, visit: Visit, turn: Turn, product: str, *, agreed: bool) -> dict[str, str]:
        """확인: the holder is registered at the authority for this key alone; its two codes, for the vault (D1, D3).

        What costs is allowed by the person first: `pay` is the provider's window, and nothing was registered.

        Raises ProductUnknown, EndNotAgreed, CertificationOutage, RefusedByAuthority, PaymentDeclined, PaymentTries,
        PaymentOutage, PaymentRefused, TrueStep.
        """
        async with self._walks.turn_of(visit):
            walk = await self._walks.at_run(visit, turn.run, ChoosingProduct)
            chosen = self._offer.product(product)
            if not agreed:
                raise EndNotAgreed
            state = walk.here.state
            assert isinstance(state, ChoosingProduct)
            window = await self._to_pay(walk, chosen)
            if window is not None:
                return {"pay": window}
            rows = await payment.used(self._parts.store, walk.flow_id, chosen.key)
            if not rows and self._is_due(walk, chosen):
                raise PaymentRefused(stage="settled")  # meanwhile: nobody is registered for nothing
            reach("issuance.27")
            codes = await self._register(walk, chosen, state.spki)
            reach("issuance.28")
            sealed = await self._sealed.seal(walk, "codes", msgspec.json.encode(codes))
            event = HolderRegistered(walk.now, chosen.key, sealed)
            await self._walks.save(walk, event, "product", With(rows=rows, facts={"n": 1}))
            reach("issuance.29")
            return self._codes(walk.customer, codes)

    def _is_due(self, walk: Walk, chosen: Product) -> bool:
        return chosen.fee > 0 and walk.kind is not Kind.REISSUE

    async def _to_pay(self, walk: Walk, chosen: Product) -> str | None:
        """The window in which the person allows the fee; None where nothing is to be paid, or it is allowed."""
        if not self._is_due(walk, chosen):
            return None
        if self._fees is None:
            raise ProductUnknown
        found = await self._fees.ask(
            ToPay(
                walk.customer.customer_id, walk.flow_id, ISSUANCE.name, chosen.key, chosen.fee,
                say(f"payment.title_{chosen.key}", walk.visit.lang), f"{self._origin}/issuance/new", walk.now,
                walk.here.expires_at,
            )
        )  # fmt: skip
        if found.stage is not Stage.OPENED:
            return None
        await self._walks.record(walk, "payment", "ok", With(facts={"won": chosen.fee}))
        return found.window

    async def allowed(self, customer: Customer, run: int) -> Payment | None:
        """The fee that is allowed in this run and not used yet; None where there is none, or nobody can say."""
        flow_id = self._walks.flow_id(self._walks.key_of(customer), run)
        try:
            found = None if self._fees is None else await self._fees.look(flow_id)
        except PaymentOutage:
            return None
        return found if found is not None and found.stage is Stage.AUTHORISED else None

    async def _register(self, walk: Walk, chosen: Product, spki: str) -> dict[str, str]:
        customer, contact = walk.customer, await self._accounting.contact(walk.customer)
        holder = ToRegister(
            chosen.profile, customer.name, customer.idn, mobile=customer.mobile, email=contact.email,
            branch=self._institution,
            spki_hash=bytes.fromhex(spki) if self._certification.binds_keys else None,
            reissue=walk.kind is Kind.REISSUE,
        )  # fmt: skip
        try:
            found = await self._certification.register(holder)
        except CertificationRefused as refused:
            await self._walks.refuse(walk, "product", RefusedByAuthority(cause=_short(refused)))
        until = rfc3339(found.expires)
        return {"reference": found.reference_number, "code": found.authorization_code.reveal(), "until": until}

    async def again(self, visit: Visit, run: int) -> dict[str, str]:
        """The same codes, for a vault that lost the answer. Raises TrueStep."""
        walk = await self._walks.at_run(visit, run, Requested, Delivered)
        return self._codes(walk.customer, await self._sealed.codes(walk))

    def _codes(self, customer: Customer, codes: dict[str, str]) -> dict[str, str]:
        return {
            "reference": codes["reference"], "code": codes["code"], "idn": customer.idn.reveal(),
            "not_after_at_most": rfc3339(self._walks.now() + _LONGEST),
        }  # fmt: skip


def _word(state: State | None) -> str:
    """How page and vault call the states that they share."""
    words = {AwaitingKey: "key", ChoosingProduct: "product", Requested: "requested", Delivered: "delivered"}
    return words[type(state)]


def _short(refused: CertificationRefused) -> str:
    return str(refused.facts.get("said") or refused.facts.get("fail_info") or "-")[:64]


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
