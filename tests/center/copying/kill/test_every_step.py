"""The center dies at every numbered step of a copy; what it finds when it comes back is one of the table's states."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2
import pytest
from tests.center.copying.world import FINGERPRINT, MAILBOX, Copy, End, deliver, told
from tests.center.issuance.kill.death import Killed, Reaper

from ingam.adapters.ephemeral.in_process import InProcessEphemeral
from ingam.center.copying.steps import STEPS
from ingam.page import Bundle
from ingam.run import center
from ingam.settings import Settings

ENOUGH = 60
LEAVING, REFUSED, DENYING = ("copying.19", "copying.20"), ("copying.21",), ("copying.24", "copying.25")
COPYING = [name for name, _ in STEPS if name not in (*LEAVING, *REFUSED, *DENYING)]


class Ground:
    """A copy, the hand that kills, and a center that is started again on what it left behind."""

    def __init__(self, copy: Copy, reaper: Reaper) -> None:
        self.copy, self.reaper, self.deaths = copy, reaper, 0

    async def survive(self, act: Callable[[], Awaitable[object]]) -> None:
        """One act of the person; a death in it is followed by a start with an empty memory."""
        try:
            await act()
        except Killed:
            self.deaths += 1
            self._start()

    def _start(self) -> None:
        world = self.copy.world
        world.clock.forward(61)  # what was counted stays counted: a code is asked for again after its minute
        settings = Settings(mode="test", limits=self.limits)
        ports = world.ports.__class__(
            **{name: getattr(world.ports, name) for name in world.ports.__dataclass_fields__ if name != "ephemeral"},
            ephemeral=InProcessEphemeral(world.clock),
        )
        world.app = center.app(settings, ports, Bundle({"center.css": "center-0.css"}))
        for end in (self.copy.receiver, self.copy.sender):
            end.browser.client._transport = httpx2.ASGITransport(app=world.app, client=("203.0.113.7", 1234))

    limits = Settings(mode="test").limits

    async def go_on(self) -> None:
        """What two people do who look at their screens and press what is offered, until it is done."""
        for _ in range(ENOUGH):
            if await self.copy.state() == "Copied" and await self._reported():
                return
            await self.survive(self._next)
        raise AssertionError(f"still {await self.copy.state()}")

    async def _next(self) -> None:
        copy = self.copy
        receiver, sender = copy.receiver, copy.sender
        match await copy.state():
            case "" | "Cancelled" | "Failed" | "Expired":
                await receiver.announce()
            case "Announced":
                await self._number(receiver)
                await sender.say_yes()
            case "Confirmed":
                await sender.done("send/code")
            case "AwaitingFactor":
                await deliver(copy.world)
                await sender.done("send/factor", code=copy.world.phone.code)
            case "Cleared":
                assert await sender.sign() == {}
            case "Proved":
                await self._number(receiver)
                await sender.done("send/join", mailbox=MAILBOX)
            case "Allowed":
                answer = await receiver.post("receive/arrived", fingerprint=FINGERPRINT)
                assert answer == {}
            case "Arrived":
                await receiver.done("receive/stored", fingerprint=FINGERPRINT)
            case "Copied":
                await sender.done("send/copied", fingerprint=FINGERPRINT)

    async def _reported(self) -> bool:
        row = await self.copy.world.ports.store.flow("copying:c-hong")
        return row is not None and '"reported":true' in row.state

    async def _number(self, receiver: End) -> None:
        """A number that the relay gave is told; a lost ticket is asked for anew."""
        ticket = receiver.ticket(await receiver.done("receive/open"))
        await receiver.done("receive/opened", ticket=ticket.id, mailbox=MAILBOX)


def killed(url: str, folder: Path, monkeypatch: pytest.MonkeyPatch, story: Callable[[Ground], Awaitable[None]]) -> None:
    """Run a story on a ground of its own."""

    async def go(copy: Copy) -> None:
        await story(Ground(copy, Reaper(monkeypatch)))

    told(url, folder, go)


@pytest.mark.parametrize("step", COPYING)
def test_a_copy_is_finished_once_wherever_the_center_dies(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    async def story(ground: Ground) -> None:
        ground.reaper.at(step)
        await ground.go_on()
        assert ground.reaper.rest() and ground.deaths == 1
        copy = ground.copy
        await deliver(copy.world)
        assert len([text for text in copy.world.phone.texts if "복사되었습니다" in text]) == 1
        assert len([text for text in copy.world.phone.texts if "인증서복사를 시작했습니다" in text]) == 1
        assert await copy.world.results("copying.received") == await copy.world.results("copying.reported") == ["ok"]
        proofs = await copy.world.rows("ledger_used", kind="proof")
        assert [row["voided"] for row in proofs] == [False]
        devices = [row for row in await copy.world.rows("device_seen") if row["proved_at"] is not None]
        assert len(devices) == 1

    killed(sqlite_url, tmp_path, monkeypatch, story)


@pytest.mark.parametrize("step", LEAVING)
def test_a_death_while_leaving_leaves_a_copy_that_goes_on_or_is_over(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    async def story(ground: Ground) -> None:
        await ground.copy.to_proved()
        ground.reaper.at(step)
        await ground.survive(lambda: ground.copy.sender.done("send/leave"))
        assert ground.reaper.rest()
        assert await ground.copy.state() == ("Proved" if step == LEAVING[0] else "Cancelled")

    killed(sqlite_url, tmp_path, monkeypatch, story)


@pytest.mark.parametrize("step", DENYING)
def test_C3_a_no_ends_copy_and_session_together_or_neither(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    async def story(ground: Ground) -> None:
        copy = ground.copy
        await copy.receiver.announce()
        seen = (await copy.sender.look())["receiver"]["id"]
        ground.reaper.at(step)
        await ground.survive(lambda: copy.sender.done("send/deny", receiver=seen))
        assert ground.reaper.rest()
        before = step == DENYING[0]
        assert await copy.state() == ("Announced" if before else "Failed")
        answer = await copy.receiver.post("receive/begin")
        assert (answer.get("announced") is True) if before else (answer["code"] == "session-over")
        if before:
            await copy.sender.done("send/deny", receiver=seen)

    killed(sqlite_url, tmp_path, monkeypatch, story)


def test_a_death_before_a_refusal_is_recorded_changes_nothing(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(ground: Ground) -> None:
        await ground.copy.to_proved()
        ground.reaper.at(REFUSED[0])
        await ground.survive(lambda: ground.copy.sender.post("send/join", mailbox="00000"))
        assert ground.reaper.rest()
        assert await ground.copy.state() == "Proved"
        assert await ground.copy.world.results("copying.sender.join") == []
        for _ in range(4):  # the try that died is counted
            await ground.copy.sender.refused("send/join", mailbox="00000")
        assert await ground.copy.sender.refused("send/join", mailbox="00000") == "copy-runs-spent"

    killed(sqlite_url, tmp_path, monkeypatch, story)
