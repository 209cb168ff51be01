"""The authority is killed (SIGKILL, by itself) at every numbered step; after a restart the same request is resumed.

After each death the books hold one certificate or none, never a signed one without a record; when the same bytes come
again there is exactly one, and its answer is the same for ever after.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.ca.kill.ground import Died, Ground
from tests.ca.world import HONG, World, by_certificate, by_code, held, only_certificate, request, vid_of
from tests.center.registration.kill.nursery import Nursery

from ingam.npki import certificate
from ingam.ports.books import State
from ingam.protocols.cmp import bodies
from ingam.protocols.cmp.message import BodyKind, UnverifiedMessage
from ingam.protocols.cmp.revocation import RevDetails, write_rev_req
from ingam.protocols.cmp.template import CertTemplate

ISSUING = [f"issuing.{number}" for number in range(1, 8)]
CONFIRMING = [f"confirming.{number}" for number in (1, 2)]
REVOKING = [f"revoking.{number}" for number in (1, 2)]
pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("ca-kill")]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    """Forks the authority's processes, each the same `main()` as `python -m ingam.run.ca`."""
    with Nursery("ca") as forking:
        yield forking


@pytest.fixture
def ground(tmp_path: Path, nursery: Nursery) -> Ground:
    return Ground(tmp_path, nursery)


async def enrolled(ground: Ground, ca: World, key: int) -> bytes:
    """A person's certificate, issued and confirmed in this process."""
    holder = by_code(ca, await ca.register("securities", HONG))
    answer = await ca.ask(holder.compose(request(held("hong", key), encrypted=vid_of(ca))))
    transaction, nonce = answer.header.transaction_id, answer.header.sender_nonce
    der = only_certificate(answer)
    conf = bodies.write_cert_conf(bodies.confirm(certificate.parse(der), 0))
    await ca.ask(holder.compose(conf, transaction=transaction, recip_nonce=nonce))
    return der


def states(ground: Ground) -> list[str]:
    """The states of all certificates that were not there before, and how many intents stand."""
    with sqlite3.connect(ground.folder / "books.db") as db:
        found = [row[0] for row in db.execute("SELECT state FROM certificate WHERE profile = 'securities' ORDER BY id")]
    db.close()
    return found


def whole(ground: Ground) -> None:
    """What must hold after every death: leaves without gaps, a leaf for every certificate, one valid at most."""
    with sqlite3.connect(ground.folder / "books.db") as db:
        certificates = db.execute("SELECT count(*) FROM certificate").fetchone()[0]
        leaves = [row[0] for row in db.execute("SELECT place FROM leaf ORDER BY place")]
        pointed = db.execute("SELECT count(*) FROM certificate c JOIN leaf l ON l.place = c.leaf").fetchone()[0]
        revoked = db.execute("SELECT count(*) FROM certificate WHERE state IN ('revoked', 'held')").fetchone()[0]
        listed = db.execute("SELECT count(*) FROM revoked_entry").fetchone()[0]
        valid = db.execute(
            "SELECT max(n) FROM (SELECT count(*) n FROM certificate WHERE state IN ('valid', 'held') AND person IS NOT "
            "NULL GROUP BY person, policy)"
        ).fetchone()[0]
    db.close()
    assert leaves == list(range(len(leaves)))
    assert pointed == certificates
    assert listed == revoked
    assert (valid or 0) <= 1


def killed(ground: Ground, step: str, data: bytes) -> None:
    """The process dies at the step, and answers nothing."""
    with ground.process(step) as process:
        with pytest.raises(Died):
            ground.ask(data)
        assert process.wait() == -9
    whole(ground)


def resumed(ground: Ground, data: bytes) -> UnverifiedMessage:
    """The same bytes after the restart, twice: the same answer."""
    with ground.process():
        first, second = ground.ask(data), ground.ask(data)
    assert first.raw == second.raw
    whole(ground)
    return first


@pytest.mark.parametrize("step", ISSUING)
async def test_a_kill_in_issuing_leaves_one_certificate_or_none_and_the_same_request_gets_it(
    ground: Ground, step: str
) -> None:
    ca = ground.world()
    old = await enrolled(ground, ca, 3)
    holder = by_code(ca, await ca.register("securities", HONG))
    data = holder.compose(request(held("hong", 4), encrypted=vid_of(ca)))

    killed(ground, step, data)
    after = states(ground)
    assert after == (["valid", "pending"] if step == "issuing.7" else ["valid"])

    answer = resumed(ground, data)
    assert answer.body.kind is BodyKind.IP
    assert states(ground) == ["valid", "pending"]
    entry = ca.books.certificate(1, certificate.parse(only_certificate(answer)).serial)
    assert entry is not None
    assert entry.der == only_certificate(answer)
    standing = ca.books.standing_of(entry.person or b"", entry.policy)
    assert standing is not None
    assert standing.der == old
    await ca.shut()


@pytest.mark.parametrize("step", CONFIRMING)
async def test_a_kill_in_confirming_leaves_the_old_one_or_the_new_one_and_never_none(ground: Ground, step: str) -> None:
    ca = ground.world()
    await enrolled(ground, ca, 3)
    holder = by_code(ca, await ca.register("securities", HONG))
    answer = await ca.ask(holder.compose(request(held("hong", 4), encrypted=vid_of(ca))))
    new = certificate.parse(only_certificate(answer))
    conf = bodies.write_cert_conf(bodies.confirm(new, 0))
    header = answer.header
    data = holder.compose(conf, transaction=header.transaction_id, recip_nonce=header.sender_nonce)

    killed(ground, step, data)
    assert states(ground) == (["valid", "pending"] if step == "confirming.1" else ["revoked", "valid"])

    assert resumed(ground, data).body.kind is BodyKind.PKICONF
    assert states(ground) == ["revoked", "valid"]
    await ca.shut()


@pytest.mark.parametrize("step", REVOKING)
async def test_a_kill_in_revoking_leaves_it_valid_or_revoked_and_listed(ground: Ground, step: str) -> None:
    ca = ground.world()
    der = await enrolled(ground, ca, 3)
    own = certificate.parse(der)
    details = RevDetails(CertTemplate(serial_number=own.serial, issuer=own.issuer.raw), 1)
    data = by_certificate(ca, der, held("hong", 3)).compose(write_rev_req(details))

    killed(ground, step, data)
    assert states(ground) == (["valid"] if step == "revoking.1" else ["revoked"])

    if step == "revoking.1":
        assert resumed(ground, data).body.kind is BodyKind.RP
    standing = ca.books.standing(1, own.serial)
    assert standing is not None
    assert (standing.state, standing.reason) == (State.REVOKED, 1)
    await ca.shut()
