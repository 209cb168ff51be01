"""What outside parties answer to programs: responders, directories, CMP services, and the parties of issuance.

What the other authorities say is passed through from their own process as it is, unless a switch puts something wrong
in its place.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import Final

import anyio
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ingam.kernel.errors import Failure, Outage, Refusal
from ingam.sandbox.aligo import Aligo
from ingam.sandbox.ars import ArsProvider
from ingam.sandbox.authorities import answers, houses, lists
from ingam.sandbox.authorities.houses import LICENSED, ROOTS, House
from ingam.sandbox.behind import Passed
from ingam.sandbox.box import Sandbox
from ingam.sandbox.core_bank import CoreBank
from ingam.sandbox.id_registry import IdRegistry
from ingam.sandbox.juso import Juso
from ingam.sandbox.open_banking import OpenBankingService
from ingam.sandbox.payment import PaymentProvider
from ingam.sandbox.phone_identity import PhoneIdentityAgency
from ingam.sandbox.real_name import RealNames
from ingam.sandbox.security_cards import CoreCardBook
from ingam.sandbox.switches import SwitchedOff

MOST_BYTES: Final = 64 * 1024
THROUGH: Final = ("normal", "slow")
"""Positions of a responder in which its house's own answer arrives."""

PASSED: Final = ("content-type", "cache-control", "etag", "last-modified", "expires")
"""Fields of an answer that mean something to who asked."""

Endpoint = Callable[[Request], Awaitable[Response]]


class UnknownList(Refusal):
    """No authority publishes a list of this name."""

    code = "sandbox-unknown-list"


def party_routes(box: Sandbox) -> list[Route]:
    """They stand outside of the pages' shell, as their protocols ask."""
    parties, aligo = _Parties(box), Aligo(box.phones, box.switches, box.clock)
    return [
        Route("/ocsp/{house}", _bounded(parties.ocsp), methods=["GET", "POST"]),
        Route("/ocsp/{house}/{request:path}", _bounded(parties.ocsp), methods=["GET", "POST"]),
        Route("/cmp/{house}", _bounded(parties.cmp), methods=["POST"]),
        Route("/cmp/{house}/.well-known/cmp", _bounded(parties.cmp), methods=["POST"]),
        Route("/dir/rootca/{name}.arl", parties.root_list, methods=["GET"]),
        Route("/dir/{house}/crl/{name}.crl", parties.partition, methods=["GET"]),
        Route("/aligo/send/", _bounded(aligo.send), methods=["POST"]),
        *_ars_routes(box),
        *_identity_routes(box),
        *_bank_routes(box),
        *_payment_routes(box),
        *_core_bank_routes(box),
        Route("/juso/addrlink/addrLinkApi.do", _bounded(Juso(box.switches).search), methods=["GET", "POST"]),
    ]


def _core_bank_routes(box: Sandbox) -> list[Route]:
    """Who keeps an institution's customers, and their security cards."""
    core, cards = CoreBank(box.switches), CoreCardBook(box.switches)
    return [
        Route("/core/customers/authenticate", _bounded(core.authenticate), methods=["POST"]),
        Route("/core/customers/find", _bounded(core.find), methods=["POST"]),
        Route("/core/customers/number", _bounded(core.number), methods=["POST"]),
        Route("/core/cards/asked", _bounded(cards.asked), methods=["POST"]),
        Route("/core/cards/verify", _bounded(cards.verify), methods=["POST"]),
    ]


def _ars_routes(box: Sandbox) -> list[Route]:
    """Who rings telephones."""
    provider, one = ArsProvider(box.calls, box.switches, box.clock), "/ars/calls/{id}"
    return [
        Route(one, _bounded(provider.put), methods=["PUT"]),
        Route(one, _bounded(provider.record), methods=["GET"]),
        Route(f"{one}/end", _bounded(provider.end), methods=["POST"]),
    ]


def _identity_routes(box: Sandbox) -> list[Route]:
    """Who somebody is: by name and number, by telephone, by card."""
    names, cards = RealNames(box.switches), IdRegistry(box.switches, box.clock)
    agency = PhoneIdentityAgency(box.identities, box.phones, box.switches, box.clock)
    one = "/portone/identity-verifications/{id}"
    return [
        Route("/realname/rest/name_rrn_auth", _bounded(names.check), methods=["POST"]),
        Route(f"{one}/send", _bounded(agency.send), methods=["POST"]),
        Route(f"{one}/resend", _bounded(agency.resend), methods=["POST"]),
        Route(f"{one}/confirm", _bounded(agency.confirm), methods=["POST"]),
        Route(one, _bounded(agency.record), methods=["GET"]),
        *(Route(f"/idcard/verify/{kind}", _bounded(cards.of(kind)), methods=["POST"]) for kind in ("ic", "dl")),
    ]


def _bank_routes(box: Sandbox) -> list[Route]:
    """All banks, behind 금융결제원."""
    service, at = OpenBankingService(box.deposits, box.switches, box.clock), "/openbanking"
    return [
        Route(f"{at}/oauth/2.0/token", _bounded(service.token), methods=["POST"]),
        Route(f"{at}/v2.0/inquiry/real_name", _bounded(service.real_name), methods=["POST"]),
        Route(f"{at}/v2.0/inquiry/receive", _bounded(service.receive), methods=["POST"]),
        Route(f"{at}/v2.0/transfer/deposit/acnt_num", _bounded(service.deposit), methods=["POST"]),
        Route(f"{at}/v2.0/transfer/result", _bounded(service.result), methods=["POST"]),
    ]


def _payment_routes(box: Sandbox) -> list[Route]:
    """Who takes fees."""
    provider = PaymentProvider(box.payments, box.switches, box.clock, box.origin)
    return [Route(at, _bounded(endpoint), methods=[method]) for at, method, endpoint in provider.api("/pay-api")]


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
        carries = request.method in ("POST", "PUT")
        if carries and not (length.isdecimal() and len(length) < 10 and int(length) <= MOST_BYTES):
            return PlainTextResponse("too-large\n", 413)
        return await endpoint(request)

    return bounded


class _Parties:
    """Responders, directories and CMP services, as their relying parties and holders meet them."""

    def __init__(self, box: Sandbox) -> None:
        self._box = box

    async def ocsp(self, request: Request) -> Response:
        """RFC 6960 appendix A.1: POST with the request as body, or GET with it in base64 behind the address."""
        box, house = self._box, _house(request)
        position = box.switches.responders[house.key]
        if position == "off":
            raise SwitchedOff
        if position == "slow":
            await anyio.sleep(box.switches.slow_s)
        if position in THROUGH:
            return await self._through(request, request.scope["raw_path"].decode("ascii"))
        asked = await request.body() if request.method == "POST" else _from_path(request)
        made = await anyio.to_thread.run_sync(self._lie, house, asked, position)
        return Response(made, media_type="application/ocsp-response")

    async def cmp(self, request: Request) -> Response:
        """RFC 9811: the house's own service, which no switch touches."""
        return await self._through(request, f"/cmp/{_house(request).key}")

    async def partition(self, request: Request) -> Response:
        """A partition's CRL (RFC 5280 section 4.2.1.13 as HTTP serves it)."""
        house, name = _house(request), request.path_params["name"]
        issuer = next((one for one in LICENSED if one.house is house and name.startswith(one.partition)), None)
        if issuer is None:
            raise UnknownList
        return await self._list(house.key, issuer.key, f"/{house.key}/crl/{name}.crl")

    async def root_list(self, request: Request) -> Response:
        """A root's ARL."""
        name = request.path_params["name"]
        if name not in ROOTS:
            raise UnknownList
        return await self._list("rootca", name, f"/rootca/{name}")

    async def _through(self, request: Request, target: str) -> Response:
        kind = request.headers.get("content-type", "")
        return _passed(await self._box.behind.line.ask(request.method, target, await request.body(), kind))

    async def _list(self, switch: str, issuer: str, target: str) -> Response:
        position = self._box.switches.lists[switch]
        if position == "off":
            raise SwitchedOff
        honest = await self._box.behind.line.ask("GET", target)
        if honest.status != 200:
            raise UnknownList
        if position == "normal":
            return _passed(honest)
        made = await anyio.to_thread.run_sync(self._bend, honest.body, issuer, position)
        return Response(made, media_type="application/pkix-crl")

    def _lie(self, house: House, asked: bytes, position: str) -> bytes:
        box = self._box
        return answers.bent(
            box.behind.signings, box.world.stranger("ocsp"), house.key, asked, position, box.clock.now()
        )

    def _bend(self, honest: bytes, issuer: str, position: str) -> bytes:
        box = self._box
        return lists.bent(
            honest, box.behind.signings.signing(issuer), box.world.stranger("ca"), position, box.clock.now()
        )


def _house(request: Request) -> House:
    found = houses.house(request.path_params["house"])
    if found is None:
        raise Refusal("not-found")
    return found


def _passed(answer: Passed) -> Response:
    fields = {name: answer.fields[name] for name in PASSED if name in answer.fields}
    return Response(answer.body, answer.status, headers=fields)


def _from_path(request: Request) -> bytes:
    """Starlette has undone the percent signs; what does not decode is answered as a malformed request."""
    try:
        return base64.b64decode(request.path_params.get("request", ""), validate=True)
    except (binascii.Error, ValueError):
        return b""
