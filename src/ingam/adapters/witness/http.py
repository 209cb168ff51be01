"""`ports.witness.Witness` over HTTP (C2SP tlog-witness): POST add-checkpoint, and the last head that it remembers."""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request
from typing import Final

from ingam.kernel.errors import Refusal
from ingam.ports.witness import SeenAnother, WitnessOutage
from ingam.protocols.log.head import HeadUnsigned, OtherLog
from ingam.protocols.log.keys import WitnessKey
from ingam.protocols.log.note import MOST_NOTE
from ingam.protocols.log.proof import Inconsistent
from ingam.protocols.log.witnessing import RequestMalformed

SECONDS: Final = 10.0

_CODES: Final[dict[int, type[Refusal]]] = {
    400: RequestMalformed, 403: HeadUnsigned, 404: OtherLog, 422: Inconsistent,
}  # fmt: skip


class HttpWitness:
    """A witness at an address. Blocks; bounded in time and size; follows no redirect elsewhere than http(s)."""

    def __init__(self, key: WitnessKey, address: str) -> None:
        """`address`: the prefix that `/add-checkpoint` follows, from the settings."""
        if not address.startswith(("http://", "https://")):
            raise ValueError("http or https")
        self.key = key
        self._address = address.rstrip("/")

    def cosign(self, request: str) -> str:
        try:
            return self._ask(f"{self._address}/add-checkpoint", request.encode())
        except urllib.error.HTTPError as refused:
            with refused:
                raise _failure(refused.code, refused.read(64)) from None

    def remembered(self, origin: str) -> str | None:
        """The note of the last head of a log that it co-signed; None where it knows none. Raises WitnessOutage."""
        try:
            return self._ask(f"{self._address}/head?{urllib.parse.urlencode({'origin': origin})}", None)
        except urllib.error.HTTPError as refused:
            with refused:
                if refused.code == 404:
                    return None
            raise WitnessOutage from None

    def _ask(self, address: str, body: bytes | None) -> str:
        asked = urllib.request.Request(address, body, {"content-type": "text/plain; charset=utf-8"})  # noqa: S310
        try:
            with urllib.request.urlopen(asked, timeout=SECONDS) as answer:  # noqa: S310 - http(s) only
                data: bytes = answer.read(MOST_NOTE + 1)
                return data.decode("utf-8")
        except urllib.error.HTTPError:
            raise
        except (OSError, ValueError) as error:
            raise WitnessOutage from error


def _failure(status: int, body: bytes) -> Exception:
    text = body.decode("ascii", "replace").strip()
    if status == 409 and text.isdigit() and len(text) < 20:
        return SeenAnother(size=int(text))
    kind = _CODES.get(status)
    return WitnessOutage() if kind is None else kind()
