"""The payment provider over HTTP, held to its port: one payment for a key, charged once, whatever is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2
import pytest
from tests.ports.outside import Outside, outside

from ingam.adapters.payment.http import HttpPayments
from ingam.kernel.secret import Secret
from ingam.ports.payment import Order, Payment, PaymentOutage, PaymentRefused, Stage
from ingam.sandbox.payment import PaymentProvider

KEY = "0123456789abcdef" * 2
ORDER = Order(KEY, 4_400, "범용 공동인증서 발급 수수료", "http://localhost:8700/issuance/new")

Story = Callable[[HttpPayments, Outside], Awaitable[None]]


def told(folder: Path, story: Story) -> None:
    async def go() -> None:
        around = outside(folder)
        async with HttpPayments(
            "http://localhost:1/pay-api", secret=Secret("s3cret"), transport=around.transport
        ) as payments:
            await story(payments, around)

    asyncio.run(go())


def person_says(around: Outside, *, allowed: bool) -> None:
    box = around.box
    PaymentProvider(box.payments, box.switches, box.clock, box.origin).decided(KEY, allowed=allowed)


def test_it_is_opened_allowed_and_charged_once(tmp_path: Path) -> None:
    async def story(payments: HttpPayments, around: Outside) -> None:
        assert await payments.look(KEY) is None
        opened = await payments.open(ORDER)
        assert (opened.stage, opened.amount, opened.window.rpartition("/")[2]) == (Stage.OPENED, 4_400, KEY)
        assert await payments.open(ORDER) == opened
        person_says(around, allowed=True)
        allowed = await payments.look(KEY)
        assert isinstance(allowed, Payment) and allowed.stage is Stage.AUTHORISED and allowed.means
        first, second = await payments.capture(KEY, 4_400), await payments.capture(KEY, 4_400)
        assert first == second and first.stage is Stage.CAPTURED and len(first.approval) == 8
        assert around.box.payments.rows[KEY].charges == 1

    told(tmp_path, story)


def test_nothing_is_charged_that_nobody_allowed(tmp_path: Path) -> None:
    async def story(payments: HttpPayments, around: Outside) -> None:
        await payments.open(ORDER)
        with pytest.raises(PaymentRefused):
            await payments.capture(KEY, 4_400)
        person_says(around, allowed=False)
        assert (await payments.open(ORDER)).stage is Stage.REFUSED
        with pytest.raises(PaymentRefused):
            await payments.capture(KEY, 4_400)
        assert around.box.payments.rows[KEY].charges == 0

    told(tmp_path, story)


def test_another_sum_under_the_same_key_is_refused(tmp_path: Path) -> None:
    async def story(payments: HttpPayments, around: Outside) -> None:
        await payments.open(ORDER)
        with pytest.raises(PaymentRefused):
            await payments.open(Order(KEY, 44, ORDER.title, ORDER.return_to))
        person_says(around, allowed=True)
        with pytest.raises(PaymentRefused):
            await payments.capture(KEY, 44)

    told(tmp_path, story)


def test_what_is_cancelled_is_released_and_stays_so(tmp_path: Path) -> None:
    async def story(payments: HttpPayments, around: Outside) -> None:
        assert await payments.cancel(KEY) is None
        await payments.open(ORDER)
        person_says(around, allowed=True)
        for _ in range(2):
            found = await payments.cancel(KEY)
            assert found is not None and found.stage is Stage.CANCELLED
        with pytest.raises(PaymentRefused):
            await payments.capture(KEY, 4_400)

    told(tmp_path, story)


def test_a_lost_answer_is_an_outage_and_the_same_call_tells_what_became_of_it(tmp_path: Path) -> None:
    async def story(payments: HttpPayments, around: Outside) -> None:
        await payments.open(ORDER)
        person_says(around, allowed=True)
        around.box.switches.turn("party", "payment", "unclear")
        with pytest.raises(PaymentOutage):
            await payments.capture(KEY, 4_400)
        around.box.switches.turn("party", "payment", "normal")
        assert (await payments.capture(KEY, 4_400)).stage is Stage.CAPTURED
        assert around.box.payments.rows[KEY].charges == 1

    told(tmp_path, story)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"key": "f" * 32, "stage": "captured", "amount": 4400, "window": "https://pay.test/x"},
        {"key": KEY, "stage": "captured", "amount": 44, "window": "https://pay.test/x"},
        {"key": KEY, "stage": "captured", "amount": True, "window": "https://pay.test/x"},
        {"key": KEY, "stage": "authorised", "amount": 4400, "window": "https://pay.test/x"},
        {"key": KEY, "stage": "paid", "amount": 4400, "window": "https://pay.test/x"},
        {"key": KEY, "stage": "captured", "amount": 4400, "window": "javascript:alert(1)"},
        {"key": KEY, "stage": "captured", "amount": 4400, "window": "http://pay.example/x"},
        {"key": KEY, "stage": "captured", "amount": 4400, "window": "https://pay.test/x", "at": "yesterday"},
    ],
)
def test_an_answer_that_is_not_in_form_charges_nobody_in_our_books(body: dict[str, object]) -> None:
    async def go() -> None:
        transport = httpx2.MockTransport(lambda _request: httpx2.Response(200, json=body))
        async with HttpPayments("http://localhost:1", secret=Secret("s"), transport=transport) as payments:
            with pytest.raises(PaymentOutage):
                await payments.capture(KEY, 4_400)

    asyncio.run(go())
