"""A reported certificate of our own: a whole authority holds it, lets it go again, and after six months revokes it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.adapters.certification.test_cmp import Wire, center
from tests.ca.world import enrolled
from tests.ca.world import world as authority_world
from tests.center.incident.test_incident import report, resume, status, work
from tests.center.protection.person import Person
from tests.center.world import HONG, World, told

from ingam.customer.binding.bindings import Bindings, ToBind
from ingam.npki import certificate, policies
from ingam.ports.books import State
from ingam.ports.store import Save


def test_E11_the_authority_holds_removes_the_hold_and_revokes_by_itself_after_six_months(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        ca = authority_world(tmp_path / "authority")
        try:
            adapter = await center(ca, Wire(ca))
            own = certificate.parse(await enrolled(ca))
            policy = policies.lookup(own.issuer, own.policy_oid)
            assert policy is not None
            ports = world.ports
            bindings = Bindings(ports.store, ports.digests, ports.fields)
            bound = ToBind(HONG, own, policy, world.clock.now(), "s")
            await ports.store.save(Save(rows=(await bindings.change(bound, None)).rows))

            def standing() -> State:
                found = ca.books.standing(1, own.serial)
                assert found is not None
                return found.state

            await report(world.browser())
            await work(world, adapter)
            assert (await status(world), standing()) == ("SUSPENDED", State.HELD)
            await resume(world, Person(world, world.browser()))
            await work(world, adapter)
            assert (await status(world), standing()) == ("ACTIVE", State.VALID)
            world.clock.forward(1)
            await report(world.browser())
            await work(world, adapter)
            assert (await status(world), standing()) == ("SUSPENDED", State.HELD)
            ca.clock.at += timedelta(days=185)
            assert await ca.revoking.sweep() >= 1
            assert standing() is State.REVOKED
            assert await world.results("incident.authority") == ["ok", "ok", "ok"]
        finally:
            await ca.shut()

    told(sqlite_url, tmp_path, story)
