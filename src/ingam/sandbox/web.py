"""The sandbox over HTTP: what outside parties answer, and the pages on which a person watches and turns them."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import anyio
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ingam import page
from ingam.kernel.errors import Failure, Outage, Refusal
from ingam.npki import certificate
from ingam.page.origin import OriginRefused
from ingam.ports.clock import Clock
from ingam.sandbox import folders, listing, switches
from ingam.sandbox.aligo import Aligo
from ingam.sandbox.authorities.answers import answer
from ingam.sandbox.authorities.keys import KeySource, gather
from ingam.sandbox.authorities.lists import Lists
from ingam.sandbox.people import BANKING_PASSWORD, CERTIFICATE_PASSWORD, PEOPLE, Person, person
from ingam.sandbox.phone import Phones
from ingam.sandbox.samples import SAMPLES, sample
from ingam.sandbox.switches import Switches
from ingam.sandbox.world import World

MOST_BYTES: Final = 64 * 1024
Endpoint = Callable[[Request], Awaitable[Response]]


class SwitchedOff(Outage):
    """A switch says that this party does not answer."""

    code = "sandbox-switched-off"


@dataclass(frozen=True)
class Sandbox:
    """All that the routes need. `demo`: where the demo people's files lie; `center`: the center's address."""

    world: World
    phones: Phones
    keys: KeySource
    clock: Clock
    demo: Path
    center: str
    switches: Switches
    lists: Lists

    @staticmethod
    def of(world: World, phones: Phones, keys: KeySource, clock: Clock, demo: Path, center: str) -> Sandbox:
        """A sandbox with every switch at normal."""
        return Sandbox(world, phones, keys, clock, demo, center, Switches(), Lists(world))


def party_routes(box: Sandbox) -> list[Route]:
    """What outside parties answer to programs; it stands outside of the pages' shell, as their protocols ask."""
    parties, aligo = _Parties(box), Aligo(box.phones, box.switches, box.clock)
    return [
        Route("/ocsp/{house}", _bounded(parties.ocsp), methods=["GET", "POST"]),
        Route("/ocsp/{house}/{request:path}", _bounded(parties.ocsp), methods=["GET", "POST"]),
        Route("/dir/rootca/{name}.arl", parties.root_list, methods=["GET"]),
        Route("/dir/{house}/crl/{name}.crl", parties.partition, methods=["GET"]),
        Route("/aligo/send/", _bounded(aligo.send), methods=["POST"]),
    ]


def page_routes(box: Sandbox) -> list[Route]:
    """The pages, and the same for programs as JSON."""
    pages = _Screens(box)
    return [
        Route("/", pages.overview, methods=["GET"]),
        Route("/demo.json", pages.demo, methods=["GET"]),
        Route("/phone/{number}.json", pages.inbox, methods=["GET"]),
        Route("/phone/{number}", pages.phone, methods=["GET"]),
        Route("/switches.json", pages.positions, methods=["GET"]),
        Route("/switches", pages.switches, methods=["GET"]),
        Route("/switches", pages.turn, methods=["POST"]),
    ]


async def plain_failure(_request: Request, failure: Exception) -> Response:
    """What a program gets where a party does not answer: a status and a code."""
    code = failure.code if isinstance(failure, Failure) else "defect"
    return PlainTextResponse(f"{code}\n", 503 if isinstance(failure, Outage) else 404)


def _bounded(endpoint: Endpoint) -> Endpoint:
    """Refuses a body whose length is not said or is larger than any message of these protocols."""

    async def bounded(request: Request) -> Response:
        if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return PlainTextResponse("origin-refused\n", 403)  # another site's page, not a program of the protocol
        length = request.headers.get("content-length", "")
        if request.method == "POST" and not (length.isdecimal() and len(length) < 10 and int(length) <= MOST_BYTES):
            return PlainTextResponse("too-large\n", 413)
        return await endpoint(request)

    return bounded


class _Parties:
    """Responders and directories, as their relying parties meet them."""

    def __init__(self, box: Sandbox) -> None:
        self._box = box

    async def ocsp(self, request: Request) -> Response:
        """RFC 6960 appendix A.1: POST with the request as body, or GET with it in base64 behind the address."""
        house = _house(request)
        position = self._box.switches.responders[house]
        asked = await request.body() if request.method == "POST" else _from_path(request)
        if position == "off":
            raise SwitchedOff
        if position == "slow":
            await anyio.sleep(self._box.switches.slow_s)
        content = answer(self._box.world, house, asked, position, self._box.clock.now())
        return Response(content, media_type="application/ocsp-response")

    async def partition(self, request: Request) -> Response:
        """A partition's CRL (RFC 5280 section 4.2.1.13 as HTTP serves it)."""
        house, position = _house(request), self._position(_house(request))
        name = request.path_params["name"]
        return _list(self._box.lists.partition(house, name, position, self._box.clock.now()))

    async def root_list(self, request: Request) -> Response:
        """A root's ARL."""
        position = self._position("rootca")
        return _list(self._box.lists.root(request.path_params["name"], position, self._box.clock.now()))

    def _position(self, name: str) -> str:
        position = self._box.switches.lists[name]
        if position == "off":
            raise SwitchedOff
        return position


class _Screens:
    """What a person of the demo sees and turns."""

    def __init__(self, box: Sandbox) -> None:
        self._box = box

    async def overview(self, request: Request) -> Response:
        counts = self._box.phones.numbers()
        people = [(one, counts.get(one.mobile, 0)) for one in PEOPLE]
        listed = [self._certificate(one.slug) for one in SAMPLES]
        return page.render(
            request,
            "sandbox/overview.html",
            people=people,
            certificates=listed,
            banking_password=BANKING_PASSWORD,
            certificate_password=CERTIFICATE_PASSWORD,
            folder=str(self._box.demo / "NPKI"),
            center=self._box.center,
        )

    async def demo(self, _request: Request) -> Response:
        return JSONResponse(listing.listing(self._box.world, self._box.demo))

    async def phone(self, request: Request) -> Response:
        number = request.path_params["number"]
        owner = _owner(number)
        messages = self._box.phones.inbox(number)
        return page.render(request, "sandbox/phone.html", number=number, owner=owner, messages=messages, people=PEOPLE)

    async def inbox(self, request: Request) -> Response:
        number = request.path_params["number"]
        messages = self._box.phones.inbox(number)
        told = [{"id": one.id, "from": one.sender, "text": one.text, "at": one.at.isoformat()} for one in messages]
        return JSONResponse(told)

    async def positions(self, _request: Request) -> Response:
        return JSONResponse(self._told())

    async def switches(self, request: Request) -> Response:
        return page.render(
            request,
            "sandbox/switches.html",
            positions=self._box.switches,
            certificates=[self._certificate(one.slug) for one in SAMPLES],
            authorities=[self._standing(name) for name in _AUTHORITIES],
            responder_positions=switches.RESPONDER,
            list_positions=switches.LIST,
            sms_positions=switches.SMS,
        )

    async def turn(self, request: Request) -> Response:
        """A form (then back to the page) or JSON (then all positions): {kind, name, position}."""
        _check_browser(request, self._origin(request))
        as_json = request.headers.get("content-type", "").startswith("application/json")
        given = await request.json() if as_json else await request.form()
        done = await self._turn(*_three(given))
        if as_json:
            return JSONResponse(self._told() | done)
        back = "/" if request.query_params.get("back") == "overview" else "/switches"
        return page.see_other(back)

    async def _turn(self, kind: str, name: str, position: str) -> dict[str, object]:
        if kind != "certificate":
            self._box.switches.turn(kind, name, position)
            return {}
        if position == "reissue":
            return await self._reissue(name)
        self._box.world.act(name, position, self._box.clock.now())
        return {}

    async def _reissue(self, slug: str) -> dict[str, object]:
        """The same name, a new serial and key; its files take the old ones' place (A17 can be tried with them)."""
        if slug not in {one.slug for one in SAMPLES}:
            raise switches.UnknownSwitch
        keys = await anyio.to_thread.run_sync(gather, self._box.keys, sample(slug).sizes)
        now = self._box.clock.now()
        folder = folders.reissue(self._box.world, slug, keys, now=now, random=secrets.token_bytes)
        for demo in (self._box.world.folder / "demo", self._box.demo):
            folders.write_folder(demo, folder)
        return {"issued": folders.as_json(folder)}

    def _told(self) -> dict[str, object]:
        standing = {one.slug: str(self._box.world.newest(one.slug).standing) for one in SAMPLES}
        return self._box.switches.told() | {"certificate": standing}

    def _certificate(self, slug: str) -> dict[str, Any]:
        one, issued = sample(slug), self._box.world.newest(slug)
        found = certificate.parse(issued.certificate)
        owner = person(one.tried_by or one.person)
        ended = found.not_after < self._box.clock.now()
        return {
            "sample": one,
            "holder": person(one.person),
            "tried_by": owner,
            "standing": "expired" if ended and issued.standing == "good" else str(issued.standing),
            "until": found.not_after,
            "folder": str(listing.folder_of(self._box.world, slug)),
        }

    def _standing(self, name: str) -> dict[str, Any]:
        issued = self._box.world.newest(name)
        found = certificate.parse(issued.certificate)
        return {"slug": name, "name": found.subject.value("CN"), "standing": str(issued.standing)}

    @staticmethod
    def _origin(request: Request) -> str:
        origin: str = request.app.state.origin
        return origin


_AUTHORITIES: Final = tuple(
    name for ca in ("signkorea-ca4", "signkorea-ca5", "yessign-ca3") for name in (ca, f"{ca}-ocsp")
)


def _house(request: Request) -> str:
    house: str = request.path_params["house"]
    if house not in switches.HOUSES:
        raise Refusal("not-found")
    return house


def _from_path(request: Request) -> bytes:
    """Starlette has undone the percent signs; what does not decode is answered as a malformed request."""
    try:
        return base64.b64decode(request.path_params.get("request", ""), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _list(content: bytes) -> Response:
    return Response(content, media_type="application/pkix-crl")


def _owner(number: str) -> Person | None:
    return next((one for one in PEOPLE if one.mobile == number), None)


def _three(given: object) -> tuple[str, str, str]:
    if not isinstance(given, dict | FormData):
        raise switches.UnknownSwitch
    kind, name, position = (given.get(part, "") for part in ("kind", "name", "position"))
    if not (isinstance(kind, str) and isinstance(name, str) and isinstance(position, str)):
        raise switches.UnknownSwitch
    return kind, name, position


def _check_browser(request: Request, ours: str) -> None:
    """Another site's page may not turn switches; a program, which sends neither header, may: this is a sandbox."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        raise OriginRefused
    if origin is not None and origin != ours and not (origin == "null" and site == "same-origin"):
        raise OriginRefused
