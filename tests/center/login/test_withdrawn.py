"""What two operators withdrew opens no door any more: a policy of an authority, or the authority (G2, A9)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.center.world import HONG, World, party, told

from ingam.npki import policies
from ingam.ports.store import Insert, Row, Save

BOTH = pytest.mark.parametrize(
    ("name", "code"), [("policy-oids", "policy-not-accepted"), ("trust-anchors", "untrusted-issuer")]
)


@BOTH
def test_G2_a_certificate_of_what_was_withdrawn_logs_nobody_in(
    sqlite_url: str, tmp_path: Path, name: str, code: str
) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        assert (await world.browser().present(party())).status_code == 303
        certificate = party().certificate
        policy = policies.lookup(certificate.issuer, certificate.policy_oid)
        assert policy is not None
        (authority,) = world.ports.authorities.by_fingerprint
        withdrawn = {"policy-oids": f"{policy.ca.key} {policy.oid}", "trust-anchors": authority.hex()}[name]
        value, now = json.dumps({"withdrawn": [withdrawn]}), world.clock.now()
        row: Row = {"name": name, "value": value, "version": 1, "change_id": "c", "at": now}
        await world.ports.store.save(Save(rows=[Insert("policy", row)]))
        await world.app.state.policy.read()
        answer = await world.browser().present(party())
        assert answer.status_code == 422
        assert (await world.results("login.certificate"))[-1] == code

    told(sqlite_url, tmp_path, story)
