"""POST /keypad gives a form its keypad as JSON; `unsealed` is what a form's own route reads its fields with."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingam.center.doorway import address_of
from ingam.center.keypad.service import Given, Keypads
from ingam.page import check_post
from ingam.protocols.keypad import Key, Layout


def routes(keypads: Keypads) -> list[Route]:
    """POST /keypad {csrf, flow}: to anybody with a session, also before the login."""

    async def give(request: Request) -> Response:
        form = await request.form()
        check_post(request, form)
        given = await keypads.give(request.state.session.session, address_of(request), str(form.get("flow", "")))
        return JSONResponse(_told(given))

    return [Route("/keypad", give, methods=["POST"])]


async def unsealed(request: Request, flow: str, form: Mapping[str, object]) -> dict[str, str]:
    """The text fields of a POST, opened where they were sealed. Raises KeypadOver, KeypadUnreadable, KeypadRequired."""
    keypads: Keypads = request.app.state.keypads
    texts = {name: value for name, value in form.items() if isinstance(value, str)}
    return await keypads.read(request.state.session.session, flow, texts)


def _told(given: Given) -> dict[str, Any]:
    """`fields`: by name, pages of rows of `[id, glyph]` or null for a blank."""
    return {
        "keypad": given.keypad,
        "flow": given.flow,
        "public": base64.b64encode(given.public).decode("ascii"),
        "ttl": given.ttl_s,
        "fields": {name: _layout(one) for name, one in given.layouts.items()},
    }


def _layout(layout: Layout) -> dict[str, Any]:
    pages = {name: [[_key(key) for key in row] for row in rows] for name, rows in layout.pages.items()}
    return {"kind": str(layout.kind), "pages": pages, "space": _key(layout.space)}


def _key(key: Key | None) -> list[str] | None:
    return None if key is None else [key.id, key.glyph]
