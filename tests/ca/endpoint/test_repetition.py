"""The same request has the same answer, for its sender, to the byte, for an hour; anything else is in use (D9)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.ca.endpoint.asking import confirmation, following, genm, revoke
from tests.ca.world import (
    HONG,
    IMPLICIT,
    KIM,
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
    world,
)

from ingam.npki import certificate
from ingam.ports.books import State
from ingam.protocols.cmp import bodies, general, registering
from ingam.protocols.cmp.header import Info
from ingam.protocols.cmp.message import BodyKind, UnverifiedMessage

pytestmark = pytest.mark.anyio

TRANSACTION = b"a transactionID!"
IN_USE = (BodyKind.ERROR, "transactionIdInUse", "cmp-transaction-in-use")


async def coded(ca: World) -> Holder:
    return by_code(ca, await ca.register("securities", HONG))


def asks(ca: World, holder: Holder, key: int = 103) -> bytes:
    return holder.compose(request(held("hong", key), encrypted=vid_of(ca)), transaction=TRANSACTION)


def standing(ca: World, answer: UnverifiedMessage) -> State:
    found = ca.books.standing(1, certificate.parse(only_certificate(answer)).serial)
    assert found is not None
    return found.state


async def test_D9_a_repeated_request_has_the_same_answer_and_makes_nothing(ca: World) -> None:
    holder = await coded(ca)
    sent = asks(ca, holder)
    first = await ca.ask(sent)
    before = ca.stored()
    for _ in range(3):
        assert (await ca.ask(sent)).raw == first.raw
    assert (ca.stored(), ca.books.count_of(1)) == (before, 1)


async def test_D9_nothing_is_computed_for_a_repetition(ca: World, monkeypatch: pytest.MonkeyPatch) -> None:
    holder = await coded(ca)
    sent = asks(ca, holder)
    first = await ca.ask(sent)
    monkeypatch.setattr("ingam.protocols.cmp.protection.derive", None)
    assert (await ca.ask(sent)).raw == first.raw


async def test_D9_a_repeated_confirmation_has_the_same_answer(ca: World) -> None:
    holder = await coded(ca)
    first = await ca.ask(asks(ca, holder))
    confirming = confirmation(holder, first)
    told = await ca.ask(confirming)
    assert told.body.kind is BodyKind.PKICONF
    assert (await ca.ask(confirming)).raw == told.raw
    assert standing(ca, first) is State.VALID


async def test_D9_a_lost_pkiconf_of_a_renewal_is_repeated_although_its_signer_is_superseded(ca: World) -> None:
    issued = await enrolled(ca, HONG, 103)
    ca.clock.forward(345 * 86_400)
    holder = by_certificate(ca, issued, held("hong", 103))
    first = await ca.ask(holder.compose(request(held("hong", 104), BodyKind.KUR, encrypted=vid_of(ca))))
    confirming = confirmation(holder, first)
    told = await ca.ask(confirming)
    assert told.body.kind is BodyKind.PKICONF
    assert ca.books.standing(1, certificate.parse(issued).serial).state is State.REVOKED  # type: ignore[union-attr]
    assert (await ca.ask(confirming)).raw == told.raw


async def test_D9_a_revocation_is_repeated_although_its_signer_is_revoked(ca: World) -> None:
    issued = await enrolled(ca, HONG, 103)
    sent = by_certificate(ca, issued, held("hong", 103)).compose(revoke(issued))
    first = await ca.ask(sent)
    assert (await ca.ask(sent)).raw == first.raw
    assert ca.books.last_change() == 1


async def test_D9_other_bytes_under_the_transaction_are_in_use(ca: World) -> None:
    holder = await coded(ca)
    await ca.ask(asks(ca, holder))
    before = ca.stored()
    assert refusal(await ca.ask(asks(ca, holder))) == IN_USE
    assert ca.stored() == before


async def test_D9_another_sender_gets_nothing_of_it(ca: World) -> None:
    holder, other = await coded(ca), by_code(ca, await ca.register("securities", KIM))
    await ca.ask(asks(ca, holder))
    before = ca.stored()
    assert refusal(await ca.ask(asks(ca, other, 104))) == IN_USE
    assert ca.stored() == before


async def test_D9_another_sender_confirms_nothing_of_it(ca: World) -> None:
    holder, other = await coded(ca), by_code(ca, await ca.register("securities", KIM))
    first = await ca.ask(asks(ca, holder))
    before = ca.stored()
    assert refusal(await ca.ask(confirmation(other, first))) == IN_USE
    signs = by_certificate(ca, await enrolled(ca, KIM, 104), held("kim", 104))
    before = ca.stored()
    assert refusal(await ca.ask(confirmation(signs, first))) == (
        BodyKind.ERROR, "wrongIntegrity", "cmp-protection-changed",
    )  # fmt: skip
    assert (ca.stored(), standing(ca, first)) == (before, State.PENDING)


async def test_D9_the_answer_stands_across_a_restart(tmp_path: Path) -> None:
    ca = world(tmp_path)
    holder = await coded(ca)
    sent = asks(ca, holder)
    first = await ca.ask(sent)
    await ca.shut()
    again = world(tmp_path)
    try:
        assert (await again.ask(sent)).raw == first.raw
        holder.world = again
        told = await again.ask(confirmation(holder, first))
        assert told.body.kind is BodyKind.PKICONF
        assert again.books.count_of(1) == 1
    finally:
        await again.shut()


async def test_D9_it_is_repeated_for_an_hour_after_the_exchange_closed_and_then_no_more(ca: World) -> None:
    holder = await coded(ca)
    sent = asks(ca, holder)
    first = await ca.ask(sent)
    ca.clock.forward(500)
    confirming = confirmation(holder, first)
    told = await ca.ask(confirming)
    ca.clock.forward(3599)
    await ca.books.forget(ca.clock.now())
    assert ((await ca.ask(sent)).raw, (await ca.ask(confirming)).raw) == (first.raw, told.raw)
    ca.clock.forward(1)
    await ca.books.forget(ca.clock.now())
    for given in (sent, confirming):
        assert refusal(await ca.ask(given)) == (BodyKind.ERROR, "badTime", "cmp-time")
    assert ca.books.count_of(1) == 1


async def test_D9_twins_that_arrive_together_share_one_certificate_and_one_answer(ca: World) -> None:
    holder = await coded(ca)
    sent = asks(ca, holder)
    answers = await asyncio.gather(*(ca.ask(sent) for _ in range(8)))
    assert len({one.raw for one in answers}) == 1
    confirming = confirmation(holder, answers[0])
    told = await asyncio.gather(*(ca.ask(confirming) for _ in range(8)))
    assert {one.body.kind for one in told} == {BodyKind.PKICONF}
    assert len({one.raw for one in told}) == 1
    assert ca.books.count_of(1) == 1


async def test_D9_twins_in_two_processes_share_one_certificate_and_one_answer(tmp_path: Path) -> None:
    one = world(tmp_path)
    two = world(tmp_path, clock=one.clock)
    try:
        holder = await coded(one)
        sent = asks(one, holder)
        answers = await asyncio.gather(*(ca.ask(sent) for _ in range(4) for ca in (one, two)))
        assert len({one.raw for one in answers}) == 1
        confirming = confirmation(holder, answers[0])
        told = await asyncio.gather(*(ca.ask(confirming) for _ in range(4) for ca in (one, two)))
        assert len({one.raw for one in told}) == 1
        assert one.books.count_of(1) == 1
    finally:
        await one.shut()
        await two.shut()


async def test_D9_twins_of_a_revocation_end_it_once(tmp_path: Path) -> None:
    one = world(tmp_path)
    two = world(tmp_path, clock=one.clock)
    try:
        issued = await enrolled(one, HONG, 103)
        sent = by_certificate(one, issued, held("hong", 103)).compose(revoke(issued))
        answers = await asyncio.gather(*(ca.ask(sent) for _ in range(3) for ca in (one, two)))
        assert len({one.raw for one in answers}) == 1
        assert one.books.last_change() == 1
    finally:
        await one.shut()
        await two.shut()


async def test_D3_the_answer_with_a_code_is_never_repeated_for_it_is_not_kept(ca: World) -> None:
    ra = await registrar(ca)
    asked = registering.write({"profile": "securities", "name": "홍길동", "idn": "7510051000001"})
    sent = ra.compose(genm(asked))
    told = registering.read(general.read_general((await ca.ask(sent)).body)[0])
    assert refusal(await ca.ask(sent)) == IN_USE
    rows = [row for table in ca.stored().values() for row in table]
    assert not [
        row for row in rows if any(told["authorization_code"].encode() in bytes(v) for v in row if isinstance(v, bytes))
    ]


async def test_what_follows_nothing_is_a_bad_request(ca: World) -> None:
    holder = await coded(ca)
    first = await ca.ask(asks(ca, holder))
    before = ca.stored()
    other = confirmation(holder, first, transaction=b"another exchange")
    assert refusal(await ca.ask(other)) == (BodyKind.ERROR, "badRequest", "cmp-nothing-begun")
    assert ca.stored() == before


async def test_nothing_follows_in_an_exchange_that_is_over(ca: World) -> None:
    holder = await coded(ca)
    first = await ca.ask(holder.compose(request(held("hong", 103), encrypted=vid_of(ca)), infos=IMPLICIT))
    late = await ca.ask(confirmation(holder, first))
    assert refusal(late) == (BodyKind.ERROR, "certConfirmed", "cmp-closed")
    poll = following(holder, first, bodies.write_poll_req(0))
    assert refusal(await ca.ask(poll)).code == "cmp-closed"


async def test_general_messages_keep_no_exchange(ca: World) -> None:
    holder = await coded(ca)
    before = ca.stored()
    sent = holder.compose(genm(Info(general.CA_CERTS)))
    for _ in range(2):
        assert (await ca.ask(sent)).body.kind is BodyKind.GENP
    assert ca.stored() == before
