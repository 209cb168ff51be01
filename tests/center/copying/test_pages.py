"""The three screens of 인증서복사: the manual's words, who shows and who types, the way to registration."""

from __future__ import annotations

import asyncio
import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from tests.center.copying.world import IPHONE, PC, PHONE, Copy, end, told
from tests.center.registration.world import KIM
from tests.center.world import World, opened

MANUAL = (
    "고객님의 안전한 금융거래를 위해",
    "공동인증서를 통한 서비스를 제공하고 있습니다.",
    "이용을 위해 PC에 저장된 공동인증서를 스마트폰으로 복사할 수 있습니다.",
    "인증서를 발급받은 후 PC로 가져올 수 있습니다.",
    "무선랜(Wi-Fi)에서 이용 시 별도의 이용료는 발생하지 않으나, 3G, 4G, LTE망에서",
    "유의사항",
    "타행에서 발급받은 공동인증서의 경우 PC에서 타행기관 인증서 등록 절차를 진행합니다.",
    "QR코드 혹은 인증번호를 통해 인증서 복사",
    "인증센터 &gt; 공동인증서 &gt; 인증서복사 &gt; PC에서 가져오기를 통해 인증서 휴대폰 복사완료",
)


PC_WAYS = ("PC-&gt;스마트폰", "스마트폰-&gt;PC", "PC-&gt;다른 PC")
PHONE_WAYS = ("PC에서 가져오기", "PC로 내보내기", "다른 휴대폰으로")


@pytest.mark.parametrize(("agent", "ways"), [(PC, PC_WAYS), (PHONE, PHONE_WAYS), (IPHONE, PHONE_WAYS)])
def test_the_first_page_has_the_manual_s_words_and_the_ways_of_this_device_however_wide_its_window(
    sqlite_url: str, tmp_path: Path, agent: str, ways: tuple[str, ...]
) -> None:
    async def story(copy: Copy) -> None:
        page = (await (await end(copy.world, agent=agent)).browser.get("/copying")).text
        for words in MANUAL:
            assert words in page, words
        assert tuple(re.findall(r'<span class="copy-words"><strong>(.*?)</strong>', page)) == ways
        assert "공인" not in page and 'href="/registration"' in page and "증권/보험용" in page

    told(sqlite_url, tmp_path, story)


def test_a_visitor_sees_the_ways_and_is_led_to_the_login_and_back(sqlite_url: str, tmp_path: Path) -> None:
    async def go() -> None:
        async with opened(sqlite_url, tmp_path) as world:
            browser = world.browser()
            assert "두 기기에서 로그인합니다" in (await browser.get("/copying")).text
            for path in ("/copying/receive", "/copying/send"):
                answer = await browser.get(path)
                assert (answer.status_code, answer.headers["location"]) == (303, f"/login?way=id&then={path}")
            await browser.get("/copying")
            for route in ("receive/begin", "send/look"):
                answer = await browser.send(f"/copying/{route}", Accept="application/json")
                assert (answer.status_code, answer.json()["code"]) == (401, "login-required")
            assert (await browser.client.get("/copying/send/events")).status_code == 401

    asyncio.run(go())


@pytest.mark.parametrize(
    ("agent", "here", "sentence"),
    [
        (PC, "pc", "이 PC가 번호와 QR코드를 보여 줍니다."),
        (PHONE, "phone", "이 휴대폰이 번호를 보여 줍니다."),
        (IPHONE, "phone", "이 휴대폰이 번호를 보여 줍니다."),
    ],
)
def test_C3_the_receiver_says_who_shows_and_that_the_number_is_nobody_else_s(
    sqlite_url: str, tmp_path: Path, agent: str, here: str, sentence: str
) -> None:
    async def story(copy: Copy) -> None:
        one = await end(copy.world, agent=agent)
        page = (await one.browser.get("/copying/receive")).text
        assert sentence in page and f'data-here="{here}"' in page
        assert "번호를 불러 달라는 전화는 사기입니다. 끊고 1544-0000에 알려 주세요." in page and "데이터 이용료" in page
        assert "이 번호를 다른 사람에게 알려 주지 마세요." not in page  # the frame says it, beside the number
        assert 'data-vault="http://localhost:8701"' in page and 'data-kind="personal"' in page
        assert "이 기기는 로그아웃되었습니다. 본인이 답한 것이 아니라면 고객센터 1544-0000에" in page  # for a no

    told(sqlite_url, tmp_path, story)


def test_C3_the_sender_s_question_stands_as_the_rule_has_it(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.receiver.announce()
        page = (await copy.sender.browser.get("/copying/send")).text
        assert "이 기기를 지금 직접 가지고 계십니까? 전화로 불러 준 번호라면 멈추세요." in page
        assert ">예, 지금 가지고 있습니다</button>" in page and ">아니요, 멈춥니다</button>" in page
        look = _look(page)
        assert look["step"] == "receiver" and look["receiver"]["browser"] == "Android · Chrome"
        assert "이 PC에 입력합니다" in page and "010-8513-****" in page

    told(sqlite_url, tmp_path, story)


def test_M_COPY_10_without_a_registered_certificate_the_sender_is_shown_the_way(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(copy: Copy) -> None:
        for agent, way in ((PC, "/registration"), (PHONE, "/cert-center/registration")):
            kim = await end(copy.world, KIM, agent=agent)
            page = (await kim.browser.get("/copying/send")).text
            assert "보낼 수 있는 등록된 인증서가 없습니다" in page and f'class="primary" href="{way}"' in page
            assert "data-copy=" not in page
            page = (await kim.browser.get("/copying")).text
            assert "등록된 인증서만 복사할 수 있습니다. 먼저 타기관인증서등록을 해 주세요." in page
            assert f'<p><a href="{way}">' in page
            assert "data-copy=" in (await kim.browser.get("/copying/receive")).text

    told(sqlite_url, tmp_path, story)


def test_a_page_that_is_opened_again_shows_the_true_step(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.receiver.announce()
        await copy.sender.say_yes()
        await copy.sender.done("send/code")
        look = _look((await copy.sender.browser.get("/copying/send")).text)
        assert (look["step"], look["sent_until"]) == ("factor", "2026-11-22T12:03:00Z")
        await copy.receiver.done("receive/leave")
        look = _look((await copy.sender.browser.get("/copying/send")).text)
        assert (look["step"], look["code"]) == ("over", "copy-cancelled")

    told(sqlite_url, tmp_path, story)


def test_the_screens_speak_english(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.receiver.announce()
        copy.sender.browser.client.cookies.set("lang", "en")
        browser = copy.sender.browser
        await browser.send("/language", {"lang": "en", "back": "/copying"})
        page = (await browser.get("/copying/send")).text
        assert "Do you hold this device in your own hands right now?" in page
        assert _look(page)["receiver"]["kind_text"] == "Phone"
        for path in ("/copying", "/copying/receive", "/copying/send"):
            page = (await browser.get(path)).text
            shown = re.sub(r'<button class="link" lang="ko".*?</button>', "", page)
            assert not re.search(r"[가-힣]", shown.replace("홍길동", "")), path

    told(sqlite_url, tmp_path, story)


def test_the_footer_promises_here_what_is_true_of_a_copy(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        browser = copy.sender.browser
        everywhere = "비밀키와 인증서 비밀번호는 이 기기를 떠나지 않습니다."
        for path in ("/copying", "/copying/receive", "/copying/send"):
            page = (await browser.get(path)).text
            assert (
                "다른 기기로만 보내며, 인증서 비밀번호는 이 기기를 떠나지 않습니다." in page and everywhere not in page
            )
        assert everywhere in (await browser.get("/cert-center")).text

    told(sqlite_url, tmp_path, story)


def test_the_vault_s_frame_may_use_the_camera_on_both_ends_and_nowhere_else(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        for path, camera in (("/copying/receive", '(self "http://localhost:8701")'), ("/copying", "()")):
            answer = await copy.sender.browser.get(path)
            assert f"camera={camera}" in answer.headers["permissions-policy"].split(", ")
            assert answer.headers["cache-control"] == "no-store"

    told(sqlite_url, tmp_path, story)


def _look(page: str) -> Any:
    found = re.search(r'data-look="([^"]*)"', page)
    assert found is not None
    return json.loads(unescape(found[1]))


def test_the_sender_s_events_tell_every_change_and_end_with_the_session(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        async with Events(copy.world, copy.sender.browser.cookie) as events:
            assert (await events.next())["receiver"] is None
            await copy.receiver.announce()
            assert (await events.next())["receiver"]["kind"] == "phone"
            await copy.sender.say_yes()
            assert (await events.next())["step"] == "factor"
            await copy.receiver.done("receive/leave")
            look = await events.next()
            assert (look["step"], look["code"]) == ("over", "copy-cancelled")
            await copy.sender.browser.send("/logout")
            await events.over()

    told(sqlite_url, tmp_path, story)


def test_F9_a_person_watches_with_a_few_windows_and_no_more(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        open_ones = [Events(copy.world, copy.sender.browser.cookie) for _ in range(4)]
        for one in open_ones:
            await one.__aenter__()
            await one.next()
        answer = await copy.sender.browser.client.get("/copying/send/events")
        assert answer.status_code == 429
        for one in open_ones:
            await one.__aexit__(None, None, None)
        async with Events(copy.world, copy.sender.browser.cookie) as again:
            assert (await again.next())["step"] == "receiver"

    told(sqlite_url, tmp_path, story)


def test_the_events_of_one_person_tell_nothing_of_another(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        kim = await end(copy.world, KIM)
        async with Events(copy.world, kim.browser.cookie) as events:
            assert (await events.next())["receiver"] is None
            await copy.receiver.announce()
            await events.silent()

    told(sqlite_url, tmp_path, story)


def test_C3_a_receiver_hears_at_once_that_the_sender_said_no(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.receiver.announce()
        await copy.receiver.show_number()
        async with Events(copy.world, copy.receiver.browser.cookie, "receive") as events:
            await events.silent()
            seen = (await copy.sender.look())["receiver"]
            await copy.sender.done("send/deny", receiver=seen["id"])
            assert await events.next() == {"code": "copy-stopped"}
            await events.over()
        async with Events(copy.world, copy.receiver.browser.cookie, "receive") as again:
            assert await again.next() == {"code": "session-over"}
            await again.over()

    told(sqlite_url, tmp_path, story)


def test_a_receiver_hears_that_the_sender_left_or_another_took_its_place(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.receiver.announce()
        await copy.sender.say_yes()
        async with Events(copy.world, copy.receiver.browser.cookie, "receive") as events:
            await copy.sender.done("send/leave")
            assert await events.next() == {"code": "copy-over"}
        await copy.receiver.announce()
        other = await end(copy.world, agent=IPHONE)
        async with Events(copy.world, copy.receiver.browser.cookie, "receive") as events:
            await other.announce()
            assert await events.next() == {"code": "copy-other-session"}
            await events.over()

    told(sqlite_url, tmp_path, story)


def test_a_receiver_that_is_logged_out_hears_it(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.receiver.announce()
        async with Events(copy.world, copy.receiver.browser.cookie, "receive") as events:
            await copy.receiver.browser.send("/logout")
            assert await events.next() == {"code": "session-over"}
            await events.over()

    told(sqlite_url, tmp_path, story)


class Events:
    """GET /copying/…/events of one end as a browser reads it: one ASGI conversation, byte by byte."""

    def __init__(self, world: World, cookie: str, role: str = "send") -> None:
        jars = [dict(client.cookies.items()) for client in world.clients]
        (jar,) = [one for one in jars if one.get("ingam-center") == cookie]
        self._world, self._cookie = world, "; ".join(f"{name}={value}" for name, value in jar.items())
        self._path = f"/copying/{role}/events"
        self._told: asyncio.Queue[Any] = asyncio.Queue()
        self._gone = asyncio.Event()

    async def __aenter__(self) -> Events:
        scope = {
            "type": "http", "method": "GET", "path": self._path, "raw_path": self._path.encode(),
            "query_string": b"", "scheme": "http", "server": ("localhost", 8700), "client": ("203.0.113.7", 1234),
            "http_version": "1.1", "root_path": "", "asgi": {"version": "3.0"},
            "headers": [(b"host", b"localhost:8700"), (b"cookie", self._cookie.encode())],
        }  # fmt: skip
        asked = False

        async def receive() -> dict[str, object]:
            nonlocal asked
            if not asked:
                asked = True
                return {"type": "http.request", "body": b"", "more_body": False}
            await self._gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, object]) -> None:
            body = message.get("body", b"")
            assert isinstance(body, bytes)
            body = body.removeprefix(b"event: over\n")
            if body.startswith(b"data: "):
                self._told.put_nowait(json.loads(body.removeprefix(b"data: ")))
            if message["type"] == "http.response.start":
                assert message["status"] == 200
            if message["type"] == "http.response.body" and not message.get("more_body"):
                self._told.put_nowait(None)

        self._task = asyncio.create_task(self._world.app(scope, receive, send))  # type: ignore[arg-type]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._gone.set()
        await asyncio.wait_for(self._task, 5)

    async def next(self) -> Any:
        look = await asyncio.wait_for(self._told.get(), 5)
        assert look is not None
        return look

    async def over(self) -> None:
        assert await asyncio.wait_for(self._told.get(), 5) is None

    async def silent(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)
        assert self._told.empty()
