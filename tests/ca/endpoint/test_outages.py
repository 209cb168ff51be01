"""Books or keys that do not answer: the message is answered, nothing is half done, and a retry succeeds."""

from __future__ import annotations

from typing import Any

import pytest
from tests.ca.endpoint.asking import confirmation, genm, revoke
from tests.ca.world import (
    HONG,
    IMPLICIT,
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

from ingam.ports.books import BooksOutage
from ingam.protocols.cmp import general
from ingam.protocols.cmp.header import Info
from ingam.protocols.cmp.message import BodyKind

pytestmark = pytest.mark.anyio

READERS = ("answered", "exchange", "registration", "certificate", "intent", "count_of")
WRITERS = ("intend", "record", "audit", "wrong_code")


def away(*_args: Any) -> Any:
    raise BooksOutage


async def coded(ca: World) -> Holder:
    return by_code(ca, await ca.register("securities", HONG))


@pytest.mark.parametrize("name", [*READERS, *WRITERS])
async def test_books_that_do_not_answer_are_an_outage_and_a_retry_succeeds(
    ca: World, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = await coded(ca)
    sent = holder.compose(request(held("hong", 103), encrypted=vid_of(ca)), infos=IMPLICIT)

    with monkeypatch.context() as broken:
        broken.setattr(ca.books, name, away)
        answer = await ca.ask(sent)
        if name not in ("certificate", "audit", "wrong_code"):  # what this request does not need
            assert refusal(answer)[1:] == ("systemUnavail", "books-outage")
    only_certificate(await ca.ask(sent))
    assert ca.books.count_of(1) == 1


async def test_a_wrong_code_is_refused_although_it_cannot_be_counted(
    ca: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = bytearray((await coded(ca)).compose(genm(Info(general.CA_CERTS))))
    sent[-1] ^= 1
    monkeypatch.setattr(ca.books, "wrong_code", away)
    monkeypatch.setattr(ca.books, "audit", away)
    assert refusal(await ca.ask(bytes(sent))) == (BodyKind.ERROR, "systemUnavail", "books-outage")
    assert ca.endpoint.answered["audit", "books-outage"] == 1


async def test_a_confirmation_that_could_not_be_recorded_is_sent_again(
    ca: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = await coded(ca)
    first = await ca.ask(holder.compose(request(held("hong", 103), encrypted=vid_of(ca))))
    confirming = confirmation(holder, first)
    with monkeypatch.context() as broken:
        broken.setattr(ca.books, "confirm", away)
        assert refusal(await ca.ask(confirming)).fail_info == "systemUnavail"
    assert (await ca.ask(confirming)).body.kind is BodyKind.PKICONF


async def test_where_the_authority_cannot_sign_its_refusals_are_unprotected(ca: World) -> None:
    ca.keys["cmp"].away = True
    wrong = bytearray((await coded(ca)).compose(genm(Info(general.CA_CERTS))))
    wrong[-1] ^= 1
    answer = await ca.ask(bytes(wrong))
    assert refusal(answer).code == "cmp-protection-wrong"
    assert (answer.protection, answer.header.protection_alg) == (None, None)
    code, _ = await ca.endpoint.answer(b"no message", "198.51.100.1")
    assert code == 400


async def test_what_could_be_signed_and_not_answered_is_answered_when_asked_again(ca: World) -> None:
    ra = await registrar(ca)
    issued = await enrolled(ca, HONG, 103)
    holder = by_certificate(ca, issued, held("hong", 103))
    asked = (ra.compose(revoke(issued, 6)), holder.compose(genm(Info(general.CA_CERTS))))
    ca.keys["cmp"].away = True
    before = ca.stored()
    for sent in asked:
        assert refusal(await ca.ask(sent)).fail_info == "systemUnavail"
    assert ca.stored() == before
    ca.keys["cmp"].away = False
    assert (await ca.ask(asked[1])).body.kind is BodyKind.GENP
    assert (await ca.ask(asked[0])).body.kind is BodyKind.RP


async def test_a_certificate_that_was_signed_and_whose_answer_was_not_is_one_certificate(ca: World) -> None:
    issued = await enrolled(ca, HONG, 103)
    ca.clock.forward(345 * 86_400)
    holder = by_certificate(ca, issued, held("hong", 103))
    sent = holder.compose(request(held("hong", 104), BodyKind.KUR, encrypted=vid_of(ca)))
    ca.keys["cmp"].away = True
    assert refusal(await ca.ask(sent)).fail_info == "systemUnavail"
    ca.keys["cmp"].away = False
    only_certificate(await ca.ask(sent))
    assert ca.books.count_of(1) == 2
