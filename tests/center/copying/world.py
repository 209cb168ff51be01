"""Two devices of one person before the whole center: browsers with a User-Agent, and the vault's hands on both ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.center import world as centers
from tests.center.registration.world import HONG, KIM
from tests.center.world import Browser, World, opened, party, signed
from tests.npki.certs import Party

from ingam.customer.notice import EMAIL, SMS, deliver_sms
from ingam.ports.customers import Customer
from ingam.protocols.mailbox import ticket as tickets

KIT: Final = "AppleWebKit/537.36 (KHTML, like Gecko)"
PC: Final = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KIT} Chrome/130.0 Safari/537.36"
PHONE: Final = f"Mozilla/5.0 (Linux; Android 14; K) {KIT} Chrome/130.0 Mobile Safari/537.36"
IPHONE: Final = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.0 Mobile/15E148 Safari/604.1"
)
HOME: Final = "203.0.113.7"
ELSEWHERE: Final = "198.51.100.9"
MAILBOX: Final = "41234"

Told = dict[str, Any]


@dataclass
class End:
    """One device: a browser that is logged in, and what it was told last."""

    browser: Browser
    status: int = 0

    @property
    def world(self) -> World:
        return self.browser.world

    async def post(self, path: str, **fields: str) -> Told:
        answer = await self.browser.send(f"/copying/{path}", fields, Accept="application/json")
        self.status = answer.status_code
        told: Told = answer.json()
        return told

    async def refused(self, path: str, **fields: str) -> str:
        """The code of a refusal; every one has a sentence."""
        told = await self.post(path, **fields)
        assert self.status >= 400, told
        assert len(told["message"]) > 5 and (told["code"] not in told["message"] or self.status >= 500)
        return str(told["code"])

    async def done(self, path: str, **fields: str) -> Told:
        """What a post that succeeds is told."""
        told = await self.post(path, **fields)
        assert self.status == 200, told
        return told

    # ── receiver ──

    async def announce(self) -> None:
        assert (await self.done("receive/begin"))["announced"] is True

    async def show_number(self, role: str = "receive", mailbox: str = MAILBOX) -> str:
        """A ticket, and the relay's mailbox for it; the ticket's id."""
        ticket = self.ticket(await self.done(f"{role}/open"))
        await self.done(f"{role}/opened", ticket=ticket.id, mailbox=mailbox)
        return ticket.id

    # ── sender ──

    async def look(self) -> Told:
        return await self.done("send/look")

    async def say_yes(self) -> bool:
        """Yes to the receiver that is shown; whether a code is asked for."""
        seen = (await self.look())["receiver"]
        assert seen is not None
        return bool((await self.done("send/confirm", receiver=seen["id"]))["factor"])

    async def type_code(self) -> None:
        await self.done("send/code")
        await deliver(self.world)
        await self.done("send/factor", code=self.world.phone.code)

    async def sign(self, holder: Party | None = None, **changed: Any) -> Told:
        """What the vault does with a challenge."""
        told = await self.done("send/challenge")
        return await self.post("send/prove", **self.signed(told | changed, holder))

    def signed(self, told: Told, holder: Party | None = None) -> dict[str, str]:
        return {"nonce": told["nonce"], "signed": signed(holder or party(), told, self.world.clock.now())}

    def ticket(self, told: Told) -> tickets.Ticket:
        """The ticket, as the relay reads it."""
        return tickets.read(told["ticket"], [self.world.ports.tickets.public])


@dataclass
class Copy:
    """A world with a registered certificate, and Hong's two devices."""

    world: World
    receiver: End
    sender: End

    async def to_clear(self) -> None:
        """① and ②."""
        await self.receiver.announce()
        if await self.sender.say_yes():
            await self.sender.type_code()

    async def to_proved(self) -> None:
        """③."""
        await self.to_clear()
        assert await self.sender.sign() == {}, self.sender.status

    async def to_allowed(self) -> None:
        """④ by number."""
        await self.to_proved()
        await self.receiver.show_number()
        await self.sender.done("send/join", mailbox=MAILBOX)

    async def to_arrived(self) -> None:
        await self.to_allowed()
        await self.receiver.done("receive/arrived", fingerprint=FINGERPRINT)

    async def to_copied(self) -> None:
        await self.to_arrived()
        await self.receiver.done("receive/stored", fingerprint=FINGERPRINT)

    async def state(self) -> str:
        """The stored state's name."""
        row = await self.world.ports.store.flow(f"copying:{HONG.customer_id}")
        return "" if row is None else row.state.partition('"state":"')[2].partition('"')[0]


FINGERPRINT: Final = party().certificate.fingerprint.hex()


async def end(world: World, who: Customer = HONG, *, agent: str = PC, address: str = HOME) -> End:
    """A device of a customer, logged in by ID from an address."""
    browser = world.browser(address)
    browser.client.headers["User-Agent"] = agent
    answer = await browser.log_in(who)
    assert answer.status_code == 303, answer.text
    await browser.get("/cert-center")
    return End(browser)


async def deliver(world: World) -> None:
    """What the worker does: everything due leaves once."""
    hand_over = deliver_sms(world.phone)
    for claimed in await world.ports.store.claim(world.clock.now(), 60, 50):
        assert claimed.kind in (SMS, EMAIL)
        await hand_over(claimed)
        await world.ports.store.delivered(claimed.id, world.clock.now())


Story = Callable[[Copy], Awaitable[None]]


def told(url: str, folder: Path, story: Story, **limits: Any) -> None:
    """Run a story: Hong's certificate is registered, the receiver is a phone, the sender a PC in the same network."""

    async def go() -> None:
        async with opened(url, folder, **limits) as world:
            await world.bind(HONG, party())
            receiver = await end(world, agent=PHONE)
            await story(Copy(world, receiver, await end(world)))

    asyncio.run(go())


__all__ = ["ELSEWHERE", "FINGERPRINT", "HOME", "HONG", "IPHONE", "KIM", "MAILBOX", "PC", "PHONE", "centers"]
