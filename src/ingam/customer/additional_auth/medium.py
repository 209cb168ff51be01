"""What is asked beside the additional authentication: a 보안매체's code, or without one 미소지고객 인증 (E9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from ingam.customer.additional_auth.no_medium import NoMedium
from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer
from ingam.ports.otp import OtpTokens
from ingam.ports.store import Change, Count, Store

DAY_S: Final = 86_400


class MediumLimits(Protocol):
    """How many wrong codes of a token a day."""

    @property
    def otp_tries(self) -> int: ...


class OtpWrong(Refusal):
    """The token's code is wrong or was used; fact `n`, tries left today."""

    code = "otp-wrong"


class OtpLocked(Refusal):
    """Wrong too often today; the branch helps. Fact `max`."""

    code = "otp-locked"


class OtpMissing(Refusal):
    """Who holds a token is asked for its code, and 미소지고객 인증 does not take its place."""

    code = "otp-missing"


@dataclass(frozen=True, slots=True)
class NoMediumTyped:
    """Both fields of 보안매체 미소지고객 인증."""

    number_back: Secret[str]
    phone_back: Secret[str]


@dataclass(frozen=True, slots=True)
class OtpTyped:
    """What the token showed."""

    code: Secret[str]


MediumTyped: TypeAlias = NoMediumTyped | OtpTyped


@dataclass(frozen=True, slots=True)
class Accepted:
    """It was right: `resets` and `rows` go into the transaction of what it proves."""

    resets: Sequence[str]
    rows: Sequence[Change] = ()


class Media:
    """The check of whichever of the two a customer is asked for."""

    def __init__(
        self, store: Store, clock: Clock, no_medium: NoMedium, limits: MediumLimits, tokens: OtpTokens | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._no_medium = no_medium
        self._limits = limits
        self._tokens = tokens

    async def holds_token(self, customer: Customer) -> bool:
        """Whether the code of a token is asked for."""
        return self._tokens is not None and await self._tokens.holds(customer.customer_id)

    async def check(self, customer: Customer, typed: MediumTyped) -> Accepted:
        """Counted before it is compared. Raises NoMediumMismatch, NoMediumLocked, OtpWrong {n}, OtpLocked {max},
        OtpMissing, OtpOutage."""
        if self._tokens is None or not await self._tokens.holds(customer.customer_id):
            if not isinstance(typed, NoMediumTyped):
                raise OtpWrong(n=0)
            return Accepted([await self._no_medium.check(customer, typed.number_back, typed.phone_back)])
        if not isinstance(typed, OtpTyped):
            raise OtpMissing
        return await self._token(customer, self._tokens, typed.code)

    async def _token(self, customer: Customer, tokens: OtpTokens, code: Secret[str]) -> Accepted:
        most, key = self._limits.otp_tries, f"otp-wrong:{customer.customer_id}"
        hits = await self._store.count(Count(key, DAY_S, most, self._clock.now()))
        if hits > most:
            raise OtpLocked(max=most)
        accepted = await tokens.verify(customer.customer_id, code)
        if accepted is not None:
            return Accepted([key], accepted.rows)
        if hits == most:
            raise OtpLocked(max=most)
        raise OtpWrong(n=most - hits)
