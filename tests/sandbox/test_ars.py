"""The provider of automatic calls and the telephones it rings, as a person and a program meet them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.sandbox.conftest import ORIGIN, Box

NUMBER, HOME = "01085130001", "0285130001"
AT, TELEPHONE = f"/ars/calls/{'0a' * 16}", f"/phone/{NUMBER}"
SAY = {"opening": "증권금융입니다. 등록 요청입니다.", "asking": "두 자리를 누르세요."}
CALL = {"to": NUMBER, "from": "15440000", "lang": "ko", "say": SAY, "digits": 2, "ring_s": 30, "answer_s": 60}
FROM_US = {"origin": ORIGIN}
KEY = {"authorization": "Bearer k"}


def place(box: Box, at: str = AT, **change: Any) -> Any:
    return box.client.put(at, json=CALL | change, headers=KEY)


def record(box: Box) -> dict[str, str]:
    told: dict[str, str] = box.client.get(AT, headers=KEY).json()
    return told


def act(box: Box, act: str, key: str = "", telephone: str = TELEPHONE) -> Any:
    return box.client.post(f"{telephone}/call", json={"act": act, "key": key})


def test_it_rings_is_answered_and_keys_are_pressed_on_the_page(box: Box) -> None:
    assert place(box).json() == {"id": "0a" * 16, "to": NUMBER, "state": "ringing", "keyed": ""}
    assert "전화가 왔습니다" in box.client.get(TELEPHONE).text
    answer = box.client.post(f"{TELEPHONE}/call", data={"act": "answer"}, headers=FROM_US, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{TELEPHONE}#call")
    assert SAY["opening"] in box.client.get(TELEPHONE).text
    for key in "47":
        box.client.post(f"{TELEPHONE}/call", data={"act": "key", "key": key}, headers=FROM_US)
    assert record(box) == {"id": "0a" * 16, "to": NUMBER, "state": "answered", "keyed": "47"}
    box.client.post(f"{AT}/end", json={"say": "확인했습니다."}, headers=KEY)
    told = box.client.get(f"{TELEPHONE}/call.json").json()["call"]
    assert (told["state"], told["said"]) == ("ended", [SAY["opening"], SAY["asking"], "확인했습니다."])
    assert "확인했습니다." in box.client.get(TELEPHONE).text


def test_the_pulse_moves_with_every_change_and_with_a_message(box: Box) -> None:
    seen = []
    for change in (
        lambda: None,
        lambda: place(box),
        lambda: act(box, "answer"),
        lambda: act(box, "key", "4"),
        lambda: act(box, "hang-up"),
        lambda: box.client.post(
            "/aligo/send/", data={"key": "k", "user_id": "u", "sender": "1", "receiver": NUMBER, "msg": "글"}
        ),
    ):
        change()
        seen.append(box.client.get(f"{TELEPHONE}/call.json").json()["pulse"])
        assert f'data-pulse="{seen[-1]}"' in box.client.get(TELEPHONE).text
    assert len(set(seen)) == len(seen)


def test_a_telephone_at_home_rings_too_and_the_other_one_says_so(box: Box) -> None:
    place(box, to=HOME)
    assert f'href="/phone/{HOME}"' in box.client.get(TELEPHONE).text
    assert "02-8513-0001" in box.client.get(f"/phone/{HOME}").text
    assert act(box, "answer", telephone=f"/phone/{HOME}").json()["call"]["state"] == "answered"


def test_nobody_rings_or_waits_for_ever(box: Box) -> None:
    place(box)
    box.clock.pass_time(seconds=30)
    assert record(box)["state"] == "no-answer"
    place(box, AT.replace("0a", "0b"))
    act(box, "answer")
    box.clock.pass_time(seconds=60)
    assert box.client.get(f"{TELEPHONE}/call.json").json()["call"]["state"] == "ended"


def test_the_same_id_is_placed_once_and_another_call_of_it_is_refused(box: Box) -> None:
    place(box)
    act(box, "answer")
    assert place(box).json()["state"] == "answered"
    assert place(box, to=HOME).status_code == 409
    assert place(box, AT.replace("0a", "0b")).json()["state"] == "busy"


@pytest.mark.parametrize(
    "change",
    [
        {"to": "112"}, {"from": ""}, {"say": {}}, {"say": "x"}, {"digits": 0}, {"digits": "2"}, {"ring_s": 9999},
        {"answer_s": -1},
    ],
)  # fmt: skip
def test_a_malformed_call_is_refused(box: Box, change: dict[str, Any]) -> None:
    assert place(box, **change).status_code == 400
    assert place(box, "/ars/calls/x", **change).status_code == 400
    assert box.client.get(AT, headers=KEY).status_code == 404
    assert box.client.put(AT, json=CALL).status_code == 401


@pytest.mark.parametrize(
    ("before", "acts"),
    [
        ([], ["answer", "decline", "hang-up", "key"]),
        (["place"], ["hang-up", "key", "dance"]),
        (["place", "answer"], ["answer", "decline", "dance"]),
        (["place", "answer", "hang-up"], ["answer", "key", "hang-up"]),
        (["place", "decline"], ["answer", "key"]),
    ],
)
def test_what_cannot_be_done_now_is_refused(box: Box, before: list[str], acts: list[str]) -> None:
    for one in before:
        place(box) if one == "place" else act(box, one)
    for one in acts:
        assert act(box, one, "4").status_code == 422


@pytest.mark.parametrize("headers", [{"origin": "http://evil.test"}, {"sec-fetch-site": "cross-site"}])
def test_another_sites_page_takes_no_call(box: Box, headers: dict[str, str]) -> None:
    place(box)
    assert box.client.post(f"{TELEPHONE}/call", data={"act": "answer"}, headers=headers).status_code == 403
    assert record(box)["state"] == "ringing"


def test_the_switches_make_a_line_busy_or_let_it_ring_in_vain(box: Box) -> None:
    box.turn("party", "ars", "busy")
    assert place(box).json()["state"] == "busy"
    box.turn("party", "ars", "no-answer")
    assert place(box, AT.replace("0a", "0b")).json()["state"] == "ringing"
    assert box.client.get(f"{TELEPHONE}/call.json").json()["call"]["state"] == "busy"
    box.turn("party", "ars", "off")
    assert place(box, AT.replace("0a", "0c")).status_code == 503
