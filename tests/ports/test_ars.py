"""What every caller promises (`ingam.ports.ars`): a provider over HTTP, and our own SIP user agent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.ports.outside import assert_silent
from tests.ports.telephones import CALL, MOBILE, WAYS, Telephone, Way, states

from ingam.adapters.ars.http import HttpArs
from ingam.kernel.errors import Defect
from ingam.kernel.secret import Secret
from ingam.ports.ars import ArsOutage, CallState

PLACED, RINGING, ANSWERED = CallState.PLACED, CallState.RINGING, CallState.ANSWERED
Story = Callable[[Telephone], Awaitable[None]]


@pytest.fixture(params=WAYS)
def told(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Story], None]:
    """Tells a story with a telephone of each way."""
    way: Way = WAYS[request.param]

    def tell(story: Story) -> None:
        async def walk() -> None:
            async with way(tmp_path) as telephone, asyncio.timeout(20):
                await story(telephone)

        asyncio.run(walk())

    return tell


@pytest.mark.parametrize(
    ("keys", "end"),
    [
        ("47", CallState.APPROVED),
        ("48", CallState.WRONG),
        ("74", CallState.WRONG),
        ("0", CallState.REFUSED),
        ("40", CallState.REFUSED),
        ("*4#7", CallState.APPROVED),
    ],
)
def test_E4_two_digits_decide_and_zero_refuses(told: Callable[[Story], None], keys: str, end: CallState) -> None:
    async def story(one: Telephone) -> None:
        seen = await states(one, {RINGING: one.answer, ANSWERED: lambda: one.press(keys)})
        assert seen == [PLACED, RINGING, ANSWERED, end]
        assert await one.down()

    told(story)


def test_E4_the_voice_says_who_calls_and_for_what_before_it_asks(told: Callable[[Story], None]) -> None:
    async def story(one: Telephone) -> None:
        await states(one, {RINGING: one.answer, ANSWERED: lambda: one.press("48")})
        opening, asking, last = await one.heard()
        assert opening.index("증권금융") < opening.index("타기관인증서 등록") < opening.index("끊으세요")
        assert "두 자리" in asking and "0번" in asking
        assert "더 쓸 수 없습니다" in last

    told(story)


def test_E4_a_wrong_entry_ends_the_call_and_the_right_one_comes_too_late(told: Callable[[Story], None]) -> None:
    async def story(one: Telephone) -> None:
        seen = await states(one, {RINGING: one.answer, ANSWERED: lambda: one.press("4847")})
        assert seen[-1] is CallState.WRONG

    told(story)


def test_a_call_that_is_declined_or_put_down_approves_nothing(told: Callable[[Story], None]) -> None:
    async def declined(one: Telephone) -> None:
        seen = await states(one, {RINGING: one.decline})
        assert seen[:2] == [PLACED, RINGING] and seen[2:] in ([CallState.BUSY], [CallState.NO_ANSWER])

    async def put_down(one: Telephone) -> None:
        seen = await states(one, {RINGING: one.answer, ANSWERED: one.hang_up})
        assert seen == [PLACED, RINGING, ANSWERED, CallState.FAILED]

    told(declined)
    told(put_down)


def test_a_busy_line_and_one_that_nobody_answers_are_told_apart(told: Callable[[Story], None]) -> None:
    async def busy(one: Telephone) -> None:
        one.turn("busy")
        assert await states(one, {}) == [PLACED, CallState.BUSY]

    async def nobody(one: Telephone) -> None:
        one.turn("no-answer")
        assert await states(one, {}) == [PLACED, RINGING, CallState.NO_ANSWER]

    told(busy)
    told(nobody)


def test_H1_what_cannot_be_placed_is_an_outage_before_any_state(told: Callable[[Story], None]) -> None:
    async def story(one: Telephone) -> None:
        one.turn("off")
        with pytest.raises(ArsOutage) as raised:
            await states(one, {})
        assert_silent(raised.value)

    told(story)


@pytest.mark.parametrize("until", [PLACED, RINGING, ANSWERED])
def test_who_lets_a_call_go_hangs_up(told: Callable[[Story], None], until: CallState) -> None:
    async def story(one: Telephone) -> None:
        placing: Any = one.caller.place(CALL)
        async for state in placing:
            if state is until:
                break
            if state is RINGING:
                await one.answer()
        await placing.aclose()
        assert await one.down()

    told(story)


def test_a_call_that_we_cannot_have_meant_is_a_defect(told: Callable[[Story], None]) -> None:
    wrong: list[dict[str, Any]] = [
        {"call_id": "../calls"}, {"call_id": "0A" * 16}, {"to": "112"}, {"to": "sip:x@evil"}, {"code": Secret("07")},
        {"code": Secret("470")}, {"code": Secret("")},
    ]  # fmt: skip

    async def story(one: Telephone) -> None:
        for change in wrong:
            with pytest.raises(Defect):
                await states(one, {}, replace(CALL, **change))

    told(story)


def answering(record: dict[str, Any], seen: list[httpx2.Request] | None = None) -> HttpArs:
    """A provider that says this of every call."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        if seen is not None:
            seen.append(request)
        return httpx2.Response(200, json=record)

    return HttpArs(
        "http://localhost:1/ars", key=Secret("k3y"), caller_id="15440000", transport=httpx2.MockTransport(answer),
        sleep=lambda _: asyncio.sleep(0),
    )  # fmt: skip


def all_states(caller: HttpArs) -> list[CallState]:
    async def walk() -> list[CallState]:
        async with caller:
            return [state async for state in caller.place(CALL)]

    return asyncio.run(walk())


OURS = {"id": CALL.call_id, "to": MOBILE, "state": "answered", "keyed": "47"}


@pytest.mark.parametrize(
    "record",
    [
        {},
        OURS | {"id": "0b" * 16},
        OURS | {"to": "01085130002"},
        OURS | {"state": "approved"},
        OURS | {"state": "approved", "keyed": ""},
        OURS | {"state": "ringing"},
        OURS | {"state": "no-answer"},
        OURS | {"keyed": ["4", "7"]},
        OURS | {"keyed": "4a7"},
        OURS | {"keyed": 47},
        OURS | {"keyed": "4", "approved": True, "result": "47"},
    ],
)
def test_E7_nothing_but_the_digits_in_the_record_of_this_call_approves_it(record: dict[str, Any]) -> None:
    assert all_states(answering(OURS))[-1] is CallState.APPROVED
    clock = iter(range(10_000))
    caller = HttpArs(
        "http://localhost:1/ars", key=Secret("k"), caller_id="15440000", sleep=lambda _: asyncio.sleep(0),
        clock=lambda: next(clock), transport=httpx2.MockTransport(lambda _: httpx2.Response(200, json=record)),
    )  # fmt: skip
    assert CallState.APPROVED not in all_states(caller)


def test_E7_the_provider_learns_neither_the_code_nor_an_address_for_callbacks() -> None:
    seen: list[httpx2.Request] = []
    all_states(answering(OURS, seen))
    assert [(one.method, str(one.url)) for one in seen] == [
        ("PUT", f"http://localhost:1/ars/calls/{CALL.call_id}"),
        ("GET", f"http://localhost:1/ars/calls/{CALL.call_id}"),
        ("POST", f"http://localhost:1/ars/calls/{CALL.call_id}/end"),
    ]
    assert {one.headers["authorization"] for one in seen} == {"Bearer k3y"}
    asked = json.loads(seen[0].content)
    assert set(asked) == {"to", "from", "lang", "say", "digits", "ring_s", "answer_s"}
    assert "47" not in json.dumps({name: value for name, value in asked.items() if name != "to"})


def test_a_provider_that_falls_silent_in_a_call_ends_it_as_failed() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json={}) if request.method == "PUT" else httpx2.Response(503)

    caller = HttpArs(
        "http://localhost:1/ars", key=Secret("k"), caller_id="15440000", transport=httpx2.MockTransport(answer),
        sleep=lambda _: asyncio.sleep(0),
    )  # fmt: skip
    assert all_states(caller) == [PLACED, CallState.FAILED]


def test_a_call_whose_placing_was_not_answered_is_put_down() -> None:
    seen: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.url.path.rsplit("/", 1)[-1] if request.method == "POST" else request.method)
        return httpx2.Response(504 if request.method == "PUT" else 200, json={})

    caller = HttpArs(
        "http://localhost:1/ars", key=Secret("k"), caller_id="15440000", transport=httpx2.MockTransport(answer),
        sleep=lambda _: asyncio.sleep(0),
    )  # fmt: skip
    with pytest.raises(ArsOutage):
        all_states(caller)
    assert seen == ["PUT", "PUT", "PUT", "end"]


def test_H1_a_call_does_not_print_its_number_or_its_code() -> None:
    assert MOBILE not in repr(CALL) and "47" not in repr(CALL)
