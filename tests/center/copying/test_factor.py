"""② of a copy by a call and by a branch's number; `0` on the telephone ends the copy (C2, E4, E10)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.center.copying.world import HONG, Copy, told

from ingam.adapters.ars.recording import RecordingArs
from ingam.customer.additional_auth import Purpose
from ingam.customer.additional_auth.ars import KIND
from ingam.customer.additional_auth.branch import BranchNumbers
from ingam.customer.additional_auth.calling import Calls
from ingam.customer.notice import Sender
from ingam.settings import Institution, Limits


@asynccontextmanager
async def line(copy: Copy) -> AsyncIterator[Calls]:
    """The worker's calls; orders in the outbox are handed to it."""
    ports = copy.world.ports
    calls = Calls(ports.store, ports.clock, ports.ars, Limits(), Sender(Institution()))
    for claimed in await ports.store.claim(ports.clock.now(), 60, 50):
        if claimed.kind == KIND:
            await calls.deliver(claimed)
            await ports.store.delivered(claimed.id, ports.clock.now())
    yield calls
    await calls.aclose()


async def keyed(copy: Copy, digits: str) -> None:
    """The telephone rings, is answered, and these digits are keyed in."""
    ars = copy.world.ports.ars
    assert isinstance(ars, RecordingArs)
    async with line(copy) as calls:
        while not ars.placed:
            await copy.sender.look()
        (call_id,) = ars.placed
        ars.key(call_id, digits)
        await calls.settled()


def test_C2_E4_an_approved_call_clears_a_copy_to_a_new_device(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.receiver.announce()
        assert await copy.sender.say_yes()
        asked = await copy.sender.done("send/code", method="ars", to="mobile")
        assert (asked["state"], asked["over"], len(asked["digits"])) == ("queued", False, 2)
        look = await copy.sender.look()
        assert (look["step"], look["calling"], look["sent_until"]) == ("factor", True, None)
        assert await copy.sender.refused("send/factor", method="ars") == "ars-not-yet"
        await keyed(copy, asked["digits"])
        call = (await copy.sender.browser.client.get("/copying/send/call")).json()
        assert (call["state"], call["over"], call["digits"]) == ("approved", True, "")
        events = await copy.sender.browser.client.get("/copying/send/call/events")
        assert events.text.startswith('data: {"state":"approved","over":true,')
        await copy.sender.done("send/factor", method="ars")
        assert (await copy.state(), await copy.world.results("copying.factor")) == ("Cleared", ["ars-not-yet", "ok"])

    told(sqlite_url, tmp_path, story)


def test_E4_zero_on_the_telephone_ends_the_copy(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.receiver.announce()
        await copy.sender.say_yes()
        await copy.sender.done("send/code", method="ars", to="mobile")
        await keyed(copy, "0")
        assert await copy.sender.refused("send/code", method="sms") == "ars-refused"
        assert await copy.state() == "Failed"
        look = await copy.sender.look()
        assert (look["step"], look["code"]) == ("over", "ars-refused")

    told(sqlite_url, tmp_path, story)


def test_E10_a_branch_s_number_for_copying_clears_a_copy_and_one_for_registration_does_not(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(copy: Copy) -> None:
        ports = copy.world.ports
        numbers = BranchNumbers(ports.store, ports.clock, ports.digests, Limits(), Sender(Institution()))
        other = await numbers.issue(HONG, Purpose.REGISTRATION, "E1001", "여의도")
        right = await numbers.issue(HONG, Purpose.COPY_OUT, "E1001", "여의도")
        await copy.receiver.announce()
        await copy.sender.say_yes()
        typed = {"method": "branch-otp"}
        assert await copy.sender.refused("send/factor", **typed, branch="1234") == "copy-branch-incomplete"
        code = await copy.sender.refused("send/factor", **typed, branch=other.code.reveal())
        assert code == "branch-number-wrong"
        await copy.sender.done("send/factor", **typed, branch=right.code.reveal())
        assert await copy.state() == "Cleared"

    told(sqlite_url, tmp_path, story)


def test_the_page_of_a_copy_offers_the_three_ways(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        page = (await copy.sender.browser.get("/copying/send")).text
        assert all(f'id="method-{way}"' in page for way in ("sms", "ars", "branch-otp"))
        assert "휴대폰 010-8513-****" in page and "준비 중" not in page

    told(sqlite_url, tmp_path, story)
