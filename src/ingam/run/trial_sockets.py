"""The trial's front for WebSockets: every message goes on to the process behind the port, and back, as it is."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Origin, Subprotocol

MESSAGE_MOST: Final = 65_536
PATIENCE_S: Final = 10.0
_UNREACHED: Final = 1013  # try again later (IANA's registry of RFC 6455 close codes)


async def carry(port: int, scope: Scope, receive: Receive, send: Send) -> None:
    """One WebSocket of a browser, to the process on loopback; either side's end ends both."""
    await receive()  # websocket.connect
    query = f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
    told = {name: value.decode("latin-1") for name, value in scope["headers"]}
    peer = str((scope.get("client") or ("",))[0]).removeprefix("::ffff:")
    try:
        behind = await connect(
            f"ws://127.0.0.1:{port}{scope['path']}{query}",
            origin=Origin(told[b"origin"]) if b"origin" in told else None,
            subprotocols=[Subprotocol(one) for one in scope["subprotocols"]] or None,
            additional_headers={"X-Forwarded-For": peer, "X-Forwarded-Proto": "https"},
            user_agent_header=told.get(b"user-agent"),
            compression=None,
            max_size=MESSAGE_MOST,
            open_timeout=PATIENCE_S,
            proxy=None,
        )
    except (OSError, TimeoutError, WebSocketException):
        await send({"type": "websocket.close", "code": _UNREACHED})
        return
    await send({"type": "websocket.accept", "subprotocol": behind.subprotocol})
    ways = [asyncio.create_task(_onward(receive, behind)), asyncio.create_task(_back(behind, send))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        await behind.close()


async def _onward(receive: Receive, behind: ClientConnection) -> None:
    while (message := await receive())["type"] == "websocket.receive":
        part = message.get("bytes")
        await behind.send(part if part is not None else message["text"])


async def _back(behind: ClientConnection, send: Send) -> None:
    try:
        while True:
            part = await behind.recv()
            await send({"type": "websocket.send", "text" if isinstance(part, str) else "bytes": part})
    except ConnectionClosed:
        code = behind.close_code
        await send({"type": "websocket.close", "code": code if code in range(3000, 5000) or code == 1000 else 1011})
