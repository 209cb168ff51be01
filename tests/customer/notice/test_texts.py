"""Every notice in both languages: complete against flows.md, of a length that is sent, without what it may not hold."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
import pytest
from tests.center.registration.world import HONG

from ingam.customer.notice import EMAIL, SMS, Notices, Sender, Words
from ingam.customer.notice.table import CODES, KINDS, Matter
from ingam.customer.session import Level
from ingam.kernel.words import LANGUAGES, table
from ingam.ports.customers import Told
from ingam.settings import Institution

AT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)  # noon in Korea
NIGHT = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)  # midnight
NOTICES = Notices(Sender(Institution()))
MAILED = replace(HONG, email="hong@example.test")

FACTS: Final[dict[str, str | Words]] = {
    "use": Words("증권/보험용", "Securities and insurance"), "date": "2027-04-17", "days": "30",
    "device": "Android · Chrome",
    "browser": "Windows · Chrome", "branch": "여의도", "which": "휴대폰", "h": "72", "way": Words("아이디", "ID"),
    "won": "4,400",
    "purpose": Words("타기관인증서등록", "Certificate registration"),
}  # fmt: skip
"""An example of each fact that a text names."""

FLOWS: Final = {
    "등록": "registered", "해제": "released", "교체": "replaced", "신규": "issued", "재발급": "reissued",
    "갱신": "renewed", "폐지": "revoked", "정지": "suspended", "회복": "resumed", "복사": "copied",
    "새 기기 지정": "device-added", "비밀번호 5회 오류 잠금": "locked", "만료": "expires", "로그인 알림": "logged-in",
    "1회용 인증번호 발급": "branch-number",
}  # fmt: skip
"""What flows.md wants to be told, by its words."""

SMS_BYTES, LMS_BYTES, SUBJECT_BYTES = 90, 2000, 120
PARTS: Final = ("-subject", "-mail")

every = pytest.mark.parametrize(("key", "lang"), [(key, lang) for key in KINDS for lang in LANGUAGES])


def sent(key: str, lang: str) -> list[tuple[str, dict[str, str]]]:
    """Kind and content of what leaves of a notice."""
    who = replace(MAILED, told=Told(lang, logins=True))
    made = NOTICES.tell(who, key, at=AT, dedup="d", **FACTS)
    return [(one.kind, msgspec.json.decode(one.payload, type=dict[str, str])) for one in made]


def test_the_table_holds_everything_that_flows_wants_to_be_told() -> None:
    assert set(FLOWS.values()) <= set(KINDS)


def test_every_text_of_a_notice_is_of_the_table_and_every_line_of_it_has_its_texts() -> None:
    words = {key.removeprefix("notice.") for key in table("ko") if key.startswith("notice.")}
    texts = {key for key in words if not key.startswith("purpose-")} - {"mail-frame", *CODES}
    whose = {re.sub(r"-(subject|mail)$", "", key) for key in texts}
    assert whose == set(KINDS)
    assert {f"{key}-subject" for key, kind in KINDS.items() if kind.mails} <= texts


@every
def test_a_notice_fits_what_a_telephone_takes_and_says_who_sends_it(key: str, lang: str) -> None:
    kind, message = sent(key, lang)[0]
    text = message["text"]
    assert kind == SMS and "{" not in text
    assert text.startswith("[증권금융] " if lang == "ko" else "[Securities Finance] ")
    assert len(text.encode("euc-kr")) <= LMS_BYTES  # strict: nothing that an LMS cannot write
    assert "1544-0000" in text


@every
def test_H9_a_notice_holds_no_name_no_number_no_code_and_no_link(key: str, lang: str) -> None:
    for _, message in sent(key, lang):
        text = message["text"] + message.get("subject", "")
        for word in (HONG.name, HONG.banking_id, HONG.mobile, HONG.mobile[-4:], HONG.idn.reveal()[6:], "http", "www"):
            assert word not in text
        assert not re.search(r"(?<![0-9-])[0-9]{6,}(?![0-9-])", text)


@every
def test_by_email_there_is_a_subject_and_more_than_the_subject(key: str, lang: str) -> None:
    mails = [message for kind, message in sent(key, lang) if kind == EMAIL]
    assert len(mails) == (1 if KINDS[key].mails else 0)
    for mail in mails:
        assert "{" not in mail["subject"] + mail["text"] and len(mail["subject"].encode()) <= SUBJECT_BYTES
        assert "\n" not in mail["subject"] and len(mail["text"]) > len(mail["subject"])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_message_with_a_code_is_short_and_has_no_link(lang: str) -> None:
    for key in CODES:
        facts = {"institution": "증권금융", "purpose": "단말기 지정", "code": "123456", "tel": "1544-0000"}
        text = table(lang)[f"notice.{key}"].format(**facts)
        assert "123456" in text and "http" not in text and len(text.encode("euc-kr")) <= SMS_BYTES + 60


def test_who_does_without_is_not_told_and_what_was_done_is_told_to_everybody() -> None:
    without = replace(MAILED, told=Told(mails=False, expiry=False, logins=False))
    for key, kind in KINDS.items():
        made = NOTICES.tell(without, key, at=AT, dedup="d", **FACTS)
        assert [one.kind for one in made] == ([SMS] if kind.matter is Matter.DEED else [])


def test_who_wants_no_email_gets_none_but_at_an_address_that_was_just_said() -> None:
    without = replace(MAILED, told=Told(mails=False))
    assert [one.kind for one in NOTICES.issued(without, use="증권용", not_after=AT, at=AT, dedup="d")] == [SMS]
    assert [one.kind for one in NOTICES.suspended(without, use="증권용", at=AT, dedup="d", mails=True)] == [SMS]
    made = NOTICES.issued(without, use="증권용", not_after=AT, at=AT, dedup="d", email="new@example.test")
    assert [msgspec.json.decode(one.payload, type=dict[str, str])["to"] for one in made[1:]] == ["new@example.test"]


def test_at_night_only_what_can_wait_waits() -> None:
    who = replace(HONG, told=Told(logins=True))
    for key, kind in KINDS.items():
        (made,) = NOTICES.tell(who, key, at=NIGHT, dedup="d", **FACTS)
        assert made.due_at == (NIGHT + timedelta(hours=8) if kind.quiet else NIGHT)
    assert not any(kind.quiet for kind in KINDS.values() if kind.matter is Matter.LOGIN)


@pytest.mark.parametrize("level", [one for one in Level if one is not Level.PRE])
def test_every_way_of_logging_in_has_its_words(level: Level) -> None:
    who = replace(HONG, told=Told(logins=True))
    assert NOTICES.logged_in(who, str(level), AT, "d")


def test_E9_for_a_while_the_former_number_hears_of_everything() -> None:
    told = Told(former_mobile="01099998888", former_until=AT + timedelta(hours=1))
    made = NOTICES.tell(replace(HONG, told=told), "revoked", at=AT, dedup="d", **FACTS)
    to = [msgspec.json.decode(one.payload, type=dict[str, str])["to"] for one in made]
    assert to == [HONG.mobile, "01099998888"] and len({one.dedup for one in made}) == 2
    over = replace(HONG, told=replace(told, former_until=AT))
    assert len(NOTICES.tell(over, "revoked", at=AT, dedup="d", **FACTS)) == 1
