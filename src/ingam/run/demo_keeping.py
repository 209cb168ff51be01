"""While a demo runs: the center's certificate as a registration authority is renewed well before its year is over.

At the start of `make run` the same is done (`run/demo_registrars`); a demo that nobody stops would outlive it. The
center takes the new one up by itself (`wiring/following`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from ingam.adapters.clock.system import SystemClock
from ingam.kernel.errors import Failure
from ingam.ports.clock import Clock
from ingam.run import demo_registrars
from ingam.settings import Settings
from ingam.wiring.authority import authority_folder

EVERY: Final = timedelta(hours=6)
"""There are thirty days to do it in."""


class Keeping:
    """Looks now and then. `say`: where people see what is done."""

    def __init__(self, settings: Settings, say: Callable[[str], None], clock: Clock | None = None) -> None:
        self._settings, self._say = settings, say
        self._clock = clock or SystemClock()
        self._looked = self._clock.now()

    def look(self) -> None:
        """What is due; what fails is told and tried again at the next look, and stops nothing."""
        now = self._clock.now()
        if now - self._looked < EVERY:
            return
        self._looked = now
        try:
            demo_registrars.prepare(self._settings, authority_folder(self._settings), self._clock, self._say)
        except (Failure, OSError) as failed:
            self._say(f"인증센터의 등록기관 인증서를 갱신하지 못했습니다 · not renewed: {failed}")
