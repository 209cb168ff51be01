"""⑤공동인증서 비밀번호 등록, ⑥발급 확인, and the authority: the vault makes the key, the center registers and carries.

The center never sees a private key, a password or R. What the authority may have issued is fetched again and never
issued twice: the vault repeats its very bytes, and the authority its answer (security D9).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Final

import msgspec

from ingam.center import budgets
from ingam.center.budgets import Budget
from ingam.center.carrying import CARRYING_S, refuse_flood
from ingam.center.issuance import carrying
from ingam.center.issuance.account import Accounting
from ingam.center.issuance.carrying import Asked
from ingam.center.issuance.flow import ISSUANCE, CertificateCarried, Confirmed, HolderRegistered, KeyMade
from ingam.center.issuance.identity import Parts
from ingam.center.issuance.states import (
    AwaitingKey,
    ChoosingProduct,
    Delivered,
    Issued,
    Kind,
    Requested,
    State,
    kind_of,
)
from ingam.center.issuance.walks import ISSUED, Walk, Walks
from ingam.center.walks import Turn, Visit, With
from ingam.customer import payment
from ingam.customer.binding.bindings import Binding, Bindings, Details, ToBind
from ingam.customer.device import Devices
from ingam.customer.notice import Notices, Words
from ingam.customer.payment import Fees, ToPay
from ingam.kernel.errors import Outage, Refusal
from ingam.kernel.instants import rfc3339
from ingam.kernel.steps import reach
from ingam.kernel.words import say
from ingam.npki import certificate, policies
from ingam.npki.certificate import Certificate
from ingam.npki.policies import Policy
from ingam.ports.certification import (
    Certification,
    CertificationOutage,
    CertificationRefused,
    IssuedCertificate,
    ToRegister,
)
from ingam.ports.customers import Customer, CustomerKind
from ingam.ports.payment import Payment, PaymentOutage, PaymentRefused, Stage
from ingam.ports.store import Outgoing

ASKED: Final = 40
"""Questions about one person that the authority signs answers to, in ten minutes."""

_SPKI: Final = re.compile(r"[0-9a-f]{64}")
_LONGEST: Final = timedelta(days=366 + 31)
"""A year, and the days that a renewal may carry."""


class ProductUnknown(Refusal):
    """This is not offered here, or nothing was chosen."""

    code = "issuance-product-unknown"


class EndNotAgreed(Refusal):
    """A certificate would be revoked, and that was not agreed to."""

    code = "issuance-end-not-agreed"


class PersonalOnly(Refusal):
    """A corporation's certificate is not issued on the telephone."""

    code = "issuance-personal-only"


class NothingToReissue(Refusal):
    """No certificate of this authority stands that could be issued again."""

    code = "issuance-nothing-to-reissue"


class DeclinedByDevice(Refusal):
    """The vault did not accept the certificate that came: the authority revoked it, the old one stands."""

    code = "issuance-declined-by-device"


class RefusedByAuthority(Refusal):
    """The authority refuses to issue (fact `cause`, its own word); nothing was charged, the old one stands."""

    code = "issuance-refused"


@dataclass(frozen=True, slots=True)
class Product:
    """What ⑥ offers. `key`: as settings and forms name it; `profile`: the authority's word; `use`: of policies.toml;
    `fee`: won for a new one.
    """

    key: str
    profile: str
    use: str
    fee: int = 0


PRODUCTS: Final = {
    "gold": Product("gold", "securities", "securities"),
    "universal": Product("universal", "universal", "universal", 4_400),
}
"""골드(용도제한용, 무료), and 범용 where an institution offers it."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What a new certificate will stop. `known` False: the authority could not be asked, so the warning is general.

    `certificates`: by product, the standing one of the same policy; `binding`: the registration here that it replaces.
    """

    known: bool
    certificates: Mapping[str, IssuedCertificate]
    binding: Details | None


class Issuing:
    """The steps of ⑤ and ⑥, and what follows them."""

    def __init__(
        self, walks: Walks, parts: Parts, certification: Certification, accounting: Accounting, bindings: Bindings,
        notices: Notices, products: tuple[str, ...], origin: str, institution: str, fees: Fees | None = None,
    ) -> None:  # fmt: skip
        self._fees = fees
        self._walks, self._parts, self._certification, self._accounting = walks, parts, certification, accounting
        self._bindings, self._notices, self._origin, self._institution = bindings, notices, origin, institution
        # Nothing that costs is offered where nobody takes the fee.
        self._products = {name: PRODUCTS[name] for name in products if fees is not None or not PRODUCTS[name].fee}
        self._devices = Devices(parts.store, parts.digests)

    @property
    def products(self) -> tuple[Product, ...]:
        """As ⑥ lists them."""
        return tuple(self._products.values())

    def admits(self, customer: Customer) -> None:
        """Raises PersonalOnly."""
        if customer.kind is CustomerKind.CORPORATE:
            raise PersonalOnly

    async def refuse_nothing_to_reissue(self, customer: Customer) -> None:
        """재발급 is of what stands, at this authority. Raises NothingToReissue, CertificationOutage."""
        ending = await self.ending(customer)
        if not ending.known:
            raise CertificationOutage(cause="not-asked")
        if not ending.certificates:
            raise NothingToReissue

    def offered(self, kind: Kind, ending: Ending) -> tuple[Product, ...]:
        """What ⑥ offers: at 재발급 what stands, where the authority could be asked."""
        if kind is Kind.NEW or not ending.known:
            return self.products
        return tuple(one for one in self.products if one.key in ending.certificates)

    # ⑤

    async def told(self, visit: Visit) -> dict[str, object]:
        """What the vault is told when its frame opens (the message `issue`). Raises TrueStep, CertificationOutage."""
        here = await self._walks.settled(visit)
        walk = await self._walks.at_run(visit, here.run, AwaitingKey, ChoosingProduct, Requested, Delivered)
        authorities = [certificate.parse(der) for der in await self._certification.authorities()]
        state = walk.here.state
        return {
            "now": rfc3339(walk.now),
            "flow": walk.public_id,
            "lang": visit.lang,
            "origin": self._origin,
            "holder": {"name": walk.customer.name, "kind": str(walk.customer.kind)},
            "encryption": _base64(await self._certification.encryption_certificate()),
            "anchors": [_base64(one.der) for one in authorities],
            "policies": sorted({row.oid for one in self.products for row in _rows(authorities, one)}),
            "profile_ko": self._profile_name(authorities, "ko"),
            "profile_en": self._profile_name(authorities, "en"),
            "state": _word(state),
            "spki": getattr(state, "spki", None),
        }

    def _profile_name(self, authorities: list[Certificate], lang: str) -> str:
        found = next((row for one in self.products for row in _rows(authorities, one)), None)
        return "" if found is None else (found.name_ko if lang == "ko" else found.name_en)

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

    async def ending(self, customer: Customer) -> Ending:
        """What the warning at ⑥ names."""
        active = await self._bindings.standing(customer)
        details = None if active is None else await self._bindings.details(active)
        asked = Budget(f"ever-issued:{customer.customer_id}", CARRYING_S, ASKED)
        if not await budgets.spent(self._parts.store, asked, self._walks.now()):
            return Ending(False, {}, details)
        try:
            ever = await self._certification.issued(customer.idn)
        except (CertificationOutage, CertificationRefused):
            return Ending(False, {}, details)
        found = {one.key: ever.ended_by(one.profile, self._walks.now()) for one in self.products}
        return Ending(True, {key: one for key, one in found.items() if one is not None}, details)

    async def choose(self, visit: Visit, turn: Turn, product: str, *, agreed: bool) -> dict[str, str]:
        """확인: the holder is registered at the authority for this key alone; its two codes, for the vault (D1, D3).

        What costs is allowed by the person first: `pay` is the provider's window, and nothing was registered.

        Raises ProductUnknown, EndNotAgreed, CertificationOutage, RefusedByAuthority, PaymentDeclined, PaymentTries,
        PaymentOutage, PaymentRefused, TrueStep.
        """
        async with self._walks.turn_of(visit):
            walk = await self._walks.at_run(visit, turn.run, ChoosingProduct)
            chosen = self._products.get(product)
            if chosen is None:
                raise ProductUnknown
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
            sealed = await self._sealed(walk, "codes", msgspec.json.encode(codes))
            event = HolderRegistered(walk.now, chosen.key, sealed)
            await self._walks.save(walk, event, "product", With(rows=rows, facts={"n": 1}))
            reach("issuance.29")
            return self._codes(walk.customer, codes)

    def _is_due(self, walk: Walk, chosen: Product) -> bool:
        return chosen.fee > 0 and _kind(walk) is not Kind.REISSUE

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
            reissue=_kind(walk) is Kind.REISSUE,
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
        return self._codes(walk.customer, await self._opened(walk))

    def _codes(self, customer: Customer, codes: dict[str, str]) -> dict[str, str]:
        return {
            "reference": codes["reference"], "code": codes["code"], "idn": customer.idn.reveal(),
            "not_after_at_most": rfc3339(self._walks.now() + _LONGEST),
        }  # fmt: skip

    # the authority

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
            asked = carrying.from_vault(message, (await self._opened(walk))["reference"])
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
        sealed = await self._sealed(walk, "certificate", found.der)
        rows = await payment.carried(self._parts.store, walk.flow_id, found.fingerprint.hex())
        reach("issuance.32")
        event = CertificateCarried(walk.now, sealed, found.fingerprint.hex())
        await self._walks.save(walk, event, "certificate", With(rows=rows))

    async def _confirmed(self, walk: Walk) -> None:
        """pkiConf: binding, its history, notices and Issued in ONE transaction, before the vault hears of it."""
        state = walk.here.state
        assert isinstance(state, Delivered)
        found = certificate.parse(await self._open(walk, "certificate", state.certificate))
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
        again, ended = _kind(walk) is Kind.REISSUE, None  # the text of a reissue says that the former one ended
        if replaces is not None and replaces.policy_oid == policy.oid and walk.now <= replaces.not_after and not again:
            details = await self._bindings.details(replaces)
            ended = Words(details.use_ko, details.use_en)
        return self._notices.issued(
            walk.customer, email=contact.email, use=Words(policy.name_ko, policy.name_en), not_after=found.not_after,
            at=walk.now, replaced=ended, dedup=f"issued:{binding_id}", again=again,
        )  # fmt: skip

    # sealed under the customer's own key (H6)

    async def _sealed(self, walk: Walk, what: str, clear: bytes) -> str:
        sealed = await self._parts.fields.seal(walk.customer.customer_id, "flow", what, walk.flow_id, clear)
        return _base64(sealed)

    async def _open(self, walk: Walk, what: str, sealed: str) -> bytes:
        found = base64.b64decode(sealed)
        return await self._parts.fields.open(walk.customer.customer_id, "flow", what, walk.flow_id, found)

    async def _opened(self, walk: Walk) -> dict[str, str]:
        state = walk.here.state
        assert isinstance(state, Requested | Delivered)
        return msgspec.json.decode(await self._open(walk, "codes", state.sealed), type=dict[str, str])


def _kind(walk: Walk) -> Kind:
    assert walk.here.state is not None
    return kind_of(walk.here.state)


def _word(state: State | None) -> str:
    """How page and vault call the states that they share."""
    words = {AwaitingKey: "key", ChoosingProduct: "product", Requested: "requested", Delivered: "delivered"}
    return words[type(state)]


def _rows(authorities: list[Certificate], product: Product) -> list[Policy]:
    """The rows of the policy table that a product's certificates may carry under these authorities."""
    owners = {found.key for one in authorities if (found := policies.authority(one.subject)) is not None}
    return [
        row
        for row in policies.policies()
        if row.ca.key in owners and row.use == product.use and row.holder == "personal"
    ]


def _short(refused: CertificationRefused) -> str:
    return str(refused.facts.get("said") or refused.facts.get("fail_info") or "-")[:64]


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
