"""The center's files as a registration authority: what is read, what is refused, and a center that is nobody's RA."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.ca.world import certificates, held, registrar, world
from tests.clocks import SetClock

from ingam.adapters.certification.absent import AbsentCertification
from ingam.adapters.certification.cmp import ClearTransport, CmpCertification
from ingam.adapters.hsm.key_files import KeyFileRefused
from ingam.kernel.secret import Secret
from ingam.npki import certificate
from ingam.npki.certificate import Certificate
from ingam.ports.certification import CertificationOutage, ToRegister
from ingam.ports.signing import KeyKind, KeyMissing
from ingam.settings import CaSettings, Settings
from ingam.wiring.certification import (
    FILE,
    Registrar,
    RegistrarRefused,
    certification,
    next_key,
    read,
    registrar_folder,
    registrar_keys,
    write,
)

URL = "http://ca.ingam.test/.well-known/cmp"
HERE = {"ca.ingam.test": "http://localhost:8703"}


class Silent:
    """Nothing is sent while a process is put together."""

    async def post(self, url: str, body: bytes, content_type: str, limit: int) -> bytes:
        raise AssertionError(url)


@pytest.fixture(scope="module")
def ra(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """An RA's certificate of the demo authority, for the P-256 key 101."""

    async def made() -> bytes:
        ca = world(tmp_path_factory.mktemp("ca"))
        holder = await registrar(ca)
        await ca.shut()
        return holder.extra[0]

    return certificate.parse(asyncio.run(made()))


def settings_of(folder: Path) -> Settings:
    return replace(Settings(), data=folder, addresses=HERE)


def keyed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of the RA lies in the folder."""
    keys = registrar_keys(settings)
    monkeypatch.setattr(keys, "_source", lambda _: held("ra", 101).key)
    keys.make("cmp-1", KeyKind.P_256)
    keys.close()


def told(ra: Certificate) -> Registrar:
    root, above, speaker, _ = certificates("ingam")
    return Registrar(URL, "cmp-1", ra, (above, root), (speaker,))


def opened(settings: Settings) -> object:
    return certification(settings, Silent(), SetClock(certificates("ingam")[0].not_before))


def reason(act: Callable[[], object]) -> object:
    with pytest.raises(RegistrarRefused) as refused:
        act()
    return refused.value.facts["reason"]


def test_what_is_written_is_read(tmp_path: Path, ra: Certificate) -> None:
    folder = registrar_folder(settings_of(tmp_path))
    write(folder, told(ra))
    assert read(folder) == told(ra)
    before = (folder / FILE).stat().st_mtime_ns
    write(folder, told(ra))
    assert (folder / FILE).stat().st_mtime_ns == before


def test_with_its_key_it_is_the_authority_over_cmp(
    tmp_path: Path, ra: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(tmp_path)
    keyed(settings, monkeypatch)
    write(registrar_folder(settings), told(ra))
    assert isinstance(opened(settings), CmpCertification)


def test_a_center_that_is_nobodys_ra_has_an_authority_that_never_answers(tmp_path: Path) -> None:
    absent = opened(settings_of(tmp_path))
    assert isinstance(absent, AbsentCertification)
    asked = (
        lambda: absent.register(ToRegister("securities", "홍길동", Secret("7510051000001"))),
        lambda: absent.carry(b""),
        lambda: absent.revoke(b"", 1, 0, b""),
        absent.encryption_certificate,
        absent.authorities,
        lambda: absent.issued(Secret("7510051000001")),
    )
    for ask in asked:
        with pytest.raises(CertificationOutage):
            asyncio.run(ask())


def test_another_keys_certificate_is_refused(tmp_path: Path, ra: Certificate) -> None:
    settings = settings_of(tmp_path)
    keys = registrar_keys(settings)
    keys.make("cmp-1", KeyKind.P_256)
    write(registrar_folder(settings), told(ra))
    assert reason(lambda: opened(settings)) == "key"


def test_a_missing_key_is_refused(tmp_path: Path, ra: Certificate) -> None:
    settings = settings_of(tmp_path)
    write(registrar_folder(settings), told(ra))
    with pytest.raises(KeyMissing):
        opened(settings)


def test_an_address_that_is_not_configured_or_goes_in_clear_is_refused(
    tmp_path: Path, ra: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(tmp_path)
    keyed(settings, monkeypatch)
    write(registrar_folder(settings), told(ra))
    assert reason(lambda: opened(replace(settings, addresses={}))) == "address"
    with pytest.raises(ClearTransport):
        opened(replace(settings, addresses={"ca.ingam.test": "http://ca.example.test"}))


def test_who_is_no_ra_or_nobodys_is_not_written(tmp_path: Path, ra: Certificate) -> None:
    root, above, speaker, _ = certificates("ingam")
    for wrong, why in (
        (replace(told(ra), certificate=speaker), "purpose"), (replace(told(ra), chain=()), "chain"),
        (replace(told(ra), chain=(root,)), "chain"), (replace(told(ra), speakers=()), "speakers"),
        (replace(told(ra), key="issuing-1"), "file"), (replace(told(ra), key="../cmp-1"), "file"),
    ):  # fmt: skip
        assert reason(lambda wrong=wrong: write(tmp_path, wrong)) == why  # type: ignore[misc]
    assert above.subject.raw == ra.issuer.raw
    assert not (tmp_path / FILE).exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "url = 1",
        "key = [",
        "\xff",
        'url = "x"\nkey = "cmp-1"\ncertificate = "none.der"\nchain = []\nspeakers = []\n',
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_bytes(text.encode("latin-1"))
    assert reason(lambda: read(tmp_path)) == "file"


def test_G7_a_key_in_a_file_is_refused_in_production_unless_it_is_allowed(tmp_path: Path) -> None:
    settings = replace(settings_of(tmp_path), mode="production", ca=CaSettings(passphrase=Secret("a passphrase")))
    with pytest.raises(KeyFileRefused):
        registrar_keys(settings)
    registrar_keys(replace(settings, ca=replace(settings.ca, file_keys=True))).close()
    assert reason(lambda: registrar_keys(replace(settings, ca=CaSettings(file_keys=True)))) == "passphrase"


def test_each_key_has_a_name_of_its_own(tmp_path: Path) -> None:
    keys = registrar_keys(settings_of(tmp_path))
    assert next_key(keys) == "cmp-1"
    keys.make("cmp-1", KeyKind.P_256)
    assert next_key(keys) == "cmp-2"
