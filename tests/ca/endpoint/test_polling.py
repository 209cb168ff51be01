"""The signer is away: the request waits, the holder polls, and gets what was recorded (RFC 9483 section 4.4)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.ca.endpoint.asking import confirmation, following, p10cr, polling
from tests.ca.world import (
    HONG,
    IMPLICIT,
    KIM,
    SERVER,
    Holder,
    World,
    by_code,
    held,
    only_certificate,
    refusal,
    request,
    responses,
    vid_of,
    world,
)

from ingam.npki import certificate
from ingam.ports.books import State
from ingam.protocols.cmp import bodies
from ingam.protocols.cmp.header import implicit_confirm
from ingam.protocols.cmp.message import BodyKind, UnverifiedMessage
from ingam.protocols.cmp.status import Status

pytestmark = pytest.mark.anyio


async def waiting(ca: World, **header: Any) -> tuple[Holder, bytes, UnverifiedMessage]:
    """A person whose request was put off; the message and its answer."""
    holder = by_code(ca, await ca.register("securities", HONG))
    ca.keys["issuing"].away = True
    sent = holder.compose(request(held("hong", 103), encrypted=vid_of(ca)), **header)
    answer = await ca.ask(sent)
    (response,) = responses(answer)
    assert (response.status.status, response.certificate) == (Status.WAITING, None)
    return holder, sent, answer


async def test_a_request_waits_and_is_answered_when_the_signer_is_back(ca: World) -> None:
    holder, _, put_off = await waiting(ca)
    again = await ca.ask(polling(holder, put_off))
    (entry,) = bodies.read_poll_rep(holder.verified(again).body)
    assert (entry.cert_req_id, entry.check_after) == (0, 5)
    ca.keys["issuing"].away = False
    answer = await ca.ask(polling(holder, again))
    assert answer.body.kind is BodyKind.IP
    issued = certificate.parse(only_certificate(answer))
    assert (await ca.ask(confirmation(holder, answer))).body.kind is BodyKind.PKICONF
    assert ca.books.standing(1, issued.serial).state is State.VALID  # type: ignore[union-attr]
    assert len(ca.notices()) == 1


async def test_implicit_confirmation_is_remembered_while_it_waits(ca: World) -> None:
    holder, _, put_off = await waiting(ca, infos=IMPLICIT)
    ca.keys["issuing"].away = False
    answer = await ca.ask(polling(holder, put_off))
    assert implicit_confirm(answer.header)
    serial = certificate.parse(only_certificate(answer)).serial
    assert ca.books.standing(1, serial).state is State.VALID  # type: ignore[union-attr]


async def test_D9_the_request_itself_repeated_is_put_off_as_before_and_makes_no_second_certificate(ca: World) -> None:
    holder, sent, put_off = await waiting(ca)
    assert (await ca.ask(sent)).raw == put_off.raw
    ca.keys["issuing"].away = False
    assert (await ca.ask(sent)).raw == put_off.raw
    poll = polling(holder, put_off)
    answer = await ca.ask(poll)
    assert (await ca.ask(poll)).raw == answer.raw
    assert ca.books.count_of(1) == 1


async def test_a_pkcs10_request_waits_under_its_own_number(ca: World) -> None:
    holder = by_code(ca, await ca.register("server", SERVER))
    ca.keys["issuing"].away = True
    put_off = await ca.ask(holder.compose(p10cr(held("server", 102))))
    assert (put_off.body.kind, responses(put_off)[0].cert_req_id) == (BodyKind.CP, -1)
    ca.keys["issuing"].away = False
    assert refusal(await ca.ask(polling(holder, put_off))).code == "cmp-cert-req-id"
    answer = await ca.ask(polling(holder, put_off, -1))
    assert (answer.body.kind, responses(answer)[0].cert_req_id) == (BodyKind.CP, -1)


async def test_what_waits_is_found_after_a_restart(tmp_path: Path) -> None:
    ca = world(tmp_path)
    holder, sent, put_off = await waiting(ca)
    await ca.shut()
    again = world(tmp_path)
    holder.world = again
    try:
        assert (await again.ask(sent)).raw == put_off.raw
        only_certificate(await again.ask(polling(holder, put_off)))
        assert again.books.count_of(1) == 1
    finally:
        await again.shut()


async def test_nobody_else_polls_for_it(ca: World) -> None:
    _, _, put_off = await waiting(ca)
    ca.keys["issuing"].away = False
    other = by_code(ca, await ca.register("securities", KIM))
    before = ca.stored()
    assert refusal(await ca.ask(polling(other, put_off))).fail_info == "transactionIdInUse"
    assert ca.stored() == before


async def test_where_nothing_waits_a_poll_is_a_bad_request(ca: World) -> None:
    holder = by_code(ca, await ca.register("securities", HONG))
    answer = await ca.ask(holder.compose(request(held("hong", 103), encrypted=vid_of(ca))))
    assert refusal(await ca.ask(polling(holder, answer))) == (BodyKind.ERROR, "badRequest", "cmp-nothing-waits")
    assert (await ca.ask(confirmation(holder, answer))).body.kind is BodyKind.PKICONF


async def test_a_poll_for_another_number_is_a_bad_request_and_what_waits_goes_on_waiting(ca: World) -> None:
    holder, _, put_off = await waiting(ca)
    before = ca.stored()
    assert refusal(await ca.ask(polling(holder, put_off, 1))) == (BodyKind.ERROR, "badRequest", "cmp-cert-req-id")
    assert ca.stored() == before
    ca.keys["issuing"].away = False
    only_certificate(await ca.ask(polling(holder, put_off)))


async def test_while_it_waits_nothing_can_be_confirmed(ca: World) -> None:
    holder, _, put_off = await waiting(ca)
    told = await ca.ask(following(holder, put_off, bodies.write_cert_conf()))
    assert refusal(told) == (BodyKind.ERROR, "badRequest", "cmp-nothing-pending")


async def test_a_signer_of_answers_that_is_away_is_an_outage_and_nothing_is_lost(ca: World) -> None:
    holder = by_code(ca, await ca.register("securities", HONG))
    sent = holder.compose(request(held("hong", 103), encrypted=vid_of(ca)))
    ca.keys["cmp"].away = True  # answers under a code need no signature
    answer = await ca.ask(sent)
    assert (await ca.ask(confirmation(holder, answer))).body.kind is BodyKind.PKICONF
