"""The relay's port over real sockets, in the loop of the test: WebSocket, fallback, bounds, operations."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.relay.world import Device, World, until
from tests.run.relay_clients import VAULT, Events, Line, asked, dialled, first_of, head, pair, request
from websockets.exceptions import ConnectionClosed, InvalidStatus

from ingam.protocols.mailbox import wire
from ingam.relay.service import Relay
from ingam.run.exchange import listening
from ingam.run.messages import Request
from ingam.run.relay_device import CLOSING_S, UNREAD_S
from ingam.run.relay_socket import BYTES_MOST, PARTS_MOST, PING_S, SILENT_S, Socket
from ingam.run.relay_stream import GRACE_S, HEARTBEAT_S
from ingam.run.relay_web import RelayWeb


class Stage:
    """A relay behind a port."""

    def __init__(self, world: World, relay: Relay, web: RelayWeb, port: int) -> None:
        self.world, self.relay, self.web, self.port = world, relay, web, port

    def device(self, who: str = "a" * 64) -> Device:
        return Device(self.world, self.relay, who)

    async def pair(self, who: str = "a" * 64) -> tuple[Line, Line, Any, Any]:
        return await pair(self.world, self.port, who=who)

    def tick(self, seconds: int) -> None:
        """Seconds pass for connections."""
        for _ in range(seconds):
            self.web.exchange.tick += 1
            for connection in list(self.web.exchange.connections):
                connection.check(self.web.exchange.tick, 60)

    def sockets(self) -> list[Socket]:
        connections: list[Any] = list(self.web.exchange.connections)
        return [one for one in connections if isinstance(one, Socket)]


def played(scene: Callable[[Stage], Awaitable[Any]], *, behind_tls: bool = False, **rules: Any) -> None:
    async def whole() -> None:
        world = World(**rules)
        relay = await world.relay()
        web = RelayWeb(relay, VAULT, behind_tls=behind_tls)
        web.exchange.on_defect = world.defects.append
        listener = listening("127.0.0.1", 0)
        port = listener.getsockname()[1]
        await web.exchange.start(listener)
        try:
            async with asyncio.timeout(30):
                await scene(Stage(world, relay, web, port))
        finally:
            await Line.close_all()
            await relay.stop()
            await web.exchange.drain()
        assert world.defects == []

    asyncio.run(whole())


def test_a_copy_over_websockets_from_the_first_word_to_the_last() -> None:
    async def scene(stage: Stage) -> None:
        receiver, sender, opened, joined = await stage.pair()
        assert opened.token != joined.token
        await receiver.send(0, b"hello")
        assert await sender.got() == (0, b"hello")
        for number in range(3):
            await sender.send(number, bytes([number]) * 16_402)
            assert await receiver.got() == (number, bytes([number]) * 16_402)
        await receiver.send(1, b"stored")
        assert await sender.got() == (1, b"stored")
        await sender.say(wire.Close("done"))
        for line in (receiver, sender):
            assert await line.told() == wire.Closed("done")
            assert await line.closed() == 1000
        await until(lambda: not stage.web.exchange.connections)

    played(scene)


def test_messages_that_come_in_one_piece_keep_their_order() -> None:
    async def scene(stage: Stage) -> None:
        receiver, sender, *_ = await stage.pair()
        await asyncio.gather(*(sender.send(number, b"%d" % number) for number in range(8)))
        assert [await receiver.got() for _ in range(8)] == [(number, b"%d" % number) for number in range(8)]

    played(scene)


def test_a_dropped_connection_is_resumed() -> None:
    async def scene(stage: Stage) -> None:
        receiver, sender, _, joined = await stage.pair()
        await sender.send(0, b"one")
        assert await receiver.got() == (0, b"one")
        sender.socket.transport.abort()
        assert await receiver.told() == wire.Away()
        await receiver.send(0, b"answer")
        again = await Line.to(stage.port, wire.Resume(joined.token, 0))
        resumed = await again.told()
        assert isinstance(resumed, wire.Resumed)
        assert resumed.have == 1
        assert await again.got() == (0, b"answer")
        assert await receiver.told() == wire.Back()
        await again.send(0, b"one")
        await again.send(1, b"two")
        assert await receiver.got() == (1, b"two")

    played(scene)


def test_a_refusal_is_told_and_the_connection_ends() -> None:
    async def scene(stage: Stage) -> None:
        for first, code in [
            (wire.Open("nonsense"), "ticket-invalid"),
            (first_of(stage.device(), "join", role="sender", mailbox="00000", peer="0" * 32), "mailbox-unknown"),
            (wire.Resume("A" * 43, 0), "resume-unknown"),
            (wire.Close("done"), "relay-message"),
        ]:
            line = await Line.to(stage.port, first)
            assert await line.told() == wire.RefusedBy(code)
            assert await line.closed() == 1000
        assert stage.relay.counts.refused["ticket-invalid"] == 1

    played(scene)


def test_C12_only_the_vaults_origin_or_none_at_all() -> None:
    async def scene(stage: Stage) -> None:
        for origin in ("http://localhost:8700", "null", "http://localhost:8701.example.test", ""):
            with pytest.raises(InvalidStatus) as told:
                await dialled(stage.port, origin=origin)
            assert told.value.response.status_code == 403
            answer = await asked(stage.port, "POST", "/copy/begin", {}, origin=origin)
            assert answer.status == 403
            assert "access-control-allow-origin" not in answer.fields
        assert stage.relay.counts.began == {}
        line = await Line.to(stage.port, first_of(stage.device(), "open", role="receiver"), origin=None)
        assert isinstance(await line.told(), wire.Opened)

    played(scene)


UPGRADE = {
    "Upgrade": "websocket", "Connection": "keep-alive, Upgrade", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode(), "Sec-WebSocket-Protocol": "other, ingam-copy.1",
}  # fmt: skip


def test_a_handshake_that_is_not_whole_gets_no_websocket() -> None:
    async def scene(stage: Stage) -> None:
        for change, status in [
            ({}, 101),
            ({"Upgrade": "h2c"}, 426),
            ({"Connection": "keep-alive"}, 426),
            ({"Sec-WebSocket-Version": "8"}, 426),
            ({"Sec-WebSocket-Key": "short"}, 400),
            ({"Sec-WebSocket-Key": "!" * 24}, 400),
            ({"Sec-WebSocket-Protocol": "ingam-copy.2"}, 400),
        ]:
            answer = await asked(stage.port, "GET", "/copy", fields=UPGRADE | change)
            assert answer.status == status, change
        assert (await asked(stage.port, "POST", "/copy")).status == 405

    played(scene)


def test_the_first_word_comes_in_time_or_the_connection_ends() -> None:
    async def scene(stage: Stage) -> None:
        silent = await Line.to(stage.port)
        await until(stage.sockets)
        stage.tick(wire.FIRST_SECONDS)
        assert stage.sockets()
        stage.tick(1)
        assert await silent.closed() is None
        assert stage.web.exchange.cut == 1

    played(scene)


def test_who_keeps_silent_is_asked_and_then_cut() -> None:
    async def scene(stage: Stage) -> None:
        device = stage.device()
        answers = await Line.to(stage.port, first_of(device, "open", role="receiver"))
        await answers.told()
        stage.tick(PING_S + 1)
        [socket] = stage.sockets()
        await until(lambda: socket._heard == stage.web.exchange.tick)  # the client's pong
        stage.tick(SILENT_S)
        assert stage.sockets()
        stage.tick(1)
        await until(lambda: not stage.sockets())
        assert stage.web.exchange.cut == 1
        await answers.closed()

    played(scene)


def test_who_does_not_read_is_cut() -> None:
    async def scene(stage: Stage) -> None:
        await stage.pair()
        slow = stage.sockets()[0]
        slow.pause_writing()
        stage.tick(UNREAD_S)
        slow.resume_writing()
        slow.pause_writing()
        stage.tick(UNREAD_S)
        assert stage.web.exchange.cut == 0
        stage.tick(1)
        assert stage.web.exchange.cut == 1

    played(scene)


def test_who_does_not_go_is_put_out() -> None:
    async def scene(stage: Stage) -> None:
        reader, writer = await request(stage.port, "GET", "/copy", None, UPGRADE, VAULT)
        assert (await head(reader)).status == 101
        writer.write(b"\x81\x80\x00\x00\x00\x00")  # an empty text: no word of the protocol
        assert b"relay-message" in await reader.readuntil(b"}")
        stage.tick(CLOSING_S + 1)
        await until(lambda: not stage.web.exchange.connections)
        writer.close()

    played(scene)


@pytest.mark.parametrize(
    "said", ["{}", '{"act":"open"}', "x" * 5000, "null", b"\x00", b"\x00\x00\x00\x00", b"\x00\x00\x00\x00body"]
)
def test_a_first_frame_that_is_no_word_of_the_protocol_is_refused(said: str | bytes) -> None:
    async def scene(stage: Stage) -> None:
        line = await Line.to(stage.port)
        await line.socket.send(said)
        assert await line.told() == wire.RefusedBy("relay-message")
        assert await line.closed() == 1000

    played(scene)


@pytest.mark.parametrize(
    "said", ["{}", '{"act":"close","why":"bored"}', b"\x00", b"", '{"act":"resume","token":"' + "A" * 43 + '","got":0}']
)
def test_a_seated_device_that_leaves_the_protocol_burns_its_mailbox(said: str | bytes) -> None:
    async def scene(stage: Stage) -> None:
        receiver, sender, *_ = await stage.pair()
        await sender.socket.send(said)
        assert await sender.told() == wire.RefusedBy("relay-message")
        assert await receiver.told() == wire.Closed("broken")
        await sender.closed()
        await receiver.closed()
        assert stage.relay.rooms.all == {}

    played(scene)


@pytest.mark.parametrize("pieces", [[bytes(wire.MOST_FRAME + 1)], [bytes(9_000), bytes(9_000)]])
def test_an_oversize_message_is_refused_before_it_is_read_and_burns(pieces: list[bytes]) -> None:
    async def scene(stage: Stage) -> None:
        receiver, sender, *_ = await stage.pair()
        await sender.socket.send(pieces if len(pieces) > 1 else pieces[0])
        assert await receiver.told() == wire.Closed("broken")
        assert await sender.closed() == 1009
        await receiver.closed()

    played(scene)


def test_fragments_are_put_together() -> None:
    async def scene(stage: Stage) -> None:
        receiver, sender, *_ = await stage.pair()
        await sender.socket.send([b"\x00\x00", b"\x00\x00fr", b"", b"agments"])
        assert await receiver.got() == (0, b"fragments")

    played(scene)


async def fragments(line: Line) -> None:
    await line.socket.send([b"\x00"] * (PARTS_MOST + 4))


async def pings(line: Line) -> None:
    for number in range(BYTES_MOST // 125 + 1):
        await line.socket.ping(number.to_bytes(119, "big"))


async def repetitions(line: Line) -> None:
    for _ in range(BYTES_MOST // wire.MOST_FRAME + 1):
        await line.send(0, bytes(16_402))


@pytest.mark.parametrize("flood", [fragments, pings, repetitions])
def test_a_flood_ends_its_connection(flood: Callable[[Line], Awaitable[None]]) -> None:
    async def scene(stage: Stage) -> None:
        receiver, sender, *_ = await stage.pair()
        with contextlib.suppress(ConnectionClosed):
            await flood(sender)
        await sender.closed()
        told = await asyncio.wait_for(receiver.socket.recv(), 5)
        while isinstance(told, bytes):
            told = await asyncio.wait_for(receiver.socket.recv(), 5)
        assert wire.read_told(told) == wire.Away()

    played(scene)


def test_raw_noise_after_the_handshake_ends_the_connection() -> None:
    async def scene(stage: Stage) -> None:
        reader, writer = await request(stage.port, "GET", "/copy", None, UPGRADE, VAULT)
        assert (await head(reader)).status == 101
        writer.write(b"GET / HTTP/1.1\r\n\r\n" * 40)
        assert (await asyncio.wait_for(reader.read(), 5))[:1] == b"\x88"  # a close frame
        writer.close()
        await until(lambda: not stage.web.exchange.connections)

    played(scene)


# The fallback


async def begun(stage: Stage, first: wire.Act) -> Any:
    answer = await asked(stage.port, "POST", "/copy/begin", wire.write(first).encode())
    assert answer.status == 200
    assert answer.fields["access-control-allow-origin"] == VAULT
    assert answer.fields["cache-control"] == "no-store"
    return answer.told


def post(sequence: int, body: bytes) -> dict[str, Any]:
    return {"seq": sequence, "body": base64.b64encode(body).decode()}


def test_the_same_copy_over_plain_requests() -> None:
    async def scene(stage: Stage) -> None:
        device = stage.device()
        opened = await begun(stage, first_of(device, "open", role="receiver"))
        receiving = await Events.of(stage.port, opened.token)
        assert device.ticket is not None
        joins = first_of(device, "join", role="sender", mailbox=opened.mailbox, peer=device.ticket.id)
        joined = await begun(stage, joins)
        sending = await Events.of(stage.port, joined.token)
        kind, data = await receiving.next()
        assert (kind, type(wire.read_told(data))) == ("told", wire.Peer)
        for number in range(3):
            sent = {"token": joined.token, **post(number, bytes([number]) * 16_402)}
            assert (await asked(stage.port, "POST", "/copy/send", sent)).status == 200
            kind, data = await receiving.next()
            assert (kind, wire.read_post(base64.b64decode(data))) == ("peer", (number, bytes([number]) * 16_402))
        await asked(stage.port, "POST", "/copy/send", {"token": opened.token, **post(0, b"stored")})
        assert (await sending.next())[0] == "peer"
        assert (await asked(stage.port, "POST", "/copy/close", {"token": joined.token, "why": "done"})).status == 200
        for events in (receiving, sending):
            assert await events.next() == ("told", wire.write(wire.Closed("done")))
            assert await events.ended()
        late = await asked(stage.port, "POST", "/copy/send", {"token": joined.token, **post(3, b"late")})
        assert (late.status, late.told) == (404, wire.RefusedBy("resume-unknown"))

    played(scene)


def test_a_device_goes_from_a_websocket_to_plain_requests_and_back() -> None:
    async def scene(stage: Stage) -> None:
        receiver, sender, _, joined = await stage.pair()
        await sender.send(0, b"one")
        await receiver.got()
        resumed = await begun(stage, wire.Resume(joined.token, 0))
        assert resumed.have == 1
        await receiver.send(0, b"hello")
        assert await sender.got() == (0, b"hello")  # nothing has changed before the stream is there
        events = await Events.of(stage.port, joined.token, 0)
        assert await sender.closed() == 1000
        kind, data = await events.next()
        assert (kind, wire.read_post(base64.b64decode(data))) == ("peer", (0, b"hello"))
        await asked(stage.port, "POST", "/copy/send", {"token": joined.token, **post(1, b"two")})
        assert await receiver.got() == (1, b"two")
        again = await Line.to(stage.port, wire.Resume(joined.token, 1))
        assert isinstance(await again.told(), wire.Resumed)
        assert await events.ended()
        await again.send(2, b"three")
        assert await receiver.got() == (2, b"three")

    played(scene)


def test_a_stream_beats_and_a_lost_one_leaves_its_device_away() -> None:
    async def scene(stage: Stage) -> None:
        receiver, sender, opened, _ = await stage.pair()
        await begun(stage, wire.Resume(opened.token, 0))
        events = await Events.of(stage.port, opened.token)
        assert await events.next() == ("told", wire.write(wire.Peer(sender_ends(stage))))
        stage.tick(HEARTBEAT_S)
        assert await events.next() == ("", "")
        events.close()
        assert await sender.told() == wire.Away()
        await receiver.closed()

    played(scene)


def sender_ends(stage: Stage) -> Any:
    [room] = stage.relay.rooms.all.values()
    from ingam.relay.room import instant

    return instant(room.state.ends)


def test_a_device_whose_stream_does_not_come_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingam.run.relay_web.GRACE_S", 0.01)
    assert GRACE_S >= 5

    async def scene(stage: Stage) -> None:
        device = stage.device()
        receiver = await Line.to(stage.port, first_of(device, "open", role="receiver"))
        opened = await receiver.told()
        assert isinstance(opened, wire.Opened)
        assert device.ticket is not None
        joins = first_of(device, "join", role="sender", mailbox=opened.mailbox, peer=device.ticket.id)
        await begun(stage, joins)
        assert isinstance(await receiver.told(), wire.Peer)
        assert await receiver.told() == wire.Away()

    played(scene)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("begin", b"{}"), ("begin", b"\xff"), ("begin", b'{"act":"close","why":"done"}'), ("events", b"[]"),
        ("events", {"token": "A" * 43, "got": 9}), ("events", {"token": "short", "got": 0}),
        ("send", {"token": "A" * 43, "seq": -1, "body": "AAAA"}), ("send", {"token": "A" * 43, "seq": 0, "body": ""}),
        ("send", {"token": "A" * 43, "seq": 2**32, "body": "AAAA"}),
        ("send", {"token": "A" * 43, "seq": 0, "body": "A*AA"}),
        ("send", {"token": "A" * 43, "seq": 0, "body": "AAAA", "more": 1}),
        ("send", {"token": "A" * 43, "seq": 0, "body": base64.b64encode(bytes(16_403)).decode()}),
        ("close", {"token": "A" * 43, "why": "gone"}), ("close", {"why": "done"}),
    ],
)  # fmt: skip
def test_a_request_that_is_no_word_of_the_protocol_is_refused(path: str, body: Any) -> None:
    async def scene(stage: Stage) -> None:
        answer = await asked(stage.port, "POST", f"/copy/{path}", body)
        assert (answer.status, answer.told) == (400, wire.RefusedBy("relay-message"))
        assert answer.fields["access-control-allow-origin"] == VAULT

    played(scene)


def test_bodies_are_bounded_before_they_are_read() -> None:
    async def scene(stage: Stage) -> None:
        for path in ("begin", "events", "close"):
            assert (await asked(stage.port, "POST", f"/copy/{path}", bytes(4_097))).status == 413
        assert (await asked(stage.port, "POST", "/copy/send", bytes(24_000))).status == 413
        assert (await asked(stage.port, "POST", "/elsewhere", b"x")).status == 413

    played(scene)


def test_a_browser_may_ask_first() -> None:
    async def scene(stage: Stage) -> None:
        answer = await asked(stage.port, "OPTIONS", "/copy/send")
        assert answer.status == 204
        assert answer.fields["access-control-allow-origin"] == VAULT
        assert answer.fields["access-control-allow-methods"] == "POST"
        assert answer.fields["vary"] == "Origin"
        assert (await asked(stage.port, "OPTIONS", "/copy/send", origin="http://localhost:1")).status == 403
        assert (await asked(stage.port, "GET", "/copy/send")).status == 405

    played(scene)


def test_tokens_guessed_over_plain_requests_count_for_the_network() -> None:
    async def scene(stage: Stage) -> None:
        told = [
            (await asked(stage.port, "POST", "/copy/close", {"token": "A" * 43, "why": "done"})).status
            for _ in range(4)
        ]
        assert told == [404, 404, 429, 429]

    from ingam.ports.mailboxes import NetworkCeilings

    played(scene, network=NetworkCeilings(connections=2))


# Operations


def test_health_readiness_and_numbers() -> None:
    async def scene(stage: Stage) -> None:
        receiver, sender, *_ = await stage.pair()
        await sender.send(0, b"x" * 100)
        await receiver.got()
        assert (await asked(stage.port, "GET", "/healthz", origin=None)).status == 200
        assert (await asked(stage.port, "GET", "/readyz", origin=None)).status == 200
        assert (await asked(stage.port, "GET", "/", origin=None)).status == 200
        assert (await asked(stage.port, "GET", "/nothing", origin=None)).status == 404
        assert (await asked(stage.port, "PUT", "/healthz", origin=None)).status == 405
        text = (await asked(stage.port, "GET", "/metrics", origin=None)).body.decode()
        for line in (
            'ingam_relay_began_total{act="open"} 1', 'ingam_relay_began_total{act="join"} 1',
            "ingam_relay_messages_total 1", "ingam_relay_octets_total 100", "ingam_relay_running 1",
            "ingam_relay_waiting 0", "ingam_relay_stopping 0",
        ):  # fmt: skip
            assert line in text.splitlines()
        assert "127.0.0.1" not in text
        await stage.relay.drain()
        assert (await asked(stage.port, "GET", "/readyz", origin=None)).status == 503
        assert (await asked(stage.port, "GET", "/healthz", origin=None)).status == 200

    played(scene)


@pytest.mark.parametrize(
    ("peer", "told", "behind", "network"),
    [
        ("192.0.2.7", b"", False, "192.0.2.7"),
        ("192.0.2.7", b"198.51.100.1", False, "192.0.2.7"),
        ("127.0.0.1", b"198.51.100.1", True, "198.51.100.1"),
        ("127.0.0.1", b"203.0.113.9, 198.51.100.1", True, "198.51.100.1"),
        ("127.0.0.1", b"", True, "127.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", b"", False, "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", b"", False, "192.0.2.7"),
        ("", b"nonsense", True, "unknown"),
    ],
)
def test_C12_a_network_is_an_address_or_64_bits(peer: str, told: bytes, behind: bool, network: str) -> None:
    web = RelayWeb(Relay(None, None, None), VAULT, behind_tls=behind)  # type: ignore[arg-type]
    asked = Request(b"GET", b"/copy", {b"x-forwarded-for": told} if told else {}, b"", peer, True, False)
    assert web.network(asked) == network
