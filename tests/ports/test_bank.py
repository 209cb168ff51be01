"""What the way to the banks promises (`ingam.ports.bank`): 오픈뱅킹's adapter against the sandbox's own service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.ports.outside import WAIT_S, Outside, assert_silent, outside, run

from ingam.adapters.bank.open_banking import Contract, OpenBanking
from ingam.adapters.outgoing import Breaker
from ingam.kernel.errors import Failure
from ingam.kernel.secret import Secret
from ingam.ports.bank import (
    BankAccountRefused,
    BankAccountUnknown,
    BankClosed,
    BankHolderMismatch,
    BankOutage,
    BankUnclear,
    Holder,
    Sent,
    Transfer,
)
from ingam.sandbox.people import PEOPLE, person

BASE = "http://localhost:1/openbanking"
CONTRACT = Contract("M202600001", "client", Secret("s3cret"), Secret("1000200030004000"), Secret("phrase"))
HONG = person("hong")
assert HONG.bank is not None
BANK, ACCOUNT, BIRTH = HONG.bank.bank_code, Secret(HONG.bank.account), Secret(HONG.idn[:6])
REFERENCE = "ABCDEFGHJKLMNPQRSTUV"
WON = Transfer(REFERENCE, BANK, ACCOUNT, "4829", HONG.name)

Answer = Callable[[httpx2.Request], httpx2.Response]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Outside]:
    made = outside(tmp_path)
    yield made
    made.box.phones.close()
    made.box.deposits.close()
    made.box.mails.close()


class Counting(httpx2.AsyncBaseTransport):
    """The way to the sandbox, which counts calls by path and may lose or replace what comes back."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, answers: dict[str, list[Answer]] | None = None) -> None:
        self._inner = inner
        self._answers = answers or {}
        self.asked: list[str] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path.removeprefix("/openbanking")
        self.asked.append(path)
        if self._answers.get(path):
            return self._answers[path].pop(0)(request)
        return await self._inner.handle_async_request(request)

    def calls(self, path: str) -> int:
        """How often a path was asked."""
        return self.asked.count(path)


DEPOSIT, RESULT, TOKEN = "/v2.0/transfer/deposit/acnt_num", "/v2.0/transfer/result", "/oauth/2.0/token"
REAL_NAME = "/v2.0/inquiry/real_name"


@asynccontextmanager
async def opened(
    world: Outside, transport: httpx2.AsyncBaseTransport | None = None, breaker: Breaker | None = None
) -> AsyncIterator[OpenBanking]:
    async with OpenBanking(
        BASE, contract=CONTRACT, clock=world.clock, transport=transport or world.transport, answer_s=WAIT_S,
        breaker=breaker,
    ) as bank:  # fmt: skip
        yield bank


def asked(world: Outside, ask: Callable[[OpenBanking], Awaitable[Any]], transport: Any = None) -> Any:
    async def once() -> Any:
        async with opened(world, transport) as bank:
            return await ask(bank)

    return run(once)


def hongs(bank: OpenBanking) -> Awaitable[Holder]:
    return bank.holder(BANK, ACCOUNT, BIRTH)


def won(bank: OpenBanking) -> Awaitable[Sent]:
    return bank.send_one_won(WON)


def statement(world: Outside) -> list[str]:
    return [one.print_content for one in world.box.deposits.statement(BANK, ACCOUNT.reveal())]


def test_the_holder_of_every_demo_account_is_told(world: Outside) -> None:
    async def walk() -> None:
        async with opened(world) as bank:
            for one in PEOPLE:
                if one.bank is not None:
                    found = await bank.holder(one.bank.bank_code, Secret(one.bank.account), Secret(one.idn[:6]))
                    assert found == Holder(one.name)

    run(walk)


@pytest.mark.parametrize(
    ("bank_code", "account", "birth", "refusal"),
    [
        (BANK, "999999999999", HONG.idn[:6], BankAccountUnknown),
        ("088", HONG.bank.account, HONG.idn[:6], BankAccountUnknown),
        ("999", HONG.bank.account, HONG.idn[:6], BankAccountUnknown),
        (BANK, HONG.bank.account, "800101", BankHolderMismatch),
    ],
)
def test_nobody_elses_account_is_told(
    world: Outside, bank_code: str, account: str, birth: str, refusal: type[Failure]
) -> None:
    with pytest.raises(refusal) as refused:
        asked(world, lambda bank: bank.holder(bank_code, Secret(account), Secret(birth)))
    assert_nothing_told(refused.value)


def test_one_won_arrives_with_the_four_digits(world: Outside) -> None:
    assert asked(world, won) == Sent(REFERENCE)
    [one] = world.box.deposits.statement(BANK, ACCOUNT.reveal())
    assert (one.amount, one.print_content) == (1, "4829")
    assert len(one.transaction) == 20
    assert one.transaction.startswith("M202600001U")


def test_the_same_transfer_again_moves_no_money_again(world: Outside) -> None:
    async def walk() -> None:
        async with opened(world) as bank:
            assert await bank.send_one_won(WON) == await bank.send_one_won(WON) == Sent(REFERENCE)

    run(walk)
    assert statement(world) == ["4829"]


def test_another_reference_is_another_transfer(world: Outside) -> None:
    async def walk() -> None:
        async with opened(world) as bank:
            await bank.send_one_won(WON)
            await bank.send_one_won(replace(WON, reference="VUTSRQPNMLKJHGFEDCBA", print_content="1111"))

    run(walk)
    assert statement(world) == ["1111", "4829"]


def test_a_transfer_to_another_name_is_refused_and_nothing_moves(world: Outside) -> None:
    with pytest.raises(BankHolderMismatch):
        asked(world, lambda bank: bank.send_one_won(replace(WON, holder="김증권")))
    assert statement(world) == []


def test_a_transfer_to_an_unknown_account_or_bank_is_refused(world: Outside) -> None:
    for account, code in ((Secret("123"), BANK), (ACCOUNT, "999"), (ACCOUNT, "293"), (ACCOUNT, "088")):
        with pytest.raises(BankAccountUnknown):
            asked(world, partial(OpenBanking.send_one_won, transfer=replace(WON, account=account, bank_code=code)))
    assert statement(world) == []


def test_a_lost_answer_is_found_by_the_result_inquiry_and_never_sent_again(world: Outside) -> None:
    world.switches.turn("party", "bank", "unclear")
    way = Counting(world.transport)
    assert asked(world, won, way) == Sent(REFERENCE)
    assert statement(world) == ["4829"]
    assert (way.calls(DEPOSIT), way.calls(RESULT)) == (1, 1)


def lost(_request: httpx2.Request) -> httpx2.Response:
    raise httpx2.ReadTimeout("canary")


def broken(_request: httpx2.Request) -> httpx2.Response:
    raise httpx2.RemoteProtocolError("canary")


def unreachable(_request: httpx2.Request) -> httpx2.Response:
    raise httpx2.ConnectError("canary")


def answer(status: int, body: object) -> Answer:
    return lambda _request: httpx2.Response(status, json=body)


def item(code: str, bank: str) -> Answer:
    def told(request: httpx2.Request) -> httpx2.Response:
        transaction = httpx2.Response(200, content=request.content).json()["req_list"][0]["bank_tran_id"]
        found = {"bank_tran_id": transaction, "bank_rsp_code": bank}
        return httpx2.Response(200, json={"rsp_code": code, "res_list": [found]})

    return told


@pytest.mark.parametrize(
    "said",
    [
        lost, broken, answer(500, {}), answer(504, {}), answer(200, []), answer(200, {}), item("A0007", ""),
        answer(200, {"rsp_code": "A0000"}), answer(200, {"rsp_code": "A0000", "res_list": [{"bank_tran_id": "other"}]}),
        item("A0000", "400"), item("A0000", "803"), item("A0002", "822"), item("A0000", ""),
        answer(200, {"rsp_code": "A0326"}),
    ],
)  # fmt: skip
def test_H1_an_unclear_answer_of_which_nothing_is_known_is_unclear_and_not_sent_again(
    world: Outside, said: Answer
) -> None:
    way = Counting(world.transport, {DEPOSIT: [said]})
    with pytest.raises(BankUnclear) as unclear:
        asked(world, won, way)
    assert (way.calls(DEPOSIT), way.calls(RESULT)) == (1, 1)
    assert_nothing_told(unclear.value)


@pytest.mark.parametrize("said", [lost, answer(503, {})])
def test_an_inquiry_that_is_not_answered_leaves_it_unclear_and_the_same_transfer_finds_it_later(
    world: Outside, said: Answer
) -> None:
    world.switches.turn("party", "bank", "unclear")
    way = Counting(world.transport, {RESULT: [said] * 3})
    with pytest.raises(BankUnclear):
        asked(world, won, way)
    assert way.calls(DEPOSIT) == 1
    world.switches.turn("party", "bank", "normal")
    assert asked(world, won) == Sent(REFERENCE)
    assert statement(world) == ["4829"]


@pytest.mark.parametrize("bank_code", ["415", "416", "419", "420"])
def test_a_stopped_account_is_refused(world: Outside, bank_code: str) -> None:
    with pytest.raises(BankAccountRefused):
        asked(world, won, Counting(world.transport, {DEPOSIT: [item("A0002", bank_code)]}))


@pytest.mark.parametrize(
    "said", [item("A0002", "499"), answer(200, {"rsp_code": "A0301"}), answer(400, {}), unreachable]
)
def test_a_definite_no_is_an_outage_in_which_nothing_is_asked_again(world: Outside, said: Answer) -> None:
    way = Counting(world.transport, {DEPOSIT: [said]})
    with pytest.raises(BankOutage) as outage:
        asked(world, won, way)
    assert not isinstance(outage.value, BankUnclear)
    assert (way.calls(DEPOSIT), way.calls(RESULT)) == (1, 0)
    assert statement(world) == []
    assert_nothing_told(outage.value)


def test_a_closed_bank_says_so(world: Outside) -> None:
    world.switches.turn("party", "bank", "closed")
    for ask in (hongs, won):
        with pytest.raises(BankClosed):
            asked(world, ask)
    assert statement(world) == []


def test_a_slow_bank_is_waited_for(world: Outside) -> None:
    world.switches.turn("party", "bank", "slow")
    assert asked(world, hongs) == Holder(HONG.name)
    assert asked(world, won) == Sent(REFERENCE)


@pytest.mark.parametrize("position", ["off", "timeout"])
def test_H1_a_silent_bank_is_an_outage_and_nothing_moves(world: Outside, position: str) -> None:
    world.switches.turn("party", "bank", position)
    for ask in (hongs, won):
        with pytest.raises(BankOutage) as outage:
            asked(world, ask)
        assert_nothing_told(outage.value)
    assert statement(world) == []


def test_a_bank_that_falls_silent_after_the_token_leaves_it_unclear(world: Outside) -> None:
    async def walk() -> None:
        async with opened(world) as bank:
            await hongs(bank)
            world.switches.turn("party", "bank", "off")
            with pytest.raises(BankUnclear):
                await won(bank)
            world.switches.turn("party", "bank", "normal")
            assert await won(bank) == Sent(REFERENCE)

    run(walk)
    assert statement(world) == ["4829"]


def test_a_wrong_holder_is_told_as_another_name_and_gets_no_money(world: Outside) -> None:
    world.switches.turn("party", "bank", "wrong-holder")
    assert asked(world, hongs) != Holder(HONG.name)
    with pytest.raises(BankHolderMismatch):
        asked(world, won)
    assert statement(world) == []


def test_one_token_serves_all_calls_until_it_ends(world: Outside) -> None:
    way = Counting(world.transport)

    async def walk() -> None:
        async with opened(world, way) as bank:
            await asyncio.gather(*(hongs(bank) for _ in range(5)))
            assert way.calls(TOKEN) == 1
            world.clock.forward(90 * 86_400 - 59)
            await hongs(bank)
            assert way.calls(TOKEN) == 2

    run(walk)


def test_a_token_that_is_not_taken_any_more_is_fetched_anew_once(world: Outside) -> None:
    refused = answer(401, {"rsp_code": "O0003"})
    way = Counting(world.transport, {REAL_NAME: [refused], DEPOSIT: [answer(200, {"rsp_code": "O0002"})]})
    assert asked(world, hongs, way) == Holder(HONG.name)
    assert asked(world, won, way) == Sent(REFERENCE)
    assert (way.calls(REAL_NAME), way.calls(DEPOSIT), way.calls(RESULT)) == (2, 2, 0)
    always = Counting(world.transport, {DEPOSIT: [refused] * 9})
    with pytest.raises(BankOutage) as outage:
        asked(world, won, always)
    assert not isinstance(outage.value, BankUnclear)
    assert (always.calls(DEPOSIT), always.calls(RESULT)) == (2, 0)


@pytest.mark.parametrize(
    "said", [answer(401, {}), answer(200, {}), answer(200, {"access_token": ""}), answer(200, {"access_token": "a\nb"})]
)
def test_no_token_is_an_outage(world: Outside, said: Answer) -> None:
    with pytest.raises(BankOutage) as outage:
        asked(world, won, Counting(world.transport, {TOKEN: [said] * 3}))
    assert not isinstance(outage.value, BankUnclear)
    assert_nothing_told(outage.value)
    assert "s3cret" not in f"{outage.value!r}{outage.value}"


def test_an_inquiry_is_repeated_once_under_another_id(world: Outside) -> None:
    ids: list[str] = []

    def first(request: httpx2.Request) -> httpx2.Response:
        ids.append(httpx2.Response(200, content=request.content).json()["bank_tran_id"])
        return httpx2.Response(502, json={})

    way = Counting(world.transport, {REAL_NAME: [first]})
    assert asked(world, hongs, way) == Holder(HONG.name)
    both = Counting(world.transport, {REAL_NAME: [first, first]})
    with pytest.raises(BankOutage):
        asked(world, hongs, both)
    assert (way.calls(REAL_NAME), both.calls(REAL_NAME)) == (2, 2)
    assert len(set(ids)) == 3


def test_an_open_breaker_sends_nothing_and_is_not_unclear(world: Outside) -> None:
    async def walk() -> None:
        async with opened(world, breaker=Breaker(in_a_row=1, clock=lambda: 0.0)) as bank:
            await hongs(bank)
            world.switches.turn("party", "bank", "off")
            with pytest.raises(BankOutage):
                await hongs(bank)
            with pytest.raises(BankOutage) as outage:
                await won(bank)
            assert not isinstance(outage.value, BankUnclear)
            assert outage.value.facts["cause"] == "breaker-open"

    run(walk)


def test_every_bank_has_three_digits_and_both_names(world: Outside) -> None:
    async def walk() -> tuple[Any, ...]:
        async with opened(world) as bank:
            return bank.banks()

    banks = run(walk)
    assert len({one.code for one in banks}) == len(banks) >= 20
    assert all(len(one.code) == 3 and one.code.isdecimal() and one.ko and one.en for one in banks)
    assert {one.bank.bank_code for one in PEOPLE if one.bank} <= {one.code for one in banks}


def assert_nothing_told(failure: Failure) -> None:
    """H1: neither the account nor the digits."""
    told = f"{failure!r} {failure} {failure.facts} {failure.__cause__!r}"
    assert not [value for value in (ACCOUNT.reveal(), "4829", "canary", REFERENCE) if value in told]
    assert_silent(failure)
