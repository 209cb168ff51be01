"""Whatever a payment provider answers is a payment in form, none, or one of the port's refusals and outages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeAlias

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingam.adapters.outgoing import Breaker
from ingam.adapters.outgoing.breaker import Event
from ingam.adapters.payment.http import LONGEST_ANSWER, HttpPayments
from ingam.kernel.secret import Secret
from ingam.ports.payment import Order, Payment, PaymentOutage, PaymentRefused, Stage

KEY = "0123456789abcdef" * 2
ORDER = Order(KEY, 4_400, "범용 공동인증서 발급 수수료", "http://localhost:8700/issuance/new")
GOOD: dict[str, Any] = {
    "key": KEY, "stage": "captured", "amount": 4_400, "window": "https://pay.test/pay/1", "means": "카드 ****-4321",
    "approval": "12345678", "at": "2026-11-27T09:00:00+09:00",
}  # fmt: skip
CALLS: dict[str, Callable[[HttpPayments], Awaitable[Payment | None]]] = {
    "open": lambda payments: payments.open(ORDER),
    "look": lambda payments: payments.look(KEY),
    "capture": lambda payments: payments.capture(KEY, 4_400),
    "cancel": lambda payments: payments.cancel(KEY),
}
# 5xx is asked again after a pause: tests/adapters/outgoing has those.
STATUSES = st.sampled_from([200] * 9 + [201, 204, 302, 400, 401, 404, 409, 429])

Said: TypeAlias = Payment | PaymentOutage | PaymentRefused | None
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
ODD: dict[str, list[Any]] = {
    "key": [KEY.upper(), "", "f" * 32, None],
    "stage": [*Stage, "", "paid", "CAPTURED", "captured ", 5],
    "amount": [-4_400, 0, 44, 4_400.0, True, "4400", 10**30],
    "window": [
        "http://localhost:1/x", "http://pay.test/x", "javascript:alert(1)", "https://[", "", "https://", "//pay.test",
        "https://pay.test/x\r\nSet-Cookie: a=b", "https://pay.test/" + "x" * 9_000, "https://user@pay.test:99999999/x",
        "https://pay.test/\ud800", "https://pay.test/ 가", "\thttps://pay.test/x", "https:pay.test",
    ],
    "means": ["x" * 90, "\u202e4321", "a\nb", "\ud800", 5],
    "approval": ["x" * 90, "\u202e4321", 12345678],
    "at": ["2026-11-27T09:00:00", "2026-11-27", "", "yesterday", "9999-12-31T23:59:59-23:59", None, 5],
}  # fmt: skip


@st.composite
def near(draw: st.DrawFn) -> dict[str, Any]:
    """A good answer of which some parts are otherwise, or missing."""
    found = dict(GOOD)
    for name in draw(st.sets(st.sampled_from(list(ODD)), max_size=3)):
        found[name] = draw(st.sampled_from(ODD[name]) | ANYTHING)
    for name in draw(st.sets(st.sampled_from(list(ODD)), max_size=1)):
        del found[name]
    return found


class Deaf(Breaker):
    """One that forgets every failure: each example is the first."""

    def settle(self, *_: object) -> None:
        super().settle(next(iter(_)), Event.ANSWERED)  # type: ignore[arg-type]


class Provider:
    """One adapter, on one loop; what its provider says next is set."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._says = httpx2.Response(200)
        transport = httpx2.MockTransport(lambda _: self._says)
        self._payments = HttpPayments("http://localhost:1", secret=Secret("s"), transport=transport, breaker=Deaf())

    def asked(self, call: str, status: int, body: bytes, **headers: str) -> Said:
        """What the adapter makes of an answer."""
        self._says = httpx2.Response(status, content=body, headers=headers)
        try:
            return self._runner.run(self._call(call))
        except (PaymentOutage, PaymentRefused) as said:
            return said

    async def _call(self, call: str) -> Payment | None:
        return await CALLS[call](self._payments)

    def close(self) -> None:
        self._runner.run(self._payments.aclose())
        self._runner.close()


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


def in_form(call: str, found: Said) -> None:
    """It can be shown, stored, compared and sent a person to; and a charge is of that sum."""
    if isinstance(found, PaymentRefused):
        stage = str(found.facts["stage"])
        assert stage.isascii() and stage.isalpha() and len(stage) < 20
    if not isinstance(found, Payment):
        return
    assert (found.key, found.amount > 0, type(found.amount)) == (KEY, True, int)
    assert found.at is None or found.at.tzinfo is not None
    assert found.window.isascii() and found.window.isprintable() and " " not in found.window
    assert found.window.startswith(("https://", "http://localhost", "http://127.0.0.1"))
    assert max(len(found.means), len(found.approval)) <= 40
    assert (found.means + found.approval).isprintable()
    json.dumps([found.window, found.means]).encode()
    if call in ("open", "capture"):
        assert found.amount == 4_400
    if call == "capture":
        assert found.stage is Stage.CAPTURED
    if call == "cancel":
        assert found.stage in (Stage.CANCELLED, Stage.REFUSED, Stage.EXPIRED)


@pytest.mark.parametrize("call", list(CALLS))
@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in ODD.items() for value in values])
def test_one_odd_part_of_a_good_answer(provider: Provider, call: str, name: str, value: object) -> None:
    in_form(call, provider.asked(call, 200, json.dumps(GOOD | {name: value}).encode()))


@settings(max_examples=100)
@given(call=st.sampled_from(list(CALLS)), status=STATUSES, told=near() | ANYTHING)
def test_any_json_is_a_payment_in_form_or_a_refusal_or_an_outage(
    provider: Provider, call: str, status: int, told: object
) -> None:
    in_form(call, provider.asked(call, status, json.dumps(told).encode()))


@settings(max_examples=100)
@given(call=st.sampled_from(list(CALLS)), status=STATUSES, body=st.binary(max_size=200), at=st.integers(0, 400))
def test_any_bytes_and_any_broken_answer_are_too(
    provider: Provider, call: str, status: int, body: bytes, at: int
) -> None:
    in_form(call, provider.asked(call, status, body))
    good = json.dumps(GOOD).encode()
    in_form(call, provider.asked(call, status, good[:at] + body + good[at:]))


@pytest.mark.parametrize(
    "body", [b"[" * 16_000, b'{"a":' * 3_000 + b"1" + b"}" * 3_000, b" " * LONGEST_ANSWER + b"{}", b"", b"null", b"{}"]
)
@pytest.mark.parametrize("call", list(CALLS))
def test_what_is_deep_or_long_or_nothing_is_an_outage(provider: Provider, call: str, body: bytes) -> None:
    assert isinstance(provider.asked(call, 200, body), PaymentOutage)


@pytest.mark.parametrize("call", ["open", "look", "capture"])
def test_a_good_answer_is_read_as_it_is(provider: Provider, call: str) -> None:
    found = provider.asked(call, 200, json.dumps(GOOD).encode())
    assert isinstance(found, Payment)
    assert (found.stage, found.amount, found.approval) == (Stage.CAPTURED, 4_400, "12345678")


def test_a_packed_answer_is_an_outage(provider: Provider) -> None:
    assert isinstance(provider.asked("look", 200, b"\x1f\x8b", **{"content-encoding": "gzip"}), PaymentOutage)
