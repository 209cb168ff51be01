"""After the demo's authority stands, the center is its RA, and another broker's customer has a certificate of it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from tests.clocks import SetClock

from ingam.adapters.blind_index.process import at_hand
from ingam.adapters.certification.absent import AbsentCertification
from ingam.adapters.clock.system import SystemClock
from ingam.ca.endpoint.service import Endpoint
from ingam.ca.issuing.service import Issuing
from ingam.ca.notices import opened
from ingam.ca.revoking.service import Revoking
from ingam.kernel.secret import Secret
from ingam.npki import certificate, key_file, policies, vid
from ingam.npki.policies import Acceptance, CustomerKind
from ingam.npki.signature import known_key
from ingam.ports.certification import Certification, CertificationOutage, EverIssued, Standing, ToRegister
from ingam.run import demo_authority, demo_registrars
from ingam.run.demo_keeping import Keeping
from ingam.run.demo_registrars import OTHER_BROKER
from ingam.run.founding_houses import Moment
from ingam.sandbox import ours
from ingam.sandbox.people import CERTIFICATE_PASSWORD, person
from ingam.settings import Settings
from ingam.wiring.authority import authority_folder, ca_index_folder, ca_ports
from ingam.wiring.certification import FILE, certification, read, registrar_folder
from ingam.wiring.following import following

KIM = person(OTHER_BROKER.person)


@pytest.fixture
def settings(demo_settings: Settings) -> Settings:
    """A demo whose authority was founded with the keys of tests."""
    return demo_settings


class Wire:
    """The authority's own services, without its process."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def post(self, url: str, body: bytes, content_type: str, limit: int) -> bytes:
        status, answer = await self._endpoint.answer(body, "127.0.0.1")
        assert (url, status, content_type) == (demo_registrars.ADDRESS, 200, "application/pkixcmp")
        assert len(answer) < limit
        return answer


def asked(settings: Settings) -> tuple[EverIssued, list[str]]:
    """What the center is told of the other broker's customer, and what the authority is about to say to people."""

    async def go() -> tuple[EverIssued, list[str]]:
        folder = authority_folder(settings)
        async with at_hand(ca_index_folder(folder)):
            ports = ca_ports(settings)
            endpoint = Endpoint(ports.office, Issuing(ports.office), Revoking(ports.office))
            center, idn = certification(settings, Wire(endpoint), SystemClock()), Secret(KIM.idn)
            found = await center.issued(idn)
            await center.register(ToRegister("securities", KIM.name, idn, KIM.mobile))
            due = ports.books.notices(datetime.now(UTC) + timedelta(days=1))
            told = [opened(ports.office, notice).text for _, notice in due]
            await ports.shut()
            return found, told

    return asyncio.run(go())


def test_the_center_is_an_ra_of_the_authority_and_is_told_of_the_other_brokers_certificate(settings: Settings) -> None:
    found, told = asked(settings)
    (one,) = found
    assert (one.standing, one.through, one.profile) == (Standing.VALID, "예시증권", "securities")
    assert found.ended_by("securities", datetime.now(UTC)) == one
    assert told == []


def test_its_files_are_as_programs_leave_them_and_are_taken_for_registration(
    settings: Settings, tmp_path: Path
) -> None:
    demo = tmp_path / "elsewhere"
    ours.spread(settings.data / "sandbox" / "world", demo)
    (told,) = ours.told(settings.data / "sandbox" / "world", demo)
    place = Path(told["folder"])
    found = certificate.parse((place / "signCert.der").read_bytes())
    kept = key_file.open_key((place / "signPri.key").read_bytes(), CERTIFICATE_PASSWORD.encode())
    public = known_key(found.spki)
    assert isinstance(public, RSAPublicKey) and public.public_numbers().n == kept.modulus
    assert found.identify_data is not None and kept.random is not None
    told_of = vid.parse_identify_data(found.identify_data).vid
    assert told_of is not None
    vid.check_vid(told_of, KIM.idn, kept.random.reveal())
    assert policies.accepts(found.issuer, found.policy_oid, CustomerKind.PERSONAL) is Acceptance.ACCEPTED
    assert (told["person"], told["banking_id"], told["policy"]) == (KIM.name, KIM.banking_id, found.policy_oid)
    (place / "signPri.key").write_bytes(b"changed by somebody")
    ours.spread(settings.data / "sandbox" / "world", demo)
    assert (place / "signPri.key").read_bytes() == b"changed by somebody"


def test_nothing_is_made_twice(settings: Settings) -> None:
    def state() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in settings.data.rglob("*") if path.is_file()}

    before = state()
    demo_authority.prepare(settings, lambda _: None)
    assert {path for path, at in state().items() if before.get(path) != at} == set()


def test_a_certificate_that_ends_soon_is_renewed_for_a_new_key(settings: Settings) -> None:
    folder, later = registrar_folder(settings), datetime.now(UTC) + timedelta(days=340)
    first = read(folder)
    demo_registrars.prepare(settings, authority_folder(settings), Moment(later), lambda _: None)
    second = read(folder)
    assert first is not None and second is not None
    assert (first.key, second.key) == ("cmp-1", "cmp-2")
    assert second.certificate.not_after > first.certificate.not_after
    assert len(list((settings.data / "sandbox" / "ours" / "NPKI" / "Ingam" / "USER").iterdir())) == 1


def test_a_running_demo_renews_it_and_the_center_speaks_by_the_new_one_after_the_old_ones_end(
    settings: Settings,
) -> None:
    clock = SetClock(datetime.now(UTC).replace(microsecond=0))
    keeping, folder = Keeping(settings, lambda _: None, clock), registrar_folder(settings)
    first = read(folder)
    assert first is not None

    def ends() -> datetime:
        found = read(folder)
        assert found is not None
        return found.certificate.not_after

    async def go() -> None:
        async with at_hand(ca_index_folder(authority_folder(settings))):
            ports = ca_ports(settings, clock=clock)
            wire = Wire(Endpoint(ports.office, Issuing(ports.office), Revoking(ports.office)))
            center = following(folder / FILE, lambda: certification(settings, wire, clock), clock)
            idn = Secret(KIM.idn)
            assert len(await center.issued(idn)) == 1
            clock.at = first.certificate.not_after - timedelta(days=31)
            await asyncio.to_thread(keeping.look)
            assert ends() == first.certificate.not_after  # there is time
            clock.at += timedelta(days=2)
            await asyncio.to_thread(keeping.look)
            assert ends() > first.certificate.not_after
            assert len(await center.issued(idn)) == 1  # as soon as it was renewed
            clock.at = first.certificate.not_after + timedelta(days=1)
            await asyncio.to_thread(keeping.look)
            assert len(await center.issued(idn)) == 1  # and though the first is over
            await ports.shut()

    asyncio.run(go())


def test_files_that_cannot_be_used_leave_the_former_and_a_look_that_fails_ends_nothing(settings: Settings) -> None:
    clock = SetClock(datetime.now(UTC).replace(microsecond=0))
    folder, made = registrar_folder(settings), []

    async def go() -> None:
        def make() -> Certification:
            made.append(read(folder))
            return AbsentCertification()

        center = following(folder / FILE, make, clock)
        good = (folder / FILE).read_bytes()
        for number, content in enumerate((b"nonsense", good)):
            (folder / FILE).write_bytes(content)
            clock.at += timedelta(seconds=10)
            with pytest.raises(CertificationOutage):  # of the authority itself, which is none
                await center.authorities()
            assert len(made) == 1 + number

    asyncio.run(go())
    said: list[str] = []
    keeping = Keeping(settings, said.append, clock)
    (folder / FILE).write_bytes(b"nonsense")
    clock.at += timedelta(hours=7)
    keeping.look()
    assert len(said) == 1 and "not renewed" in said[0]


def test_where_the_sandbox_stands_alone_there_are_none(tmp_path: Path) -> None:
    assert ours.told(tmp_path / "world", tmp_path) == []
    ours.spread(tmp_path / "world", tmp_path)
