"""What every message must have: each lack is answered with its failInfo, and nothing is stored but the audit line."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.ca.endpoint.asking import confirmation, status_of
from tests.ca.world import (
    HONG,
    NOW,
    Holder,
    World,
    by_certificate,
    by_code,
    enrolled,
    held,
    refusal,
    request,
    vid_of,
)

from ingam.npki import der
from ingam.protocols.cmp import message
from ingam.protocols.cmp.header import (
    CONFIRM_WAIT_TIME,
    IMPLICIT_CONFIRM,
    IMPLICIT_CONFIRM_INFO,
    Info,
    confirm_wait_time_info,
)
from ingam.protocols.cmp.message import Body, BodyKind, UnverifiedMessage

pytestmark = pytest.mark.anyio

LATER = confirm_wait_time_info(NOW + timedelta(minutes=5))

WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "no transactionID": ({"transaction_id": None}, "badDataFormat", "cmp-transaction-id"),
    "8 octets of transactionID": ({"transaction_id": bytes(8)}, "badRequest", "cmp-transaction-id"),
    "100 octets of transactionID": ({"transaction_id": bytes(100)}, "badRequest", "cmp-transaction-id"),
    "no senderNonce": ({"sender_nonce": None}, "badSenderNonce", "cmp-sender-nonce"),
    "15 octets of senderNonce": ({"sender_nonce": bytes(15)}, "badSenderNonce", "cmp-sender-nonce"),
    "65 octets of senderNonce": ({"sender_nonce": bytes(65)}, "badSenderNonce", "cmp-sender-nonce"),
    "a recipNonce at first": ({"recip_nonce": bytes(16)}, "badRecipientNonce", "cmp-recip-nonce"),
    "no messageTime": ({"message_time": None}, "badTime", "cmp-time"),
    "a messageTime long ago": ({"message_time": NOW - timedelta(seconds=301)}, "badTime", "cmp-time"),
    "a messageTime to come": ({"message_time": NOW + timedelta(seconds=301)}, "badTime", "cmp-time"),
    "implicitConfirm of something": (
        {"general_info": (Info(IMPLICIT_CONFIRM, der.octets(b"x")),)}, "badRequest", "cmp-header-info",
    ),
    "confirmWaitTime of another type": (
        {"general_info": (Info(CONFIRM_WAIT_TIME, der.tlv(der.UTC_TIME, b"261126090000Z")),)}, "badDataFormat",
        "cmp-header-info",
    ),
    "implicitConfirm and confirmWaitTime": (
        {"general_info": (IMPLICIT_CONFIRM_INFO, LATER)}, "badRequest", "cmp-header-info",
    ),
}  # fmt: skip

RIGHT: dict[str, dict[str, Any]] = {
    "pvno 3": {"pvno": 3},
    "32 octets of senderNonce": {"sender_nonce": bytes(range(32))},
    "five minutes ago": {"message_time": NOW - timedelta(seconds=300)},
    "confirmWaitTime": {"general_info": (LATER,)},
    "a recipient of any kind": {"recipient": der.tlv(0x81, b"ca@ingam.test")},
    "free text": {"free_text": ("안녕",)},
}


async def asked(ca: World, holder: Holder, **header: Any) -> UnverifiedMessage:
    return await ca.ask(holder.compose(request(held("hong", 3), encrypted=vid_of(ca)), **header))


@pytest.mark.parametrize("lack", WRONG)
async def test_D9_a_header_is_refused_for_what_it_lacks_before_any_key_is_derived(
    ca: World, lack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    header, bits, code = WRONG[lack]
    holder = by_code(ca, await ca.register("securities", HONG))
    sent = holder.compose(request(held("hong", 3), encrypted=vid_of(ca)), **header)
    before = ca.stored()
    monkeypatch.setattr("ingam.protocols.cmp.protection.derive", None)
    assert refusal(await ca.ask(sent)) == (BodyKind.ERROR, bits, code)
    assert ca.stored() == before
    action, result, facts = ca.audit()[-1]
    assert (action, result) == ("refuse", code) and bits in facts


@pytest.mark.parametrize("form", RIGHT)
async def test_a_header_may_be_otherwise_where_the_rfc_leaves_it(ca: World, form: str) -> None:
    holder = by_code(ca, await ca.register("securities", HONG))
    answer = await asked(ca, holder, **RIGHT[form])
    assert answer.body.kind is BodyKind.IP
    assert answer.header.pvno == RIGHT[form].get("pvno", 2)


@pytest.mark.parametrize("pvno", [0, 1, 4, 255])
async def test_another_version_is_unsupported(ca: World, pvno: int) -> None:
    holder = by_code(ca, await ca.register("securities", HONG))
    before = ca.stored()
    answer = await asked(ca, holder, pvno=pvno)
    assert refusal(answer) == (BodyKind.ERROR, "unsupportedVersion", "cmp-version")
    assert (answer.header.pvno, ca.stored()) == (pvno if pvno == 1 else 2, before)


@pytest.mark.parametrize(
    ("header", "bits"),
    [
        ({"transaction_id": None}, "badRequest"),
        ({"recip_nonce": None}, "badRecipientNonce"),
        ({"recip_nonce": bytes(16)}, "badRecipientNonce"),
        ({"general_info": (IMPLICIT_CONFIRM_INFO,)}, "badRequest"),
        ({"message_time": None}, "badTime"),
    ],
)
async def test_a_certconf_says_what_it_answers(ca: World, header: dict[str, Any], bits: str) -> None:
    holder = by_code(ca, await ca.register("securities", HONG))
    answer = await asked(ca, holder)
    before = ca.stored()
    assert refusal(await ca.ask(confirmation(holder, answer, **header))).fail_info == bits
    assert ca.stored() == before


async def test_a_certconf_has_a_nonce_of_its_own(ca: World) -> None:
    holder = by_code(ca, await ca.register("securities", HONG))
    answer = await asked(ca, holder, sender_nonce=b"n" * 16)
    again = await ca.ask(confirmation(holder, answer, sender_nonce=b"n" * 16))
    assert refusal(again) == (BodyKind.ERROR, "badSenderNonce", "cmp-sender-nonce")


async def test_nonces_of_answers_are_fresh_and_never_the_requests(ca: World) -> None:
    holder = by_code(ca, await ca.register("securities", HONG))
    first = await asked(ca, holder)
    second = await ca.ask(confirmation(holder, first, status_of(first)))
    nonces = {
        first.header.sender_nonce,
        first.header.recip_nonce,
        second.header.sender_nonce,
        second.header.recip_nonce,
    }
    assert len(nonces) == 4


@pytest.mark.parametrize(
    "data", [b"", b"this is no message", b"\x30\x03\x02\x01\x02", der.seq(der.seq(der.integer(2)))]
)
async def test_what_is_no_pkimessage_is_a_400_with_an_error_that_is_one(ca: World, data: bytes) -> None:
    before = ca.stored()
    code, answer = await ca.endpoint.answer(data, "198.51.100.1")
    assert (code, refusal(message.parse(answer)).fail_info) == (400, "badDataFormat")
    assert ca.stored() == before


async def test_a_message_over_the_size_is_refused_unread(ca: World) -> None:
    code, answer = await ca.endpoint.answer(der.seq(bytes(message.MOST_MESSAGE)), "198.51.100.1")
    assert (code, refusal(message.parse(answer)).code) == (400, "cmp-too-large")


@pytest.mark.parametrize("kind", [BodyKind.IP, BodyKind.KRR, BodyKind.CRLANN, BodyKind.PKICONF, BodyKind.POPDECC])
async def test_bodies_that_are_not_served_are_bad_requests(ca: World, kind: BodyKind) -> None:
    holder = by_code(ca, await ca.register("securities", HONG))
    before = ca.stored()
    body = Body(kind, der.explicit(kind, der.null))
    header: dict[str, Any] = {"recip_nonce": bytes(16)} if kind is BodyKind.PKICONF else {}
    assert refusal(await ca.ask(holder.compose(body, **header))) == (BodyKind.ERROR, "badRequest", "cmp-body-refused")
    assert ca.stored() == before


async def test_the_answer_to_a_broken_body_names_its_transaction(ca: World) -> None:
    issued = await enrolled(ca, HONG, 103)
    holder = by_certificate(ca, issued, held("hong", 103))
    broken = Body(BodyKind.KUR, der.explicit(BodyKind.KUR, der.octets(b"x")))
    answer = await ca.ask(holder.compose(broken, transaction=b"t" * 16))
    assert refusal(answer).fail_info == "badDataFormat"
    assert answer.header.transaction_id == b"t" * 16
