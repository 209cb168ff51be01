"""EncryptedVID over the endpoint: opened after the protection, and wrong in one way only (security D6, D7)."""

from __future__ import annotations

import base64
import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from tests.ca.endpoint.asking import confirmation
from tests.ca.world import (
    HONG,
    IDN,
    IMPLICIT,
    RANDOM,
    Refused,
    World,
    by_code,
    held,
    only_certificate,
    refusal,
    request,
    vid_of,
)

from ingam.ca.issuing import vid as walked
from ingam.kernel.secret import Secret
from ingam.npki import certificate, der, signature
from ingam.npki.vid import compute_vid
from ingam.protocols.cmp import encrypted_vid
from ingam.protocols.cmp.message import Body, BodyKind

pytestmark = pytest.mark.anyio

MINE = held("hong", 103)
ONE_ANSWER = Refused(BodyKind.IP, "badRequest", "cmp-request")


def sealed(ca: World, content: bytes, **changes: Any) -> bytes:
    """Any content under the authority's encryption certificate."""
    opener = ca.office.openers[-1].certificate
    key = signature.public_key(opener.spki)
    assert isinstance(key, RSAPublicKey)
    given = encrypted_vid.encrypt(
        key, Secret(content), issuer=opener.issuer.raw, serial_number=opener.serial, oaep=changes.pop("oaep", True)
    )
    return encrypted_vid.write(given._replace(**changes))


def content(idn: str = encrypted_vid.DUMMY_IDN, random: bytes = RANDOM, vid: bytes | None = None) -> bytes:
    bits = der.bits(random)
    hashed = hashlib.sha256(der.seq(der.tlv(der.PRINTABLE_STRING, idn.encode()), bits)).digest()
    return encrypted_vid.write_content(vid or hashlib.sha256(hashed).digest(), Secret(bits)).reveal()


def wrong(ca: World) -> dict[str, bytes | None]:
    """Everything that can be wrong with it."""
    right = content()
    return {
        "absent": None,
        "no sequence": der.octets(b"no EncryptedVID"),
        "another structure": der.seq(der.integer(1)),
        "padding": encrypted_vid.write(encrypted_vid.read(sealed(ca, right))._replace(ciphertext=bytes(256))),
        "padding of v1.5": encrypted_vid.write(
            encrypted_vid.read(sealed(ca, right, oaep=False))._replace(ciphertext=b"\1" * 256)
        ),
        "short ciphertext": sealed(ca, right, ciphertext=b"x" * 100),
        "no content": sealed(ca, b""),
        "content that is no DER": sealed(ca, b"x" * 90),
        "content and more": sealed(ca, right + b"\0"),
        "a VID of another number": sealed(ca, content("7510051000002")),
        "a VID of another R": sealed(ca, content(vid=compute_vid(encrypted_vid.DUMMY_IDN, der.bits(b"r" * 20)))),
        "a short R": sealed(ca, content(random=b"r" * 19)),
        "a long R": sealed(ca, content(random=b"r" * 21)),
        "another encryption certificate": sealed(ca, right, serial_number=99),
        "another issuer": sealed(ca, right, issuer=der.seq()),
    }


async def test_D6_whatever_is_wrong_has_one_answer_and_stores_nothing(ca: World) -> None:
    for name, given in wrong(ca).items():
        holder = by_code(ca, await ca.register("securities", HONG))
        before = ca.stored()
        assert refusal(await ca.ask(holder.compose(request(MINE, encrypted=given), infos=IMPLICIT))) == ONE_ANSWER, name
        assert ca.stored() == before, name


async def test_D6_padding_form_vid_and_r_errors_walk_the_same_steps(ca: World, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    for owner, name in (
        (encrypted_vid, "open_content"),
        (encrypted_vid, "agrees"),
        (walked, "compute_vid"),
    ):
        real = getattr(owner, name)

        def spied(*args: Any, real: Any = real, name: str = name) -> Any:
            steps.append(name)
            return real(*args)

        monkeypatch.setattr(owner, name, spied)
    bodies = {name: given for name, given in wrong(ca).items() if name.startswith(("padding", "content", "a "))}
    seen = set()
    for given in (*bodies.values(), sealed(ca, content())):
        holder = by_code(ca, await ca.register("securities", HONG))
        steps.clear()
        await ca.ask(holder.compose(request(MINE, encrypted=given)))
        seen.add(tuple(steps))
    assert seen == {("open_content", "agrees", "compute_vid")}


async def test_D6_nothing_is_decrypted_before_the_protection_is_verified(ca: World) -> None:
    ca.keys["open"].decrypt = None  # type: ignore[assignment, method-assign]
    holder = by_code(ca, await ca.register("securities", HONG))
    sent = bytearray(holder.compose(request(MINE, encrypted=vid_of(ca))))
    sent[-1] ^= 1
    assert refusal(await ca.ask(bytes(sent))).code == "cmp-protection-wrong"


@pytest.mark.parametrize("idn", [encrypted_vid.DUMMY_IDN, IDN], ids=["the dummy number", "their own"])
@pytest.mark.parametrize("oaep", [True, False], ids=["oaep", "v1.5"])
async def test_the_vid_in_the_certificate_is_of_r_and_the_registered_number(ca: World, idn: str, oaep: bool) -> None:
    holder = by_code(ca, await ca.register("securities", HONG))
    answer = await ca.ask(holder.compose(request(MINE, encrypted=vid_of(ca, idn, oaep=oaep)), infos=IMPLICIT))
    issued = only_certificate(answer)
    assert compute_vid(IDN, der.bits(RANDOM)) in issued
    assert compute_vid(encrypted_vid.DUMMY_IDN, der.bits(RANDOM)) not in issued


def canaries(code: str, body: Body) -> dict[str, bytes]:
    """What must never lie in a file, in each form in which it might."""
    proof = body.element[-300:-200]
    return {
        "R": RANDOM, "R in hex": RANDOM.hex().encode(), "R in base64": base64.b64encode(RANDOM)[:24],
        "number": IDN.encode(), "number in base64": base64.b64encode(IDN.encode())[:16], "code": code.encode(),
        "mobile": HONG.mobile.encode(), "the request": body.element[-128:], "a part of it": proof,
    }  # fmt: skip


async def test_D7_no_request_no_r_no_number_and_no_code_lies_in_any_file(
    ca: World, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    registered = await ca.register("securities", HONG)
    holder = by_code(ca, registered)
    body = request(MINE, encrypted=vid_of(ca))
    sent = holder.compose(body)
    answer = await ca.ask(sent)
    await ca.ask(confirmation(holder, answer))
    await ca.ask(holder.compose(request(held("kim", 104), encrypted=sealed(ca, content(random=b"r" * 19)))))
    broken = bytearray(holder.compose(body))
    broken[-1] ^= 1
    await ca.ask(bytes(broken))
    told = capfd.readouterr()
    everything = {"log": caplog.text.encode(), "out": told.out.encode(), "err": told.err.encode()}
    everything |= {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert any(path.endswith("-wal") for path in everything)
    for name, canary in canaries(registered.code.reveal(), body).items():
        found = [path for path, data in everything.items() if canary in data]
        assert not found, f"{name} in {found}"
    with closing(sqlite3.connect(ca.books.path)) as db:
        assert hashlib.sha256(sent).digest() in [row[0] for row in db.execute("SELECT request_hash FROM answer")]


async def test_D7_answers_hold_the_certificate_and_neither_r_nor_the_number(ca: World) -> None:
    holder = by_code(ca, await ca.register("securities", HONG))
    answer = await ca.ask(holder.compose(request(MINE, encrypted=vid_of(ca)), infos=IMPLICIT))
    for canary in (RANDOM, IDN.encode(), HONG.mobile.encode()):
        assert canary not in answer.raw
    assert certificate.parse(only_certificate(answer)).spki == MINE.public.spki
