"""②신분증: a photograph is read, its fields are the customer's, and the card's issuer says that it is genuine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from ingam.center import budgets
from ingam.center.budgets import Budget
from ingam.center.issuance.flow import CardAccepted
from ingam.center.issuance.forms import Card
from ingam.center.issuance.identity import CARD_CONSENT, DAY_S, Parts
from ingam.center.issuance.states import PhoneProved
from ingam.center.issuance.walks import Walk, Walks
from ingam.center.walks import Turn, Visit, With
from ingam.customer.person import birth_date, same_name
from ingam.kernel.errors import Refusal
from ingam.kernel.steps import reach
from ingam.ports.card_reader import CardKind, CardReader, Reading
from ingam.ports.customers import Customer
from ingam.ports.id_card import DriverLicence, IdCards, ResidentCard, Verdict
from ingam.ports.store import Change, Delete, Insert, Row


class CardMismatch(Refusal):
    """What stands on the card differs from the steps before (M-ID-03)."""

    code = "id-card-person-mismatch"


class CardNotGenuine(Refusal):
    """Its issuer's record says otherwise (M-ID-02)."""

    code = "id-card-mismatch"


class CardLost(Refusal):
    """Reported lost, or an older one than the person's present card (M-ID-04)."""

    code = "id-card-lost"


class CardTries(Refusal):
    """The photographs of this run, or the checks of this day, are used up."""

    code = "id-card-tries"


class CardNotRead(Refusal):
    """The fields came without a photograph of such a card in this run."""

    code = "id-card-not-read"


class Limits(Protocol):
    """Counts of ②."""

    @property
    def idcard_reads(self) -> int: ...
    @property
    def idcard_checks_a_day(self) -> int: ...


@dataclass(frozen=True, slots=True)
class CardPorts:
    """The outside parties of ②."""

    reader: CardReader
    cards: IdCards


class CardChecking:
    """The steps of ②."""

    def __init__(self, walks: Walks, parts: Parts, ports: CardPorts, limits: Limits) -> None:
        self._walks, self._parts, self._ports, self._limits = walks, parts, ports, limits

    async def read(self, visit: Visit, run: int, kind: CardKind, image: bytes) -> Reading:
        """A photograph: its fields for the person to correct; the masked image is kept sealed until its date (H8).

        Raises TrueStep, CardTries, CardUnreadable and the other refusals of the reader, CardReaderOutage.
        """
        async with self._walks.turn_of(visit):
            walk = await self._walks.at_run(visit, run, PhoneProved)
            reads = Budget(f"idcard-read:{walk.flow_id}", DAY_S, self._limits.idcard_reads)
            if not await budgets.left(self._parts.store, reads, walk.now):
                await self._walks.refuse(walk, "card-read", CardTries())
            try:
                found = await self._ports.reader.read(image, kind)
            except Refusal as refused:
                await budgets.spent(self._parts.store, reads, walk.now)
                await self._walks.refuse(walk, "card-read", refused)
            if not await budgets.spent(self._parts.store, reads, walk.now):
                await self._walks.refuse(walk, "card-read", CardTries())
            reach("issuance.12")
            await self._walks.record(walk, "card-read", "ok", With(rows=await self._image(walk, found)))
            return found

    async def _image(self, walk: Walk, found: Reading) -> list[Change]:
        """The newest photograph of a run takes the place of the one before."""
        customer_id, image_id = walk.customer.customer_id, self._parts.random(16).hex()
        sealed = await self._parts.fields.seal(customer_id, "id_card_image", "image", image_id, found.masked)
        row: Row = {
            "image_id": image_id, "flow_id": walk.flow_id, "customer_id": customer_id, "kind": str(found.kind),
            "image": sealed, "taken_at": walk.now,
            "delete_at": walk.now + timedelta(seconds=DAY_S),  # longer once the authority is asked: it is evidence then
        }  # fmt: skip
        return [Delete("id_card_image", {"flow_id": walk.flow_id}), Insert("id_card_image", row)]

    async def accept(self, visit: Visit, turn: Turn, command: Card) -> None:
        """[확인] at ②: the corrected fields against the customer, then against the issuer's record.

        Raises CardNotRead, CardMismatch, CardNotGenuine, CardLost, CardTries, IdCardOutage, TrueStep, Consent….
        """
        async with self._walks.turn_of(visit):
            walk = await self._walks.at(visit, turn, PhoneProved)
            rows = self._parts.consents.given(
                walk.customer.customer_id, (CARD_CONSENT,), command.consents, walk.flow_id, walk.now
            )
            image = await self._parts.store.one("id_card_image", {"flow_id": walk.flow_id})
            if image is None or image["kind"] != str(command.kind):
                await self._walks.refuse(walk, "card", CardNotRead())
            if not _of(walk.customer, command):
                await self._walks.refuse(walk, "card", CardMismatch())
            await self._genuine(walk, command, rows)
            reach("issuance.14")
            event = CardAccepted(walk.now, str(command.kind))
            await self._walks.save(walk, event, "card", With(rows=rows))
            reach("issuance.15")

    async def _genuine(self, walk: Walk, command: Card, consents: list[Change]) -> None:
        checks = Budget(f"idcard-check:{walk.customer.customer_id}", DAY_S, self._limits.idcard_checks_a_day)
        if not await budgets.left(self._parts.store, checks, walk.now):
            await self._walks.refuse(walk, "card", CardTries())
        reach("issuance.13")
        verdict = await self._ports.cards.verify(_asked_of(walk.customer, command))
        if not await budgets.spent(self._parts.store, checks, walk.now):
            await self._walks.refuse(walk, "card", CardTries())
        if verdict is Verdict.LOST:
            await self._walks.refuse(walk, "card", CardLost(), With(rows=consents))
        if verdict is not Verdict.GENUINE:
            await self._walks.refuse(walk, "card", CardNotGenuine(), With(rows=consents))


def _of(customer: Customer, card: Card) -> bool:
    """Whether the card's name and front of the number (or birth date) are the customer's."""
    idn = customer.idn.reveal()
    if not same_name(card.name, customer.name):
        return False
    if card.kind is CardKind.RESIDENT:
        return card.number_front == idn[:7]
    return card.birth_date == birth_date(idn)


def _asked_of(customer: Customer, card: Card) -> ResidentCard | DriverLicence:
    """The whole number comes from the record: it was compared at ①, and no photograph's back half is ever kept."""
    if card.kind is CardKind.RESIDENT:
        assert card.issued_on is not None
        return ResidentCard(card.name, customer.idn, card.issued_on)
    born = birth_date(customer.idn.reveal())
    assert born is not None
    return DriverLicence(card.name, born, card.licence_number, card.licence_serial or None)
