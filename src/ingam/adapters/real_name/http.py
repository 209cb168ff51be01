"""The real-name check in the shape of apick: POST /rest/name_rrn_auth, a form, `CL_AUTH_KEY` (facts.md §12).

It answers HTTP 200 with {"data": {"result": 1 | 0 | 3, "success": …}, "api": {"success": true}}: `result` is the
verdict, 3 that the register behind it did not answer; where there is no `result`, `success` says it.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Final

import httpx2

from ingam.adapters.outgoing import Breaker, Caller
from ingam.adapters.outgoing.caller import ANSWER_S
from ingam.kernel.secret import Secret
from ingam.ports.real_name import RealNameOutage

LONGEST_ANSWER: Final = 16_384


class HttpRealName:
    """`ports.real_name.RealName` at one configured address. Asking is idempotent, so it is tried again."""

    def __init__(
        self,
        base_url: str,
        *,
        key: Secret[str],
        transport: httpx2.AsyncBaseTransport | None = None,
        answer_s: float = ANSWER_S,
        breaker: Breaker | None = None,
    ) -> None:
        self._caller = Caller(
            base_url, outage=RealNameOutage, headers={"CL_AUTH_KEY": key.reveal()}, transport=transport,
            answer_s=answer_s, longest=LONGEST_ANSWER, breaker=breaker,
        )  # fmt: skip

    async def check(self, name: str, idn: Secret[str]) -> bool:
        """Whether they belong together."""
        number = idn.reveal()
        form = {"name": name, "rrn1": number[:6], "rrn2": number[6:]}
        return _verdict(await self._caller.json("POST", "/rest/name_rrn_auth", form=form, idempotent=True))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._caller.aclose()

    async def __aenter__(self) -> HttpRealName:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def _verdict(answer: dict[str, Any]) -> bool:
    data, api = answer.get("data"), answer.get("api")
    if isinstance(api, dict) and api.get("success") is not True:
        raise RealNameOutage(cause="refused")
    if not isinstance(data, dict):
        raise RealNameOutage(cause="answer-malformed")
    said = data.get("result", data.get("success"))
    if isinstance(said, bool) or said not in (0, 1):
        raise RealNameOutage(cause="register-silent" if said == 3 else "answer-malformed")
    return bool(said == 1)
