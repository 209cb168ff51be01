"""The houses' CMP services as the outside reaches them: through the sandbox, and nothing else of the houses."""

from __future__ import annotations

import asyncio

import pytest
from tests.sandbox.conftest import Box

from ingam.ports.certification import CertificationRefused
from ingam.protocols.cmp import bodies, message
from ingam.protocols.cmp.message import BodyKind
from ingam.run.houses_counter import Counter
from ingam.run.houses_places import world_folder
from ingam.sandbox import addresses
from ingam.sandbox.authorities.houses import HOUSES
from ingam.sandbox.behind import Passed


class Front:
    """The sandbox's own port as a line: what a contracted registration authority has."""

    def __init__(self, box: Box) -> None:
        self._client = box.client

    async def ask(self, method: str, target: str, body: bytes = b"", content_type: str = "") -> Passed:
        found = self._client.request(method, target, content=body, headers={"content-type": content_type})
        return Passed(found.status_code, dict(found.headers), found.content)


def standing(box: Box, slug: str) -> object:
    told = box.client.get("/switches.json").json()["certificate"]
    return told[slug]


def test_a_registration_authority_holds_and_ends_a_certificate_over_cmp(box: Box) -> None:
    counter = Counter(box.settings, world_folder(box.settings), Front(box), box.clock)
    one = box.world.newest("kica-securities").parsed
    for act, told in (("suspend", "held"), ("release", "good"), ("revoke", "revoked")):
        asyncio.run(counter.act("kica", one, act))
        assert standing(box, "kica-securities") == told
    with pytest.raises(CertificationRefused):
        asyncio.run(counter.act("kica", one, "release"))


@pytest.mark.parametrize("path", ["/cmp/{house}", "/cmp/{house}/.well-known/cmp"])
def test_every_house_answers_at_its_address(kept: Box, path: str) -> None:
    for house in HOUSES:
        assert addresses("http://localhost:8706")[house.cmp] == f"http://localhost:8706/cmp/{house.key}"
        answer = kept.client.post(
            path.format(house=house.key), content=b"0", headers={"content-type": "application/pkixcmp"}
        )
        assert (answer.status_code, answer.headers["content-type"]) == (400, "application/pkixcmp")
        assert bodies.read_error(message.parse(answer.content).body).status.texts
        assert message.parse(answer.content).body.kind is BodyKind.ERROR


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/cmp/nobody"), ("POST", "/desk/kica/register"), ("POST", "/desk/root4/act"), ("POST", "/ocsp/root4"),
        ("GET", "/standings.json"), ("GET", "/rootca/root4"), ("GET", "/kica/crl/dp6p1.crl"),
        ("GET", "/dir/kica/crl/issuing-1.crl"), ("GET", "/dir/kica/crl/dp6p1-delta.crl"),
    ],
)  # fmt: skip
def test_nothing_else_of_the_houses_is_reached_from_outside(kept: Box, method: str, path: str) -> None:
    assert kept.client.request(method, path, content=b"{}").status_code in (404, 405)
