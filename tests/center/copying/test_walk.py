"""인증서복사 at the center over HTTP, from ① to the end: by number, by QR code, the detours, every wrong order."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.center.copying.world import FINGERPRINT, IPHONE, MAILBOX, Copy, deliver, end, told

from ingam.ports.store import Delete, Row, Save


def test_a_certificate_is_copied_from_a_pc_to_a_phone_by_a_number(store_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        receiver, sender, world = copy.receiver, copy.sender, copy.world
        assert await sender.look() == {
            "step": "receiver", "receiver": None, "code": None, "sent_until": None, "receiver_text": None,
            "calling": False,
        }  # fmt: skip
        assert await receiver.done("receive/begin") == {"relay": "http://localhost:8705", "announced": True}
        seen = (await sender.look())["receiver"]
        assert seen.pop("id") and seen == {
            "kind": "phone", "kind_text": "휴대폰", "browser": "Android · Chrome", "region": "서울",
            "same_network": True, "opened": "2026-11-22T12:00:00Z", "known": False,
        }  # fmt: skip
        opened = await receiver.show_number()
        assert await sender.say_yes() is True
        assert (await sender.look())["step"] == "factor"
        await sender.type_code()
        assert world.phone.texts[-1].startswith("[증권금융] 인증서복사 인증번호 ")
        assert (await sender.look())["step"] == "vault"
        challenge = await sender.done("send/challenge")
        assert challenge["purpose"] == "copy-out" and challenge["bound"] == [FINGERPRINT]
        assert "휴대폰 · Android · Chrome · 지역: 서울 · 2026-11-22 21:00에 열림" in challenge["body_text"]
        assert await sender.done("send/prove", **sender.signed(challenge)) == {}
        ticket = sender.ticket(await sender.done("send/join", mailbox=MAILBOX))
        assert (ticket.role, ticket.act, ticket.mailbox, ticket.peer) == ("sender", "join", MAILBOX, opened)
        await receiver.done("receive/arrived", fingerprint=FINGERPRINT)
        assert (await sender.look())["step"] == "vault"
        await receiver.done("receive/stored", fingerprint=FINGERPRINT)
        assert (await sender.look())["step"] == "copied"
        await deliver(world)
        assert world.phone.texts[-1] == (
            "[증권금융] 공동인증서(증권/보험용)가 2026-11-22 21:00 다른 기기(휴대폰 · Android · Chrome)로 "
            "복사되었습니다. 본인이 아니면 1544-0000에 연락하세요."
        )
        assert await world.results("copying.received") == ["ok"]
        assert await world.results("copying.sent") == ["ok"]

    told(store_url, tmp_path, story)


def test_the_pc_shows_a_qr_code_and_the_phone_joins(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_proved()
        ticket = copy.sender.ticket(await copy.sender.done("send/open"))
        assert (ticket.role, ticket.act, ticket.ttl) == ("sender", "open", 120)
        await copy.sender.done("send/opened", ticket=ticket.id, mailbox="55555")
        joined = copy.receiver.ticket(await copy.receiver.done("receive/join", mailbox="55555"))
        assert (joined.role, joined.mailbox, joined.peer) == ("receiver", "55555", ticket.id)
        await copy.receiver.done("receive/arrived", fingerprint=FINGERPRINT)
        await copy.receiver.done("receive/stored", fingerprint=FINGERPRINT)
        assert await copy.state() == "Copied"

    told(sqlite_url, tmp_path, story)


def test_a_device_that_received_once_is_known_the_next_time(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_copied()
        await copy.sender.done("send/copied", fingerprint=FINGERPRINT)
        await copy.receiver.announce()
        assert (await copy.sender.look())["receiver"]["known"] is True
        assert await copy.sender.say_yes() is False
        assert await copy.sender.sign() == {}

    told(sqlite_url, tmp_path, story)


def test_a_wrong_number_is_followed_by_a_new_one_without_beginning_again(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_allowed()
        await copy.receiver.show_number(mailbox="77777")
        assert await copy.state() == "Proved"
        assert await copy.sender.refused("send/join", mailbox=MAILBOX) == "copy-number-unknown"
        await copy.sender.done("send/join", mailbox="77777")
        await copy.receiver.done("receive/arrived", fingerprint=FINGERPRINT)

    told(sqlite_url, tmp_path, story)


def test_both_pages_may_be_reloaded_at_every_step(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        for step in (copy.to_clear, copy.to_proved, copy.to_allowed, copy.to_arrived):
            await step()
            before = await copy.state()
            await copy.receiver.announce()
            assert (await copy.sender.look())["step"] == "vault"
            assert await copy.state() == before
            await copy.receiver.done("receive/leave")
            copy.world.clock.forward(2)
        await copy.to_allowed()
        await copy.receiver.announce()
        assert await copy.sender.sign() == {}  # the sender's vault was lost as well: choice and password again
        await copy.receiver.show_number(mailbox="88888")
        await copy.sender.done("send/join", mailbox="88888")

    told(sqlite_url, tmp_path, story, copy_runs=50, sms_gap_s=1, sms_a_day=50, sms_person_a_day=50, nonces_an_hour=100)


def test_a_second_receiver_takes_the_place_of_the_first(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_clear()
        other = await end(copy.world, agent=IPHONE)
        await other.announce()
        assert await copy.receiver.refused("receive/open") == "copy-other-session"
        assert await copy.sender.refused("send/challenge") == "copy-order"
        look = await copy.sender.look()
        assert look["step"] == "receiver" and look["receiver"]["browser"] == "iOS · Safari"
        assert await copy.world.results("copying.announced") == ["ok", "replaced"]

    told(sqlite_url, tmp_path, story)


def test_a_yes_to_a_receiver_that_was_replaced_meanwhile_is_no_yes(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.receiver.announce()
        seen = (await copy.sender.look())["receiver"]["id"]
        await (await end(copy.world, agent=IPHONE)).announce()
        assert await copy.sender.refused("send/confirm", receiver=seen) == "copy-receiver-changed"
        assert await copy.state() == "Announced"

    told(sqlite_url, tmp_path, story)


def test_another_window_of_the_sender_begins_at_the_first_step(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_clear()
        other = await end(copy.world)
        assert (await other.look())["step"] == "receiver"
        assert await other.refused("send/challenge") == "copy-other-session"
        assert await other.say_yes() is True  # its proof is the other session's
        assert await copy.sender.refused("send/challenge") == "copy-other-session"

    told(sqlite_url, tmp_path, story)


def test_one_browser_is_never_both_ends(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.receiver.announce()
        look = await copy.receiver.look()
        assert look["receiver"] is None and look["code"] == "copy-same-device"
        seen = (await copy.sender.look())["receiver"]["id"]
        assert await copy.receiver.refused("send/confirm", receiver=seen) == "copy-same-device"

    told(sqlite_url, tmp_path, story)


def test_without_a_registered_certificate_nothing_begins(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        where: Row = {"customer_id": "c-hong"}
        await copy.world.ports.store.save(Save(rows=[Delete("binding", where)]))
        await copy.receiver.announce()
        seen = (await copy.sender.look())["receiver"]["id"]
        assert await copy.sender.refused("send/confirm", receiver=seen) == "copy-not-registered"

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize("role", ["receive", "send"])
def test_either_end_may_leave_and_the_other_is_told(sqlite_url: str, tmp_path: Path, role: str) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_allowed()
        leaving = copy.receiver if role == "receive" else copy.sender
        await leaving.done(f"{role}/leave")
        assert await copy.state() == "Cancelled"
        assert await copy.receiver.refused("receive/arrived", fingerprint=FINGERPRINT) == "copy-over"
        look = await copy.sender.look()
        assert (look["step"], look["code"]) == ("over", "copy-cancelled" if role == "receive" else "copy-over")

    told(sqlite_url, tmp_path, story)


def test_the_time_of_a_copy_ends(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_clear()
        copy.world.clock.forward(599)
        await copy.receiver.announce()  # the page is still there: its time anew
        await copy.sender.look()
        copy.world.clock.forward(590)
        assert (await copy.sender.look())["step"] == "factor"  # the proof of ② lasts five minutes
        copy.world.clock.forward(11)
        look = await copy.sender.look()
        assert (look["step"], look["code"]) == ("over", "copy-expired")
        assert await copy.receiver.refused("receive/open") == "copy-over"

    told(sqlite_url, tmp_path, story, session_idle_s=36000)


def test_a_word_said_twice_changes_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_proved()
        ticket = await copy.receiver.show_number()
        await copy.receiver.done("receive/opened", ticket=ticket, mailbox=MAILBOX)
        await copy.sender.done("send/join", mailbox=MAILBOX)
        for path in ("receive/arrived", "receive/stored"):
            for _ in range(2):
                await copy.receiver.done(path, fingerprint=FINGERPRINT)
        await deliver(copy.world)
        assert len([text for text in copy.world.phone.texts if "복사되었습니다" in text]) == 1

    told(sqlite_url, tmp_path, story)


ORDERS = {
    "nothing": {
        "receive/open": "copy-over", "receive/join": "copy-over", "receive/arrived": "copy-over",
        "receive/stored": "copy-over", "receive/leave": "copy-over", "receive/opened": "copy-over",
        "send/confirm": "copy-no-receiver", "send/deny": "copy-no-receiver", "send/code": "copy-over",
        "send/factor": "copy-over", "send/challenge": "copy-over", "send/open": "copy-over",
        "send/opened": "copy-over", "send/join": "copy-over", "send/leave": "copy-over", "send/copied": "copy-over",
    },
    "announced": {
        "receive/join": "copy-order", "receive/arrived": "copy-order", "receive/stored": "copy-order",
        "send/code": "copy-order", "send/factor": "copy-order", "send/challenge": "copy-order",
        "send/open": "copy-order", "send/join": "copy-order", "send/leave": "copy-order", "send/copied": "copy-order",
    },
    "confirmed": {
        "receive/join": "copy-order", "receive/arrived": "copy-order", "receive/stored": "copy-order",
        "send/factor": "sms-not-requested", "send/challenge": "copy-order", "send/open": "copy-order",
        "send/join": "copy-order",
    },
    "cleared": {
        "receive/join": "copy-order", "receive/arrived": "copy-order", "receive/stored": "copy-order",
        "send/code": "copy-order", "send/factor": "copy-order", "send/open": "copy-order", "send/join": "copy-order",
    },
    "proved": {
        "receive/join": "copy-number-unknown", "receive/arrived": "copy-order", "receive/stored": "copy-order",
        "send/code": "copy-order", "send/factor": "copy-order", "send/join": "copy-number-unknown",
    },
    "allowed": {
        "receive/stored": "copy-order", "send/join": "copy-number-used", "receive/join": "copy-number-unknown",
        "send/confirm": "copy-order", "send/deny": "copy-order", "send/code": "copy-order",
        "receive/opened": "copy-order", "send/copied": "copy-order",
    },
    "arrived": {"send/join": "copy-number-unknown", "send/confirm": "copy-order", "send/factor": "copy-order"},
    "copied": {
        "receive/open": "copy-over", "receive/leave": "copy-over", "send/leave": "copy-over",
        "send/challenge": "copy-over", "send/join": "copy-over", "send/confirm": "copy-no-receiver",
    },
}  # fmt: skip


@pytest.mark.parametrize("place", ORDERS)
def test_every_wrong_order_is_refused_and_changes_nothing(sqlite_url: str, tmp_path: Path, place: str) -> None:
    async def story(copy: Copy) -> None:
        await _walk_to(copy, place)
        before = await copy.world.ports.store.flow("copying:c-hong")
        seen = (await copy.sender.look())["receiver"]
        fields = {
            "mailbox": MAILBOX, "ticket": "0" * 32, "fingerprint": FINGERPRINT, "code": "123456",
            "receiver": seen["id"] if seen else "0" * 32,
        }  # fmt: skip
        for path, code in ORDERS[place].items():
            end = copy.receiver if path.startswith("receive") else copy.sender
            assert await end.refused(path, **fields) == code, path
        assert await copy.world.ports.store.flow("copying:c-hong") == before

    told(sqlite_url, tmp_path, story, copy_runs=50)


async def _walk_to(copy: Copy, place: str) -> None:
    if place == "announced":
        await copy.receiver.announce()
    if place == "confirmed":
        await copy.receiver.announce()
        await copy.sender.say_yes()
    walk = {
        "cleared": copy.to_clear,
        "proved": copy.to_proved,
        "allowed": copy.to_allowed,
        "arrived": copy.to_arrived,
        "copied": copy.to_copied,
    }.get(place)
    if walk is not None:
        await walk()


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("receive/opened", {"ticket": "x", "mailbox": "41234"}),
        ("receive/opened", {"ticket": "0" * 32, "mailbox": "412345678901"}),
        ("receive/join", {"mailbox": "４１２３４"}),
        ("receive/arrived", {"fingerprint": "AB" * 32}),
        ("send/join", {}),
        ("send/confirm", {"receiver": ""}),
        ("send/prove", {"nonce": "0" * 64, "signed": "!"}),
        ("send/prove", {"nonce": "0" * 64, "signed": "A" * 50000}),
    ],
)
def test_a_field_of_another_form_is_refused(sqlite_url: str, tmp_path: Path, path: str, fields: dict[str, str]) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_clear()
        end = copy.receiver if path.startswith("receive") else copy.sender
        assert await end.refused(path, **fields) == "bad-request"
        assert end.status == 400

    told(sqlite_url, tmp_path, story)
