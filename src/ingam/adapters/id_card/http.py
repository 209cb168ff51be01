"""Verification of cards in the shape of CLOVA eKYC: POST /verify/ic or /verify/dl, `X-EKYC-SECRET` (facts.md §12).

It answers HTTP 200 with {"result": "SUCCESS" | "FAILURE", "response": {"code", "message"}}; the codes are those of the
relay behind it and settled by contract, so they are a table that the institution may replace.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final

import httpx2

from ingam.adapters.outgoing import Breaker, Caller
from ingam.adapters.outgoing.caller import ANSWER_S
from ingam.kernel.secret import Secret
from ingam.ports.id_card import Card, DriverLicence, IdCardOutage, ResidentCard, Verdict

CODES: Final[Mapping[str, Verdict]] = {
    "MISMATCH": Verdict.MISMATCH,
    "NOT_FOUND": Verdict.MISMATCH,
    "LOST": Verdict.LOST,
    "REISSUED": Verdict.LOST,
}
"""`response.code` of a FAILURE → verdict; any other code is the relay's own trouble."""

LONGEST_ANSWER: Final = 16_384


class HttpIdCards:
    """`ports.id_card.IdCards` at one configured address.

    A `requestId` may not come twice within ten minutes, so nothing is tried again here: who asks again gets a new one.
    """

    def __init__(
        self,
        base_url: str,
        *,
        secret: Secret[str],
        codes: Mapping[str, Verdict] = CODES,
        transport: httpx2.AsyncBaseTransport | None = None,
        answer_s: float = ANSWER_S,
        breaker: Breaker | None = None,
    ) -> None:
        self._codes = codes
        self._caller = Caller(
            base_url, outage=IdCardOutage, headers={"X-EKYC-SECRET": secret.reveal()}, transport=transport,
            answer_s=answer_s, longest=LONGEST_ANSWER, breaker=breaker,
        )  # fmt: skip

    async def verify(self, card: Card) -> Verdict:
        """What the issuer says."""
        kind, data = ("ic", _resident(card)) if isinstance(card, ResidentCard) else ("dl", _licence(card))
        body = {"requestId": secrets.token_hex(16), "data": [data]}
        answer = await self._caller.json("POST", f"/verify/{kind}", body=body, idempotent=False)
        return self._verdict(answer)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._caller.aclose()

    async def __aenter__(self) -> HttpIdCards:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _verdict(self, answer: dict[str, Any]) -> Verdict:
        if answer.get("result") == "SUCCESS":
            return Verdict.GENUINE
        response = answer.get("response")
        code = response.get("code") if isinstance(response, dict) else None
        if answer.get("result") != "FAILURE" or not isinstance(code, str):
            raise IdCardOutage(cause="answer-malformed")
        if code not in self._codes:
            raise IdCardOutage(cause="refused")
        return self._codes[code]


def _resident(card: ResidentCard) -> dict[str, str]:
    return {"name": card.name, "personalNum": card.idn.reveal(), "issueDate": f"{card.issued_on:%Y%m%d}"}


def _licence(card: DriverLicence) -> dict[str, str]:
    found = {"name": card.name, "birthDate": f"{card.birth_date:%Y%m%d}", "num": card.number}
    return found if card.serial is None else {**found, "code": card.serial}
