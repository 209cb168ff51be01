"""금융결제원 오픈뱅킹 (facts.md §12): the holder by /v2.0/inquiry/real_name, 1원 by /v2.0/transfer/deposit/acnt_num.

Money moves once for a reference: its bank_tran_id is derived from it, the deposit is posted once, and an answer that is
unclear – none, a 5xx, or a code that says so – is followed by /v2.0/transfer/result and never by another deposit.
What is raised names codes; accounts, names and texts stay out of it (security H1).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Final, NoReturn

import httpx2

from ingam.adapters.bank.access_token import AccessToken
from ingam.adapters.outgoing import Answer, Breaker, Caller
from ingam.adapters.outgoing.caller import ANSWER_S
from ingam.kernel.errors import Refusal
from ingam.kernel.instants import KST
from ingam.kernel.secret import Secret
from ingam.ports.bank import (
    BANKS,
    BankAccountRefused,
    BankAccountUnknown,
    BankClosed,
    BankHolderMismatch,
    BankName,
    BankOutage,
    BankUnclear,
    Holder,
    Sent,
    Transfer,
)
from ingam.ports.clock import Clock

LONGEST_ANSWER: Final = 65_536
DONE: Final = "A0000"
BANK_DONE: Final = "000"
UNCLEAR_API: Final = frozenset({"A0007", "A0326"})
"""응답코드(API): the answer of the bank did not come; this bank_tran_id was used before."""
UNCLEAR_BANK: Final = frozenset({"400", "803", "804", "822"})
"""응답코드(참가기관): under way, no answer of the bank behind, this bank_tran_id was used before."""
REFUSED: Final[Mapping[str, type[Refusal]]] = {
    "412": BankAccountUnknown,  # 해당계좌 없음
    "415": BankAccountRefused,  # 해약 계좌
    "416": BankAccountRefused,  # 잡좌
    "419": BankAccountRefused,  # 사고 신고계좌
    "420": BankAccountRefused,  # 거래중지 계좌
    "815": BankHolderMismatch,  # 예금주명 불일치
    "906": BankClosed,  # 점검 시간, as our sandbox says it; real codes of it come with the contract, as `refused`
}
"""응답코드(참가기관) → what the person is told. Any other is the bank's own trouble, and no money has moved."""

_BASE36: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NOT_SENT: Final = frozenset({"breaker-open", "request-malformed", "ConnectError"})
"""Causes of the caller in which nothing left this machine."""


@dataclass(frozen=True, slots=True)
class Contract:
    """Who we are to 금융결제원. `institution`: 이용기관코드, 10 characters; `account`: 약정 계좌 that 1원 leaves from.

    `account_type`: N 계좌, C 계정. `passphrase`: 입금이체용 암호문구. `name`: what our own statement reads.
    """

    institution: str
    client_id: str
    client_secret: Secret[str]
    account: Secret[str]
    passphrase: Secret[str]
    account_type: str = "N"
    name: str = "1원인증"


class OpenBanking:
    """`ports.bank.Bank` at one configured address. Inquiries are repeated once, deposits never."""

    def __init__(
        self,
        base_url: str,
        *,
        contract: Contract,
        clock: Clock,
        refused: Mapping[str, type[Refusal]] = REFUSED,
        transport: httpx2.AsyncBaseTransport | None = None,
        answer_s: float = ANSWER_S,
        breaker: Breaker | None = None,
    ) -> None:
        self._contract = contract
        self._clock = clock
        self._refused = refused
        self._caller = Caller(
            base_url, outage=BankOutage, transport=transport, answer_s=answer_s, longest=LONGEST_ANSWER,
            breaker=breaker,
        )  # fmt: skip
        self._token = AccessToken(self._caller, contract.client_id, contract.client_secret, clock)

    def banks(self) -> tuple[BankName, ...]:
        """All of facts.md §7."""
        return BANKS

    async def holder(self, bank_code: str, account: Secret[str], birth6: Secret[str]) -> Holder:
        """The holder's name, once the bank found the birth date to be theirs."""
        _known(bank_code)
        body = {
            "bank_code_std": bank_code,
            "account_num": account.reveal(),
            "account_holder_info_type": " ",
            "account_holder_info": birth6.reveal(),
            "tran_dtime": _moment(self._clock.now()),
        }
        answer = await self._inquiry(body)
        if _text(answer, "rsp_code") != DONE or _text(answer, "bank_rsp_code") != BANK_DONE:
            self._refuse(answer, answer)
        name = _text(answer, "account_holder_name").strip()
        if not name:
            raise BankOutage(cause="answer-malformed")
        return Holder(name)

    async def send_one_won(self, transfer: Transfer) -> Sent:
        """One deposit, and the result inquiry where its answer is unclear."""
        _known(transfer.bank_code)
        at = self._clock.now()
        try:
            answer = await self._call("/v2.0/transfer/deposit/acnt_num", self._deposit(transfer, at))
        except BankOutage as outage:
            if outage.facts.get("cause") in _NOT_SENT or not self._may_have_arrived(outage):
                raise
            return await self._result(transfer, at)
        item = _item(answer, self._transaction(transfer.reference))
        if _unclear(answer, item):
            return await self._result(transfer, at)
        return self._sent(transfer, answer, item)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._caller.aclose()

    async def __aenter__(self) -> OpenBanking:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _inquiry(self, body: dict[str, str]) -> dict[str, Any]:
        """Twice at most, each under an id of its own: used ones are refused."""
        try:
            return await self._call("/v2.0/inquiry/real_name", {"bank_tran_id": self._fresh(), **body})
        except BankOutage as outage:
            if outage.facts.get("cause") in ("timeout", "breaker-open", "token-refused"):
                raise
        return await self._call("/v2.0/inquiry/real_name", {"bank_tran_id": self._fresh(), **body})

    async def _result(self, transfer: Transfer, at: datetime) -> Sent:
        """What became of it. Raises BankUnclear where that is not said either."""
        transaction = self._transaction(transfer.reference)
        body = {
            "check_type": "2",
            "tran_dtime": _moment(self._clock.now()),
            "req_cnt": "1",
            "req_list": [
                {
                    "tran_no": "1",
                    "org_bank_tran_id": transaction,
                    "org_bank_tran_date": f"{at.astimezone(KST):%Y%m%d}",
                    "org_tran_amt": "1",
                }
            ],
        }
        try:
            answer = await self._call("/v2.0/transfer/result", body, idempotent=True)
        except BankOutage as outage:
            raise BankUnclear(None, **outage.facts) from None
        item = _item(answer, transaction)
        if _text(answer, "rsp_code") != DONE or not item:
            raise BankUnclear(cause="no-record", answer=_code(answer, "rsp_code"))
        if _unclear(answer, item):
            raise BankUnclear(cause="under-way", answer=_code(item, "bank_rsp_code"))
        return self._sent(transfer, answer, item)

    async def _call(self, path: str, body: Mapping[str, Any], *, idempotent: bool = False) -> dict[str, Any]:
        """An answer to a token that the other side takes: one that it does not take has done nothing, so once more."""
        for last in (False, True):
            headers = {"Authorization": f"Bearer {(await self._token.current()).reveal()}"}
            answer = await self._caller.answer(
                "POST", path, body=body, headers=headers, idempotent=idempotent, also=(401,)
            )
            if not _not_authorized(answer):
                break
            self._token.forget()
            if last:
                raise BankOutage(cause="token-refused", answer=_code(answer.body, "rsp_code"))
        return answer.body

    def _deposit(self, transfer: Transfer, at: datetime) -> dict[str, Any]:
        contract, account = self._contract, transfer.account.reveal()
        return {
            "cntr_account_type": contract.account_type,
            "cntr_account_num": contract.account.reveal(),
            "wd_pass_phrase": contract.passphrase.reveal(),
            "wd_print_content": contract.name,
            "name_check_option": "on",
            "tran_dtime": _moment(at),
            "req_cnt": "1",
            "req_list": [
                {
                    "tran_no": "1",
                    "bank_tran_id": self._transaction(transfer.reference),
                    "bank_code_std": transfer.bank_code,
                    "account_num": account,
                    "account_holder_name": transfer.holder,
                    "print_content": transfer.print_content,
                    "tran_amt": "1",
                    "req_client_name": transfer.holder,
                    "req_client_bank_code": transfer.bank_code,
                    "req_client_account_num": account,
                    "req_client_num": self._transaction(transfer.reference)[-9:],
                    "transfer_purpose": "AU",
                }
            ],
        }

    def _sent(self, transfer: Transfer, answer: dict[str, Any], item: dict[str, Any]) -> Sent:
        if _text(answer, "rsp_code") != DONE or _text(item, "bank_rsp_code") != BANK_DONE:
            self._refuse(answer, item)
        return Sent(transfer.reference)

    def _refuse(self, answer: dict[str, Any], item: dict[str, Any]) -> NoReturn:
        """A definite no."""
        code = _code(item, "bank_rsp_code")
        if code in self._refused:
            raise self._refused[code]
        raise BankOutage(cause="refused", answer=_code(answer, "rsp_code"), bank=code)

    def _transaction(self, reference: str) -> str:
        """은행거래고유번호 of a reference: 이용기관코드, U, and nine characters that only this reference gives."""
        number = int.from_bytes(hashlib.sha256(reference.encode()).digest(), "big")
        return f"{self._contract.institution}U{_base36(number)}"

    def _fresh(self) -> str:
        return f"{self._contract.institution}U{_base36(secrets.randbits(64))}"

    @staticmethod
    def _may_have_arrived(outage: BankOutage) -> bool:
        """A token that was not given and a 4xx came before anything moved; the token's own path says so by cause."""
        status = outage.facts.get("status", 0)
        token = str(outage.facts.get("cause", "")).startswith("token")
        return not token and not (isinstance(status, int) and 400 <= status < 500 and status != 408)


def _known(bank_code: str) -> None:
    if not any(one.code == bank_code for one in BANKS):
        raise BankAccountUnknown


def _not_authorized(answer: Answer) -> bool:
    """O0001… are 응답코드 of the OAuth gateway, which stands in front of all else."""
    return answer.status == 401 or _text(answer.body, "rsp_code").startswith("O")


def _unclear(answer: dict[str, Any], item: dict[str, Any]) -> bool:
    """A yes without what it was said to is no answer either."""
    code, bank = _text(answer, "rsp_code"), _text(item, "bank_rsp_code")
    return code in UNCLEAR_API or bank in UNCLEAR_BANK or (code in ("", DONE) and not bank)


def _item(answer: dict[str, Any], transaction: str) -> dict[str, Any]:
    """The part of an answer that speaks of this transaction; {} where there is none."""
    found = answer.get("res_list")
    items = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return next((one for one in items if one.get("bank_tran_id") == transaction), {})


def _text(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    return value if isinstance(value, str) else ""


def _code(answer: Mapping[str, Any], name: str) -> str:
    """A code, fit for a log line."""
    return "".join(one for one in _text(answer, name)[:5] if one.isascii() and one.isalnum()) or "none"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(KST):%Y%m%d%H%M%S}"


def _base36(number: int) -> str:
    digits = ""
    for _ in range(9):
        number, digit = divmod(number, 36)
        digits += _BASE36[digit]
    return digits
