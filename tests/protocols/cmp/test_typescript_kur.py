"""갱신 as the vault speaks it, against the real authority: kur under the old key's signature, kup, certConf, pkiConf.

Every step is a process of its own that is given what the one before printed, as a page is after a reload.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.ca.world import IDN, World, certificates, enrolled, held, world
from tests.npki.test_typescript_twin import mutations
from tests.protocols.cmp.test_typescript_twin import NODE, ROOT, R, made

from ingam.npki import certificate, der
from ingam.npki.certificate import Certificate
from ingam.npki.vid import compute_vid
from ingam.ports.books import State
from ingam.protocols.cmp import crmf, message
from ingam.protocols.cmp.message import BodyKind

pytestmark = pytest.mark.anyio

OLD = 3


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def ca(tmp_path: Path) -> AsyncIterator[World]:
    """The demo authority."""
    made = world(tmp_path)
    yield made
    await made.shut()


@dataclass
class Renewal:
    """Somebody with a certificate that ends soon, and what the vault makes of it step by step."""

    ca: World
    old: bytes
    key: str

    @property
    def ends(self) -> datetime:
        return certificate.parse(self.old).not_after

    def vault(self, step: str, **more: Any) -> Any:
        """One step, in a process of its own."""
        root, issuing, _, opens = certificates("ingam")
        pkcs8 = held("person", OLD).key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        given = {
            "step": step, "anchors": [issuing.der.hex(), root.der.hex()], "encryption": opens.der.hex(),
            "at": self.ca.clock.now().isoformat(), "old": {"certificate": self.old.hex(), "key": pkcs8.hex()},
            "key": self.key, "answers": [], "certificate": "", **more,
        }  # fmt: skip
        found = subprocess.run(
            [NODE, "--no-warnings", ROOT / "browser/test/pure/kur_emit.ts"], input=json.dumps(given).encode(),
            capture_output=True, check=False, timeout=120,
        )  # fmt: skip
        assert found.returncode == 0, found.stderr.decode()[-3000:]
        return json.loads(found.stdout)

    async def carried(self, composed: dict[str, Any]) -> str:
        _, answer = await self.ca.endpoint.answer(bytes.fromhex(composed["bytes"]), "198.51.100.1")
        return answer.hex()

    async def offered(self) -> dict[str, Any]:
        """kur and kup."""
        asked = self.vault("ask")
        (found,) = self.vault("receive", exchange=asked["exchange"], answers=[await self.carried(asked)])
        assert found["kind"] == "offered", found
        return dict(found)

    def state(self, of: Certificate) -> State:
        found = self.ca.books.standing(1, of.serial)
        assert found is not None
        return found.state


@pytest.fixture
async def renewal(ca: World) -> Renewal:
    """A certificate that ends in twenty days, and a new key with R."""
    old = await enrolled(ca, key=OLD)
    ca.clock.forward(346 * 86_400)
    return Renewal(ca, old, made(5)[0]["key"])


async def test_D10_a_kur_of_the_vault_renews_carries_the_days_and_ends_the_old_one(renewal: Renewal) -> None:
    found = await renewal.offered()
    new = certificate.parse(bytes.fromhex(found["certificate"]))
    old = certificate.parse(renewal.old)
    assert (renewal.state(old), renewal.state(new)) == (State.VALID, State.PENDING)
    confirming = renewal.vault("accept", exchange=found["exchange"], certificate=found["certificate"])
    answer = await renewal.carried(confirming)
    assert renewal.vault("confirm", exchange=confirming["exchange"], answers=[answer]) == [{"kind": "confirmed"}]
    assert (renewal.state(old), renewal.state(new)) == (State.REVOKED, State.VALID)
    assert (new.subject, new.policy_oid) == (old.subject, old.policy_oid)
    assert (new.not_after.year, new.not_after.month, new.not_after.day) == (
        old.not_after.year + 1, old.not_after.month, old.not_after.day,
    )  # fmt: skip


async def test_D10_the_new_vid_is_of_the_registered_number_and_the_new_r(renewal: Renewal) -> None:
    new = certificate.parse(bytes.fromhex((await renewal.offered())["certificate"]))
    assert compute_vid(IDN, der.bits(R)) in (new.identify_data or b"")


async def test_the_kur_names_what_it_renews(renewal: Renewal) -> None:
    sent = message.parse(bytes.fromhex(renewal.vault("ask")["bytes"]))
    old = certificate.parse(renewal.old)
    assert sent.body.kind is BodyKind.KUR
    assert (sent.header.sender_kid, sent.extra_certs) == (old.ski, (old.der,))
    (asked,) = crmf.read_requests(sent.body)
    named = crmf.old_cert_id(asked)
    assert named is not None and named.serial_number == old.serial
    assert (asked.template.subject, asked.template.not_after) == (None, None)


async def test_D9_the_byte_identical_kur_gets_the_same_answer_and_makes_nothing(renewal: Renewal) -> None:
    asked = renewal.vault("ask")
    first = await renewal.carried(asked)
    assert await renewal.carried(asked) == first
    assert renewal.ca.books.count_of(1) == 2


async def test_what_is_given_back_leaves_the_old_one(renewal: Renewal) -> None:
    found = await renewal.offered()
    rejecting = renewal.vault("reject", exchange=found["exchange"], certificate=found["certificate"])
    answer = await renewal.carried(rejecting)
    assert renewal.vault("confirm", exchange=rejecting["exchange"], answers=[answer]) == [{"kind": "confirmed"}]
    new = certificate.parse(bytes.fromhex(found["certificate"]))
    assert (renewal.state(certificate.parse(renewal.old)), renewal.state(new)) == (State.VALID, State.REVOKED)


async def test_where_nothing_can_be_signed_the_vault_waits_and_polls(renewal: Renewal) -> None:
    asked = renewal.vault("ask")
    renewal.ca.keys["issuing"].away = True
    (waiting,) = renewal.vault("receive", exchange=asked["exchange"], answers=[await renewal.carried(asked)])
    assert waiting["kind"] == "waiting"
    renewal.ca.keys["issuing"].away = False
    polling = renewal.vault("poll", exchange=waiting["exchange"])
    (found,) = renewal.vault("receive", exchange=polling["exchange"], answers=[await renewal.carried(polling)])
    assert found["kind"] == "offered"


@pytest.mark.parametrize(
    ("days", "said"), [(-30, "ca-renewal-early"), (21, "cmp-signer-expired")], ids=["early", "late"]
)
async def test_outside_the_thirty_days_the_authority_refuses(renewal: Renewal, days: int, said: str) -> None:
    renewal.ca.clock.forward(days * 86_400)
    asked = renewal.vault("ask")
    (found,) = renewal.vault("receive", exchange=asked["exchange"], answers=[await renewal.carried(asked)])
    assert found["said"] == said


async def test_D10_a_suspended_certificate_is_not_renewed(renewal: Renewal) -> None:
    entry = renewal.ca.books.certificate(1, certificate.parse(renewal.old).serial)
    assert entry is not None
    await renewal.ca.revoking.suspend(entry, by="test")
    asked = renewal.vault("ask")
    (found,) = renewal.vault("receive", exchange=asked["exchange"], answers=[await renewal.carried(asked)])
    assert found["said"] == "cmp-signer-ended"


async def test_every_mutated_kup_is_refused_unless_only_what_nobody_protects_was_touched(renewal: Renewal) -> None:
    asked = renewal.vault("ask")
    answer = await renewal.carried(asked)
    original = message.parse(bytes.fromhex(answer))
    mutated = [one for one in mutations(8, [bytes.fromhex(answer)], 300) if one.hex() != answer]
    told = renewal.vault("receive", exchange=asked["exchange"], answers=[one.hex() for one in mutated])
    believed = [data for data, verdict in zip(mutated, told, strict=True) if "kind" in verdict]
    assert all(message.parse(data).protected == original.protected for data in believed)
    assert len(mutated) - len(believed) >= 150


async def test_an_answer_under_a_mac_is_nobodys(renewal: Renewal) -> None:
    asked = renewal.vault("ask")
    answer = (ROOT / "vectors/cmp/mac-ir-answer.der").read_bytes().hex()
    assert renewal.vault("receive", exchange=asked["exchange"], answers=[answer]) == [
        {"code": "cmp-protection-algorithm"}
    ]
