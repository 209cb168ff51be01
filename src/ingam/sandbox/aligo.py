"""The SMS provider's form API in the shape of Aligo: POST /send/ with key, user_id, sender, receiver, msg."""

from __future__ import annotations

import re
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ingam.ports.clock import Clock
from ingam.sandbox.phone import Phones
from ingam.sandbox.switches import Switches

SMS_BYTES: Final = 90
LMS_BYTES: Final = 2000
_NUMBER: Final = re.compile(r"\d{8,12}")


class Aligo:
    """Answers as the provider does: HTTP 200 and `result_code` in the body, "1" for taken, negative for refused.

    `reference` is our own addition: the real provider has no such field and drops it. The same one is delivered once.
    """

    def __init__(self, phones: Phones, switches: Switches, clock: Clock) -> None:
        self._phones = phones
        self._switches = switches
        self._clock = clock

    async def send(self, request: Request) -> Response:
        """One message into a phone's inbox."""
        form = await request.form()
        given = {name: value for name, value in form.items() if isinstance(value, str)}
        if self._switches.sms == "off":
            return Response(status_code=503)
        refusal = self._refusal(given)
        if refusal is not None:
            return refusal
        reference = given.get("reference") or None
        number = given["receiver"].replace("-", "")
        message, new = self._phones.deliver(number, given["sender"], given["msg"], reference, self._clock.now())
        if new and self._switches.sms == "lost-acknowledgement":
            return Response(status_code=504)  # the message is out, its sender does not learn it, and will try again
        size = len(given["msg"].encode("euc-kr", "replace"))
        return JSONResponse(
            {
                "result_code": "1",
                "message": "success",
                "msg_id": str(message),
                "success_cnt": 1,
                "error_cnt": 0,
                "msg_type": "SMS" if size <= SMS_BYTES else "LMS",
            }
        )

    def _refusal(self, given: dict[str, str]) -> Response | None:
        if self._switches.sms == "refusing":
            return _refused("-804", "잔여건수가 부족합니다")
        if not given.get("key") or not given.get("user_id"):
            return _refused("-101", "인증오류입니다")
        number, text = given.get("receiver", "").replace("-", ""), given.get("msg", "")
        if not _NUMBER.fullmatch(number) or not given.get("sender"):
            return _refused("-201", "전화번호가 올바르지 않습니다")
        if not text or len(text.encode("euc-kr", "replace")) > LMS_BYTES:
            return _refused("-202", "메시지 길이가 올바르지 않습니다")
        return None


def _refused(code: str, message: str) -> Response:
    return JSONResponse({"result_code": code, "message": message})
