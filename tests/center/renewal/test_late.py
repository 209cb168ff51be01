"""A pkiConf that is lost for good: the authority is asked what stands, and the registration goes over (D10, A17)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.ca.world import only_certificate
from tests.center.issuance.world import World, told
from tests.center.renewal.test_renewal import ONE, Renewal, begun

from ingam.npki import certificate
from ingam.ports.store import Save, Update

LONG = 2 * 3600


async def lost(world: World, **more: bool) -> tuple[Renewal, str]:
    """Confirmed at the authority, and the center never heard of it; the new certificate's SHA-256."""
    at = await begun(world, **more)  # type: ignore[arg-type]
    await at.key()
    await at.agree()
    kup = await at.carry(at.kur())
    await world.ca.ask(at.confirming(kup))
    return at, certificate.parse(only_certificate(kup)).fingerprint.hex()


async def bindings(world: World) -> list[tuple[str, str]]:
    rows = await world.rows("binding", customer_id=f"c-{ONE.key}")
    return sorted((str(row["fingerprint"])[:8], str(row["status"])) for row in rows)


async def becomes(world: World, status: str) -> None:
    """What somebody else did to the registration meanwhile."""
    change = Update("binding", {"customer_id": f"c-{ONE.key}"}, {"status": status, "ended_at": world.clock.now()})
    await world.ports.store.save(Save(rows=[change]))


@pytest.mark.parametrize("by", ["the worker", "the next look"])
def test_D10_the_registration_goes_over_by_the_authoritys_word_when_the_time_of_the_run_is_over(
    sqlite_url: str, tmp_path: Path, by: str
) -> None:
    async def story(world: World) -> None:
        at, new = await lost(world)
        await world.deliver()
        assert await at.active() == [at.fingerprint]  # the vault may still fetch it
        world.clock.forward(LONG)
        if by == "the worker":
            await world.deliver()
        else:
            await at.phone.log_in()
            assert "인증서를 갱신했습니다" in await at.page()
        assert (await at.active(), await at.run()) == ([new], "Renewed")
        await world.deliver()
        assert await world.results("renewal.renewed") == ["ok"]
        assert len([text for text in world.texts(ONE) if "갱신되어" in text]) == 1

    told(sqlite_url, tmp_path, story)


def test_D10_a_night_that_was_quicker_and_ended_the_old_registration_is_made_right(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        at, new = await lost(world)
        await becomes(world, "STALE")
        world.clock.forward(LONG)
        await world.deliver()
        assert await at.active() == [new]

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize("status", ["RELEASED", pytest.param("SUSPENDED", marks=pytest.mark.soak)])
def test_A17_a_registration_that_the_person_ended_or_stopped_does_not_go_over(
    sqlite_url: str, tmp_path: Path, status: str
) -> None:
    async def story(world: World) -> None:
        at, _ = await lost(world)
        await becomes(world, status)
        world.clock.forward(LONG)
        await world.deliver()
        assert await bindings(world) == [(at.fingerprint[:8], status)]
        assert await at.run() == "Renewed"

    told(sqlite_url, tmp_path, story)


def test_A17_one_that_the_authority_never_confirmed_moves_nothing_and_is_asked_after_no_longer(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        at = await begun(world)
        await at.key()
        await at.agree()
        await at.carry(at.kur())
        world.clock.forward(LONG)
        await world.deliver()
        assert await at.active() == [at.fingerprint]  # it waits: the authority has not given it up yet
        await world.ca.revoking.sweep()
        world.clock.forward(LONG)
        await world.deliver()
        assert (await at.active(), await at.run()) == ([at.fingerprint], "Delivered")
        assert not [row for row in await world.rows("outbox") if row["kind"] == "renewal" and not row["delivered_at"]]

    told(sqlite_url, tmp_path, story)
