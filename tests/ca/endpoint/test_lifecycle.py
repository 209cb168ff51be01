"""One valid certificate per person and policy: superseded when the new one is confirmed; reissue, renewal, holding."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.ca.endpoint.asking import confirmation, following, p10cr, revoke, status_of
from tests.ca.world import (
    HONG,
    IMPLICIT,
    RA,
    SERVER,
    Holder,
    World,
    by_certificate,
    by_code,
    enrolled,
    fail_info,
    held,
    only_certificate,
    refusal,
    registrar,
    request,
    vid_of,
)

from ingam.ca.profiles import Operation
from ingam.ca.revoking import changes
from ingam.npki import certificate, der, shapes
from ingam.npki.vid import compute_vid
from ingam.ports.books import Certificate, State
from ingam.protocols.cmp import bodies, crmf
from ingam.protocols.cmp.header import directory_name
from ingam.protocols.cmp.message import Body, BodyKind, UnverifiedMessage
from ingam.protocols.cmp.protection import PASSWORD_BASED_MAC, password_based_mac
from ingam.protocols.cmp.status import FailInfo, Status, StatusInfo, rejection

pytestmark = pytest.mark.anyio

DAY = 86_400


def entry(ca: World, der_certificate: bytes) -> Certificate:
    found = ca.books.certificate(1, certificate.parse(der_certificate).serial)
    assert found is not None
    return found


def holder_of(ca: World, issued: bytes, key: int) -> Holder:
    return by_certificate(ca, issued, held("hong", key))


async def asked(ca: World, key: int, **more: Any) -> tuple[Holder, UnverifiedMessage]:
    """A person asks for a certificate that waits for its confirmation."""
    holder = by_code(ca, await ca.register("securities", HONG, **more))
    return holder, await ca.ask(holder.compose(request(held("hong", key), encrypted=vid_of(ca))))


async def renewing(ca: World, holder: Holder, key: int, **header: Any) -> UnverifiedMessage:
    return await ca.ask(holder.compose(request(held("hong", key), BodyKind.KUR, encrypted=vid_of(ca)), **header))


# superseding


async def test_the_old_one_stands_until_the_new_one_is_confirmed_and_ends_in_that_transaction(ca: World) -> None:
    old = await enrolled(ca, HONG, 103)
    holder, answer = await asked(ca, 104)
    assert entry(ca, old).state is State.VALID
    await ca.ask(confirmation(holder, answer))
    ended, new = entry(ca, old), entry(ca, only_certificate(answer))
    assert (ended.state, ended.reason, new.state) == (State.REVOKED, changes.SUPERSEDED, State.VALID)
    assert ("supersede", "revoked") in [line[:2] for line in ca.audit()]


async def test_implicit_confirmation_supersedes_at_once(ca: World) -> None:
    old, new = await enrolled(ca, HONG, 103), await enrolled(ca, HONG, 104)
    assert (entry(ca, old).state, entry(ca, new).state) == (State.REVOKED, State.VALID)


async def test_another_policy_of_the_person_is_left_alone(ca: World) -> None:
    universal = await enrolled(ca, HONG, 103, "universal")
    await enrolled(ca, HONG, 104)
    assert entry(ca, universal).state is State.VALID


async def test_an_unconfirmed_one_is_revoked_in_time_and_the_old_one_stands(ca: World) -> None:
    old = await enrolled(ca, HONG, 103)
    holder, answer = await asked(ca, 104)
    ca.clock.forward(600)
    assert refusal(await ca.ask(confirmation(holder, answer))) == (
        BodyKind.ERROR, "badRequest", "cmp-nothing-pending",
    )  # fmt: skip
    assert await ca.revoking.sweep() == 1
    assert (entry(ca, old).state, entry(ca, only_certificate(answer)).state) == (State.VALID, State.REVOKED)


@pytest.mark.parametrize("empty", [True, False], ids=["of nothing", "with a reason"])
async def test_a_certconf_that_rejects_gives_it_back_and_the_old_one_stands(ca: World, empty: bool) -> None:
    old = await enrolled(ca, HONG, 103)
    holder, answer = await asked(ca, 104)
    given = status_of(answer, status=rejection(FailInfo.INCORRECT_DATA, "no"))
    sent = confirmation(holder, answer, given)
    if empty:
        sent = following(holder, answer, bodies.write_cert_conf())
    told = await ca.ask(sent)
    assert told.body.kind is BodyKind.PKICONF
    assert (entry(ca, old).state, entry(ca, only_certificate(answer)).state) == (State.VALID, State.REVOKED)
    assert ("confirm", "rejected") in [line[:2] for line in ca.audit()]


WRONG_CONFIRMATIONS: dict[str, tuple[dict[str, Any], str, str]] = {
    "another number": ({"cert_req_id": -1}, "badRequest", "cmp-cert-req-id"),
    "another certificate": ({"cert_hash": bytes(32)}, "badCertId", "cmp-confirmation-other"),
    "another hash": ({"hash_alg": der.algorithm("1.3.14.3.2.26")}, "badAlg", "cmp-confirmation-hash"),
    "accepted with a failInfo": (
        {"status": StatusInfo(Status.ACCEPTED, (), FailInfo.BAD_REQUEST)}, "badRequest", "cmp-status-contradicts",
    ),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG_CONFIRMATIONS)
async def test_a_certconf_that_does_not_fit_changes_nothing_and_may_be_sent_right(ca: World, wrong: str) -> None:
    fields, bits, code = WRONG_CONFIRMATIONS[wrong]
    holder, answer = await asked(ca, 103)
    before = ca.stored()
    given = status_of(answer, **fields)
    assert refusal(await ca.ask(confirmation(holder, answer, given))) == (BodyKind.ERROR, bits, code)
    assert ca.stored() == before
    assert (await ca.ask(confirmation(holder, answer))).body.kind is BodyKind.PKICONF


async def test_a_certconf_of_three_is_of_none(ca: World) -> None:
    holder, answer = await asked(ca, 103)
    three = [status_of(answer)] * 3
    assert refusal(await ca.ask(confirmation(holder, answer, *three))).code == "cmp-one-request"


async def test_a_certconf_by_the_new_certificate_is_refused(ca: World) -> None:
    _, answer = await asked(ca, 103)
    signs = holder_of(ca, only_certificate(answer), 103)
    assert refusal(await ca.ask(confirmation(signs, answer))) == (BodyKind.ERROR, "badRequest", "cmp-signer-pending")


async def test_a_confirmation_may_use_another_mac_of_the_same_code(ca: World) -> None:
    registered = await ca.register("securities", HONG)
    first = by_code(ca, registered)
    answer = await ca.ask(first.compose(request(held("hong", 103), encrypted=vid_of(ca))))
    second = by_code(ca, registered, algorithm=password_based_mac(b"t" * 16))
    told = await ca.ask(confirmation(second, answer))
    assert told.body.kind is BodyKind.PKICONF and der.oid(PASSWORD_BASED_MAC) in (told.header.protection_alg or b"")


# reissuing


async def test_a_reissue_keeps_the_end_date_and_the_number_in_the_name(ca: World) -> None:
    old = certificate.parse(await enrolled(ca, HONG, 103))
    ca.clock.forward(100 * DAY)
    holder = by_code(ca, await ca.register("securities", HONG, operation=Operation.REISSUE))
    body = request(held("hong", 104), encrypted=vid_of(ca))
    new = certificate.parse(only_certificate(await ca.ask(holder.compose(body, infos=IMPLICIT))))
    assert (new.not_after, new.subject.raw) == (old.not_after, old.subject.raw)
    assert new.not_before > old.not_before
    assert entry(ca, old.der).state is State.REVOKED


# renewing (D10)


async def test_D10_a_renewal_is_of_the_same_name_carries_the_days_a_new_vid_and_a_notice(ca: World) -> None:
    old = certificate.parse(await enrolled(ca, HONG, 103))
    ca.clock.forward(345 * DAY)
    told = len(ca.notices())
    random = bytes(range(40, 60))
    body = request(held("hong", 104), BodyKind.KUR, encrypted=vid_of(ca, random=random))
    answer = await ca.ask(holder_of(ca, old.der, 103).compose(body, infos=IMPLICIT))
    assert answer.body.kind is BodyKind.KUP
    new = certificate.parse(only_certificate(answer))
    assert new.subject.raw == old.subject.raw
    assert new.not_after > old.not_after + timedelta(days=360)
    assert compute_vid(HONG.idn.reveal(), der.bits(random)) in new.der
    assert (entry(ca, old.der).state, entry(ca, new.der).state) == (State.REVOKED, State.VALID)
    (notice,) = ca.notices()[told:]
    assert HONG.mobile in notice


async def test_D10_a_renewal_brings_its_vid(ca: World) -> None:
    old = await enrolled(ca, HONG, 103)
    ca.clock.forward(345 * DAY)
    for given in (None, vid_of(ca, "7510051000002")):
        body = request(held("hong", 104), BodyKind.KUR, encrypted=given)
        before = ca.stored()
        refused = refusal(await ca.ask(holder_of(ca, old, 103).compose(body)))
        assert (refused, ca.stored()) == ((BodyKind.KUP, "badRequest", "cmp-request"), before)


async def test_D10_a_suspended_certificate_is_not_renewed(ca: World) -> None:
    old = await enrolled(ca, HONG, 103)
    await ca.revoking.suspend(entry(ca, old), by="desk")
    ca.clock.forward(345 * DAY)
    assert fail_info(await renewing(ca, holder_of(ca, old, 103), 104)) == "certRevoked"


async def test_a_renewal_begins_thirty_days_before_the_end_and_never_after_it(ca: World) -> None:
    old = await enrolled(ca, HONG, 103)
    holder, end = holder_of(ca, old, 103), certificate.parse(old).not_after
    ca.clock.at = end - timedelta(days=31)
    assert refusal(await renewing(ca, holder, 104)) == (BodyKind.KUP, "notAuthorized", "ca-renewal-early")
    ca.clock.at = end - timedelta(days=29)
    only_certificate(await renewing(ca, holder, 104))
    ca.clock.at = end + timedelta(seconds=1)
    assert refusal(await renewing(ca, holder, 105)).code == "cmp-signer-expired"


async def test_a_second_renewal_waits_for_the_first_and_not_for_ever(ca: World) -> None:
    old = await enrolled(ca, HONG, 103)
    ca.clock.forward(345 * DAY)
    holder = holder_of(ca, old, 103)
    first = await renewing(ca, holder, 104)
    assert refusal(await renewing(ca, holder, 105)) == (BodyKind.KUP, "badRequest", "ca-update-unfinished")
    ca.clock.forward(600)
    second = await renewing(ca, holder, 105)
    await ca.ask(confirmation(holder, second))
    assert await ca.revoking.sweep() == 1
    states = [entry(ca, one).state for one in (old, only_certificate(first), only_certificate(second))]
    assert states == [State.REVOKED, State.REVOKED, State.VALID]


UPDATES: dict[str, tuple[int, dict[str, Any], str, str]] = {
    "the same key": (103, {}, "badCertTemplate", "cmp-kur-same-key"),
    "another name": (104, {"subject": shapes.name(("CN", "kim"))}, "badCertTemplate", "cmp-kur-subject"),
    "another issuer": (104, {"issuer": shapes.name(("CN", "kim"))}, "badCertTemplate", "cmp-kur-subject"),
    "a name that is none": (104, {"subject": der.seq(der.null)}, "badCertTemplate", "cmp-kur-subject"),
}


@pytest.mark.parametrize("wrong", UPDATES)
async def test_D5_a_renewal_is_of_the_signers_own_name_and_another_key(ca: World, wrong: str) -> None:
    key, fields, bits, code = UPDATES[wrong]
    old = await enrolled(ca, HONG, 103)
    ca.clock.forward(345 * DAY)
    body = request(held("hong", key), BodyKind.KUR, encrypted=vid_of(ca), **fields)
    before = ca.stored()
    assert refusal(await ca.ask(holder_of(ca, old, 103).compose(body))) == (BodyKind.KUP, bits, code)
    assert ca.stored() == before


async def test_D5_oldcertid_is_the_signers(ca: World) -> None:
    old = certificate.parse(await enrolled(ca, HONG, 103))
    ca.clock.forward(345 * DAY)

    def body(serial: int, issuer: bytes) -> Body:
        named = crmf.Attribute(crmf.OLD_CERT_ID, crmf.write_cert_id(crmf.CertId(directory_name(issuer), serial)))
        wishes: dict[str, Any] = {"subject": old.subject.raw, "issuer": old.issuer.raw}
        return request(held("hong", 104), BodyKind.KUR, encrypted=vid_of(ca), controls=(named,), **wishes)

    holder = holder_of(ca, old.der, 103)
    for wrong in (body(old.serial + 1, old.issuer.raw), body(old.serial, old.subject.raw)):
        answer = await ca.ask(holder.compose(wrong))
        assert refusal(answer) == (BodyKind.KUP, "badCertId", "cmp-old-cert-id")
    only_certificate(await ca.ask(holder.compose(body(old.serial, old.issuer.raw))))


async def test_a_server_renews_again_and_again_and_its_old_certificates_stand(ca: World) -> None:
    issued, key = await enrolled(ca, SERVER, 102, "server"), 102
    for following_key in (106, 107):
        ca.clock.at = certificate.parse(issued).not_after - timedelta(days=10)
        await ca.books.forget(ca.clock.now())
        holder = by_certificate(ca, issued, held("server", key))
        body = request(held("server", following_key), BodyKind.KUR)
        new = only_certificate(await ca.ask(holder.compose(body, infos=IMPLICIT)))
        assert entry(ca, issued).state is State.VALID
        issued, key = new, following_key
    assert b"center.ingam.test" in issued


# authority of a certificate (D5)


@pytest.mark.parametrize("kind", [BodyKind.IR, BodyKind.CR, BodyKind.P10CR, BodyKind.CCR, BodyKind.NESTED])
async def test_D5_a_holder_signs_for_itself_and_nothing_for_anybody_else(ca: World, kind: BodyKind) -> None:
    holder = holder_of(ca, await enrolled(ca, HONG, 103), 103)
    inner = holder.compose(request(held("hong", 104), encrypted=vid_of(ca)))
    body = {
        BodyKind.P10CR: p10cr(held("hong", 104)), BodyKind.NESTED: bodies.write_nested([inner]),
    }.get(kind) or request(held("hong", 104), kind, encrypted=vid_of(ca))  # fmt: skip
    before = ca.stored()
    assert refusal(await ca.ask(holder.compose(body))) == (BodyKind.ERROR, "notAuthorized", "cmp-not-authorized")
    assert ca.stored() == before


@pytest.mark.parametrize("kind", [BodyKind.KUR, BodyKind.RR, BodyKind.CCR, BodyKind.NESTED])
async def test_a_code_is_not_enough_for_what_wants_a_signature(
    ca: World, kind: BodyKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder, issued = by_code(ca, await ca.register("securities", HONG)), await enrolled(ca, HONG, 103)
    body = {
        BodyKind.RR: revoke(issued), BodyKind.NESTED: bodies.write_nested([holder.compose(request(held("x", 104)))]),
    }.get(kind) or request(held("hong", 104), kind, encrypted=vid_of(ca))  # fmt: skip
    sent, before = holder.compose(body), ca.stored()
    monkeypatch.setattr("ingam.protocols.cmp.protection.derive", None)
    told = BodyKind.RP if kind is BodyKind.RR else BodyKind.ERROR
    assert refusal(await ca.ask(sent)) == (told, "wrongIntegrity", "cmp-by-code")
    assert ca.stored() == before


async def test_D5_an_ra_without_a_registration_asks_for_nobody(ca: World) -> None:
    ra = await registrar(ca)
    answer = await ca.ask(ra.compose(request(held("hong", 103), encrypted=vid_of(ca))))
    assert refusal(answer) == (BodyKind.IP, "addInfoNotAvailable", "cmp-registration-missing")


# notices (D2)


async def test_D2_the_authority_itself_tells_the_registered_contact_of_every_issue(ca: World) -> None:
    await enrolled(ca, HONG, 103)
    (told,) = ca.notices()
    assert told.startswith(HONG.mobile) and "골드 증권/보험용" in told
    await asked(ca, 104)
    assert len(ca.notices()) == 2
    await enrolled(ca, RA, 101, "ra")
    assert len(ca.notices()) == 2


async def test_D2_a_contact_that_is_replaced_is_told_so(ca: World) -> None:
    await ca.register("securities", HONG)
    await ca.register("securities", HONG)
    assert ca.notices() == []
    await ca.register("securities", replace(HONG, mobile="01099999999"))
    (told,) = ca.notices()
    assert told.startswith(f"{HONG.mobile} [인감 시연 인증기관] 공동인증서 안내를 받으실 연락처가")
    assert "01099999999" not in told


async def test_D2_a_registration_without_a_contact_does_not_end_the_notices(ca: World) -> None:
    await ca.register("securities", HONG)
    await enrolled(ca, replace(HONG, mobile=""), 103)
    (told,) = ca.notices()
    assert told.startswith(HONG.mobile) and "발급되었습니다" in told


async def test_D2_every_certificate_ever_issued_to_a_person_is_found(ca: World) -> None:
    made = [await enrolled(ca, HONG, key) for key in (103, 104)] + [await enrolled(ca, HONG, 105, "universal")]
    person = entry(ca, made[0]).person
    assert person is not None
    assert [one.der for one in ca.books.of_person(person)] == made[::-1]
