"""간편비밀번호 at the center: five wrong tries, one device, one answer for what is not there (security B8)."""

from __future__ import annotations

import asyncio
import base64
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.center.world import CENTER, HONG, KIM, Browser, World, told

from ingam.center.pin.keys import MISSED_MOST, RECORDS_MOST, TRIES
from ingam.center.pin.service import NONCE_S, OF_HANDLE, PROOF_S
from ingam.ports.store import Save, Update
from ingam.protocols import oprf, pin
from ingam.protocols.pin import Act
from ingam.run import tidy
from ingam.run.pins import pin_deliveries
from ingam.run.worker import once
from ingam.settings import Limits, Settings

JSON = {"Accept": "application/json"}


def b64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


@dataclass
class Vault:
    """What the vault does of it, in one browser."""

    browser: Browser
    pin: bytes = b"471903"
    device: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    proof: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    handle: str = ""
    output: bytes = b""

    @property
    def point(self) -> bytes:
        return self.device.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    async def send(self, act: str, fields: dict[str, str]) -> tuple[int, dict[str, Any]]:
        answer = await self.browser.send(f"/management/pin/{act}", fields, **JSON)
        assert answer.headers["cache-control"] == "no-store"
        found: dict[str, Any] = answer.json()
        return answer.status_code, found

    async def nonce(self) -> str:
        return str((await self.send("challenge", {}))[1]["nonce"])

    def sign(self, act: Act, nonce: str, body: bytes, key: ec.EllipticCurvePrivateKey | None = None) -> str:
        signed = pin.text(act, CENTER, nonce, self.handle or None, body)
        r, s = decode_dss_signature((key or self.device).sign(signed, ec.ECDSA(SHA256())))
        return b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    async def set(self) -> tuple[int, dict[str, Any]]:
        self.handle = ""
        blinded = oprf.blind(self.pin, secrets.token_bytes)
        proves = self.proof.public_key().public_bytes_raw()
        nonce = await self.nonce()
        status, found = await self.send(
            "set",
            {
                "nonce": nonce, "element": b64(blinded.element), "device": b64(self.point), "proves": b64(proves),
                "signature": self.sign(Act.SET, nonce, blinded.element + proves),
            },
        )  # fmt: skip
        if status == 200:
            self.handle = found["handle"]
            self.output = oprf.finalize(self.pin, blinded.blind, base64.b64decode(found["evaluated"]))
        return status, found

    async def request(self, typed: bytes | None = None, **changed: Any) -> tuple[dict[str, str], oprf.Blinded]:
        """A signed try, ready to be sent."""
        blinded = oprf.blind(typed or self.pin, secrets.token_bytes)
        nonce = await self.nonce()
        signature = self.sign(Act.ASK, nonce, blinded.element, changed.pop("key", None))
        return {"nonce": nonce, "handle": self.handle, "element": b64(blinded.element), "signature": signature}, blinded

    async def attempt(self, typed: bytes | None = None, **changed: Any) -> tuple[int, dict[str, Any]]:
        """A try; `right` says whether it opened."""
        fields, blinded = await self.request(typed, **changed)
        status, found = await self.send("ask", fields)
        if status == 200:
            output = oprf.finalize(typed or self.pin, blinded.blind, base64.b64decode(found["evaluated"]))
            found["right"] = output == self.output
        return status, found

    async def prove(self, number: int, key: Ed25519PrivateKey | None = None) -> tuple[int, dict[str, Any]]:
        signature = (key or self.proof).sign(pin.proof_text(CENTER, self.handle, number))
        return await self.send("proved", {"handle": self.handle, "number": str(number), "signature": b64(signature)})

    async def remove(self) -> tuple[int, dict[str, Any]]:
        nonce = await self.nonce()
        signature = self.sign(Act.REMOVE, nonce, b"")
        return await self.send("remove", {"nonce": nonce, "handle": self.handle, "signature": signature})


async def vault(world: World, who: Any = HONG) -> Vault:
    """With a PIN that is set."""
    browser = world.browser()
    await browser.log_in(who)
    await browser.get("/management")
    made = Vault(browser)
    assert (await made.set())[0] == 200
    return made


async def notices(world: World) -> list[str]:
    """Which were put out, by their key."""
    rows = await world.rows("outbox")
    return sorted({str(row["dedup"]).split(":")[0] for row in rows if str(row["dedup"]).startswith("pin-")})


def test_B8_the_same_pin_gives_the_same_secret_and_another_one_another(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        here = await vault(world)
        assert (await here.attempt())[1]["right"] is True
        assert (await here.attempt(b"471904"))[1]["right"] is False
        assert await notices(world) == ["pin-set"]
        assert await world.results("pin.set") == ["ok"]

    told(sqlite_url, tmp_path, story)


def test_B8_five_wrong_tries_delete_the_key_and_the_person_is_told(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        here = await vault(world)
        left = [(await here.attempt(b"%06d" % number))[1]["left"] for number in range(TRIES)]
        assert left == [4, 3, 2, 1, 0]
        assert (await world.rows("pin_key"))[0]["asked"] == TRIES
        status, found = await here.attempt()
        assert (status, found["code"]) == (422, "pin-gone")
        assert await world.rows("pin_key") == []
        assert await world.results("pin.ended") == ["pin-locked"]
        assert "pin-locked" in await notices(world)

    told(sqlite_url, tmp_path, story)


def test_B8_the_fifth_try_ends_the_key_by_itself_where_nobody_asks_again(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        here = await vault(world)
        for number in range(TRIES):
            await here.attempt(b"%06d" % number)
        deliver = pin_deliveries(Settings(mode="test", center_origin=CENTER), world.ports)
        await once(world.ports.store, deliver, world.clock)
        assert len(await world.rows("pin_key")) == 1
        world.clock.at += timedelta(seconds=PROOF_S)
        await once(world.ports.store, deliver, world.clock)
        assert await world.rows("pin_key") == []
        assert "pin-locked" in await notices(world)

    told(sqlite_url, tmp_path, story)


def test_B8_a_proof_forgives_what_was_tried_before_it_and_the_fifth_may_be_the_right_one(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        here = await vault(world)
        for number in range(TRIES - 1):
            await here.attempt(b"%06d" % number)
        _, found = await here.attempt()
        assert (found["right"], found["left"]) == (True, 0)
        assert await here.prove(found["number"]) == (200, {"wrong": 4})
        deliver = pin_deliveries(Settings(mode="test", center_origin=CENTER), world.ports)
        world.clock.at += timedelta(seconds=PROOF_S)
        await once(world.ports.store, deliver, world.clock)
        assert len(await world.rows("pin_key")) == 1
        await here.browser.log_in(HONG)
        await here.browser.get("/management")
        assert (await here.attempt(b"000000"))[1]["left"] == TRIES - 1

    told(sqlite_url, tmp_path, story)


def test_B8_a_proof_forgives_no_try_after_its_own_is_good_once_and_is_of_the_slots_key(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        here = await vault(world)
        _, mine = await here.attempt()
        for number in range(3):  # a thief asks before the owner's proof arrives
            await here.attempt(b"%06d" % number)
        assert (await here.prove(mine["number"], Ed25519PrivateKey.generate()))[1]["code"] == "pin-gone"
        assert (await here.prove(mine["number"] + 9))[1]["code"] == "pin-gone"
        assert (await here.prove(mine["number"]))[0] == 200
        assert (await here.prove(mine["number"]))[1]["code"] == "pin-gone"
        row = (await world.rows("pin_key"))[0]
        assert (row["asked"], row["proved"], row["missed"]) == (4, 1, 0)
        assert (await here.attempt(b"000009"))[1]["left"] == 1

    told(sqlite_url, tmp_path, story)


def test_B8_wrong_tries_between_right_ones_are_counted_for_the_keys_whole_life(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        here = await vault(world)
        await world.ports.store.save(
            Save(rows=[Update("pin_key", {"handle": here.handle}, {"missed": MISSED_MOST - 2})])
        )
        assert (await here.attempt(b"000000"))[1]["left"] == 1
        assert (await here.attempt(b"000001"))[1]["left"] == 0
        assert (await here.attempt())[1]["code"] == "pin-gone"

    told(sqlite_url, tmp_path, story)


def test_B8_nobody_but_the_records_device_is_answered_and_all_are_refused_alike(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        here = await vault(world)
        stranger = ec.generate_private_key(ec.SECP256R1())
        answers = [await here.attempt(key=stranger)]
        fields, _ = await here.request()
        answers.append(await here.send("ask", fields | {"element": b64(oprf.blind(b"x", secrets.token_bytes).element)}))
        known, here.handle = here.handle, "ab" * 16
        answers.append(await here.attempt())
        answers.append(await here.remove())
        answers.append(await here.prove(1))
        here.handle = "../../etc"
        answers.append(await here.attempt())
        here.handle = known
        assert len({(status, found["code"], found["message"]) for status, found in answers}) == 1
        assert answers[0][1]["code"] == "pin-gone"
        assert (await world.rows("pin_key"))[0]["asked"] == 0

    told(sqlite_url, tmp_path, story)


def test_B8_a_signed_request_is_good_once_in_its_own_visit_and_for_two_minutes(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        here = await vault(world)
        fields, _ = await here.request()
        assert (await here.send("ask", fields))[0] == 200
        assert (await here.send("ask", fields))[1]["code"] == "nonce-invalid"
        fields, _ = await here.request()
        elsewhere = world.browser()
        await elsewhere.get("/login")
        answer = await elsewhere.send("/management/pin/ask", fields, **JSON)
        assert answer.json()["code"] == "nonce-invalid"
        world.clock.at += timedelta(seconds=NONCE_S)
        assert (await here.send("ask", fields))[1]["code"] == "nonce-invalid"
        assert (await world.rows("pin_key"))[0]["asked"] == 1

    told(sqlite_url, tmp_path, story)


def test_B8_tries_at_one_moment_are_counted_each_or_refused(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        here = await vault(world)
        ready = [(await here.request(b"%06d" % number))[0] for number in range(9)]
        answers = await asyncio.gather(*(here.send("ask", fields) for fields in ready))
        evaluated = [found for status, found in answers if status == 200]
        assert len(evaluated) <= TRIES
        assert len({found["number"] for found in evaluated}) == len(evaluated)
        rows = await world.rows("pin_key")
        assert not rows or rows[0]["asked"] == len(evaluated)

    told(store_url, tmp_path, story)


def test_B8_it_opens_before_a_login_and_is_set_after_one_only(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        here = await vault(world)
        here.browser = world.browser()
        await here.browser.get("/login")
        _, found = await here.attempt()
        assert found["right"] is True
        assert (await here.prove(found["number"]))[0] == 200
        stranger = Vault(here.browser)
        assert (await stranger.set())[1]["code"] == "login-required"

    told(sqlite_url, tmp_path, story)


def test_B8_what_the_center_keeps_and_logs_holds_no_pin_and_no_key_in_clear(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        here = await vault(world)
        _, found = await here.attempt()
        await here.prove(found["number"])
        kept = world.everything_kept()
        row = (await world.rows("pin_key"))[0]
        sealed = row["sealed"]
        assert isinstance(sealed, bytes)
        key = await world.ports.fields.open(HONG.customer_id, "pin_key", "sealed", here.handle, sealed)
        assert oprf.evaluate(key, oprf.blind(b"x", secrets.token_bytes).element, secrets.token_bytes)
        for secret in (here.pin, here.output, key, here.output.hex().encode(), key.hex().encode()):
            assert secret not in kept

    told(sqlite_url, tmp_path, story)


def test_it_is_taken_away_by_its_device_told_and_then_like_one_that_never_was(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        here = await vault(world)
        assert (await here.remove())[0] == 200
        assert (await here.attempt())[1]["code"] == "pin-gone"
        assert await world.results("pin.removed") == ["ok"]
        assert "pin-removed" in await notices(world)

    told(sqlite_url, tmp_path, story)


def test_a_person_has_so_many_and_a_further_one_is_refused_and_takes_none_away(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        here, kim = await vault(world), await vault(world, KIM)
        oldest = here.handle
        for _ in range(RECORDS_MOST - 1):
            world.clock.at += timedelta(seconds=1)
            assert (await here.set())[0] == 200
        status, told_ = await here.set()
        assert status != 200 and "pin-most" in str(told_)
        handles = {str(row["handle"]) for row in await world.rows("pin_key")}
        assert len(handles) == RECORDS_MOST + 1
        assert {oldest, kim.handle} <= handles

    told(sqlite_url, tmp_path, story)


def test_one_that_nobody_used_for_longer_than_a_device_is_remembered_goes_by_itself(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await vault(world)
        keep = Limits()
        store, now = world.ports.store, world.clock.now()
        await tidy.once(store, now + timedelta(seconds=keep.keep_devices_s - 1), keep)
        assert len(await world.rows("pin_key")) == 1
        await tidy.once(store, now + timedelta(seconds=keep.keep_devices_s + 1), keep)
        assert await world.rows("pin_key") == []

    told(sqlite_url, tmp_path, story)


def test_what_is_not_of_its_form_or_too_much_is_refused(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        here = await vault(world)
        fields, _ = await here.request()
        for name, value in (("element", "?"), ("element", b64(bytes(31))), ("signature", ""), ("signature", "A" * 9)):
            assert (await here.send("ask", fields | {name: value}))[1]["code"] == "pin-malformed"
        for number in ("", "-1", "1e3", "९", "9" * 30):
            sent = {"handle": here.handle, "number": number, "signature": b64(bytes(64))}
            assert (await here.send("proved", sent))[1]["code"] == "pin-malformed"
        nonce = await here.nonce()
        here_asked = {"nonce": nonce, "handle": here.handle, "element": b64(b"\xff" * 32)}
        signature = here.sign(Act.ASK, nonce, b"\xff" * 32)
        assert (await here.send("ask", here_asked | {"signature": signature}))[1]["code"] == "pin-malformed"
        codes = [(await here.prove(1))[0] for _ in range(OF_HANDLE)]
        assert codes[-1] == 429
        answer = await here.browser.send("/management/pin/challenge", {"csrf": "0" * 64}, **JSON)
        assert answer.status_code == 403

    told(sqlite_url, tmp_path, story)
