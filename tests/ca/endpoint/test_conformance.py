"""What a conformance suite is granted, on a sandbox's authority under its setting, and what nobody else is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.ca.endpoint.asking import WISH, confirmation, genm, p10cr, revoke
from tests.ca.world import (
    IMPLICIT,
    NOW,
    RA,
    Holder,
    World,
    by_certificate,
    by_code,
    held,
    only_certificate,
    refusal,
    registrar,
    request,
    world,
)

from ingam.ca import facts as sealed
from ingam.ca.facts import Facts
from ingam.ca.issuing.registering import Registered
from ingam.ca.revoking import changes
from ingam.kernel.errors import Defect
from ingam.kernel.secret import Secret
from ingam.npki import certificate, der, shapes
from ingam.ports.books import AuditLine, Open, Registration, State
from ingam.protocols.cmp import general
from ingam.protocols.cmp.header import Info, directory_name
from ingam.protocols.cmp.message import BodyKind
from ingam.protocols.cmp.protection import password_based_mac

pytestmark = pytest.mark.anyio

SECRET = Secret("short")
CN = directory_name(shapes.name(("CN", "suite")))


async def first(ca: World, **mac: Any) -> Holder:
    """The suite with its secret."""
    at = ca.clock.now()
    if ca.books.registration("suite") is None:
        kept = sealed.seal_registration(ca.office.sealer, "suite", SECRET, Facts("suite", Secret("")))
        one = Registration("suite", "conformance", "issue", None, kept, None, at, at + timedelta(days=1), reusable=True)
        await ca.books.register(one, AuditLine(at, "register", "ok"))
    holder = by_code(ca, Registered("suite", SECRET, at), **mac)
    holder.sender = CN
    return holder


def chained(ca: World, issued: bytes, key: int) -> Holder:
    holder = by_certificate(ca, issued, held("suite", key))
    holder.extra = (issued, ca.office.issuer.certificate.der)
    return holder


async def issued_to(ca: World, key: int, **wishes: Any) -> bytes:
    body = request(held("suite", key), **{"subject": WISH, **wishes})
    return only_certificate(await ca.ask((await first(ca)).compose(body, infos=IMPLICIT)))


def extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    return der.seq(der.oid(oid), b"\x01\x01\xff" if critical else b"", der.octets(value))


USAGE = extension("2.5.29.15", bytes.fromhex("03020388"), critical=True)
NAMED = extension("2.5.29.17", der.seq(der.tlv(0x82, b"example.test")))


async def test_outside_a_sandbox_nobody_gets_a_suite(tmp_path: Path) -> None:
    with pytest.raises(Defect):
        world(tmp_path, conformance="suite")


async def test_wishes_are_granted_as_asked(suite: World) -> None:
    until = NOW + timedelta(days=1000)
    found = certificate.parse(
        await issued_to(suite, 103, extensions=der.seq(USAGE, NAMED), not_before=NOW, not_after=until)
    )
    assert (found.subject.raw, found.not_before, found.not_after) == (WISH, NOW, until)
    assert found.key_usage == frozenset(("digitalSignature", "keyAgreement")) and b"example.test" in found.der


async def test_one_secret_asks_for_many_and_its_certificates_ask_for_more(suite: World) -> None:
    issued = await issued_to(suite, 103)
    await issued_to(suite, 104)
    another = shapes.name(("CN", "another"))
    for kind, body in (
        (BodyKind.IP, request(held("suite", 105), subject=another)),
        (BodyKind.CP, request(held("suite", 106), BodyKind.CR, subject=another)),
        (BodyKind.CP, p10cr(held("suite", 107), another)),
    ):
        answer = await suite.ask(chained(suite, issued, 103).compose(body, infos=IMPLICIT))
        assert (answer.body.kind, certificate.parse(only_certificate(answer)).subject.raw) == (kind, another)


async def test_the_short_secret_is_not_voided_by_wrong_macs(suite: World) -> None:
    holder = await first(suite)
    for _ in range(8):
        sent = bytearray(holder.compose(genm(Info(general.CA_CERTS))))
        sent[-1] ^= 1
        assert refusal(await suite.ask(bytes(sent))).code == "cmp-protection-wrong"
    assert suite.books.registration("suite").open is Open.OPEN  # type: ignore[union-attr]


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "no name": ({"subject": None}, "badCertTemplate", "ca-wish-refused"),
    "an empty name": ({"subject": der.seq()}, "badCertTemplate", "ca-wish-refused"),
    "an unknown critical extension": (
        {"extensions": der.seq(extension("1.2.3", b"x", critical=True))}, "badCertTemplate", "ca-wish-refused",
    ),
    "an extension twice": ({"extensions": der.seq(USAGE, USAGE)}, "badCertTemplate", "ca-wish-refused"),
    "an authority": (
        {"extensions": der.seq(extension("2.5.29.19", bytes.fromhex("30030101ff"), critical=True))}, "notAuthorized",
        "ca-wish-not-authorized",
    ),
    "a path length without an authority": (
        {"extensions": der.seq(extension("2.5.29.19", bytes.fromhex("3003020105")))}, "badCertTemplate",
        "ca-wish-refused",
    ),
    "keyCertSign without an authority": (
        {"extensions": der.seq(extension("2.5.29.15", bytes.fromhex("03020204"), critical=True))}, "badCertTemplate",
        "ca-wish-refused",
    ),
    "the purpose of an RA": (
        {"extensions": der.seq(extension("2.5.29.37", der.seq(der.oid("1.3.6.1.5.5.7.3.28"))))}, "notAuthorized",
        "ca-wish-not-authorized",
    ),
    "a validity beyond the authority's": (
        {"not_after": NOW + timedelta(days=20_000)}, "badCertTemplate", "ca-wish-refused",
    ),
    "a validity that ends before it begins": (
        {"not_before": NOW + timedelta(days=2), "not_after": NOW + timedelta(days=1)}, "badCertTemplate",
        "ca-wish-refused",
    ),
    "extensions that are none": ({"extensions": der.seq(der.null)}, "badCertTemplate", "ca-wish-refused"),
}  # fmt: skip


@pytest.mark.parametrize("wish", REFUSED)
async def test_what_no_certificate_can_be_is_not_granted_even_there(suite: World, wish: str) -> None:
    fields, bits, code = REFUSED[wish]
    holder = await first(suite)
    before = suite.stored()
    body = request(held("suite", 103), **{"subject": WISH, **fields})
    assert refusal(await suite.ask(holder.compose(body))) == (BodyKind.IP, bits, code)
    assert suite.stored() == before


async def test_an_empty_name_is_granted_beside_an_alternative_one(suite: World) -> None:
    issued = await issued_to(suite, 103, subject=None, extensions=der.seq(NAMED))
    assert certificate.parse(issued).subject.raw == der.seq()


async def test_a_revoked_certificate_revives_itself_and_an_ra_may_too(suite: World) -> None:
    issued = await issued_to(suite, 103)
    holder, serial = chained(suite, issued, 103), certificate.parse(issued).serial
    ra = await registrar_of(suite)
    for sender in (holder, ra):
        await suite.ask(sender.compose(revoke(issued)))
        assert suite.books.standing(1, serial).state is State.REVOKED  # type: ignore[union-attr]
        assert refusal(await suite.ask(sender.compose(revoke(issued)))).code == "cmp-rr-ended"
        assert (await suite.ask(sender.compose(revoke(issued, changes.REMOVE)))).body.kind is BodyKind.RP
        assert suite.books.standing(1, serial).state is State.VALID  # type: ignore[union-attr]
        assert list(suite.books.entries(1, -1, NOW)) == []
        assert refusal(await suite.ask(sender.compose(revoke(issued, changes.REMOVE)))).code == "cmp-rr-not-held"


async def registrar_of(ca: World) -> Holder:
    """The suite's RA, which comes as any other."""
    holder = by_code(ca, await ca.register("ra", RA))
    holder.sender = directory_name(shapes.name(("CN", (holder.kid or b"").decode())))
    return by_certificate(
        ca, only_certificate(await ca.ask(holder.compose(request(held("ra", 110)), infos=IMPLICIT))), held("ra", 110)
    )


async def test_only_the_suites_own_certificates_are_revived(suite: World) -> None:
    ra = await registrar_of(suite)
    mine = ra.extra[0]
    await suite.ask(ra.compose(revoke(mine)))
    assert refusal(await suite.ask(ra.compose(revoke(mine, changes.REMOVE)))).code == "cmp-signer-ended"


async def test_an_unconfirmed_update_holds_its_certificate_and_is_given_up_after_ten_seconds(suite: World) -> None:
    issued = await issued_to(suite, 103)
    holder = chained(suite, issued, 103)

    def update(key: int) -> bytes:
        return holder.compose(request(held("suite", key), BodyKind.KUR, subject=shapes.name(("CN", "renamed"))))

    first_update = await suite.ask(update(104))
    assert first_update.body.kind is BodyKind.KUP
    assert refusal(await suite.ask(update(105))).code == "ca-update-unfinished"
    for body in (request(held("suite", 106), subject=WISH), revoke(issued)):
        assert refusal(await suite.ask(holder.compose(body))).fail_info == "badRequest"
    suite.clock.forward(10)
    assert refusal(await suite.ask(confirmation(holder, first_update))).code == "cmp-nothing-pending"
    assert (
        refusal(await suite.ask(holder.compose(request(held("suite", 106), subject=WISH)))).code == "cmp-signer-updated"
    )
    second = await suite.ask(update(105))
    assert (await suite.ask(confirmation(holder, second))).body.kind is BodyKind.PKICONF
    assert refusal(await suite.ask(update(107))) == (BodyKind.ERROR, "certRevoked", "cmp-signer-ended")


@pytest.mark.parametrize("reverse", [True, False])
async def test_names_in_templates_may_stand_in_the_reverse_order(suite: World, reverse: bool) -> None:
    issued = await issued_to(suite, 103)
    names = [one.raw for one in der.whole(certificate.parse(issued).issuer.raw).sequence()]
    body = revoke(issued, issuer=der.seq(*(names[::-1] if reverse else names)))
    assert (await suite.ask(chained(suite, issued, 103).compose(body))).body.kind is BodyKind.RP
    assert suite.books.last_change() == 1


async def test_names_in_templates_are_compared_with_their_case(suite: World) -> None:
    issued = await issued_to(suite, 103)
    holder = chained(suite, issued, 103)
    shouted = shapes.name(("C", "KR"), ("CN", "WHATEVER they wish"))
    assert refusal(await suite.ask(holder.compose(revoke(issued, subject=shouted)))).code == "cmp-rr-unknown"
    assert (await suite.ask(holder.compose(revoke(issued, subject=WISH)))).body.kind is BodyKind.RP
    assert suite.books.last_change() == 1


async def test_senders_are_told_to_the_letter(suite: World) -> None:
    asked = genm(Info(general.CA_CERTS))
    holder = await first(suite)
    holder.sender = directory_name(shapes.name(("CN", "another")))
    assert refusal(await suite.ask(holder.compose(asked))).code == "cmp-sender-name"
    sha1 = await first(suite, algorithm=password_based_mac(b"s" * 16, mac="sha1"))
    assert refusal(await suite.ask(sha1.compose(asked))).fail_info == "badAlg"
    alone = by_certificate(suite, await issued_to(suite, 103), held("suite", 103))
    assert refusal(await suite.ask(alone.compose(asked))) == (BodyKind.ERROR, "badMessageCheck", "cmp-signer-chain")


async def test_an_ra_needs_no_registration_for_a_bare_request(suite: World) -> None:
    await first(suite)
    ra = await registrar_of(suite)
    ra.extra = (*ra.extra, suite.office.issuer.certificate.der)
    body = request(held("suite", 103), subject=WISH)
    assert certificate.parse(only_certificate(await suite.ask(ra.compose(body)))).subject.raw == WISH


async def test_outside_the_setting_the_same_authority_grants_nothing_of_it(tmp_path: Path) -> None:
    plain = world(tmp_path, preset_name="conformance")
    try:
        holder = await first(plain)
        issued = only_certificate(
            await plain.ask(holder.compose(request(held("suite", 103), subject=WISH), infos=IMPLICIT))
        )
        assert certificate.parse(issued).subject.raw != WISH
        signs = by_certificate(plain, issued, held("suite", 103))
        assert (
            refusal(await plain.ask(signs.compose(request(held("suite", 104), subject=WISH)))).code
            == "cmp-not-authorized"
        )
        await plain.ask(signs.compose(revoke(issued)))
        assert refusal(await plain.ask(signs.compose(revoke(issued, changes.REMOVE)))).code == "cmp-signer-ended"
        ra = await registrar(plain)
        assert refusal(await plain.ask(ra.compose(request(held("suite", 104))))).code == "cmp-registration-missing"
        assert refusal(await plain.ask(ra.compose(revoke(issued, changes.REMOVE)))).code == "cmp-rr-not-held"
    finally:
        await plain.shut()
