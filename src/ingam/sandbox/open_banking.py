"""금융결제원 오픈뱅킹 in its own shape (facts.md §12): token, real-name and receiver inquiry, deposit, result inquiry.

It answers HTTP 200 with `rsp_code` and `bank_rsp_code`. A deposit whose bank_tran_id was used that day is refused (822)
and moves nothing. Only the demo people have accounts here.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ingam.kernel.instants import KST
from ingam.ports.clock import Clock
from ingam.sandbox.asked import form_texts, json_object, text
from ingam.sandbox.bank import Deposit, Deposits, bank_name, owner
from ingam.sandbox.people import Person
from ingam.sandbox.switches import Switches

PARTY: Final = "bank"
TOKEN_S: Final = 7_776_000
TOKENS_KEPT: Final = 100
CLOSED: Final = ("A0002", "906", "은행 점검 시간입니다")
UNKNOWN_ACCOUNT: Final = ("A0002", "412", "해당계좌 없음")
OTHER_HOLDER: Final = ("A0002", "815", "예금주명 불일치")
USED: Final = ("A0002", "822", "은행거래고유번호 중복")
OTHER: Final = "김다른"
"""Who holds every account where the switch says wrong-holder."""

_TRANSACTION: Final = re.compile(r"[A-Z0-9]{10}U[A-Z0-9]{9}")
_ACCOUNT: Final = re.compile(r"\d{1,16}")

Trouble = tuple[str, str, str]
"""rsp_code, bank_rsp_code, bank_rsp_message."""


class OpenBankingService:
    """Answers programs."""

    def __init__(self, deposits: Deposits, switches: Switches, clock: Clock) -> None:
        self._deposits = deposits
        self._switches = switches
        self._clock = clock
        self._tokens: dict[str, datetime] = {}

    async def token(self, request: Request) -> Response:
        """OAuth client credentials of scope oob."""
        await self._switches.hold(PARTY)
        form = await form_texts(request)
        if (form.get("grant_type"), form.get("scope")) != ("client_credentials", "oob"):
            return JSONResponse({"rsp_code": "O0001", "rsp_message": "invalid_request"}, 400)
        if not form.get("client_id") or not form.get("client_secret"):
            return JSONResponse({"rsp_code": "O0001", "rsp_message": "invalid_client"}, 401)
        token = secrets.token_urlsafe(32)
        self._tokens[token] = self._clock.now() + timedelta(seconds=TOKEN_S)
        while len(self._tokens) > TOKENS_KEPT:
            del self._tokens[next(iter(self._tokens))]
        told = {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_S, "scope": "oob"}
        return JSONResponse({**told, "client_use_code": text(form, "client_id")[:10]})

    async def real_name(self, request: Request) -> Response:
        """The holder of an account, where the birth date is theirs."""
        return await self._asked(request, self._real_name)

    async def receive(self, request: Request) -> Response:
        """The holder of an account that somebody wants to send to."""
        return await self._asked(request, self._receive)

    async def deposit(self, request: Request) -> Response:
        """Money, once for a bank_tran_id of a day."""
        return await self._asked(request, self._deposit)

    async def result(self, request: Request) -> Response:
        """What became of a deposit."""
        return await self._asked(request, self._result)

    def forget_tokens(self) -> None:
        """As if all of them had been withdrawn."""
        self._tokens.clear()

    async def _asked(self, request: Request, answer: Callable[[dict[str, Any], str], Response]) -> Response:
        position = await self._switches.hold(PARTY)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self._tokens.get(token, self._clock.now()) <= self._clock.now():
            return JSONResponse({**self._told("O0003"), "rsp_message": "access_token 오류"}, 401)
        return answer(await json_object(request), position)

    def _real_name(self, given: dict[str, Any], position: str) -> Response:
        person, trouble = self._holder(given, position)
        if trouble is None and person is not None and text(given, "account_holder_info") != person.idn[:6]:
            trouble = OTHER_HOLDER
        return self._holder_told(given, person, trouble, position)

    def _receive(self, given: dict[str, Any], position: str) -> Response:
        person, trouble = self._holder(given, position)
        return self._holder_told(given, person, trouble, position)

    def _holder(self, given: Mapping[str, Any], position: str) -> tuple[Person | None, Trouble | None]:
        bank, account = text(given, "bank_code_std"), text(given, "account_num")
        person = owner(bank, account)
        if position == "closed":
            return None, CLOSED
        if not _ACCOUNT.fullmatch(account) or bank_name(bank) is None or person is None:
            return None, UNKNOWN_ACCOUNT
        return person, None

    def _holder_told(
        self, given: dict[str, Any], person: Person | None, trouble: Trouble | None, position: str
    ) -> Response:
        if not _TRANSACTION.fullmatch(text(given, "bank_tran_id")):
            return JSONResponse(self._told("A0003"))
        told = self._bank_told(given, trouble)
        if trouble is None and person is not None:
            told["account_holder_name"] = OTHER if position == "wrong-holder" else person.name
            told["account_num"] = text(given, "account_num")
        return JSONResponse(told)

    def _deposit(self, given: dict[str, Any], position: str) -> Response:
        rows = given.get("req_list")
        row = rows[0] if isinstance(rows, list) and len(rows) == 1 and isinstance(rows[0], dict) else {}
        if not text(given, "cntr_account_num") or not text(given, "wd_pass_phrase") or not _complete(row):
            return JSONResponse({**self._told("A0003"), "res_cnt": "0", "res_list": []})
        trouble = self._booked(given, row, position)
        if position == "unclear" and trouble is None:
            return Response(status_code=504)  # the money is there, and its sender does not learn it
        item = {**self._bank_told(row, trouble), "tran_no": "1", "tran_amt": text(row, "tran_amt")}
        return JSONResponse({**self._told(trouble[0] if trouble else "A0000"), "res_cnt": "1", "res_list": [item]})

    def _booked(self, given: Mapping[str, Any], row: Mapping[str, Any], position: str) -> Trouble | None:
        person, trouble = self._holder(row, position)
        if person is None:
            return trouble
        named = OTHER if position == "wrong-holder" else person.name
        if text(given, "name_check_option") != "off" and text(row, "account_holder_name") != named:
            return OTHER_HOLDER
        now = self._clock.now()
        one = Deposit(
            text(row, "bank_tran_id"), _day(now), text(row, "bank_code_std"), text(row, "account_num"),
            int(text(row, "tran_amt")), text(row, "print_content"), now,
        )  # fmt: skip
        return None if self._deposits.put(one) else USED

    def _result(self, given: dict[str, Any], position: str) -> Response:
        rows = given.get("req_list")
        row = rows[0] if isinstance(rows, list) and len(rows) == 1 and isinstance(rows[0], dict) else {}
        if position == "closed":
            return JSONResponse({**self._told("A0007"), "res_cnt": "0", "res_list": []})
        found = self._deposits.find(text(row, "org_bank_tran_id"), text(row, "org_bank_tran_date"))
        if found is None or text(given, "check_type") != "2" or text(row, "org_tran_amt") != str(found.amount):
            return JSONResponse({**self._told("A0000"), "res_cnt": "0", "res_list": []})
        booked = {"bank_tran_id": found.transaction, "bank_code_std": found.bank_code}
        item = {**self._bank_told(booked, None), "tran_no": "1", "tran_amt": str(found.amount)}
        return JSONResponse({**self._told("A0000"), "res_cnt": "1", "res_list": [item]})

    def _bank_told(self, given: Mapping[str, Any], trouble: Trouble | None) -> dict[str, Any]:
        code, bank, message = trouble or ("A0000", "000", "")
        return self._told(code) | {
            "bank_tran_id": text(given, "bank_tran_id"),
            "bank_tran_date": _day(self._clock.now()),
            "bank_code_tran": text(given, "bank_code_std"),
            "bank_code_std": text(given, "bank_code_std"),
            "bank_rsp_code": bank,
            "bank_rsp_message": message,
        }

    def _told(self, code: str) -> dict[str, Any]:
        return {
            "api_tran_id": secrets.token_hex(18),
            "api_tran_dtm": f"{self._clock.now().astimezone(KST):%Y%m%d%H%M%S}000",
            "rsp_code": code,
            "rsp_message": "",
        }


def _complete(row: Mapping[str, Any]) -> bool:
    """The lengths of its fields as 금융결제원's description has them."""
    printed, amount = text(row, "print_content"), text(row, "tran_amt")
    return (
        _TRANSACTION.fullmatch(text(row, "bank_tran_id")) is not None
        and 0 < len(printed.encode("euc-kr", "replace")) <= 20
        and amount.isascii() and amount.isdecimal() and 0 < len(amount) <= 12
        and bool(text(row, "req_client_name")) and bool(text(row, "transfer_purpose"))
    )  # fmt: skip


def _day(at: datetime) -> str:
    return f"{at.astimezone(KST):%Y%m%d}"
