"""`ingam ra`: a center asks for its key, the authority issues, and the center then speaks to it as its RA."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ingam.adapters.clock.system import SystemClock
from ingam.kernel.secret import Secret
from ingam.npki import certificate
from ingam.ports.certification import ToRegister
from ingam.protocols.cmp import pkcs10
from ingam.run.cli import ra
from ingam.run.cli.ca_issuing import read_request
from ingam.settings import Settings
from ingam.wiring.certification import certification, read, registrar_folder

if TYPE_CHECKING:
    from tests.run.cli.ca_hall import Place

URL = "http://ca.ingam.test/.well-known/cmp"
ADDRESS = {"ca.ingam.test": "http://localhost:8703"}


@dataclass
class Center:
    """A center's data folder, on another server than the authority's."""

    data: Path
    capsys: pytest.CaptureFixture[str]

    def run(self, *words: str, code: int = 0) -> Any:
        """What a command tells as JSON."""
        self.capsys.readouterr()
        ended = ra.main([*words, "--data", str(self.data), "--json"])
        told = self.capsys.readouterr()
        assert ended == code, told.out + told.err
        return json.loads(told.out)

    def settings(self, place: Place) -> Settings:
        return replace(place.settings(), data=self.data, addresses=ADDRESS)


@pytest.fixture
def center(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Center:
    monkeypatch.setenv("INGAM_ADDRESSES", f"ca.ingam.test={ADDRESS['ca.ingam.test']}")
    return Center(tmp_path / "center", capsys)


def issued(place: Place, center: Center, tmp_path: Path, number: int = 1) -> tuple[Path, Path]:
    """The way between the two servers: request, issue, export."""
    csr, pem, public = tmp_path / f"ra-{number}.csr", tmp_path / f"ra-{number}.pem", tmp_path / f"public-{number}"
    center.run("request", "--out", str(csr))
    place.run("issue", "--profile", "ra", "--name", "center", "--csr", str(csr), "--out", str(pem))
    place.run("export", "--out", str(public))
    return pem, public


def install(center: Center, pem: Path, public: Path, code: int = 0, url: str = URL) -> Any:
    return center.run("install", "--certificate", str(pem), "--authority", str(public), "--url", url, code=code)


def test_a_request_is_one_that_the_authority_verifies(center: Center, place: Place, tmp_path: Path) -> None:
    told = center.run("request", "--out", str(tmp_path / "ra.csr"))
    assert told["key"] == "cmp-1"
    pkcs10.verify(pkcs10.parse(read_request(str(tmp_path / "ra.csr"))))
    again = center.run("request", "--out", str(tmp_path / "ra.csr"), code=2)
    assert again["error"]["code"] == "ca-file-exists"
    assert place.folder.exists()


def test_an_installed_center_registers_people_at_the_authority(center: Center, place: Place, tmp_path: Path) -> None:
    from tests.run.cli.ca_hall import index, serving

    told = install(center, *issued(place, center, tmp_path))
    assert (told["issuer"], told["key"], told["url"]) == ("Ingam Demo CA1", "cmp-1", URL)
    assert center.run("status") == told

    class Wire:
        async def post(self, url: str, body: bytes, content_type: str, limit: int) -> bytes:
            return (await world.endpoint.answer(body, "127.0.0.1"))[1]

    async def go() -> None:
        ports = certification(center.settings(place), Wire(), SystemClock())
        found = await ports.register(ToRegister("securities", "홍길동", Secret("7510051000001")))
        assert len(found.reference_number) == 20
        assert await ports.issued(Secret("7510051000001")) == ()
        await world.shut()

    with index(place), serving(place) as world:
        asyncio.run(go())


def test_the_next_certificate_is_for_the_next_key(center: Center, place: Place, tmp_path: Path) -> None:
    install(center, *issued(place, center, tmp_path))
    pem, public = issued(place, center, tmp_path, 2)
    assert install(center, pem, public)["key"] == "cmp-2"
    found = read(registrar_folder(center.settings(place)))
    assert found is not None
    assert len(found.chain) == 2 and len(found.speakers) == 1


def test_what_does_not_fit_changes_nothing(center: Center, place: Place, tmp_path: Path) -> None:
    pem, public = issued(place, center, tmp_path)
    stranger = Center(tmp_path / "stranger", center.capsys)
    stranger.run("request", "--out", str(tmp_path / "other.csr"))
    empty = tmp_path / "empty"
    empty.mkdir()
    server = tmp_path / "data" / "server-200.pem"
    place.issue(200)
    for told, reason in (
        (install(stranger, pem, public, 6), "key"),
        (install(center, pem, empty, 6), "chain"),
        (install(center, pem, public, 6, "http://nowhere.test/"), "address"),
        (install(center, server, public, 6), "key"),
        (center.run("status", code=6), "none"),
    ):
        assert (told["error"]["code"], told["error"]["facts"]["reason"]) == ("registrar-refused", reason)
    assert install(center, tmp_path / "ra-1.csr", public, 4)["error"]["code"] == "ca-file-unreadable"
    assert not (registrar_folder(center.settings(place)) / "ra.toml").exists()


def test_a_der_file_serves_as_well(center: Center, place: Place, tmp_path: Path) -> None:
    from ingam.run.cli.ra import _certificate

    pem, public = issued(place, center, tmp_path)
    (tmp_path / "ra.der").write_bytes(_certificate(str(pem)).der)
    install(center, tmp_path / "ra.der", public)
    assert certificate.parse((tmp_path / "ra.der").read_bytes()).subject.value("CN") == "center"


def test_usage_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert ra.main([]) == 2
    assert ra.main(["--help"]) == 0
    assert "ingam ra" in capsys.readouterr().out
