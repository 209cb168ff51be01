"""What a run keeps sealed under the customer's own key: the authority's two codes, and the certificate (H6)."""

from __future__ import annotations

import base64

import msgspec

from ingam.center.issuance.states import Delivered, Requested
from ingam.center.issuance.walks import Walk
from ingam.customer.binding.bindings import SealDetails


class Sealed:
    """Base64 of sealed octets; `what`: codes or certificate."""

    def __init__(self, fields: SealDetails) -> None:
        self._fields = fields

    async def seal(self, walk: Walk, what: str, clear: bytes) -> str:
        """As a state keeps it."""
        sealed = await self._fields.seal(walk.customer.customer_id, "flow", what, walk.flow_id, clear)
        return base64.b64encode(sealed).decode()

    async def open(self, walk: Walk, what: str, sealed: str) -> bytes:
        """The octets."""
        octets = base64.b64decode(sealed)
        return await self._fields.open(walk.customer.customer_id, "flow", what, walk.flow_id, octets)

    async def codes(self, walk: Walk) -> dict[str, str]:
        """The holder's registration: `reference`, `code`, `until`."""
        state = walk.here.state
        assert isinstance(state, Requested | Delivered)
        return msgspec.json.decode(await self.open(walk, "codes", state.sealed), type=dict[str, str])
