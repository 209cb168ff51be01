"""Every limit of the settings as a gate: what is tried many times at once, and how many of the tries got past it.

A try gets past where it is looked at (compared, asked of an outside party, sent, issued): with right answers that the
caller never saves, so that nothing forgives; with wrong ones where the limit is on wrong ones.
"""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, cast

from tests.clocks import SetClock

from ingam.adapters.ephemeral.valkey import ValkeyEphemeral
from ingam.center.copying.tickets import Tickets
from ingam.center.incident.forms import Report
from ingam.center.incident.reporting import Reports
from ingam.center.issuance.account import Accounting, AccountPorts, OneWonBudgetSpent
from ingam.center.issuance.card import CardChecking, CardPorts
from ingam.center.issuance.forms import Account, Card, Name
from ingam.center.issuance.identity import Identification, IdentityPorts, PersonMismatch
from ingam.center.issuance.states import AwaitingOneWon
from ingam.center.keypad.service import FIELDS, keypads
from ingam.center.walks import With
from ingam.customer.account.accounts import Accounts
from ingam.customer.additional_auth import Purpose
from ingam.customer.additional_auth.ars import TURN_S, ArsCalls
from ingam.customer.additional_auth.branch import BranchNumbers
from ingam.customer.additional_auth.medium import Media, OtpTyped
from ingam.customer.additional_auth.no_medium import NoMedium
from ingam.customer.additional_auth.numbers import numbers_of
from ingam.customer.additional_auth.proof import Bound
from ingam.customer.additional_auth.sms import SmsBudgetSpent, SmsCodes
from ingam.customer.binding.challenges import Challenges
from ingam.customer.notice import Sender
from ingam.customer.session import Level, Session
from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret
from ingam.ports.bank import Holder, Transfer
from ingam.ports.card_reader import CardKind, Reading
from ingam.ports.customers import Customer, CustomerKind
from ingam.ports.id_card import Verdict
from ingam.ports.otp import OtpAccepted
from ingam.ports.store import Issue, LedgerMove, Save, Store
from ingam.protocols import challenge
from ingam.settings import Institution, Limits

WHO = Customer("c-limits", CustomerKind.PERSONAL, "limits01", "홍길동", Secret("7510052123456"), "01085131234")
BOUND = Bound(WHO.customer_id, Purpose.REGISTRATION, "flow", "session")


@dataclass(frozen=True)
class Node:
    """One process of the center: its own connections to the stores that all share."""

    store: Store
    ephemeral: ValkeyEphemeral
    clock: SetClock
    digests: Digests


class Digests:
    """Keyed digests, counted: each comparison of a code makes one."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def digest(self, purpose: str, value: str) -> str:
        self.made.append(purpose)
        return hmac.new(b"limits", f"{purpose}:{value}".encode(), "sha256").hexdigest()


Nodes = tuple[Node, Node]
Crowd = Callable[[Callable[[Node, int], Awaitable[bool]]], Awaitable[int]]
"""Tries something on both nodes at once, by number; how many got past."""

Gate = Callable[[Nodes, Limits, Crowd], Awaitable[int]]


async def past(call: Awaitable[object]) -> bool:
    """Whether a try was let through."""
    try:
        await call
    except Refusal:
        return False
    return True


def session(number: int, device: str | None = None) -> Session:
    now = SetClock().now()
    return Session(f"{number:064x}", Level.PRE, None, "t", device, now, now, now)


# ── login ──


class Everybody:
    """Customers whose password is always right."""

    async def authenticate(self, banking_id: str, password: Secret[str]) -> Customer:
        return WHO


def accounts(node: Node, limits: Limits) -> Accounts:
    return Accounts(
        node.store, cast("Any", Everybody()), node.digests, node.ephemeral, node.clock,
        max_fail=limits.login_max_fail, address_ceiling=limits.address_logins_an_hour,
        id_ceiling=limits.id_logins_an_hour, device_ceiling=limits.device_logins_an_hour,
    )  # fmt: skip


def login(*, who: bool = False, device: bool = False, address: bool = False) -> Gate:
    """What stays the same is true; the rest differs from try to try."""

    async def gate(nodes: Nodes, limits: Limits, crowd: Crowd) -> int:
        async def attempt(node: Node, number: int) -> bool:
            at = session(number, "d" * 64 if device else None)
            name = WHO.banking_id if who else f"other{number}"
            network = "198.51.100.1" if address else f"198.51.{number // 200}.{number % 200}"
            return await past(accounts(node, limits).check_password(name, Secret("right"), at, network))

        return await crowd(attempt)

    return gate


def nonces(*, of_session: bool) -> Gate:
    async def gate(nodes: Nodes, limits: Limits, crowd: Crowd) -> int:
        async def attempt(node: Node, number: int) -> bool:
            given = Challenges(node.store, node.ephemeral, node.clock, limits, "http://localhost:8700")
            whose = session(1 if of_session else number).session
            return await past(given.issue(challenge.Purpose.LOGIN, whose, "198.51.100.1"))

        return await crowd(attempt)

    return gate


# ── additional authentication ──


def codes(node: Node, limits: Limits) -> SmsCodes:
    return SmsCodes(node.store, node.clock, node.digests, limits, Sender(Institution()), "localhost")


async def code_under_way(node: Node, limits: Limits) -> str:
    node.clock.forward(limits.sms_gap_s)
    asked = await codes(node, limits).request(WHO, BOUND.purpose, "ko")
    await node.store.save(Save(ledger=asked.ledger))
    return asked.request_id


def compared(nodes: Nodes, purpose: str) -> int:
    """Comparisons since the last look."""
    made = [one for node in nodes for one in node.digests.made if one == purpose]
    for node in nodes:
        node.digests.made.clear()
    return len(made)


def sms(*, rounds: int) -> Gate:
    """Wrong codes at `rounds` codes, one after another."""

    async def gate(nodes: Nodes, limits: Limits, crowd: Crowd) -> int:
        found = 0
        for _ in range(rounds):
            try:
                request_id = await code_under_way(nodes[0], limits)
            except SmsBudgetSpent:
                break
            compared(nodes, "sms-code")

            async def attempt(node: Node, number: int, of: str = request_id) -> bool:
                return await past(codes(node, limits).verify(WHO, BOUND, of, Secret("none")))

            await crowd(attempt)
            found += compared(nodes, "sms-code")
        return found

    return gate


async def sms_a_day(nodes: Nodes, limits: Limits, crowd: Crowd) -> int:
    async def attempt(node: Node, number: int) -> bool:
        return await past(codes(node, limits).request(WHO, BOUND.purpose, "ko"))

    found = 0
    for _ in range(limits.sms_a_day + 2):
        nodes[0].clock.forward(limits.sms_gap_s)
        found += await crowd(attempt)
    return found


async def sms_person_a_day(nodes: Nodes, limits: Limits, crowd: Crowd) -> int:
    async def attempt(node: Node, number: int) -> bool:
        return await past(codes(node, limits).request(WHO, list(Purpose)[number % 4], "ko"))

    found = 0
    for _ in range(limits.sms_person_a_day + 2):
        nodes[0].clock.forward(limits.sms_gap_s)
        found += await crowd(attempt)
    return found


async def no_medium(nodes: Nodes, limits: Limits, crowd: Crowd) -> int:
    async def attempt(node: Node, number: int) -> bool:
        right = (Secret(WHO.idn.reveal()[6:]), Secret(WHO.mobile[-4:]))
        return await past(NoMedium(node.store, node.clock, limits).check(WHO, *right))

    return await crowd(attempt)


async def branch(nodes: Nodes, limits: Limits, crowd: Crowd) -> int:
    def numbers(node: Node) -> BranchNumbers:
        return BranchNumbers(node.store, node.clock, node.digests, limits, Sender(Institution()))

    issued = await numbers(nodes[0]).issue(WHO, BOUND.purpose, "o-1", "본점")

    async def attempt(node: Node, number: int) -> bool:
        return await past(numbers(node).verify(WHO, BOUND, issued.code))

    return await crowd(attempt)


async def calls(nodes: Nodes, limits: Limits, crowd: Crowd) -> int:
    (number,) = numbers_of(WHO)

    async def attempt(node: Node, _: int) -> bool:
        given = ArsCalls(node.store, node.clock, node.digests, limits, Sender(Institution()))
        return await past(given.request(WHO, BOUND, number, "ko"))

    found = 0
    for _ in range(limits.ars_a_day + 2):
        nodes[0].clock.forward(TURN_S)  # one of a moment has its turn
        found += await crowd(attempt)
    return found


class Token:
    """A token whose code is always right."""

    async def holds(self, customer_id: str) -> bool:
        return True

    async def verify(self, customer_id: str, code: Secret[str]) -> OtpAccepted:
        return OtpAccepted()


async def otp(nodes: Nodes, limits: Limits, crowd: Crowd) -> int:
    async def attempt(node: Node, _: int) -> bool:
        media = Media(node.store, node.clock, NoMedium(node.store, node.clock, limits), limits, Token())
        return await past(media.check(WHO, OtpTyped(Secret("000000"))))

    return await crowd(attempt)


def keys(*, of_session: bool) -> Gate:
    async def gate(nodes: Nodes, limits: Limits, crowd: Crowd) -> int:
        given = [keypads(node.store, node.ephemeral, node.clock, limits, required=False) for node in nodes]

        async def attempt(node: Node, number: int) -> bool:
            whose = session(1 if of_session else number).session
            return await past(given[number % 2].give(whose, "198.51.100.1", next(iter(FIELDS))))

        return await crowd(attempt)

    return gate


# ── issuance ──


class Desk:
    """The walks of issuing, without the flow: every post is at its true step, and what is refused is raised."""

    def __init__(self, node: Node, who: Customer, state: object = None) -> None:
        self.walk = SimpleNamespace(
            customer=who, now=node.clock.now(), flow_id="issuance:limits:1", visit=None,
            here=SimpleNamespace(state=state),
        )  # fmt: skip
        self.ledger: Sequence[LedgerMove] = ()

    @asynccontextmanager
    async def turn_of(self, visit: object) -> AsyncIterator[None]:
        yield

    async def at(self, *_: object) -> object:
        return self.walk

    at_run = at

    async def refuse(self, walk: object, action: str, refusal: Refusal, *_: object) -> None:
        raise refusal

    decline = refuse

    async def save(self, walk: object, event: object, action: str, extra: With) -> None:
        self.ledger = extra.ledger

    async def record(self, *_: object) -> None:
        """Nothing of it is looked at here."""


class Outside:
    """Every outside party: it agrees, and counts how often it was asked."""

    def __init__(self) -> None:
        self.sent = 0

    async def check(self, *_: object) -> bool:
        return True

    async def read(self, image: bytes, kind: CardKind) -> Reading:
        return Reading(kind, {}, {}, b"masked")

    async def verify(self, card: object) -> Verdict:
        return Verdict.GENUINE

    async def holder(self, *_: object) -> Holder:
        return Holder(WHO.name)

    async def send_one_won(self, transfer: Transfer) -> None:
        self.sent += 1

    async def seal(self, *_: object) -> bytes:
        return b"sealed"

    def given(self, *_: object) -> list[object]:
        return []


class Kept:
    """A store in which the photograph of the run lies already."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def one(self, table: str, where: Any) -> Any:
        return {"kind": "resident"} if table == "id_card_image" else await self._store.one(table, where)


def parts(node: Node, outside: Outside) -> Any:
    return SimpleNamespace(
        store=Kept(node.store), digests=node.digests, fields=outside, consents=outside, random=lambda size: bytes(size)
    )


def identity(node: Node, limits: Limits) -> Identification:
    outside: Any = Outside()
    ports, nothing = IdentityPorts(outside, outside), cast("Any", None)
    return Identification(
        cast("Any", Desk(node, WHO)), parts(node, outside), ports, limits, nothing, nothing, nothing
    )  # fmt: skip


def card_checking(node: Node, limits: Limits) -> CardChecking:
    outside: Any = Outside()
    return CardChecking(cast("Any", Desk(node, WHO)), parts(node, outside), CardPorts(outside, outside), limits)


VISIT: Any = None


async def number_guesses(nodes: Nodes, limits: Limits, crowd: Crowd) -> int:
    async def attempt(node: Node, number: int) -> bool:
        wrong = Name(cast("Any", ()), WHO.name, Secret("7510052000000"))
        try:
            await identity(node, limits).name(VISIT, VISIT, wrong)
        except Refusal as refused:
            return isinstance(refused, PersonMismatch)
        return True

    return await crowd(attempt)


async def card_reads(nodes: Nodes, limits: Limits, crowd: Crowd) -> int:
    async def attempt(node: Node, number: int) -> bool:
        return await past(card_checking(node, limits).read(VISIT, 1, CardKind.RESIDENT, b"photograph"))

    return await crowd(attempt)


async def card_checks(nodes: Nodes, limits: Limits, crowd: Crowd) -> int:
    day = SetClock().now().date()
    card = Card(cast("Any", ()), CardKind.RESIDENT, WHO.name, WHO.idn.reveal()[:7], day, None, "", "")

    async def attempt(node: Node, number: int) -> bool:
        return await past(card_checking(node, limits).accept(VISIT, VISIT, card))

    return await crowd(attempt)


def accounting(
    node: Node, limits: Limits, outside: Outside, who: Customer, state: object = None, desk: Desk | None = None
) -> Accounting:
    bank = AccountPorts(cast("Any", outside), cast("Any", outside))
    return Accounting(cast("Any", desk or Desk(node, who, state)), parts(node, outside), bank, limits)


def one_won(*, person: bool) -> Gate:
    """Transfers to one person's accounts, or to one account of many persons: what counts is the money that left."""

    async def gate(nodes: Nodes, limits: Limits, crowd: Crowd) -> int:
        outside = Outside()

        async def attempt(node: Node, number: int) -> bool:
            who = WHO if person else replace(WHO, customer_id=f"c-{number}")
            to = Account(cast("Any", ()), "004", Secret(f"10020030{number:04d}" if person else "100200300400"))
            return await past(accounting(node, limits, outside, who).send(VISIT, VISIT, to))

        await crowd(attempt)
        return outside.sent

    return gate


def one_won_digits(*, rounds: int) -> Gate:
    """Wrong digits at `rounds` transfers, one after another."""

    async def gate(nodes: Nodes, limits: Limits, crowd: Crowd) -> int:
        found = 0
        for transfer in range(rounds):
            try:
                state = await digits_under_way(nodes[0], limits, transfer)
            except OneWonBudgetSpent:
                break
            compared(nodes, "onewon-code")

            async def attempt(node: Node, number: int, here: AwaitingOneWon = state) -> bool:
                return await past(accounting(node, limits, Outside(), WHO, here).prove(VISIT, VISIT, Secret("0000")))

            await crowd(attempt)
            found += compared(nodes, "onewon-code")
        return found

    return gate


async def digits_under_way(node: Node, limits: Limits, number: int) -> AwaitingOneWon:
    desk = Desk(node, WHO)
    to = Account(cast("Any", ()), "004", Secret(f"10020030{number:04d}"))
    await accounting(node, limits, Outside(), WHO, desk=desk).send(VISIT, VISIT, to)
    (issued,) = desk.ledger
    assert isinstance(issued, Issue)
    await node.store.save(Save(ledger=desk.ledger))
    nothing: Any = None
    return AwaitingOneWon(nothing, nothing, "", issued.id, "004", "", node.clock.now(), issued.expires_at)


# ── copying ──


def copies(what: str) -> Gate:
    async def gate(nodes: Nodes, limits: Limits, crowd: Crowd) -> int:
        async def attempt(node: Node, number: int) -> bool:
            tickets = Tickets(node.store, node.digests, cast("Any", None), "http://localhost:8705", limits)
            walk = cast("Any", SimpleNamespace(customer=WHO, now=node.clock.now()))
            return await past(getattr(tickets, what)(walk))

        return await crowd(attempt)

    return gate


# ── 사고신고 ──


def incidents(*, whose: str) -> Gate:
    """Reports of one ID, or from one network."""

    async def gate(nodes: Nodes, limits: Limits, crowd: Crowd) -> int:
        async def attempt(node: Node, number: int) -> bool:
            reports = Reports(node.store, node.ephemeral, node.clock, node.digests, limits)
            one = session(number)
            told = Report(WHO.banking_id if whose == "id" else f"limits{number:04}", WHO.idn, False)
            address = "198.51.100.7" if whose == "network" else f"198.51.100.{number}"
            return await past(reports.receive(told, one, address, "ko"))

        return await crowd(attempt)

    return gate


MANY = 10_000
"""A neighbouring limit that is not under test."""

GATES: dict[str, tuple[Gate, dict[str, int]]] = {
    "login_max_fail": (login(who=True), {}),
    "id_logins_an_hour": (login(who=True), {"login_max_fail": MANY}),
    "device_logins_an_hour": (login(device=True), {}),
    "address_logins_an_hour": (login(address=True), {}),
    "nonces_open": (nonces(of_session=True), {}),
    "nonces_an_hour": (nonces(of_session=True), {"nonces_open": 50}),
    "address_nonces_an_hour": (nonces(of_session=False), {}),
    "sms_tries": (sms(rounds=1), {}),
    "sms_wrong_a_day": (sms(rounds=3), {}),
    "sms_a_day": (sms_a_day, {}),
    "sms_person_a_day": (sms_person_a_day, {"sms_a_day": MANY}),
    "ars_a_day": (calls, {}),
    "otp_tries": (otp, {}),
    "keypads_an_hour": (keys(of_session=True), {}),
    "address_keypads_an_hour": (keys(of_session=False), {}),
    "incidents_an_hour": (incidents(whose="id"), {}),
    "address_incidents_an_hour": (incidents(whose="network"), {}),
    "no_medium_max_fail": (no_medium, {}),
    "branch_tries": (branch, {}),
    "vid_max_fail": (number_guesses, {}),
    "idcard_reads": (card_reads, {}),
    "idcard_checks_a_day": (card_checks, {}),
    "onewon_tries": (one_won_digits(rounds=1), {}),
    "onewon_wrong_a_month": (one_won_digits(rounds=3), {}),
    "onewon_person_a_day": (one_won(person=True), {}),
    "onewon_account_a_day": (one_won(person=False), {}),
    "copy_opens": (copies("count_open"), {}),
    "copy_runs": (copies("count_run"), {}),
}
"""By the limit's name: its gate, and what its neighbours are set to."""
