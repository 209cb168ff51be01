"""SMS by Aligo's form API: `POST /send/` with key, user_id, sender, receiver, msg (facts.md §12).

It answers HTTP 200 with `result_code` "1" for taken and a negative number for refused. `reference` is a field of ours:
a provider that knows it sends the same one once, one that does not ignores it.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Final

import httpx2
import msgspec

from ingam.kernel.secret import Secret
from ingam.ports.sms import Sms, SmsOutage

ANSWER_S: Final = 5.0

LONGEST_ANSWER: Final = 16_384
"""Bytes of an answer that are read."""

SMS_BYTES: Final = 90
"""In EUC-KR; a longer text goes as LMS."""


class AligoSms:
    """`ports.sms.SmsSender` at one configured address; redirects and proxies of the environment are not followed."""

    def __init__(
        self,
        base_url: str,
        *,
        key: Secret[str],
        user_id: str,
        sender: str,
        transport: httpx2.AsyncBaseTransport | None = None,
        answer_s: float = ANSWER_S,
    ) -> None:
        self._url = f"{base_url.rstrip('/')}/send/"
        self._key = key
        self._user_id = user_id
        self._sender = sender
        self._client = httpx2.AsyncClient(
            transport=transport, timeout=answer_s, follow_redirects=False, trust_env=False
        )

    async def send(self, sms: Sms) -> str:
        form = {
            "key": self._key.reveal(),
            "user_id": self._user_id,
            "sender": self._sender,
            "receiver": sms.to,
            "msg": sms.text,
            "msg_type": "SMS" if _fits_sms(sms.text) else "LMS",
            "reference": sms.reference,
        }
        try:
            async with self._client.stream("POST", self._url, data=form) as response:
                return _message_id(response.status_code, await _bounded(response))
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            # Only the kind: the error holds the request, and the request holds the number and the text.
            raise SmsOutage(cause=type(error).__name__) from None

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def __aenter__(self) -> AligoSms:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


async def _bounded(response: httpx2.Response) -> bytes:
    body = b""
    async for part in response.aiter_bytes():
        body += part
        if len(body) > LONGEST_ANSWER:
            raise SmsOutage(cause="answer-too-long")
    return body


def _message_id(status: int, body: bytes) -> str:
    if status != 200:
        raise SmsOutage(cause="status", status=status)
    answer = _parsed(body)
    code = str(answer.get("result_code", ""))
    if code != "1":
        raise SmsOutage(cause="refused", result=code[:16])
    return str(answer.get("msg_id", ""))[:64]


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        answer = msgspec.json.decode(body)
    except msgspec.DecodeError:
        raise SmsOutage(cause="answer-malformed") from None
    if not isinstance(answer, dict):
        raise SmsOutage(cause="answer-malformed")
    return answer


def _fits_sms(text: str) -> bool:
    return len(text.encode("euc-kr", "replace")) <= SMS_BYTES
