"""What an import brought, at its first login: a fingerprint lets in and is completed, a claim leads to registration."""

from __future__ import annotations

from pathlib import Path

from tests.center.world import FIRM, HONG, KIM, World, party, told
from tests.npki import certs

from ingam.adapters.customers.fields import CustomerFields
from ingam.customer.binding.bindings import Bindings, claim_key
from ingam.customer.importing import names
from ingam.customer.importing.deciding import Decider, Places, bindings_and_claims
from ingam.customer.importing.rows import Fingerprinted, Named, Registration
from ingam.npki.chain import Anchors
from ingam.ports.customers import Customer
from ingam.ports.importing import Holder, Opened
from ingam.ports.store import Insert, Save


class _Sealing:
    """`ports.importing.FieldSeal` whose seal was made before."""

    def __init__(self, sealed: bytes) -> None:
        self.sealed = sealed

    def seal(self, *_: object) -> bytes:
        return self.sealed


async def imported(world: World, customer: Customer, what: Fingerprinted | Named) -> Bindings:
    """As `ingam import bindings` does it."""
    fields = world.ports.fields
    assert isinstance(fields, CustomerFields)
    decider = Decider(world.ports.digests, Anchors(), world.clock.now(), token=lambda size: b"\x07" * size)
    empty = b'{"subject":"","issuer":"","serial":"","use_ko":"","use_en":"","certificate":"","imported":true}'
    sealed = await fields.seal(customer.customer_id, "binding", "details", ("07" * 16), empty)
    opened = Opened(customer.name, _Sealing(sealed), lambda: customer.idn)
    holder = Holder(customer.customer_id, customer.kind, "ACTIVE", lambda: opened)
    wanted = decider.wanted(Registration(customer.banking_id, what), holder)
    assert Places((), ()).take(wanted)
    bindings, claims = bindings_and_claims(decider, [wanted])
    rows = [*(Insert("binding", row) for row in bindings), *(Insert("binding_claim", row) for row in claims)]
    await world.ports.store.save(Save(rows=rows))
    return Bindings(world.ports.store, world.ports.digests, fields)


def fingerprint(serial: int = 0x085221) -> Fingerprinted:
    found = party(serial=serial).certificate
    return Fingerprinted(found.fingerprint.hex(), found.policy_oid or "", found.not_after)


def test_A17_a_fingerprint_lets_its_certificate_in_and_the_login_completes_the_binding(
    store_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        bindings = await imported(world, HONG, fingerprint())
        before = await bindings.active(HONG)
        assert before is not None and not before.complete
        assert await bindings.of_same_name(party().certificate) == []
        assert (await world.browser().present(party())).status_code == 303
        after = await bindings.active(HONG)
        assert after is not None and after.complete and after.binding_id == before.binding_id
        details = await bindings.details(after)
        assert (details.certificate, details.imported) == (party().certificate.der, True)
        assert details.subject and details.issuer and details.use_ko
        assert len(await bindings.of_same_name(party().certificate)) == 1
        assert (await world.browser().present(party())).status_code == 303

    told(store_url, tmp_path, story)


def test_A17_a_row_that_slipped_gives_nobody_the_account_of_another_name(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await imported(world, KIM, fingerprint())
        assert (await world.browser().present(party())).status_code == 403
        assert await world.results("login.certificate") == ["login-rebind"]
        assert all(row["level"] == "pre" for row in await world.rows("session"))

    told(sqlite_url, tmp_path, story)


def test_A9_a_fingerprint_of_a_person_does_not_let_a_firm_in(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        known = fingerprint()
        corporate = Fingerprinted(known.fingerprint, "1.2.410.200004.5.1.1.7", known.not_after)
        await imported(world, FIRM, corporate)
        answer = await world.browser().present(party())
        assert answer.status_code != 303
        assert await world.results("login.certificate") == ["kind-clash"]
        assert all(row["level"] == "pre" for row in await world.rows("session"))

    told(sqlite_url, tmp_path, story)


def test_A17_a_claim_gives_no_session_and_leads_into_registration(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        mine = party().certificate
        what = Named(names.parse(str(mine.issuer)), names.parse(str(mine.subject)), mine.serial)
        bindings = await imported(world, HONG, what)
        assert await bindings.claimed(mine)
        other = party(serial=0x085222, key_name="rsa2048-03")
        assert (await world.browser().present(other)).status_code == 403
        assert (await world.browser().present(party())).status_code == 403
        assert await world.results("login.certificate") == ["login-unregistered", "login-rebind"]
        assert all(row["level"] == "pre" for row in await world.rows("session"))
        by_id = world.browser()
        await by_id.log_in()
        assert "/registration/again" in (await by_id.get("/registration")).text
        await world.bind(HONG, party())  # registration, with the VID
        assert not await bindings.claimed(mine)
        assert (await world.browser().present(party())).status_code == 303

    told(sqlite_url, tmp_path, story)


def test_the_key_of_a_claim_is_the_certificates_however_the_names_are_written(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        mine, digests = certs.person().certificate, world.ports.digests
        own = claim_key(digests, mine.issuer, mine.subject, mine.serial)
        for text in (
            "cn=홍길동-6422061,ou=HTS,ou=동양,ou=증권,o=SignKorea,c=KR",
            "C=kr, O=SIGNKOREA, OU=증권, OU=동양, OU=hts, CN=홍길동-6422061",
        ):
            assert claim_key(digests, names.parse(str(mine.issuer)), names.parse(text), mine.serial) == own
        for text in ("cn=홍길동-6422062,ou=HTS,ou=동양,ou=증권,o=SignKorea,c=KR", "cn=홍길동-6422061,o=SignKorea,c=KR"):
            assert claim_key(digests, names.parse(str(mine.issuer)), names.parse(text), mine.serial) != own

    told(sqlite_url, tmp_path, story)
