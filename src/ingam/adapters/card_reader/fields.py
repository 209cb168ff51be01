"""What was heard from a card's lines, brought into form: text to fields, and nothing that has not the field's form.

No pictures here. A field that cannot be right (a month 13) is none, so that the person types it.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Final

TITLES: Final = {"resident": "주민등록증", "licence": "운전면허증"}

REGIONS: Final = (
    "서울", "부산", "경기", "강원", "충북", "충남", "전북", "전남",
    "경북", "경남", "제주", "대구", "인천", "광주", "대전", "울산",
)  # fmt: skip
"""Before the number of a licence that was given before 2013 or so; later ones have two digits there."""

_CENTURY: Final = {digit: year for year, digits in ((1800, "90"), (1900, "1256"), (2000, "3478")) for digit in digits}
_DASH: Final = r"\s*[-–—~_.:·]?\s*"
"""What a hyphen is taken for."""

_IDN: Final = re.compile(rf"(?<!\d)(\d{{6}}){_DASH}(\d{{7}})(?!\d)")
_LICENCE: Final = re.compile(rf"(?<!\d)(\d{{2}}){_DASH}(\d{{2}}){_DASH}(\d{{6}}){_DASH}(\d{{2}})(?!\d)")
_OLD_LICENCE: Final = re.compile(rf"(?<!\d)(\d{{2}}){_DASH}(\d{{6}}){_DASH}(\d{{2}})(?!\d)")
_DATE: Final = re.compile(r"(?<!\d)((?:19|20)\d{2})\s*[.,\-년]\s*(\d{1,2})\s*[.,\-월]\s*(\d{1,2})(?!\d)")
_SERIAL: Final = re.compile(r"(?<![A-Z0-9])[A-Z0-9]{5,6}(?![A-Z0-9])")
_HANGUL_NAME: Final = re.compile(r"[가-힣]{2,}")
_LATIN_NAME: Final = re.compile(r"[A-Z][A-Za-z.\-]*(?: [A-Za-z][A-Za-z.\-]*)*")
_PRINTED: Final = (
    "성명",
    "주소",
    "조건",
    "적성",
    "갱신",
    "면허",
    "자동차",
    "운전",
    "주민",
    "등록",
    "견본",
    "보통",
    "대형",
    "특수",
    "원동기",
)
"""What else stands on these cards."""

_SURNAMES: Final = frozenset(
    "김이박최정강조윤장임한오서신권황안송류유전홍고문양손배백허남심노하곽성차주우구민나진지엄채원천방공현함변염여추도소석선설마길연위표명기반"
    "왕금옥육인맹제모탁국어은편용예봉경사부황보가복태목형피두감음빈동온호범좌팽승간견당화창라독고제갈남궁선우사공"
)
"""First syllables of Korean surnames; another one is only less likely to have been read right."""

_OPENING: Final = re.compile(r"[(\[{<〈（|\d]")
_HANJA: Final = re.compile(r"[가-힣] ?[(\[{<〈（]")
"""Where the name in Hanja begins."""

_USUAL: Final = 5
_LONGEST: Final = 20
_TAKEN_FOR: Final = str.maketrans({"O": "0", "o": "0", "I": "1", "l": "1", "|": "1", "S": "5", "B": "8"})


def name(heard: str) -> tuple[str, float] | None:
    """The name at the head of a line, and how sure its form is: Hangul without spaces, or Latin words.

    A resident card has the name in Hanja behind it in parentheses, which a Hangul reader takes for anything.
    """
    line = unicodedata.normalize("NFC", heard).strip(" .,:;'\"`~-_*·•|ㆍ")
    head = _OPENING.split(line, maxsplit=1)[0] if _OPENING.search(line[2:]) else line
    hangul = _HANGUL_NAME.match(head.replace(" ", ""))
    if hangul:
        found = hangul.group()
        if found.startswith(_PRINTED):
            return None
        behind = re.sub(r"[^\w]", "", head.replace(" ", "")[len(found) :] + line[len(head) :].lstrip())
        shape = (1.0 if found[0] in _SURNAMES else 0.6) * (0.5 if len(behind) > 2 and not _HANJA.search(line) else 1.0)
        return found[:_LONGEST], shape if len(found) <= _USUAL else shape * 0.8
    latin = _LATIN_NAME.match(head.strip())
    return (" ".join(latin.group().split())[:40], 0.9) if latin and len(latin.group()) >= 4 else None


def idn(heard: str) -> str | None:
    """The 13 digits of a resident registration number whose first six and seventh make a date."""
    for match in _IDN.finditer(heard.translate(_TAKEN_FOR)):
        if _born(found := match.group(1) + match.group(2)) is not None:
            return found
    return None


def birth_date(number: str) -> str:
    """YYYYMMDD of an idn that `idn` returned."""
    born = _born(number)
    return f"{born:%Y%m%d}" if born else ""


def licence_number(heard: str) -> str | None:
    """ "11-15-123456-01", of a licence that has no region's name."""
    match = _LICENCE.search(heard.translate(_TAKEN_FOR))
    return "-".join(match.groups()) if match else None


def old_licence_number(heard: str) -> str | None:
    """ "서울-15-123456-01": a region's name, of which one syllable was heard at least, stands for the first digits."""
    match = _OLD_LICENCE.search(heard.translate(_TAKEN_FOR))
    if match is None:
        return None
    head = re.sub(r"[^가-힣]", "", heard[: match.start()])
    near = [one for one in REGIONS if one[0] == head[:1] or one[1] == head[1:2]]
    exact = [one for one in near if one in head]
    region = exact or (near if len(near) == 1 and len(head) == 2 else [])
    return "-".join((region[0], *match.groups())) if region else None


def issued_on(heard: str) -> str | None:
    """YYYYMMDD of a date of issue, 1999 (the first plastic cards) or later."""
    for match in _DATE.finditer(heard.translate(_TAKEN_FOR)):
        found = _date(*(int(part) for part in match.groups()))
        if found and found.year >= 1999:
            return f"{found:%Y%m%d}"
    return None


def dated(heard: str) -> bool:
    """Whether a line holds a date, so that its digits are no number."""
    return _DATE.search(heard.translate(_TAKEN_FOR)) is not None


def serial(heard: str) -> str | None:
    """5 or 6 capitals and digits; a word of letters alone is something else that is printed there."""
    for found in _SERIAL.findall(heard.upper()):
        if any(letter.isdigit() for letter in found):
            return str(found)
    return None


def likeness(heard: str, title: str) -> float:
    """How much of a title was heard, its letters in order: 0 to 1."""
    row = [0] * (len(title) + 1)
    for letter in heard:
        last = 0
        for place, wanted in enumerate(title, 1):
            last, row[place] = row[place], last + 1 if letter == wanted else max(row[place], row[place - 1])
    return row[-1] / len(title)


def long_numbers(heard: str) -> list[str]:
    """Runs of digits that could be a back half: seven or more, whatever stands between them."""
    return re.findall(r"\d{7,}", re.sub(r"[\s\-–—.]", "", heard.translate(_TAKEN_FOR)))


def _born(number: str) -> date | None:
    century = _CENTURY[number[6]]
    return _date(century + int(number[:2]), int(number[2:4]), int(number[4:6]))


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
