"""The link and the terminal of `ingam copy`, against relays that do as they like and people who are overtaken."""

from __future__ import annotations

import asyncio
import io
import sys
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from websockets.asyncio.server import ServerConnection, serve

from ingam.kernel.errors import Failure
from ingam.protocols.mailbox import wire
from ingam.protocols.mailbox.endpoint import Closed, Event, Heard, LinkLost, PeerCame
from ingam.run.cli import copy_link
from ingam.run.cli.copy_link import Link, RelayRefused, RelayUnreachable, dialler
from ingam.run.cli.copy_terminal import Terminal
from ingam.run.cli.passwords import PasswordNeeded

TOKEN = "A" * 43
AT = datetime(2026, 11, 26, 6, tzinfo=UTC)
OPENED = wire.Opened("41234", TOKEN, AT)
Part = Callable[[ServerConnection], Awaitable[None]]


def played(*parts: Part, story: Callable[[Link], Awaitable[None]]) -> list[str]:
    """A relay that plays one part a connection; what the screen was told."""
    notes: list[str] = []

    async def go() -> None:
        coming = iter(parts)

        async def part(connection: ServerConnection) -> None:
            await next(coming)(connection)

        async with serve(part, "127.0.0.1", 0, subprotocols=["ingam-copy.1"], compression=None) as server:  # type: ignore[list-item]
            port = server.sockets[0].getsockname()[1]
            link = Link(dialler(f"http://127.0.0.1:{port}"), notes.append)
            try:
                async with asyncio.timeout(20):
                    await story(link)
            finally:
                await link.leave()

    asyncio.run(go())
    return notes


async def say(connection: ServerConnection, *told: wire.Told) -> None:
    for one in told:
        await connection.send(wire.write(one))


async def heard(link: Link) -> Event:
    return await link.events.get()


def test_a_refusal_of_the_relay_is_told_by_its_code() -> None:
    async def relay(connection: ServerConnection) -> None:
        await connection.recv()
        await say(connection, wire.RefusedBy("copy-too-many", 42))

    async def story(link: Link) -> None:
        with pytest.raises(RelayRefused) as refused:
            await link.begin(wire.Open("a.b"))
        assert (refused.value.code, refused.value.facts) == ("copy-too-many", {"s": 42})

    played(relay, story=story)


@pytest.mark.parametrize("answer", ["no json", '{"told":"peer"}', b"\x00\x00\x00\x00x"], ids=repr)
def test_a_first_word_that_is_none_is_a_relay_that_does_not_answer(answer: str | bytes) -> None:
    async def relay(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send(answer)

    async def story(link: Link) -> None:
        with pytest.raises(RelayUnreachable):
            await link.begin(wire.Open("a.b"))

    played(relay, story=story)


def test_nobody_there_is_told() -> None:
    async def go() -> None:
        with pytest.raises(RelayUnreachable):
            await Link(dialler("http://127.0.0.1:1")).begin(wire.Open("a.b"))

    asyncio.run(go())


def test_C12_the_ticket_is_in_the_first_frame_and_not_in_the_address() -> None:
    seen: list[str] = []

    async def relay(connection: ServerConnection) -> None:
        assert connection.request is not None
        seen.extend([connection.request.path, str(await connection.recv())])
        await say(connection, OPENED, wire.Closed("cancelled"))

    async def story(link: Link) -> None:
        assert await link.begin(wire.Join("ticket.text")) == OPENED
        assert await heard(link) == Closed("cancelled")

    played(relay, story=story)
    assert seen == ["/copy", '{"act":"join","ticket":"ticket.text"}']


def test_C8_after_a_break_the_same_bytes_go_again_and_a_peer_is_met_once() -> None:
    got: list[object] = []

    async def first(connection: ServerConnection) -> None:
        await connection.recv()
        await say(connection, OPENED, wire.Peer(AT))
        await connection.send(wire.write_post(0, b"hello"))
        got.append(await connection.recv())
        connection.transport.abort()

    async def second(connection: ServerConnection) -> None:
        assert wire.read_act(str(await connection.recv())) == wire.Resume(TOKEN, 1)
        await say(connection, wire.Resumed(0, AT), wire.Peer(AT))
        got.append(await connection.recv())
        got.append(await connection.recv())
        await connection.send(wire.write_post(0, b"hello"))
        await connection.send(wire.write_post(1, b"answer"))
        await say(connection, wire.Closed("done"))
        await connection.wait_closed()

    async def story(link: Link) -> None:
        await link.begin(wire.Open("a.b"))
        assert [await heard(link), await heard(link)] == [PeerCame(), Heard(b"hello")]
        await link.send(b"mine")
        while len(got) < 2:
            await asyncio.sleep(0.01)
        await link.send(b"more")
        assert [await heard(link), await heard(link)] == [Heard(b"answer"), Closed("done")]

    notes = played(first, second, story=story)
    assert got == [wire.write_post(0, b"mine"), wire.write_post(0, b"mine"), wire.write_post(1, b"more")]
    assert notes == ["lost", "resumed"]


@pytest.mark.parametrize(
    "frame", [wire.write_post(1, b"a gap"), b"\x00", "no json", '{"told":"refused","code":"relay-message"}'], ids=repr
)
def test_a_relay_that_leaves_the_protocol_ends_the_run(frame: str | bytes) -> None:
    async def relay(connection: ServerConnection) -> None:
        await connection.recv()
        await say(connection, OPENED)
        await connection.send(frame)
        await connection.wait_closed()

    async def story(link: Link) -> None:
        await link.begin(wire.Open("a.b"))
        assert await heard(link) == Closed("broken")

    played(relay, story=story)


def test_a_token_that_is_forgotten_is_a_lost_link() -> None:
    async def first(connection: ServerConnection) -> None:
        await connection.recv()
        await say(connection, OPENED)

    async def second(connection: ServerConnection) -> None:
        await connection.recv()
        await say(connection, wire.RefusedBy("resume-unknown"))

    async def story(link: Link) -> None:
        await link.begin(wire.Open("a.b"))
        assert await heard(link) == LinkLost()

    played(first, second, story=story)


def test_a_relay_that_stays_away_is_a_lost_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copy_link, "AWAY_S", 0.05)

    async def relay(connection: ServerConnection) -> None:
        await connection.recv()
        await say(connection, OPENED)

    async def away(connection: ServerConnection) -> None:
        connection.transport.abort()

    async def story(link: Link) -> None:
        await link.begin(wire.Open("a.b"))
        assert await heard(link) == LinkLost()

    played(relay, *[away] * 20, story=story)


def test_what_was_to_be_closed_is_said_again_after_a_break() -> None:
    said: list[object] = []

    async def first(connection: ServerConnection) -> None:
        await connection.recv()
        await say(connection, OPENED)
        connection.transport.abort()

    async def second(connection: ServerConnection) -> None:
        await connection.recv()
        await say(connection, wire.Resumed(0, AT))
        said.append(await connection.recv())
        await say(connection, wire.Closed("cancelled"))

    async def story(link: Link) -> None:
        await link.begin(wire.Open("a.b"))
        await link.close("cancelled")
        assert await heard(link) == Closed("cancelled")

    played(first, second, story=story)
    assert said == ['{"act":"close","why":"cancelled"}']


class Typing(io.TextIOBase):
    """Lines of a person who takes their time."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._more = threading.Condition()

    def type(self, line: str) -> None:
        with self._more:
            self.lines.append(line)
            self._more.notify()

    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
        with self._more:
            self._more.wait_for(lambda: self.lines, 10)
            return self.lines.pop(0) if self.lines else ""


def test_a_question_that_was_overtaken_leaves_its_answer_to_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    typing = Typing()
    monkeypatch.setattr(sys, "stdin", typing)

    async def go() -> None:
        terminal = Terminal("ko", piped=True)
        overtaken = asyncio.create_task(terminal.ask("ask_number"))
        await asyncio.sleep(0.05)
        overtaken.cancel()
        next_one = asyncio.create_task(terminal.agrees("ask_new_number"))
        await asyncio.sleep(0)
        typing.type("예\n")
        assert await next_one is True
        typing.type("secret words \n")
        assert (await terminal.secret("ask_login_password")).reveal() == "secret words "

    asyncio.run(go())


def test_the_end_of_input_is_a_no_and_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))

    async def go() -> None:
        terminal = Terminal("en", piped=True)
        assert await terminal.agrees("ask_in_hand") is False
        assert await terminal.ask("ask_number") == ""
        for one in (terminal, Terminal("en", piped=False)):
            with pytest.raises(PasswordNeeded):
                await one.secret("ask_login_password")

    asyncio.run(go())


@pytest.mark.parametrize("word", ["y", "YES", "예", "네", "맞아요"])
def test_a_yes_is_a_yes(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f" {word} \n아니요\nyesterday\n"))

    async def go() -> None:
        terminal = Terminal("ko", piped=True)
        assert [await terminal.agrees("ask_in_hand") for _ in range(4)] == [True, False, False, False]

    asyncio.run(go())


def test_what_others_wrote_is_only_shown(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal("ko", piped=True)
    terminal.line("red\x1b[31m")
    terminal.rows({"device": "PC\x1b]0;x\x07"})
    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert "\\u001b" in told
    assert issubclass(RelayRefused, Failure)


def test_what_overtakes_a_question_begins_a_line_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))

    async def go() -> None:
        terminal = Terminal("en", piped=False)
        asking = asyncio.ensure_future(terminal.agrees("ask_new_number"))
        await asyncio.sleep(0)
        terminal.say("link_away")
        assert await asking
        terminal.say("link_back")

    asyncio.run(go())
    question, away, back = capsys.readouterr().out.splitlines()
    assert question.endswith("(yes/no) ")
    assert away.startswith("The other device")
    assert back.startswith("The other device")


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_names_of_devices_and_certificates_command_no_terminal(
    lang: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = "PC\x1b[2J\x9b1A\r\n\u202e\u2028\x07\x1b]52;c;eA==\x07\udcff"
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n"))

    async def go() -> None:
        terminal = Terminal(lang, piped=False)
        terminal.say("connected_sender", device=wrong)
        terminal.say("connected", device=wrong)
        terminal.say("received", place=wrong)
        terminal.rows({"owner": wrong, "device": wrong, "issuer": wrong})
        terminal.line(wrong)
        terminal.why(wrong)
        await terminal.ask("ask_replace", place=wrong)

    asyncio.run(go())
    said = capsys.readouterr().out
    assert all(one.isprintable() for one in said.replace("\n", ""))
    assert len(said.splitlines()) == 9
