"""Every POST twice at once, every stale one again, and two processes over one store: one effect of each."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from tests.center.issuance.phone import Fields, Phone
from tests.center.issuance.test_attacks import flow
from tests.center.issuance.test_walk import begun, bound, logs_in
from tests.center.issuance.world import CENTER, World, told

from ingam.page import Bundle
from ingam.ports.books import State
from ingam.ports.card_reader import CardKind
from ingam.run import center
from ingam.sandbox.people import person

HONG = person("hong")
TABLES = ("consent", "contact", "binding", "identity_proof", "id_card_image", "outbox")


async def sizes(world: World) -> Counter[str]:
    """How much there is of everything that a step leaves behind."""
    found = Counter({table: len(await world.rows(table)) for table in TABLES})
    found["deposits"], found["texts"] = len(world.deposits(HONG)), len(world.texts(HONG))
    found["certificates"] = len(await world.certificates(HONG))
    return found


@dataclass
class Impatient(Phone):
    """Presses every button `times` at once, of which the second half goes to another process where there is one."""

    times: int = 3
    elsewhere: httpx2.AsyncClient | None = None

    async def try_every_code(self) -> None:
        """Two processes may both have sent one before either knew of the other; the one that was saved is right."""
        for text in self.world.texts(self.who):
            if self.screen == "otp" and (found := re.search("인증번호 ([0-9]{6})", text)):
                await self.prove_phone(found[1])
                await self.get()
        for text in self.world.deposits(self.who):
            if self.screen == "onewon" and (found := re.search("[0-9]{4}", text)):
                await self.prove_one_won(found[0])
                await self.get()

    async def send(
        self, path: str, fields: Fields | None = None, *, content: bytes | None = None, **headers: str
    ) -> httpx2.Response:
        if not path.startswith("/issuance/new/"):
            return await super().send(path, fields, content=content, **headers)
        here, ways = self.client, [self.client] * self.times
        if self.elsewhere is not None:
            self.elsewhere.cookies.update(here.cookies)
            ways[self.times // 2 :] = [self.elsewhere] * (self.times - self.times // 2)
        answers = await asyncio.gather(*(self._through(way, path, fields, content, headers) for way in ways))
        assert {answer.status_code for answer in answers} <= {200, 303, 409, 422}, [one.text[:300] for one in answers]
        good = [answer for answer in answers if answer.status_code == 200] or list(answers)
        if path.endswith("/carry"):
            assert len({answer.text for answer in good}) == 1  # D9: one answer
        return good[0]

    async def _through(
        self, way: httpx2.AsyncClient, path: str, fields: Fields | None, content: bytes | None, headers: Fields
    ) -> httpx2.Response:
        told = {"Origin": CENTER, "Sec-Fetch-Site": "same-origin", "X-Ingam-CSRF": self.csrf}
        told |= {name.replace("_", "-"): value for name, value in headers.items()}
        if content is not None:
            return await way.post(path, content=content, headers=told)
        return await way.post(path, data={"csrf": self.csrf, **(fields or {})}, headers=told)


@pytest.mark.parametrize("processes", [1, 2])
def test_every_button_pressed_three_times_at_once_has_one_effect(
    sqlite_url: str, tmp_path: Path, processes: int
) -> None:
    async def story(world: World) -> None:
        await world.holds(HONG, 4)
        one = Impatient(world, world.client(), who=HONG, key=3)
        if processes == 2:
            other = center.app(world.settings, world.ports, Bundle({"center.css": "center-0.css"}))
            transport = httpx2.ASGITransport(other, client=("127.0.0.1", 1))
            one.elsewhere = httpx2.AsyncClient(transport=transport, base_url=CENTER)
            world.clients.append(one.elsewhere)
        await one.log_in()
        await one.get()
        for _ in range(30):
            if one.screen in ("issued", "refused"):
                break
            await one.on()
            await one.get()
            await one.try_every_code()
        assert one.screen == "issued"
        assert await world.certificates(HONG) == [State.REVOKED, State.VALID]
        assert await bound(world, HONG) == [one.vault.certificate.fingerprint.hex()]
        found = await sizes(world)
        assert {table: found[table] for table in ("consent", "contact", "binding", "identity_proof")} == {
            "consent": 9, "contact": 1, "binding": 1, "identity_proof": 1
        }  # fmt: skip
        assert found["id_card_image"] == 1
        for action in ("begin", "name", "phone", "phone-proof", "card", "onewon", "onewon-proof", "details", "key",
                       "product", "certificate", "issued"):  # fmt: skip
            assert (await world.results(f"issuance.{action}")).count("ok") == 1, action
        if processes == 1:
            assert found["deposits"] == found["texts"] == 1
        await world.deliver()
        assert len(world.mails(HONG)) == 1
        await logs_in(world, one)

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize("screen", ["onewon", "key", "issued"])
def test_every_form_of_a_walk_sent_again_does_nothing(sqlite_url: str, tmp_path: Path, screen: str) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, screen)
        stale = [
            (path, fields) for path, fields in one.sent if path.startswith("/issuance/new/") and "card?" not in path
        ]
        assert len(stale) >= 6
        before, then = dict(await flow(world)), await sizes(world)
        for path, fields in stale:
            answer = await one.send(path, {name: text for name, text in fields.items() if name != "csrf"},
                                    Accept="application/json")  # fmt: skip
            repeated = path.endswith("/carry") and screen == "issued"  # what is repeated by design
            assert answer.status_code in (303, 409, 413, 422) or repeated, (path, answer.status_code)
            if screen == "issued" and path.endswith("/password"):
                break  # the first step of another run, and not a stale one
            assert dict(await flow(world)) == before, path
        if screen != "issued":
            assert await sizes(world) == then

    told(sqlite_url, tmp_path, story)


def test_a_photograph_and_its_fields_at_once(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "card")
        await one.shoot()
        turn = one.turn
        fields = {**turn, **one.ticks, **one.card_fields()}
        await asyncio.gather(
            one.send("/issuance/new/card-fields", fields),
            *(one.shoot(CardKind.RESIDENT) for _ in range(3)),
            one.send("/issuance/new/card-fields", fields),
            return_exceptions=True,
        )
        await one.get()
        assert one.screen == "account"
        assert len(await world.rows("id_card_image")) == 1
        assert (await world.results("issuance.card")).count("ok") == 1

    told(sqlite_url, tmp_path, story)


def test_E5_wrong_digits_at_once_are_all_counted(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "onewon")
        turn, right = one.turn, int(one.digits)
        guesses = [f"{(right + step) % 10_000:04}" for step in range(1, 40)]
        await asyncio.gather(*(one.send("/issuance/new/onewon-proof", {**turn, "code": code}) for code in guesses))
        assert (await world.results("issuance.onewon-proof")).count("onewon-wrong") == 4
        await one.get()
        assert one.screen == "account"

    told(sqlite_url, tmp_path, story)
