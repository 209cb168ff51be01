"""What an RA is told of a person's certificates, and who is told nothing (security D2)."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta

import pytest
from tests.ca.endpoint.asking import confirmation, genm, revoke
from tests.ca.world import (
    HONG,
    KIM,
    Holder,
    World,
    by_certificate,
    by_code,
    enrolled,
    held,
    refusal,
    registrar,
    request,
    vid_of,
)

from ingam.ca.facts import Facts
from ingam.ca.revoking import changes
from ingam.kernel.secret import Secret
from ingam.npki import certificate
from ingam.protocols.cmp import general, issued
from ingam.protocols.cmp.header import Info
from ingam.protocols.cmp.issued import Standing, Told
from ingam.protocols.cmp.message import BodyKind

pytestmark = pytest.mark.anyio
HOUR = timedelta(hours=1)


async def told(ca: World, ra: Holder, idn: Secret[str] = HONG.idn) -> Told:
    answer = await ca.ask(ra.compose(genm(issued.ask(idn))))
    (info,) = general.read_general(ra.verified(answer).body)
    return issued.read_told(info)


async def test_D2_every_certificate_ever_issued_to_a_person_is_told_newest_first(ca: World) -> None:
    ra = await registrar(ca)
    first = certificate.parse(await enrolled(ca, HONG, 103))
    ca.clock.at += HOUR
    second = certificate.parse(await enrolled(ca, HONG, 104, "universal"))
    ca.clock.at += HOUR
    third = certificate.parse(await enrolled(ca, HONG, 105))
    found = (await told(ca, ra)).certificates
    assert [one.serial for one in found] == [third.serial, second.serial, first.serial]
    assert [one.standing for one in found] == [Standing.VALID, Standing.VALID, Standing.REVOKED]
    assert [one.ended for one in found] == [None, None, issued.Ended(4, ca.clock.now())]
    newest = found[0]
    assert newest.fingerprint == hashlib.sha256(third.der).digest()
    assert (newest.issuer, newest.subject) == (third.issuer.raw, third.subject.raw)
    assert (newest.policy, newest.profile) == (third.policy_oid, "securities")
    assert (newest.issued_at, newest.not_before, newest.not_after) == (
        ca.clock.now(), third.not_before, third.not_after,
    )  # fmt: skip


async def test_who_registered_it_does_not_matter(ca: World) -> None:
    daon = Facts(name=HONG.name, idn=HONG.idn, branch="다온증권")
    await enrolled(ca, daon, 103)
    (found,) = (await told(ca, await registrar(ca))).certificates
    assert "다온증권".encode() in found.subject


async def test_what_waits_for_its_confirmation_is_told_as_pending_and_then_as_valid(ca: World) -> None:
    ra, holder = await registrar(ca), by_code(ca, await ca.register("securities", HONG))
    answer = await ca.ask(holder.compose(request(held("hong", 103), encrypted=vid_of(ca))))
    (found,) = (await told(ca, ra)).certificates
    assert found.standing is Standing.PENDING
    await ca.ask(confirmation(holder, answer))
    (found,) = (await told(ca, ra)).certificates
    assert found.standing is Standing.VALID


async def test_a_suspended_one_says_since_when(ca: World) -> None:
    own = certificate.parse(await enrolled(ca, HONG, 103))
    ca.clock.at += HOUR
    await ca.revoking.suspend(ca.revoking.find(1, own.serial), by="test")
    (found,) = (await told(ca, await registrar(ca))).certificates
    assert (found.standing, found.ended) == (Standing.HELD, issued.Ended(6, ca.clock.now()))


async def test_what_nobody_confirmed_is_told_apart_from_what_its_holder_ended_with_the_same_reason(ca: World) -> None:
    ra, holder = await registrar(ca), by_code(ca, await ca.register("securities", HONG))
    own = await enrolled(ca, HONG, 104, "universal")
    await ca.ask(holder.compose(request(held("hong", 103), encrypted=vid_of(ca))))
    await ca.ask(by_certificate(ca, own, held("hong", 104)).compose(revoke(own, changes.CESSATION)))
    ca.clock.forward(660)
    assert await ca.revoking.sweep() == 1
    unconfirmed, ended = sorted((await told(ca, ra)).certificates, key=lambda one: one.profile)
    assert unconfirmed.ended == issued.Ended(changes.CESSATION, ca.clock.now(), never_stood=True)
    assert ended.ended is not None
    assert (ended.ended.reason, ended.ended.never_stood) == (changes.CESSATION, False)


async def test_nothing_is_told_of_anybody_else(ca: World) -> None:
    ra = await registrar(ca)
    await enrolled(ca, KIM, 103)
    assert await told(ca, ra) == Told((), False)
    assert len((await told(ca, ra, KIM.idn)).certificates) == 1


@pytest.mark.parametrize("also", [(), (Info(general.CA_CERTS),)])
async def test_nobody_but_an_ra_is_told(ca: World, also: tuple[Info, ...]) -> None:
    owner = by_certificate(ca, await enrolled(ca, HONG, 103), held("hong", 103))
    coded = by_code(ca, await ca.register("securities", HONG))
    for sender in (owner, coded):
        answer = await ca.ask(sender.compose(genm(issued.ask(HONG.idn), *also)))
        if also:  # among other questions it is one that is not known here
            assert [one.type for one in general.read_general(answer.body)][-1] == general.UNSUPPORTED_OIDS
        else:
            assert refusal(answer) == (BodyKind.ERROR, "notAuthorized", "cmp-not-authorized")


async def test_what_is_no_number_is_bad_data(ca: World) -> None:
    answer = await ca.ask((await registrar(ca)).compose(genm(issued.ask(Secret("hong")))))
    assert refusal(answer)[1:] == ("badDataFormat", "cmp-malformed")


async def test_D7_the_audit_says_which_ra_asked_and_nothing_of_whom(ca: World) -> None:
    ra = await registrar(ca)
    await enrolled(ca, HONG, 103)
    await told(ca, ra)
    action, result, facts = ca.audit()[-1]
    by = f"{certificate.parse(ra.extra[0]).serial:x}"
    assert (action, result, json.loads(facts)) == ("issued-told", "ok", {"by": by, "count": 1})


async def test_the_answer_is_not_kept_and_the_same_message_gets_no_second_one(ca: World) -> None:
    ra = await registrar(ca)
    await enrolled(ca, HONG, 103)
    message = ra.compose(genm(issued.ask(HONG.idn)))
    assert (await ca.ask(message)).body.kind is BodyKind.GENP
    assert refusal(await ca.ask(message))[1:] == ("transactionIdInUse", "cmp-transaction-in-use")


async def test_more_than_a_hundred_are_said_to_be_more(ca: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ra, of_person = await registrar(ca), ca.books.of_person
    await enrolled(ca, HONG, 103)
    monkeypatch.setattr(ca.books, "of_person", lambda person: of_person(person) * 101)
    found = await told(ca, ra)
    assert (len(found.certificates), found.more) == (100, True)
    assert json.loads(ca.audit()[-1][2])["count"] == 101
