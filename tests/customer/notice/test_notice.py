"""Notices: the texts as written, without number or link, and one delivery per reference."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import msgspec
from tests.center.registration.world import HONG, Phone

from ingam.customer.notice import SMS, LoginLockNotice, Notices, Sender, deliver_sms
from ingam.ports.store import Claimed
from ingam.settings import Institution

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NOTICES = Notices(Sender(Institution()))


def text_of(payload: bytes) -> str:
    message = msgspec.json.decode(payload, type=dict[str, str])
    assert message["to"] == HONG.mobile
    return message["text"]


def test_the_notices_say_what_when_and_whom_to_call() -> None:
    made = NOTICES.registered(HONG, use="증권/보험용", not_after=AT, at=AT, replaced=False, dedup="d")
    assert (made.kind, made.dedup, made.due_at) == (SMS, "d", AT)
    assert text_of(made.payload) == (
        "[증권금융] 공동인증서(증권/보험용, 만료 2026-11-22)가 2026-11-22 21:00 등록되었습니다. "
        "본인이 아니면 1544-0000로 연락하세요."
    )
    replaced = NOTICES.registered(HONG, use="범용(개인)", not_after=AT, at=AT, replaced=True, dedup="d")
    assert "교체되었습니다" in text_of(replaced.payload)


def test_H9_no_notice_holds_a_name_a_number_or_a_link() -> None:
    lock = LoginLockNotice(NOTICES).outgoing(HONG, AT, "d")
    assert lock is not None
    every = [
        lock,
        NOTICES.registration_locked(HONG, AT, "d"),
        NOTICES.registered(HONG, use="증권용", not_after=AT, at=AT, replaced=True, dedup="d"),
    ]
    for made in every:
        text = text_of(made.payload)
        assert "1544-0000" in text
        for word in (HONG.name, HONG.idn.reveal(), HONG.idn.reveal()[6:], HONG.banking_id, "http", "www"):
            assert word not in text


def test_the_worker_hands_a_message_over_under_its_own_reference() -> None:
    phone = Phone()
    claimed = Claimed(1, SMS, NOTICES.registration_locked(HONG, AT, "d").payload, 0, "d")

    async def go() -> None:
        await deliver_sms(phone)(claimed)
        await deliver_sms(phone)(claimed)

    asyncio.run(go())
    assert list(phone.sent) == ["d"] and len(phone.texts) == 1
