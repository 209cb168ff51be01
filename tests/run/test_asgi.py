"""A page behind the exchange says what it says behind any other server."""

from __future__ import annotations

import asyncio

from starlette.applications import Starlette
from starlette.requests import Request as Asked
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from tests.run.test_exchange import LAST, answers, say

from ingam.run.asgi import bridged
from ingam.run.exchange import Request


async def _echo(asked: Asked) -> Response:
    told = (
        f"{asked.method} {asked.url.path} {asked.url.query} {asked.headers['accept']} {(await asked.body()).decode()}"
    )
    return PlainTextResponse(told, headers={"X-Kept": "yes"})


async def _parts(_asked: Asked) -> Response:
    return StreamingResponse(iter([b"one", b"two"]))


APP = bridged(Starlette(routes=[Route("/가", _echo, methods=["GET", "POST"]), Route("/parts", _parts)]), "localhost", 1)


def test_method_path_query_fields_and_body_arrive_and_the_answer_leaves() -> None:
    fields = b"Host: a\r\nAccept: x\r\nContent-Length: 4\r\nConnection: close\r\n\r\n"
    asked = b"POST /%EA%B0%80?q=1 HTTP/1.1\r\n" + fields + b"body"
    ((status, named, body),) = answers(say(asked, application=APP))
    assert (status, body.decode()) == (200, "POST /가 q=1 x body")
    assert named[b"x-kept"] == b"yes" and named[b"Content-Length"] == str(len(body)).encode()


def test_parts_are_joined_and_unknown_paths_are_404() -> None:
    request = Request(b"GET", b"/parts", {b"host": b"a"}, b"", "127.0.0.1", True, False)
    assert asyncio.run(_reply_body(request)) == b"onetwo"
    ((status, _, _),) = answers(say(LAST, application=APP))
    assert status == 404


async def _reply_body(request: Request) -> bytes:
    return (await APP(request)).body
