"""Identity by mobile telephone over PortOne's REST API v2 (facts.md §12).

`POST /identity-verifications/{id}/send`, `/confirm`, `/resend`, then `GET /identity-verifications/{id}`: the id is
made here from 128 random bits, and what is believed is the record that we fetch under it (security E7). Refusals come
with a status and {"type", "message", "pgCode"}; `pgCode` is the agency's own, so their table may be replaced.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from datetime import date, timedelta
from types import TracebackType
from typing import Any, Final

import httpx2

from ingam.adapters.outgoing import Answer, Breaker, Caller
from ingam.adapters.outgoing.caller import ANSWER_S
from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret
from ingam.ports.clock import Clock
from ingam.ports.phone_identity import (
    CODE_S,
    Asked,
    Carrier,
    Gender,
    Identity,
    PhoneIdentityExpired,
    PhoneIdentityMismatch,
    PhoneIdentityOutage,
    PhoneIdentityPending,
    PhoneIdentityTooMany,
    PhoneIdentityWrong,
    Started,
)

TYPES: Final[Mapping[str, type[Refusal]]] = {
    "IDENTITY_VERIFICATION_NOT_FOUND": PhoneIdentityExpired,
    "IDENTITY_VERIFICATION_NOT_SENT": PhoneIdentityExpired,
    "MAX_TRANSACTION_COUNT_REACHED": PhoneIdentityTooMany,
}
PG_CODES: Final[Mapping[str, type[Refusal]]] = {
    "HOLDER_MISMATCH": PhoneIdentityMismatch,
    "CARRIER_MISMATCH": PhoneIdentityMismatch,
    "OTP_MISMATCH": PhoneIdentityWrong,
    "OTP_EXPIRED": PhoneIdentityExpired,
    "OTP_TRIES_EXCEEDED": PhoneIdentityTooMany,
    "RESEND_EXCEEDED": PhoneIdentityTooMany,
    "APP_PENDING": PhoneIdentityPending,
}
"""`pgCode` of a PG_PROVIDER error → what the person is told; any other is the agency's own trouble."""

LONGEST_ANSWER: Final = 65_536
_ALREADY: Final = "IDENTITY_VERIFICATION_ALREADY_VERIFIED"
_REFUSING: Final = (400, 404, 409, 429, 502)
_TRANSACTION: Final = re.compile(r"[0-9a-f]{32}")


class PortOne:
    """`ports.phone_identity.PhoneIdentity` at one configured address. Only the record is fetched more than once."""

    def __init__(
        self,
        base_url: str,
        *,
        secret: Secret[str],
        channel: str,
        clock: Clock,
        pg_codes: Mapping[str, type[Refusal]] = PG_CODES,
        transport: httpx2.AsyncBaseTransport | None = None,
        answer_s: float = ANSWER_S,
        breaker: Breaker | None = None,
    ) -> None:
        self._channel = channel
        self._clock = clock
        self._pg_codes = pg_codes
        self._caller = Caller(
            base_url, outage=PhoneIdentityOutage, headers={"Authorization": f"PortOne {secret.reveal()}"},
            transport=transport, answer_s=answer_s, longest=LONGEST_ANSWER, breaker=breaker,
        )  # fmt: skip

    async def start(self, asked: Asked) -> Started:
        """Sends a code or an app message under a transaction that is made here."""
        transaction = secrets.token_hex(16)
        body = {
            "channelKey": self._channel,
            "customer": {
                "name": asked.name,
                "phoneNumber": asked.mobile,
                "identityNumber": asked.identity7.reveal(),
            },
            "customData": asked.reference,
            "operator": asked.carrier.value,
            "method": asked.method.value,
        }
        self._agreed(await self._post(transaction, "send", body))
        return self._started(transaction)

    async def resend(self, transaction: str) -> Started:
        """A new code for the same transaction."""
        self._agreed(await self._post(transaction, "resend", None))
        return self._started(transaction)

    async def confirm(self, transaction: str, otp: Secret[str]) -> Identity:
        """Confirms, then fetches who it is; a confirmation whose answer was lost is found by asking again."""
        answer = await self._post(transaction, "confirm", {"otp": otp.reveal()} if otp else {})
        if answer.body.get("type") != _ALREADY:
            self._agreed(answer)
        return _identity(self._agreed(await self._record(transaction)))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._caller.aclose()

    async def __aenter__(self) -> PortOne:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _post(self, transaction: str, act: str, body: dict[str, Any] | None) -> Answer:
        path = f"/identity-verifications/{_ours(transaction)}/{act}"
        return await self._caller.answer("POST", path, body=body, idempotent=False, also=_REFUSING)

    async def _record(self, transaction: str) -> Answer:
        path = f"/identity-verifications/{transaction}"
        return await self._caller.answer("GET", path, idempotent=True, also=(404,))

    def _started(self, transaction: str) -> Started:
        return Started(transaction, self._clock.now() + timedelta(seconds=CODE_S))

    def _agreed(self, answer: Answer) -> dict[str, Any]:
        """The body of a 200; else the refusal that it means."""
        if answer.status < 300:
            return answer.body
        kind, pg_code = str(answer.body.get("type", "")), str(answer.body.get("pgCode", ""))
        refusal = self._pg_codes.get(pg_code) if kind == "PG_PROVIDER" else TYPES.get(kind)
        if refusal is None:
            raise PhoneIdentityOutage(cause="refused", status=answer.status)
        if refusal is PhoneIdentityWrong:
            raise _wrong(answer.body.get("remainingAttempts"))
        raise refusal


def _wrong(left: object) -> PhoneIdentityWrong:
    """`remainingAttempts` is a field of ours: a provider that knows it tells how many tries are left."""
    if isinstance(left, int) and 0 <= left < 100:
        return PhoneIdentityWrong(n=left)
    return PhoneIdentityWrong("phone-identity-wrong-code")


def _ours(transaction: str) -> str:
    """A transaction goes into an address: one that we did not make is unknown."""
    if not _TRANSACTION.fullmatch(transaction):
        raise PhoneIdentityExpired
    return transaction


def _identity(record: dict[str, Any]) -> Identity:
    found = record.get("verifiedCustomer")
    if record.get("status") != "VERIFIED" or not isinstance(found, dict):
        raise PhoneIdentityOutage(cause="not-verified")
    try:
        return Identity(
            ci=Secret(_text(found, "ci", 88)),
            di=Secret(_text(found, "di", 64)),
            name=_text(found, "name"),
            birth_date=date.fromisoformat(_text(found, "birthDate")),
            gender=Gender(_text(found, "gender")),
            mobile=_text(found, "phoneNumber"),
            carrier=Carrier(_text(found, "operator")),
            foreigner=found["isForeigner"] is True,
        )
    except (KeyError, TypeError, ValueError):
        # The error holds what was found, and that is the person.
        raise PhoneIdentityOutage(cause="answer-malformed") from None


def _text(found: dict[str, Any], name: str, length: int | None = None) -> str:
    value = found[name]
    if not isinstance(value, str) or not 0 < len(value) <= 200 or length not in (None, len(value)):
        raise ValueError(name)
    return value
