"""①본인확인: who the person is, by documents, name and number, a telephone or a certificate.

Each is compared with the customer of this session, in the service (security E7).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from ingam.center import budgets
from ingam.center.budgets import Budget, TooOften
from ingam.center.issuance.flow import IdentityAsked, IdentityProved, NameChecked
from ingam.center.issuance.forms import Name, Phone
from ingam.center.issuance.states import (
    Asked,
    AwaitingOneWon,
    Consenting,
    IdCardAccepted,
    NameConfirmed,
    PhoneProved,
    Proved,
    State,
)
from ingam.center.issuance.walks import Walk, Walks
from ingam.center.walks import Turn, Visit, With
from ingam.customer.binding.bindings import SealDetails
from ingam.customer.binding.challenges import Challenges, NonceInvalid
from ingam.customer.binding.proof import Prover, SealOpener, UnverifiedPresentation, prove_ownership
from ingam.customer.consent import Consents, Document
from ingam.customer.heads import counter, person_key
from ingam.customer.person import birth_date, is_foreign, same_name
from ingam.kernel.errors import Failure, Outage, Refusal
from ingam.kernel.secret import Secret
from ingam.kernel.steps import reach
from ingam.kernel.words import say
from ingam.ports.keys import Digests
from ingam.ports.phone_identity import Asked as Asking
from ingam.ports.phone_identity import Identity, Method, PhoneIdentity, PhoneIdentityTooMany
from ingam.ports.real_name import RealName
from ingam.ports.store import Change, Count, Insert, Row, Store
from ingam.protocols import challenge as protocol

DAY_S: Final = 86_400
ASKINGS_A_DAY: Final = 20
"""Codes and app messages of the agency for one person."""
LOOKS_A_DAY: Final = 200
"""Whether somebody has confirmed in the app yet."""
REAL_NAMES_A_DAY: Final = 30
"""Questions to the real-name service about one person: 이전 leads back to it as often as one likes."""
FIRST_CONSENTS: Final = ("T1", "T2", "T3", "T4", "T5", "T6")
PHONE_CONSENT: Final = "T8"
CARD_CONSENT: Final = "T9"
ACCOUNT_CONSENT: Final = "T7"
_CONSENTS: Final[Mapping[type[State], tuple[str, ...]]] = {
    Consenting: FIRST_CONSENTS,
    NameConfirmed: (PHONE_CONSENT,),
    PhoneProved: (CARD_CONSENT,),
    IdCardAccepted: (ACCOUNT_CONSENT,),
    AwaitingOneWon: (ACCOUNT_CONSENT,),
}
"""Which documents each screen asks agreement to (flows.md)."""


class PersonMismatch(Refusal):
    """Name and number are not those of the customer of this session, and it is not said which (M-CUST-01)."""

    code = "issuance-person-mismatch"


class PersonLocked(Refusal):
    """Too many wrong numbers of this person."""

    code = "issuance-person-locked"


class NameMismatch(Refusal):
    """The real-name service does not know this name with this number (M-NAME-NG)."""

    code = "real-name-mismatch"


class IdentityMismatch(Refusal):
    """The telephone's or the certificate's holder is somebody else, or was another person before (M-PID-01)."""

    code = "identity-mismatch"


class IdentityNotAsked(Refusal):
    """[확인] was pressed before a code was asked for, or its time is over."""

    code = "identity-not-asked"


class Limits(Protocol):
    """Counts of ①."""

    @property
    def vid_max_fail(self) -> int: ...
    @property
    def sms_wrong_a_day(self) -> int: ...


@dataclass(frozen=True, slots=True)
class IdentityPorts:
    """The outside parties of ①."""

    real_name: RealName
    phone: PhoneIdentity


@dataclass(frozen=True, slots=True)
class Parts:
    """What the steps of the center share."""

    store: Store
    digests: Digests
    fields: SealDetails
    consents: Consents
    random: Callable[[int], bytes] = field(default=secrets.token_bytes)


class Identification:
    """The steps of ①."""

    def __init__(
        self, walks: Walks, parts: Parts, ports: IdentityPorts, limits: Limits,
        challenges: Challenges, prover: Prover, seal_keys: SealOpener,
    ) -> None:  # fmt: skip
        self._walks, self._parts, self._ports, self._limits = walks, parts, ports, limits
        self._challenges, self._prover, self._seal_keys = challenges, prover, seal_keys

    def documents(self, state: State) -> Sequence[Document]:
        """What the screen of a state asks agreement to."""
        return self._parts.consents.documents(_CONSENTS.get(type(state), ()), self._walks.now())

    # ① 실명확인

    async def name(self, visit: Visit, turn: Turn, command: Name) -> None:
        """[실명확인]: the documents, the name and the number.

        Raises Consent…, PersonMismatch, PersonLocked, TooOften, NameMismatch, RealNameOutage, TrueStep.
        """
        async with self._walks.turn_of(visit):
            walk = await self._walks.at(visit, turn, Consenting)
            rows = self._parts.consents.given(
                walk.customer.customer_id, FIRST_CONSENTS, command.consents, walk.flow_id, walk.now
            )
            resets = await self._match(walk, command)
            names = Budget(f"real-name:{walk.customer.customer_id}", DAY_S, REAL_NAMES_A_DAY)
            if not await budgets.spent(self._parts.store, names, walk.now):
                await self._walks.refuse(walk, "name", TooOften())
            reach("issuance.3")
            if not await self._real(walk, command, resets):
                # It was told a name and a number.
                await self._walks.refuse(walk, "name", NameMismatch(), With(rows=rows))
            reach("issuance.4")
            await self._walks.save(walk, NameChecked(walk.now), "name", With(rows=rows, resets=resets))
            reach("issuance.5")

    async def _match(self, walk: Walk, command: Name) -> list[str]:
        """Guesses at the number are counted by person, before the comparison (A16, F9)."""
        key = counter("number-fail", walk.customer)
        counted = await self._parts.store.count(Count(key, DAY_S, self._limits.vid_max_fail, walk.now))
        if counted > self._limits.vid_max_fail:
            await self._walks.decline(walk, "name", PersonLocked())
        number, name = command.idn == walk.customer.idn, same_name(command.name, walk.customer.name)
        if not (number and name):
            await self._walks.refuse(walk, "name", PersonMismatch())
        return [key]

    async def _real(self, walk: Walk, command: Name, resets: list[str]) -> bool:
        """An outage is nobody's guess: the number was right, and that forgives."""
        try:
            return await self._ports.real_name.check(command.name, command.idn)
        except Outage as outage:
            await self._walks.record(walk, "name", outage.code, With(resets=resets))
            raise

    # ① 본인인증

    async def ask_phone(self, visit: Visit, turn: Turn, command: Phone) -> None:
        """휴대폰본인인증: the carrier sends a code or asks in its app.

        Raises ConsentMissing, ConsentOutdated, PhoneIdentityMismatch, PhoneIdentityTooMany, PhoneIdentityOutage.
        """
        async with self._walks.turn_of(visit):
            walk = await self._walks.at(visit, turn, NameConfirmed)
            rows = self._parts.consents.given(
                walk.customer.customer_id, (PHONE_CONSENT,), command.consents, walk.flow_id, walk.now
            )
            asked = Asking(
                self._parts.random(16).hex(), walk.customer.name, Secret(walk.customer.idn.reveal()[:7]),
                command.mobile, command.carrier, command.method,
            )  # fmt: skip
            if not await budgets.spent(self._parts.store, self._askings(walk), walk.now):
                await self._walks.refuse(walk, "phone", PhoneIdentityTooMany())
            reach("issuance.6")
            try:
                started = await self._ports.phone.start(asked)
            except Refusal as refused:
                await self._walks.refuse(walk, "phone", refused, With(rows=rows))
            reach("issuance.7")
            key = self._mobile_key(command.mobile)
            event = IdentityAsked(Asked(started.transaction, key, started.expires, str(command.method)))
            await self._walks.save(walk, event, "phone", With(rows=rows))
            reach("issuance.8")

    async def ask_again(self, visit: Visit, turn: Turn) -> None:
        """재전송. Raises IdentityNotAsked and what the carrier refuses."""
        async with self._walks.turn_of(visit):
            walk, asked = await self._asked(visit, turn)
            if not await budgets.spent(self._parts.store, self._askings(walk), walk.now):
                await self._walks.refuse(walk, "phone-again", PhoneIdentityTooMany())
            try:
                started = await self._ports.phone.resend(asked.transaction)
            except Refusal as refused:
                await self._walks.refuse(walk, "phone-again", refused)
            event = IdentityAsked(Asked(started.transaction, asked.mobile_key, started.expires, asked.method))
            await self._walks.save(walk, event, "phone-again", With())

    async def prove_phone(self, visit: Visit, turn: Turn, otp: Secret[str]) -> None:
        """The code: the result is fetched from the provider, and compared here (E7).

        Raises IdentityNotAsked, IdentityMismatch, and what the carrier refuses.
        """
        async with self._walks.turn_of(visit):
            walk, asked = await self._asked(visit, turn)
            resets = await self._count_code(walk, asked)
            reach("issuance.9")
            try:
                found = await self._ports.phone.confirm(asked.transaction, otp)
            except Refusal as refused:
                await self._walks.refuse(walk, "phone-proof", refused)
            rows = await self._same_person(walk, found, asked)
            reach("issuance.10")
            event = IdentityProved(walk.now, Proved("phone", asked.mobile_key))
            await self._walks.save(walk, event, "phone-proof", With(rows=rows, resets=resets))
            reach("issuance.11")

    def _askings(self, walk: Walk) -> Budget:
        """Messages that a person's telephone gets of one day."""
        return Budget(f"identity-ask:{walk.customer.customer_id}", DAY_S, ASKINGS_A_DAY)

    async def _count_code(self, walk: Walk, asked: Asked) -> list[str]:
        """Each try, before the agency is asked; over all transactions, each of which has tries of its own (E3)."""
        if asked.method == str(Method.APP):  # nothing is typed, so nothing is guessed
            looks = Budget(f"identity-look:{walk.customer.customer_id}", DAY_S, LOOKS_A_DAY)
            if not await budgets.spent(self._parts.store, looks, walk.now):
                await self._walks.refuse(walk, "phone-proof", TooOften())
            return []
        codes = Budget(f"identity-wrong:{walk.customer.customer_id}", DAY_S, self._limits.sms_wrong_a_day)
        if not await budgets.spent(self._parts.store, codes, walk.now):
            await self._walks.refuse(walk, "phone-proof", PhoneIdentityTooMany())
        return [codes.key]

    async def _asked(self, visit: Visit, turn: Turn) -> tuple[Walk, Asked]:
        walk = await self._walks.at(visit, turn, NameConfirmed)
        state = walk.here.state
        if not isinstance(state, NameConfirmed) or state.asked is None or state.asked.expires_at <= walk.now:
            raise IdentityNotAsked
        return walk, state.asked

    async def _same_person(self, walk: Walk, found: Identity, asked: Asked) -> list[Change]:
        """Name, birth date, origin, number and CI; the CI is remembered as a keyed digest the first time."""
        customer = walk.customer
        ci = self._parts.digests.digest("ci", found.ci.reveal())
        whose = person_key(self._parts.digests, customer)
        known = await self._parts.store.one("identity_proof", {"customer_id": whose})
        same = (
            same_name(found.name, customer.name)
            and found.birth_date == birth_date(customer.idn.reveal())
            and found.foreigner == is_foreign(customer.idn.reveal())
            and self._mobile_key(found.mobile) == asked.mobile_key
            and (known is None or known["ci_key"] == ci)
        )
        if not same:
            await self._walks.refuse(walk, "phone-proof", IdentityMismatch())
        if known is not None:
            return []
        row: Row = {"customer_id": whose, "ci_key": ci, "method": "phone", "at": walk.now}
        return [Insert("identity_proof", row)]

    def _mobile_key(self, mobile: str) -> str:
        return self._parts.digests.digest("mobile", mobile)

    async def challenge(self, visit: Visit, run: int) -> dict[str, str | bool | None]:
        """공동인증서 인증: what the certificate window signs. Raises TrueStep, TooManyChallenges."""
        async with self._walks.turn_of(visit):
            walk = await self._walks.at_run(visit, run, NameConfirmed)
            given = await self._challenges.issue(
                protocol.Purpose.IDENTITY, visit.session.session, visit.address,
                body_text=say("issuance.identity_body", visit.lang), notes={"flow": walk.flow_id},
            )  # fmt: skip
            return given.for_window(seal=True, customer_kind=str(walk.customer.kind), lang=visit.lang)

    async def prove_certificate(self, visit: Visit, run: int, nonce: str, signed: bytes, sealed: bytes | None) -> None:
        """A certificate of the person that is accepted here: checks 2-9 of a registration, and nothing is bound.

        Raises TrueStep, NonceInvalid, CheckFailed, PersonLocked, SealUnreadable, and outages of the status.
        """
        async with self._walks.turn_of(visit):
            walk = await self._walks.at_run(visit, run, NameConfirmed)
            try:
                await self._owned(walk, nonce, signed, sealed)
            except Failure as failure:
                await self._walks.record(walk, "certificate-proof", failure.code, With())
                raise
            event = IdentityProved(walk.now, Proved("certificate", None))
            await self._walks.save(walk, event, "certificate-proof", With(resets=[counter("vid-fail", walk.customer)]))

    async def _owned(self, walk: Walk, nonce: str, signed: bytes, sealed: bytes | None) -> None:
        session, customer = walk.visit.session, walk.customer
        given = await self._challenges.claim(frozenset({protocol.Purpose.IDENTITY}), session.session, nonce)
        if given.notes.get("flow") != walk.flow_id:
            raise NonceInvalid(check=2, cause="other-flow")
        presentation = UnverifiedPresentation(given.challenge, signed, sealed)
        proven = await self._prover.prove(presentation, kind=customer.kind, fresh=True, at=walk.now)
        key = counter("vid-fail", customer)
        counted = await self._parts.store.count(Count(key, DAY_S, self._limits.vid_max_fail, walk.now))
        if counted > self._limits.vid_max_fail:
            raise PersonLocked
        prove_ownership(proven, customer, self._seal_keys)
