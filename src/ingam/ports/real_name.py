"""The real-name check (실명확인): whether a name and a registration number belong together."""

from __future__ import annotations

from typing import Protocol

from ingam.kernel.errors import Outage
from ingam.kernel.secret import Secret


class RealNameOutage(Outage):
    """The party did not answer, or not in form; nothing is known of the name, and asking again is safe."""

    code = "real-name-outage"


class RealName(Protocol):
    """Who keeps the register of residents, or asks whoever keeps it."""

    async def check(self, name: str, idn: Secret[str]) -> bool:
        """Whether the person of this number has this name. `idn`: 13 digits. Raises RealNameOutage."""
