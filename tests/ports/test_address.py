"""What every address book promises (`ingam.ports.address`): juso.go.kr's adapter against the sandbox's own service."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ports.outside import WAIT_S, Outside, assert_silent, outside, run

from ingam.adapters.address.juso import Juso, cleaned
from ingam.kernel.secret import Secret
from ingam.ports.address import LONGEST_KEYWORD, PAGE, AddressKeyword, AddressOutage, AddressTooMany, Found
from ingam.sandbox.people import PEOPLE
from ingam.sandbox.switches import PARTIES

Answer = Callable[[httpx2.Request], httpx2.Response]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Outside]:
    made = outside(tmp_path)
    yield made
    made.box.phones.close()
    made.box.deposits.close()
    made.box.mails.close()


def search(transport: httpx2.AsyncBaseTransport, keyword: str, page: int = 1, wait_s: float = 5) -> Found:
    async def once() -> Found:
        async with Juso("http://localhost:1/juso", key=Secret("k3y"), transport=transport, answer_s=wait_s) as book:
            return await book.search(keyword, page)

    return run(once)


def test_the_home_of_every_demo_person_is_found(world: Outside) -> None:
    for one in PEOPLE:
        if one.address is not None:
            found = search(world.transport, one.address.road)
            assert [address.zip5 for address in found.addresses] == [one.address.zip5]
            assert found.addresses[0].road.startswith(one.address.road)


def test_pages_follow_each_other_until_all_are_shown(world: Outside) -> None:
    total = search(world.transport, "경기도 가온시").total
    pages = [search(world.transport, "경기도 가온시", page + 1) for page in range(-(-total // PAGE))]
    assert {page.total for page in pages} == {total}
    shown = [address for page in pages for address in page.addresses]
    assert total == len(shown) == len(set(shown)) > PAGE
    assert all("가온시" in one.road and one.jibun for one in shown)
    assert search(world.transport, "경기도 가온시", 99) == Found(total, ())


def test_a_number_is_that_number_and_a_road_may_be_a_part(world: Outside) -> None:
    found = search(world.transport, "시험로 1")
    assert [one.road.split(" (")[0] for one in found.addresses] == ["서울특별시 예시구 시험로 1"]
    assert search(world.transport, "없는이름로").total == 0


@pytest.mark.parametrize("keyword", ["", " ", "시", "%=><", "select", "12", "서울특별시", "가" * 81, "가" * 500])
def test_what_names_no_address_is_refused(world: Outside, keyword: str) -> None:
    with pytest.raises(AddressKeyword):
        search(world.transport, keyword)


@pytest.mark.parametrize("keyword", ["시험로 1'; DROP TABLE 주소", "<b>시험로</b>%", "or=시험로 union select 1"])
def test_signs_and_words_of_sql_are_left_out_and_the_rest_is_asked(world: Outside, keyword: str) -> None:
    search(world.transport, keyword)


@given(st.text(max_size=200))
def test_what_is_left_of_any_keyword_has_none_of_them(keyword: str) -> None:
    try:
        found = cleaned(keyword)
    except AddressKeyword:
        return
    assert not set(found) & set("%=><[]\r\n\x00")
    assert 2 <= len(found) <= LONGEST_KEYWORD
    assert cleaned(found) == found


def test_a_slow_book_is_waited_for_and_an_empty_one_finds_nothing(world: Outside) -> None:
    world.switches.turn("party", "address", "slow")
    assert search(world.transport, "시험로").total > 0
    world.switches.turn("party", "address", "empty")
    assert search(world.transport, "시험로") == Found(0, ())


@pytest.mark.parametrize(("position", "cause"), [("off", "status"), ("timeout", "timeout")])
def test_a_silent_book_is_an_outage(world: Outside, position: str, cause: str) -> None:
    world.switches.turn("party", "address", position)
    with pytest.raises(AddressOutage) as outage:
        search(world.transport, "시험로", wait_s=WAIT_S if position == "timeout" else 5)
    assert outage.value.facts["cause"] == cause
    assert "시험로" not in f"{outage.value!r} {outage.value}"
    assert_silent(outage.value)


def test_every_position_is_tried_here() -> None:
    assert set(PARTIES["address"]) == {"normal", "slow", "off", "timeout", "empty"}


def common(code: object, total: object = "0", rows: object = None) -> dict[str, object]:
    return {"results": {"common": {"errorCode": code, "totalCount": total}, "juso": rows}}


def test_the_form_is_the_services_and_the_keyword_is_in_no_address() -> None:
    asked: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(200, json=common("0"))

    assert search(httpx2.MockTransport(answer), " 시험로  1% ", 3) == Found(0, ())
    [request] = asked
    assert str(request.url) == "http://localhost:1/juso/addrlink/addrLinkApi.do"
    assert parse_qs(request.content.decode()) == {
        "confmKey": ["k3y"], "currentPage": ["3"], "countPerPage": ["10"], "keyword": ["시험로 1"],
        "resultType": ["json"],
    }  # fmt: skip


def test_get_is_answered_as_well(world: Outside) -> None:
    async def once() -> dict[str, dict[str, dict[str, str]]]:
        async with httpx2.AsyncClient(transport=world.transport, base_url="http://localhost:1") as client:
            fields = {"confmKey": "k", "keyword": "시험로 1", "resultType": "json"}
            answer = await client.get("/juso/addrlink/addrLinkApi.do", params=fields)
            found: dict[str, dict[str, dict[str, str]]] = answer.json()
            return found

    assert run(once)["results"]["common"]["totalCount"] == "1"


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        (common("E0013"), AddressKeyword),
        (common("E0006"), AddressKeyword),
        (common("E0015"), AddressTooMany),
        (common("E0001"), AddressOutage),
        (common("-999"), AddressOutage),
        (common("0", "x"), AddressOutage),
        (common("0", "1", {}), AddressOutage),
        (common("0", "1", [None]), AddressOutage),
        (common("0", "1", [{"roadAddr": "가", "jibunAddr": "", "zipNo": "1"}]), AddressOutage),
        (common("0", "1", [{"roadAddr": "가" * 201, "jibunAddr": "", "zipNo": "00001"}]), AddressOutage),
        ({"results": []}, AddressOutage),
        ({}, AddressOutage),
    ],
)
def test_every_other_answer_is_told_by_its_code(body: dict[str, object], failure: type[Exception]) -> None:
    with pytest.raises(failure):
        search(httpx2.MockTransport(lambda _: httpx2.Response(200, json=body)), "시험로")
