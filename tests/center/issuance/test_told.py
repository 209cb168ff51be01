"""What a person is told of 신규발급: in their own language, and nothing of one that time had ended already."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.ca.world import held, registrar
from tests.center.issuance.test_walk import begun, bound
from tests.center.issuance.world import World, customer, told

from ingam.adapters.certification.cmp import RegistrationAuthority
from ingam.customer.binding.bindings import Bindings, ToBind
from ingam.customer.notice.wishes import ToldCustomers, Wish, Wishes
from ingam.npki import certificate, policies
from ingam.page import Bundle
from ingam.ports.store import Save
from ingam.run import center
from ingam.sandbox.people import person

HONG = person("hong")
DAY_S = 86_400


async def registered(world: World) -> None:
    """HONG holds a certificate that is registered here."""
    party = await world.holds(HONG, 4)
    policy = policies.lookup(party.certificate.issuer, party.certificate.policy_oid)
    assert policy is not None
    bindings = Bindings(world.ports.store, world.ports.digests, world.ports.fields)
    one = ToBind(customer(HONG), party.certificate, policy, world.clock.now(), "0" * 64)
    await world.ports.store.save(Save(rows=(await bindings.change(one, None)).rows))


async def certified_anew(world: World) -> None:
    """The center's own certificate as an RA lasts a year as well."""
    ra = await registrar(world.ca, 102)
    world.ra = RegistrationAuthority(certificate.parse(ra.extra[0]), world.ra.chain, held("ra", 102))
    await world.restart()


async def speaks_english(world: World) -> None:
    wishes = Wishes(world.ports.store, world.ports.fields)
    wish = Wish("en", mails=True, expiry=True, logins=False)
    await world.ports.store.save(Save(rows=[await wishes.wish(f"c-{HONG.key}", wish, world.clock.now())]))
    world.ports = replace(world.ports, customers=ToldCustomers(world.ports.customers, wishes))
    world.app = center.app(world.settings, world.ports, Bundle({"center.css": "center-0.css"}))


def test_the_notices_name_both_uses_in_the_persons_language(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await registered(world)
        await speaks_english(world)
        one = await begun(world, HONG)
        await one.until("issued")
        await world.deliver()
        texts = [text for text in world.texts(HONG) if "certificate" in text]
        assert [text for text in texts if "revoked" in text] and [text for text in texts if "issued" in text]
        assert not [text for text in texts if any("가" <= each <= "힣" for each in text.partition("]")[2])], texts

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize(("days", "revoked"), [(30, True), (400, False)])
def test_only_of_one_that_still_stood_is_the_end_told(
    sqlite_url: str, tmp_path: Path, days: int, revoked: bool
) -> None:
    async def story(world: World) -> None:
        await registered(world)
        world.clock.forward(days * DAY_S)
        await certified_anew(world)
        one = await begun(world, HONG)
        await one.until("issued")
        await world.deliver()
        texts = [text for text in world.texts(HONG) if "폐지" in text]
        mails = [mail for mail in world.mails(HONG) if "폐지" in mail.subject + mail.text]
        assert (bool(texts), bool(mails)) == (revoked, revoked)
        assert len(await bound(world, HONG)) == 1

    told(sqlite_url, tmp_path, story)
