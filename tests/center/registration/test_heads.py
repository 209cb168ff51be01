"""타기관인증서등록 where a union has several heads: to each a place, a number, a telephone and a certificate."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.center.registration.world import PASSWORD, Browser, Window, World, opened, party
from tests.npki.certs import Party

from ingam.customer.heads import head_key
from ingam.customer.session import Level
from ingam.kernel.secret import Secret
from ingam.ports.customers import Customer, CustomerKind, Head, NewCustomer
from ingam.ports.store import Row, Save

UNION = Customer(
    "c-union", CustomerKind.UNION_HEAD, "union2026", "이조합", Secret("7012241000003"), "01085130003",
    union_name="가온우리사주조합",
)  # fmt: skip
SECOND = Head(2, "김둘째", Secret("8203152000002"), "01085130002")
THIRD = Head(3, "박셋째", Secret("9001011000003"), "01085130009", seated=False)


def as_customer(head: Head) -> Customer:
    """Who types this head's number and has this head's telephone, at the union's account."""
    return replace(UNION, name=head.name, idn=head.idn, mobile=head.mobile)


HEAD_2 = as_customer(SECOND)
FIRST_CERT = party(UNION, key_name="rsa2048-02", serial=1)
SECOND_CERT = party(HEAD_2, key_name="rsa2048-03", serial=2)
NEWER_CERT = party(HEAD_2, key_name="rsa2048-04", serial=3)


async def union(world: World, *more: Head) -> None:
    await world.customers.enrol(NewCustomer(UNION, Secret(PASSWORD)))
    for head in (SECOND, *more):
        await world.customers.add_head(UNION, head)


async def registers(world: World, who: Customer, holder: Party, *, again: bool = False) -> Browser:
    """①, ② and ③ in a browser of one's own, after the ID login."""
    one = await world.browser(UNION)
    await one.to_certificate(who)
    await one.register(holder, replace=again)
    return one


async def bound(world: World) -> list[tuple[int, str, str]]:
    rows = await world.store.many("binding", {"customer_id": UNION.customer_id}, order="bound_at")
    return [(int(str(row["slot"])), str(row["fingerprint"]), str(row["status"])) for row in rows]


def line(holder: Party, slot: int, status: str = "ACTIVE") -> tuple[int, str, str]:
    return (slot, holder.certificate.fingerprint.hex(), status)


def told(url: str, folder: Path, story: Callable[[World], Awaitable[None]], **facts: Any) -> None:
    async def go() -> None:
        async with opened(url, folder, heads=2, **facts) as world:
            await story(world)

    asyncio.run(go())


def test_each_head_registers_their_own_and_replaces_nothing_but_that(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await union(world)
        await registers(world, UNION, FIRST_CERT)
        world.clock.forward(60)
        await registers(world, HEAD_2, SECOND_CERT)
        await world.deliver()
        assert {sms.to for sms in world.phone.sent.values()} == {UNION.mobile, SECOND.mobile}
        world.clock.forward(60)
        one = await registers(world, HEAD_2, NEWER_CERT, again=True)
        assert "등록" in one.page
        assert await bound(world) == [line(FIRST_CERT, 1), line(SECOND_CERT, 2, "REPLACED"), line(NEWER_CERT, 2)]
        lines = await world.store.many("audit", {"action": "registration.certificate"}, order="seq")
        assert [json.loads(str(row["facts"]))["head"] for row in lines] == [1, 2, 2]

    told(store_url, tmp_path, story)


def test_A16_a_head_whose_number_was_shown_registers_nobody_elses_certificate(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await union(world)
        one = await world.browser(UNION)
        await one.to_certificate(HEAD_2)
        await one.register(FIRST_CERT)
        assert await world.results("registration.certificate") == ["owner-mismatch"]
        assert await bound(world) == []

    told(sqlite_url, tmp_path, story)


def test_E1_the_code_goes_to_the_telephone_of_the_head_whose_number_was_shown(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await union(world)
        one = await world.browser(UNION)
        await one.identify(HEAD_2)
        await one.request_code()
        assert [sms.to for sms in world.phone.sent.values()] == [SECOND.mobile]
        await one.prove(UNION)  # the first head's own number and telephone prove nothing here
        assert "data-certificate-window" not in one.page

    told(sqlite_url, tmp_path, story)


def test_a_head_without_a_place_is_told_so_and_nothing_is_taken_from_anybody(sqlite_url: str, tmp_path: Path) -> None:
    """Places were taken away since: the institution set INGAM_UNION_HEADS lower."""

    async def story(world: World) -> None:
        world.customers._heads = 3
        await union(world, THIRD)
        world.customers._heads = 2
        await registers(world, UNION, FIRST_CERT)
        world.clock.forward(60)
        await registers(world, HEAD_2, SECOND_CERT)
        one = await world.browser(UNION)
        page = await one.identify(as_customer(THIRD))
        assert "조합장 자리가 모두 찼습니다" in page
        assert (await world.results("registration.identify"))[-1] == "union-heads-full"
        assert await bound(world) == [line(FIRST_CERT, 1), line(SECOND_CERT, 2)]

    told(sqlite_url, tmp_path, story)


def test_after_a_login_with_a_certificate_only_that_heads_number_fits(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await union(world)
        one = await world.browser(None)
        session = await world.store.one("session", {"session": one.session})
        assert session is not None
        opened_by = await world.sessions.open_pre(None)
        head = head_key(world.keys.digests, HEAD_2)
        risen = world.sessions.rise(opened_by.session, Level.CERT, UNION.customer_id, None, 2, head)
        await world.store.save(Save(rows=risen.changes))
        one.client.cookies.set("ingam-center", risen.cookie)
        one.csrf = risen.session.csrf
        await one.identify(UNION)
        assert (await world.results("registration.identify"))[-1] == "customer-mismatch"
        await one.identify(HEAD_2)
        assert (await world.results("registration.identify"))[-1] == "ok"

    told(sqlite_url, tmp_path, story)


def test_two_browsers_of_one_head_end_in_one_registration_and_the_other_heads_stays(
    store_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await union(world)
        browsers, holders = [], (SECOND_CERT, NEWER_CERT, FIRST_CERT)
        for who in (HEAD_2, HEAD_2, UNION):
            one = await world.browser(UNION)
            await one.to_certificate(who)
            world.clock.forward(60)
            browsers.append(one)
        asked = [await one.challenge() for one in browsers]
        windows = [Window(world, holder, ask) for holder, ask in zip(holders, asked, strict=True)]
        await asyncio.gather(*(one.present(window) for one, window in zip(browsers, windows, strict=True)))
        active = [row for row in await bound(world) if row[2] == "ACTIVE"]
        assert sorted(slot for slot, _, _ in active) == [1, 2]
        assert line(FIRST_CERT, 1) in active
        assert sorted(await world.results("registration.certificate")) == ["ok", "ok", "replace-confirm"]

    told(store_url, tmp_path, story)


def test_with_one_place_nobody_but_the_first_head_is_known(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.customers._heads = 2
        await union(world)
        world.customers._heads = 1
        one = await world.browser(UNION)
        await one.identify(HEAD_2)
        assert await world.results("registration.identify") == ["customer-mismatch"]
        rows: list[Row] = await world.store.many("audit", {"action": "registration.identify"})
        assert "head" not in str(rows[0]["facts"])

    told(sqlite_url, tmp_path, story)


def test_A16_a_head_who_shows_their_own_number_forgives_no_guesses_at_anothers(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await union(world)
        guess = replace(UNION, idn=Secret("7012241000011"))
        for _ in range(5):
            one = await world.browser(UNION)
            await one.identify(guess)
            await (await world.browser(UNION)).identify(HEAD_2)
        assert await world.results("registration.identify") == ["customer-mismatch", "ok"] * 4 + [
            "customer-mismatch", "registration-locked",
        ]  # fmt: skip

    told(sqlite_url, tmp_path, story)
