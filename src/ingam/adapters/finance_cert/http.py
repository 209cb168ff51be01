"""The provider of 금융인증서 over JSON (docs/reference/finance-cert.md): a window is opened, its result fetched once.

The transaction is made here from 128 random bits (security E7), and a window anywhere else than at the one origin that
settings name is an answer out of form: nobody is led to an address that a party made up.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from datetime import date, timedelta
from types import TracebackType
from typing import Any, Final

import httpx2

from ingam.adapters.outgoing import Breaker, Caller
from ingam.adapters.outgoing.caller import ANSWER_S
from ingam.kernel.secret import Secret
from ingam.ports.clock import Clock
from ingam.ports.finance_cert import Asked, FinanceCertOutage, FinanceCertUnfinished, Signed, Stage, Started

LONGEST_ANSWER: Final = 65_536
LONGEST_S: Final = 900
_TRANSACTION: Final = re.compile(r"[0-9a-f]{32}")
_PROOF: Final = re.compile(r"[A-Za-z0-9_-]{16,128}")
_PATH: Final = re.compile(r"/[!#-;=?-\[\]-~]{0,400}")
"""What may stand behind the origin of a window: it becomes a link of ours, and no header or mark-up comes with it."""


class HttpFinanceCert:
    """`ports.finance_cert.FinanceCert` at one configured address. No call is given twice: a result is given once.

    `origin`: of its window, as browsers open it.
    """

    def __init__(
        self,
        base_url: str,
        *,
        origin: str,
        client: str,
        key: Secret[str],
        clock: Clock,
        transport: httpx2.AsyncBaseTransport | None = None,
        answer_s: float = ANSWER_S,
        breaker: Breaker | None = None,
    ) -> None:
        self._origin = origin
        self._client = client
        self._clock = clock
        self._caller = Caller(
            base_url, outage=FinanceCertOutage, headers={"Authorization": f"Bearer {key.reveal()}"},
            transport=transport, answer_s=answer_s, longest=LONGEST_ANSWER, breaker=breaker,
        )  # fmt: skip

    async def start(self, asked: Asked) -> Started:
        """Opens a window under a transaction that is made here."""
        transaction = secrets.token_hex(16)
        body = {
            "id": transaction,
            "client": self._client,
            "purpose": asked.purpose.value,
            "text": base64.b64encode(asked.text).decode(),
            "returnTo": asked.return_to,
            "lang": asked.lang,
        }
        told = await self._caller.json("POST", "/v1/signatures", body=body, idempotent=False)
        window, seconds = told.get("window"), told.get("expiresIn")
        if not isinstance(window, str) or not self._ours(window):
            raise FinanceCertOutage(cause="window-elsewhere")
        if type(seconds) is not int or not 0 < seconds <= LONGEST_S:
            raise FinanceCertOutage(cause="answer-malformed")
        return Started(transaction, window, self._clock.now() + timedelta(seconds=seconds))

    def _ours(self, window: str) -> bool:
        return window.startswith(self._origin) and _PATH.fullmatch(window, len(self._origin)) is not None

    async def verify(self, transaction: str, proof: str) -> Signed:
        """The signature of a transaction that was begun here."""
        if not _TRANSACTION.fullmatch(transaction) or not _PROOF.fullmatch(proof):
            raise FinanceCertUnfinished(stage=Stage.UNKNOWN)
        path = f"/v1/signatures/{transaction}/result"
        answer = await self._caller.answer("POST", path, body={"proof": proof}, idempotent=False, also=(404, 409, 410))
        if answer.status >= 300:
            raise FinanceCertUnfinished(stage=_stage(answer.body.get("stage")))
        return _signed(answer.body)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._caller.aclose()

    async def __aenter__(self) -> HttpFinanceCert:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def _stage(said: object) -> Stage:
    return Stage(said) if isinstance(said, str) and said in set(Stage) else Stage.UNKNOWN


def _signed(told: dict[str, Any]) -> Signed:
    try:
        random = told.get("random")
        name = told["name"]
        if not isinstance(name, str) or not 0 < len(name) <= 100 or not name.isprintable():
            raise ValueError
        return Signed(
            signed=_octets(told["signed"], 32_768),
            name=name,
            birth_date=date.fromisoformat(told["birthDate"]),
            random=None if random is None else Secret(_octets(random, 128)),
        )
    except (KeyError, TypeError, ValueError):
        # The error holds what was found, and that is the person.
        raise FinanceCertOutage(cause="answer-malformed") from None


def _octets(text: object, most: int) -> bytes:
    if not isinstance(text, str) or len(text) > most * 4 // 3 + 4:
        raise ValueError
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError from None
