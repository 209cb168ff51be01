"""One-time codes of a token: HOTP by a counter (RFC 4226), TOTP by the time (RFC 6238); HMAC-SHA-1, six digits.

A code is looked for in a small window and only beyond the last one that was used, so that each is good once.
"""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Final

from ingam.kernel.instants import to_micros
from ingam.kernel.secret import Secret

DIGITS: Final = 6
STEP_S: Final = 30
"""RFC 6238 section 5.2."""
DRIFT: Final = 1
"""Steps before and after now that a token's clock may be off."""
AHEAD: Final = 5
"""Counters that a button may have been pressed in vain (RFC 4226 section 7.4)."""
LEAST_KEY_BYTES: Final = 16
"""RFC 4226 section 4, R6; 20 are recommended."""
MOST_KEY_BYTES: Final = 64


def hotp(key: Secret[bytes], counter: int, digits: int = DIGITS) -> Secret[str]:
    """The code of a counter (RFC 4226 section 5.3)."""
    mac = hmac.digest(key.reveal(), counter.to_bytes(8, "big"), "sha1")
    offset = mac[-1] & 0xF
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFF_FFFF
    return Secret(f"{number % 10**digits:0{digits}d}")


def step_of(at: datetime) -> int:
    """The time step of an instant (RFC 6238 section 4.2)."""
    return to_micros(at) // (STEP_S * 1_000_000)


def found(key: Secret[bytes], typed: Secret[str], counters: range) -> int | None:
    """The counter whose code was typed; all are compared, whichever fits. None where none does."""
    hit = None
    for counter in counters:
        if hotp(key, counter) == typed:
            hit = counter if hit is None else hit
    return hit


def by_time(at: datetime, used: int) -> range:
    """The steps that a TOTP code may be of: around now, and later than the last one that was used."""
    now = step_of(at)
    return range(max(used + 1, now - DRIFT), now + DRIFT + 1)


def by_counter(following: int) -> range:
    """The counters that a HOTP code may be of. `following`: the one after the last that was used."""
    return range(following, following + AHEAD)
