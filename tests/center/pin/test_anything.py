"""Whatever is sent to /management/pin/…: an answer that is known, and never anything half stored (security B8, F9)."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.center.pin.test_pin import Vault, vault
from tests.center.world import World, told

from ingam.center.pin import service
from ingam.center.pin.keys import TRIES
from ingam.kernel.words import has
from ingam.ports.store import Row
from ingam.protocols import oprf, pin
from ingam.protocols.pin import Act

ACTS = ("challenge", "set", "ask", "proved", "remove")
FIELDS = ("nonce", "handle", "element", "device", "proves", "signature", "number", "csrf")
KNOWN = {"pin-gone", "pin-malformed", "pin-most", "nonce-invalid", "csrf-refused", "origin-refused", "stale"}
SIZES = (0, 1, 16, 31, 32, 33, 64, 65, 1000)

octets = st.sampled_from(SIZES).flatmap(lambda size: st.binary(min_size=size, max_size=size))
values = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=80).map(str.encode),
    st.binary(max_size=80),
    octets.map(base64.b64encode),
    octets.map(lambda one: one.hex().encode()),
    st.integers(-5, 2**33).map(lambda one: str(one).encode()),
    st.sampled_from([b"", b"0", "９".encode(), b"ab" * 16, b"../../etc", "각".encode(), b"\0" * 32]),
)
changes = st.dictionaries(st.sampled_from(FIELDS), st.none() | values, max_size=3)
"""What is put in the place of an honest request's field; None: it is left out."""


async def honest(here: Vault, act: str) -> dict[str, bytes]:
    """The fields of a request as the vault makes one."""
    csrf = {"csrf": here.browser.csrf}
    if act == "challenge":
        return _written(csrf)
    if act == "proved":
        signature = here.proof.sign(pin.proof_text(origin_of(here), here.handle, 1))
        return _written(csrf | {"handle": here.handle, "number": "1", "signature": _b64(signature)})
    nonce, element = await here.nonce(), oprf.blind(here.pin, secrets.token_bytes).element
    if act == "set":
        handle, here.handle = here.handle, ""
        proves = here.proof.public_key().public_bytes_raw()
        signature_ = here.sign(Act.SET, nonce, element + proves)
        here.handle = handle
        more = {"element": _b64(element), "device": _b64(here.point), "proves": _b64(proves)}
        return _written(csrf | more | {"nonce": nonce, "signature": signature_})
    body = element if act == "ask" else b""
    more = {"element": _b64(element)} if act == "ask" else {}
    signed = here.sign(Act(act), nonce, body)
    return _written(csrf | more | {"nonce": nonce, "handle": here.handle, "signature": signed})


def origin_of(here: Vault) -> str:
    """Of the center."""
    return here.browser.world.origin


def _b64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def _written(fields: dict[str, str]) -> dict[str, bytes]:
    return {name: value.encode() for name, value in fields.items()}


async def send(here: Vault, act: str, body: bytes, kind: str) -> httpx2.Response:
    """A POST of these bytes."""
    headers = {
        "Origin": here.browser.world.origin, "Sec-Fetch-Site": "same-origin", "Accept": "application/json",
        "Content-Type": kind, "X-Ingam-CSRF": here.browser.csrf,
    }  # fmt: skip
    return await here.browser.client.post(f"/management/pin/{act}", content=body, headers=headers)


def whole(row: Row) -> bool:
    """Whether a row is one that can be."""
    asked, proved, missed = (int(str(row[name])) for name in ("asked", "proved", "missed"))
    sized = [len(bytes(row[name])) for name in ("device", "proves")]  # type: ignore[arg-type]
    return 0 <= proved <= asked and missed >= 0 and sized == [65, 32] and len(str(row["handle"])) == 32


async def stands(world: World) -> list[tuple[Any, ...]]:
    """What is kept of every key, and how many messages wait."""
    rows = await world.rows("pin_key")
    assert all(whole(row) for row in rows)
    return sorted(tuple(row[name] for name in ("handle", "asked", "proved", "missed", "sealed")) for row in rows)


async def answered(world: World, answer: httpx2.Response, before: list[tuple[Any, ...]]) -> None:
    """A known answer, and of what is kept either what it says or nothing changed."""
    after = await stands(world)
    assert answer.status_code < 500, answer.text
    if answer.status_code == 200:
        assert answer.headers["cache-control"] == "no-store"
        assert len(after) - len(before) in (-1, 0, 1)
        return
    spent = [one for one in before if one[1] - one[2] >= TRIES]  # a further try ends those
    assert after in (before, [one for one in before if one not in spent])
    told_ = answer.json()
    assert told_["code"] in KNOWN and has(f"refusal.{told_['code']}"), told_
    assert told_["message"]


def over_one_world(
    url: str, folder: Path, every: Callable[[World, Vault, Any], Coroutine[Any, Any, None]], given_: Any
) -> None:
    """Hypothesis in a thread beside the loop of one center: a world for each example would take minutes."""

    async def story(world: World) -> None:
        here, loop = await vault(world), asyncio.get_running_loop()

        @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(given_)
        def each(one: Any) -> None:
            asyncio.run_coroutine_threadsafe(every(world, here, one), loop).result(30)

        await asyncio.to_thread(each)

    told(url, folder, story)


@pytest.fixture
def _unbounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ceilings have tests of their own; here they would end the run."""
    for name in ("OF_HANDLE", "OF_SESSION", "OF_ADDRESS"):
        monkeypatch.setattr(service, name, 10**9)


@pytest.mark.usefixtures("_unbounded")
def test_B8_a_request_with_anything_in_its_fields_is_answered_by_a_known_code_and_stores_nothing_half(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def every(world: World, here: Vault, one: tuple[str, dict[str, bytes | None]]) -> None:
        act, changed = one
        if not await world.rows("pin_key", handle=here.handle):
            assert (await here.set())[0] == 200
        fields: dict[str, bytes | None] = {**await honest(here, act), **changed}
        before = await stands(world)
        body = "&".join(f"{name}={quote_from_bytes(value)}" for name, value in fields.items() if value is not None)
        answer = await send(here, act, body.encode(), "application/x-www-form-urlencoded")
        await answered(world, answer, before)

    found = [(act, {"handle": "각".encode()}) for act in ("proved", "ask", "remove")]  # each was a 500 once
    over_one_world(sqlite_url, tmp_path, every, st.sampled_from(found) | st.tuples(st.sampled_from(ACTS), changes))


@pytest.mark.usefixtures("_unbounded")
def test_B8_a_body_that_is_no_form_is_answered_as_well(sqlite_url: str, tmp_path: Path) -> None:
    kinds = (
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "text/plain",
    )

    async def every(world: World, here: Vault, one: tuple[str, Any]) -> None:
        act, (kind, body) = one
        before = await stands(world)
        answer = await send(here, act, body, kind)
        assert answer.status_code < 500 and await stands(world) == before

    parts = st.sampled_from(
        [b"", b"--x\r\n", b"--x--", b'Content-Disposition: form-data; name="nonce"\r\n\r\n', b"\r\n"]
    )
    bodies = st.binary(max_size=200) | st.lists(parts | st.binary(max_size=9), max_size=8).map(b"".join)
    over_one_world(
        sqlite_url, tmp_path, every, st.tuples(st.sampled_from(ACTS), st.tuples(st.sampled_from(kinds), bodies))
    )
