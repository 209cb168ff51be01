"""The ARS provider and the telephones that it rings: a call in memory, answered and keyed on the telephone's page.

The provider's side is docs/reference/ars.md: PUT, GET and end of a call under an id of its asker's. It is told what to
say and how many digits to collect, never which ones are right.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ingam.kernel.errors import Refusal
from ingam.ports.clock import Clock
from ingam.sandbox.asked import json_object, text
from ingam.sandbox.switches import Switches

PARTY: Final = "ars"
KEPT: Final = 200
"""Calls that are remembered."""

IN_VAIN_S: Final = 4
"""Under the switch `no-answer`, a telephone rings this long and nobody sees it."""

REFUSING: Final = "0"
KEYS: Final = "0123456789*#"
_LIVE: Final = ("ringing", "answered")
_ID: Final = re.compile(r"[0-9a-f]{32}")
_NUMBER: Final = re.compile(r"0[0-9]{7,11}")


class NoCall(Refusal):
    """Nothing rings on this telephone, or nobody is on the line."""

    code = "sandbox-no-call"


@dataclass(slots=True)
class TelephoneCall:
    """One call. `state`: ringing, answered, ended, busy or no-answer; `said`: what the telephone heard."""

    id: str
    number: str
    caller: str
    lang: str
    opening: str
    asking: str
    digits: int
    ring_s: int
    answer_s: int
    at: datetime
    asked: dict[str, Any] = field(repr=False)
    seen: bool = True
    state: str = "ringing"
    keyed: str = field(default="", repr=False)
    said: list[str] = field(default_factory=list)
    answered_at: datetime | None = None

    @property
    def live(self) -> bool:
        """Whether it rings or somebody is on the line."""
        return self.state in _LIVE

    @property
    def full(self) -> bool:
        """Nothing more is collected: `0` refuses, or the digits are all there; `*` and `#` are none."""
        return REFUSING in self.keyed or sum(key.isdigit() for key in self.keyed) >= self.digits

    def pass_time(self, now: datetime) -> None:
        """Nobody rings or waits for ever."""
        if self.state == "ringing" and now >= self.at + timedelta(seconds=self.ring_s):
            self.state = "no-answer"
        if self.answered_at and self.state == "answered" and now >= self.answered_at + timedelta(seconds=self.answer_s):
            self.state = "ended"


class Calls:
    """All calls, newest last."""

    def __init__(self) -> None:
        self._all: dict[str, TelephoneCall] = {}

    def add(self, one: TelephoneCall) -> None:
        """Remembers it, and drops the oldest of more than KEPT. A telephone with a call is busy."""
        if self.live(one.number, one.at) is not None:
            one.state = "busy"
        self._all[one.id] = one
        while len(self._all) > KEPT:
            del self._all[next(iter(self._all))]

    def find(self, number: str, now: datetime) -> TelephoneCall | None:
        """The one of an id."""
        one = self._all.get(number)
        if one is not None:
            one.pass_time(now)
        return one

    def last(self, telephone: str, now: datetime) -> TelephoneCall | None:
        """The newest call that this telephone knows of."""
        for one in reversed(self._all.values()):
            if one.number == telephone and one.seen:
                one.pass_time(now)
                return one
        return None

    def live(self, telephone: str, now: datetime) -> TelephoneCall | None:
        """The call that rings or is spoken on this telephone."""
        one = self.last(telephone, now)
        return one if one is not None and one.live else None

    def ringing(self, now: datetime) -> list[str]:
        """Telephones that ring."""
        for one in self._all.values():
            one.pass_time(now)
        return [one.number for one in self._all.values() if one.seen and one.state == "ringing"]

    def act(self, telephone: str, act: str, key: str, now: datetime) -> None:
        """What a person does: `answer`, `decline`, `hang-up`, or `key` with one of KEYS. Raises NoCall."""
        one = self.live(telephone, now)
        if one is None or (one.state == "ringing") != (act in ("answer", "decline")):
            raise NoCall
        if act == "answer":
            one.state, one.answered_at, one.said = "answered", now, [one.opening, one.asking]
        elif act == "decline":
            one.state = "busy"
        elif act == "hang-up":
            one.state = "ended"
        elif act == "key" and len(key) == 1 and key in KEYS:
            one.keyed += "" if one.full else key
        else:
            raise NoCall


class ArsProvider:
    """Answers programs."""

    def __init__(self, calls: Calls, switches: Switches, clock: Clock) -> None:
        self._calls = calls
        self._switches = switches
        self._clock = clock

    async def put(self, request: Request) -> Response:
        """Places a call; the same id with the same body again is the same call."""
        position = await self._switches.hold(PARTY)
        if (refused := _unauthorized(request)) is not None:
            return refused
        given, number = await json_object(request), request.path_params["id"]
        found = self._calls.find(number, self._clock.now())
        if found is not None:
            return _told(found) if found.asked == given else _refused(409, "other-call")
        made = _call(number, given, self._clock.now())
        if made is None:
            return _refused(400, "malformed")
        if position == "no-answer":
            made.seen, made.ring_s = False, IN_VAIN_S
        self._calls.add(made)
        if position == "busy":
            made.state = "busy"
        return _told(made)

    async def record(self, request: Request) -> Response:
        """What is known of a call."""
        return await self._of(request, _same)

    async def end(self, request: Request) -> Response:
        """A last sentence, and the line is put down; of a call that is over it changes nothing."""
        last = text(await json_object(request), "say")
        return await self._of(request, lambda one: _put_down(one, last))

    async def _of(self, request: Request, act: Callable[[TelephoneCall], None]) -> Response:
        await self._switches.hold(PARTY)
        if (refused := _unauthorized(request)) is not None:
            return refused
        one = self._calls.find(request.path_params["id"], self._clock.now())
        if one is None:
            return _refused(404, "unknown-call")
        act(one)
        return _told(one)


Endpoint = Callable[[Request], Awaitable[Response]]


def _same(_one: TelephoneCall) -> None:
    return


def _put_down(one: TelephoneCall, last: str) -> None:
    if one.state == "answered":
        one.said.append(last[:500])
    if one.live:
        one.state = "no-answer" if one.state == "ringing" else "ended"


def _call(number: str, given: dict[str, Any], now: datetime) -> TelephoneCall | None:
    """None where something is missing or out of bounds."""
    said, to, caller = given.get("say"), text(given, "to"), text(given, "from")
    opening, asking = text(said, "opening")[:500], text(said, "asking")[:500]
    digits, ring, answer = (
        _number(given, name, most) for name, most in (("digits", 8), ("ring_s", 120), ("answer_s", 600))
    )
    if not (
        _ID.fullmatch(number) and _NUMBER.fullmatch(to) and caller and opening and asking and digits and ring and answer
    ):
        return None
    return TelephoneCall(number, to, caller, text(given, "lang"), opening, asking, digits, ring, answer, now, given)


def _number(given: dict[str, Any], name: str, most: int) -> int:
    value = given.get(name)
    return value if isinstance(value, int) and 0 < value <= most else 0


def _told(one: TelephoneCall) -> Response:
    return JSONResponse({"id": one.id, "to": one.number, "state": one.state, "keyed": one.keyed})


def _unauthorized(request: Request) -> Response | None:
    if request.headers.get("authorization", "").startswith("Bearer "):
        return None
    return _refused(401, "unauthorized")


def _refused(status: int, kind: str) -> Response:
    return JSONResponse({"error": kind}, status)
