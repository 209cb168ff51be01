"""What a serving process waits for: the first signal to stop. Every later one is ignored.

A process is often told twice, by who ends its group and by its own parent. A second signal that comes while the event
loop closes would meet a closed wake-up descriptor.
"""

from __future__ import annotations

import asyncio
import signal
from typing import Final

TO_STOP: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def told_to_stop() -> asyncio.Event:
    """Set by the first of `TO_STOP`. Called in the main thread, inside the running loop."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def told() -> None:
        for number in TO_STOP:
            signal.signal(number, signal.SIG_IGN)
        stop.set()

    for number in TO_STOP:
        loop.add_signal_handler(number, told)
    return stop
