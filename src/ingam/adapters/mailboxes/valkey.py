"""The relay's store on a Valkey (or Redis ≥ 7) that several nodes share: two devices on two nodes meet there.

Each decision is one script (`scripts`). A node hears of what other nodes did over a channel of its own; news that may
have been lost are told as `Missed`, and the mailbox itself holds everything. A store that does not answer in time, or
answers otherwise than it should, is `RelayOutage`: what it did meanwhile is found out by the next look.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
from collections.abc import Awaitable
from typing import Any, Final, TypeVar, cast

import msgspec
from valkey.asyncio import BlockingConnectionPool, Valkey
from valkey.exceptions import ValkeyError

from ingam.adapters.mailboxes import scripts
from ingam.ports.mailboxes import (
    REST_S,
    TAKEN_MOST,
    Ceiling,
    Change,
    Changed,
    Ear,
    Ended,
    Kept,
    Missed,
    NetworkCeilings,
    Opening,
    RelayOutage,
    Showing,
    SpaceFull,
    TicketUsed,
    TooMany,
    WrongClaims,
)
from ingam.protocols.mailbox.mailbox import MAILBOX, Live, Seat
from ingam.protocols.mailbox.ticket import TicketInvalid

ANSWER_S: Final = 2.0
LOST_S: Final = 60
"""How much longer than its own time a mailbox is kept where no node ends it."""

LONGEST_S: Final = 900
"""Tokens and persons' marks: longer than any mailbox lives."""

CONNECTIONS: Final = 32
_AGAIN_S: Final = 0.25
_HEARD_S: Final = 5.0
_PREFIX: Final = "ingam:relay:"

T = TypeVar("T")
_Wire = tuple[str, int, str, Seat, bytes | None, bool]


class ValkeyMailboxes:
    """`ports.mailboxes.Mailboxes` over `valkey://host:port/number` or `unix:///path`. Open it in the loop that uses it.

    `prefix`: of all keys; two relays with other origins on one Valkey have other ones.
    """

    shared = True

    def __init__(self, url: str, *, prefix: str = _PREFIX, taken_most: int = TAKEN_MOST) -> None:
        pool = BlockingConnectionPool.from_url(
            re.sub("^redis", "valkey", url),
            max_connections=CONNECTIONS, timeout=ANSWER_S, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S,
        )  # fmt: skip
        self._client: Any = Valkey(connection_pool=pool)
        self._prefix, self._taken_most = prefix, taken_most
        self._node = secrets.token_hex(8)
        self._scripts: dict[str, Any] = {}
        self._hearing: asyncio.Task[None] | None = None

    async def start(self, ear: Ear, at: float) -> None:
        heard: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._hearing = asyncio.create_task(self._hear(ear, heard))
        await heard
        await _answered(self._client.set(f"{self._prefix}since", int(at) + 1, nx=True))

    async def close(self) -> None:
        if self._hearing is not None:
            self._hearing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._hearing
        with contextlib.suppress(ValkeyError, OSError):
            await self._client.aclose(close_connection_pool=True)

    async def ready(self) -> None:
        await _answered(self._client.ping())

    # Networks, persons, tickets

    async def admit(self, network: str, at: float, ceilings: NetworkCeilings) -> None:
        _late(await self._run(scripts.ADMIT, at, network, ceilings.connections, ceilings.window_s))

    async def claim(self, person: str, at: float) -> None:
        _late(await self._run(scripts.CLAIM, at, person))

    async def wrong(self, person: str, at: float, wrong: WrongClaims) -> None:
        _late(await self._run(scripts.WRONG, at, person, *wrong))

    async def show(self, showing: Showing, at: float) -> None:
        _raise(await self._run(scripts.SHOW, at, *_shown(showing, at)), [])

    # Mailboxes

    async def open(self, opening: Opening) -> str:
        at, ceiling = opening.at, opening.ceiling
        told, *rest = await self._run(
            scripts.OPEN, at, *_shown(opening.showing, at), opening.person, *_ceiling(ceiling),
            self._taken_most, REST_S, MAILBOX.dump(opening.state), opening.ends - at + LOST_S, opening.token.hex(),
            self._node, LONGEST_S, *opening.draws,
        )  # fmt: skip
        _raise(told, rest)
        return cast("bytes", rest[0]).decode("ascii")

    async def find(self, mailbox: str) -> Kept | None:
        found: dict[bytes, bytes] = await _answered(self._client.hgetall(f"{self._prefix}b:{mailbox}"))
        if not found:
            return None
        bodies = [
            tuple(found[b"%d:%d" % (seat, at)] for at in range(int(found.get(b"sent%d" % seat, 0)))) for seat in (0, 1)
        ]
        return Kept(int(found[b"version"]), _state(found[b"state"].decode()), (bodies[0], bodies[1]))

    async def seat(self, token: bytes) -> tuple[str, Seat] | None:
        found: bytes | None = await _answered(self._client.get(f"{self._prefix}k:{token.hex()}"))
        return None if found is None else (found[:5].decode("ascii"), 1 if found[5:] == b"1" else 0)

    async def change(self, change: Change) -> bool:
        state, at = MAILBOX.dump(change.state), change.at
        wire: _Wire = (change.mailbox, change.version + 1, state, change.seat, change.body, change.takes)
        showing = ("", "", "") if change.showing is None else _shown(change.showing, at)
        told, *rest = await self._run(
            scripts.CHANGE, at, change.mailbox, change.version, state, change.ends - at + LOST_S, change.seat,
            self._node, msgspec.msgpack.encode(wire), int(change.takes), int(change.body is not None),
            change.body or b"", *showing, *(("", "", "") if change.ceiling is None else _ceiling(change.ceiling)),
            "" if change.token is None else change.token.hex(), REST_S, LONGEST_S,
        )  # fmt: skip
        if told == b"stale":
            return False
        _raise(told, rest)
        return True

    async def end(self, mailbox: str, version: int, why: str, at: float) -> bool:
        told: bytes = await self._run(scripts.END, at, mailbox, version, why, REST_S, self._node)
        return told == b"ok"

    async def _run(self, text: str, at: float, *words: object) -> Any:
        script = self._scripts.get(text)
        if script is None:
            script = self._scripts[text] = self._client.register_script(text)
        return await _answered(script(args=[self._prefix, repr(at), *words]))

    # News

    async def _hear(self, ear: Ear, heard: asyncio.Future[None]) -> None:
        while True:
            try:
                async with self._client.pubsub(ignore_subscribe_messages=False) as channel:
                    await channel.subscribe(f"{self._prefix}node:{self._node}")
                    await self._listen(channel, ear, heard)
            except (ValkeyError, OSError, TimeoutError):
                if not heard.done():
                    heard.set_exception(RelayOutage())
                    return
                await asyncio.sleep(_AGAIN_S)

    async def _listen(self, channel: Any, ear: Ear, heard: asyncio.Future[None]) -> None:
        while True:
            message = await channel.get_message(timeout=_HEARD_S)
            if message is None:
                await channel.ping()  # a connection that died silently is found out, and begun anew
            elif message["type"] == "subscribe":
                if heard.done():
                    ear(Missed())
                else:
                    heard.set_result(None)
            elif message["type"] == "message":
                ear(_news(message["data"]))


def _news(data: bytes) -> Changed | Ended:
    if data[:1] == b"E":
        return Ended(data[1:6].decode("ascii"), data[6:].decode("ascii"))
    mailbox, version, state, seat, body, takes = msgspec.msgpack.decode(data[1:], type=_Wire)
    return Changed(mailbox, version, _state(state), seat, body, takes)


def _state(text: str) -> Live:
    return cast("Live", MAILBOX.load(text))


async def _answered(call: Awaitable[T]) -> T:
    try:
        return await call
    except (ValkeyError, OSError, TimeoutError) as error:
        raise RelayOutage from error


def _raise(told: bytes, rest: list[bytes]) -> None:
    if told == b"ticket-used":
        raise TicketUsed
    if told == b"ticket-invalid":
        raise TicketInvalid
    if told == b"copy-too-many":
        raise TooMany(s=_whole(float(rest[0])))
    if told == b"copy-full":
        raise SpaceFull


def _late(seconds: bytes) -> None:
    if float(seconds) > 0:
        raise TooMany(s=_whole(float(seconds)))


def _ceiling(ceiling: Ceiling) -> tuple[str, int, int]:
    return f"{ceiling.act} {ceiling.person}", ceiling.window_s, ceiling.most


def _shown(showing: Showing, at: float) -> tuple[str, int, float]:
    return showing.ticket, showing.issued, max(1.0, showing.until - at)


def _whole(seconds: float) -> int:
    return max(1, int(-(-seconds // 1)))
