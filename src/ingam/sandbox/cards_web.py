"""The demo people's identity cards as pictures, for who tries the photographing with them."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.kernel.errors import Refusal
from ingam.sandbox import cards
from ingam.sandbox.cards import LicenceFace, ResidentFace
from ingam.sandbox.people import PEOPLE, Person

KINDS: Final = ("resident", "licence")


class UnknownCard(Refusal):
    """Nobody of the demo has this key, or has a card of this kind."""

    code = "sandbox-unknown-card"


def routes() -> list[Route]:
    """GET /cards/<key>/resident.png and /cards/<key>/licence.png."""
    return [Route("/cards/{key}/{kind}.png", _picture, methods=["GET"])]


def drawn(one: Person, kind: str) -> bytes:
    """A person's card as PNG. Raises UnknownCard where they have none, FontMissing."""
    home = f"{one.address.road}, {one.address.detail}" if one.address else ""
    if kind == "resident" and one.resident_card is not None:
        return cards.png(cards.resident_card(ResidentFace(one.name, one.idn, one.resident_card.issued_on, home)))
    if kind == "licence" and one.licence is not None:
        number = one.licence.number
        shown = f"{number[:2]}-{number[2:4]}-{number[4:10]}-{number[10:]}"
        face = LicenceFace(one.name, one.idn, shown, one.licence.serial, one.licence.issued, home)
        return cards.png(cards.driver_licence(face))
    raise UnknownCard


async def _picture(request: Request) -> Response:
    key, kind = request.path_params["key"], request.path_params["kind"]
    picture = await anyio.to_thread.run_sync(_drawn, key, kind)
    return Response(picture, media_type="image/png", headers={"cache-control": "no-store"})


@lru_cache(maxsize=len(PEOPLE) * len(KINDS))
def _drawn(key: str, kind: str) -> bytes:
    one = next((one for one in PEOPLE if one.key == key), None)
    if one is None:
        raise UnknownCard
    return drawn(one, kind)
