"""Many certificates of one issuer in a night: each list is fetched once, and whoever has none is asked one by one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from tests.center.world import HONG, World, party, told
from tests.npki import certs
from tests.npki.certs import Party

from ingam.kernel.secret import Secret
from ingam.npki import der
from ingam.ports.customers import Customer, NewCustomer
from ingam.ports.status import Revoked, Source, Status, Suspended
from ingam.ports.store import Save, Update
from ingam.run.recheck import Recheck, recheck
from ingam.settings import Limits, Settings

NIGHT = timedelta(days=1)
LEAST = 20


def rounds(world: World) -> Recheck:
    return recheck(Settings(mode="test", limits=replace(Limits(), recheck_by_list=LEAST)), world.ports)


def person(serial: int, partition: str) -> Party:
    """A certificate that names a list."""
    address = der.tlv(0x86, f"ldap://dir.signkorea.test/ou={partition}".encode())
    points = certs.extension("2.5.29.31", der.seq(der.seq(der.explicit(0, der.explicit(0, address)))))
    return party(serial=serial, put={"crldp": points})


async def everybody(world: World, counts: dict[str, int]) -> None:
    """So many registrations naming each list; serials 1000, 1001 … in order. All of them come due together."""
    serial = 1000
    for partition, count in counts.items():
        for _ in range(count):
            who: Customer = replace(HONG, customer_id=f"c-{serial}", banking_id=f"many{serial}")
            await world.ports.customers.enrol(NewCustomer(who, Secret("pass-Word-77")))
            await world.bind(who, person(serial, partition))
            serial += 1
    await rounds(world).once()
    world.statuses.asked.clear()


async def all_due(world: World) -> None:
    for row in await world.rows("binding"):
        where = {"binding_id": row["binding_id"]}
        await world.ports.store.save(Save(rows=[Update("binding", where, {"recheck_at": world.clock.now()})]))


async def statuses(world: World) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in await world.rows("binding"):
        found[str(row["status"])] = found.get(str(row["status"]), 0) + 1
    return found


def test_as_many_fetches_as_lists_and_the_few_are_asked_one_by_one(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await everybody(world, {"dp4p1": 25, "dp4p2": 21, "dp4p3": 3})
        now = world.clock.now()
        ended: dict[int, Status] = {
            1000: Revoked(Source.CRL, now, now, "keyCompromise"),
            1001: Suspended(Source.CRL, now, now),
        }
        world.statuses.lists = {"dp4p1": ended, "dp4p2": {1002: ended[1000]}, "dp4p3": {}}
        await all_due(world)
        assert await rounds(world).once() == 49
        assert sorted(world.statuses.fetched) == ["dp4p1", "dp4p2"]
        assert len(world.statuses.asked) == 3  # those whose list too few name
        # 1002 stands on a list that it does not name: another partition's list says nothing of it.
        assert await statuses(world) == {"ACTIVE": 47, "STALE": 1, "SUSPENDED": 1}
        assert sorted(await world.results("recheck.binding")) == ["found-revoked", "found-suspended"]

    told(store_url, tmp_path, story)


def test_without_a_list_of_now_the_responder_is_asked_and_the_list_not_again(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await everybody(world, {"dp4p1": LEAST})
        await all_due(world)
        revoked = person(1003, "dp4p1").certificate
        world.statuses.answers[revoked.fingerprint] = Revoked(
            Source.OCSP, world.clock.now(), world.clock.now(), "keyCompromise"
        )
        await rounds(world).once()
        assert world.statuses.fetched == ["dp4p1"] and len(world.statuses.asked) == LEAST
        assert await statuses(world) == {"ACTIVE": LEAST - 1, "STALE": 1}

    told(sqlite_url, tmp_path, story)


def test_who_dies_in_the_night_leaves_the_rest_and_its_list_is_fetched_once_more(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await everybody(world, {"dp4p1": 2 * LEAST})
        world.statuses.lists = {"dp4p1": {}}
        await all_due(world)
        done = [row["binding_id"] for row in await world.rows("binding")][:LEAST]
        for one in done:  # as far as the one that died came
            again = {"recheck_at": world.clock.now() + NIGHT}
            await world.ports.store.save(Save(rows=[Update("binding", {"binding_id": one}, again)]))
        assert await rounds(world).once() == LEAST
        assert world.statuses.fetched == ["dp4p1"] and world.statuses.asked == []
        assert await rounds(world).once() == 0

    told(sqlite_url, tmp_path, story)
