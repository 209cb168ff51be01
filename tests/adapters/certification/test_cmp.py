"""The center's way to an authority: registering, carrying and revoking over CMP, against a whole authority."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
from tests.ca.revoking import test_approval
from tests.ca.world import (
    HONG,
    IMPLICIT,
    KIM,
    SERVER,
    World,
    by_certificate,
    by_code,
    certificates,
    enrolled,
    held,
    only_certificate,
    refusal,
    registrar,
    responses,
    vid_of,
    world,
)
from tests.ca.world import request as asked

from ingam.adapters.certification.absent import AbsentCertification
from ingam.adapters.certification.cmp import ClearTransport, CmpCertification, RegistrationAuthority
from ingam.ca.endpoint.service import Endpoint
from ingam.ca.facts import Facts
from ingam.ca.issuing.registering import Registered
from ingam.kernel.errors import Outage
from ingam.npki import certificate
from ingam.ports.books import Certificate, Recorded, State
from ingam.ports.certification import CertificationOutage, CertificationRefused, Standing, ToRegister, Withdrawal
from ingam.ports.certification import Registered as Registered_
from ingam.protocols.cmp import general, issued, message, withdrawing
from ingam.protocols.cmp.header import Info
from ingam.protocols.cmp.message import BodyKind

pytestmark = pytest.mark.anyio
HERE = "http://localhost:8703/.well-known/cmp"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Wire:
    """What stands between center and authority; keeps what went over it."""

    def __init__(self, ca: World) -> None:
        self.ca, self.sent, self.away = ca, [], False  # type: ignore[var-annotated]

    async def post(self, url: str, body: bytes, content_type: str, limit: int) -> bytes:
        assert (url, content_type) == ("http://ca.ingam.test/.well-known/cmp", "application/pkixcmp")
        if self.away:
            raise Outage
        self.sent.append(body)
        _, answer = await self.ca.endpoint.answer(body, "127.0.0.1")
        assert len(answer) <= limit
        return answer


@pytest.fixture
async def ca(tmp_path: Path) -> AsyncIterator[World]:
    made = world(tmp_path)
    yield made
    await made.shut()


@pytest.fixture
async def wire(ca: World) -> Wire:
    return Wire(ca)


async def center(ca: World, wire: Wire, address: str = HERE, key: int = 101) -> CmpCertification:
    """A center with an RA certificate of this authority."""
    ra = await registrar(ca, key)
    root, above, speaker, _ = certificates("ingam")
    authority = RegistrationAuthority(certificate.parse(ra.extra[0]), (above.der, root.der), held("ra", key))
    url = "http://ca.ingam.test/.well-known/cmp"
    return CmpCertification(url, address, wire, authority, (speaker,), ca.clock, ca.random)


HOLDER = ToRegister("securities", "홍길동", HONG.idn, mobile="01085130001")


async def test_who_is_registered_gets_the_certificate_with_the_code_that_came_back(ca: World, wire: Wire) -> None:
    found = await (await center(ca, wire)).register(HOLDER)
    holder = by_code(ca, Registered(found.reference_number, found.authorization_code, found.expires))
    answer = await ca.ask(holder.compose(asked(held("hong", 3), encrypted=vid_of(ca)), infos=IMPLICIT))
    assert certificate.parse(only_certificate(answer)).subject.value("CN").startswith("홍길동-")  # type: ignore[union-attr]


async def test_D1_the_key_that_was_registered_is_the_only_one(ca: World, wire: Wire) -> None:
    spki = held("hong", 3).public.spki
    bound = ToRegister("securities", "홍길동", HONG.idn, spki_hash=hashlib.sha256(spki).digest())
    found = await (await center(ca, wire)).register(bound)
    holder = by_code(ca, Registered(found.reference_number, found.authorization_code, found.expires))
    other = await ca.ask(holder.compose(asked(held("hong", 4), encrypted=vid_of(ca)), infos=IMPLICIT))
    assert ca.books.of_person(await ca.office.index.index("idn", HONG.idn)) == []
    assert other.body.kind is message.BodyKind.IP
    only_certificate(await ca.ask(holder.compose(asked(held("hong", 3), encrypted=vid_of(ca)), infos=IMPLICIT)))


async def test_D3_a_registration_played_again_gives_no_second_code(ca: World, wire: Wire) -> None:
    await (await center(ca, wire)).register(HOLDER)
    recorded = wire.sent[-1]
    again = message.parse((await ca.endpoint.answer(recorded, "127.0.0.1"))[1])
    assert again.body.kind is message.BodyKind.ERROR


async def test_D3_codes_go_over_tls_or_stay_on_this_machine(ca: World, wire: Wire) -> None:
    with pytest.raises(ClearTransport):
        await center(ca, wire, "http://ca.example.test/cmp")
    await center(ca, wire, "https://ca.example.test/cmp", key=102)


async def coded(ca: World, found: Registered_, key: int = 3, *, implicit: bool = True) -> message.UnverifiedMessage:
    """An ir by these codes, at the authority's own port."""
    holder = by_code(ca, Registered(found.reference_number, found.authorization_code, found.expires))
    body = asked(held("hong", key), encrypted=vid_of(ca))
    return await ca.ask(holder.compose(body, infos=IMPLICIT if implicit else ()))


async def test_D1_codes_that_were_withdrawn_are_good_for_nothing_however_often_it_is_asked(
    ca: World, wire: Wire
) -> None:
    made = await center(ca, wire)
    found = await made.register(HOLDER)
    for _ in range(2):
        assert await made.withdraw(found.reference_number) is Withdrawal.WITHDRAWN
    assert (await coded(ca, found)).body.kind is message.BodyKind.ERROR
    assert await made.issued(HONG.idn) == ()
    assert ca.books.codes_to_forget(ca.clock.now())[0].reference == found.reference_number


async def test_a_registration_that_was_used_says_so(ca: World, wire: Wire) -> None:
    made = await center(ca, wire)
    found = await made.register(HOLDER)
    only_certificate(await coded(ca, found))
    assert await made.withdraw(found.reference_number) is Withdrawal.USED
    (one,) = ca.books.of_person(await ca.office.index.index("idn", HONG.idn))
    await ca.revoking.revoke(one, 5, by="holder")
    assert await made.withdraw(found.reference_number) is Withdrawal.USED  # it stood


async def test_one_that_nobody_has_confirmed_is_waited_for_and_never_stood_when_its_time_is_over(
    ca: World, wire: Wire
) -> None:
    made = await center(ca, wire)
    found = await made.register(HOLDER)
    only_certificate(await coded(ca, found, implicit=False))
    assert await made.withdraw(found.reference_number) is Withdrawal.PENDING
    ca.clock.forward(1200)
    await ca.revoking.sweep()
    assert await made.withdraw(found.reference_number) is Withdrawal.GIVEN_UP


async def test_an_ir_that_waits_for_its_signature_is_withdrawn_with_its_registration(ca: World, wire: Wire) -> None:
    made = await center(ca, wire)
    found = await made.register(HOLDER)
    ca.keys["issuing"].away = True
    await coded(ca, found)
    assert await made.withdraw(found.reference_number) is Withdrawal.WITHDRAWN
    ca.keys["issuing"].away = False
    assert (await coded(ca, found)).body.kind is message.BodyKind.ERROR
    assert await made.issued(HONG.idn) == ()


async def test_what_was_signed_before_a_withdrawal_and_not_recorded_never_leaves(
    ca: World, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await center(ca, wire)
    found = await made.register(HOLDER)
    record = ca.books.record

    async def late(recorded: Recorded) -> Certificate:
        assert await made.withdraw(found.reference_number) is Withdrawal.WITHDRAWN
        return await record(recorded)

    monkeypatch.setattr(ca.books, "record", late)
    answer = await coded(ca, found)
    assert answer.body.kind is message.BodyKind.ERROR or responses(answer)[0].certificate is None
    assert await made.issued(HONG.idn) == ()


async def test_a_number_that_nobody_is_registered_under_is_refused(ca: World, wire: Wire) -> None:
    made = await center(ca, wire)
    with pytest.raises(CertificationRefused) as refused:
        await made.withdraw("12345678901234567890")
    assert refused.value.facts["said"] == "ca-registration-unknown"
    server = await ca.register("server", SERVER)
    with pytest.raises(CertificationRefused):
        await made.withdraw(server.reference)


async def test_only_a_registration_authority_withdraws(ca: World) -> None:
    found = await ca.register("securities", HONG)
    body = general.write_general(message.BodyKind.GENM, [withdrawing.ask(found.reference)])
    assert refusal(await ca.ask(by_code(ca, found).compose(body)))[2] == "cmp-not-authorized"
    only_certificate(await coded(ca, Registered_(found.reference, found.code, found.expires)))


async def test_without_an_authority_nothing_is_registered_and_nothing_withdrawn() -> None:
    nobody = AbsentCertification()
    with pytest.raises(CertificationOutage):
        await nobody.register(HOLDER)
    with pytest.raises(CertificationOutage):
        await nobody.withdraw("12345678901234567890")


async def test_what_the_authority_refuses_is_a_refusal_with_its_bits(ca: World, wire: Wire) -> None:
    with pytest.raises(CertificationRefused) as refused:
        await (await center(ca, wire)).register(ToRegister("no-such-profile", "홍길동", HONG.idn))
    assert refused.value.facts["fail_info"] == "badRequest"


async def test_an_authority_that_is_away_is_an_outage(ca: World, wire: Wire) -> None:
    made = await center(ca, wire)
    wire.away = True
    with pytest.raises(CertificationOutage):
        await made.register(HOLDER)
    with pytest.raises(CertificationOutage):
        await made.withdraw("12345678901234567890")
    with pytest.raises(CertificationOutage):
        await made.carry(b"message")


async def test_an_answer_of_another_signer_is_not_believed(ca: World, wire: Wire) -> None:
    made = await center(ca, wire)
    made._speakers = (certificates("ingam")[1],)
    with pytest.raises(CertificationOutage) as outage:
        await made.encryption_certificate()
    assert outage.value.facts == {"cause": "cmp-signer-unknown"}


async def test_a_message_is_carried_unchanged_both_ways(ca: World, wire: Wire) -> None:
    made = await center(ca, wire)
    answer = await made.carry(b"\x30\x00")
    assert wire.sent[-1] == b"\x30\x00"
    message.parse(answer)


async def test_D10_a_renewal_that_costs_a_fee_goes_through_the_center_alone(ca: World, wire: Wire) -> None:
    made = await center(ca, wire)
    old = await enrolled(ca, HONG, 103, "universal")
    ca.clock.forward(345 * 86_400)
    body = asked(held("hong", 104), BodyKind.KUR, encrypted=vid_of(ca))
    kur = by_certificate(ca, old, held("hong", 103)).compose(body)
    assert (
        refusal(message.parse(await wire.post(made._url, kur, "application/pkixcmp", 65_536))).code == "cmp-kur-by-ra"
    )
    only_certificate(message.parse(await made.carry(kur)))
    # What the holder signed lies in the envelope as it came.
    assert kur in wire.sent[-1]


async def test_a_certificate_is_suspended_resumed_and_revoked(ca: World, wire: Wire) -> None:
    made = await center(ca, wire)
    own = certificate.parse(await enrolled(ca))
    for reason, state in ((6, State.HELD), (8, State.VALID), (1, State.REVOKED)):
        await made.revoke(own.issuer.raw, own.serial, reason, own.subject.raw)
        standing = ca.books.standing(1, own.serial)
        assert standing is not None
        assert standing.state is state
    with pytest.raises(CertificationRefused) as refused:
        await made.revoke(own.issuer.raw, own.serial, 1, own.subject.raw)
    assert refused.value.facts["fail_info"] == "certRevoked"


async def test_a_serial_that_is_anothers_certificate_ends_nothing(ca: World, wire: Wire) -> None:
    made = await center(ca, wire)
    mine, theirs = [certificate.parse(await enrolled(ca, one, key)) for one, key in ((HONG, 3), (KIM, 5))]
    for reason in (1, 6, 8):
        with pytest.raises(CertificationRefused) as refused:
            await made.revoke(theirs.issuer.raw, theirs.serial, reason, mine.subject.raw)
        assert (refused.value.facts["fail_info"], refused.value.facts["said"]) == ("badCertId", "cmp-rr-unknown")
    standing = ca.books.standing(1, theirs.serial)
    assert standing is not None
    assert standing.state is State.VALID


async def test_the_encryption_certificate_is_asked_once(ca: World, wire: Wire) -> None:
    made = await center(ca, wire)
    assert await made.encryption_certificate() == certificates("ingam")[3].der
    asked_so_far = len(wire.sent)
    await made.encryption_certificate()
    assert len(wire.sent) == asked_so_far


async def test_its_authorities_are_asked_once(ca: World, wire: Wire) -> None:
    made = await center(ca, wire)
    root, issuing, *_ = certificates("ingam")
    assert await made.authorities() == (issuing.der, root.der)
    asked_so_far = len(wire.sent)
    await made.authorities()
    assert len(wire.sent) == asked_so_far


async def test_the_one_that_a_new_certificate_ends_is_the_standing_one_of_its_profile(ca: World, wire: Wire) -> None:
    made = await center(ca, wire)
    await enrolled(ca, HONG, 3)
    stands = certificate.parse(await enrolled(ca, HONG, 4))
    other = certificate.parse(await enrolled(ca, HONG, 5, "universal"))
    found, now = await made.issued(HONG.idn), ca.clock.now()
    for profile, expected in (("securities", stands), ("universal", other)):
        ending = found.ended_by(profile, now)
        assert ending is not None
        assert ending.fingerprint == expected.fingerprint.hex()
    assert found.ended_by("server", now) is None
    await made.revoke(stands.issuer.raw, stands.serial, 6, stands.subject.raw)
    assert (await made.issued(HONG.idn)).ended_by("securities", now) is not None
    assert found.ended_by("securities", stands.not_after.replace(year=2030)) is None


async def test_D2_every_certificate_ever_issued_to_a_person_is_told_with_what_became_of_it(
    ca: World, wire: Wire
) -> None:
    made = await center(ca, wire)
    daon = Facts(name=HONG.name, idn=HONG.idn, branch="다온증권")
    old, new = [certificate.parse(await enrolled(ca, facts, key)) for facts, key in ((daon, 3), (HONG, 4))]
    await enrolled(ca, KIM, 5)
    found = await made.issued(HONG.idn)
    assert not found.more
    first, second = found
    assert (first.serial, first.fingerprint) == (f"{new.serial:x}", new.fingerprint.hex())
    assert (first.subject, first.policy, first.not_after) == (str(new.subject), new.policy_oid, new.not_after)
    assert (first.issuer_name, first.subject_name) == (new.issuer.raw, new.subject.raw)
    assert (first.standing, first.reason, first.ended_at) == (Standing.VALID, None, None)
    assert (second.serial, second.standing, second.reason) == (f"{old.serial:x}", Standing.REVOKED, 4)
    assert (second.through, second.ended_at) == ("다온증권", ca.clock.now())


async def test_D14_a_change_that_two_operators_signed_is_carried_to_the_authority(ca: World, wire: Wire) -> None:
    approving = partial(ca.revoking.on_approval, operators=test_approval.OPERATORS, console=test_approval.CONSOLE)
    ca.endpoint = Endpoint(ca.office, ca.issuing, ca.revoking, approving=approving)
    ca.clock.at = test_approval.NOW
    made, one = await center(ca, wire), certificate.parse(await enrolled(ca))
    body = test_approval.text(one.serial, one.fingerprint)
    alone = test_approval.signed(body, test_approval.MAKER)
    with pytest.raises(CertificationRefused):
        await made.revoke_on_behalf(body.decode(), alone)
    assert ca.revoking.find(1, one.serial).state is State.VALID
    both = test_approval.signed(body, test_approval.MAKER, test_approval.CHECKER)
    await made.revoke_on_behalf(body.decode(), both)
    assert ca.revoking.find(1, one.serial).state is State.REVOKED
    await made.revoke_on_behalf(body.decode(), both)  # asked again: it is done


async def test_D14_an_authority_without_operators_of_the_console_revokes_nothing(ca: World, wire: Wire) -> None:
    made, one = await center(ca, wire), certificate.parse(await enrolled(ca))
    body = test_approval.text(one.serial, one.fingerprint)
    with pytest.raises(CertificationOutage):
        await made.revoke_on_behalf(body.decode(), test_approval.signed(body, test_approval.MAKER))


async def test_nobody_known_is_an_empty_answer(ca: World, wire: Wire) -> None:
    assert await (await center(ca, wire)).issued(HONG.idn) == ()


async def test_an_answer_in_another_form_is_an_outage(ca: World, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await center(ca, wire)
    monkeypatch.setattr("ingam.ca.endpoint.informing.issued_to", answering((Info(issued.ISSUED, b"\x05\x00"), 0)))
    with pytest.raises(CertificationOutage):
        await made.issued(HONG.idn)
    wire.away = True
    with pytest.raises(CertificationOutage):
        await made.issued(HONG.idn)


def answering(found: object) -> Callable[..., Awaitable[object]]:
    async def answer(*_: object) -> object:
        return found

    return answer
