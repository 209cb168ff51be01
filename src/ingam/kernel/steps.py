"""Named points at which a test may stop the process: `reach("registration.7")` is a no-op unless a test asks.

`INGAM_KILL_AT=registration.7` makes the process kill itself (SIGKILL, no clean-up) when it gets there. The settings
refuse the variable in production (security G7).
"""

from __future__ import annotations

import os
import signal

_kill_at: str | None = None


def arm(name: str | None) -> None:
    """Called once by the process's start, with what the settings allow; None disarms."""
    global _kill_at
    _kill_at = name


def reach(name: str) -> None:
    """The walk has come to this numbered step."""
    if _kill_at is not None and _kill_at == name:
        os.kill(os.getpid(), signal.SIGKILL)
