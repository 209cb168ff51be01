"""Whatever the provider of 금융인증서 answers is a window or a signature in form, or the port's refusal or outage."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.clocks import SetClock

from ingam.adapters.finance_cert.http import LONGEST_ANSWER, LONGEST_S, HttpFinanceCert
from ingam.adapters.outgoing import Breaker
from ingam.kernel.secret import Secret
from ingam.ports.finance_cert import (
    Asked,
    FinanceCertOutage,
    FinanceCertUnfinished,
    Purpose,
    Signed,
    Stage,
    Started,
)

NOW: Final = datetime(2026, 11, 27, 1, tzinfo=UTC)
ORIGIN: Final = "https://fincert.test"
TRANSACTION, PROOF = "0123456789abcdef" * 2, "a-word-of-the-browser"
WINDOW: Final[dict[str, Any]] = {"window": f"{ORIGIN}/w/1", "expiresIn": 300}
RESULT: Final[dict[str, Any]] = {
    "signed": base64.b64encode(b"\x30\x00").decode(), "name": "홍길동", "birthDate": "1975-10-05",
    "random": base64.b64encode(b"\x03\x02\x00\x01").decode(),
}  # fmt: skip
ASKED: Final = Asked(b"text", Purpose.LOGIN, "http://localhost:8700/login/finance/back/1")
CALLS: Final[dict[str, Callable[[HttpFinanceCert], Awaitable[Started | Signed]]]] = {
    "start": lambda provider: provider.start(ASKED),
    "verify": lambda provider: provider.verify(TRANSACTION, PROOF),
}
GOOD: Final = {"start": WINDOW, "verify": RESULT}
# 5xx is asked again after a pause where a call may be: no call of this one is.
STATUSES = st.sampled_from([200, 200, 200, 201, 204, 302, 400, 401, 404, 409, 410, 429, 500, 503])

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
ODD: Final[dict[str, dict[str, list[Any]]]] = {
    "start": {
        "window": [
            f"{ORIGIN}/x", f"{ORIGIN}.evil.test/x", f"{ORIGIN}@evil.test/x", "https://evil.test/", "javascript:x", "",
            f"{ORIGIN}/x\r\nSet-Cookie: a=b", f"{ORIGIN}/\ud800", f"{ORIGIN}/ 가", f'{ORIGIN}/"><script>',
            f"{ORIGIN}/" + "x" * 600, ORIGIN, "//fincert.test/x", None, 5,
        ],
        "expiresIn": [0, -1, 1, LONGEST_S, LONGEST_S + 1, 10**30, 300.0, True, "300", None],
    },
    "verify": {
        "signed": ["", "*", "AA", "AAAA\n", "가", "A" * 60_000, "\ud800", None, 5],
        "name": ["", "\u202e홍", "a\x00b", "\ud800", "x" * 101, "홍\n길동", None, 5],
        "birthDate": ["19751005", "1975-13-01", "9999-12-31", "", "yesterday", 5, None],
        "random": [None, "", "AAAA", "A" * 400, "*", 7],
        "stage": [*Stage, "done", 3, None, ["open"], {"a": 1}],
    },
}  # fmt: skip
"""Values of a part that are not as they should be, or only just."""


@st.composite
def near(draw: st.DrawFn, call: str) -> dict[str, Any]:
    """A good answer of which some parts are otherwise, or missing."""
    found = dict(GOOD[call])
    for name in draw(st.sets(st.sampled_from(list(ODD[call])), max_size=3)):
        if draw(st.booleans()) and draw(st.booleans()):
            found.pop(name, None)
        else:
            found[name] = draw(st.sampled_from(ODD[call][name]) | st.text(max_size=120) | ANYTHING)
    return found


Outcome = Started | Signed | FinanceCertOutage | FinanceCertUnfinished


def asked(call: str, status: int, body: bytes, **headers: str) -> Outcome:
    """What the adapter makes of an answer; it is asked once, whatever comes: a result is given once."""
    calls: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        calls.append(request.method)
        return httpx2.Response(status, content=body, headers=headers)

    async def go() -> Outcome:
        provider = HttpFinanceCert(
            "http://localhost:1", origin=ORIGIN, client="ingam", key=Secret("key-of-ours"), clock=SetClock(NOW),
            transport=httpx2.MockTransport(answer), breaker=Breaker(),
        )  # fmt: skip
        try:
            return await CALLS[call](provider)
        except (FinanceCertOutage, FinanceCertUnfinished) as said:
            return said
        finally:
            await provider.aclose()

    found = asyncio.run(go())
    assert calls == ["POST"]
    return found


def holds(found: Outcome) -> None:
    """What may come out at all."""
    match found:
        case Started():
            assert found.window.startswith(f"{ORIGIN}/") and len(found.window) <= 500 and found.window.isprintable()
            assert NOW < found.expires <= NOW + timedelta(seconds=LONGEST_S)
        case Signed():
            assert len(found.signed) <= 32_768 and 0 < len(found.name) <= 100 and isinstance(found.birth_date, date)
            assert found.name.isprintable() and found.name.encode()
            assert found.random is None or len(found.random.reveal()) <= 128
            assert "홍길동" not in repr(found)
        case FinanceCertUnfinished():
            assert found.facts["stage"] in set(Stage)
        case FinanceCertOutage():
            assert "홍길동" not in str(found) and "key-of-ours" not in str(found)


both = pytest.mark.parametrize("call", CALLS)


@both
def test_one_odd_part_of_a_good_answer(call: str) -> None:
    for name, values in ODD[call].items():
        for value in values:
            holds(asked(call, 200, json.dumps(GOOD[call] | {name: value}).encode()))


@both
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_json_is_in_form_or_refused(call: str, data: st.DataObject) -> None:
    told = data.draw(near(call) | ANYTHING)
    holds(asked(call, data.draw(STATUSES), json.dumps(told).encode()))


@both
@settings(max_examples=30, deadline=None)
@given(status=STATUSES, body=st.binary(max_size=200))
def test_any_bytes_are_refused(call: str, status: int, body: bytes) -> None:
    found = asked(call, status, body)
    assert not isinstance(found, Started | Signed)
    holds(found)


@both
def test_a_good_answer_is_taken_and_one_that_is_too_long_or_pressed_is_not(call: str) -> None:
    good = json.dumps(GOOD[call]).encode()
    assert isinstance(asked(call, 200, good), Started | Signed)
    padded = json.dumps({**GOOD[call], "more": "x" * LONGEST_ANSWER}).encode()
    assert isinstance(asked(call, 200, padded), FinanceCertOutage)
    assert isinstance(asked(call, 200, b"{}", **{"content-encoding": "gzip"}), FinanceCertOutage)
    assert isinstance(asked(call, 302, good, location="https://evil.test/"), FinanceCertOutage)


@given(transaction=st.text(max_size=40), proof=st.text(max_size=140))
@settings(max_examples=40, deadline=None)
def test_what_a_browser_brings_is_no_part_of_an_address(transaction: str, proof: str) -> None:
    """An address is made of 32 hex digits alone; anything else is asked of nobody."""

    async def go() -> None:
        def answer(request: httpx2.Request) -> httpx2.Response:
            assert request.url.path.endswith("/result") and len(request.url.path) == len("/v1/signatures//result") + 32
            return httpx2.Response(404, content=b"{}")

        async with HttpFinanceCert(
            "http://localhost:1", origin=ORIGIN, client="ingam", key=Secret("k"), clock=SetClock(NOW),
            transport=httpx2.MockTransport(answer),
        ) as provider:  # fmt: skip
            with pytest.raises(FinanceCertUnfinished):
                await provider.verify(transaction, proof)

    asyncio.run(go())
