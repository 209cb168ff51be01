"""The address API of juso.go.kr in its own shape: /addrlink/addrLinkApi.do, errors as `results.common.errorCode`.

It knows invented addresses (`addresses.tsv`) and the homes of the demo people.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ingam.sandbox.asked import form_texts, text
from ingam.sandbox.people import PEOPLE
from ingam.sandbox.switches import Switches

PARTY: Final = "address"
MOST_A_PAGE: Final = 100
MOST_FOUND: Final = 9000
LONGEST: Final = 80
SAID: Final = {
    "0": "정상",
    "E0001": "승인되지 않은 KEY 입니다.",
    "E0005": "검색어가 입력되지 않았습니다.",
    "E0006": "주소를 상세히 입력해 주시기 바랍니다.",
    "E0008": "검색어는 두글자 이상 입력되어야 합니다.",
    "E0009": "검색어는 문자와 숫자 같이 입력되어야 합니다.",
    "E0010": "검색어가 너무 깁니다.",
    "E0013": "SQL 예약어 또는 특수문자는 검색이 불가능 합니다.",
    "E0015": "검색 범위를 초과하였습니다.",
}
"""errorMessage of each errorCode."""

_FORBIDDEN: Final = re.compile(
    r"[%=><\[\]]|\b(?:OR|SELECT|INSERT|DELETE|UPDATE|CREATE|DROP|EXEC|UNION|FETCH|DECLARE|TRUNCATE)\b", re.IGNORECASE
)
_NUMBER: Final = re.compile(r"\d+(-\d+)?")


@dataclass(frozen=True, slots=True)
class Place:
    """One building. `number`: of the road, `lot`: 지번; `sigungu` and `building` may be ""."""

    zip5: str
    sido: str
    sigungu: str
    road: str
    number: str
    dong: str
    lot: str
    building: str

    @property
    def part1(self) -> str:
        """도로명주소 without 참고항목."""
        return _spaced(self.sido, self.sigungu, self.road, self.number)

    @property
    def part2(self) -> str:
        """참고항목: ` (한빛동, 새날빌딩)`."""
        named = ", ".join(one for one in (self.dong, self.building) if one)
        return f" ({named})" if named else ""

    @property
    def jibun(self) -> str:
        """지번주소."""
        return _spaced(self.sido, self.sigungu, self.dong, self.lot, self.building) if self.lot else ""

    def has(self, word: str) -> bool:
        """Whether a word of a keyword is in it: a number as a whole, anything else as a part."""
        if _NUMBER.fullmatch(word):
            return word in (self.number, self.lot, self.zip5)
        return word.lower() in f"{self.part1}{self.part2} {self.jibun}".lower()


class Juso:
    """Answers programs."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches

    async def search(self, request: Request) -> Response:
        """GET or a posted form: confmKey, currentPage, countPerPage, keyword, resultType=json."""
        position = await self._switches.hold(PARTY)
        given = await form_texts(request) if request.method == "POST" else dict(request.query_params)
        keyword = text(given, "keyword").strip()
        page, size = _number(given, "currentPage", 1), min(_number(given, "countPerPage", 10), MOST_A_PAGE)
        code = _trouble(text(given, "confmKey"), keyword)
        found = [] if code or position == "empty" else search(keyword)
        if len(found) > MOST_FOUND:
            code = "E0015"
        shown = [] if code else found[(page - 1) * size : page * size]
        common = {
            "errorCode": code or "0",
            "errorMessage": SAID[code or "0"],
            "totalCount": "0" if code else str(len(found)),
            "currentPage": str(page),
            "countPerPage": str(size),
        }
        return JSONResponse({"results": {"common": common, "juso": None if code else [_row(one) for one in shown]}})


def search(keyword: str) -> list[Place]:
    """All that contain every word."""
    words = keyword.replace(",", " ").replace("(", " ").replace(")", " ").split()
    return [one for one in places() if all(one.has(word) for word in words)]


@cache
def places() -> tuple[Place, ...]:
    """The homes of the demo people, then the invented country."""
    lines = files(__package__).joinpath("addresses.tsv").read_text(encoding="utf-8").splitlines()
    invented = [Place(*line.split("\t")) for line in lines if line and not line.startswith("#")]
    return (*_homes(), *invented)


def _homes() -> list[Place]:
    found = []
    for one in PEOPLE:
        if one.address is not None:
            sido, *middle, road, number = one.address.road.split()
            found.append(Place(one.address.zip5, sido, " ".join(middle), road, number, "시험동", number, ""))
    return found


def _trouble(key: str, keyword: str) -> str | None:
    if not key:
        return "E0001"
    if not keyword:
        return "E0005"
    if _FORBIDDEN.search(keyword):
        return "E0013"
    if len(keyword) < 2:
        return "E0008"
    if len(keyword) > LONGEST:
        return "E0010"
    if not any(one.isalpha() for one in keyword):
        return "E0009"
    return "E0006" if keyword in {one.sido for one in places()} else None


def _number(given: dict[str, str], name: str, default: int) -> int:
    said = given.get(name, "")
    return int(said) if said.isascii() and said.isdecimal() and int(said[:6]) > 0 and len(said) <= 6 else default


def _row(one: Place) -> dict[str, Any]:
    return {
        "roadAddr": one.part1 + one.part2,
        "roadAddrPart1": one.part1,
        "roadAddrPart2": one.part2,
        "jibunAddr": one.jibun,
        "engAddr": "",
        "zipNo": one.zip5,
        "admCd": "",
        "rnMgtSn": "",
        "bdMgtSn": "",
        "bdNm": one.building,
        "siNm": one.sido,
        "sggNm": one.sigungu,
        "emdNm": one.dong,
        "rn": one.road,
    }


def _spaced(*parts: str) -> str:
    return " ".join(part for part in parts if part)
