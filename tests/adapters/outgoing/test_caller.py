"""Calls to outside parties: bounded, silent about what they carry, tried again only where that is safe."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest

from ingam.adapters.outgoing import Breaker, Caller
from ingam.kernel.errors import Outage

CANARY = "7510051000001"


class PartyOutage(Outage):
    """Of the party of these tests."""

    code = "party-outage"


Answer = Callable[[httpx2.Request], httpx2.Response | Awaitable[httpx2.Response]]


class Party(httpx2.AsyncBaseTransport):
    """Gives its answers one after the other, the last one for ever, and keeps the requests."""

    def __init__(self, *answers: Answer | httpx2.Response | type[Exception]) -> None:
        self.answers = list(answers)
        self.asked: list[httpx2.Request] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await request.aread()
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, type):
            raise answer(f"canary {CANARY}")
        if isinstance(answer, httpx2.Response):
            return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)
        made = answer(request)
        return made if isinstance(made, httpx2.Response) else await made


class Pauses:
    """A sleep that takes no time and remembers."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


def ok(**body: Any) -> httpx2.Response:
    return httpx2.Response(200, json=body)


def ask(party: Party, *, pauses: Pauses | None = None, idempotent: bool = True, **given: Any) -> dict[str, Any]:
    async def once() -> dict[str, Any]:
        async with caller(party, pauses=pauses) as calls:
            return await calls.json("POST", "/check", idempotent=idempotent, **(given or {"body": {"rrn": CANARY}}))

    return asyncio.run(once())


def caller(party: Party, *, pauses: Pauses | None = None, **given: Any) -> Caller:
    return Caller(
        "http://localhost:1/base/", outage=PartyOutage, headers={"x-key": "k"}, transport=party,
        sleep=pauses or Pauses(), jitter=lambda: 0.5, **given,
    )  # fmt: skip


def test_json_goes_out_and_json_comes_back() -> None:
    party = Party(ok(data={"success": 1}))
    assert ask(party, body={"name": "홍길동"}, headers={"x-more": "m"}) == {"data": {"success": 1}}
    [request] = party.asked
    assert (request.method, str(request.url)) == ("POST", "http://localhost:1/base/check")
    assert request.headers["content-type"] == "application/json"
    assert (request.headers["x-key"], request.headers["x-more"]) == ("k", "m")
    assert "홍길동" in request.content.decode()


def test_a_form_and_a_query_go_out() -> None:
    party = Party(ok())
    ask(party, form={"name": "홍길동"}, query={"page": "1"})
    [request] = party.asked
    assert parse_qs(request.content.decode()) == {"name": ["홍길동"]}
    assert request.url.query == b"page=1"


REFUSED = [
    httpx2.Response(302, headers={"location": f"http://localhost:2/{CANARY}"}),
    httpx2.Response(404, json={"rrn": CANARY}),
    httpx2.Response(429),
    httpx2.Response(503, content=CANARY.encode()),
    httpx2.Response(200, content=b"<html>" + CANARY.encode()),
    httpx2.Response(200, content=b"\xff\xfe"),
    httpx2.Response(200, content=b"[" * 200_000),
    httpx2.Response(200, json=[CANARY]),
    httpx2.Response(200, content=b" " * 300_000),
    httpx2.Response(200, headers={"content-encoding": "deflate"}),
    httpx2.ConnectError,
    httpx2.ReadTimeout,
    httpx2.RemoteProtocolError,
]


@pytest.mark.parametrize("answer", REFUSED)
def test_H1_any_other_answer_is_the_partys_outage_and_tells_no_value(
    answer: httpx2.Response | type[Exception],
) -> None:
    with pytest.raises(PartyOutage) as raised:
        ask(Party(answer))
    outage = raised.value
    assert outage.facts["cause"]
    assert CANARY not in f"{outage!r} {outage} {outage.facts} {outage.__cause__!r}"


@pytest.mark.parametrize("answer", [httpx2.Response(503), httpx2.ConnectError])
def test_an_idempotent_call_is_tried_twice_more_after_jittered_pauses(
    answer: httpx2.Response | type[Exception],
) -> None:
    party, pauses = Party(answer, answer, ok(done=1)), Pauses()
    assert ask(party, pauses=pauses) == {"done": 1}
    assert pauses.taken == [0.2, 0.4]
    assert len({request.content for request in party.asked}) == 1


def test_three_tries_are_all() -> None:
    party = Party(httpx2.Response(503))
    with pytest.raises(PartyOutage) as raised:
        ask(party)
    assert (len(party.asked), raised.value.facts) == (3, {"cause": "status", "status": 503})


@pytest.mark.parametrize("answer", [httpx2.Response(404), httpx2.Response(429), httpx2.Response(200, content=b"<")])
def test_what_would_fail_again_is_not_tried_again(answer: httpx2.Response) -> None:
    party = Party(answer)
    with pytest.raises(PartyOutage):
        ask(party)
    assert len(party.asked) == 1


@pytest.mark.parametrize("answer", REFUSED)
def test_a_call_that_is_not_idempotent_goes_out_once(answer: httpx2.Response | type[Exception]) -> None:
    party = Party(answer)
    with pytest.raises(PartyOutage):
        ask(party, idempotent=False)
    assert len(party.asked) == 1


async def _never(_request: httpx2.Request) -> httpx2.Response:
    await asyncio.Event().wait()
    raise AssertionError


def test_the_time_bound_holds_over_the_whole_answer_and_all_tries() -> None:
    party = Party(httpx2.Response(503), _never)

    async def once() -> None:
        async with caller(party, answer_s=0.02) as calls:
            await calls.json("GET", "/", idempotent=True)

    with pytest.raises(PartyOutage) as raised:
        asyncio.run(once())
    assert (len(party.asked), raised.value.facts) == (2, {"cause": "timeout"})


class _Dripping(httpx2.AsyncByteStream):
    """A byte, and then for ever nothing."""

    def __aiter__(self) -> Any:
        return self._drip()

    async def _drip(self) -> Any:
        yield b"{"
        await asyncio.Event().wait()


def test_a_body_that_drips_is_cut_off() -> None:
    party = Party(lambda _: httpx2.Response(200, stream=_Dripping()))

    async def once() -> None:
        async with caller(party, answer_s=0.02) as calls:
            await calls.json("GET", "/", idempotent=True)

    with pytest.raises(PartyOutage, match="timeout"):
        asyncio.run(once())


def test_a_status_that_the_party_refuses_with_can_be_asked_for() -> None:
    async def once() -> tuple[int, dict[str, Any]]:
        async with caller(Party(httpx2.Response(400, json={"type": "NO"}))) as calls:
            return await calls.answer("POST", "/", idempotent=False, also=(400,))

    assert asyncio.run(once()) == (400, {"type": "NO"})


def test_an_address_that_cannot_be_is_an_outage_and_nothing_goes_out() -> None:
    party = Party(ok())
    with pytest.raises(PartyOutage, match="request-malformed"):
        ask(party, query={"keyword": "가" * 70_000})
    assert party.asked == []


def walk(party: Party, breaker: Breaker, calls: Callable[[Caller], Awaitable[None]]) -> None:
    async def walked() -> None:
        async with caller(party, breaker=breaker) as made:
            await calls(made)

    asyncio.run(walked())


@pytest.fixture
def hands() -> Iterator[list[float]]:
    yield [0.0]


def test_after_five_outages_nothing_goes_out_until_twenty_seconds_are_over(hands: list[float]) -> None:
    party = Party(*[httpx2.Response(503)] * 5, ok())

    async def calls(made: Caller) -> None:
        for _ in range(5):
            with pytest.raises(PartyOutage, match="status"):
                await made.json("POST", "/", idempotent=False)
        for _ in range(3):
            with pytest.raises(PartyOutage, match="breaker-open"):
                await made.json("POST", "/", idempotent=False)
        assert len(party.asked) == 5
        hands[0] += 20
        assert await made.json("POST", "/", idempotent=False) == {}
        assert await made.json("POST", "/", idempotent=False) == {}

    walk(party, Breaker(clock=lambda: hands[0]), calls)


def test_a_party_that_refuses_is_there(hands: list[float]) -> None:
    async def calls(made: Caller) -> None:
        for _ in range(9):
            with pytest.raises(PartyOutage, match="cause=status status=404"):
                await made.json("POST", "/", idempotent=False)

    walk(Party(httpx2.Response(404)), Breaker(clock=lambda: hands[0]), calls)


def test_a_probe_that_is_cancelled_does_not_keep_the_breaker_shut(hands: list[float]) -> None:
    party = Party(*[httpx2.Response(503)] * 5, _never, ok())

    async def calls(made: Caller) -> None:
        for _ in range(5):
            with pytest.raises(PartyOutage):
                await made.json("POST", "/", idempotent=False)
        hands[0] += 20
        probe = asyncio.create_task(made.json("POST", "/", idempotent=False))
        while len(party.asked) < 6:
            await asyncio.sleep(0)
        probe.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probe
        assert await made.json("POST", "/", idempotent=False) == {}

    walk(party, Breaker(clock=lambda: hands[0]), calls)
