"""The routes of /copying: three pages, and below them what both ends post; answers are JSON, refusals as well."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from ingam.center.additional_auth.web import AGAIN_S, call_events, posted, told_call
from ingam.center.copying import forms
from ingam.center.copying.devices import device_text, headers_of
from ingam.center.copying.looking import SESSION_OVER, Look
from ingam.center.copying.refusals import ReceiverDenied
from ingam.center.copying.service import Copying
from ingam.center.copying.states import Device
from ingam.center.doorway import address_of, logged_in, to_login
from ingam.center.task.web import script_told, visit_of
from ingam.center.walks import NotLoggedIn, Visit
from ingam.customer.additional_auth import Method
from ingam.customer.additional_auth.ars import Calling
from ingam.customer.additional_auth.no_medium import masked_mobile
from ingam.kernel.errors import Failure
from ingam.kernel.instants import rfc3339
from ingam.page import render
from ingam.page.failures import message_of

TEMPLATES: Final = "ingam.center.copying"
HERE: Final = "/copying"
_STREAM: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_HERE: Final = b": here\n\n"

Fields = Mapping[str, str]
Told = Mapping[str, Any]
Answer = Callable[[Request, Visit, Fields], Awaitable[Told]]


class CopyingWeb:
    """Handlers over the service."""

    def __init__(self, copying: Copying, origin: str, vault_origin: str) -> None:
        self._copying = copying
        self._origin = origin
        self._vault_origin = vault_origin

    def routes(self) -> list[Route]:
        """Everything below /copying."""
        receiving, sending, device = self._copying.receiving, self._copying.sending, self._device
        receive: dict[str, Answer] = {
            "begin": self._begin,
            "open": lambda r, v, _: _ticket(receiving.open(v, device(r))),
            "opened": lambda r, v, f: _done(
                receiving.opened(v, device(r), forms.identifier(f, "ticket"), forms.mailbox(f))
            ),
            "join": lambda r, v, f: _ticket(receiving.join(v, device(r), forms.mailbox(f))),
            "arrived": lambda r, v, f: _done(receiving.arrived(v, device(r), forms.fingerprint(f))),
            "stored": lambda r, v, f: _done(receiving.stored(v, device(r), forms.fingerprint(f))),
            "leave": lambda _, v, __: _done(receiving.leave(v)),
        }
        send: dict[str, Answer] = {
            "look": self._look,
            "confirm": self._confirm,
            "deny": self._deny,
            "code": self._code,
            "factor": lambda _, v, f: _done(sending.prove_factor(v, forms.answered(f))),
            "device": lambda _, v, f: _done(sending.prove_by_device(v, f)),
            "device/challenge": lambda _, v, __: sending.device_challenge(v),
            "challenge": lambda _, v, __: sending.challenge(v),
            "prove": lambda _, v, f: _done(sending.prove(v, forms.presented(f))),
            "open": lambda _, v, __: _ticket(sending.open(v)),
            "opened": lambda _, v, f: _done(sending.opened(v, forms.identifier(f, "ticket"), forms.mailbox(f))),
            "join": lambda _, v, f: _ticket(sending.join(v, forms.mailbox(f))),
            "copied": lambda _, v, f: _done(sending.reported(v, forms.fingerprint(f))),
            "leave": lambda _, v, __: _done(sending.leave(v)),
        }
        return [
            Route(HERE, self.choose, methods=["GET"]),
            Route(f"{HERE}/receive", self.receive, methods=["GET"]),
            Route(f"{HERE}/send", self.send, methods=["GET"]),
            Route(f"{HERE}/send/events", self.events, methods=["GET"]),
            Route(f"{HERE}/send/call", self.call, methods=["GET"]),
            Route(f"{HERE}/send/call/events", self.call_events, methods=["GET"]),
            Route(f"{HERE}/receive/events", self.ending, methods=["GET"]),
            *(
                Route(f"{HERE}/receive/{name}", _answering(answer), methods=["POST"])
                for name, answer in receive.items()
            ),
            *(Route(f"{HERE}/send/{name}", _answering(one), methods=["POST"]) for name, one in send.items()),
        ]

    # ── pages ──

    async def choose(self, request: Request) -> Response:
        """인증서복사 in the manual's words, and the ways from this device."""
        registered = None if logged_in(request) is None else await self._copying.registered(visit_of(request))
        here = _here(self._device(request))
        return render(request, "copying/choose.html", place="copying", registered=registered, here=here)

    async def receive(self, request: Request) -> Response:
        """The receiving end: the vault's frame at once."""
        if logged_in(request) is None:
            return to_login(request)
        return await self._page(request, "copying/receive.html")

    async def send(self, request: Request) -> Response:
        """The sending end: ① 받는 기기 ② 추가인증 ③ 인증서."""
        if logged_in(request) is None:
            return to_login(request)
        registered = await self._copying.registered(visit_of(request))
        look = await self._copying.looking.look(visit_of(request), self._device(request))
        offered = await self._copying.sending.offered(visit_of(request))
        lang = request.state.lang
        ways = {str(way): "" if why is None else message_of(why, lang) for way, why in offered.ways.items()}
        facts: dict[str, Any] = {
            "registered": registered,
            "look": look.told(),
            "ways": ways,
            "numbers": list(offered.numbers),
            "again_s": AGAIN_S,
        }
        facts["exempt"] = await self._copying.sending.exempt(visit_of(request))
        return await self._page(request, "copying/send.html", **facts)

    async def _page(self, request: Request, template: str, **facts: Any) -> Response:
        device, customer = self._device(request), await self._copying.walks.customer(visit_of(request))
        told: dict[str, Any] = {
            "here": _here(device),
            "device": device_text(device, request.state.lang),
            "customer_kind": str(customer.kind),
            "banking_id": customer.banking_id,
            "mobile": masked_mobile(customer),
            "vault_origin": self._vault_origin,
            "origin": self._origin,
        }
        return render(request, template, place="copying", **(told | facts))

    # ── what both ends post ──

    async def _begin(self, request: Request, visit: Visit, _: Fields) -> Told:
        await self._copying.receiving.begin(visit, self._device(request))
        return {"relay": self._copying.relay, "announced": True}

    async def _look(self, request: Request, visit: Visit, _: Fields) -> Told:
        return (await self._copying.looking.look(visit, self._device(request))).told()

    async def _confirm(self, request: Request, visit: Visit, fields: Fields) -> Told:
        receiver = forms.identifier(fields, "receiver")
        return {"factor": await self._copying.sending.confirm(visit, receiver, self._device(request))}

    async def _deny(self, request: Request, visit: Visit, fields: Fields) -> Told:
        await self._copying.sending.deny(visit, forms.identifier(fields, "receiver"))
        return {"code": ReceiverDenied.code, "message": message_of(ReceiverDenied(), request.state.lang)}

    async def _code(self, _: Request, visit: Visit, fields: Fields) -> Told:
        method, to = forms.asked(fields)
        asked = await self._copying.sending.request_factor(visit, method, to)
        call = await self._copying.sending.call(visit) if method is Method.ARS else None
        told = {} if call is None else {**told_call(call, visit.lang), "digits": _digits(call)}
        return {"until": rfc3339(asked.expires_at), **told}

    async def call(self, request: Request) -> Response:
        """The call of ② as it stands, with the two digits while they can be keyed in."""
        if logged_in(request) is None:
            raise NotLoggedIn
        return JSONResponse(_told(await self._copying.sending.call(visit_of(request)), request.state.lang))

    async def call_events(self, request: Request) -> Response:
        """The same as server-sent events: one at once, one at every change; closed when the call is over."""
        if logged_in(request) is None:
            raise NotLoggedIn
        following = self._copying.sending.follow(visit_of(request))
        return await call_events(following, lambda call: _told(call, request.state.lang))

    async def events(self, request: Request) -> Response:
        """What `look` tells, as server-sent events: one at once, one at every change."""
        if logged_in(request) is None:
            raise NotLoggedIn
        watching = self._copying.looking.watch(visit_of(request), self._device(request))
        first = await anext(watching, None)  # a refusal is still an answer of its own
        return _stream(_events(first, watching))

    async def ending(self, request: Request) -> Response:
        """The one server-sent event `over` of a receiver, with its code; a session that is out hears it at once."""
        if logged_in(request) is None:
            return _stream(_one(_over(SESSION_OVER)))
        ending = self._copying.looking.ending(visit_of(request))
        first = await anext(ending, None)  # a refusal is still an answer of its own
        return _stream(_endings(first, ending))

    def _device(self, request: Request) -> Device:
        return self._copying.descriptions.of(headers_of(request.headers), address_of(request))


def _answering(answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    """A POST of a page of ours (F3), or of the command line, from somebody who is logged in."""

    async def post(request: Request) -> Response:
        fields = await posted(request)
        try:
            return JSONResponse(await answer(request, visit_of(request), fields))
        except Failure as failure:
            return script_told(request, failure)

    return post


def _told(call: Calling | None, lang: str) -> Told:
    until = None if call is None else rfc3339(call.expires_at)
    return {**told_call(call, lang), "digits": _digits(call), "until": until}


def _digits(call: Calling | None) -> str:
    return "" if call is None or call.code is None else call.code.reveal()


def _here(device: Device) -> str:
    return "pc" if device.kind == "pc" else "phone"


async def _ticket(asked: Awaitable[str]) -> Told:
    return {"ticket": await asked}


async def _done(asked: Awaitable[None]) -> Told:
    await asked
    return {}


async def _events(first: Look | None, watching: AsyncIterator[Look | None]) -> AsyncIterator[bytes]:
    if first is not None:
        yield _event(first)
    async for look in watching:
        yield _HERE if look is None else _event(look)


async def _endings(first: str | None, ending: AsyncIterator[str | None]) -> AsyncIterator[bytes]:
    yield _over(first)
    async for code in ending:
        yield _over(code)


async def _one(event: bytes) -> AsyncIterator[bytes]:
    yield event


def _stream(events: AsyncIterator[bytes]) -> Response:
    return StreamingResponse(events, media_type="text/event-stream", headers=_STREAM)


def _over(code: str | None) -> bytes:
    return _HERE if code is None else b"event: over\ndata: " + msgspec.json.encode({"code": code}) + b"\n\n"


def _event(look: Look) -> bytes:
    return b"data: " + msgspec.json.encode(look.told()) + b"\n\n"
