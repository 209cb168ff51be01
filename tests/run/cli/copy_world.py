"""`ingam copy` on two machines of one person: the whole center in memory, a relay behind a port, scripted terminals."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import httpx2
from tests.center import world as centers
from tests.center.copying.world import ELSEWHERE, HOME, deliver
from tests.center.registration.world import HONG, PASSWORD, party
from tests.center.world import CENTER, World
from websockets.asyncio.client import ClientConnection

from ingam.adapters.mailboxes.in_process import InProcessMailboxes
from ingam.kernel.errors import Failure
from ingam.kernel.secret import Secret
from ingam.npki import key_file
from ingam.npki.key_file import Variant
from ingam.relay.service import Relay, Rules
from ingam.run.cli import copy
from ingam.run.cli.copy_link import dialler
from ingam.run.cli.copy_terminal import Terminal
from ingam.run.exchange import listening
from ingam.run.relay_web import RelayWeb

RELAY: Final = "http://localhost:8705"
CERTIFICATE_PASSWORD: Final = "ingam-Test#2026"
ROOT: Final = Path(__file__).parents[3]
PATIENCE_S: Final = 30

Answer = str | Callable[[], Awaitable[str]]


class Scripted(Terminal):
    """A person who answers by the name of the question; what is said is kept. A list holds one answer a time."""

    def __init__(self, answers: dict[str, Answer | list[Answer]], lang: str = "ko") -> None:
        super().__init__(lang, piped=False)
        self._answers = answers
        self.said: list[str] = []
        self.asked: list[str] = []
        self._heard = asyncio.Condition()

    def line(self, text: str) -> None:
        self.said.append(text)

    def rows(self, names: dict[str, str]) -> None:
        self.said += [f"{name}: {value}" for name, value in names.items()]

    def pictured(self, lines: list[str]) -> None:
        self.said.append("\n".join(lines))

    async def ask(self, name: str, **facts: str | int) -> str:
        self.asked.append(name)
        self.said.append(f"{name} {facts}")
        answer = self._answers.get(name, "")
        if isinstance(answer, list):
            answer = answer.pop(0) if answer else ""
        return answer if isinstance(answer, str) else await answer()

    async def secret(self, name: str) -> Secret[str]:
        return Secret(await self.ask(name))

    @property
    def text(self) -> str:
        return "\n".join(self.said)

    async def sees(self, part: str) -> str:
        """The first line with this in it, as soon as it is there."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found = [line for line in self.said if part in line]
                if found:
                    return found[0]
                await asyncio.sleep(0.01)


class Machine:
    """One of the person's machines: a folder, a network address, its kept cookies."""

    def __init__(self, stage: Stage, name: str, address: str) -> None:
        self.stage, self.folder, self.address = stage, stage.folder / name, address
        self.folder.mkdir()
        self.sockets: list[ClientConnection] = []
        self.who = HONG
        self.to = self.folder / "NPKI"

    @property
    def npki(self) -> Path:
        return self.folder / "NPKI"

    def lay(self) -> Path:
        """홍길동's pair as an NPKI folder has it."""
        where = self.npki / "pair"
        where.mkdir(parents=True)
        plain = (ROOT / "vectors/keys/rsa2048-02.p8").read_bytes()
        (where / "signCert.der").write_bytes(party().certificate.der)
        (where / "signPri.key").write_bytes(
            key_file.seal_key(plain, CERTIFICATE_PASSWORD.encode(), Variant.PBE_SHA1_SEED)
        )
        return where

    async def _dial(self) -> ClientConnection:
        socket = await dialler(f"http://127.0.0.1:{self.stage.port}")()
        self.sockets.append(socket)
        return socket

    async def run(self, terminal: Scripted, *words: str) -> int:
        """`ingam copy …` to its exit code."""
        options = copy.parser(terminal.lang).parse_args([*words, "--center", CENTER, "--id", self.who.banking_id])
        transport = httpx2.ASGITransport(app=self.stage.world.app, client=(self.address, 1234))
        reach = copy.Reach(
            http={"transport": transport}, relay=self._dial, environment={"XDG_STATE_HOME": str(self.folder)}
        )
        try:
            return await copy.run(options, terminal.lang, reach, terminal)
        except Failure as failure:
            terminal.said.append(f"[{failure.code}]")
            return copy.failed(failure, terminal.lang)


class Stage:
    """Everything, with two machines."""

    def __init__(self, world: World, folder: Path, port: int) -> None:
        self.world, self.folder, self.port = world, folder, port
        self.receiver, self.sender = Machine(self, "receiver", HOME), Machine(self, "sender", HOME)
        self.elsewhere = ELSEWHERE

    def receives(self, **answers: Answer | list[Answer]) -> Scripted:
        """The receiving person."""
        return Scripted({"ask_login_password": PASSWORD, **answers})

    def sends(self, receiver: Scripted, **answers: Answer | list[Answer]) -> Scripted:
        """The sending person, who reads the number off the receiver's screen and the code off the telephone."""

        async def number() -> str:
            return (await receiver.sees("번호를 보내는 기기에")).rpartition(":  ")[2]

        async def code() -> str:
            await deliver(self.world)
            return str(self.world.phone.code)

        given: dict[str, Answer | list[Answer]] = {
            "ask_login_password": PASSWORD, "ask_certificate_password": CERTIFICATE_PASSWORD, "ask_in_hand": "예",
            "ask_code": code, "ask_number": [number], "ask_words": "예",
        }  # fmt: skip
        return Scripted(given | answers)

    async def both(self, receiver: Scripted, sender: Scripted, *more: str) -> tuple[int, int]:
        """Both machines at once; the sender's begins when the receiver is there."""
        place = str(self.receiver.to)
        receiving = asyncio.create_task(self.receiver.run(receiver, "receive", "--to", place, *more))
        pair = self.sender.npki / "pair"
        sending = asyncio.create_task(
            self.sender.run(sender, "send", str(pair if pair.exists() else self.sender.lay()))
        )
        async with asyncio.timeout(PATIENCE_S):
            return await receiving, await sending

    def stored(self) -> list[Path]:
        """Folders of pairs on the receiving machine."""
        return sorted(one.parent for one in self.receiver.npki.rglob("signCert.der"))


def told(url: str, folder: Path, story: Callable[[Stage], Awaitable[None]], **limits: Any) -> None:
    """Run a story: Hong's certificate is registered."""

    async def go() -> None:
        async with AsyncExitStack() as stack:
            world = await stack.enter_async_context(centers.opened(url, folder, **limits))
            await world.bind(HONG, party())
            relay = Relay(InProcessMailboxes(), world.clock, Rules(RELAY, (world.ports.tickets.public,)))
            await relay.start()
            world.clock.forward(2)  # a relay takes no ticket from before its store began to remember
            web = RelayWeb(relay, "http://localhost:8701", behind_tls=False)
            listener = listening("127.0.0.1", 0)
            await web.exchange.start(listener)
            try:
                await story(Stage(world, folder, listener.getsockname()[1]))
            finally:
                await relay.stop()
                await web.exchange.drain()

    asyncio.run(go())
