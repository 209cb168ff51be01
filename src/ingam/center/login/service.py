"""Logging in: by banking ID and password, by a registered certificate, or by a passkey (A6, A17, F2, F6, F7)."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from ingam.center.login.finance import FinanceLogin
from ingam.center.login.flow import (
    MACHINE,
    Admitted,
    BindingFound,
    BindingMissing,
    Challenged,
    Failed,
    Proven,
    Refused,
    State,
)
from ingam.center.login.forms import CertificateLogin, IdLogin
from ingam.customer.account.accounts import Accounts
from ingam.customer.binding.bindings import ACTIVE, Binding, Bindings, BindingSuspended
from ingam.customer.binding.challenges import Challenges, Given
from ingam.customer.binding.proof import ProvenCertificate, Prover, UnverifiedPresentation, check_6_policy
from ingam.customer.device import Devices
from ingam.customer.device.keys import Answer, KeyUnknown
from ingam.customer.device.passkeys import Passkeys
from ingam.customer.heads import at_place, head_key
from ingam.customer.importing.deciding import same_person
from ingam.customer.notice import Notices
from ingam.customer.notice.wishes import Wishes
from ingam.customer.session import Level, Session
from ingam.customer.session.sessions import Opened, Sessions, digest
from ingam.kernel.errors import Failure, Refusal
from ingam.kernel.steps import reach
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Customers
from ingam.ports.keys import Digests
from ingam.ports.store import Audit, Change, Outgoing, Row, Save, Store, Update
from ingam.protocols.challenge import Purpose

DEVICE_BYTES: Final = 32
ACTIONS: Final = {
    Level.ID: "login.id",
    Level.CERT: "login.certificate",
    Level.PASSKEY: "login.passkey",
    Level.FINANCE: "login.finance",
}


class NotRegistered(Refusal):
    """A good certificate that is bound to nobody here (M-LOGIN-05)."""

    code = "login-unregistered"


class Rebind(Refusal):
    """A good certificate with the name and issuer of a bound one: re-registration only, no session (A17)."""

    code = "login-rebind"


@dataclass(frozen=True, slots=True)
class Entered:
    """A session that has risen; `device` is a new device cookie's value, or None where the browser has one."""

    opened: Opened
    device: str | None = field(repr=False)


class Login:
    """The login of the center; every outcome leaves an audit line."""

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        accounts: Accounts,
        customers: Customers,
        challenges: Challenges,
        prover: Prover,
        bindings: Bindings,
        digests: Digests,
        clock: Clock,
        passkeys: Passkeys,
        notices: Notices,
        wishes: Wishes,
        token: Callable[[int], bytes] = secrets.token_bytes,
        finance: FinanceLogin | None = None,
    ) -> None:
        self._finance = finance
        self._store = store
        self._sessions = sessions
        self._accounts = accounts
        self._customers = customers
        self._challenges = challenges
        self._prover = prover
        self._bindings = bindings
        self._digests = digests
        self._clock = clock
        self._passkeys = passkeys
        self._notices = notices
        self._wishes = wishes
        self._devices = Devices(store, digests)
        self._token = token

    async def by_id(
        self, typed: IdLogin, session: Session, device: str | None, address: str, lang: str = "ko"
    ) -> Entered:
        """아이디 로그인; `lang`, here and below: of the page. Raises LoginWrong, LoginLocked, LoginCrowded."""
        customer = await self._accounts.check_password(typed.banking_id, typed.password, session, address)
        forgiven = await self._accounts.forgive(typed.banking_id, session)
        customer = await self._spoken(customer, lang)
        return await self._enter(customer, Level.ID, session, device, address, forgiven, {})

    async def challenge(self, session: Session, address: str) -> Given:
        """What the certificate window is to sign. Raises TooManyChallenges."""
        return await self._challenges.issue(Purpose.LOGIN, session.session, address)

    async def by_certificate(
        self, typed: CertificateLogin, session: Session, device: str | None, address: str, lang: str = "ko"
    ) -> Entered:
        """공동인증서 로그인: claim first, then checks 3-8, then whose it is (check 10).

        Raises NonceInvalid, CheckFailed, StatusUnavailable, NotRegistered, Rebind, BindingSuspended.
        """
        state: State = Challenged(typed.nonce)
        try:
            given = await self._challenges.claim(Purpose.LOGIN, session.session, typed.nonce)
            reach("login.claimed")
            presentation = UnverifiedPresentation(given.challenge, typed.signed)
            proven = await self._prover.prove(presentation, kind=None, fresh=False, at=self._clock.now())
        except Failure as failure:
            MACHINE.advance(state, Failed(failure.code))
            await self._refused(session, address, failure)
            raise
        state = MACHINE.advance(state, Proven(proven.certificate.fingerprint.hex())).state
        try:
            customer, binding = await self._owner(proven)
        except Refusal as clash:
            await self._refused(session, address, clash)
            raise
        same_name = customer is None and await self._bound_before(proven)
        event = BindingFound(customer.customer_id) if customer else BindingMissing(same_name)
        end = MACHINE.advance(state, event).state
        if customer is None or not isinstance(end, Admitted):
            refusal = await self._why_not(proven, end)
            await self._refused(session, address, refusal)
            raise refusal
        unlocked = await self._accounts.unlock(customer.banking_id, session.device)
        age = int((proven.at - proven.status.produced).total_seconds())
        facts: dict[str, str | int] = {"source": str(proven.status.source), "age_s": age}
        # The binding must still be the active one when the session opens: a replacement in between ends in Stale.
        bound: Row = {"fingerprint": proven.certificate.fingerprint.hex(), "status": ACTIVE}
        held = await self._completed(binding, proven) or Update("binding", bound, {"status": ACTIVE})
        customer = await self._spoken(customer, lang)
        return await self._enter(customer, Level.CERT, session, device, address, unlocked, facts, held)

    async def passkey_challenge(self, session: Session, address: str) -> dict[str, object]:
        """What a passkey is to sign. Raises TooManyChallenges."""
        return await self._passkeys.ask_login(session, address)

    async def by_passkey(
        self, answer: Answer, session: Session, device: str | None, address: str, lang: str = "ko"
    ) -> Entered:
        """Login by a passkey: whose it is stands in the key, and what it unlocks is what a certificate does (F7).

        Raises NonceInvalid, KeyUnknown, WebAuthnRefused.
        """
        try:
            used = await self._passkeys.login(session, answer)
            kept = await self._customers.by_id(used.key.customer_id)
            customer = None if kept is None else at_place(self._digests, kept, used.key.head_slot, used.key.head)
            if customer is None or customer.status != "ACTIVE":
                raise KeyUnknown
        except Refusal as refusal:
            await self._refused(session, address, refusal, "login.passkey")
            raise
        unlocked = await self._accounts.unlock(customer.banking_id, session.device)
        customer = await self._spoken(customer, lang)
        return await self._enter(customer, Level.PASSKEY, session, device, address, unlocked, {}, *used.changes)

    @property
    def finance(self) -> FinanceLogin | None:
        """금융인증서 로그인, where this institution has it."""
        return self._finance if self._finance is not None and self._finance.offered else None

    async def by_finance(
        self, nonce: str, proof: str, session: Session, device: str | None, address: str, lang: str = "ko"
    ) -> tuple[Entered, str]:
        """금융인증서 로그인, back from the window; and where it leads. Raises what FinanceLogin.find refuses."""
        assert self._finance is not None
        try:
            found = await self._finance.find(session, nonce, proof)
            kept = await self._customers.by_id(found.customer_id)
            customer = None if kept is None else at_place(self._digests, kept, found.slot, found.head)
            if customer is None or customer.status != "ACTIVE":
                raise NotRegistered
        except Failure as failure:
            await self._refused(session, address, failure, "login.finance")
            raise
        unlocked = await self._accounts.unlock(customer.banking_id, session.device)
        customer = await self._spoken(customer, lang)
        entered = await self._enter(
            customer, Level.FINANCE, session, device, address, unlocked, found.facts, found.held
        )  # fmt: skip
        return entered, found.then

    async def leave(self, session: Session, address: str) -> None:
        """Logout ends the session on the server (F2)."""
        customer = await self._customers.by_id(session.customer_id) if session.customer_id else None
        line = self._line("logout", "ok", session, address, customer, {})
        await self._store.save(Save(rows=[self._sessions.ending(session, "logout")], audit=[line]))

    async def _owner(self, proven: ProvenCertificate) -> tuple[Customer | None, Binding | None]:
        """Check 10: the active customer that this certificate is bound to. Raises CheckFailed kind-clash.

        Of a binding that an import brought by its fingerprint alone, the policy is asked for this customer only now.
        """
        binding = await self._bindings.by_fingerprint(proven.certificate.fingerprint.hex())
        if binding is None:
            return None, None
        found = await self._customers.by_id(binding.customer_id)
        customer = None if found is None else await self._bindings.holder(binding, found)
        if customer is None or customer.status != "ACTIVE":
            return None, None
        if not binding.complete:
            check_6_policy(proven.certificate, customer.kind)
            # A row that slipped by a line gives nobody somebody else's account: then it is registered anew, by number.
            if not same_person(proven.certificate, customer.kind, customer.name):
                raise Rebind
        return customer, binding

    async def _bound_before(self, proven: ProvenCertificate) -> bool:
        """A17, or an import knew this certificate by its names and number only: registration, and no session."""
        return bool(await self._bindings.of_same_name(proven.certificate)) or await self._bindings.claimed(
            proven.certificate
        )

    async def _completed(self, binding: Binding | None, proven: ProvenCertificate) -> Change | None:
        if binding is None or binding.complete:
            return None
        return await self._bindings.completing(binding, proven.certificate, proven.policy)

    async def _why_not(self, proven: ProvenCertificate, end: State) -> Refusal:
        """A good certificate that lets nobody in: suspended after a report of loss, to be bound again, or unknown."""
        if await self._bindings.suspended_by_fingerprint(proven.certificate.fingerprint.hex()) is not None:
            return BindingSuspended()
        return Rebind() if isinstance(end, Refused) and end.code == Rebind.code else NotRegistered()

    async def _spoken(self, customer: Customer, lang: str) -> Customer:
        """Whoever never said in which language they are written to is, from here on, in the one that they log in in."""
        if not await self._wishes.logged_in(customer.customer_id, lang, self._clock.now()):
            return customer
        return replace(customer, told=replace(customer.told, lang=lang))

    async def _enter(
        self,
        customer: Customer,
        level: Level,
        session: Session,
        device: str | None,
        address: str,
        resets: Sequence[str],
        facts: dict[str, str | int],
        *held: Change,
    ) -> Entered:
        """A new session id, the device remembered, the counters cleared and the audit line: one transaction."""
        fresh = None if device else base64.urlsafe_b64encode(self._token(DEVICE_BYTES)).rstrip(b"=").decode()
        named = digest(device or fresh or "")
        slot = None if level is Level.ID else customer.slot
        head = head_key(self._digests, customer)
        opened = self._sessions.rise(session, level, customer.customer_id, named, slot, head)
        now, proved = self._clock.now(), level is Level.CERT
        notice = [] if level is Level.ID else await self._told_of(customer, named, now)
        notice = [*notice, *self._notices.logged_in(customer, str(level), now, f"login:{opened.session.session}")]
        remembered = [await self._accounts.remember(customer.banking_id, named, now, proved=proved and not head)]
        if proved and head:  # what a device proved is the head's, and that it was seen the account's
            remembered += await self._devices.proved(customer, named, now)
        line = self._line(ACTIONS[level], "ok", session, address, customer, facts)
        reach("login.entering")
        rows = [*held, *opened.changes, *remembered]
        await self._store.save(Save(rows=rows, resets=list(resets), outbox=notice, audit=[line]))
        reach("login.entered")
        return Entered(opened, fresh)

    async def _told_of(self, customer: Customer, mark: str, now: datetime) -> list[Outgoing]:
        """The notice of a device that this person proved nothing on before, once a device (F6)."""
        if await self._devices.known(customer, mark):
            return []
        return self._notices.new_device(customer, now, f"new-device:{self._devices.whose(customer)}:{mark}")

    async def _refused(
        self, session: Session, address: str, failure: Failure, action: str = "login.certificate"
    ) -> None:
        facts = {"cause": failure.facts["cause"]} if "cause" in failure.facts else {}
        line = self._line(action, failure.code, session, address, None, facts)
        await self._store.save(Save(audit=[line]))

    def _line(
        self,
        action: str,
        result: str,
        session: Session,
        address: str,
        customer: Customer | None,
        facts: dict[str, str | int],
    ) -> Audit:
        return Audit(
            at=self._clock.now(),
            action=action,
            result=result,
            subject=None if customer is None else self._digests.digest("banking-id", customer.banking_id),
            session=session.session,
            address=self._digests.digest("address", address),
            facts={**facts, "head": customer.slot} if customer is not None and customer.heads else facts,
        )
