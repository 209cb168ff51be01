"""The sandbox's pages, on which a person watches and turns the outside world; and the same for programs as JSON."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Final

import anyio
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingam import page
from ingam.npki.certificate import Certificate
from ingam.sandbox import folders, listing, switches
from ingam.sandbox.ars_web import call_routes, pulse
from ingam.sandbox.authorities.houses import HOUSES, LICENSED
from ingam.sandbox.box import Sandbox
from ingam.sandbox.browser import check_browser
from ingam.sandbox.payment import PaymentProvider
from ingam.sandbox.people import BANKING_PASSWORD, CERTIFICATE_PASSWORD, PEOPLE, Person, further_heads, person
from ingam.sandbox.samples import SAMPLES, Sample
from ingam.sandbox.world import UnknownSample

ACTS: Final = ("revoke", "suspend", "release")
_AUTHORITIES: Final = {name: one.root for one in LICENSED for name in (one.key, one.responder)}
"""Certificates of the houses themselves, and the root that answers for each."""


def page_routes(box: Sandbox) -> list[Route]:
    """The pages, and the same for programs as JSON."""
    pages = _Screens(box)
    return [
        Route("/", pages.overview, methods=["GET"]),
        Route("/demo.json", pages.demo, methods=["GET"]),
        Route("/phone/{number}.json", pages.inbox, methods=["GET"]),
        *call_routes(box),
        Route("/phone/{number}", pages.phone, methods=["GET"]),
        Route("/phone/{number}/approve", pages.approve, methods=["POST"]),
        *PaymentProvider(box.payments, box.switches, box.clock, box.origin).windows(),
        Route("/switches.json", pages.positions, methods=["GET"]),
        Route("/switches", pages.switches, methods=["GET"]),
        Route("/switches", pages.turn, methods=["POST"]),
    ]


class _Screens:
    """What a person of the demo sees and turns."""

    def __init__(self, box: Sandbox) -> None:
        self._box = box

    async def overview(self, request: Request) -> Response:
        counts = self._box.phones.numbers()
        people = [(one, counts.get(one.mobile, 0)) for one in PEOPLE]
        standings = await self._box.behind.counter.standings()
        listed = [self._certificate(one, standings) for one in SAMPLES]
        return page.render(
            request,
            "sandbox/overview.html",
            people=people,
            heads={one.person.key: one for one in further_heads(self._box.places)},
            mails=self._box.mails.counts(),
            certificates=listed,
            banking_password=BANKING_PASSWORD,
            certificate_password=CERTIFICATE_PASSWORD,
            folder=str(self._box.demo / "NPKI"),
            center=self._box.center,
        )

    async def demo(self, _request: Request) -> Response:
        return JSONResponse(listing.listing(self._box.world, self._box.demo, self._box.places))

    async def phone(self, request: Request) -> Response:
        number = request.path_params["number"]
        return page.render(
            request,
            "sandbox/phone.html",
            number=number,
            owner=_owner(number),
            call=self._box.calls.last(number, self._box.clock.now()),
            pulse=pulse(self._box, number),
            ringing=[other for other in self._box.calls.ringing(self._box.clock.now()) if other != number],
            messages=self._box.phones.inbox(number),
            waiting=self._box.identities.waiting(number, self._box.clock.now()),
            people=PEOPLE,
        )

    async def approve(self, request: Request) -> Response:
        """The button of the carriers' app: a form of `id`, then back to the telephone."""
        check_browser(request)
        number, given = request.path_params["number"], await request.form()
        self._box.identities.approve(number, str(given.get("id", "")), self._box.clock.now())
        return page.see_other(f"/phone/{number}")

    async def inbox(self, request: Request) -> Response:
        number = request.path_params["number"]
        messages = self._box.phones.inbox(number)
        told = [{"id": one.id, "from": one.sender, "text": one.text, "at": one.at.isoformat()} for one in messages]
        return JSONResponse(told)

    async def positions(self, _request: Request) -> Response:
        return JSONResponse(await self._told())

    async def switches(self, request: Request) -> Response:
        standings = await self._box.behind.counter.standings()
        return page.render(
            request,
            "sandbox/switches.html",
            positions=self._box.switches,
            houses=HOUSES,
            certificates=[self._certificate(one, standings) for one in SAMPLES],
            authorities=[self._authority(name, standings) for name in _AUTHORITIES],
            responder_positions=switches.RESPONDER,
            list_positions=switches.LIST,
            sms_positions=switches.SMS,
            parties=switches.PARTIES,
        )

    async def turn(self, request: Request) -> Response:
        """A form (then back to the page) or JSON (then all positions): {kind, name, position}."""
        check_browser(request)
        as_json = request.headers.get("content-type", "").startswith("application/json")
        given = await request.json() if as_json else await request.form()
        done = await self._turn(*_three(given))
        if as_json:
            return JSONResponse(await self._told() | done)
        back = "/" if request.query_params.get("back") == "overview" else "/switches"
        return page.see_other(back)

    async def _turn(self, kind: str, name: str, position: str) -> dict[str, object]:
        if kind != "certificate":
            self._box.switches.turn(kind, name, position)
            return {}
        one = next((found for found in SAMPLES if found.slug == name), None)
        if position == "reissue" and one is not None and one.by_house:
            return await self._reissue(one)
        if position not in ACTS or (one is not None and not one.listed):
            raise UnknownSample
        counter = self._box.behind.counter
        if one is not None:
            await counter.act(one.ca.house.key, self._box.world.newest(name).parsed, position)
        elif name in _AUTHORITIES:
            await counter.act(_AUTHORITIES[name], self._box.behind.signings.certificate(name), position)
        else:
            raise UnknownSample
        return {}

    async def _reissue(self, one: Sample) -> dict[str, object]:
        """The same name, a new serial and key; its files take the old ones' place (A17 can be tried with them)."""
        box, random = self._box, secrets.token_bytes
        signing, encryption = await folders.enrol(box.behind.counter, one, box.keys.make, random)
        box.world.keep(one.slug, signing.certificate)
        folder = await anyio.to_thread.run_sync(folders.folder, one, signing, encryption, random)
        for demo in (box.world.folder / "demo", box.demo):
            folders.write_folder(demo, folder)
        return {"issued": folders.as_json(folder)}

    async def _told(self) -> dict[str, object]:
        standings = await self._box.behind.counter.standings()
        standing = {one.slug: _standing(self._box.world.newest(one.slug).parsed, standings) for one in SAMPLES}
        return self._box.switches.told() | {"certificate": standing}

    def _certificate(self, one: Sample, standings: Mapping[str, str]) -> dict[str, Any]:
        found = self._box.world.newest(one.slug).parsed
        standing = _standing(found, standings)
        return {
            "sample": one,
            "holder": person(one.person),
            "tried_by": person(one.tried_by or one.person),
            "standing": standing,
            "shown": "expired" if found.not_after < self._box.clock.now() else standing,
            "until": found.not_after,
            "folder": str(listing.folder_of(self._box.world, one.slug)),
        }

    def _authority(self, name: str, standings: Mapping[str, str]) -> dict[str, Any]:
        found = self._box.behind.signings.certificate(name)
        return {"slug": name, "name": found.subject.value("CN"), "standing": _standing(found, standings)}


def _standing(one: Certificate, standings: Mapping[str, str]) -> str:
    """What its house says; of what no house knows nothing bad is said."""
    return standings.get(one.fingerprint.hex(), "good")


def _owner(number: str) -> Person | None:
    return next((one for one in PEOPLE if number in one.telephones), None)


def _three(given: object) -> tuple[str, str, str]:
    if not isinstance(given, dict | FormData):
        raise switches.UnknownSwitch
    kind, name, position = (given.get(part, "") for part in ("kind", "name", "position"))
    if not (isinstance(kind, str) and isinstance(name, str) and isinstance(position, str)):
        raise switches.UnknownSwitch
    return kind, name, position
