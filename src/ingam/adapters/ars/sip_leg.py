"""One call's signalling: INVITE with Digest, the dialog that a success opens, CANCEL, BYE (RFC 3261 sections 9–15)."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import Final, TypeAlias

from ingam.adapters.ars.sip_exchange import Exchange
from ingam.adapters.ars.sip_line import Trunk
from ingam.protocols.sip import digest, message
from ingam.protocols.sip.digest import Challenge
from ingam.protocols.sip.message import Headers, Request, Response

CHALLENGED: Final = {401: ("www-authenticate", "Authorization"), 407: ("proxy-authenticate", "Proxy-Authorization")}


@dataclass(frozen=True, slots=True)
class Progress:
    """A provisional response above 100: the telephone rings, or so the trunk says."""

    status: int


@dataclass(frozen=True, slots=True)
class Answered:
    """`sdp`: the answer to our offer."""

    sdp: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """A final response that is no success."""

    status: int


class NobodyAnswers:
    """The trunk is silent."""


class HungUp:
    """The other end put the telephone down."""


LegEvent: TypeAlias = Progress | Answered | Refused | NobodyAnswers | HungUp


class Leg:
    """Of one call; `events` are what happens to it, in order. `call_id`: ours, in the Call-ID."""

    def __init__(self, exchange: Exchange, trunk: Trunk, call_id: str, to: str) -> None:
        self.events: asyncio.Queue[LegEvent] = asyncio.Queue()
        self.call_id = call_id
        self._exchange = exchange
        self._trunk = trunk
        line = exchange.line
        host, port = line.local if line is not None else ("", 0)
        self._here = _authority(trunk.address or host, port)
        self._uri = f"sip:{to}@{trunk.domain}"
        self._target = self._uri
        self._from = f"<sip:{trunk.caller_id}@{trunk.domain}>;tag={secrets.token_hex(8)}"
        self._to = f"<{self._uri}>"
        self._route: tuple[str, ...] = ()
        self._number = secrets.randbelow(2**16) + 1
        self._challenge: tuple[str, Challenge] | None = None
        self._uses = 0
        self._invite: Request | None = None
        self._provisional = False
        self._answered: str | None = None  # To of the success that is ours
        self._left = False
        self._over = False

    @property
    def tag(self) -> str | None:
        """Ours, which requests within the dialog bear in To."""
        return message.parameter(self._from, "tag")

    def invite(self, sdp: bytes) -> None:
        """Rings the telephone; again with credentials where the trunk asks for them."""
        contact = f"<sip:{self._trunk.caller_id}@{self._here};transport={self._trunk.transport}>"
        more = (
            ("Contact", contact),
            ("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS"),
            ("Content-Type", "application/sdp"),
        )
        self._number += 1
        self._invite = self._made("INVITE", self._number, more, sdp)
        self._exchange.request(self._invite, self._invited)

    def leave(self) -> None:
        """Hangs up, whatever the call has come to; at any time, any number of times."""
        if self._left:
            return
        self._left = True
        if self._answered is not None:
            self._bye(self._to)
        elif self._provisional:
            self._cancel()

    def asked(self, request: Request) -> int:
        """The status that a request of the other end within the dialog gets."""
        if self._answered is None or message.parameter(message.first(request, "from") or "", "tag") != self._theirs:
            return 481
        if request.method == "BYE":
            self._over = self._left = True
            self.events.put_nowait(HungUp())
            return 200
        # A call of ours changes neither its address nor its kind of speech.
        return {"OPTIONS": 200, "INVITE": 488, "UPDATE": 488}.get(request.method, 405)

    @property
    def _theirs(self) -> str | None:
        return message.parameter(self._to, "tag")

    def _invited(self, response: Response | None) -> None:
        if response is None:
            self.events.put_nowait(NobodyAnswers())
        elif response.status < 200:
            self._progressed(response)
        elif response.status < 300:
            self._succeeded(response)
        elif not self._authenticated(response):
            self.events.put_nowait(Refused(response.status))

    def _progressed(self, response: Response) -> None:
        first, self._provisional = not self._provisional, True
        if self._left and first:
            self._cancel()  # a CANCEL waits for the first sign of life (section 9.1)
        if response.status > 100:
            self.events.put_nowait(Progress(response.status))

    def _succeeded(self, response: Response) -> None:
        """Every success is acknowledged, also a late one and a repeated one; a second telephone's is put down."""
        to = message.first(response, "to") or ""
        target, route = _dialog(response, self._uri)
        number, _ = message.cseq(response)
        ours = self._answered is None or self._answered == to
        if self._answered is None and not self._left:
            self._answered, self._to, self._target, self._route = to, to, target, route
            self.events.put_nowait(Answered(response.body))
        self._exchange.send(self._within("ACK", number, to, target, route))
        if not ours or (self._left and self._answered is None):
            self._number += 1
            self._exchange.request(self._within("BYE", self._number, to, target, route), _unheard)

    def _authenticated(self, response: Response) -> bool:
        """Whether the INVITE goes once more, with credentials for this challenge."""
        if response.status not in CHALLENGED or self._invite is None or not self._trunk.user:
            return False
        asks, answers = CHALLENGED[response.status]
        asked = digest.challenge(list(message.every(response, asks)))
        if asked is None or (self._challenge is not None and not asked.stale) or self._left:
            return False
        self._challenge, self._uses = (answers, asked), 0
        self.invite(self._invite.body)
        return True

    def _cancel(self) -> None:
        """The same branch as the INVITE (section 9.1)."""
        if self._invite is None:
            return
        kept = [
            one for one in self._invite.headers if one[0] in ("Via", "Max-Forwards", "From", "To", "Call-ID", "Route")
        ]
        number, _ = message.cseq(self._invite)
        self._exchange.request(Request("CANCEL", self._uri, (*kept, ("CSeq", f"{number} CANCEL"))), _unheard)

    def _bye(self, to: str) -> None:
        if self._over:
            return
        self._over = True
        self._number += 1
        self._exchange.request(self._within("BYE", self._number, to, self._target, self._route), _unheard)

    def _within(self, method: str, number: int, to: str, target: str, route: tuple[str, ...]) -> Request:
        """A request in the dialog of this To."""
        headers = (
            *self._common(),
            *(("Route", one) for one in route),
            ("To", to),
            ("CSeq", f"{number} {method}"),
        )
        proof = () if method == "ACK" else self._credentials(method, target)
        return Request(method, target, (*headers, *proof))

    def _made(self, method: str, number: int, more: Headers, body: bytes) -> Request:
        headers = (*self._common(), ("To", self._to), ("CSeq", f"{number} {method}"), *more)
        return Request(method, self._uri, (*headers, *self._credentials(method, self._uri)), body)

    def _common(self) -> Headers:
        via = f"SIP/2.0/{self._trunk.transport.upper()} {self._here};branch=z9hG4bK{secrets.token_hex(12)};rport"
        return (("Via", via), ("Max-Forwards", "70"), ("From", self._from), ("Call-ID", self.call_id))

    def _credentials(self, method: str, uri: str) -> Headers:
        if self._challenge is None:
            return ()
        name, asked = self._challenge
        self._uses += 1
        made = digest.credentials(
            asked, user=self._trunk.user, password=self._trunk.password, method=method, uri=uri,
            cnonce=secrets.token_hex(8), count=self._uses,
        )  # fmt: skip
        return ((name, made),)


def _unheard(_response: Response | None) -> None:
    """Of a BYE or CANCEL: the call is over for us whatever is answered."""


def _dialog(response: Response, otherwise: str) -> tuple[str, tuple[str, ...]]:
    """Target and routes of the dialog that a success opens (section 12.1.2)."""
    contacts = message.listed(response, "contact")
    target = message.address(contacts[0]) if contacts else otherwise
    return target, tuple(reversed(message.listed(response, "record-route")))


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
