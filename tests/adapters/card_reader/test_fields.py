"""Text of a card's lines into fields."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingam.adapters.card_reader import fields


@pytest.mark.parametrize(
    ("heard", "name"),
    [
        ("홍길동(洪吉童)", "홍길동"),
        ("홍 길 동 ( 거 좀 에)", "홍길동"),
        ("남 궁 민 수", "남궁민수"),
        ("한별", "한별"),
        ("홍길동", "홍길동"),
        ("Alex Sample", "Alex Sample"),
        ("· 오로라 .", "오로라"),
    ],
)
def test_a_name_is_the_head_of_its_line(heard: str, name: str) -> None:
    told = fields.name(heard)
    assert told is not None
    assert told[0] == name
    assert told[1] >= 0.9


@pytest.mark.parametrize(
    "heard", ["", "갱신기간 ~2031.12.31.", "적성검사", "was", "1", "(洪吉童)", "751005-1000001", "견본 SAMPLE"]
)
def test_what_else_is_printed_is_no_name(heard: str) -> None:
    assert fields.name(heard) is None


def test_a_long_name_is_read_and_less_sure() -> None:
    told = fields.name("한빛나라가온누리아")
    assert told is not None
    assert told[0] == "한빛나라가온누리아"
    assert told[1] < 0.9


@pytest.mark.parametrize(
    ("heard", "number"),
    [
        ("751005-1000001", "7510051000001"),
        ("751005 1000001", "7510051000001"),
        ("7510051000001", "7510051000001"),
        ("75IOO5-1OOOOO1", "7510051000001"),
        ("200229-3000001", "2002293000001"),
        ("190229-3000001", None),  # 2019 had no such day
        ("751305-1000001", None),
        ("11-15-123456-01", None),
        ("751005-10000012", None),
    ],
)
def test_a_registration_number_begins_with_a_date(heard: str, number: str | None) -> None:
    assert fields.idn(heard) == number


def test_the_century_is_in_the_seventh_digit() -> None:
    assert [fields.birth_date(f"750101{digit}000001") for digit in "1390"] == [
        "19750101",
        "20750101",
        "18750101",
        "18750101",
    ]


def test_a_licence_number_has_digits_or_a_region_in_front() -> None:
    assert fields.licence_number("11-15-123456-01") == "11-15-123456-01"
    assert fields.licence_number("11 15 123456 01") == "11-15-123456-01"
    assert fields.licence_number("751005-1000001") is None
    assert fields.old_licence_number("서 울 15-123456-01") == "서울-15-123456-01"
    assert fields.old_licence_number("서율 15-123456-01") == "서울-15-123456-01"
    assert fields.old_licence_number("15-123456-01") is None
    assert fields.old_licence_number("경븜 15-123456-01") is None  # 경기, 경북 or 경남


@pytest.mark.parametrize(
    ("heard", "day"),
    [
        ("2020.3.15.", "20200315"),
        ("2020. 03. 15", "20200315"),
        ("1998.3.15.", None),
        ("2020.13.15.", None),
        ("3.15.", None),
    ],
)
def test_a_date_of_issue_is_one_of_a_plastic_card(heard: str, day: str | None) -> None:
    assert fields.issued_on(heard) == day


def test_a_serial_has_digits_in_it() -> None:
    assert fields.serial("A1B2C3") == "A1B2C3"
    assert fields.serial("SAMPLE") is None
    assert fields.serial("A1B2") is None


def test_a_title_is_known_by_most_of_its_letters() -> None:
    assert fields.likeness("자 동 차 운 전 면 허 증", fields.TITLES["licence"]) == 1
    assert fields.likeness("주인등록즘", fields.TITLES["resident"]) == pytest.approx(0.6)
    assert fields.likeness("서울특별시경찰청장", fields.TITLES["resident"]) < 0.3


@given(st.text(max_size=60))
def test_no_text_breaks_a_form(heard: str) -> None:
    number = fields.idn(heard)
    assert number is None or (len(number) == 13 and number.isdecimal())
    for form in (fields.name, fields.licence_number, fields.old_licence_number, fields.issued_on, fields.serial):
        form(heard)
    fields.long_numbers(heard)
