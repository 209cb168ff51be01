"""The field rules of flows.md, one by one: what is taken, what it becomes, and which text answers what is not."""

from __future__ import annotations

import tomllib
from datetime import date
from importlib.resources import files

import pytest

from ingam.customer import fields as rules
from ingam.customer.fields import RULES, Reading, check, said
from ingam.kernel.secret import Secret
from ingam.kernel.words import LANGUAGES, has
from ingam.npki import cert_password

TODAY = date(2026, 11, 22)

TAKEN = [
    ("person_name", "홍길동", "홍길동"),
    ("person_name", "  홍  길동 ", "홍 길동"),
    ("person_name", "\u1112\u1169\u11bc\u1100\u1175\u11af\u1103\u1169\u11bc", "홍길동"),  # a Mac's decomposed Hangul
    ("person_name", "MARIA-JOSE P. SANTOS DE LA CRUZ", "MARIA-JOSE P. SANTOS DE LA CRUZ"),
    ("person_name", "Nguyễn Thị Ánh", "Nguyễn Thị Ánh"),
    ("person_name", "ＫＩＭ　ＭＩＮＳＵ", "KIM MINSU"),
    ("person_name", "가" * 40, "가" * 40),
    ("rrn", "751005-2123456", "7510052123456"),
    ("rrn", "7510052123456", "7510052123456"),
    ("rrn", "７５１００５－２１２３４５６", "7510052123456"),
    ("rrn", "201005-4999999", "2010054999999"),  # given since 2020-10: no check digit
    ("rrn", "800101-5000000", "8001015000000"),
    ("rrn", "800101-6000000", "8001016000000"),
    ("rrn", "050101-7000000", "0501017000000"),
    ("rrn", "050101-8000000", "0501018000000"),
    ("rrn", "991231-9000000", "9912319000000"),  # 1899
    ("rrn", "991231-0000000", "9912310000000"),
    ("rrn", "000229-3000000", "0002293000000"),  # 2000 was a leap year
    ("rrn", "261122-3000000", "2611223000000"),  # born today
    ("rrn_front", "751005-2", "7510052"),
    ("business_reg_no", "124-81-00998", "1248100998"),
    ("business_reg_no", "123-45-67891", "1234567891"),
    ("corp_reg_no", "110111-0062432", "1101110062432"),
    ("mobile", "010-8513-0001", "01085130001"),
    ("mobile", "011-123-4567", "0111234567"),
    ("mobile", "+82 10 8513 0001", "01085130001"),
    ("mobile", "+82 010 8513 0001", "01085130001"),
    ("home_phone", "02-123-4567", "021234567"),
    ("home_phone", "031-1234-5678", "03112345678"),
    ("home_phone", "010-8513-0001", "01085130001"),
    ("home_phone", "070-1234-5678", "07012345678"),
    ("home_phone", "0505-123-4567", "05051234567"),
    ("home_phone", "없음", ""),
    ("home_phone", " 없음 ", ""),
    ("home_phone", "\u110b\u1165\u11b9\u110b\u1173\u11b7", ""),
    ("home_phone", "None", ""),
    ("email", "Hong.Gil+bank@Example.CO.kr", "Hong.Gil+bank@example.co.kr"),
    ("email", "ｈｏｎｇ＠ｅｘａｍｐｌｅ．ｃｏｍ", "hong@example.com"),
    ("email", f"{'a' * 64}@example.com", f"{'a' * 64}@example.com"),
    ("account_no", "123-456-78-901234", "12345678901234"),
    ("account_no", "110 123 456789", "110123456789"),
    ("onewon_code", "0042", "0042"),
    ("copy_number", "1234 5678 9012", "123456789012"),
    ("license_no", "11-05-123456-78", "110512345678"),
    ("license_no", "서울 05-123456-78", "110512345678"),
    ("license_no", "경기 05-123456-78", "130512345678"),
    ("license_no", "경기북부 05-123456-78", "280512345678"),
    ("license_serial", "ab1c2d", "AB1C2D"),
    ("issued_on", "20190312", "20190312"),
    ("issued_on", "2019-03-12", "20190312"),
    ("issued_on", "2019. 3. 12.", "20190312"),
    ("issued_on", "2019년 3월 12일", "20190312"),
    ("issued_on", "20261122", "20261122"),
    ("address_detail", "", ""),
    ("address_detail", "101동 1203호 (여의도동)", "101동 1203호 (여의도동)"),
    ("banking_password", " pass word ", " pass word "),  # never trimmed
]

REFUSED = [
    ("person_name", "김", "person_name"),
    ("person_name", "가" * 41, "person_name"),
    ("person_name", "홍길동1", "person_name"),
    ("person_name", "ㅎㄱㄷ", "person_name"),
    ("person_name", "<b>홍길동</b>", "person_name"),
    ("person_name", ". -", "person_name"),
    ("rrn", "", "rrn_digits"),
    ("rrn", "751005-212345", "rrn_digits"),
    ("rrn", "751005-21234567", "rrn_digits"),
    ("rrn", "75100٥2123456", "rrn_digits"),  # an Arabic digit
    ("rrn", "751305-2123456", "rrn_date"),
    ("rrn", "750229-2123456", "rrn_date"),
    ("rrn", "000229-1123456", "rrn_date"),  # 1900 was none
    ("rrn", "261123-3123456", "rrn_date"),  # tomorrow
    ("rrn", "751005-3123456", "rrn_date"),  # 2075
    ("rrn_front", "751005", "rrn_front"),
    ("business_reg_no", "124-81-00999", "business_number"),
    ("business_reg_no", "1248100998000", "business_number"),
    ("mobile", "012-1234-5678", "mobile"),
    ("mobile", "010-12345-6789", "mobile"),
    ("home_phone", "", "home_phone"),
    ("home_phone", "없슴", "home_phone"),
    ("home_phone", "036-123-4567", "home_phone"),
    ("email", "hong", "email"),
    ("email", "hong@localhost", "email"),
    ("email", "a@b@example.com", "email"),
    ("email", "hong..gil@example.com", "email"),
    ("email", "홍@example.com", "email"),
    ("email", f"{'a' * 65}@example.com", "email"),
    ("email", "hong@-example.com", "email"),
    ("account_no", "12345", "account_no"),
    ("account_no", "12345678901234567", "account_no"),
    ("onewon_code", "42", "onewon_code"),
    ("license_no", "한양 05-123456-78", "license_no"),
    ("license_no", "서울 11-05-123456-78", "license_no"),
    ("license_serial", "AB1", "license_serial"),
    ("issued_on", "20190230", "issued_on_date"),
    ("issued_on", "20261123", "issued_on_date"),
    ("issued_on", "19981231", "issued_on_date"),
    ("issued_on", "190312", "issued_on"),
    ("address_detail", "가" * 101, "address_detail"),
    ("address_detail", "101동\u202e3021", "address_detail"),
    ("device_alias", "", "device_alias"),
    ("device_alias", "<내 PC>", "device_alias"),
    ("mobile", "0" * 100_000, "mobile"),
]


@pytest.mark.parametrize(("rule", "text", "value"), TAKEN)
def test_what_people_write_is_taken(rule: str, text: str, value: str) -> None:
    assert check(rule, text, TODAY) == (value, None, None)


@pytest.mark.parametrize(("rule", "text", "error"), REFUSED)
def test_what_is_wrong_is_answered_by_its_own_text(rule: str, text: str, error: str) -> None:
    assert check(rule, text, TODAY) == ("", error, None)


def test_a_corporate_number_without_its_check_digit_is_warned_of_and_taken() -> None:
    assert check("corp_reg_no", "110111-0062433", TODAY) == ("1101110062433", None, "corp_check")


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_error_has_its_text_and_the_page_is_given_all_of_them(rule: str, lang: str) -> None:
    attributes = said(rule, lang)
    told = RULES[rule]
    keys = {told.error, *(one.error for one in told.checks)}
    assert all(has(f"fields.{key}") for key in keys)
    assert attributes.pop("data-field") == rule
    assert set(attributes) == {f"data-said-{key.replace('_', '-')}" for key in keys}


def test_every_text_of_the_rules_file_belongs_to_a_rule() -> None:
    keys = {key for rule in RULES.values() for key in (rule.error, *(one.error for one in rule.checks))}
    for lang in LANGUAGES:
        words = tomllib.loads((files("ingam.kernel.words") / f"fields.{lang}.toml").read_text(encoding="utf-8"))
        assert set(words["fields"]) == keys


def test_the_parts_of_the_password_rule_are_those_of_npki() -> None:
    broken = {code for password in ("가", "'", "aaa") for code in cert_password.broken(password)}
    assert broken == set(rules.CERT_PASSWORD)


def test_a_form_is_read_whole_before_it_is_refused() -> None:
    reading = Reading(
        {"name": "홍길동", "idn": "751005", "issued_on": "2019-03-12", "license_serial": " "}, TODAY
    )  # fmt: skip
    assert reading.text("name", "person_name") == "홍길동"
    assert reading.secret("idn", "rrn") == Secret("")
    assert reading.day("issued_on") == date(2019, 3, 12)
    assert reading.text("license_serial", optional=True) == ""
    assert reading.text("mobile") == ""
    assert reading.day("birth_date") == date.min
    assert reading.errors == {
        "idn": "fields.rrn_digits", "mobile": "fields.mobile", "birth_date": "fields.birth_date",
    }  # fmt: skip


def test_H1_a_number_that_was_read_does_not_print() -> None:
    reading = Reading({"rrn": "751005-2123456"}, TODAY)
    assert "7510052" not in repr(reading.secret("rrn"))
