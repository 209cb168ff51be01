"""What every real-name check promises (`ingam.ports.real_name`): apick's shape against the sandbox's register."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import httpx2
import pytest
from tests.ports.outside import WAIT_S, Outside, assert_silent, outside, run

from ingam.adapters.real_name.http import HttpRealName
from ingam.kernel.secret import Secret
from ingam.ports.real_name import RealNameOutage
from ingam.sandbox.people import PEOPLE, Person, person
from ingam.sandbox.switches import PARTIES

HONG = person("hong")
NATURAL = [one for one in PEOPLE if one.natural]


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Outside]:
    made = outside(tmp_path)
    yield made
    made.box.phones.close()


def check(transport: httpx2.AsyncBaseTransport, name: str = HONG.name, idn: str = HONG.idn, wait_s: float = 5) -> bool:
    async def once() -> bool:
        async with HttpRealName(
            "http://localhost:1/realname/", key=Secret("k3y"), transport=transport, answer_s=wait_s
        ) as names:
            return await names.check(name, Secret(idn))

    return run(once)


@pytest.mark.parametrize("one", NATURAL, ids=lambda one: one.key)
def test_everybody_has_the_name_of_their_number_and_no_other(sandbox: Outside, one: Person) -> None:
    for asked in NATURAL:
        assert check(sandbox.transport, asked.name, one.idn) is (asked is one)


@pytest.mark.parametrize(
    ("name", "idn"),
    [("홍길동", "7510051000002"), ("홍길순", "7510051000001"), ("(주)가온", "0000000015"), ("", ""), ("x" * 5000, "1")],
)
def test_nobody_else_is_known(sandbox: Outside, name: str, idn: str) -> None:
    assert check(sandbox.transport, name, idn) is False


def test_another_holder_is_told_while_the_switch_says_so(sandbox: Outside) -> None:
    sandbox.switches.turn("party", "real-name", "wrong-holder")
    assert check(sandbox.transport) is False
    sandbox.switches.turn("party", "real-name", "normal")
    assert check(sandbox.transport) is True


def test_a_slow_register_is_waited_for(sandbox: Outside) -> None:
    sandbox.switches.turn("party", "real-name", "slow")
    assert check(sandbox.transport) is True


@pytest.mark.parametrize(("position", "cause"), [("off", "status"), ("timeout", "timeout")])
def test_H1_a_silent_register_is_an_outage_that_names_nobody(sandbox: Outside, position: str, cause: str) -> None:
    sandbox.switches.turn("party", "real-name", position)
    with pytest.raises(RealNameOutage) as raised:
        check(sandbox.transport, wait_s=WAIT_S if position == "timeout" else 5)
    assert raised.value.facts["cause"] == cause
    assert_silent(raised.value)


def test_every_position_is_tried_here() -> None:
    assert set(PARTIES["real-name"]) == {"normal", "slow", "off", "timeout", "wrong-holder"}


def test_the_form_is_the_providers_and_nothing_is_in_the_address() -> None:
    asked: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(200, json={"data": {"success": 1}, "api": {"success": True}})

    assert check(httpx2.MockTransport(answer)) is True
    [request] = asked
    assert (request.method, str(request.url)) == ("POST", "http://localhost:1/realname/rest/name_rrn_auth")
    assert request.headers["cl_auth_key"] == "k3y"
    form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
    assert form == {"name": HONG.name, "rrn1": HONG.idn[:6], "rrn2": HONG.idn[6:]}


@pytest.mark.parametrize(
    "answer",
    [
        {}, {"data": None}, {"data": {}}, {"data": {"result": 3}}, {"data": {"result": 2}}, {"data": {"result": True}},
        {"data": {"result": "1"}}, {"data": {"result": [1]}}, {"data": {"result": 1}, "api": {"success": False}},
        {"data": {"result": 1}, "api": {}},
    ],
)  # fmt: skip
def test_what_is_no_yes_and_no_no_is_an_outage(answer: dict[str, object]) -> None:
    with pytest.raises(RealNameOutage) as raised:
        check(httpx2.MockTransport(lambda _: httpx2.Response(200, json=answer)))
    assert_silent(raised.value)


def test_a_register_that_comes_back_is_asked_again_by_itself(sandbox: Outside) -> None:
    tries: list[int] = []

    class Flaky(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            tries.append(1)
            return httpx2.Response(503) if len(tries) == 1 else await sandbox.transport.handle_async_request(request)

    async def once() -> bool:
        async with HttpRealName("http://localhost:1/realname", key=Secret("k"), transport=Flaky()) as names:
            return await names.check(HONG.name, Secret(HONG.idn))

    assert run(once) is True
    assert len(tries) == 2
