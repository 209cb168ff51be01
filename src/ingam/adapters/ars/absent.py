"""No automatic call: where an institution has no provider and no trunk, asking for one is an outage."""

from __future__ import annotations

from collections.abc import AsyncIterator

from ingam.ports.ars import ArsOutage, Call, CallState


class AbsentArs:
    """`ports.ars.ArsCaller` that places nothing."""

    async def place(self, call: Call) -> AsyncIterator[CallState]:  # noqa: ARG002 - the port's
        """Raises ArsOutage."""
        raise ArsOutage(cause="absent")
        yield CallState.FAILED  # what makes this an asynchronous generator

    async def aclose(self) -> None:
        """Nothing is open."""
