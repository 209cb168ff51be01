"""The running demo: its authorities answer; Kim is registered, another broker's certificate ends, and the CA tells."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from tests.journeys.world import START_S, World, start
from tests.npki import certs

from ingam.adapters.clock.system import SystemClock
from ingam.adapters.status import trust_file
from ingam.adapters.status.outgoing import Outgoing
from ingam.ca.ceremony import read_certificates
from ingam.kernel.secret import Secret
from ingam.npki import certificate
from ingam.npki.certificate import Certificate
from ingam.ports.certification import EverIssued, Standing, ToRegister
from ingam.protocols import crl, ocsp
from ingam.run.demo import authority_addresses
from ingam.run.enrolling import OwnKey, enrol, sealed_vid
from ingam.sandbox import addresses
from ingam.sandbox.people import person
from ingam.settings import Settings
from ingam.wiring.certification import certification

KIM = person("kim")
SOON_S = 30


@dataclass(frozen=True)
class Story:
    """What came of it. `before`, `after`: what the authority told; `issued`: the new certificate."""

    before: EverIssued
    after: EverIssued
    issued: Certificate
    status: ocsp.CertStatus
    messages: list[str]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One demo, which these tests share."""
    demo = start(tmp_path_factory.mktemp("demo") / "data")
    try:
        yield demo
    finally:
        demo.stop()


@pytest.fixture(scope="module")
def story(demo: World) -> Story:
    """Kim's new certificate in it."""
    return asyncio.run(_story(demo))


async def _story(demo: World) -> Story:
    settings = replace(Settings(), data=demo.data, base_port=demo.port)
    addresses = authority_addresses(settings)
    idn, clock = Secret(KIM.idn), SystemClock()
    async with Outgoing(addresses, seconds=10) as outgoing:
        center = certification(replace(settings, addresses=addresses), outgoing, clock)
        before = await center.issued(idn)
        told = await center.register(ToRegister("securities", KIM.name, idn, KIM.mobile, branch="증권금융"))
        vid = sealed_vid(secrets.token_bytes(20), certificate.parse(await center.encryption_certificate()))
        key = OwnKey.of(certs.key("rsa2048-14"))
        new = certificate.parse(await enrol(center.carry, told, key, clock, secrets.token_bytes, vid))
        after = await center.issued(idn)
        status = await _status(demo, outgoing)
    return Story(before, after, new, status, _messages(demo))


async def _status(demo: World, outgoing: Outgoing) -> ocsp.CertStatus:
    """What the responder says of the other broker's certificate."""
    (folder,) = (one["folder"] for one in demo.demo["certificates"] if one["slug"] == "other-broker")
    old = certificate.parse((Path(folder) / "signCert.der").read_bytes())
    authorities, _ = trust_file.read(demo.data / "trust" / "authorities.toml")
    (own,) = (one for one in authorities.by_fingerprint.values() if one.certificate.subject.raw == old.issuer.raw)
    nonce = secrets.token_bytes(16)
    asked = ocsp.request(ocsp.cert_id(old, own.certificate), nonce)
    answer = ocsp.parse(await outgoing.post(own.ocsp, asked, "application/ocsp-request", 65_536))
    return ocsp.verify(
        answer, person=old, issuer=own.certificate, responders=own.responders, nonce=nonce, at=SystemClock().now()
    )


def _messages(demo: World) -> list[str]:
    """What Kim's telephone got, once something came."""
    until = time.monotonic() + SOON_S
    while time.monotonic() < until:
        with urlopen(f"{demo.sandbox}/phone/{KIM.mobile}.json", timeout=10) as answer:
            found = json.load(answer)
        if found:
            return [one["text"] for one in found]
        time.sleep(0.1)
    return []


def test_the_other_brokers_certificate_is_told_before_and_ended_after(story: Story) -> None:
    (old,) = story.before
    assert (old.standing, old.through) == (Standing.VALID, "예시증권")
    new, ended = story.after
    assert (new.serial, new.standing, new.through) == (f"{story.issued.serial:x}", Standing.VALID, "증권금융")
    assert (ended.serial, ended.standing, ended.reason) == (old.serial, Standing.REVOKED, 4)


def test_ocsp_says_revoked_at_once(story: Story) -> None:
    assert (story.status.status, story.status.reason) == ("revoked", "superseded")


def test_D2_the_authority_itself_tells_the_registered_telephone(story: Story) -> None:
    (text,) = story.messages
    assert text.startswith("[인감 시연 인증기관] 공동인증서(골드 증권/보험용 (개인), 만료 ")
    assert "발급되었습니다. 본인이 신청하지 않았다면 인증기관에 바로 알려 주세요." in text


def test_the_demos_authority_is_trusted_beside_the_others_and_each_answers_at_its_address(demo: World) -> None:
    authorities, _ = trust_file.read(demo.data / "trust" / "authorities.toml")
    mapped = addresses(demo.sandbox) | authority_addresses(replace(Settings(), base_port=demo.port))
    for one in authorities.by_fingerprint.values():
        asked = ocsp.request(ocsp.cert_id(one.responders[0], one.certificate), None)
        host, _, rest = one.ocsp.removeprefix("http://").partition("/")
        with urlopen(Request(f"{mapped[host]}/{rest}", asked), timeout=10) as answer:
            found = ocsp.parse(answer.read())
        assert found.responder_by_key is not None, one.name


def test_the_root_has_its_key_at_hand_so_that_its_list_of_authorities_is_published_too(demo: World) -> None:
    folder, until = demo.data / "ca" / "ingam", time.monotonic() + START_S
    while not (folder / "published" / "root-1.crl").exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    with urlopen(
        f"{authority_addresses(replace(Settings(), base_port=demo.port))['dir.ingam.test']}/root-1.crl"
    ) as got:
        listed = crl.parse(got.read())
    root, now = read_certificates(folder).roots[1], datetime.now(UTC)
    assert crl.verify(listed, issuer=root, partition=None, lowest_number=0, at=now, max_age=None).entries == {}
