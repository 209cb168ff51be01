"""본인확인 추가인증 for every purpose: which ways are open, asking for a code or a call, and what a right answer gives.

Nothing here saves but counters. A parent saves what it is given in ONE transaction with its own next state, and stops
its flow for what STOPS says. A proof is bound to person, purpose, flow and session (E1).
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from ingam.customer.additional_auth import Method, Purpose
from ingam.customer.additional_auth.ars import (
    ArsCalls,
    ArsExpired,
    ArsNotApproved,
    ArsNotYet,
    ArsRefused,
    ArsTooMany,
    Calling,
)
from ingam.customer.additional_auth.branch import BranchNumbers, BranchNumberSpent, BranchNumberWrong
from ingam.customer.additional_auth.flow import Choosing, Requested
from ingam.customer.additional_auth.following import Followed, LookAt
from ingam.customer.additional_auth.medium import (
    Accepted,
    CardAskedAnew,
    CardLocked,
    CardMissing,
    CardWrong,
    Held,
    Media,
    MediumTyped,
    OtpLocked,
    OtpMissing,
    OtpWrong,
)
from ingam.customer.additional_auth.no_medium import NoMediumLocked, NoMediumMismatch
from ingam.customer.additional_auth.numbers import Number, NumberMissing, NumberTooNew, numbers_of
from ingam.customer.additional_auth.proof import Bound, ProofLimits, Verified, new_proof
from ingam.customer.additional_auth.requesting import Requesting
from ingam.customer.additional_auth.sms import SmsBudgetSpent, SmsCodes, SmsExpired, SmsWrong
from ingam.customer.availability import Off, Way
from ingam.customer.session import Session
from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Phone
from ingam.ports.store import LedgerMove

STOPS: Final = (NoMediumLocked, OtpLocked, CardLocked, ArsRefused)
"""What ends a parent's flow: its Locked state, a notice, and another day or the branch."""

NEVER_BY_DEVICE: Final = frozenset({Purpose.DEVICE_ADD, Purpose.DEVICE_REMOVE, Purpose.CONTACT_CHANGE})
"""A designated device never designates another one, nor changes what protects from its thief (E8)."""


class FactorLimits(ProofLimits, Protocol):
    """The settings that the service itself reads."""

    @property
    def sms_wrong_a_day(self) -> int: ...
    @property
    def ars_a_day(self) -> int: ...
    @property
    def branch_tries(self) -> int: ...
    @property
    def contact_quarantine_s(self) -> int: ...


class Ways(Protocol):
    """`customer.availability`: what an operator switched off, and hours."""

    async def way(self, name: Way | str, /) -> Off | None: ...


class DeviceProver(Protocol):
    """`customer.device.designated`: a designated device signs a challenge of the server."""

    async def here(self, customer: Customer, session: Session) -> object | None:
        """The device that this browser says it is, if it is designated."""

    async def challenge(
        self, customer: Customer, session: Session, address: str, purpose: Purpose
    ) -> Mapping[str, object]:
        """What its key is to sign, as JSON. Raises Refusals of its own."""

    async def prove(self, customer: Customer, bound: Bound, answer: Mapping[str, str]) -> Sequence[LedgerMove]:
        """The moves that use the challenge up. Raises Refusals of its own."""


class MethodNotOffered(Refusal):
    """This way cannot be used here."""

    code = "method-not-offered"


class CodeNotRequested(Refusal):
    """다음 was pressed before any code was asked for."""

    code = "sms-not-requested"


class CallNotRequested(Refusal):
    """다음 was pressed before any call was asked for."""

    code = "ars-not-requested"


class DeviceNotExempt(Refusal):
    """A designated device does not take the place of the additional authentication for this purpose (E8)."""

    code = "device-not-exempt"


class FactorsRefused(Refusal):
    """② in one answer: `errors` maps a field to its refusal; `resets` are counters of the half that was right."""

    code = "factors-refused"

    def __init__(self, errors: Mapping[str, Refusal], resets: Sequence[str] = ()) -> None:
        super().__init__()
        self.errors = errors
        self.resets = resets


@dataclass(frozen=True, slots=True)
class Typed:
    """What was answered: the code of the SMS or of the branch (empty for a call), and what is asked beside it."""

    method: Method
    code: Secret[str] = field(default_factory=lambda: Secret(""))
    medium: MediumTyped | None = None


@dataclass(frozen=True, slots=True)
class Offered:
    """What the screen shows: why a way is closed (None: it is open), and the numbers that a call may go to."""

    ways: Mapping[Method, Refusal | None]
    numbers: Sequence[Number]

    @property
    def open(self) -> Sequence[Method]:
        """The ways that can be used, in the manual's order."""
        return [method for method, why in self.ways.items() if why is None]


_ERRORS: Final = {Method.SMS: "code", Method.ARS: "call", Method.BRANCH_OTP: "branch"}
"""The field that a way's refusal stands beside."""


class AdditionalAuth:
    """The one service. `ars` None: no calls here; `devices` None: no exemption."""

    def __init__(
        self,
        clock: Clock,
        limits: FactorLimits,
        *,
        sms: SmsCodes,
        branch: BranchNumbers,
        media: Media,
        ars: ArsCalls | None = None,
        ways: Ways | None = None,
        devices: DeviceProver | None = None,
        token: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._clock = clock
        self._limits = limits
        self._sms = sms
        self._branch = branch
        self._media = media
        self._ars = ars
        self._ways = ways
        self._devices = devices
        self._token = token

    async def offered(self, customer: Customer, lang: str) -> Offered:
        """Each way with why it is closed, if it is; the numbers that may be called. Raises StoreOutage."""
        numbers = self._usable(customer)
        ways = {method: await self._closed(customer, method, numbers, lang) for method in Method}
        return Offered(ways, numbers)

    async def held(self, customer: Customer) -> Held:
        """The medium whose code is asked for in place of 미소지고객 인증, if there is one. Raises CardOutage.

        For a screen that asks beside; where nothing is, nobody asks the card's keeper, and its outage is none.
        """
        return await self._media.held(customer)

    async def request(
        self, customer: Customer, bound: Bound, method: Method, to: Phone | None, lang: str
    ) -> Requesting:
        """A code by SMS or a call; an earlier one is void. `to`: which number is called (SMS goes to the mobile one).

        Raises WayOff, MethodNotOffered, NumberMissing, NumberTooNew, ArsRefused, and what SmsCodes and ArsCalls refuse.
        """
        await self._open(method, lang)
        await self._refuse_stopped(bound)
        if method is Method.SMS:
            return await self._sms.request(customer, bound.purpose, lang)
        if method is not Method.ARS or self._ars is None:
            raise MethodNotOffered
        chosen = [one for one in numbers_of(customer) if one.phone == (to or Phone.MOBILE) and one.korean]
        if not chosen:
            raise NumberMissing
        return await self._ars.request(customer, bound, chosen[0], lang)

    async def look(self, bound: Bound, request_id: str) -> Calling | None:
        """A call as it stands; None for one that is not this person's, purpose's, flow's and session's."""
        return None if self._ars is None else await self._ars.look(bound, request_id)

    def follow(self, session: str, look: LookAt[Calling]) -> AsyncIterator[Followed[Calling] | None]:
        """A call's changes, as `look` finds them. Raises MethodNotOffered; see Followers.follow."""
        if self._ars is None:
            raise MethodNotOffered
        return self._ars.followers.follow(session, look)

    async def prove(
        self, customer: Customer, bound: Bound, waiting: Choosing | Requested, typed: Typed, lang: str = "ko"
    ) -> Verified:
        """The answer, and what is asked beside it; both are looked at whatever the other one says.

        Raises FactorsRefused, WayOff, and what STOPS the flow.
        """
        await self._open(typed.method, lang)
        await self._refuse_stopped(bound)
        request_id = _under_way(waiting, typed.method)
        errors: dict[str, Refusal] = {}
        beside = await self._beside(customer, typed.medium, errors)
        verified: Verified | None = None
        try:
            verified = await self._verified(customer, bound, request_id, typed)
        except (SmsWrong, SmsExpired, SmsBudgetSpent, ArsNotYet, ArsNotApproved, ArsExpired) as wrong:
            errors = {_ERRORS[typed.method]: wrong, **errors}
        except (BranchNumberWrong, BranchNumberSpent) as wrong:
            errors = {_ERRORS[typed.method]: wrong, **errors}
        if errors or verified is None:
            raise FactorsRefused(errors, beside.resets)
        return _together(verified, beside)

    async def exempt(self, customer: Customer, session: Session, purpose: Purpose) -> bool:
        """Whether this browser says that it is a designated device, and that is enough for this purpose."""
        if self._devices is None or purpose in NEVER_BY_DEVICE or await self._devices_off():
            return False
        return await self._devices.here(customer, session) is not None

    async def device_challenge(
        self, customer: Customer, session: Session, address: str, purpose: Purpose
    ) -> Mapping[str, object]:
        """What the designated device of this browser is to sign. Raises DeviceNotExempt, the device's refusals."""
        if self._devices is None or purpose in NEVER_BY_DEVICE or await self._devices_off():
            raise DeviceNotExempt
        return await self._devices.challenge(customer, session, address, purpose)

    async def by_device(
        self, customer: Customer, bound: Bound, answer: Mapping[str, str], medium: MediumTyped | None
    ) -> Verified:
        """A designated device takes the place of the choice (M-ADD-10); what is asked beside it stays.

        Raises DeviceNotExempt, FactorsRefused, the device's own refusals, and what STOPS the flow.
        """
        if self._devices is None or bound.purpose in NEVER_BY_DEVICE or await self._devices_off():
            raise DeviceNotExempt
        await self._refuse_stopped(bound)
        errors: dict[str, Refusal] = {}
        beside = await self._beside(customer, medium, errors)
        used = await self._devices.prove(customer, bound, answer)
        if errors:
            raise FactorsRefused(errors, beside.resets)
        proof = new_proof(bound, self._clock.now(), self._limits.proof_ttl_s, self._token)
        return _together(Verified(proof, (*used, proof.issue)), beside)

    # ── the parts ──

    async def _beside(self, customer: Customer, typed: MediumTyped | None, errors: dict[str, Refusal]) -> Accepted:
        if typed is None:
            return Accepted(())
        try:
            return await self._media.check(customer, typed)
        except NoMediumMismatch as wrong:
            errors["number_back"] = wrong
        except (OtpWrong, OtpMissing) as wrong:
            errors["otp"] = wrong
        except (CardWrong, CardMissing, CardAskedAnew) as wrong:
            errors["card_first"] = wrong
        return Accepted(())

    async def _verified(self, customer: Customer, bound: Bound, request_id: str, typed: Typed) -> Verified:
        match typed.method:
            case Method.SMS:
                return await self._sms.verify(customer, bound, request_id, typed.code)
            case Method.BRANCH_OTP:
                return await self._branch.verify(customer, bound, typed.code)
        if self._ars is None:
            raise MethodNotOffered
        return await self._ars.verify(customer, bound, request_id)

    def _usable(self, customer: Customer) -> list[Number]:
        now, quarantine = self._clock.now(), self._limits.contact_quarantine_s
        return [one for one in numbers_of(customer) if one.korean and not one.quarantined(quarantine, now)]

    async def _closed(self, customer: Customer, method: Method, numbers: Sequence[Number], lang: str) -> Refusal | None:
        off = None if self._ways is None else await self._ways.way(str(method))
        if off is not None:
            return off.refusal(Way(str(method)), lang)
        too_new = NumberTooNew(h=self._limits.contact_quarantine_s // 3600)
        match method:
            case Method.SMS if not any(one.phone is Phone.MOBILE for one in numbers):
                return too_new
            case Method.SMS if await self._sms.spent(customer):
                return SmsBudgetSpent()
            case Method.ARS if self._ars is None:
                return MethodNotOffered()
            case Method.ARS if not numbers:
                return too_new
            case Method.ARS if self._ars is not None and await self._ars.spent(customer):
                return ArsTooMany(max=self._limits.ars_a_day)
            case Method.BRANCH_OTP if await self._branch.spent(customer):
                return BranchNumberSpent(max=self._limits.branch_tries)
        return None

    async def _open(self, method: Method, lang: str) -> None:
        off = None if self._ways is None else await self._ways.way(str(method))
        if off is not None:
            raise off.refusal(Way(str(method)), lang)

    async def _devices_off(self) -> bool:
        """Whether 전자금융사기 예방서비스 is switched off: then the choice is shown to everybody."""
        return self._ways is not None and await self._ways.way(Way.DEVICES) is not None

    async def _refuse_stopped(self, bound: Bound) -> None:
        if self._ars is not None:
            await self._ars.refuse_stopped(bound)


def _under_way(waiting: Choosing | Requested, method: Method) -> str:
    """The request that is answered. Raises FactorsRefused where none is under way; a branch's number needs none."""
    if method is Method.BRANCH_OTP:
        return ""
    if isinstance(waiting, Requested) and waiting.method == method:
        return waiting.request_id
    missing = CodeNotRequested() if method is Method.SMS else CallNotRequested()
    raise FactorsRefused({_ERRORS[method]: missing})


def _together(verified: Verified, beside: Accepted) -> Verified:
    return Verified(
        verified.proof,
        verified.ledger,
        rows=(*verified.rows, *beside.rows),
        resets=(*verified.resets, *beside.resets),
    )
