"""The demo people and their certificates as `make run` prints them: Korean and English, at most 100 columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from ingam.kernel.words import say

WIDTH: Final = 100
KINDS: Final = {"personal": "개인 personal", "union-head": "조합장 union head", "corporate": "법인 corporate"}
GAP: Final = "  "


def lines(demo: dict[str, Any], here: Path) -> list[str]:
    """`demo`: what the sandbox wrote as demo.json; `here`: the folder that paths are told from."""
    folder = Path(demo["folder"])
    return [
        "사람 · people",
        *_table(
            ("이름 name", "구분 kind", "ID", "비밀번호 password", "번호 number", "휴대폰 mobile"),
            [
                (one["name"], KINDS[one["kind"]], one["banking_id"], one["password"], one["idn"], one["mobile"])
                for one in demo["people"]
            ],
        ),
        *_heads(demo["heads"], folder),
        "",
        f"인증서 · certificates   비밀번호 · password: {demo['certificate_password']}",
        f"폴더 · folders below: {_from(here, folder)}/   ✓ 등록됨 · is registered   ✗ 거절 · is refused, code",
        *(line for person in demo["people"] for line in _of_person(person, demo["certificates"], here, folder)),
    ]


def operators(working: Sequence[dict[str, Any]]) -> list[str]:
    """The console's operators, and the link by which each makes a passkey, once."""
    told = ["운영자 · operators   (콘솔 · console)"]
    for one in working:
        roles = ", ".join(f"{say(f'console.role_{role}')} {say(f'console.role_{role}', 'en')}" for role in one["roles"])
        told += [f"· {one['employee']} {one['name']} · {one['branch']} · {roles}"]
        told += [f"{GAP}{one['link']}" if one["link"] else f"{GAP}패스키 등록됨 · has a passkey"]
    return told


def _heads(heads: list[dict[str, Any]], folder: Path) -> list[str]:
    """Further heads of unions (INGAM_UNION_HEADS): whose ID they log in with, and what is their own."""
    told = [] if not heads else ["", "조합의 다른 조합장 · further heads of a union   조합의 ID, 본인의 번호와 휴대폰"]
    for one in heads:
        told += [
            f"· {one['name']} · {one['union']} · ID {one['banking_id']} · {one['idn']} · {one['mobile']}",
            f"{GAP}{_from(folder, Path(one['folder']))}",
        ]
    return told


def _of_person(person: dict[str, Any], certificates: list[dict[str, Any]], here: Path, folder: Path) -> list[str]:
    """The certificates that a person tries, and what becomes of each."""
    told = []
    for one in certificates:
        if one["banking_id"] != person["banking_id"]:
            continue
        fate = "✓" if one["expected"] == "registered" else f"✗ {one['expected']}"
        told += [f"· {one['what']['ko']} · {one['what']['en']} {fate}", f"{GAP}{_from(folder, Path(one['folder']))}"]
        told += [f"{GAP}{_from(here, Path(one['pfx']))}"] if one["pfx"] else []
    return ["", f"{person['name']} ({person['banking_id']})", *told] if told else []


def _from(here: Path, there: Path) -> str:
    """Relative where it lies below, else whole."""
    return str(there.relative_to(here)) if there.is_relative_to(here) else str(there)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(width(row[column]) for row in (head, *rows)) for column in range(len(head))]
    padded = (
        [cell + " " * (size - width(cell)) for cell, size in zip(row, widths, strict=True)] for row in (head, *rows)
    )
    return [(GAP + GAP.join(row)).rstrip() for row in padded]


def width(text: str) -> int:
    """Columns of a terminal: a Korean letter takes two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
