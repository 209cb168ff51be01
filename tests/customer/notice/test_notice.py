"""Notices: the texts as written, without number or link, and one delivery per reference."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import UTC, datetime

import msgspec
import pytest
from tests.center.registration.world import HONG, Phone

from ingam.customer.notice import EMAIL, SMS, LoginLockNotice, Notices, Sender, deliver_email, deliver_sms
from ingam.ports.email import Email
from ingam.ports.store import Claimed, Outgoing
from ingam.settings import Institution

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NOTICES = Notices(Sender(Institution()))


def text_of(payload: bytes) -> str:
    message = msgspec.json.decode(payload, type=dict[str, str])
    assert message["to"] == HONG.mobile
    return message["text"]


def test_the_notices_say_what_when_and_whom_to_call() -> None:
    (made,) = NOTICES.registered(HONG, use="증권/보험용", not_after=AT, at=AT, replaced=False, dedup="d")
    assert (made.kind, made.dedup, made.due_at) == (SMS, "d", AT)
    assert text_of(made.payload) == (
        "[증권금융] 공동인증서(증권/보험용, 만료 2026-11-22)가 2026-11-22 21:00 등록되었습니다. "
        "본인이 아니면 1544-0000로 연락하세요."
    )
    (replaced,) = NOTICES.registered(HONG, use="범용(개인)", not_after=AT, at=AT, replaced=True, dedup="d")
    assert "교체되었습니다" in text_of(replaced.payload)


MAILED = dataclasses.replace(HONG, email="hong@example.test")


def issuance() -> list[Outgoing]:
    return [
        *NOTICES.issued(MAILED, use="증권/보험용", not_after=AT, at=AT, dedup="d1"),
        *NOTICES.superseded(MAILED, use="증권/보험용", at=AT, dedup="d2"),
    ]


def test_of_issuance_one_is_told_by_sms_and_by_email() -> None:
    made = issuance()
    assert [(one.kind, one.dedup) for one in made] == [
        (SMS, "d1"), (EMAIL, "d1:email"), (SMS, "d2"), (EMAIL, "d2:email"),
    ]  # fmt: skip
    assert text_of(made[0].payload) == (
        "[증권금융] 공동인증서(증권/보험용, 만료 2026-11-22)가 2026-11-22 21:00 발급되어 등록되었습니다. "
        "본인이 아니면 1544-0000에 연락하세요."
    )
    mail = msgspec.json.decode(made[3].payload, type=dict[str, str])
    assert (mail["to"], mail["subject"]) == (MAILED.email, "[증권금융] 기존 공동인증서가 폐지되었습니다")
    assert "폐지 시각: 2026-11-22 21:00" in mail["text"]


def test_without_an_address_there_is_the_sms_alone() -> None:
    nowhere = dataclasses.replace(HONG, email=None)
    assert [one.kind for one in NOTICES.issued(nowhere, use="증권용", not_after=AT, at=AT, dedup="d")] == [SMS]


def test_D2_an_address_that_was_just_typed_does_not_silence_the_registered_one() -> None:
    made = NOTICES.issued(
        MAILED, use="증권용", not_after=AT, at=AT, dedup="d", email="new@example.test", replaced="범용(개인)"
    )
    assert [(one.kind, one.dedup) for one in made] == [
        (SMS, "d"), (EMAIL, "d:email"), (EMAIL, "d:email-registered"),
        (SMS, "d:superseded"), (EMAIL, "d:superseded:email"), (EMAIL, "d:superseded:email-registered"),
    ]  # fmt: skip
    written = [msgspec.json.decode(one.payload, type=dict[str, str])["to"] for one in made if one.kind == EMAIL]
    assert written == ["new@example.test", MAILED.email] * 2
    assert "기존 공동인증서(범용(개인))가" in text_of(made[3].payload)
    assert len(NOTICES.issued(MAILED, use="증권용", not_after=AT, at=AT, dedup="d", email="")) == 1


def test_H9_no_notice_of_issuance_holds_a_name_a_number_or_a_link() -> None:
    for made in issuance():
        message = msgspec.json.decode(made.payload, type=dict[str, str])
        text = message["text"] + message.get("subject", "")
        assert "1544-0000" in text
        for word in (HONG.name, HONG.idn.reveal(), HONG.idn.reveal()[6:], HONG.banking_id, "http", "www"):
            assert word not in text


@pytest.mark.parametrize(
    ("lang", "sms", "subject"),
    [
        (
            "ko",
            "2026-11-22 21:00 다른 기기(PC)로 인증서복사를 시작했습니다.",
            "[증권금융] 다른 기기로 인증서복사를 시작했습니다",
        ),
        ("en", "Copying your joint certificate to another device (PC) began at 2026-11-22 21:00.", "began"),
    ],
)
def test_C3_that_a_copy_begins_is_told_by_sms_and_by_email(lang: str, sms: str, subject: str) -> None:
    made = NOTICES.copy_begun(MAILED, lang=lang, device="PC", at=AT, dedup="d", mails=True)
    assert [(one.kind, one.dedup) for one in made] == [(SMS, "d"), (EMAIL, "d:email")]
    assert sms in text_of(made[0].payload)
    mail = msgspec.json.decode(made[1].payload, type=dict[str, str])
    assert subject in mail["subject"] and "2026-11-22 21:00" in mail["text"]
    for text in (text_of(made[0].payload), mail["subject"] + mail["text"]):
        assert "1544-0000" in text
        assert not any(word in text for word in (HONG.name, HONG.banking_id, "http", "www"))
    assert len(NOTICES.copy_begun(MAILED, lang=lang, device="PC", at=AT, dedup="d", mails=False)) == 1


def test_an_email_is_handed_over_under_its_own_reference() -> None:
    sent: list[Email] = []

    class Post:
        async def send(self, email: Email) -> None:
            sent.append(email)

    made = issuance()[1]

    async def go() -> None:
        await deliver_email(Post())(Claimed(1, EMAIL, made.payload, 0, made.dedup))

    asyncio.run(go())
    assert [(one.to, one.reference) for one in sent] == [(MAILED.email, "d1:email")]
    assert "만료일: 2026-11-22" in sent[0].text


def test_H9_no_notice_holds_a_name_a_number_or_a_link() -> None:
    every = [
        *LoginLockNotice(NOTICES).outgoing(HONG, AT, "d"),
        *NOTICES.registration_locked(HONG, AT, "d"),
        *NOTICES.registered(HONG, use="증권용", not_after=AT, at=AT, replaced=True, dedup="d"),
    ]
    for made in every:
        text = text_of(made.payload)
        assert "1544-0000" in text
        for word in (HONG.name, HONG.idn.reveal(), HONG.idn.reveal()[6:], HONG.banking_id, "http", "www"):
            assert word not in text


def test_the_worker_hands_a_message_over_under_its_own_reference() -> None:
    phone = Phone()
    (made,) = NOTICES.registration_locked(HONG, AT, "d")
    claimed = Claimed(1, SMS, made.payload, 0, "d")

    async def go() -> None:
        await deliver_sms(phone)(claimed)
        await deliver_sms(phone)(claimed)

    asyncio.run(go())
    assert list(phone.sent) == ["d"] and len(phone.texts) == 1
