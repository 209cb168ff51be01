"""An answer in the making: prepared from the books, signed in another room, and made anew where it is no longer true.

The way is one of plain calls, not of tasks: an answer to a nonce costs little more than its signature.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from ingam.ca.status.framing import Signed
from ingam.ca.status.limits import SLACK_S, StatusLimits
from ingam.ca.status.responders import Responder
from ingam.ca.status.signing_room import SigningRoom
from ingam.kernel.errors import Outage
from ingam.ports.books import BooksOutage, Standing, Standings, State
from ingam.protocols.ocsp import answering
from ingam.protocols.ocsp.answering import CertId, SingleResponse

ATTEMPTS: Final = 4
"""How often an answer is signed anew because its status changed while it was signed."""

LAST_S: Final = 120
"""A responder whose certificate ends sooner signs nothing more."""

_HOLD: Final = 6
_STATUSES_MOST: Final = 8192


class Making:
    """One answer. `void`: a status in it changed since it was prepared."""

    __slots__ = ("_asked", "_attempts", "_done", "_generations", "_maker", "_nonce", "_now", "_responder", "_tbs",
                 "_until", "_valid_s", "serials", "void")  # fmt: skip

    def __init__(
        self,
        maker: Maker,
        asked: Sequence[CertId],
        responder: Responder,
        generations: Sequence[int],
        nonce: bytes | None,
        valid_s: int,
        done: Callable[[Signed | None], None],
    ) -> None:
        self._maker, self._asked, self._responder, self._generations = maker, asked, responder, generations
        self._nonce, self._valid_s, self._done = nonce, valid_s, done
        self._attempts = self._now = self._until = 0
        self._tbs = b""
        self.serials = [one.serial for one in asked]
        self.void = False

    def begin(self) -> None:
        """Prepare it from the books as they stand, and hand it over; ends at once where it cannot be made now."""
        maker, responder = self._maker, self._responder
        self._now = int(maker.clock())
        self._until = min(self._now + self._valid_s, responder.until)
        if self._until - self._now < LAST_S:  # `troubles` has said for days that the certificate ends
            self._done(None)
            return
        try:
            singles = [
                SingleResponse(one.raw, maker.status(ca, one.serial), self._now, self._until)
                for ca, one in zip(self._generations, self._asked, strict=True)
            ]
        except BooksOutage as outage:
            maker.failed(outage)
            self._done(None)
            return
        self._tbs = answering.prepare(responder.key_hash, self._now, singles, self._nonce)
        self.void = False
        maker.depart(self)
        maker.room.sign(responder.signer, self._tbs, self._heard)

    def _heard(self, outcome: bytes | BaseException) -> None:
        maker, responder = self._maker, self._responder
        try:
            maker.look()
        except BooksOutage as outage:
            outcome = outage
        maker.land(self)
        if not isinstance(outcome, bytes):
            maker.failed(outcome)
            self._done(None)
        elif not self.void:
            der = answering.assemble(self._tbs, responder.algorithm, outcome, responder.certificate.der)
            max_age = min(maker.limits.cdn_max_age_s, self._until - self._now - SLACK_S)
            self._done(Signed(der, self._now, self._until, max(0, max_age)))
        else:
            self._attempts += 1
            if self._attempts < ATTEMPTS:
                self.begin()
            else:
                self._done(None)


class Maker:
    """Makes answers, and knows which of them a change makes void. `look` reads the changes. Raises BooksOutage there.

    `on_defect` hears of what a signer should not raise; `outage`: code and second of the latest outage.
    """

    def __init__(
        self,
        standings: Standings,
        clock: Callable[[], float],
        limits: StatusLimits,
        look: Callable[[], None],
        on_defect: Callable[[BaseException], None],
    ) -> None:
        self.clock, self.limits, self.look = clock, limits, look
        self.room = SigningRoom(limits.threads, limits.spot_us / 1e6)
        self.outage: tuple[str, float] | None = None
        self._standings, self._on_defect = standings, on_defect
        self._statuses: dict[tuple[int, int], bytes] = {}
        self._under_way: dict[int, set[Making]] = {}

    def make(
        self,
        asked: Sequence[CertId],
        responder: Responder,
        generations: Sequence[int],
        nonce: bytes | None,
        valid_s: int,
        done: Callable[[Signed | None], None],
    ) -> None:
        """Make an answer; `done` is called with it, true as of then, or with None where it cannot be made now."""
        Making(self, asked, responder, generations, nonce, valid_s, done).begin()

    def status(self, ca: int, serial: int) -> bytes:
        """DER of the CertStatus that the books give a serial. Raises BooksOutage.

        What was issued is remembered until it changes; what was not is asked for each time, for it may be by now.
        """
        known = self._statuses.get((ca, serial))
        if known is not None:
            return known
        found = self._standings.standing(ca, serial) if serial > 0 else None
        if found is None:
            return answering.UNKNOWN
        if len(self._statuses) >= _STATUSES_MOST:
            self._statuses.clear()
        self._statuses[ca, serial] = status = _status(found)
        return status

    def depart(self, making: Making) -> None:
        """It is being signed: changes must find it."""
        for serial in making.serials:
            self._under_way.setdefault(serial, set()).add(making)

    def land(self, making: Making) -> None:
        """It was signed."""
        for serial in making.serials:
            same = self._under_way.get(serial)
            if same is not None:
                same.discard(making)
                if not same:
                    del self._under_way[serial]

    def untrue(self, ca: int, serial: int) -> None:
        """A status changed."""
        self._statuses.pop((ca, serial), None)
        for making in self._under_way.get(serial, ()):
            making.void = True

    def all_untrue(self) -> None:
        """Nobody knows what changed."""
        self._statuses.clear()
        for same in self._under_way.values():
            for making in same:
                making.void = True

    def failed(self, error: BaseException) -> None:
        """Somebody was away; or something is ours."""
        if isinstance(error, Outage):
            self.outage = (error.code, self.clock())
        else:
            self._on_defect(error)

    def close(self) -> None:
        """End the signing threads."""
        self.room.close()


def _status(found: Standing) -> bytes:
    """A certificate that waits for its confirmation is good: its owner holds it."""
    if found.state in (State.VALID, State.PENDING):
        return answering.GOOD
    at = 0.0 if found.changed_at is None else found.changed_at.timestamp()
    return answering.revoked(int(at), _HOLD if found.state is State.HELD else found.reason)
