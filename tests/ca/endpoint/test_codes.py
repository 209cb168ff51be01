"""Authorization codes: one operation, fourteen days, forgotten an hour after; costs bounded (security D3, D8)."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.ca.endpoint.asking import confirmation, genm
from tests.ca.world import (
    HONG,
    IMPLICIT,
    Holder,
    World,
    by_code,
    held,
    only_certificate,
    refusal,
    request,
    vid_of,
    world,
)

from ingam.ca import facts as sealed
from ingam.ca.endpoint.limits import Ceilings
from ingam.ca.issuing.registering import Registered
from ingam.kernel.secret import Secret
from ingam.npki import der
from ingam.ports.books import AuditLine, Open, Registration
from ingam.protocols.cmp import general, message
from ingam.protocols.cmp.header import NULL_DN, Info
from ingam.protocols.cmp.message import BodyKind
from ingam.protocols.cmp.protection import MacProtection, password_based_mac, pbmac1
from ingam.run.clerk import forget
from ingam.wiring.authority import CaPorts

pytestmark = pytest.mark.anyio

ASKED = genm(Info(general.CA_CERTS))


async def passing(ca: World, seconds: float) -> None:
    """Time passes, and the clerk forgets what is over."""
    ca.clock.forward(seconds)
    await forget(cast(CaPorts, SimpleNamespace(office=ca.office)))


def certificate_for(ca: World, holder: Holder, **header: Any) -> bytes:
    return holder.compose(request(held("hong", 103), encrypted=vid_of(ca)), infos=IMPLICIT, **header)


async def short(ca: World, code: str) -> Holder:
    """Somebody with a code that a contracted authority chose."""
    at, reference = ca.clock.now(), "4711"
    secret = sealed.seal_registration(ca.office.sealer, reference, Secret(code), HONG)
    until = at + timedelta(days=14)
    one = Registration(reference, "securities", "issue", None, secret, None, at, until)
    await ca.books.register(one, AuditLine(at, "register", "ok"))
    return by_code(ca, Registered(reference, Secret(code), until))


async def test_D3_numbers_and_codes_are_long_and_random(ca: World) -> None:
    one, two = [await ca.register("securities", HONG) for _ in range(2)]
    assert (len(one.code), len(one.reference)) == (26, 20)
    assert one.code != two.code and one.reference != two.reference
    assert (one.expires - ca.clock.now()).days == 14
    assert one.code.reveal() not in repr(one)


async def test_D3_a_code_is_good_for_one_operation(ca: World) -> None:
    holder = by_code(ca, await ca.register("securities", HONG))
    only_certificate(await ca.ask(certificate_for(ca, holder)))
    before = ca.stored()
    assert refusal(await ca.ask(certificate_for(ca, holder))) == (BodyKind.IP, "notAuthorized", "ca-registration-used")
    assert ca.stored() == before


async def test_D3_a_code_is_good_for_fourteen_days(ca: World) -> None:
    holder = by_code(ca, await ca.register("securities", HONG))
    ca.clock.forward(14 * 86_400)
    assert refusal(await ca.ask(certificate_for(ca, holder))).code == "ca-registration-used"


async def test_D3_a_code_is_forgotten_an_hour_after_its_exchange_closed_and_not_before(ca: World) -> None:
    registered = await ca.register("securities", HONG)
    holder = by_code(ca, registered)
    answer = await ca.ask(holder.compose(request(held("hong", 103), encrypted=vid_of(ca))))
    await ca.ask(confirmation(holder, answer))
    await passing(ca, 3599)
    assert (await ca.ask(holder.compose(ASKED))).body.kind is BodyKind.GENP
    await passing(ca, 1)
    assert refusal(await ca.ask(holder.compose(ASKED))).code == "cmp-protection-wrong"
    kept = ca.books.registration(registered.reference)
    assert kept is not None and sealed.open_registration(ca.office.sealer, kept.reference, kept.sealed)[0] is None


async def test_D3_a_short_code_burns_after_five_wrong_macs_and_then_is_as_if_it_had_never_been(ca: World) -> None:
    holder = await short(ca, "12345678")
    wrong = Holder(ca, MacProtection(Secret(b"87654321"), pbmac1(b"s" * 16, iterations=1000)), NULL_DN, holder.kid)
    for number in range(5):
        assert (await ca.ask(holder.compose(ASKED))).body.kind is BodyKind.GENP, number
        assert refusal(await ca.ask(wrong.compose(ASKED))).code == "cmp-protection-wrong"
    assert ca.books.registration("4711").open is Open.BURNT  # type: ignore[union-attr]
    assert refusal(await ca.ask(certificate_for(ca, holder))) == (
        BodyKind.ERROR, "badMessageCheck", "cmp-protection-wrong",
    )  # fmt: skip


async def test_D3_nobody_burns_a_long_code_who_does_not_know_it(ca: World) -> None:
    registered = await ca.register("securities", HONG)
    wrong = Holder(
        ca, MacProtection(Secret(b"x"), pbmac1(b"s" * 16, iterations=1000)), NULL_DN, registered.reference.encode()
    )
    for _ in range(20):
        assert refusal(await ca.ask(wrong.compose(ASKED))).code == "cmp-protection-wrong"
    only_certificate(await ca.ask(certificate_for(ca, by_code(ca, registered))))


def mac(salt: bytes, iterations: int, *, pbm: bool) -> bytes:
    make = password_based_mac if pbm else pbmac1
    return make(salt, iterations=iterations)


COSTS = {
    "PBM over 100,000": mac(b"s" * 16, 100_001, pbm=True),
    "PBKDF2 over 1,000,000": mac(b"s" * 16, 1_000_001, pbm=False),
    "PBM of a number without end": mac(b"s" * 16, 1 << 4000, pbm=True),
    "no iterations": mac(b"s" * 16, 0, pbm=True),
    "a long salt": mac(b"s" * 65, 1000, pbm=False),
    "no salt": mac(b"", 1000, pbm=False),
}


@pytest.mark.parametrize("cost", COSTS)
async def test_D8_what_costs_too_much_is_refused_before_it_is_computed(
    ca: World, cost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered = await ca.register("securities", HONG)
    holder = Holder(ca, _NotComputed(COSTS[cost]), NULL_DN, registered.reference.encode())
    before = ca.stored()
    monkeypatch.setattr("ingam.protocols.cmp.protection.derive", None)
    assert refusal(await ca.ask(holder.compose(ASKED))) == (BodyKind.ERROR, "badAlg", "cmp-protection-cost")
    assert ca.stored() == before
    assert ca.books.registration(registered.reference).wrong_codes == 0  # type: ignore[union-attr]


class _NotComputed:
    """A protection of some parameters and no value."""

    def __init__(self, algorithm: bytes) -> None:
        self.algorithm = algorithm

    def protect(self, part: bytes) -> bytes:
        return bytes(len(part[:32]))


async def test_D8_iterations_are_counted_against_the_number_known_or_not_and_against_the_source(tmp_path: Any) -> None:
    ca = world(tmp_path, ceilings=Ceilings(iterations=2_500, source_iterations=4_500))
    try:
        known = by_code(ca, await ca.register("securities", HONG))
        unknown = Holder(ca, known.protection, NULL_DN, b"12345678901234567890")
        for holder, code in ((known, None), (known, None), (known, "cmp-too-many")):
            answer = await ca.ask(holder.compose(ASKED))
            assert answer.body.kind is BodyKind.GENP if code is None else refusal(answer).code == code
        for code in ("cmp-protection-wrong", "cmp-protection-wrong", "cmp-too-many"):
            assert refusal(await ca.ask(unknown.compose(ASKED))).code == code
        another = by_code(ca, await ca.register("securities", HONG))
        assert refusal(await ca.ask(another.compose(ASKED))) == (BodyKind.ERROR, "systemUnavail", "cmp-too-many")
        assert (await ca.ask(another.compose(ASKED), source="198.51.100.2")).body.kind is BodyKind.GENP
        ca.clock.forward(60)
        assert (await ca.ask(known.compose(ASKED))).body.kind is BodyKind.GENP
    finally:
        await ca.shut()


async def test_D9_over_the_rate_of_a_source_nothing_is_read_signed_or_stored(tmp_path: Any) -> None:
    ca = world(tmp_path, ceilings=Ceilings(messages=2))
    try:
        holder = by_code(ca, await ca.register("securities", HONG))
        for _ in range(2):
            assert (await ca.ask(holder.compose(ASKED))).body.kind is BodyKind.GENP
        lines = len(ca.audit())
        code, answer = await ca.endpoint.answer(certificate_for(ca, holder), "198.51.100.1")
        given = message.parse(answer)
        assert (code, refusal(given)) == (503, (BodyKind.ERROR, "systemUnavail", "cmp-too-many"))
        assert given.protection is None and len(ca.audit()) == lines
        assert ca.endpoint.answered["unread", "cmp-too-many"] == 1
        assert (await ca.ask(holder.compose(ASKED), source="2001:db8::1")).body.kind is BodyKind.GENP
    finally:
        await ca.shut()


async def test_a_mac_key_of_any_length_that_fits_is_taken(ca: World) -> None:
    """BouncyCastle and others write their own keyLength."""
    registered = await ca.register("securities", HONG)
    prf = der.algorithm("1.2.840.113549.2.9")
    kdf = der.seq(der.octets(b"s" * 16), der.integer(1000), der.integer(20), prf)
    algorithm = der.algorithm("1.2.840.113549.1.5.14", der.seq(der.algorithm("1.2.840.113549.1.5.12", kdf), prf))
    holder = by_code(ca, registered, algorithm=algorithm)
    holder.verified(await ca.ask(holder.compose(ASKED)))
