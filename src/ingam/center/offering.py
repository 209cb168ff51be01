"""What is off now, at every door of the center: the notices that each page shows, and the refusal where a way is used.

One table, so that no feature can forget its switch. A certificate that its authority has issued already is still
brought home: that door (CARRIED) stays open, or a switch would leave somebody with none.
"""

from __future__ import annotations

from typing import Any, Final

from starlette.types import ASGIApp, Receive, Scope, Send

from ingam.center.doorway import NO_SESSION
from ingam.customer.availability import ALL_ON, Way
from ingam.customer.availability.reading import Availability
from ingam.ports.store import StoreOutage

DOORS: Final = (
    ("/login/id", Way.LOGIN_ID),
    ("/login/challenge", Way.LOGIN_CERTIFICATE),
    ("/login/certificate", Way.LOGIN_CERTIFICATE),
    ("/login/passkey", Way.DEVICES),  # a passkey is one of them
    ("/login/finance", Way.FINANCE),
    ("/finance-cert/open", Way.FINANCE),  # 해제 needs no provider, and whoever is in its window comes back
    ("/finance-cert/window", Way.FINANCE),
    ("/registration", Way.REGISTRATION),
    ("/issuance/new", Way.ISSUANCE),
    ("/issuance/reissue", Way.ISSUANCE),
    ("/issuance/renewal", Way.ISSUANCE),
    ("/copying", Way.COPYING),
    ("/protection", Way.DEVICES),
)
"""A path and all below it belong to this way. Codes by SMS, telephone and branch are asked for inside of others."""

CARRIED: Final = frozenset({"/issuance/new/carry", "/issuance/reissue/carry", "/issuance/renewal/carry"})


class Offering:
    """ASGI middleware inside the doorway: sets `request.state.offer`. Raises WayOff, StoreOutage at a door."""

    def __init__(self, app: ASGIApp, availability: Availability) -> None:
        self.app = app
        self._availability = availability

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith(NO_SESSION):
            await self._offer(scope)
        await self.app(scope, receive, send)

    async def _offer(self, scope: Scope) -> None:
        state: dict[str, Any] = scope["state"]
        way = way_of(scope["path"])
        try:
            now = await self._availability.now()
        except StoreOutage:
            if way is not None:
                raise
            now = ALL_ON  # a page that belongs to no way can be shown without its notices
        state["offer"] = now
        if way is not None and way in now.off:
            raise now.off[way].refusal(way, state["lang"])


def way_of(path: str) -> Way | None:
    """The way that a path belongs to."""
    if path in CARRIED:
        return None
    return next((way for door, way in DOORS if path == door or path.startswith(f"{door}/")), None)
