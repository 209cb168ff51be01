"""갱신, carried out: the vault chooses and makes the new key, the person agrees, the center carries and binds (D10).

The center never sees a private key, a password or R. No factor is asked for: the old key signs. Until the authority has
verified that signature, a session by a password alone learns nothing that identifies the person. What was renewed
elsewhere never comes here: only this run's own pkiConf moves a registration (A17), and nothing ends such a run before.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NoReturn, Protocol
from weakref import WeakValueDictionary

from ingam.center.renewal import carrying
from ingam.center.renewal.flow import (
    RENEWAL,
    Agreed,
    Agreeing,
    Cancelled,
    CertificateCarried,
    Confirmed,
    Declined,
    Delivered,
    Event,
    Expired,
    KeyMade,
    Left,
    Renewed,
    Requested,
    State,
    TimeRanOut,
)
from ingam.center.walks import Act, Recorder, TrueStep, Turn, Visit, With, told
from ingam.customer.binding.bindings import Binding, Bindings, ToBind
from ingam.customer.consent import Consents, Document
from ingam.customer.notice import Notices
from ingam.kernel.errors import Outage, Refusal
from ingam.kernel.instants import korean_day, rfc3339
from ingam.kernel.secret import Secret
from ingam.npki import certificate, policies
from ingam.npki.certificate import Certificate
from ingam.npki.policies import Policy
from ingam.npki.signature import known_key, verify
from ingam.ports.certification import Certification, IssuedCertificate
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Customers
from ingam.ports.keys import Digests
from ingam.ports.store import Count, FlowSave, Outgoing, Row, Store

CONSENTS: Final = ("T4", "T5", "T6")
RENEWABLE: Final[Mapping[str, str]] = {"securities": "gold"}
"""By the authority's profile, the product that is renewed here; what costs something is not (yet)."""
CARRYING_S: Final = 600
CARRIED: Final = 300
RUNS_MOST: Final = 100
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


class TooOften(Refusal):
    """More messages than a vault sends that has to wait."""

    code = "too-many-requests"


class Limits(Protocol):
    """Seconds, and days before its end from which a certificate is renewed."""

    @property
    def flow_ttl_s(self) -> int: ...
    @property
    def issuance_fetch_s(self) -> int: ...
    @property
    def renew_window_days(self) -> int: ...


class Fields(Protocol):
    """Sealed under the customer's own key (H6)."""

    async def seal(self, customer_id: str, table: str, column: str, row: str, clear: bytes) -> bytes: ...
    async def open(self, customer_id: str, table: str, column: str, row: str, sealed: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Ports:
    """What a renewal works on."""

    store: Store
    clock: Clock
    customers: Customers
    digests: Digests
    fields: Fields
    certification: Certification


@dataclass(frozen=True, slots=True)
class Here:
    """Where a person is. `version` 0: nothing is stored of this run, the vault is to choose and make its key.

    `elsewhere`: the run belongs to another browser, until `expires_at` at most; here it can only be told of.
    """

    run: int
    version: int
    state: State | None
    expires_at: datetime
    elsewhere: bool = False

    @property
    def ended(self) -> bool:
        """Whether nothing leaves this state."""
        return self.state is not None and type(self.state) in RENEWAL.ends()


@dataclass(frozen=True, slots=True)
class Walk:
    """One request at its true step."""

    visit: Visit
    here: Here
    customer: Customer
    now: datetime

    @property
    def flow_id(self) -> str:
        return _flow_id(self.customer.customer_id, self.here.run)


@dataclass(frozen=True, slots=True, repr=False)
class Carried:
    """The authority's answer, as it is. `idn`: 13 or 10 digits, beside the certificate of the registered key alone."""

    message: bytes
    idn: Secret[str] | None = None


class Renewing:
    """The service behind /issuance/renewal."""

    def __init__(
        self, ports: Ports, limits: Limits, consents: Consents, bindings: Bindings, notices: Notices, origin: str
    ) -> None:
        self._ports, self._limits, self._consents, self._bindings = ports, limits, consents, bindings
        self._notices, self._origin = notices, origin
        self._recorder = Recorder(ports.store, ports.customers, ports.digests)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    # where a person is

    async def here(self, visit: Visit, *, anew: bool = False) -> Here:
        """The true step. Raises NotLoggedIn, BindingSuspended."""
        return (await self._walk(visit, anew=anew)).here

    async def customer(self, visit: Visit) -> Customer:
        """Whose session it is. Raises NotLoggedIn."""
        return await self._recorder.customer(visit.session)

    def documents(self) -> Sequence[Document]:
        """T4 to T6."""
        return self._consents.documents(CONSENTS, self._ports.clock.now())

    async def _walk(self, visit: Visit, *, anew: bool = False) -> Walk:
        customer, now = await self.customer(visit), self._ports.clock.now()
        here = await self._last(customer)
        if isinstance(here.state, Agreeing) and (now >= here.expires_at or _elsewhere(here.state, visit)):
            with contextlib.suppress(TrueStep):  # at this very moment it was agreed to
                await self._save(Walk(visit, here, customer, now), TimeRanOut(), "time", With())
            here = await self._last(customer)
        # Late, too, what was asked for stays as it is stored: a confirmation that is under way counts.
        late = here.state is not None and now >= here.expires_at
        if late or isinstance(here.state, Expired | Cancelled) or (here.ended and anew):
            here = Here(here.run + 1, 0, None, now)
        return Walk(visit, replace(here, elsewhere=_elsewhere(here.state, visit)), customer, now)

    async def _last(self, customer: Customer) -> Here:
        where: Row = {"customer_id": customer.customer_id, "machine": RENEWAL.name}
        rows = await self._ports.store.many("flow", where, order="expires_at", descending=True, limit=RUNS_MOST)
        run = max((int(str(row["flow_id"]).rpartition(":")[2]) for row in rows), default=0)
        if not run:
            return Here(1, 0, None, self._ports.clock.now())
        stored = await self._ports.store.flow(_flow_id(customer.customer_id, run))
        assert stored is not None
        return Here(run, stored.version, RENEWAL.load(stored.state), stored.expires_at)

    async def _at(self, visit: Visit, run: int, *states: type[State] | type[None]) -> Walk:
        walk = await self._walk(visit)
        if walk.here.elsewhere or walk.here.run != run or not isinstance(walk.here.state, states):
            raise TrueStep
        return walk

    def _turn_of(self, visit: Visit) -> asyncio.Lock:
        return self._turns.setdefault(visit.session.customer_id or "", asyncio.Lock())

    # the vault

    async def told(self, visit: Visit) -> dict[str, object]:
        """What the vault is told when its frame opens (the message `renew`).

        Raises CertificationOutage, …Refused, TrueStep where it runs elsewhere.
        """
        walk = await self._walk(visit)
        if walk.here.elsewhere:
            raise TrueStep
        await self._bindings.refuse_suspended(walk.customer)
        authorities = await self._authorities()
        ever = await self._ports.certification.issued(walk.customer.idn)
        state = walk.here.state
        return {
            "now": rfc3339(walk.now), "flow": _public_id(walk.flow_id), "lang": visit.lang, "origin": self._origin,
            "holder": {"name": walk.customer.name, "kind": str(walk.customer.kind)},
            "encryption": _base64(await self._ports.certification.encryption_certificate()),
            "anchors": [_base64(one.der) for one in authorities],
            "policies": sorted({row.oid for row in _rows(authorities, str(walk.customer.kind))}),
            "state": word(state), "window_days": self._limits.renew_window_days,
            "own": [{"fingerprint": one.fingerprint, "standing": str(one.standing)} for one in ever[:64]],
        }  # fmt: skip

    async def key_made(self, visit: Visit, run: int, spki: str, old: str) -> int:
        """The new key is kept, for this certificate: the run's version then. Raises NotYours, TrueStep."""
        if not _SPKI.fullmatch(spki) or not _SPKI.fullmatch(old):
            raise Refusal("bad-request")
        async with self._turn_of(visit):
            walk = await self._at(visit, run, type(None), Agreeing)
            await self._bindings.refuse_suspended(walk.customer)
            found = await self._renewable(walk, old)
            state = Agreeing(_browser(visit), spki, old, RENEWABLE[found.profile])
            if walk.here.state is None:
                await self._store(walk, state, 0, "key", With(), "ok")
            elif walk.here.state != state:
                await self._save(walk, KeyMade(state), "key", With())
            else:
                return walk.here.version
            return walk.here.version + 1

    async def _renewable(self, walk: Walk, old: str) -> IssuedCertificate:
        ever = await self._ports.certification.issued(walk.customer.idn)
        found = next((one for one in ever if one.fingerprint == old and one.profile in RENEWABLE), None)
        if found is None or str(found.standing) != "valid" or walk.now > found.not_after:
            await self._refuse(walk, "key", NotYours())
        return found

    async def agree(self, visit: Visit, turn: Turn, ticks: Mapping[str, str]) -> dict[str, str]:
        """확인: the terms; what the vault measures the new certificate by. Raises Consent…, TrueStep."""
        async with self._turn_of(visit):
            walk = await self._at(visit, turn.run, Agreeing)
            await self._bindings.refuse_suspended(walk.customer)
            rows = self._consents.given(walk.customer.customer_id, CONSENTS, dict(ticks), walk.flow_id, walk.now)
            await self._save(walk, Agreed(), "agree", With(rows=rows))
            return self._measured(walk)

    async def again(self, visit: Visit, run: int) -> dict[str, str]:
        """The same once more, for a vault that lost the answer. Raises TrueStep."""
        return self._measured(await self._at(visit, run, Requested, Delivered))

    def _measured(self, walk: Walk) -> dict[str, str]:
        return {"not_after_at_most": rfc3339(walk.now + _LONGEST)}

    async def cancel(self, visit: Visit, run: int) -> None:
        """취소, for as long as nothing was asked for. Raises TrueStep."""
        async with self._turn_of(visit):
            await self._save(await self._at(visit, run, Agreeing), Left(), "cancel", With())

    # the authority

    async def carry(self, visit: Visit, run: int, message: bytes) -> Carried:
        """A message of the vault to the authority and its answer back, as they are; on the way the run goes on.

        With the new certificate the vault gets the number to recompute its VID by (B10): that it was issued proves that
        the old key signed. Raises NotCarried, TooOften, CertificationOutage, TrueStep.
        """
        async with self._turn_of(visit):
            walk = await self._at(visit, run, Requested, Delivered, Renewed)
            state, authority = walk.here.state, self._ports.certification
            if isinstance(state, Renewed):
                return Carried(await self._repeated(walk, state, message))
            assert isinstance(state, Requested | Delivered)
            confirmed = carrying.confirms(message, state.old)
            if confirmed is not None and not isinstance(state, Delivered):
                raise carrying.NotCarried
            await self._refuse_flood(walk)
            answer = await authority.carry(message)
            brought = carrying.brought(answer)
            if isinstance(brought, Certificate) and confirmed is None:
                await self._certified(walk, state, brought)
                return Carried(answer, walk.customer.idn)
            await self._follow(walk, state, confirmed, brought)
            return Carried(answer)

    async def _repeated(self, walk: Walk, state: Renewed, message: bytes) -> bytes:
        """The pkiConf was lost; the authority says it again (D9)."""
        if carrying.confirms(message, None) != state.fingerprint:
            raise carrying.NotCarried
        await self._refuse_flood(walk)
        return await self._ports.certification.carry(message)

    async def _refuse_flood(self, walk: Walk) -> None:
        count = Count(f"carry:{walk.flow_id}", CARRYING_S, CARRIED, walk.now)
        if await self._ports.store.count(count) > CARRIED:
            raise TooOften

    async def _follow(
        self, walk: Walk, state: Requested | Delivered, confirmed: str | None, brought: Certificate | str | None
    ) -> None:
        if brought is None or isinstance(brought, Certificate):
            return
        if brought:
            await self._declined(walk, RenewalRefused(cause=brought))
        elif confirmed == "":
            await self._declined(walk, DeclinedByDevice())
        elif isinstance(state, Delivered) and confirmed == state.fingerprint:
            await self._confirmed(walk, state)

    async def _certified(self, walk: Walk, state: Requested | Delivered, found: Certificate) -> None:
        """A kup: only this person's certificate by our authority, of the key that the vault told, is remembered."""
        ours = hashlib.sha256(found.spki).hexdigest() == state.spki and await self._is_ours(found)
        if not ours or not await self._is_theirs(walk, found):
            await self._record(walk, "carry", "renewal-other-key", With())
            raise Outage("certification-outage")
        if isinstance(state, Delivered) and state.fingerprint == found.fingerprint.hex():
            return
        sealed = await self._ports.fields.seal(
            walk.customer.customer_id, "flow", "certificate", walk.flow_id, found.der
        )
        event = CertificateCarried(_base64(sealed), found.fingerprint.hex())
        await self._save(walk, event, "certificate", With())

    async def _is_ours(self, found: Certificate) -> bool:
        """Whether one of the authority's own certificates has signed it."""
        for issuer in await self._authorities():
            if issuer.subject.raw == found.issuer.raw:
                try:
                    verify(known_key(issuer.spki), found.signature_algorithm, found.signature, found.tbs)
                except Refusal:
                    continue
                return True
        return False

    async def _is_theirs(self, walk: Walk, found: Certificate) -> bool:
        """Whether the authority, asked for this person, names it: whoever signed, it was then issued to nobody else."""
        ever = await self._ports.certification.issued(walk.customer.idn)
        return any(one.fingerprint == found.fingerprint.hex() for one in ever)

    async def _confirmed(self, walk: Walk, state: Delivered) -> None:
        """pkiConf: the registration goes over to the new one, its history, notices and Renewed in ONE transaction."""
        customer_id = walk.customer.customer_id
        der = await self._ports.fields.open(
            customer_id, "flow", "certificate", walk.flow_id, base64.b64decode(state.certificate)
        )
        found = certificate.parse(der)
        policy = policies.lookup(found.issuer, found.policy_oid)
        if policy is None:
            raise Outage("certification-outage")
        active = await self._bindings.active(walk.customer)
        bound = active is not None and self._is_renewed(active, state, found)
        rows = []
        if bound:
            ours = ToBind(walk.customer, found, policy, walk.now, walk.visit.session.session)
            rows = list((await self._bindings.change(ours, active)).rows)
        event = Confirmed(f"{found.serial:x}", found.not_after, bound)
        notices = self._told_of(walk, found, policy, bound)
        await self._save(walk, event, "renewed", With(rows=rows, outbox=notices, facts={"bound": int(bound)}))

    def _is_renewed(self, active: Binding, state: Delivered, found: Certificate) -> bool:
        """Only the registration of the very certificate that this run renewed, for the same name (A17, D10)."""
        return active.fingerprint == state.old and active.policy_oid == found.policy_oid

    def _told_of(self, walk: Walk, found: Certificate, policy: Policy, bound: bool) -> list[Outgoing]:
        if not bound:
            return []  # the authority tells its holder by itself (D10); here nothing has changed
        facts = {"use": policy.name_ko if walk.customer.told.lang == "ko" else policy.name_en}
        return self._notices.tell(
            walk.customer, "renewed", at=walk.now, dedup=f"renewed:{found.fingerprint.hex()}",
            date=korean_day(found.not_after), **facts,
        )  # fmt: skip

    async def _authorities(self) -> list[Certificate]:
        return [certificate.parse(der) for der in await self._ports.certification.authorities()]

    # the ONE transaction of every step

    async def _save(self, walk: Walk, event: Event, act: str, beside: With, result: str = "ok") -> None:
        assert walk.here.state is not None
        state = RENEWAL.advance(walk.here.state, event).state
        await self._store(walk, state, walk.here.version, act, beside, result)

    async def _store(self, walk: Walk, state: State, version: int, act: str, beside: With, result: str) -> None:
        lasts = self._limits.issuance_fetch_s if isinstance(state, Requested | Delivered) else self._limits.flow_ttl_s
        flow = FlowSave(
            walk.flow_id, RENEWAL.name, version, RENEWAL.dump(state), walk.visit.session.session,
            walk.customer.customer_id, walk.now + timedelta(seconds=lasts),
        )  # fmt: skip
        await self._recorder.save(self._act(walk, act, result), flow, beside)

    async def _declined(self, walk: Walk, refusal: Refusal) -> None:
        await self._save(walk, Declined(refusal.code), "carry", With(facts=told(refusal)), refusal.code)

    async def _record(self, walk: Walk, act: str, result: str, beside: With) -> None:
        await self._recorder.save(self._act(walk, act, result), None, beside)

    async def _refuse(self, walk: Walk, act: str, refusal: Refusal) -> NoReturn:
        await self._record(walk, act, refusal.code, With(facts=told(refusal)))
        raise refusal

    def _act(self, walk: Walk, act: str, result: str) -> Act:
        return Act(walk.visit, walk.customer, walk.now, f"renewal.{act}", result)


def word(state: State | None) -> str:
    """How page and vault call the states that they share."""
    return {Agreeing: "product", Requested: "requested", Delivered: "delivered"}.get(type(state), "key")


def _elsewhere(state: State | None, visit: Visit) -> bool:
    """The draft lies in another browser: nothing of that run can be gone on with here."""
    return isinstance(state, Agreeing | Requested | Delivered) and state.device != _browser(visit)


def _browser(visit: Visit) -> str:
    """The device cookie's mark; where a browser keeps none, it is known for as long as its session."""
    return visit.session.device or visit.session.session


def _rows(authorities: list[Certificate], holder: str) -> list[Policy]:
    """The rows of the policy table that are renewed here, under these authorities."""
    owners = {found.key for one in authorities if (found := policies.authority(one.subject)) is not None}
    return [
        row for row in policies.policies() if row.ca.key in owners and row.use in RENEWABLE and row.holder == holder
    ]


def _flow_id(customer_id: str, run: int) -> str:
    return f"renewal:{customer_id}:{run}"


def _public_id(flow_id: str) -> str:
    """What the vault calls the run: 32 lower hex, of which nobody learns the customer's key."""
    return hashlib.sha256(flow_id.encode()).hexdigest()[:32]


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
