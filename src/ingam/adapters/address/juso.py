"""The address API of juso.go.kr: `GET /addrlink/addrLinkApi.do`, answers in JSON (facts.md §12).

Keywords go without the signs and SQL words that it refuses as a whole. It answers HTTP 200 with
`results.common.errorCode`: "0", a code for what was typed, or a code for what is ours.
"""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any, Final

import httpx2

from ingam.adapters.outgoing import Breaker, Caller
from ingam.adapters.outgoing.caller import ANSWER_S
from ingam.kernel.secret import Secret
from ingam.ports.address import LONGEST_KEYWORD, PAGE, Address, AddressKeyword, AddressOutage, AddressTooMany, Found

LONGEST_ANSWER: Final = 131_072
SHORTEST: Final = 2
"""Characters of a keyword, spaces not counted."""
LONGEST_FIELD: Final = 200

_SIGNS: Final = re.compile(r"[%=><\[\]\x00-\x1f\x7f]")
_SQL: Final = re.compile(
    r"\b(OR|SELECT|INSERT|DELETE|UPDATE|CREATE|DROP|EXEC|UNION|FETCH|DECLARE|TRUNCATE)\b", re.IGNORECASE
)
_TYPED: Final = frozenset({"E0005", "E0006", "E0008", "E0009", "E0010", "E0011", "E0012", "E0013"})
"""None, too general, too short, too long, numbers or signs alone, forbidden: what somebody typed."""
_TOO_MANY: Final = "E0015"
_ZIP: Final = re.compile(r"\d{5}")


class Juso:
    """`ports.address.AddressBook` at one configured address. Asking is idempotent, so it is tried again."""

    def __init__(
        self,
        base_url: str,
        *,
        key: Secret[str],
        transport: httpx2.AsyncBaseTransport | None = None,
        answer_s: float = ANSWER_S,
        breaker: Breaker | None = None,
    ) -> None:
        self._key = key
        self._caller = Caller(
            base_url, outage=AddressOutage, transport=transport, answer_s=answer_s, longest=LONGEST_ANSWER,
            breaker=breaker,
        )  # fmt: skip

    async def search(self, keyword: str, page: int) -> Found:
        """One page of what contains the keyword."""
        form = {
            "confmKey": self._key.reveal(),
            "currentPage": str(max(1, page)),
            "countPerPage": str(PAGE),
            "keyword": cleaned(keyword),
            "resultType": "json",
        }
        # As a form: the service takes both, and what somebody searches stays out of addresses and their logs.
        answer = await self._caller.json("POST", "/addrlink/addrLinkApi.do", form=form, idempotent=True)
        return _found(answer)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._caller.aclose()

    async def __aenter__(self) -> Juso:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def cleaned(keyword: str) -> str:
    """What is left to ask for. Raises AddressKeyword."""
    words = _SQL.sub(" ", _SIGNS.sub(" ", keyword[: 2 * LONGEST_KEYWORD])).split()
    found = " ".join(words)
    if len("".join(words)) < SHORTEST or len(found) > LONGEST_KEYWORD:
        raise AddressKeyword
    return found


def _found(answer: dict[str, Any]) -> Found:
    results = answer.get("results")
    common = results.get("common") if isinstance(results, dict) else None
    if not isinstance(results, dict) or not isinstance(common, dict):
        raise AddressOutage(cause="answer-malformed")
    _agreed(str(common.get("errorCode", "")))
    total, rows = str(common.get("totalCount", "")), results.get("juso")
    if not (total.isascii() and total.isdecimal() and len(total) < 9) or not isinstance(rows, list | None):
        raise AddressOutage(cause="answer-malformed")
    return Found(int(total), tuple(_address(one) for one in (rows or [])[:PAGE]))


def _agreed(code: str) -> None:
    if code in _TYPED:
        raise AddressKeyword
    if code == _TOO_MANY:
        raise AddressTooMany
    if code != "0":
        raise AddressOutage(cause="refused", answer="".join(one for one in code[:6] if one.isalnum()) or "none")


def _address(row: object) -> Address:
    given = row if isinstance(row, dict) else {}
    road, jibun, zip5 = (given.get(name, "") for name in ("roadAddr", "jibunAddr", "zipNo"))
    if not (isinstance(road, str) and isinstance(jibun, str) and isinstance(zip5, str)):
        raise AddressOutage(cause="answer-malformed")
    if not road.strip() or max(len(road), len(jibun)) > LONGEST_FIELD or not _ZIP.fullmatch(zip5):
        raise AddressOutage(cause="answer-malformed")
    return Address(road.strip(), jibun.strip(), zip5)
