"""The fraudster on the telephone: he has a person's ID and password, a telephone of his own, and the person's ear.

What he wants is the certificate on his device. He opens the receiving page there and reads his number out; or he asks
for the number of the person's own device. Each test says what the person sees, and what the fraudster gets.
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.center.copying.world import ELSEWHERE, FINGERPRINT, IPHONE, MAILBOX, Copy, End, deliver, end, told
from tests.center.registration.world import HONG, KIM, party

KIMS = party(KIM, key_name="rsa2048-03", serial=0x77)


async def fraudster(copy: Copy) -> End:
    """His telephone, somewhere else, logged in with the stolen ID and password."""
    return await end(copy.world, HONG, agent=IPHONE, address=ELSEWHERE)


def test_C3_the_person_sees_a_device_that_is_not_theirs_and_the_question_and_stops(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(copy: Copy) -> None:
        thief = await fraudster(copy)
        await thief.announce()
        await thief.show_number()
        # On the telephone: "open 인증서복사 and type the number that I read to you". The person opens the page.
        page = (await copy.sender.browser.get("/copying/send")).text
        assert "이 기기를 지금 직접 가지고 계십니까? 전화로 불러 준 번호라면 멈추세요." in page
        assert 'name="mailbox"' not in page and "번호 12자리" not in page  # there is no field for a number yet
        seen = (await copy.sender.look())["receiver"]
        assert (seen["kind_text"], seen["browser"], seen["same_network"], seen["known"]) == (
            "휴대폰", "iOS · Safari", False, False,
        )  # fmt: skip
        # [아니요, 멈춥니다]
        answer = await copy.sender.done("send/deny", receiver=seen["id"])
        assert "고객센터에 알려 주세요" in answer["message"]
        # The thief is logged out; his number leads nowhere.
        assert await thief.refused("receive/open") == "session-over"
        assert (await thief.browser.get("/copying/receive")).status_code == 303
        assert await copy.sender.refused("send/join", mailbox=MAILBOX) == "copy-order"

    told(sqlite_url, tmp_path, story)


def test_C3_typing_the_number_at_once_is_not_possible(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        thief = await fraudster(copy)
        await thief.announce()
        await thief.show_number()
        for route in ("send/join", "send/open", "send/challenge", "send/prove"):
            code = await copy.sender.refused(route, mailbox=MAILBOX, nonce="0" * 64, signed="AAAA")
            assert code in ("copy-order", "nonce-invalid"), route

    told(sqlite_url, tmp_path, story)


def test_C2_the_thief_s_device_is_new_so_that_yes_asks_for_a_code_that_names_what_it_is_for(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(copy: Copy) -> None:
        thief = await fraudster(copy)
        await thief.announce()
        await thief.show_number()
        # Talked into saying yes, the person still meets ②, and the message on their own telephone says what it is.
        assert await copy.sender.say_yes() is True
        await copy.sender.done("send/code")
        await deliver(copy.world)
        assert re.match(
            r"\[증권금융\] 인증서복사 인증번호 \d{6}\. 다른 사람에게 알려 주지 마세요\. 직원도 묻지 않습니다\.",
            copy.world.phone.texts[-1],
        )
        page = (await copy.sender.browser.get("/copying/send")).text
        assert "누가 시켜서 입력하는 것이라면 멈추세요" in page
        assert await copy.sender.refused("send/challenge") == "copy-order"
        # Read out to the thief, the code is worth nothing to him: it is the sending session's.
        code = copy.world.phone.code
        assert await thief.refused("send/factor", code=code) == "copy-other-session"
        seen = (await copy.sender.look())["receiver"]
        await copy.sender.done("send/deny", receiver=seen["id"])
        assert await copy.state() == "Failed"

    told(sqlite_url, tmp_path, story)


def test_C2_the_thief_alone_with_two_devices_and_a_code_lacks_the_certificate(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        thief, second = await fraudster(copy), await fraudster(copy)
        await thief.announce()
        assert await second.say_yes() is True
        await second.type_code()  # even with the code told on the telephone
        answer = await second.sign(KIMS)
        assert answer["code"] == "copy-not-registered"
        assert await second.refused("send/join", mailbox=MAILBOX) == "copy-order"
        assert await second.refused("send/open") == "copy-order"

    told(sqlite_url, tmp_path, story)


def test_C1_the_person_s_own_number_read_out_gives_the_thief_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.receiver.announce()
        await copy.receiver.show_number()  # on the person's own telephone, read out to the thief
        page = (await copy.receiver.browser.get("/copying/receive")).text
        assert "번호를 불러 달라는 전화는 사기입니다. 끊고 1544-0000에 알려 주세요." in page
        thief = await end(copy.world, KIM, address=ELSEWHERE)  # with an account of his own
        await copy.world.bind(KIM, KIMS)
        other = await end(copy.world, KIM, agent=IPHONE, address=ELSEWHERE)
        await other.announce()
        if await thief.say_yes():
            await thief.type_code()
        assert await thief.sign(KIMS) == {}
        assert await thief.refused("send/join", mailbox=MAILBOX) == "copy-number-unknown"

    told(sqlite_url, tmp_path, story)


def test_C14_a_certificate_of_the_thief_is_never_put_into_the_person_s_device(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.world.bind(KIM, KIMS)
        await copy.to_allowed()
        # Whatever sealed bytes a sender sends, the receiver asks first.
        assert (
            await copy.receiver.refused("receive/arrived", fingerprint=KIMS.certificate.fingerprint.hex())
            == "bound-to-other"
        )
        assert await copy.receiver.refused("receive/stored", fingerprint=FINGERPRINT) == "copy-over"

    told(sqlite_url, tmp_path, story)


def test_C3_the_person_is_told_of_a_copy_that_happened_all_the_same(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        thief = await fraudster(copy)
        copy.receiver = thief
        await copy.to_copied()  # yes, the code and the password: nothing is left that could have stopped it
        await deliver(copy.world)
        last = copy.world.phone.texts[-1]
        assert "다른 기기(휴대폰 · iOS · Safari)로 복사되었습니다" in last and "본인이 아니면 1544-0000" in last
        assert await copy.world.results("copying.sent") == await copy.world.results("copying.received") == ["ok"]

    told(sqlite_url, tmp_path, story)


def test_C3_a_receiver_that_takes_the_certificate_and_keeps_silent_does_not_keep_it_from_the_person(
    store_url: str, tmp_path: Path
) -> None:
    """Once both ends may meet a notice leaves; no word of the receiver is waited for. One for each announcement."""

    async def story(copy: Copy) -> None:
        thief = await end(copy.world, agent=IPHONE, address=ELSEWHERE)
        await thief.announce()
        await copy.sender.say_yes()
        await copy.sender.type_code()
        await copy.sender.sign()
        before = len(copy.world.phone.texts)
        for mailbox in ("41234", "51234"):  # a number that was wrong is followed by another one
            await thief.show_number(mailbox=mailbox)
            await copy.sender.done("send/join", mailbox=mailbox)
            await deliver(copy.world)
        (text,) = copy.world.phone.texts[before:]
        assert text == (
            "[증권금융] 2026-11-22 21:00 다른 기기(휴대폰 · iOS · Safari)로 인증서복사를 시작했습니다. "
            "본인이 아니면 1544-0000에 연락하세요."
        )
        assert "http" not in text and copy.world.phone.code not in text
        await thief.done("receive/leave")
        copy.world.clock.forward(61)
        await copy.to_allowed()
        await deliver(copy.world)
        assert "인증서복사를 시작했습니다" in copy.world.phone.texts[-1]

    told(store_url, tmp_path, story)


def test_C3_a_receiver_that_reads_the_sender_s_code_is_told_of_as_well(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_proved()
        await copy.sender.show_number(role="send", mailbox="55555")
        await copy.receiver.done("receive/join", mailbox="55555")
        await deliver(copy.world)
        assert "인증서복사를 시작했습니다" in copy.world.phone.texts[-1]

    told(sqlite_url, tmp_path, story)
