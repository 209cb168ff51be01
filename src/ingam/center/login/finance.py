"""금융인증서 로그인: the provider's window, and whose the certificate is (A6, A17, E7)."""

from __future__ import annotations

from dataclasses import dataclass

from ingam.customer.binding.proof import Prover
from ingam.customer.finance.asking import FinanceWindows
from ingam.customer.finance.bindings import ACTIVE, TABLE, FinanceBindings, FinanceSuspended
from ingam.customer.finance.proof import prove
from ingam.customer.session import Session
from ingam.kernel.errors import Refusal
from ingam.ports.clock import Clock
from ingam.ports.finance_cert import Purpose
from ingam.ports.store import Row, Update

AT = "/login/finance"


class FinanceNotRegistered(Refusal):
    """A good 금융인증서 that nobody registered here."""

    code = "finance-not-registered"


class FinanceRebind(Refusal):
    """A good 금융인증서 with the name of a registered one: to be registered anew, no session (A17)."""

    code = "finance-rebind"


@dataclass(frozen=True, slots=True)
class Found:
    """Whose it is. `held`: the binding must still be the active one when the session opens."""

    customer_id: str
    held: Update
    facts: dict[str, str | int]
    then: str
    slot: int = 1
    head: str = ""


class FinanceLogin:
    """What the login asks of it."""

    def __init__(self, windows: FinanceWindows, bindings: FinanceBindings, prover: Prover, clock: Clock) -> None:
        self._windows = windows
        self._bindings = bindings
        self._prover = prover
        self._clock = clock

    @property
    def offered(self) -> bool:
        """Whether this institution has a provider."""
        return self._windows.offered

    async def open(self, session: Session, address: str, lang: str, then: str) -> str:
        """A window for a login: its nonce. Raises TooManyChallenges, FinanceCertOutage."""
        return await self._windows.open(Purpose.LOGIN, session.session, address, lang, AT, then=then)

    async def window(self, session: Session, nonce: str) -> str:
        """Its address. Raises NonceInvalid."""
        return await self._windows.shown(session.session, nonce)

    async def find(self, session: Session, nonce: str, proof: str) -> Found:
        """Checks 2 to 8 and 10.

        Raises NonceInvalid, FinanceCertUnfinished, FinanceCertOutage, CheckFailed, StatusUnavailable,
        FinanceSuspended, FinanceNotRegistered, FinanceRebind.
        """
        came = await self._windows.claim(Purpose.LOGIN, session.session, nonce, proof)
        proven = await prove(self._prover, came, fresh=False, at=self._clock.now())
        fingerprint = proven.certificate.fingerprint.hex()
        binding = await self._bindings.by_fingerprint(fingerprint)
        if binding is None and await self._bindings.suspended_by_fingerprint(fingerprint) is not None:
            raise FinanceSuspended
        if binding is None:
            raise FinanceRebind if await self._bindings.of_same_name(proven.certificate) else FinanceNotRegistered
        where: Row = {"fingerprint": fingerprint, "status": ACTIVE}
        age = int((proven.at - proven.status.produced).total_seconds())
        facts: dict[str, str | int] = {"source": str(proven.status.source), "age_s": age}
        held = Update(TABLE, where, {"status": ACTIVE})
        return Found(binding.customer_id, held, facts, came.then, binding.slot, binding.head)
