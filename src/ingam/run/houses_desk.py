"""What the sandbox's own screens ask of the houses beside the protocols: as at a counter, and on no other way in.

POST /desk/<house>/register    {profile, name, idn, number, english} → {reference_number, authorization_code, expires}
POST /desk/<root>/act          {serial, act}: what becomes of an authority's certificate, which no protocol asks for
GET /standings.json            SHA-256 of each certificate in the books → good, held, revoked
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Awaitable, Mapping
from typing import Any, Final

from ingam.ca.facts import Facts
from ingam.ca.issuing.registering import Asked, Registered, RegistrationRefused, register
from ingam.ca.office import Office
from ingam.ca.profiles import Operation
from ingam.ca.publishing.lists import root_number
from ingam.ca.revoking import changes
from ingam.ca.revoking.service import Revoking
from ingam.kernel.errors import Failure, Outage, Refusal
from ingam.kernel.instants import rfc3339
from ingam.kernel.secret import Secret
from ingam.ports.books import State
from ingam.run.houses_offices import publisher
from ingam.run.houses_places import ROOTS
from ingam.run.messages import Reply, Request, fields, plain
from ingam.wiring.authority import CaPorts

MOST_ORDER: Final = 4096
"""Bytes of a form."""

PATIENCE: Final = 40
MOST_LISTED: Final = 10_000
BY: Final = "counter"
_JSON: Final = fields([("Content-Type", "application/json"), ("Cache-Control", "no-store")])
_TOLD: Final = {State.PENDING: "good", State.VALID: "good", State.HELD: "held", State.REVOKED: "revoked"}


class Desk:
    """`houses`, `roots`: by their keys; `revoking` of both."""

    def __init__(
        self, houses: Mapping[str, CaPorts], roots: Mapping[str, CaPorts], revoking: Mapping[str, Revoking]
    ) -> None:
        self._houses, self._roots, self._revoking = houses, roots, revoking

    def __call__(self, request: Request, rest: str) -> Reply | Awaitable[Reply]:
        """`rest`: of the path behind `/desk/`; empty for the standings."""
        key, _, what = rest.partition("/")
        if request.method == b"GET" and not rest:
            return _told(200, self._standings())
        if request.method == b"POST" and (key, what) in self._acts:
            return self._answer(request, key, what)
        return plain(404)

    @property
    def _acts(self) -> set[tuple[str, str]]:
        return {(key, "register") for key in self._houses} | {(key, "act") for key in self._roots}

    async def _answer(self, request: Request, key: str, what: str) -> Reply:
        try:
            given = json.loads(request.body)
            return _told(200, await (self._register(key, given) if what == "register" else self._act(key, given)))
        except (ValueError, KeyError, TypeError):
            return _told(422, {"code": "bad-request"})
        except Failure as failure:
            return _told(503 if isinstance(failure, Outage) else 422, {"code": failure.code, "facts": failure.facts})

    async def _register(self, house: str, given: dict[str, str]) -> dict[str, str]:
        """For what stands a 재발급, which keeps its end date; else a new one."""
        office = self._houses[house].office
        facts = Facts(given["name"], Secret(given["idn"]), given["number"], given["english"])
        try:
            found = await self._entered(office, Asked(given["profile"], facts, Operation.REISSUE))
        except RegistrationRefused as refused:
            if refused.facts.get("part") != "nothing-to-reissue":
                raise
            found = await self._entered(office, Asked(given["profile"], facts))
        return {
            "reference_number": found.reference,
            "authorization_code": found.code.reveal(),
            "expires": rfc3339(found.expires),
        }

    @staticmethod
    async def _entered(office: Office, asked: Asked) -> Registered:
        return await register(office, asked, by=BY)

    async def _act(self, root: str, given: dict[str, str]) -> dict[str, str]:
        revoking = self._revoking[root]
        one = revoking.find(root_number(ROOTS[root]), int(given["serial"], 16))
        if given["act"] == "revoke":
            await revoking.revoke(one, changes.KEY_COMPROMISE, by=BY)
        elif given["act"] == "suspend":
            await revoking.suspend(one, by=BY)
        elif given["act"] == "release":
            await revoking.resume(one, by=BY)
        else:
            raise Refusal("bad-request")
        await asyncio.to_thread(_publish, self._roots[root])
        return {}

    def _standings(self) -> dict[str, str]:
        """Of every certificate that is in any of the books."""
        found = {}
        for ports in (*self._houses.values(), *self._roots.values()):
            for one in ports.books.listed(None, 0, MOST_LISTED):
                found[hashlib.sha256(one.der).hexdigest()] = _TOLD[one.state]
        return found


def _publish(root: CaPorts) -> None:
    """A root's list stands with the act, as after a ceremony; its clerk may be making it at this moment."""
    with publisher(root) as lists:
        for _ in range(PATIENCE):
            if not lists.step().busy:
                return
            time.sleep(0.05)


def _told(status: int, content: Mapping[str, Any]) -> Reply:
    return Reply(status, _JSON, json.dumps(content).encode())
