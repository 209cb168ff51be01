"""What was keyed in, judged at the adapter: no provider is told the code, and none can say that it was right."""

from __future__ import annotations

import hmac
import re
from typing import Final

from ingam.kernel.errors import Defect
from ingam.kernel.secret import Secret
from ingam.ports.ars import Call, CallState

REFUSING: Final = "0"
DIGITS: Final = 2
_CODE: Final = re.compile(r"[1-9][0-9]")
_ID: Final = re.compile(r"[0-9a-f]{32}")
_NUMBER: Final = re.compile(r"0[0-9]{7,11}")


def verdict(code: Secret[str], keyed: str) -> CallState | None:
    """None while a digit is missing. `keyed`: digits 0-9 in order; those after the second count for nothing."""
    given = keyed[:DIGITS]
    if given.startswith(REFUSING) or (REFUSING in given and REFUSING not in code.reveal()):
        return CallState.REFUSED
    if len(given) < DIGITS:
        return None
    right = hmac.compare_digest(given.encode(), code.reveal().encode())
    return CallState.APPROVED if right else CallState.WRONG


def check(call: Call) -> Call:
    """A call that can be placed. Raises Defect: each of these is made by ourselves."""
    if not _ID.fullmatch(call.call_id):
        raise Defect("ars-call-malformed", part="call_id")
    if not _NUMBER.fullmatch(call.to):
        raise Defect("ars-call-malformed", part="to")
    if not _CODE.fullmatch(call.code.reveal()):  # `0` refuses, so no code begins with it
        raise Defect("ars-call-malformed", part="code")
    return call
