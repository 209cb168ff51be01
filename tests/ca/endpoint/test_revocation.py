"""rr: what a holder may end, what an RA may end, hold and release, and what the rp says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.ca.endpoint.asking import revoke
from tests.ca.world import (
    HONG,
    KIM,
    NOW,
    World,
    by_certificate,
    enrolled,
    held,
    refusal,
    registrar,
)

from ingam.ca.revoking import changes
from ingam.npki import certificate, der, shapes
from ingam.ports.books import Certificate, State
from ingam.protocols.cmp import message, revocation
from ingam.protocols.cmp.crmf import CertId
from ingam.protocols.cmp.header import directory_name
from ingam.protocols.cmp.message import Body, BodyKind, UnverifiedMessage
from ingam.protocols.cmp.revocation import RevDetails
from ingam.protocols.cmp.status import Status
from ingam.protocols.cmp.template import CertTemplate

pytestmark = pytest.mark.anyio

RP = BodyKind.RP


def entry(ca: World, issued: bytes) -> Certificate:
    found = ca.books.certificate(1, certificate.parse(issued).serial)
    assert found is not None
    return found


async def by_holder(ca: World, issued: bytes, body: Body, key: int = 103) -> UnverifiedMessage:
    return await ca.ask(by_certificate(ca, issued, held("hong", key)).compose(body))


def told(answer: UnverifiedMessage) -> tuple[Status, str]:
    (info,) = revocation.read_rev_rep(answer.body).statuses
    (text,) = info.texts
    return info.status, text


@pytest.mark.parametrize("reason", [None, 0, 1, 3, 4, 5, 9])
async def test_a_holder_ends_its_own_certificate_for_a_reason(ca: World, reason: int | None) -> None:
    issued = await enrolled(ca, HONG, 103)
    answer = await by_holder(ca, issued, revoke(issued, reason))
    assert told(answer) == (Status.ACCEPTED, "revoked")
    found = certificate.parse(issued)
    named = CertId(directory_name(found.issuer.raw), found.serial)
    assert revocation.read_rev_rep(answer.body).cert_ids == (named,)
    assert (entry(ca, issued).state, entry(ca, issued).reason) == (State.REVOKED, reason or 0)
    assert HONG.mobile in ca.notices()[-1]


async def test_a_revocation_is_one_entry_one_leaf_and_two_audit_lines(ca: World) -> None:
    issued = await enrolled(ca, HONG, 103)
    leaves, lines = ca.books.size(), len(ca.audit())
    await by_holder(ca, issued, revoke(issued))
    assert (ca.books.size(), ca.books.last_change()) == (leaves + 1, 1)
    assert [line[:2] for line in ca.audit()[lines:]] == [("revoke-by-holder", "revoked"), ("rr", "revoked")]


async def test_D5_nobody_ends_somebody_elses(ca: World) -> None:
    mine, theirs = await enrolled(ca, HONG, 103), await enrolled(ca, KIM, 104)
    before = ca.stored()
    assert refusal(await by_holder(ca, mine, revoke(theirs))) == (RP, "notAuthorized", "cmp-not-authorized")
    assert ca.stored() == before


async def test_an_ra_holds_and_releases_and_ends_anybodys(ca: World) -> None:
    ra, issued = await registrar(ca), await enrolled(ca, HONG, 103)
    steps = [
        (changes.HOLD, "suspended", State.HELD),
        (changes.REMOVE, "revived", State.VALID),
        (1, "revoked", State.REVOKED),
    ]
    for reason, text, state in steps:
        assert told(await ca.ask(ra.compose(revoke(issued, reason)))) == (Status.ACCEPTED, text)
        assert entry(ca, issued).state is state
    for reason, bits, code in ((0, "certRevoked", "cmp-rr-ended"), (changes.REMOVE, "badCertId", "cmp-rr-not-held")):
        assert refusal(await ca.ask(ra.compose(revoke(issued, reason)))) == (RP, bits, code)


async def test_a_holder_may_hold_its_own_and_cannot_release_it(ca: World) -> None:
    issued = await enrolled(ca, HONG, 103)
    assert told(await by_holder(ca, issued, revoke(issued, changes.HOLD))) == (Status.ACCEPTED, "suspended")
    answer = await by_holder(ca, issued, revoke(issued, changes.REMOVE))
    assert refusal(answer) == (RP, "certRevoked", "cmp-signer-ended")
    assert entry(ca, issued).state is State.HELD


async def test_what_is_held_is_not_held_again(ca: World) -> None:
    ra, issued = await registrar(ca), await enrolled(ca, HONG, 103)
    await ca.ask(ra.compose(revoke(issued, changes.HOLD)))
    assert refusal(await ca.ask(ra.compose(revoke(issued, changes.HOLD)))) == (RP, "certRevoked", "cmp-rr-ended")


async def test_after_six_months_of_holding_nothing_is_released_and_it_is_revoked_by_itself(ca: World) -> None:
    ra, issued = await registrar(ca), await enrolled(ca, HONG, 103)
    await ca.ask(ra.compose(revoke(issued, changes.HOLD)))
    ca.clock.forward(190 * 86_400)
    assert refusal(await ca.ask(ra.compose(revoke(issued, changes.REMOVE)))) == (RP, "certRevoked", "ca-standing")
    assert await ca.revoking.sweep() == 1
    assert (entry(ca, issued).state, entry(ca, issued).reason) == (State.REVOKED, changes.CESSATION)


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "no serial number": ({"serial_number": None}, "addInfoNotAvailable", "cmp-rr-template"),
    "no issuer": ({"issuer": None}, "addInfoNotAvailable", "cmp-rr-template"),
    "another serial number": ({"serial_number": 1 << 100}, "badCertId", "cmp-rr-unknown"),
    "another issuer": ({"issuer": shapes.name(("CN", "kim"))}, "badCertId", "cmp-rr-unknown"),
    "an issuer that is none": ({"issuer": der.seq(der.null)}, "badCertId", "cmp-rr-unknown"),
    "another subject": ({"subject": shapes.name(("CN", "kim"))}, "badCertId", "cmp-rr-unknown"),
    "another key": ({"public_key": held("kim", 104).public.spki}, "badCertId", "cmp-rr-unknown"),
    "another validity": ({"not_after": NOW}, "badCertId", "cmp-rr-unknown"),
    "another extension": (
        {"extensions": der.seq(der.seq(der.oid("1.2.3"), der.octets(b"x")))}, "badCertId", "cmp-rr-unknown",
    ),
    "another version": ({"version": 0}, "badRequest", "cmp-rr-template"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
async def test_all_that_a_template_says_must_be_true_of_the_certificate(ca: World, wrong: str) -> None:
    fields, bits, code = WRONG[wrong]
    issued = await enrolled(ca, HONG, 103)
    before = ca.stored()
    assert refusal(await by_holder(ca, issued, revoke(issued, **fields))) == (RP, bits, code)
    assert ca.stored() == before


async def test_a_template_may_say_all_that_is_true(ca: World) -> None:
    issued = await enrolled(ca, HONG, 103)
    found = certificate.parse(issued)
    usage = der.seq(der.seq(der.oid("2.5.29.15"), b"\x01\x01\xff", der.octets(bytes.fromhex("030206c0"))))
    body = revoke(
        issued, version=2, subject=found.subject.raw, public_key=found.spki, not_before=found.not_before,
        not_after=found.not_after, extensions=usage,
    )  # fmt: skip
    assert told(await by_holder(ca, issued, body)) == (Status.ACCEPTED, "revoked")


async def test_an_rr_is_of_one_certificate(ca: World) -> None:
    issued = await enrolled(ca, HONG, 103)
    found = certificate.parse(issued)
    one = RevDetails(CertTemplate(serial_number=found.serial, issuer=found.issuer.raw), 0)
    answer = await by_holder(ca, issued, revocation.write_rev_req(one, one))
    assert refusal(answer) == (RP, "badRequest", "cmp-one-request")


@pytest.mark.parametrize(("data", "bits"), [(b"\x0a\x01\x14", "badDataFormat"), (b"\x0a\x01\x07", "badDataFormat")])
async def test_a_reason_that_no_rfc_knows_is_bad_data(ca: World, data: bytes, bits: str) -> None:
    issued = await enrolled(ca, HONG, 103)
    found = certificate.parse(issued)
    reason = der.seq(der.oid("2.5.29.21"), der.octets(data))
    named = CertTemplate(serial_number=found.serial, issuer=found.issuer.raw)
    body = revocation.write_rev_req(RevDetails(named, None, None, (reason,)))
    assert refusal(await by_holder(ca, issued, body)).fail_info == bits
    twice = revocation.write_rev_req(
        RevDetails(named, 0, None, (der.seq(der.oid("2.5.29.21"), der.octets(b"\x0a\x01\x01")),))
    )
    assert refusal(await by_holder(ca, issued, twice)) == (RP, "badRequest", "cmp-revocation-reasons")


async def test_refusals_of_an_rr_come_in_an_rp_whatever_fails(ca: World) -> None:
    issued = await enrolled(ca, HONG, 103)
    holder = by_certificate(ca, issued, held("hong", 103))
    unprotected = message.parse(holder.compose(revoke(issued)))
    plain = message.compose(unprotected.header._replace(protection_alg=None), unprotected.body, None)
    for sent, bits in (
        (plain, "badMessageCheck"),
        (holder.compose(revoke(issued), message_time=ca.clock.now() - timedelta(hours=1)), "badTime"),
        (holder.compose(revoke(issued), sender_nonce=None), "badSenderNonce"),
    ):
        body, found, _ = refusal(await ca.ask(sent))
        assert (body, found) == (RP, bits)


async def test_a_replayed_hold_of_an_ra_does_nothing_after_its_five_minutes(ca: World) -> None:
    ra, issued = await registrar(ca), await enrolled(ca, HONG, 103)
    sent = ra.compose(revoke(issued, changes.HOLD))
    await ca.ask(sent)
    await ca.ask(ra.compose(revoke(issued, changes.REMOVE)))
    ca.clock.forward(3600)
    await ca.books.forget(ca.clock.now())
    assert refusal(await ca.ask(sent)) == (RP, "badTime", "cmp-time")
    assert entry(ca, issued).state is State.VALID
