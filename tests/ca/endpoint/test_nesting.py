"""An RA's envelopes: around one message, around several, and what it encloses of others (RFC 9483 section 5.2)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.ca.endpoint.asking import around, confirmation, genm
from tests.ca.world import (
    HONG,
    IMPLICIT,
    KIM,
    SERVER,
    Holder,
    World,
    by_certificate,
    by_code,
    enrolled,
    held,
    only_certificate,
    refusal,
    registrar,
    request,
    vid_of,
)

from ingam.npki import der
from ingam.protocols.cmp import bodies, crmf, general, message
from ingam.protocols.cmp.crmf import RaVerified
from ingam.protocols.cmp.header import ORIG_PKI_MESSAGE, Info
from ingam.protocols.cmp.message import Body, BodyKind, UnverifiedMessage
from ingam.protocols.cmp.template import CertTemplate

pytestmark = pytest.mark.anyio

ASKED = genm(Info(general.CA_CERTS))


async def coded(ca: World, facts: Any = HONG) -> Holder:
    return by_code(ca, await ca.register("securities", facts))


def person(ca: World, holder: Holder, key: int = 103, **header: Any) -> bytes:
    return holder.compose(request(held("hong", key), encrypted=vid_of(ca)), **header)


def inside(answer: UnverifiedMessage) -> tuple[UnverifiedMessage, ...]:
    assert answer.body.kind is BodyKind.NESTED
    return bodies.read_nested(answer.body)


async def test_a_message_with_added_protection_is_answered_as_if_it_had_come_alone(ca: World) -> None:
    ra, holder = await registrar(ca), await coded(ca)
    inner = person(ca, holder)
    answer = await ca.ask(around(ra, inner))
    assert answer.body.kind is BodyKind.IP
    holder.verified(answer)
    confirming = confirmation(holder, answer)
    assert (await ca.ask(around(ra, confirming))).body.kind is BodyKind.PKICONF
    assert (await ca.ask(around(ra, inner))).raw == answer.raw
    assert ca.books.count_of(1) == 2


@pytest.mark.parametrize("pvno", [(2, 3), (3, 2), (3, 3)])
async def test_each_answer_has_the_version_of_its_request(ca: World, pvno: tuple[int, int]) -> None:
    ra, holder = await registrar(ca), await coded(ca)
    outer, inner = pvno
    answer = await ca.ask(around(ra, person(ca, holder, pvno=inner), pvno=outer))
    assert answer.header.pvno == inner
    batch = await ca.ask(ra.compose(bodies.write_nested([holder.compose(ASKED, pvno=inner)] * 2), pvno=outer))
    assert (batch.header.pvno, [one.header.pvno for one in inside(batch)]) == (outer, [inner, inner])


@pytest.mark.parametrize(
    ("header", "bits"),
    [
        ({"transaction_id": bytes(16)}, "badRequest"),
        ({"sender_nonce": bytes(16)}, "badSenderNonce"),
        ({"recip_nonce": bytes(16)}, "badRecipientNonce"),
        ({"sender_nonce": bytes(8)}, "badSenderNonce"),
        ({"transaction_id": None}, "badDataFormat"),
        ({"message_time": None}, "badTime"),
    ],
)
async def test_an_envelope_around_one_message_has_its_identifiers(ca: World, header: Any, bits: str) -> None:
    ra, holder = await registrar(ca), await coded(ca)
    sent, before = around(ra, person(ca, holder), **header), ca.stored()
    body, found, _ = refusal(await ca.ask(sent))
    assert (body, found) == (BodyKind.ERROR, bits)
    assert ca.stored() == before


async def test_a_batch_is_answered_by_a_batch_in_order(ca: World) -> None:
    ra, first, second = await registrar(ca), await coded(ca), await coded(ca, KIM)
    asked = [person(ca, first), person(ca, second, 104), first.compose(ASKED)]
    sent = ra.compose(bodies.write_nested(asked), sender_nonce=b"n" * 16)
    answer = await ca.ask(sent)
    ra.verified(answer)
    answers = inside(answer)
    assert [one.body.kind for one in answers] == [BodyKind.IP, BodyKind.IP, BodyKind.GENP]
    assert answer.header.recip_nonce == b"n" * 16
    for one, given in zip(answers, asked, strict=True):
        header = message.parse(given).header
        assert (one.header.transaction_id, one.header.recip_nonce) == (header.transaction_id, header.sender_nonce)
    first.verified(answers[0])
    second.verified(answers[1])
    assert (await ca.ask(sent)).raw == answer.raw
    assert ca.books.count_of(1) == 3


async def test_in_a_batch_one_may_be_refused_and_the_others_not(ca: World) -> None:
    ra, first, second = await registrar(ca), await coded(ca), await coded(ca, KIM)
    answers = inside(await ca.ask(ra.compose(bodies.write_nested([person(ca, first), person(ca, second)]))))
    only_certificate(answers[0])
    assert refusal(answers[1]) == (BodyKind.IP, "badCertTemplate", "ca-key-in-use")


async def test_one_wrong_protection_in_a_batch_refuses_all_of_it_and_nothing_is_carried_out(ca: World) -> None:
    ra, first, second = await registrar(ca), await coded(ca), await coded(ca, KIM)
    broken = bytearray(person(ca, second, 104))
    broken[-1] ^= 1
    before = ca.stored()
    answer = await ca.ask(ra.compose(bodies.write_nested([person(ca, first), bytes(broken)])))
    assert refusal(answer) == (BodyKind.ERROR, "badMessageCheck", "cmp-protection-wrong")
    assert ca.stored() == before


async def test_a_batch_begins_an_exchange_of_its_own(ca: World) -> None:
    ra, holder = await registrar(ca), await coded(ca)
    two = [holder.compose(ASKED), holder.compose(ASKED)]
    assert inside(await ca.ask(ra.compose(bodies.write_nested(two), transaction=b"t" * 16)))
    again = await ca.ask(ra.compose(bodies.write_nested(two), transaction=b"t" * 16))
    assert refusal(again) == (BodyKind.ERROR, "transactionIdInUse", "cmp-transaction-in-use")
    answering = await ca.ask(ra.compose(bodies.write_nested(two), recip_nonce=bytes(16)))
    assert refusal(answering) == (BodyKind.ERROR, "badRecipientNonce", "cmp-recip-nonce")


async def test_envelopes_in_envelopes_have_a_bound(ca: World) -> None:
    ra, holder = await registrar(ca), await coded(ca)
    sent = person(ca, holder)
    for _ in range(3):
        sent = around(ra, sent)
    only_certificate(await ca.ask(sent))
    assert refusal(await ca.ask(around(ra, sent))).code == "cmp-nested-depth"


async def test_an_envelope_that_is_not_protected_by_the_ra_is_refused(ca: World) -> None:
    holder = await coded(ca)
    inner = person(ca, holder)
    assert refusal(await ca.ask(around(holder, inner))) == (BodyKind.ERROR, "wrongIntegrity", "cmp-by-code")


async def test_D4_an_ras_envelope_does_not_make_its_content_the_ras_word(ca: World) -> None:
    ra, holder = await registrar(ca), await coded(ca)
    wishes = crmf.write_cert_request(0, CertTemplate(public_key=held("hong", 103).public.spki))
    inner = holder.compose(crmf.write_requests(BodyKind.IR, crmf.write_cert_req_msg(wishes, RaVerified())))
    assert refusal(await ca.ask(around(ra, inner))) == (BodyKind.IP, "notAuthorized", "cmp-pop-ra")


async def server_by_ra(ca: World, original: bytes) -> UnverifiedMessage:
    """An RA asks for a server and encloses what it says the server had sent."""
    ra, registered = await registrar(ca, 110 + ca.books.count_of(1)), await ca.register("server", SERVER)
    token = crmf.Attribute(crmf.REG_TOKEN, der.tlv(der.UTF8_STRING, registered.reference.encode()))
    body: Body = request(held("server", 102), controls=(token,))
    enclosed = Info(ORIG_PKI_MESSAGE, der.seq(original))
    return await ca.ask(ra.compose(body, infos=(*IMPLICIT, enclosed)))


async def test_what_an_ra_encloses_of_the_holder_is_verified(ca: World) -> None:
    holder = await coded(ca)
    original = holder.compose(ASKED)
    only_certificate(await server_by_ra(ca, original))


async def test_what_an_ra_encloses_and_is_not_whole_refuses_its_word(ca: World) -> None:
    changed = bytearray((await coded(ca)).compose(ASKED))
    changed[-1] ^= 1
    wrong = {bytes(changed): ("badMessageCheck", "cmp-protection-wrong"), der.seq(): ("badDataFormat", "cmp-malformed")}
    for number, (original, expected) in enumerate(wrong.items(), 1):
        assert refusal(await server_by_ra(ca, original))[1:] == expected
        assert ca.books.count_of(1) == number  # the RA's own


@pytest.mark.parametrize("by_ra", [True, False])
async def test_D10_what_costs_a_fee_is_renewed_in_the_ras_envelope_alone(ca: World, by_ra: bool) -> None:
    ra = await registrar(ca)
    old = await enrolled(ca, HONG, 103, "universal")
    ca.clock.forward(345 * 86_400)
    holder = by_certificate(ca, old, held("hong", 103))
    kur = holder.compose(request(held("hong", 104), BodyKind.KUR, encrypted=vid_of(ca)))
    if by_ra:
        only_certificate(await ca.ask(around(ra, kur)))
        return
    before = ca.books.count_of(1)
    assert refusal(await ca.ask(kur)) == (BodyKind.KUP, "notAuthorized", "cmp-kur-by-ra")
    # Nobody but an RA makes such an envelope.
    assert refusal(await ca.ask(around(holder, kur))).code == "cmp-not-authorized"
    assert ca.books.count_of(1) == before
