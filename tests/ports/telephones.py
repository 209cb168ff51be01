"""The telephones of the contract suite of automatic calls: one per way in which a call can be placed."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TypeAlias

from tests.ports.outside import Outside, outside
from tests.ports.sip_callee import Callee, Sounds, callee

from ingam.adapters.ars.http import HttpArs
from ingam.adapters.ars.sip import Patience, SipArs
from ingam.adapters.ars.sip_line import Trunk
from ingam.kernel.secret import Secret
from ingam.ports.ars import ArsCaller, Call, CallState
from ingam.protocols.sip.message import Response

MOBILE = "01085130001"
CALL = Call("0a" * 16, MOBILE, Secret("47"), "ko", "증권금융", "타기관인증서 등록")


class Telephone(ABC):
    """The other end of one call, and who places it."""

    caller: ArsCaller

    @abstractmethod
    async def answer(self) -> None:
        """Takes the call."""

    @abstractmethod
    async def decline(self) -> None:
        """Does not take it."""

    @abstractmethod
    async def press(self, digits: str) -> None:
        """Presses keys, one after the other."""

    @abstractmethod
    async def hang_up(self) -> None:
        """Puts the telephone down."""

    @abstractmethod
    async def down(self) -> bool:
        """Whether the line was put down by the other end."""

    @abstractmethod
    async def heard(self) -> list[str]:
        """What the voice said, in order."""

    @abstractmethod
    def turn(self, position: str) -> None:
        """`busy`, `no-answer` or `off`: before a call is placed."""


class SandboxTelephone(Telephone):
    """The sandbox's, behind its provider."""

    def __init__(self, folder: Path) -> None:
        self.outside: Outside = outside(folder)
        self.caller = HttpArs(
            "http://localhost:1/ars", key=Secret("k3y"), caller_id="15440000", transport=self.outside.transport,
            sleep=self._second,
        )  # fmt: skip

    async def _second(self, seconds: float) -> None:
        self.outside.clock.forward(int(seconds) or 1)
        await asyncio.sleep(0)

    async def answer(self) -> None:
        self._act("answer")

    async def decline(self) -> None:
        self._act("decline")

    async def press(self, digits: str) -> None:
        for key in digits:
            self._act("key", key)

    async def hang_up(self) -> None:
        self._act("hang-up")

    async def down(self) -> bool:
        one = self.outside.box.calls.last(MOBILE, self.outside.clock.now())
        return one is not None and not one.live

    async def heard(self) -> list[str]:
        one = self.outside.box.calls.last(MOBILE, self.outside.clock.now())
        return one.said if one else []

    def turn(self, position: str) -> None:
        self.outside.switches.turn("party", "ars", position)

    def _act(self, act: str, key: str = "") -> None:
        self.outside.box.calls.act(MOBILE, act, key, self.outside.clock.now())


@asynccontextmanager
async def sandbox(folder: Path) -> AsyncIterator[Telephone]:
    """Over HTTP."""
    telephone = SandboxTelephone(folder)
    yield telephone
    await telephone.caller.aclose()


class SipTelephone(Telephone):
    """Behind a trunk; what is said is known by its sound."""

    def __init__(self, callee: Callee) -> None:
        self.callee = callee
        self.voice = Sounds()
        self.caller = self._caller(Patience())

    def _caller(self, patience: Patience) -> SipArs:
        trunk = Trunk("127.0.0.1", self.callee.port, "udp", "trunk.test", "15440000", secured=False, bind="127.0.0.1")
        return SipArs(trunk, self.voice, patience=patience)

    async def answer(self) -> None:
        self.callee.answer()

    async def decline(self) -> None:
        self.callee.reply(self.callee.invite, 603)

    async def press(self, digits: str) -> None:
        await self.callee.until(self.voice.byte(1))
        self.callee.press(digits)

    async def hang_up(self) -> None:
        self.callee.bye()

    async def down(self) -> bool:
        await self.callee.gone.wait()
        return True

    async def heard(self) -> list[str]:
        await self.callee.gone.wait()
        return [self.voice.texts[byte - 1] for byte in self.callee.sounds()]

    def turn(self, position: str) -> None:
        if position == "no-answer":
            self.caller = self._caller(Patience(ringing=0.05))
        status = {"busy": 486, "off": 503}.get(position)
        if status is not None:
            self.callee.before = lambda _: Response(status, "", ())


@asynccontextmanager
async def sip(_folder: Path) -> AsyncIterator[Telephone]:
    """Over SIP."""
    telephone = SipTelephone(await callee())
    yield telephone
    await telephone.caller.aclose()
    telephone.callee.close()


Way: TypeAlias = Callable[[Path], AbstractAsyncContextManager[Telephone]]
WAYS: dict[str, Way] = {"http": sandbox, "sip": sip}


async def states(
    telephone: Telephone, acts: dict[CallState, Callable[[], Awaitable[None]]], call: Call = CALL
) -> list[CallState]:
    """Places a call and does what is to be done at each state; all states in order."""
    seen = []
    async for state in telephone.caller.place(call):
        seen.append(state)
        if state in acts:
            await acts[state]()
    return seen
