"""인증서 보기·검증, 비밀번호 변경, 내보내기/가져오기, 삭제: the page around the vault's desk, and what it asks (W7).

GET /management/certificates works for everybody: what the vault holds is nothing of ours. POST /management/verify
looks at a certificate that the person asks about; it stores nothing, and says nothing about whose it is (H5).
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingam.center.doorway import address_of, logged_in
from ingam.customer.binding.bindings import Bindings, Place
from ingam.customer.binding.proof import Prover
from ingam.customer.binding.verdicts import MOST, Verdict, VerifyMalformed, verdicts
from ingam.kernel.errors import Failure, Outage, Refusal
from ingam.kernel.instants import rfc3339
from ingam.page import check_post, render, status_of
from ingam.page.failures import message_of
from ingam.ports.certification import Certification
from ingam.ports.clock import Clock
from ingam.ports.ephemeral import Ephemeral
from ingam.ports.status import Authorities

TEMPLATES: Final = "ingam.center.management"
HERE: Final = "/management/certificates"
WANTED: Final = ("password", "files", "simple")
"""What the menu names besides looking, each below HERE at its own address: the same desk, with that in front."""
VERIFY: Final = "/management/verify"
WINDOW_S: Final = 60
LOOKS: Final = 20
LOOKS_OF_ADDRESS: Final = 100
"""Each may ask another authority: of one session, and of one network, in a minute."""


class TooManyLooks(Refusal):
    """The authorities are asked too often from here."""

    code = "too-many-requests"


class DeskWeb:
    """Handlers over the bindings and the prover. `own`: the authority that issues for us, where there is one."""

    def __init__(
        self,
        bindings: Bindings,
        prover: Prover,
        authorities: Authorities,
        ephemeral: Ephemeral,
        clock: Clock,
        own: Certification | None = None,
    ) -> None:
        self._bindings, self._prover, self._ephemeral, self._clock = bindings, prover, ephemeral, clock
        every = authorities.by_fingerprint.values()
        found = {one.der: None for each in every for one in (each.certificate, each.root) if one is not None}
        self._anchors, self._own = list(found), own

    def routes(self) -> list[Route]:
        """The page, and what it posts."""
        pages = [Route(path, self.show, methods=["GET"]) for path in (HERE, *(f"{HERE}/{one}" for one in WANTED))]
        return [*pages, Route(VERIFY, self.verify, methods=["POST"])]

    async def show(self, request: Request) -> Response:
        """The page with what the desk is told."""
        wanted = request.url.path.removeprefix(HERE).removeprefix("/")
        session = logged_in(request)
        customer_id = None if session is None else session.customer_id
        slot = 1 if session is None else session.slot or 1
        binding = None if customer_id is None else await self._bindings.active(Place(customer_id, slot))
        told: dict[str, Any] = {
            "origin": request.app.state.pages.origin,
            "lang": request.state.lang,
            "known": customer_id is not None,
            "registered": None if binding is None else binding.fingerprint,
            "anchors": [base64.b64encode(der).decode() for der in await self._above()],
            "wanted": wanted or "list",
        }
        now, place = rfc3339(self._clock.now()), f"certificates_{wanted}" if wanted else "certificates"
        title = f"page.menu_management_{wanted}" if wanted else "manage_desk.title"
        return render(request, "management/certificates.html", place=place, told=told, now=now, title=title)

    async def _above(self) -> list[bytes]:
        """The authorities over what is looked at, with our own CA's root: the CA is trusted here without it (D12)."""
        try:
            own = () if self._own is None else await self._own.authorities()
        except Outage:
            own = ()  # then the desk says that it did not check
        return list(dict.fromkeys([*self._anchors, *own]))

    async def verify(self, request: Request) -> Response:
        """`certificate` (base64 of DER) → the verdicts; a refusal is JSON as well."""
        try:
            form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
            check_post(request, form)
            await self._limit(request)
            now = self._clock.now()
            found = await verdicts(self._prover, _der(form.get("certificate", "")), now)
        except Failure as failure:
            request.state.failure = failure.code
            message = message_of(failure, request.state.lang)
            return _answer({"code": failure.code, "message": message}, status_of(failure))
        return _answer({"at": rfc3339(now), "checks": [_told(one) for one in found]})

    async def _limit(self, request: Request) -> None:
        session = request.state.session.session
        for name, most in ((f"verify:{session}", LOOKS), (f"verify:{address_of(request)}", LOOKS_OF_ADDRESS)):
            if not await self._ephemeral.hit(name, WINDOW_S, most):
                raise TooManyLooks


def _der(text: str) -> bytes:
    if len(text) > MOST * 4 // 3 + 4:
        raise VerifyMalformed
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise VerifyMalformed from None


def _told(one: Verdict) -> dict[str, str | None]:
    return {
        "check": str(one.check),
        "verdict": str(one.word),
        "code": one.code,
        "source": None if one.source is None else str(one.source),
        "produced": None if one.produced is None else rfc3339(one.produced),
    }


def _answer(told: dict[str, Any], status: int = 200) -> Response:
    return JSONResponse(told, status, {"Cache-Control": "no-store"})
